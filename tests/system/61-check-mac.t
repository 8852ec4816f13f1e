#!/bin/sh
# SPDX-License-Identifier: MIT
#
# make check-mac, with stand-ins for launchctl(1) and log(1): that the script finds
# what is right and what is wrong, and leaves nothing, also when interrupted.
. "$(dirname "$0")/lib.sh"

script=$top/tests/macos/check-mac.sh

# A launchd with one job, which it starts again when it ends. $fault is what it does
# wrong. Like launchd's, its bootout may return before the job is gone.
write_stand_ins() {
	mkdir -p "$dir/jobs"
	cat >"$dir/launchctl" <<-END
	#!/bin/sh
	jobs=$dir/jobs fault=${1:-}
	END
	cat >>"$dir/launchctl" <<-'END'
	supervise() {
		ulimit -Sn 256
		umask 022
		while [ ! -e "$jobs/stop" ]; do
			"$@" </dev/null >/dev/null 2>&1 &
			echo $! >"$jobs/pid"
			wait $!
			[ "$fault" != no-restart ] || break
		done
		rm -f "$jobs/loaded" "$jobs/stop"
	}
	case $1 in
	bootstrap)
		[ ! -e "$jobs/loaded" ] || exit 37
		: >"$jobs/loaded"
		eval "set -- $(sed -n '/<key>ProgramArguments/,/<.array>/s/.*<string>\(.*\)<.*/"\1"/p' \
		    "$3" | tr '\n' ' ')"
		supervise "$@" </dev/null >/dev/null 2>&1 &
		until [ -e "$jobs/pid" ]; do sleep 0.05; done
		;;
	print)
		[ -e "$jobs/loaded" ] || exit 113
		printf '\tpid = %s\n\tspawn type = interactive (4)\n' "$(cat "$jobs/pid")"
		;;
	bootout)
		[ -e "$jobs/loaded" ] || exit 113
		: >"$jobs/stop"
		kill -TERM "$(cat "$jobs/pid")"
		;;
	esac
	END
	cat >"$dir/log-stand-in" <<-'END'
	#!/bin/sh
	echo "2026-11-26 10:54:42.597 Df watchpathd[501] ready: 2 rules, 2 paths"
	END
	chmod 755 "$dir/launchctl" "$dir/log-stand-in"
	echo protected >"$dir/protected"
	LAUNCHCTL=$dir/launchctl LOG=$dir/log-stand-in PROTECTED=$dir/protected
	export LAUNCHCTL LOG PROTECTED
}

# check_mac PROGRAM
check_mac() {
	sh "$script" "$1" >"$dir/out" 2>&1
	status=$?
}

left_nothing() {
	[ ! -e "$dir/jobs/loaded" ] && is_gone "$(cat "$dir/jobs/pid")"
}

all_is_well() {
	write_stand_ins
	check_mac "$WATCHPATHD"
	ok "its status is 0" [ $status -eq 0 ]
	[ $status -eq 0 ] || diag <"$dir/out"
	ok "it has tested more than 20 things" [ "$(grep -c '^ok' "$dir/out")" -gt 20 ]
	ok "it has said how many" grep -q "^1\.\.$(grep -c '^ok' "$dir/out")\$" "$dir/out"
	ok "no job is left" left_nothing
}

a_job_that_is_not_started_again() {
	write_stand_ins no-restart
	sed 's/until_true 60 has_been_ready 2/until_true 3 has_been_ready 2/
	    s/until_true 30/until_true 3/; s/until_true 60/until_true 3/' "$script" >"$dir/short"
	mkdir -p "$dir/tests/macos" "$dir/src"
	cp "$dir/short" "$dir/tests/macos/check-mac.sh"
	cp -R "$top/src/macos" "$dir/src/"
	script=$dir/tests/macos/check-mac.sh
	check_mac "$WATCHPATHD"
	ok "its status is 1" [ $status -eq 1 ]
	ok "it says what is wrong" grep -q '^not ok .* killed, it comes back' "$dir/out"
	ok "no job is left" left_nothing
}

a_grant_is_missing() {
	write_stand_ins
	cat >"$dir/program" <<-END
	#!/bin/sh
	[ "\$1" != status ] || exec echo "error  $PROTECTED  needs Full Disk Access"
	exec $WATCHPATHD "\$@"
	END
	chmod 755 "$dir/program"
	check_mac "$dir/program"
	ok "its status is 0" [ $status -eq 0 ]
	ok "it says so" grep -q '^ok .* is said to need Full Disk Access' "$dir/out"
}

it_is_interrupted() {
	write_stand_ins
	sh "$script" "$WATCHPATHD" >"$dir/out" 2>&1 &
	pid=$!
	until_true 30 grep -q '^ok .* gets ready' "$dir/out"
	sandbox=$(ps -o args= -p "$(cat "$dir/jobs/pid")" | sed 's|/watchpathd run .*||')
	ok "it has a sandbox" [ -d "$sandbox" ]
	kill -TERM $pid
	wait $pid
	ok "its status is 1" [ $? -eq 1 ]
	ok "no job is left" left_nothing
	ok "and no file" [ ! -e "$sandbox" ]
}

it_is_on_no_mac() {
	if [ "$(uname -s)" = Darwin ]; then
		skip "it says that launchd is on macOS only" "this is a Mac"
		return
	fi
	unset LAUNCHCTL LOG
	check_mac "$WATCHPATHD"
	ok "its status is 1" [ $status -eq 1 ]
	ok "it says why" grep -q 'launchd is on macOS only' "$dir/out"
	write_stand_ins
	check_mac "$dir/missing"
	ok "a program that is not there is named" grep -q 'missing is not there: make macos' "$dir/out"
	: >"$dir/jobs/loaded"
	echo none >"$dir/jobs/pid"
	check_mac "$WATCHPATHD"
	ok "a job that is there already is left alone" \
	    grep -q 'is there already: sudo launchctl bootout' "$dir/out"
	ok "it is" [ -e "$dir/jobs/loaded" ]
}

run_tests all_is_well a_job_that_is_not_started_again a_grant_is_missing \
    it_is_interrupted it_is_on_no_mac
