#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Ways in through what the daemon keeps: its state, its socket and its log. Each
# line says what somebody could try, and then what comes of it: what is refused,
# or what it costs. None of them keeps the daemon from starting or a rule from
# running.
. "$(dirname "$0")/commands.sh"

COLUMNS=1000
export COLUMNS

state=${state_dir#/}

# A state directory that others may write, as it is before the daemon starts.
open_state() {
	mkdir -p "$box/$state"
	chmod 777 "$box/$state"
	at=$box/$state
}

# Does the rule r run, with all that stands in its way?
works() {
	put "$box/f" "$(now)"
	until_true 30 has_run_times r 1
}

starts() {
	rule r 'watch = /f'
	start_daemon "$@"
}

is_private() {
	[ "$(ls -ld "$at" | cut -c1-10)" = drwx------ ]
}

# A process that is nobody's business of the daemon's, in a group of its own.
start_victim() {
	perl -e 'setpgrp(0, 0); open(my $f, ">", $ARGV[0]) or die; close $f; sleep 300' \
	    "$dir/victim" &
	victim=$!
	until_true 10 [ -e "$dir/victim" ]
}

# What tells processes and boots apart, taken from a state that a daemon wrote.
process_of_victim() {
	stat=$(cat "/proc/$victim/stat")
	set -- ${stat##*) }
	shift 19
	echo "$1"
}

a_planted_process() {
	if [ ! -r /proc/self/stat ]; then
		skip "a planted process" "needs /proc to tell processes apart"
		return
	fi
	start_victim
	open_state
	printf '%s\n' "{\"rule\":\"r\",\"watch\":[\"$box/f\"],\"paths\":[{\"path\":\"$box/f\",\
	\"seen\":\"absent\"}],\"started\":\"$(date +%s)000000000\",\"pid\":\"$victim\",\
	\"process\":\"$(process_of_victim)\",\
	\"boot\":\"$(cat /proc/sys/kernel/random/boot_id)\",\"run\":\"1-1\"}" | tr -d '\t' \
	    >"$at/state.jsonl"
	rule r 'watch = /f' 'timeout = 100ms'
	start_daemon
	ok "a planted state that names a process is set aside" [ -e "$at/state.jsonl.bad" ]
	ok "no rule has that process for its own" not is_logged 'left over'
	ok "the rule counts as changed, and runs" until_true 30 has_run_times r 1
	ok "the process lives" is_alive $victim
	wp status
	ok "the status says that others could write" prints 'warning: .*: writable by group and others (mode 0777) until now: what was in it is set aside as .bad, and every rule counts as changed'
	wp doctor
	ok "doctor says what to look at" prints 'what is in the .bad files'
	ok "the mode is put right" is_private
	stop_daemon
	: >"$log"
	launch
	wait_ready
	wp status
	ok "the next start says no more of it" not prints 'set aside'
	kill $victim
}

a_planted_lock() {
	for what in link hardlink fifo directory; do
		rm -rf "$box/$state"
		open_state
		echo keep >"$dir/target"
		case $what in
		link) ln -s "$dir/target" "$at/lock" ;;
		hardlink) ln "$dir/target" "$at/lock" ;;
		fifo) mkfifo "$at/lock" ;;
		directory) mkdir -p "$at/lock/full" ;;
		esac
		: >"$log"
		starts
		ok "a planted lock, a $what, keeps no daemon from starting" is_alive "$daemon"
		ok "it is neither emptied nor written to ($what)" \
		    [ "$(cat "$dir/target")" = keep ]
		ok "and is out of the way ($what)" [ -e "$at/lock.bad" -o -L "$at/lock.bad" ]
		stop_daemon
	done
}

# A user who made it can hold it for ever: that must not look like a daemon.
a_lock_that_is_held() {
	if ! can_be_another; then
		skip "a lock that another user holds" "needs root and setpriv"
		return
	fi
	open_state
	# Words are meant.
	# shellcheck disable=SC2086
	$another perl -e '
	use Fcntl ":flock";
	open(my $f, ">", "$ARGV[0]/lock") or die;
	flock($f, LOCK_EX) or die;
	open(my $g, ">", "$ARGV[0]/held") or die;
	close $g;
	sleep 300' "$at" &
	holder=$!
	until_true 10 [ -e "$at/held" ]
	starts
	ok "a planted lock that its maker holds keeps no daemon from starting" works
	kill $holder
}

