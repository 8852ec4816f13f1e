#!/bin/sh
# SPDX-License-Identifier: MIT
#
# An upgrade and a downgrade: the state that each release left is kept in
# tests/state and read by this program, and so is what a newer one might leave,
# which has members that this one does not know. Before a release,
#
#	sh tests/system/36-releases.t keep
#
# adds the state of this one.
. "$(dirname "$0")/restart.sh"

kept=$top/tests/state

# The rules that the kept states are of: one owes and was running, one waits for a
# retry, one has no retry left, one has changed in its cooldown, one is settled.
write_rules() {
	rule owes 'watch = /owes' 'on = create modify'
	rule waits 'watch = /waits' 'on = create modify' 'retry = forever' 'retry-delay = 1h'
	rule spent 'watch = /spent' 'on = create modify' 'retry = 0'
	rule cools 'watch = /cools' 'on = create modify' 'cooldown = 1h'
	rule quiet 'watch = /quiet/*' 'watch = /absent' 'on = create modify'
}

version() {
	"$WATCHPATHD" version | sed -n 's/^watchpathd //p'
}

# The end of the retry's wait and of the cooldown are moved to the year 2100, so that
# they are never over already.
keep_file() {
	grep -v '"rule":"fence"' "$box$state_dir/$1" |
	    sed -e "s|$box|@BOX@|g" -e 's/"boot":"[^"]*"/"boot":"another"/' \
	    -e '/"rule":"waits"/s/"retry_at":"[0-9]*"/"retry_at":"4102444800000000000"/' \
	    -e '/"rule":"cools"/s/"ended":"[0-9]*"/"ended":"4102444800000000000"/' \
	    >"$kept/$(version)/$1"
}

keep() {
	write_rules
	start_daemon
	on_run waits 'status=1'
	on_run spent 'status=3'
	mkdir "$box/quiet"
	for _file in waits spent cools quiet/a; do
		put "$box/$_file" 1
	done
	for _rule in waits spent cools quiet; do
		wait_runs $_rule 1
	done
	put "$box/cools" 2
	hold owes
	put "$box/owes" 1
	wait_runs owes 1
	ok "the run in progress is saved" until_true 10 is_saved owes '"pid":'
	ok "the change in the cooldown is saved" until_true 10 is_saved cools '"owed":'
	kill_daemon
	mkdir -p "$kept/$(version)"
	keep_file state.jsonl
	keep_file history.jsonl
}

# begin_with VERSION SED: a Mac on which that release was, its files as SED has them.
begin_with() {
	write_rules
	mkdir -p "$box$state_dir"
	chmod 700 "$box$state_dir"
	for _file in state.jsonl history.jsonl; do
		sed -e "$2" -e "s|@BOX@|$box|g" "$kept/$1/$_file" \
		    >"$box$state_dir/$_file"
	done
	start_daemon
}

# state_is RULE STATE RUNS: in the status.
state_is() {
	"$WATCHPATHD" status --root "$box" --json "$1" |
	    grep -q "\"state\":\"$2\".*\"runs\":$3,"
}

# takes_up WHAT SED: what every kept release had left, the daemon goes on with.
takes_up() {
	for _release in "$kept"/*/; do
		_release=$(basename "$_release")
		begin_with "$_release" "$2"
		left="$1 $_release"
		ok "$left: what was owed and running runs" has_runs owes 1
		ok "$left: what had failed runs" has_runs spent 1
		ok "$left: counting goes on" until_true 10 state_is spent idle 2
		fence
		ok "$left: what owed nothing does not run" has_runs quiet 0
		ok "$left: a retry is waited for" has_runs waits 0
		ok "$left: a retry is waited for, and shown" state_is waits retrying 1
		ok "$left: a cooldown goes on" has_runs cools 0
		ok "$left: a cooldown goes on, and is shown" state_is cools cooldown 1
		ok "$left: no line was taken for a broken one" [ ! -e "$(state_file).bad" ]
		"$WATCHPATHD" history --root "$box" waits >"$dir/history"
		ok "$left: the history has its run" grep -q 'exit 1' "$dir/history"
		stop_daemon
		rm -rf "$box/var" "$dir/runs" "$box/fence"
		mkdir "$dir/runs"
		fences=0
		: >"$log"
	done
}

older_states_are_taken_up() {
	takes_up release ''
}

# Members that are new, first in each object, and one with a value of any kind.
newer_states_are_taken_up() {
	takes_up 'one newer than' \
	    's/{"/{"later":{"a":[1,null,"x",{}]},"later-too":"1","/g'
}

this_release_is_kept() {
	ok "the state of release $(version) is kept (else: see above)" \
	    [ -s "$kept/$(version)/state.jsonl" ]
}

run_tests this_release_is_kept older_states_are_taken_up newer_states_are_taken_up
