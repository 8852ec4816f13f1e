#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The tests' own shell library: what does not get to its end is a failure.
. "$(dirname "$0")/lib.sh"

# try FUNCTION BODY: runs a test script of one function, whose output is in $dir/out.
try() {
	mkdir -p "$dir/tests/system"
	cat >"$dir/tests/system/one.t" <<-END
	. "$top/tests/system/lib.sh"
	$1() {
		$2
	}
	run_tests $1
	END
	WATCHPATHD=$WATCHPATHD sh "$dir/tests/system/one.t" >"$dir/out" 2>&1
}

# said LINE: is it there, word for word?
said() {
	grep -q -x -F -e "$1" "$dir/out" && return
	diag <"$dir/out"
	return 1
}

ends_well() {
	try good 'start_daemon; ok "one" true; ok "two" true'
	ok "what a function says is shown" said 'ok - two'
	ok "and counted" said '1..2'
	ok "and nothing fails" not grep -q '^not ok' "$dir/out"
}

is_killed() {
	try dies "rule r 'watch = /r'
		start_daemon
		hold r
		put \"\$box/r\" 1
		wait_runs r 1
		get_run r 1
		echo \"\$daemon \$pid\" >$dir/left
		ok 'one' true
		sh -c 'kill -KILL \$PPID'
		ok 'two' true"
	ok "a function that is killed is a failure" \
	    said 'not ok - dies is killed before its end'
	ok "what it has said is shown" said 'ok - one'
	ok "both are counted" said '1..2'
	read -r daemon action <"$dir/left"
	ok "its daemon is ended" until_true 30 is_gone "$daemon"
	ok "and its action" until_true 30 is_gone "$action"
	daemon=
}

leaves() {
	try leaves 'ok "one" true; exit 0'
	ok "a function that leaves early is a failure" \
	    said 'not ok - leaves runs to its end'
}

says_nothing() {
	try silent ':'
	ok "a function that says nothing is a failure" \
	    said 'not ok - silent has something to say'
}

fails() {
	try wrong 'ok "one" false'
	ok "what fails is a failure" said 'not ok - one'
}

# A socket's path may have 103 bytes.
a_long_tmpdir() {
	TMPDIR=$dir/$(printf '%060d' 0)
	mkdir "$TMPDIR"
	export TMPDIR
	try far 'start_daemon; ok "far" "$WATCHPATHD" status --root "$box"'
	ok "a daemon below a long TMPDIR can be asked" said 'ok - far'
}

run_tests ends_well is_killed leaves says_nothing fails a_long_tmpdir
