#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs that fail, hang, or that no change asks for: retry, backoff and budget,
# timeout, every, at-start and while-running.
. "$(dirname "$0")/lib.sh"

# ran_after RULE N M MS: did run M start no sooner than that after run N ended?
ran_after() {
	get_run "$1" "$2"
	_from=$end
	get_run "$1" "$3"
	after "$_from" "$time" "$4"
}

# ran_within WHAT MS: and the one last asked for no later?
ran_within() {
	within "$1, in ms" "$_from" "$time" "$2"
}

# has_history LIST: are these the reasons and attempts of the runs of r?
has_history() {
	[ "$("$WATCHPATHD" history --json --root "$box" r |
	    sed 's/.*"reason":"\([a-z]*\)","attempt":\([0-9]*\),.*/\1 \2/' |
	    paste -s -d , -)" = "$1" ]
}

a_budget() {
	rule r 'watch = /f' 'retry = 2' 'retry-delay = 300ms'
	fence=1500ms
	start_daemon
	on_run r status=1
	put "$box/f" 1
	wait_runs r 3
	ok "a failed run is the first attempt" is_run r 1 change 1 create
	ok "a retry says so, and what it is about" is_run r 2 retry 2 create
	ok "the second retry is attempt 3" is_run r 3 retry 3 create
	ok "the history has the same of each" until_true 10 has_history \
	    'change 1,retry 2,retry 3'
	ok "the first retry comes after retry-delay" ran_after r 1 2 270
	ran_within "the first retry" 330
	ok "the wait doubles with every failure" ran_after r 2 3 540
	ran_within "the second retry" 660
	fence
	ok "a budget of two retries is three runs" has_runs r 3
	ok "when it is spent the rule has failed" \
	    is_logged ' r: running -> failed'
	on_run r status=0
	put "$box/f" 2
	wait_runs r 4
	ok "the next change is a first attempt again" is_run r 4 change 1 create
	ok "no sooner than the retry would have been" ran_after r 3 4 1080
	put "$box/f" 3
	wait_runs r 5
	ok "after a success a change is only itself" is_run r 5 change 1 create
	fence
	ok "a success ends the retries" has_runs r 5
}

a_change_during_the_backoff() {
	rule r 'watch = /f' 'retry = 1' 'retry-delay = 1h'
	fence=300ms
	start_daemon
	on_run r status=1
	put "$box/f" 1
	wait_runs r 1
	until_true 30 is_logged ' r: running -> retrying'
	put "$box/f" 2
	ok "a change cuts the wait for a retry short" until_true 30 has_run_times r 2
	ok "and is a first attempt with a full budget" is_run r 2 change 1 create
	until_true 30 has_ended r 2
	put "$box/f" 3
	fence
	ok "the wait after a shortened one runs its full length" has_runs r 2
}

a_change_during_a_failing_run() {
	rule r 'watch = /f' 'retry = 1' 'retry-delay = 1h'
	start_daemon
	on_run r status=1
	hold r
	put "$box/f" 1
	wait_runs r 1
	on_run r status=0
	put "$box/f" 2
	release r
	ok "a change during a run that fails is answered at once" \
	    until_true 30 has_run_times r 2
	ok "as a first attempt" is_run r 2 change 1 create
	fence
	ok "by one run that stands for both changes" has_runs r 2
}

exit_codes() {
	rule r 'watch = /f' 'success = 0 3' 'retry = 1' 'retry-delay = 100ms'
	rule s 'watch = /f' 'retry = 1' 'retry-delay = 100ms'
	fence=700ms
	start_daemon
	on_run r status=3
	on_run s status=3
	put "$box/f" 1
	wait_runs s 2
	fence
	ok "an exit status that is listed under success is one" has_runs r 1
	ok "one that is not is none" has_runs s 2
}

without_retries() {
	rule r 'watch = /f' 'retry = 0' 'retry-delay = 1h'
	fence=300ms
	start_daemon
	on_run r status=1
	put "$box/f" 1
	wait_runs r 1
	until_true 30 is_logged ' r: running -> failed'
	put "$box/f" 2
	wait_runs r 2
	ok "with retry = 0 a change after a failure is served as usual" \
	    is_run r 2 change 1 create
	fence
	ok "and nothing is tried again" has_runs r 2
}

# wrote FILE: is there a number in it?
wrote() {
	[ -s "$1" ]
}