planted_files() {
	open_state
	echo keep >"$dir/target"
	mkfifo "$at/state.jsonl"
	mkdir -p "$at/state.jsonl.new/full" "$at/state.jsonl.bad/full" "$at/history.jsonl.1/full"
	ln "$dir/target" "$at/history.jsonl"
	starts
	ok "planted FIFOs, directories and links keep nothing from working" works
	ok "the state is saved" until_true 10 grep -q '"rule":"r"' "$at/state.jsonl"
	ok "the history, too" until_true 10 grep -q '"rule":"r"' "$at/history.jsonl"
	ok "and not into somebody's file" [ "$(cat "$dir/target")" = keep ]
	wp status
	ok "no problem is left" not prints 'cannot be'
}

a_planted_socket() {
	open_state
	perl -MIO::Socket::UNIX -e '
	$SIG{PIPE} = "IGNORE";
	my $l = IO::Socket::UNIX->new(Local => "$ARGV[0]/watchpathd.sock", Listen => 5) or die;
	open(my $f, ">", "$ARGV[0]/listens") or die;
	close $f;
	while (my $s = $l->accept) { print $s "{\"rules\":[],\"version\":\"planted\"}\n" }' "$at" &
	liar=$!
	until_true 10 [ -e "$at/listens" ]
	starts
	wp status
	ok "a planted socket is out of the way, and the daemon answers" prints '^r  '
	ok "who listened there is asked nothing" not prints planted
	kill $liar
}

# Modes that others could not write with are no reason to forget anything.
only_the_mode() {
	starts
	works
	stop_daemon
	at=$box/$state
	chmod 755 "$at"
	: >"$log"
	launch
	wait_ready
	ok "a mode of 0755 is put right" is_private
	ok "and nothing is set aside" not is_logged 'set aside'
	ok "and nothing runs again" has_runs r 1
	stop_daemon
	chmod 666 "$at/state.jsonl"
	: >"$log"
	launch
	wait_ready
	ok "a state file that others could write is set aside alone" [ -e "$at/state.jsonl.bad" ]
	ok "and the rule runs once more" until_true 30 has_run_times r 2
}

unused() {
	ok "nothing of $1 is used, and the log says why" is_logged \
	    "the state cannot be saved, and nothing in its directory is used: .*$2"
	ok "no socket is bound in $1" is_logged "no command can reach the daemon: .*$2"
	ok "rules run without $1" works
	ok "nothing is written to $1" [ -z "$(ls "$box/real" 2>/dev/null | grep -v '^state.jsonl$')" ]
	wp status
	ok "status says what is wrong with $1, not that nobody runs" [ $status -eq 69 ]
	ok "with the reason ($1)" says \
	    "^watchpathd: the daemon listens in no directory that others control: .*$2"
	ok "and how to start it is not said ($1)" not says 'to start it'
	wp doctor
	ok "doctor finds the directory, too ($1)" \
	    grep -q 'listens in no directory that others control' "$dir/out"
	ok "and has no second daemon started ($1)" not grep -q 'watchpathd run' "$dir/out"
	wp history
	ok "history shows nothing from $1" says "^watchpathd: no place for a history: .*$2"
}

a_directory_of_another_user() {
	if [ "$(id -u)" -ne 0 ]; then
		skip "a state directory of another user" "only root can make one"
		return
	fi
	mkdir -p "$box/${state%/*}" "$box/real"
	ln -s "$box/real" "$box/none"
	mkdir "$box/$state"
	echo planted >"$box/$state/state.jsonl"
	chown -R 1234 "$box/$state"
	starts
	unused "another user's directory" 'owned by uid 1234, not by root'
	ok "its files stay as they are" [ "$(cat "$box/$state/state.jsonl")" = planted ]
	ok "and there are no more of them" [ "$(ls "$box/$state")" = state.jsonl ]
	chown 0 "$box/$state"
	ok "when it is root's again the daemon takes it" until_true 30 is_logged \
	    'the state is saved again'
	ok "and believes nothing of what stood there" not grep -q planted "$box/$state/state.jsonl"
}

a_directory_below_another() {
	mkdir -p "$box/$state" "$box/real"
	chmod 777 "$box/${state%/*}"
	starts
	unused "what lies in a directory of all" 'writable by group and others (mode 0777)'
}

# The log.

