#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Rules that trigger themselves or each other are slowed down, and still answer
# what others change. All of them without a cooldown.
. "$(dirname "$0")/lib.sh"

# guard_doubles RULE: after the run that the warning came with, is each of the
# next three pauses about twice the one before it, beginning with 1 s? Then there
# are 6 runs in the first minute and fewer in each that follows. (So many runs are
# more than the log has room for, but for their ends.)
guard_doubles() {
	sed -n "/ $1: seems to trigger/,\$s/.* $1: running .*, run \([^ ]*\) .*/\1/p" \
	    "$log" | sed 1d >"$dir/guarded"
	_pause=1000
	for _k in 1 2 3; do
		_run=$(sed -n "${_k}p" "$dir/guarded")
		_nth=$(grep -n " $_run " "$dir/runs/$1" | cut -d: -f1)
		[ -n "$_nth" ] || return 1
		get_run "$1" $((_nth - 1))
		_from=$end
		get_run "$1" "$_nth"
		after "$_from" "$time" $_pause || return 1
		_pause=$((_pause * 2))
	done
}

# has_paused RULE N: N more runs have ended after the one with the warning
has_paused() {
	[ "$(sed -n "/ $1: seems to trigger/,\$p" "$log" |
	    grep -c " $1: running -> [a-z]*, run ")" -gt "$2" ]
}

warning() {
	is_logged " $1: seems to trigger itself: .*see while-running"
}

status_says() {
	COLUMNS=1000 "$WATCHPATHD" status --root "$box" r | tr -s ' \n' ' ' | grep -qF -e "$1"
}

an_action_that_writes_its_own_path() {
	rule r 'watch = /f' 'settle = 0'
	start_daemon
	on_run r "echo x >>$box/f"
	put "$box/f" 1
	ok "a rule that triggers itself is found out" until_true 30 warning r
	ok "the log says what changes" is_logged "r: seems to trigger itself: $box/f"
	until_true 30 has_paused r 3
	ok "its pauses double from 1 s on" guard_doubles r
	ok "the status says so meanwhile" status_says "seems to trigger itself: /f changes"
	n=$(grep -c . "$dir/runs/r")
	until_true 30 has_ended r "$n"
	get_run r "$n"
	# Within 200 ms of its end a change counts as the run's own.
	until_true 30 passed $((end + 300000000))
	changed=$(now)
	echo outside >>"$box/f"
	n=$((n + 1))
	wait_runs r $n
	ok "a change from outside is answered by a run that is not held back" \
	    until_true 30 is_logged 'r: does not seem to trigger itself any more'
	get_run r $n
	within "at once, in ms" "$changed" "$time" 0
	ok "what it changed itself is not dropped" until_true 30 has_run_times r \
	    $((n + 1))
}

# Each run writes the other's path, and ends when the other has written its own
# again: so whatever a run is caused by was written during the run before it.
trigger_each_other() {
	on_run "$1" "lines() { wc -l <$box/$1; }
	was=\$(lines)
	echo x >>$box/$2
	while [ -d $dir/hold ] && [ \$(lines) -eq \$was ]; do sleep 0.02; done"
}

two_rules_that_trigger_each_other() {
	rule a 'watch = /a' 'settle = 0'
	rule b 'watch = /b' 'settle = 0'
	: >"$box/b"
	start_daemon
	trigger_each_other a b
	trigger_each_other b a
	put "$box/a" 1
	ok "two rules that trigger each other are found out" \
	    until_true 30 is_logged " [ab]: seems to trigger itself"
	until_true 30 either_has_paused
	ok "and the pauses of one of them double from 1 s on" either_doubles
}

# A rule that is held back for long ends the count of the other one.
either_has_paused() {
	has_paused a 3 || has_paused b 3
}

either_doubles() {
	guard_doubles a || guard_doubles b
}

# The daemon logs each run, into what it watches.
the_log() {
	mkdir "$box/logs"
	rule dir 'watch = /logs'
	rule all 'watch = /logs/*'
	rule file 'watch = /logs/w.log'
	rule busy 'watch = /busy'
	fence=800ms
	start_logged
	for i in 1 2 3; do
		put "$box/busy" $i
		wait_runs busy $i
	done
	fence
	for r in dir all file; do
		ok "$r: the daemon's own log is never a change" has_runs $r 0
	done
	put "$box/logs/other" 1
	wait_runs dir 1
	wait_runs all 1
	fence
	fence
	ok "dir: a file of others next to the log is one change" has_runs dir 1
	ok "all: a file of others next to the log is one change" has_runs all 1
	get_run all 1
	ok "and is named" test "$path" = "$box/logs/other"
}

start_logged() {
	log=$box/logs/w.log
	start_daemon --log "$log"
}

run_tests an_action_that_writes_its_own_path \
    an_action_that_writes_its_own_path:shuffle,split,extend \
    two_rules_that_trigger_each_other \
    two_rules_that_trigger_each_other:merge the_log the_log:echo,shuffle