# is_zombie PID
is_zombie() {
	case $(ps -o stat=,ppid= -p "$1") in
	Z*" $daemon") ;;
	*) return 1 ;;
	esac
}

a_hung_action() {
	rule r 'watch = /f' 'timeout = 1s' 'retry = 0'
	rule quick 'watch = /f' 'timeout = 1h' 'retry = 0'
	start_daemon
	on_run r "trap '' TERM
	(trap '' TERM; while :; do sleep 60; done) &
	echo \$! >$dir/grandchild
	while :; do sleep 60; done"
	put "$box/f" 1
	wait_runs r 1
	until_true 30 wrote "$dir/grandchild"
	read -r grandchild <"$dir/grandchild"
	get_run r 1
	until_true 30 is_gone "$pid"
	dead=$(now)
	ok "a hung action that ignores SIGTERM is killed 5 seconds after its timeout" \
	    after "$time" "$dead" 5900
	within "and no later, in ms" "$time" "$dead" 6000
	ok "its grandchild with it" until_true 30 is_gone "$grandchild"
	until_true 30 is_logged ' r: stopping -> failed'
	ok "the log says what was wrong" is_logged 'took longer than its timeout'
	ok "when it is stopped, too" \
	    is_logged ' r: running -> stopping, took longer than its timeout$'
	ok "no zombie is left" not is_zombie "$pid"
	ok "an action within its timeout is left alone" has_ended quick 1
	on_run r status=0
	put "$box/f" 2
	wait_runs r 2
	ok "the rule goes on after it" is_run r 2 change 1 create
}

at_intervals() {
	rule r 'watch = /f' 'every = 1s'
	fence=300ms
	start_daemon
	wait_runs r 2
	ok "every runs an action without a change" is_run r 1 timer 1 -
	ok "and again when no run has succeeded for that long" \
	    ran_after r 1 2 990
	ran_within "the second run" 1000
	put "$box/f" 1
	until_true 30 grep -q ' change ' "$dir/runs/r"
	n=$(sed -n '/ change /=' "$dir/runs/r")
	wait_runs r $((n + 1))
	ok "counted from the last run that succeeded, whatever its reason" \
	    ran_after r "$n" $((n + 1)) 990
	ran_within "the next run" 1000
}

at_first_start() {
	put "$box/f" 1
	for at in never changed new always; do
		rule $at-there 'watch = /f' "at-start = $at"
		rule $at-missing 'watch = /g' "at-start = $at"
	done
	rule default 'watch = /f'
	rule new-modify 'watch = /f' 'at-start = new' 'on = modify'
	fence=400ms
	start_daemon
	fence
	for r in never changed; do
		ok "at-start = $r: a first start runs nothing for what exists" \
		    has_runs $r-there 0
		ok "at-start = $r: nor for what does not" has_runs $r-missing 0
	done
	ok "at-start = changed is the default" has_runs default 0
	ok "at-start = new: a first start runs for what exists" \
	    is_run new-there 1 start 1 create
	ok "at-start = new: once" has_runs new-there 1
	ok "at-start = new: not for what does not" has_runs new-missing 0
	ok "at-start = new: whatever on says" has_runs new-modify 1
	ok "at-start = always: a start runs" is_run always-there 1 start 1 create
	ok "at-start = always: once" has_runs always-there 1
	ok "at-start = always: also without a path" \
	    is_run always-missing 1 start 1 -
	put "$box/g" 2
	fence
	for r in never changed new; do
		ok "at-start = $r: a change after the start is answered" \
		    has_runs $r-missing 1
	done
	ok "at-start = always: so it is there" has_runs always-missing 2
}

its_own_doing() {
	rule r 'watch = /f' 'while-running = ignore' 'settle = 300ms'
	fence=1s
	start_daemon
	on_run r "echo own >>$box/f"
	put "$box/f" 1
	wait_runs r 1
	until_true 30 is_logged ' r: running -> idle'
	fence
	ok "while-running = ignore: what the action writes runs nothing" \
	    has_runs r 1
	put "$box/f" 2
	wait_runs r 2
	fence
	ok "while-running = ignore: what others write afterwards is answered" \
	    has_runs r 2
}

run_tests a_budget a_change_during_the_backoff \
    a_change_during_the_backoff:shuffle,split,merge \
    a_change_during_a_failing_run exit_codes without_retries a_hung_action \
    at_intervals at_first_start at_first_start:echo,extend,merge its_own_doing \
    its_own_doing:shuffle,split,extend
