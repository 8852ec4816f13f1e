#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Actions that outlive the daemon, and waits that do. ROUNDS=N does the round of
# killing N times.
. "$(dirname "$0")/restart.sh"

: "${ROUNDS:=20}"

left_over() {
	rule r 'watch = /f' 'lock = l'
	rule other 'watch = /g' 'lock = l'
	start_daemon
	hold r
	put "$box/f" 1
	wait_runs r 1
	until_true 10 is_saved r '"pid":'
	kill_daemon
	put "$box/f" 2
	live_again
	ok "the log says that a run is left over" is_logged 'left over from an earlier daemon'
	get_run r 1
	COLUMNS=200 "$WATCHPATHD" status --root "$box" r >"$dir/out"
	ok "the status, too, with its process" \
	    grep -q "^state  *running (left over) for .* pid $pid," "$dir/out"
	put "$box/g" 1
	put "$box/f" 3
	fence
	ok "while an action of an earlier life lives no second one starts" has_runs r 1
	ok "and its lock is held" has_runs other 0
	"$WATCHPATHD" status --root "$box" other >"$dir/out"
	ok "by whom is known" grep -q '^waits for  *the lock l, held by r$' "$dir/out"
	release r
	ok "when it ends the rule is due at once" until_true 10 has_run_times r 2
	ok "and its lock is free" until_true 10 has_run_times other 1
	fence
	ok "one run answers what came before and after" has_runs r 2
	until_true 10 is_settled r
	restart
	fence
	ok "then nothing is owed any more" has_runs r 2
}

# Its first 3597 seconds are over when the next life begins.
left_over_timeout() {
	rule r 'watch = /f' 'timeout = 1h' 'retry = 0'
	start_daemon
	hold r
	put "$box/f" 1
	wait_runs r 1
	get_run r 1
	until_true 30 is_saved r '"pid":'
	kill_daemon
	jump -3597
	begin=$(now)
	live_again
	ok "an action of an earlier life gets what remains of its timeout" \
	    until_true 30 is_gone "$pid"
	ok "no less" after "$begin" "$(now)" 1000
	release r
	ok "then the rule is due" until_true 30 has_run_times r 2
}

ended_meanwhile() {
	rule r 'watch = /f'
	start_daemon
	hold r
	put "$box/f" 1
	wait_runs r 1
	get_run r 1
	until_true 10 is_saved r '"pid":'
	kill_daemon
	release r
	until_true 10 is_gone "$pid"
	live_again
	ok "an action that ended unseen is run again" until_true 10 has_run_times r 2
	fence
	ok "once" has_runs r 2
}

# Another process has the number now: its start time tells.
another_process() {
	rule r 'watch = /f'
	start_daemon
	hold r
	put "$box/f" 1
	wait_runs r 1
	until_true 10 is_saved r '"pid":'
	kill_daemon
	perl -pi -e 's/"process":"[^"]*"/"process":"another"/' "$(state_file)"
	live_again
	ok "a process with that number and another start is not the run" \
	    until_true 10 has_run_times r 2
	get_run r 1
	ok "and is left alone" is_alive "$pid"
	release r
}

another_boot() {
	rule r 'watch = /f'
	start_daemon
	hold r
	put "$box/f" 1
	wait_runs r 1
	until_true 10 is_saved r '"pid":'
	kill_daemon
	perl -pi -e 's/"boot":"[^"]*"/"boot":"another"/' "$(state_file)"
	live_again
	ok "a process of another boot is not the run" until_true 10 has_run_times r 2
	release r
}

rounds() {
	rule r 'watch = /f' 'settle = 10ms'
	start_daemon
	_round=0
	while [ $_round -lt "$ROUNDS" ]; do
		_round=$((_round + 1))
		_first=$(($(runs r) + 1))
		hold r
		put "$box/f" $_round
		wait_runs r $_first
		until_true 10 is_saved r '"pid":'
		kill_daemon
		live_again
		if ! has_runs r $_first; then
			ok "no second action starts in round $_round" false
		fi
		release r
		wait_runs r $((_first + 1))
		fence
		until_true 10 is_settled r
	done
	ok "$ROUNDS kills: each one run again, and none while it lived" \
	    has_runs r $((2 * ROUNDS))
}

