# SPDX-License-Identifier: MIT
#
# What the system tests share. A test file defines functions, one behaviour
# each, and ends with `run_tests NAME...`: all of them run at once, each in a
# shell and a sandbox of its own, against a real daemon. NAME:FAULTS runs one
# with KQUEUE_FAULTS set (src/linux/faults.c). Arguments of the script are the
# functions to run instead. A function that does not get to its end, or that has
# nothing to say, is a failure.
#
# A function has $dir, its own directory; $box, the daemon's --root; $log; and
# writes rules with `rule`, whose action /act records every run. Nothing waits
# for time to pass: `until_true` waits for what is to happen, and `fence` proves
# that something does not happen.

set -u
umask 022
unset KQUEUE_FAULTS CDPATH ENV COLUMNS

only=$*
top=$(cd "$(dirname "$0")/../.." && pwd)
: "${WATCHPATHD:=$top/build/watchpathd}"
case $WATCHPATHD in
/*) ;;
*) WATCHPATHD=$PWD/$WATCHPATHD ;;
esac
if [ ! -x "$WATCHPATHD" ]; then
	echo "Bail out! $WATCHPATHD is not there: make first"
	exit 1
fi

# place WHAT: where the program has its rules or its state, below --root, too.
place() {
	"$WATCHPATHD" help run | sed -n "s/^  $1  *//p"
}

conf_d=$(place rules)
state_dir=$(place state)

# The time in nanoseconds, from any beginning, as the actions record it. Where it
# can be read without starting a process it is, to 10 ms: thousands of them would
# keep a small machine busy.
if [ -r /proc/uptime ]; then
	clock='read -r now _ </proc/uptime; now=${now%.*}${now#*.}0000000'
else
	clock="now=\$(perl -MTime::HiRes=time -e 'printf qq(%d), 1e9 * time')"
fi

now() {
	eval "$clock"
	echo "$now"
}

# until_true SECONDS COMMAND...: false if it is not true by then, about.
until_true() {
	_pause=0.05 _tries=$(($1 * 10 + 10)) _slow=$(($1 * 10))
	shift
	until "$@"; do
		_tries=$((_tries - 1))
		if [ $_tries -eq 0 ]; then
			echo "# gave up waiting: $*"
			return 1
		fi
		[ $_tries -gt $_slow ] || _pause=0.1
		sleep $_pause
	done
}

not() {
	! "$@"
}

# passed TIME: is it after TIME? For what is defined by the clock alone.
passed() {
	eval "$clock"
	[ "$now" -gt "$1" ]
}

# after FROM TO MS: is TO no sooner than that after FROM? (The clock has 10 ms.)
after() {
	_ms=$((($2 - $1) / 1000000))
	[ $((_ms + 10)) -ge "$3" ] && return
	echo "# after $_ms ms, not $3"
	return 1
}

# ok WHAT COMMAND...: one test, named by a sentence.
ok() {
	_what=$1
	shift
	if "$@"; then
		echo "ok - $_what$label"
	else
		echo "not ok - $_what$label"
		echo "# failed: $*"
		failed=yes
	fi
}

# at_pace WHAT FIGURE BOUND: is the program as fast as it is to be? That is a test
# with PACE=exact alone, on a machine that does nothing else (make bench).
at_pace() {
	if [ "${PACE:-}" = exact ]; then
		ok "$1" test "$2" -lt "$3"
	fi
	echo "# $1: $2, of $3"
}

# within WHAT FROM TO MS: as at_pace, for a time. What the machine and the clock
# need beside the program is 100 ms.
within() {
	at_pace "$1" $((($3 - $2) / 1000000)) $(($4 + 100))
}

skip() {
	echo "ok - $1 # skip $2"
}

diag() {
	sed 's/^/# /'
}

# The sandbox.

# rule NAME LINE...: a file of its own with one rule. What is not given is
# action = /act, settle = 100ms and cooldown = 0.
rule() {
	_name=$1
	shift
	mkdir -p "$conf"
	{
		echo "[$_name]"
		printf '%s\n' "$@"
		for _default in 'action = /act' 'settle = 100ms' 'cooldown = 0'; do
			_key=${_default%% *}
			case "
$(printf '%s\n' "$@")" in
			*"
$_key ="*) ;;
			*) echo "$_default" ;;
			esac
		done
	} >"$conf/$_name.ini"
}

# put FILE TEXT: makes or replaces it in one step. (A shell's > is two changes of
# a new file: its creation and a write.)
put() {
	echo "$2" >"$dir/new"
	mv "$dir/new" "$1"
}