a_log_in_the_way() {
	mkdir -m 755 "$dir/logs"
	echo keep >"$dir/target"
	for what in link fifo directory; do
		rm -rf "$dir/logs/log"
		case $what in
		link) ln -s "$dir/target" "$dir/logs/log" ;;
		fifo) mkfifo "$dir/logs/log" ;;
		directory) mkdir "$dir/logs/log" ;;
		esac
		: >"$log"
		starts --log "$dir/logs/log"
		ok "a log that is a $what is not used, and it is said" \
		    is_logged 'cannot log to a file: '
		ok "nothing is written through it ($what)" [ "$(cat "$dir/target")" = keep ]
		stop_daemon
	done
	rm -rf "$dir/logs/log"
	chmod 777 "$dir/logs"
	: >"$log"
	starts --log "$dir/logs/log"
	ok "nor is a log in a directory of all" is_logged \
	    'cannot log to a file: .*: writable by group and others (mode 0777)'
	ok "and rules run" works
}

# Somebody who may write one watched path, as often as there is time.
a_noisy_path() {
	rule r "watch = /d/*" 'action = /missing' 'settle = 0'
	rule s 'watch = /f'
	mkdir "$box/d"
	start_daemon
	name=$(printf 'x%.0s' 1 2 3 4 5 6 7 8 9 10)
	i=0
	while [ $i -lt 120 ]; do
		: >"$box/d/$name$i"
		rm "$box/d/$name$i"
		i=$((i + 1))
	done
	put "$box/f" 1
	wait_runs s 1
	ok "a noisy rule has room for 20 lines in 10 s" \
	    [ "$(grep -c ' r: [a-z]* -> \| r: still' "$log")" -le 42 ]
}

noisy_actions() {
	rule r 'watch = /f'
	on_run r "perl -e 'print qq(\\n) x 200000; print qq(\\001) x 100000'"
	start_daemon
	put "$box/f" 1
	wait_runs r 1
	until_true 30 is_logged ' r: running -> '
	ok "a run's output takes 64 KiB of the log, whatever it is made of" \
	    [ "$(grep 'output: r: ' "$log" | wc -c)" -le 66000 ]
	ok "and the rest is counted" is_logged 'output: r: … [0-9]* bytes of output not logged'
}

# Names that a user chose are shown to root, by commands and in the log.
names_that_pretend() {
	rule r 'watch = /d/*'
	mkdir "$box/d"
	start_daemon
	: >"$box/d/$(printf 'a\033[2Jb\302\233c\342\200\256d')"
	wait_runs r 1
	wp status r
	for said in "$log" "$dir/out"; do
		ok "a name with ESC is harmless in ${said##*/}" grep -q -F 'a\033[2Jb' "$said"
		ok "with a C1 control, too" grep -q -F 'b\302\233c' "$said"
		ok "and with one that turns the writing round" \
		    grep -q -F 'c\342\200\256d' "$said"
	done
}

# warns RULE: of that rule in combined.ini, whose lines say where it stands.
warns() {
	_line=$(($(grep -n "^\[$1\]" "$dir/combined.ini" | cut -d: -f1) + 1))
	says "combined.ini:$_line: warning: .*others choose what is there, and root is given it"
}

what_check_warns_of() {
	mkdir -m 777 "$box/open"
	chmod 777 "$box/open"
	mkdir "$box/closed"
	cat >"$dir/combined.ini" <<-'END'
	[followed]
	watch = /open/f
	action = /bin/sh -c 'cat "$WATCHPATHD_PATH"'
	[closed]
	watch = /closed/f
	action = /bin/sh -c 'cat "$WATCHPATHD_PATH"'
	[another]
	watch = /open/f
	user = nobody
	action = /bin/sh -c 'cat "$WATCHPATHD_PATH"'
	[homes]
	watch = /Users/*/f
	action = /bin/sh -c 'cat "$WATCHPATHD_PATH"'
	[unnamed]
	watch = /open/f
	action = /bin/sh -c 'true'
	END
	wp check "$dir/combined.ini"
	ok "check warns where root is given what others choose" warns followed
	ok "in homes, too" warns homes
	for rule in closed another unnamed; do
		ok "but not of the rule $rule" not warns $rule
	done
}

run_tests what_check_warns_of a_planted_process a_planted_lock a_lock_that_is_held planted_files \
    a_planted_socket only_the_mode a_directory_of_another_user a_directory_below_another \
    a_log_in_the_way a_noisy_path noisy_actions names_that_pretend