# The start of a run that lasts 0.5 s is saved while it runs, although its rule was
# saved just before. On a machine that is busy one of several must do; from the tenth
# on they would seem to trigger themselves, and be put off.
a_start_after_another() {
	rule r 'watch = /f' 'settle = 50ms'
	start_daemon
	on_run r 'sleep 0.3'
	n=0 saved=no
	while [ $n -lt 9 ] && [ $saved = no ]; do
		n=$((n + 1))
		put "$box/f" $n
		wait_runs r $n
		get_run r $n
		until_true 30 is_saved_or_over "$n"
		[ $n -gt 1 ] || saved=no
	done
	ok "a start is saved at once, also when its rule was saved just before" \
	    [ $saved = yes ]
}

# is_saved_or_over N
is_saved_or_over() {
	! is_saved r "\"pid\":.*\"run\":\"$run\"" || saved=yes
	[ $saved = yes ] || has_ended r "$1"
}

# Saved between the change and the run: what is owed is not lost.
killed_before_the_run() {
	rule r 'watch = /f' 'settle = 3s'
	start_daemon
	put "$box/f" 1
	until_true 10 is_saved r '"owed":'
	kill_daemon
	put "$box/f" 1
	rm "$box/f"
	live_again
	ok "what was owed is run after a SIGKILL, whatever the path is now" \
	    until_true 20 has_run_times r 1
	ok "and is told as it is" is_run r 1 change 1 delete
	until_true 10 is_settled r
}

# jump SECONDS: every time in the state is that much later.
jump() {
	perl -pi -e '
		for my $k (qw(ended succeeded retry_at started detected)) {
			s/"$k":"(\d+)"/sprintf qq("%s":"%d"), $k, $1 + '"$1"' * 1e9/e;
		}' "$(state_file)"
}

year=31536000

# real_now: seconds since 1970.
real_now() {
	date +%s
}