# The action. It records its run, waits while it is held, and does what on_run
# said when it started, which may set status.
write_act() {
	cat >"$box/act" <<-END
	#!/bin/sh
	rule=\$WATCHPATHD_RULE dir=$dir box=$box status=0 todo=
	if [ -e \$dir/do/\$rule ]; then
		while IFS= read -r line; do
			todo="\$todo
	\$line"
		done <\$dir/do/\$rule
	fi
	$clock
	echo "\$now \$WATCHPATHD_REASON \$WATCHPATHD_ATTEMPT \
	\${WATCHPATHD_CHANGE:--} \$WATCHPATHD_RUN \$\$ \
	\${WATCHPATHD_PATH:--}" >>\$dir/runs/\$rule
	while [ -e \$dir/hold/\$rule ]; do
		sleep 0.05
	done
	eval "\$todo"
	$clock
	echo "\$now" >>\$dir/ends/\$rule
	exit \$status
	END
	chmod 755 "$box/act"
}

# hold RULE: its runs do not end until they are released.
hold() {
	: >"$dir/hold/$1"
}

release() {
	rm -f "$dir/hold/$1"
}

# on_run RULE COMMANDS: what its runs that start from now on do.
on_run() {
	printf '%s\n' "$2" >"$dir/do/new.$1"
	mv "$dir/do/new.$1" "$dir/do/$1"
}

# The daemon. The rule `fence` is always there, see below.

launch() {
	"$WATCHPATHD" run --root "$box" "$@" >>"$dir/log" 2>&1 &
	daemon=$!
	echo "$daemon" >>"$dir/daemons"
}

# is_logged PATTERN
is_logged() {
	grep -q -s -- "$1" "$log"
}

wait_ready() {
	until_true 30 is_logged 'info: ready: ' && return
	ok "the daemon gets ready" false
	exit 1
}

start_daemon() {
	rule fence 'watch = /fence' "settle = $fence"
	launch "$@"
	wait_ready
}

# Is there no such process, or only its exit status?
is_gone() {
	kill -0 "$1" 2>/dev/null || return 0
	case $(ps -o stat= -p "$1") in
	'' | Z*) ;;
	*) return 1 ;;
	esac
}

is_alive() {
	! is_gone "$1"
}

# Asks the daemon to stop; its exit status is in $status.
stop_daemon() {
	kill -TERM "$daemon"
	if ! until_true 15 is_gone "$daemon"; then
		echo "# SIGTERM did not stop the daemon"
		kill -KILL "$daemon"
	fi
	wait "$daemon"
	status=$?
	daemon=
}

# Runs.

# count FILE OP N: compares how many lines it has; without a process, as this is
# called often.
count() {
	_n=0
	if [ -e "$1" ]; then
		while read -r _line; do
			_n=$((_n + 1))
		done <"$1"
	fi
	test "$_n" "-$2" "$3"
}

# has_runs RULE N: exactly, where a run that is late is waited for; has_run_times:
# at least. has_ended: that many ended.
has_runs() {
	until_true 30 has_run_times "$1" "$2" && count "$dir/runs/$1" eq "$2"
}

has_run_times() {
	count "$dir/runs/$1" ge "$2"
}

has_ended() {
	count "$dir/ends/$1" ge "$2"
}

# wait_runs RULE N: until it has run N times. Why not is told by a test.
wait_runs() {
	until_true 30 has_run_times "$1" "$2" && return
	ok "$1 runs $2 times in 30 seconds" false
	exit 1
}

# get_run RULE N: sets time, reason, attempt, change, run, pid, path and end.
get_run() {
	time=0 reason='' attempt='' change='' run='' pid='' path='' end=0 _i=0
	if [ -e "$dir/runs/$1" ]; then
		while [ $_i -lt "$2" ] &&
		    read -r time reason attempt change run pid path; do
			_i=$((_i + 1))
		done <"$dir/runs/$1"
	fi
	[ $_i -eq "$2" ] || time=0
	if [ -e "$dir/ends/$1" ]; then
		end=$(sed -n "$2p" "$dir/ends/$1")
	fi
	: "${end:=0}"
}

# is_run RULE N REASON ATTEMPT CHANGE: was that what the action was told? A run
# that is late is waited for.
is_run() {
	until_true 30 has_run_times "$1" "$2"
	get_run "$1" "$2"
	[ "$reason $attempt $change" = "$3 $4 $5" ] && return
	echo "# run $2 of $1: $reason $attempt $change"
	return 1
}

# has_started RULE N: has the log at least N starts of it?
has_started() {
	[ "$(grep -c " $1: [a-z]* -> running, run " "$log")" -ge "$2" ]
}

is_recorded() {
	count "$dir/runs/$1" ge "$(grep -c " $1: [a-z]* -> running, run " "$log")"
}

