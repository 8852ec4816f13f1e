#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A disk that fails, and a daemon that is killed, at every step of a life that
# concerns the state; and a daemon that cannot read, list, spawn or be asked, for
# once: see tests/fault/fault.c. Each life is a small sandbox of its own, eight at
# a time. LIVES=N takes every N-th of them.
. "$(dirname "$0")/restart.sh"

: "${LIVES:=1}"
faulty=${BUILD:-$top/build}/watchpathd-faults
case $faulty in
/*) ;;
*) faulty=$PWD/$faulty ;;
esac
if [ ! -x "$faulty" ] && [ "$(uname -s)" = Linux ]; then
	echo "Bail out! $faulty is not there: make helpers builds it"
	exit 1
fi

# sandbox NAME: from now on this (sub)shell lives there.
sandbox() {
	dir=$dir/$1
	box=$dir/root
	log=$dir/log
	conf=$box$conf_d
	mkdir -p "$dir/runs" "$dir/ends" "$dir/hold" "$dir/do" "$conf"
	: >"$log"
	write_act
	on_run r "cat $box/f >>$dir/seen"
	mkdir "$box/d"
	rule r 'watch = /f' 'watch = /d/*' 'settle = 10ms' 'retry-delay = 20ms'
	ready=0
	failures=
}

# begin FAULT: a life; without FAULT a healthy one.
begin() {
	ready=$(($(grep -c 'info: ready: ' "$log") + 1))
	FAULT=$1 FAULT_DIR=$box/$concerned FAULT_LOG=$dir/calls \
	    "$faulty" run --root "$box" >>"$log" 2>&1 &
	daemon=$!
}

note() {
	failures="$failures; $*"
}

# is_dead: without a process, as this is asked often; faults are for Linux only.
is_dead() {
	_stat=Z
	if [ -e "/proc/$daemon/stat" ]; then
		read -r _pid _comm _stat _rest <"/proc/$daemon/stat"
	fi 2>/dev/null
	[ "$_stat" = Z ]
}

# went_on: is it ready? A daemon that was killed is started again.
went_on() {
	! is_ready "$ready" || return 0
	if is_dead; then
		kills=$((kills + 1))
		begin ''
	fi
	return 1
}

# answered N: has a run read the N-th content?
answered() {
	if [ -e "$dir/seen" ]; then
		while read -r _seen; do
			[ "$_seen" != "$1" ] || return 0
		done <"$dir/seen"
	fi
	if is_dead; then
		kills=$((kills + 1))
		begin ''
	fi
	return 1
}

change() {
	put "$box/f" "$1"
	until_true 30 answered "$1" || note "change $1 is not answered"
}

reload() {
	"$WATCHPATHD" reload --root "$box" >/dev/null 2>&1
}

# live: start, change, run, change, run, everything written anew, change, run. A
# rule file that could not be read is read again when somebody asks for that.
live() {
	until_true 30 went_on || note 'it does not get ready'
	! is_logged ' error: ' || reload
	change 1
	put "$box/d/new" 1
	change 2
	reload
	change 3
	until_true 30 went_on
}

# end: a stop that ends well, or not, if it is killed at that.
end() {
	kill -TERM "$daemon" 2>/dev/null
	until_true 20 is_dead || note 'it does not stop'
	wait "$daemon"
	status=$?
	daemon=
}

said() {
	grep -c "$1" "$log"
}

# A life that meets an error: it goes on, says so once, and says when it is over.
meet_error() (
	sandbox "$1"
	kills=0
	begin "$1"
	live
	end
	[ $kills -eq 0 ] || note 'it did not live through that'
	[ $status -eq 0 ] || note "it ends with status $status"
	bad=$(said 'warning: the state cannot be saved')
	[ "$bad" -le 1 ] || note 'it is said more than once'
	[ "$bad" -eq "$(said 'the state is saved again')" ] || note 'it is never mended'
	[ ! -e "$box$state_dir/state.jsonl.bad" ] || note 'a line is damaged'
	tell "$1"
)

# came_to OP:N:KIND: did this life make N calls of OP? Saves that come together
# are one, so that two lives need not make the same number.
came_to() {
	_nth=${1#*:}
	[ "$(grep -c "^${1%%:*}\$" "$dir/calls")" -ge "${_nth%%:*}" ]
}

# A life that is killed: the next ones lose nothing.
meet_death() (
	sandbox "$1"
	kills=0
	begin "$1"
	live
	end
	if [ $kills -eq 0 ] && [ $status -eq 0 ] && came_to "$1"; then
		note 'it was not killed'
	fi
	begin ''
	until_true 30 went_on || note 'the next life does not get ready'
	change 4
	end
	[ ! -e "$box$state_dir/state.jsonl.bad" ] || note 'a line is damaged'
	tell "$1"
)

tell() {
	if [ -z "$failures" ]; then
		echo "ok - $1"
		rm -rf "$dir"
	else
		echo "not ok - $1$failures"
		tail -n 40 "$log" | diag
	fi >"$dir.result"
}

# each OP KIND WHAT: WHAT op:n:kind for every call of a life, some at a time.
each() {
	_n=0
	_count=$(grep -c "^$1\$" "$calls")
	while [ $_n -lt "$_count" ]; do
		_n=$((_n + LIVES))
		$3 "$1:$_n:$2" &
		_jobs=$((_jobs + 1))
		[ $((_jobs % 8)) -ne 0 ] || wait
	done
}

count_calls() {
	(
		sandbox calls
		begin ''
		live
		end
		[ -z "$failures" ]
	) && calls=$dir/calls/calls
}

a_life_without_faults() {
	if [ ! -x "$faulty" ]; then
		skip 'faults of the disk' 'it is linked with --wrap, which Linux has'
		return
	fi
	ok 'a life without faults goes well' count_calls
	_jobs=0
	"$@"
	wait
	for result in "$dir"/*.result; do
		[ -e "$result" ] || continue
		case $(cat "$result") in
		'not ok'*) failed=yes ;;
		esac
		cat "$result"
	done
}

# What concerns the state, and what concerns all the rest.
concerned=${state_dir#/}

errors() {
	a_life_without_faults each_error
}

shortages() {
	concerned=
	a_life_without_faults each_shortage
}

each_shortage() {
	for op in pipe socket accept opendir; do
		each $op EMFILE meet_error
	done
	each posix_spawn EAGAIN meet_error
	for op in read readdir; do
		each $op EIO meet_error
	done
}

each_error() {
	for op in open write rename; do
		each $op ENOSPC meet_error
	done
	each fsync EIO meet_error
	each write short meet_error
}

deaths() {
	a_life_without_faults each_death
}

each_death() {
	for op in open write fsync rename; do
		each $op kill meet_death
	done
	each rename after meet_death
}

# Any user can open as many files as the system has room for. While he does nothing
# can be judged, and no event tells of the end. short_of FILE: while $dir/shortage.
short_of() {
	WATCHPATHD=$faulty
	FAULT=open:1:EMFILE FAULT_DIR=$1 FAULT_WHILE=$dir/shortage
	export FAULT FAULT_DIR FAULT_WHILE
	rule r 'watch = /f'
	printf '[daemon]\nlog-level = debug\n' >"$conf/daemon.ini"
	start_daemon
	: >"$dir/shortage"
}

judged_times() {
	[ "$(grep -c ' r: looking for a program again' "$log")" -ge "$1" ]
}

a_program_that_cannot_be_judged() {
	if [ ! -x "$faulty" ]; then
		skip 'no descriptors' 'it is linked with --wrap, which Linux has'
		return
	fi
	short_of "$box/act"
	put "$box/f" 1
	ok 'it blocks its rule' \
	    until_true 30 is_logged ' r: [a-z]* -> blocked, .*: Too many open files'
	ok 'it is judged again and again' until_true 30 judged_times 5
	rm "$dir/shortage"
	ok 'and then the rule runs' has_runs r 1
}

a_rule_file_that_cannot_be_opened() {
	if [ ! -x "$faulty" ]; then
		skip 'no descriptors' 'it is linked with --wrap, which Linux has'
		return
	fi
	: >"$box/g"
	short_of "$conf/late.ini"
	rule late 'watch = /g' 'at-start = new'
	ok 'it is refused' until_true 30 is_logged 'error: .*late.ini: Too many open files'
	rm "$dir/shortage"
	ok 'and read as soon as it can be' has_runs late 1
}

# macOS numbers a volume anew after a reboot: that is no change.
another_device() {
	if [ ! -x "$faulty" ]; then
		skip 'a new device number' 'it is linked with --wrap, which Linux has'
		return
	fi
	WATCHPATHD=$faulty
	mkdir "$box/d"
	put "$box/f" 1
	put "$box/d/a" 1
	rule r 'watch = /f' '	/d' '	/d/*' 'on = create modify delete attributes'
	KQUEUE_FAULT_DEVICE=1
	export KQUEUE_FAULT_DEVICE
	start_daemon
	KQUEUE_FAULT_DEVICE=4242
	restart
	fence
	ok 'another device number after a restart is no change' has_runs r 0
	put "$box/f" 2
	fence
	ok 'a change then is one' has_runs r 1
}

# is_saved_seldom SINCE: no more lines than one for each second, and a few at first?
is_saved_seldom() {
	_lines=$(grep -c '"rule":"r"' "$box$state_dir/state.jsonl")
	_seconds=$((($(now) - $1) / 1000000000))
	echo "# $_lines lines in $_seconds s"
	[ "$_lines" -gt 0 ] && [ "$_lines" -le $((_seconds + 3)) ]
}

a_slow_disk() {
	if [ ! -x "$faulty" ]; then
		skip 'a slow disk is written to less often' 'it needs the linker of Linux'
		return
	fi
	WATCHPATHD=$faulty
	rule r 'watch = /f' 'settle = 10ms'
	start=$(now)
	FAULT=write:slow
	FAULT_DIR=$box$state_dir
	export FAULT FAULT_DIR
	start_daemon
	for n in 1 2 3 4 5 6 7 8 9 10; do
		put "$box/f" $n
		until_true 30 has_ended r $n || break
	done
	ok 'ten times what a save has taken passes before the next' \
	    is_saved_seldom "$start"
}

run_tests errors deaths shortages a_program_that_cannot_be_judged \
    a_rule_file_that_cannot_be_opened another_device a_slow_disk
