#!/bin/sh
# SPDX-License-Identifier: MIT
#
# `status --brief`: one line and an exit status, for an inventory or a monitor.
. "$(dirname "$0")/lib.sh"

# brief STATUS PATTERN [RULE]: one line on stdout, and nothing on stderr.
brief() {
	"$WATCHPATHD" status --brief --root "$box" --socket "$dir/socket" ${3:+"$3"} \
	    >"$dir/out" 2>"$dir/err"
	_status=$?
	[ $_status -eq "$1" ] && [ "$(wc -l <"$dir/out")" -eq 1 ] && [ ! -s "$dir/err" ] &&
	    grep -q -e "^$2\$" "$dir/out" && return
	cat "$dir/out" "$dir/err" >>"$log"
	return 1
}

start() {
	start_daemon --socket "$dir/socket"
}

all_is_well() {
	start
	ok "one rule is one rule" brief 0 'ok: 1 rule'
	rule r 'watch = /f' 'enabled = no'
	ok "all well is one line and 0; a rule that is switched off is no problem" \
	    until_true 30 brief 0 'ok: 2 rules'
}

a_rule_with_a_problem() {
	rule r 'watch = /f' 'action = /none' 'at-start = new'
	put "$box/f" 1
	start
	ok "a blocked rule is one line and 1" until_true 30 brief 1 \
	    'problem: r: .*/none: not installed yet'
	ok "paths are as rules have them" not grep -q -F "$box" "$dir/out"
	ok "of one rule, too" brief 1 'problem: r: .*' r
	ok "and of another rule it is not said" brief 0 'ok: 1 rule' fence
	ok "a rule that is not there is not known to be well" brief 1 'unknown: .*none.*' none
}

several_problems() {
	rule failing 'watch = /g' 'retry = 0' 'at-start = new'
	rule r 'watch = /f' 'action = /none' 'at-start = new'
	on_run failing 'status=1'
	put "$box/f" 1
	put "$box/g" 1
	start
	ok "the first of several is said, and how many more there are" \
	    until_true 30 brief 1 'problem: failing: .*; and 1 more'
	echo '[x]' >"$conf/broken.ini"
	ok "a file that is refused comes first" \
	    until_true 30 brief 1 'problem: broken.ini:1 is refused: .*; and [2-9] more'
	chmod 777 "$conf"
	ok "and the directory before that none of it can be read" \
	    until_true 30 brief 1 "problem: $conf_d is refused: writable by .*; and [2-9] more"
}

a_state_that_cannot_be_saved() {
	rule r 'watch = /f'
	start
	mv "$box$state_dir" "$box/away"
	: >"$box$state_dir"
	put "$box/f" 1
	ok "a state that cannot be saved is a problem" \
	    until_true 30 brief 1 'problem: the state cannot be saved.*'
	"$WATCHPATHD" status --json --root "$box" --socket "$dir/socket" >"$dir/json"
	ok "the JSON has it among the problems of the daemon" \
	    grep -q '"problems":\["the state cannot be saved' "$dir/json"
	rm "$box$state_dir"
	ok "when it can be saved again, all is well" until_true 30 brief 0 'ok: 2 rules'
}

without_a_daemon() {
	ok "not running is one line and 69" brief 69 'not running: .*'
	"$WATCHPATHD" status --brief --json >"$dir/out" 2>&1
	ok "--json and --brief exclude each other" [ $? -eq 64 ]
	ok "and it says so" grep -q 'exclude each other' "$dir/out"
}

run_tests all_is_well a_rule_with_a_problem several_problems \
    a_state_that_cannot_be_saved without_a_daemon