# fence: returns when everything that changed before has been answered. A change
# of the fence file, made now, is noticed after them, and the queue is ordered
# by due time: when the rule `fence` runs, every rule that settles faster than
# it ($fence, set before start_daemon) has been started. The log has them in
# order, and each run that it has must be in the record too.
fence() {
	fences=$((fences + 1))
	put "$box/fence" $fences
	if ! until_true 30 has_started fence $fences; then
		ok "the fence runs" false
		exit 1
	fi
	for _ini in "$conf"/*.ini; do
		_name=${_ini##*/}
		until_true 30 is_recorded "${_name%.ini}" ||
		    ok "every run of ${_name%.ini} is recorded" false
	done
}

# Running test functions.

show_state() {
	for _file in "$dir/log" "$log"; do
		echo "# --- ${_file#"$dir/"}"
		tail -n 60 "$_file" | diag
		[ "$log" = "$dir/log" ] && break
	done
	for _file in "$dir"/runs/*; do
		[ -e "$_file" ] || continue
		echo "# --- runs of ${_file##*/}: time reason attempt change run pid path"
		tail -n 30 "$_file" | diag
	done
	if [ -n "$daemon" ]; then
		echo "# --- daemon"
		ps -o pid=,stat=,time=,args= -p "$daemon" | diag
	fi
}

# end_process PID SIGNALLED: ends it, if it is what the test started. (After
# `kill -KILL` dash takes -- for a process.)
end_process() {
	kill -0 "$1" || return
	case $(ps -o args= -p "$1") in
	*"$dir"* | *"$box"*) kill -s KILL -- "$2" ;;
	esac
} 2>/dev/null

# Ends what a test left running.
end_actions() {
	for _file in "$dir"/runs/*; do
		[ -e "$_file" ] || continue
		while read -r _t _r _a _c _run _pid _path; do
			end_process "$_pid" "-$_pid"
		done <"$_file"
	done
}

finish_test() {
	rm -rf "$dir/hold"
	if [ -n "$daemon" ]; then
		if is_gone "$daemon"; then
			ok "the daemon of $name is still there" false
		else
			[ $failed = yes ] && show_state
			stop_daemon
			[ $status -eq 0 ] ||
			    ok "the daemon of $name ends with status 0, not $status" false
		fi
	elif [ $failed = yes ]; then
		show_state
	fi
	if [ $finished = no ]; then
		echo "not ok - $name$label runs to its end"
	fi
	end_actions
	: >"$dir.finished"
}

run_test() {
	name=${1%%:*}
	faults=${1#"$name"}
	faults=${faults#:}
	label=
	if [ -n "$faults" ]; then
		label=" (faults: $faults)"
		export KQUEUE_FAULTS="$faults"
	fi
	dir=$2
	box=$dir/root
	log=$dir/log
	conf=$box$conf_d
	fence=300ms fences=0 daemon='' failed=no finished=no status=0
	mkdir -p "$dir/runs" "$dir/ends" "$dir/hold" "$dir/do" "$conf"
	: >"$dir/log"
	write_act
	trap finish_test EXIT
	trap 'exit 1' HUP INT TERM
	"$name"
	finished=yes
}

# A function that was killed has said nothing of it, and has not tidied up.
report_killed() {
	dir=$1 box=$1/root
	echo "not ok - $2 is killed before its end"
	tail -n 60 "$dir/log" | diag
	end_actions
	while read -r _pid; do
		end_process "$_pid" "$_pid"
	done <"$dir/daemons"
} 2>/dev/null

# report NAME...: what the functions have said.
report() {
	_i=100
	for _test; do
		_i=$((_i + 1))
		cat "$tests_dir/$_i.tap"
		if [ ! -e "$tests_dir/$_i.finished" ]; then
			report_killed "$tests_dir/$_i" "$_test"
		elif ! grep -q -e '^ok' -e '^not ok' "$tests_dir/$_i.tap"; then
			echo "not ok - $_test has something to say"
		fi
	done
}

# In /tmp, as the path of a socket may have 103 bytes and TMPDIR can be long. A
# script may set $sandboxes to another place.
run_tests() {
	tests_dir=$(cd "$(mktemp -d "${sandboxes:-/tmp}/wpd.XXXXXX")" && pwd -P)
	chmod 755 "$tests_dir"
	trap 'rm -rf "$tests_dir"' EXIT
	trap 'exit 1' HUP INT TERM
	[ -z "$only" ] || set -- $only
	_i=100
	for _test; do
		_i=$((_i + 1))
		mkdir "$tests_dir/$_i"
		(run_test "$_test" "$tests_dir/$_i") >"$tests_dir/$_i.tap" 2>&1 &
	done
	wait
	report "$@" >"$tests_dir/all"
	cat "$tests_dir/all"
	echo "1..$(grep -c -e '^ok' -e '^not ok' "$tests_dir/all")"
}