# due RULE: when the status says it is due, in seconds since 1970, or 0.
due() {
	"$WATCHPATHD" status --json --root "$box" | perl -MJSON::PP -MTime::Local -e '
	my ($rule) = grep { $_->{name} eq $ARGV[0] } @{decode_json(join "", <STDIN>)->{rules}};
	my @t = ($rule->{due} // "") =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/;
	print @t ? timegm(@t[5, 4, 3, 2], $t[1] - 1, $t[0]) : 0' "$1"
}

# is_due RULE FROM TO
is_due() {
	_due=$(due "$1")
	[ "$_due" -ge "$2" ] && [ "$_due" -le "$3" ] && return
	echo "# $1 is due at $_due, not $2 to $3"
	return 1
}

# waits RULE: is there a time that it waits for?
waits() {
	[ "$(due "$1")" -ne 0 ]
}

# begin_waits: of an hour each (a retry has 10 % of jitter), which no life of this
# test lasts. When they end is in $retry and $cool; of the timer nobody tells.
begin_waits() {
	rule retry 'watch = /f' 'retry-delay = 1h' 'settle = 50ms'
	rule cool 'watch = /g' 'cooldown = 1h' 'settle = 50ms'
	rule timer 'watch = /h' 'every = 1h' 'settle = 50ms'
	fence=200ms
	start_daemon
	on_run retry status=1
	put "$box/f" 1
	put "$box/g" 1
	wait_runs retry 1
	wait_runs cool 1
	ok "a wait for a retry is saved" until_true 30 is_saved retry '"retry_at":"[1-9]'
	until_true 30 is_settled cool
	put "$box/g" 2
	until_true 30 waits cool
	retry=$(due retry) cool=$(due cool)
	stop_daemon
	on_run retry status=0
}

# waits_end WHAT: an hour later, all of them are over.
waits_end() {
	stop_daemon
	jump -3961
	live_again
	for r in retry:2 cool:2 timer:1; do
		ok "$1: ${r%:*} has waited enough, an hour later" \
		    until_true 30 has_run_times "${r%:*}" "${r#*:}"
	done
	ok "$1: a retry is one after it, too" is_run retry 2 retry 2 create
}

waits_of_a_restart() {
	begin_waits
	live_again
	ok "a restart changes nothing of when a retry is due" \
	    is_due retry $((retry - 2)) $((retry + 2))
	ok "nor of the end of a cooldown" is_due cool $((cool - 2)) $((cool + 2))
	fence
	for r in retry:1 cool:1 timer:0; do
		ok "${r%:*} still waits" has_runs "${r%:*}" "${r#*:}"
	done
	waits_end 'a restart'
}

waits_with_the_clock_set_back() {
	begin_waits
	jump $year
	from=$(real_now)
	live_again
	to=$(real_now)
	for r in retry cool; do
		ok "the clock was set back: $r waits for its own length, and no longer" \
		    is_due $r $((from + 3200)) $((to + 3961))
	done
	waits_end 'the clock was set back'
}

waits_with_the_clock_set_forward() {
	begin_waits
	jump -$year
	live_again
	for r in retry:2 cool:2 timer:1; do
		ok "the clock was set forward: ${r%:*} has waited enough" \
		    until_true 30 has_run_times "${r%:*}" "${r#*:}"
	done
}

spent() {
	rule r 'watch = /f' 'retry = 1' 'retry-delay = 100ms'
	fence=700ms
	start_daemon
	on_run r status=1
	put "$box/f" 1
	wait_runs r 2
	until_true 10 is_logged ' r: running -> failed'
	until_true 10 is_settled fence
	on_run r status=0
	restart
	ok "a start is a new cause for a rule that has given up" \
	    until_true 10 has_run_times r 3
	ok "with its budget restored" is_run r 3 change 1 create
	until_true 10 is_settled r
	restart
	fence
	ok "after a success nothing is tried again" has_runs r 3
}

# What was owed was on a path that the rule does not watch any more.
nothing_owed() {
	rule r 'watch = /f' 'retry-delay = 1h'
	start_daemon
	on_run r status=1
	put "$box/f" 1
	wait_runs r 1
	put "$box/f" 2
	wait_runs r 2
	until_true 10 is_saved r '"failures":"2"'
	kill_daemon
	rule r 'watch = /g' 'retry-delay = 1h'
	on_run r status=0
	live_again
	put "$box/g" 1
	ok "a wait for what is not owed any more delays nothing" \
	    until_true 10 has_run_times r 3
	ok "nor is it a retry" is_run r 3 change 1 create
}

# The number of a left-over run goes to another process between two looks.
reused_number() {
	rule r 'watch = /f'
	start_daemon
	hold r
	put "$box/f" 1
	wait_runs r 1
	get_run r 1
	until_true 10 is_saved r "\"pid\":\"$pid\""
	kill_daemon
	live_again
	ok "a run is left over" is_logged ' r: .*left over from an earlier daemon'
	kill -STOP "$daemon"
	perl -e '
	my ($pid) = @ARGV;
	kill "KILL", -$pid;
	for (1 .. 200) {
		open(my $f, ">", "/proc/sys/kernel/ns_last_pid") or exit 1;
		print $f $pid - 1;
		close($f) or exit 1;
		my $new = fork;
		if ($new == 0) { exec "sleep", 20 if $$ == $pid; exit 0 }
		exit 0 if $new == $pid;
		waitpid $new, 0;
		select undef, undef, undef, 0.005;
	}
	exit 1;' "$pid"
	_had=$?
	kill -CONT "$daemon"
	if [ $_had -ne 0 ]; then
		skip "another process with its number is not it" "no such number can be had"
	else
		ok "another process with its number is not it" until_true 10 has_run_times r 2
		kill -KILL "$pid"
	fi
	release r
}

suspended() {
	rule r 'watch = /f' 'settle = 1s'
	rule timer 'watch = /g' 'every = 1s'
	start_daemon
	until_true 20 has_run_times timer 1
	put "$box/f" 1
	until_true 10 is_logged ' r: idle -> settling'
	kill -STOP "$daemon"
	until_true 10 passed $(($(now) + 2000000000))
	put "$box/f" 2
	_n=$(runs r) _timers=$(runs timer)
	begin=$(now)
	kill -CONT "$daemon"
	ok "what is due when it goes on runs" until_true 30 has_run_times r $((_n + 1))
	wait_runs timer $((_timers + 1))
	get_run timer $((_timers + 1))
	within "a timer that is due, in ms" "$begin" "$time" 200
}

run_tests left_over left_over_timeout ended_meanwhile another_process another_boot \
    rounds a_start_after_another killed_before_the_run waits_with_the_clock_set_back \
    waits_with_the_clock_set_forward waits_of_a_restart spent nothing_owed reused_number suspended
