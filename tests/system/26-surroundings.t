#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Bad surroundings never end the daemon: conf.d, rule files, the log, programs
# and descriptors that are missing, broken or not to be trusted. Every test
# function ends with the daemon still there, and its exit status being 0.
. "$(dirname "$0")/lib.sh"

# works RULE [FILE]: is a change of its file answered?
works() {
	_runs=0
	[ -e "$dir/runs/$1" ] && _runs=$(grep -c . "$dir/runs/$1")
	put "$box/${2:-$1}" "$_runs"
	until_true 30 has_run_times "$1" $((_runs + 1))
}

no_conf_d() {
	rmdir "$conf"
	launch
	until_true 30 is_logged 'waiting until they can be'
	ok "without a conf.d the daemon waits for it" is_alive "$daemon"
	conf=$dir/prepared
	rule r 'watch = /r'
	rule fence 'watch = /fence' "settle = $fence"
	mv "$dir/prepared" "$box$conf_d"
	conf=$box$conf_d
	ok "a conf.d that appears is loaded" until_true 30 is_logged 'reloaded: 2 rules'
	ok "and its rules are in force" works r
}

no_directory_above_conf_d() {
	above=${conf_d#/}
	above=/${above%%/*}
	rm -r "$box$above"
	launch
	until_true 30 is_logged 'waiting until they can be'
	conf=$dir/prepared${conf_d#"$above"}
	rule r 'watch = /r'
	mv "$dir/prepared" "$box$above"
	conf=$box$conf_d
	until_true 30 is_logged 'reloaded: 1 rule'
	ok "so is one whose directory was missing, too" works r
}

a_conf_d_that_others_may_write() {
	rule r 'watch = /r'
	rule fence 'watch = /fence' "settle = $fence"
	chmod 777 "$conf"
	launch
	ok "a conf.d that others may write is refused, with a sentence" until_true 30 \
	    is_logged "$conf: .*writable by group and others (mode 0777)"
	put "$box/r" 1
	chmod 755 "$conf"
	ok "mended, it is loaded" until_true 30 is_logged 'reloaded: 2 rules'
	fence
	ok "what changed before that is no change" has_runs r 0
	ok "what changes after it is" works r
}

a_broken_rule_file() {
	rule good 'watch = /good'
	printf '[bad]\nwatch = /bad\naction = /act\nwatches = /x\n' >"$conf/bad.ini"
	rule open 'watch = /open'
	chmod 666 "$conf/open.ini"
	ln -s "$conf/good.ini" "$conf/link.ini"
	mkdir "$conf/directory.ini"
	head -c 100000 /dev/urandom >"$conf/noise.ini"
	start_daemon
	ok "a broken rule file is refused with its line" \
	    is_logged 'error: .*bad.ini:4: .*watches'
	ok "a rule file that others may write is refused" \
	    is_logged 'error: .*open.ini.*writable'
	ok "a rule file that is a link is refused" is_logged 'error: .*link.ini'
	ok "so is a directory" is_logged 'error: .*directory.ini'
	ok "so is noise" is_logged 'error: .*noise.ini'
	ok "the good ones are in force" works good
	put "$box/bad" 1
	put "$box/open" 1
	fence
	ok "the refused ones are not" has_runs open 0
}

a_log_directory_that_others_may_write() {
	mkdir "$box/log"
	chmod 777 "$box/log"
	printf '[daemon]\nrecheck = 1s\n' >"$conf/daemon.ini"
	rule r 'watch = /r'
	start_daemon --log "$box/log/w.log"
	ok "a log in a directory that others may write is refused" \
	    is_logged 'cannot log to a file: .*writable by group and others'
	ok "the daemon works without it" works r
	ok "and logs to stderr" until_true 30 is_logged ' r: settling -> running'
	chmod 755 "$box/log"
	ok "mended, the next recheck begins to use it" \
	    until_true 30 grep -q -s again "$box/log/w.log"
	log=$box/log/w.log
	ok "and the daemon goes on" works r
	until_true 30 is_logged ' r: running -> idle'
	rm -f "$box/log/w.log"
	ln -s "$dir/victim" "$box/log/w.log"
	lines=$(wc -l <"$dir/log")
	works r
	log=$dir/log
	ok "with a link in the log's place it logs to stderr again" \
	    until_true 30 count "$log" gt "$lines"
	ok "and the link is not followed" not test -e "$dir/victim"
}

no_directory_for_the_socket() {
	rule r 'watch = /r'
	start_daemon --socket "$dir/none/socket"
	ok "a socket that cannot be bound is said, with the reason" is_logged \
	    "no command can reach the daemon: $dir/none/socket: No such file or directory"
	ok "the rules work without it" works r
	mkdir "$dir/none"
	ok "it is tried again" until_true 30 is_logged 'the socket can be bound again'
	"$WATCHPATHD" status --socket "$dir/none/socket" >"$dir/out"
	ok "and commands reach the daemon" grep -q '^r ' "$dir/out"
}

# Of what lies below the root only that is judged which lies there.
an_open_directory_above_the_root() {
	rule r 'watch = /r'
	chmod 777 "$dir"
	start_daemon
	ok "a root in a directory that others may write is a root" works r
	ok "nothing is refused for that" not is_logged 'writable by'
}

# What cannot be had is tried again every 10 seconds, and not only once: each is
# repaired when the first try is over.
a_log_that_is_refused_for_long() {
	mkdir "$box/log"
	chmod 777 "$box/log"
	start_daemon --log "$box/log/w.log"
	begin=$(now)
	until_true 60 passed $((begin + 11000000000))
	ok "a log that cannot be had is not there" not test -e "$box/log/w.log"
	chmod 755 "$box/log"
	ok "it is used when it can be had, after any time" \
	    until_true 60 grep -q -s 'the log is written again' "$box/log/w.log"
}

can_be_asked() {
	"$WATCHPATHD" status --root "$box" --socket "$dir/socket" >"$dir/status" 2>&1
}

a_socket_that_cannot_be_bound_for_long() {
	: >"$dir/socket"
	start_daemon --socket "$dir/socket"
	ok "the log says that a socket cannot be bound" \
	    is_logged 'no command can reach the daemon: .*socket: is in the way'
	begin=$(now)
	until_true 60 passed $((begin + 11000000000))
	ok "nobody can ask the daemon" not can_be_asked
	rm "$dir/socket"
	ok "until it is bound, after any time" until_true 60 can_be_asked
	ok "and the log says so" \
	    until_true 30 is_logged 'the socket can be bound again'
}

# with_log: starts with --log; $log is that file, for the helpers.
with_log() {
	mkdir "$box/log"
	log=$box/log/w.log
	rule r 'watch = /r'
	"$@"
	start_daemon --log "$log"
}

# has_logged N: the end of the N-th run of r, after which nothing more is logged:
# then the log can be moved without a line coming between.
has_logged() {
	get_run r "$1"
	until_true 30 grep -q -s "running -> idle, run $run succeeded" "$log"
}

# Lines of before are not in $log then, so that `fence` cannot be used here.
a_log_that_goes() {
	with_log :
	works r
	has_logged 1
	ok "--log: nothing goes to stderr" not test -s "$dir/log"
	mv "$log" "$log.moved"
	ok "a log that is renamed keeps nobody" works r
	ok "and a new one is begun" has_logged 2
	rm "$log"
	works r
	ok "so it is when the log is removed" has_logged 3
	rm "$log"
	mkdir "$log"
	ok "a log that cannot be opened stops nothing" works r
	until_true 30 grep -q ' r: running -> idle' "$dir/log"
	ok "its lines go to stderr" grep -q ' r: settling -> running' "$dir/log"
	rmdir "$log"
	works r
	ok "until it can be opened again" has_logged 5
	ok "with what was logged meanwhile" has_logged 4
}

fill_log() {
	head -c $((5 * 1024 * 1024 - 500)) /dev/zero | tr '\0' x >"$log"
	echo >>"$log"
}

a_log_that_is_full() {
	with_log fill_log
	works r
	works r
	until_true 30 test -s "$log.1"
	ok "at 5 MiB the log is rotated" test "$(wc -c <"$log.1")" -gt 5000000
	ok "and goes on in a new file" until_true 30 is_logged ' r: '
	ok "which stays small" test "$(wc -c <"$log")" -lt 100000
	mode=$(ls -l "$log")
	ok "readable by owner and group" test "${mode%% *}" = -rw-r-----
}

# A limit on the length of files stands in for a full disk: the log has reached
# it. That limit ends the daemon no more than a full disk does.
a_log_on_a_full_disk() {
	mkdir "$box/log"
	full=$box/log/w.log
	rule r 'watch = /r'
	dd if=/dev/zero bs=512 count=400 2>/dev/null | tr '\0' x >"$full"
	ulimit -f 400
	start_daemon --log "$full"
	ok "a log that cannot be written is said on stderr" until_true 30 \
	    is_logged "warning: the log cannot be written: $full: File too large"
	"$WATCHPATHD" status --root "$box" --json >"$dir/out"
	ok "and in the status" grep -q "\"the log cannot be written: $full: File too" "$dir/out"
	works r
	ok "the daemon goes on, and logs to stderr" until_true 30 is_logged ' r: running -> idle'
	: >"$full"
	ok "that it is over is said" \
	    until_true 30 grep -q 'info: the log is written again' "$full"
	ok "what was logged meanwhile is there" grep -q 'info: ready: ' "$full"
	ok "no line is torn" not grep -v '^20..-..-..T..:..:..\....Z [a-z]*: ' "$full"
	"$WATCHPATHD" status --root "$box" --json >"$dir/out"
	ok "and the status is as before" grep -q '"warnings":\[\]' "$dir/out"
}

few_descriptors() {
	i=10
	while [ $i -lt 70 ]; do
		mkdir -p "$box/fd/$i"
		rule r$i "watch = /fd/$i/f" 'settle = 100ms'
		i=$((i + 1))
	done
	printf '[daemon]\nrecheck = 1s\n' >"$conf/daemon.ini"
	rule a 'watch = /a'
	ulimit -n 100
	start_daemon
	ok "out of descriptors, the log says which path is not watched" \
	    is_logged 'warning: r[0-9]*: .*: out of file descriptors'
	ok "a rule that has what it needs works, and its action starts" works a
	put "$box/fd/69/f" 1
	ok "what cannot be watched is looked at by the recheck" \
	    until_true 30 has_run_times r69 1
	ok "nothing else is run" has_runs r68 0
}

# macOS hands on no descriptor of 10,240 and more, whatever the limit: posix_spawn of
# src/linux does not, either.
many_descriptors() {
	hard=$(ulimit -Hn)
	if [ "$hard" != unlimited ] && [ "$hard" -lt 11200 ]; then
		skip "actions start with 11,000 paths open" "the limit is $hard descriptors"
		return
	fi
	perl -e 'chdir $ARGV[0] or die;
	for my $d (0 .. 10) {
		mkdir "many$d";
		open(my $f, ">", "many$d/$_") or die for 1 .. 1000;
	}' "$box"
	# Patterns have half of the descriptors; lines of their own have all.
	for i in 0 1 2 3 4 5 6 7 8 9; do
		rule many$i "$(perl -e 'print "watch = /many$ARGV[0]/$_\n" for 1 .. 1000' $i)"
	done
	rule r "$(perl -e 'print "watch = /many10/$_\n" for 1 .. 1000')"
	rule s "watch = /s" "umask = 027"
	ulimit -Sn 256
	start_daemon
	ok "actions start with 11,000 paths open" works r many10/1000
	ok "and so do those that need the exec mode" works s
}

hangups_and_options() {
	rule r 'watch = /r'
	start_daemon
	kill -HUP "$daemon"
	kill -HUP "$daemon"
	kill -PIPE "$daemon"
	kill -CHLD "$daemon"
	ok "SIGHUP, SIGPIPE and SIGCHLD end nothing" works r
	"$WATCHPATHD" run --no-such-option 2>"$dir/err"
	ok "an unknown option is a usage error" test $? -eq 64
	"$WATCHPATHD" run extra 2>>"$dir/err"
	ok "so is an argument" test $? -eq 64
	"$WATCHPATHD" frobnicate 2>>"$dir/err"
	ok "so is an unknown command" test $? -eq 64
	ok "and each is explained" test "$(grep -c '^watchpathd: ' "$dir/err")" -ge 2
	ok "where nothing is near it says where commands are listed" \
	    grep -q '^watchpathd: no command `frobnicate` (`watchpathd help` lists' "$dir/err"
	"$WATCHPATHD" statsu 2>"$dir/err"
	ok "else which one was meant" \
	    grep -q '^watchpathd: no command `statsu`: did you mean `status`?$' "$dir/err"
	"$WATCHPATHD" logs 2>"$dir/err"
	ok "also by the name that others have for it" \
	    grep -q '^watchpathd: no command `logs`: did you mean `history`?$' "$dir/err"
}

programs_that_cannot_run() {
	printf 'no program\n' >"$box/text"
	printf '#!/no/such/interpreter\n' >"$box/orphan"
	printf '\177ELF garbage' >"$box/elf"
	mkdir "$box/directory"
	chmod 755 "$box/text" "$box/orphan" "$box/elf"
	for r in text orphan elf directory; do
		rule $r "watch = /f" "action = /$r" 'retry = 1' 'retry-delay = 100ms'
	done
	rule good 'watch = /f'
	start_daemon
	put "$box/f" 1
	ok "a program that cannot be executed is a failed run" \
	    until_true 30 is_logged " elf: running -> failed"
	for r in text orphan directory; do
		ok "$r: what cannot be a program blocks its rule" \
		    until_true 30 is_logged " $r: [a-z]* -> blocked"
	done
	ok "other rules go on" until_true 30 has_run_times good 1
	rmdir "$box/directory"
	cp "$box/act" "$box/directory"
	ok "a program in its place runs" until_true 30 has_run_times directory 1
}

a_program_that_others_may_write() {
	rule r 'watch = /r'
	rule good 'watch = /good' 'action = /other'
	cp "$box/act" "$box/other"
	rule fence 'action = /other' 'watch = /fence'
	start_other
	ok "a program that is trusted runs" works r
	chmod 777 "$box/act"
	put "$box/r" x
	ok "made writable by others it is not run again" \
	    until_true 30 is_logged ' r: [a-z]* -> blocked, .*act: writable by'
	works good
	ok "whatever else runs" has_runs r 1
	chmod 755 "$box/act"
	ok "mended, it answers what changed meanwhile" until_true 30 has_run_times r 2
	mv "$box/act" "$dir/act"
	put "$box/r" y
	ok "a program that goes blocks its rule" \
	    until_true 30 is_logged ' r: [a-z]* -> blocked, .*/act: not installed yet'
	mv "$dir/act" "$box/act"
	ok "until it is back" until_true 30 has_run_times r 3
}

# The fence needs a program of its own.
start_other() {
	launch
	wait_ready
}

a_stop_during_a_run() {
	rule r 'watch = /r'
	rule s 'watch = /s'
	start_daemon
	hold r
	put "$box/r" 1
	wait_runs r 1
	kill -TERM "$daemon"
	until_true 30 is_logged 'stopping: 1 running'
	put "$box/s" 1
	kill -TERM "$daemon"
	kill -INT "$daemon"
	until_true 30 is_logged ' s: idle -> settling'
	until_true 30 passed $(($(now) + 600000000))
	ok "a daemon that is asked to stop waits for its runs" is_alive "$daemon"
	release r
	ok "and ends with them" until_true 30 is_gone "$daemon"
	wait "$daemon"
	ok "with status 0" test $? -eq 0
	daemon=
	ok "the run has ended by itself" has_ended r 1
	ok "no run was started meanwhile" has_runs s 0
}

a_run_that_outlives_the_daemon() {
	rule r 'watch = /r'
	start_daemon
	hold r
	put "$box/r" 1
	wait_runs r 1
	get_run r 1
	asked=$(now)
	kill -TERM "$daemon"
	ok "a daemon does not wait forever for its runs" until_true 30 is_gone "$daemon"
	ok "but 10 seconds" after "$asked" "$(now)" 9900
	wait "$daemon"
	ok "its status is 0 all the same" test $? -eq 0
	daemon=
	ok "and the log tells" is_logged '1 still running: left alone'
	ok "the run goes on" is_alive "$pid"
	release r
	ok "to its end" until_true 30 has_ended r 1
}

run_tests no_conf_d no_directory_above_conf_d a_conf_d_that_others_may_write \
    an_open_directory_above_the_root a_broken_rule_file no_directory_for_the_socket \
    a_log_directory_that_others_may_write \
    a_log_that_is_refused_for_long a_socket_that_cannot_be_bound_for_long a_log_that_goes \
    a_log_that_is_full a_log_on_a_full_disk few_descriptors many_descriptors \
    hangups_and_options programs_that_cannot_run a_program_that_others_may_write \
    a_stop_during_a_run a_run_that_outlives_the_daemon
