#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the daemon and its commands say when something is not as it should be.
. "$(dirname "$0")/commands.sh"

# status_says RULE TEXT
status_says() {
	COLUMNS=1000 wp status "$1" && grep -qF -e "$2" "$dir/out"
}

# request LINE: the reply to it, word for word.
request() {
	perl -MIO::Socket::UNIX -e '
	my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die;
	print $s "$ARGV[1]\n";
	$s->flush;
	print <$s>;' "$box$state_dir/watchpathd.sock" "$1"
}

requests() {
	rule r 'watch = /f'
	start_daemon
	ok "a request without a command gets a sentence" \
	    [ "$(request '{}')" = '{"error":"there is no command named"}' ]
	ok "so does an unknown command" \
	    [ "$(request '{"command":"dance"}')" = '{"error":"there is no command dance"}' ]
	ok "and one whose name is no string" \
	    [ "$(request '{"command":7}')" = '{"error":"there is no command named"}' ]
	for command in trigger run; do
		ok "and $command without a rule" [ "$(request "{\"command\":\"$command\"}")" = \
		    '{"error":"the request names no rule"}' ]
		ok "and $command of a rule that is not there" \
		    [ "$(request "{\"command\":\"$command\",\"rule\":\"x\"}")" = \
		    '{"error":"there is no rule x"}' ]
	done
	ok "what is no object gets one, too" \
	    [ "$(request '[1]')" = '{"error":"a request is one JSON object"}' ]
	ok "and a run without its id" [ "$(request '{"command":"run","rule":"r"}')" = \
	    '{"error":"the request names no run"}' ]
	ok "after all that the daemon goes on" \
	    [ "$(request '{"command":"run","rule":"r","run":"1"}' | cut -c1-19)" = \
	    '{"state":"unknown",' ]
}

# Whoever answers: bytes that drive terminals are shown and not sent.
hostile_answers() {
	esc=$(printf '\033[2J') c1=$(printf '\302\233') bad=$(printf '\377')
	rule="\"name\":\"a$esc\",\"state\":\"b$c1\",\"problem\":\"c$bad\",\"x$esc\":1"
	reply="{\"version\":\"$esc\",\"rules\":[{$rule}],\"warnings\":[\"d$esc\"]}"
	for option in '' r --json; do
		answer "$reply
"
		# Words are meant.
		# shellcheck disable=SC2086
		COLUMNS=200 wp status --socket "$dir/socket" $option
		ok "status $option shows an answer" prints 'a\\*033\[2J'
		ok "with all that it says" prints 'b\\*302\\*233'
		ok "and nothing of it raw" not prints "[$(printf '\033\302\377')]"
	done
	answer "{\"error\":\"no$esc\"}
"
	wp status --socket "$dir/socket"
	ok "a refusal is shown so, too" says '^watchpathd: no\\033\[2J$'
	answer "{\"refused\":[{\"file\":\"f$esc\",\"line\":1,\"message\":\"m\"}]}
"
	wp reload --socket "$dir/socket"
	ok "and what reload refused" says '^f\\033\[2J:1: error: m$'
	answer "{\"run\":\"$esc\"}
"
	wp trigger --socket "$dir/socket" r
	ok "and the id of a run" prints '^\\033\[2J$'
}

stopping() {
	rule r 'watch = /f'
	start_daemon
	hold r
	put "$box/f" 1
	wait_runs r 1
	kill -TERM "$daemon"
	ok "a daemon that waits for its runs says so" until_true 10 is_logged 'stopping: 1 running'
	wp trigger r
	ok "it takes no new ones" [ $status -eq 1 ]
	ok "with the reason" says 'the daemon is stopping'
	release r
	ok "it ends with the last run" until_true 10 is_gone "$daemon"
	wait "$daemon"
	ok "well" [ $? -eq 0 ]
	daemon=
}

# A finding that is about a file as a whole has no line.
files_as_a_whole() {
	rule open 'watch = /f'
	chmod 666 "$conf/open.ini"
	rule "$(printf 'odd\033')" 'watch = /f' 'action = /missing'
	sed 's/^\[.*/[odd]/' "$conf/$(printf 'odd\033.ini')" >"$dir/odd"
	cat "$dir/odd" >"$conf/$(printf 'odd\033.ini')"
	start_daemon
	ok "the log names the file with its directory" \
	    is_logged "error: $conf/open.ini: writable by group and others"
	wp status
	ok "the status names it" prints '^refused: open.ini: writable by group and others'
	ok "a file name is made harmless" prints '^warning: odd\\033.ini:3: '
	wp reload
	ok "so does reload" says '^open.ini: error: writable by group and others'
	wp doctor
	ok "and doctor" prints 'open.ini: writable by group and others'
	cat "$log" "$dir/err" "$dir/out" >"$dir/all"
	ok "none of them says line 0" not grep -q ':0:' "$dir/all"
	rm "$conf"/*.ini
	chmod 777 "$conf"
	wp reload
	ok "a directory that is refused has its whole name" says "^$conf: error: writable by"
	ok "in the log, too" is_logged "error: $conf: writable by"
}

# json RULE TEXT: is it in the JSON of the rule?
json() {
	wp status "$1" --json && grep -qF -e "$2" "$dir/out"
}

# A rule that is due, and healthy.
what_rules_wait_for() {
	for rule in a b c; do
		rule $rule "watch = /$rule" 'lock = l'
	done
	rule d 'watch = /d'
	printf '[daemon]\nmax-running = 2\n' >"$conf/daemon.ini"
	start_daemon
	hold a
	put "$box/a" 1
	wait_runs a 1
	get_run a 1
	ok "running says since when, and which process it is" \
	    json a "\"current_run\":{\"run\":\"$run\",\"reason\":\"change\",\"path\":\"$path\""
	ok "in the table, too" status_says a "running for "
	ok "with the process" status_says a ", pid $pid, run $run"
	put "$box/b" 1
	ok "what is due says which lock it waits for, and who holds it" \
	    until_true 10 json b '"waits_for":"the lock l, held by a","problem":null'
	ok "of a rule" status_says b 'waits for    the lock l, held by a'
	wp status
	ok "and of all" prints '^    waits for the lock l, held by a$'
	hold fence
	put "$box/fence" 1
	wait_runs fence 1
	put "$box/d" 1
	ok "or that too many are running" \
	    until_true 10 status_says d 'waits for    a run to end: max-running = 2'
	kill -TERM "$daemon"
	ok "or that the daemon is stopping" until_true 10 status_says d \
	    'waits for    the next start of the daemon, which is stopping'
	release a
	release fence
	until_true 10 is_gone "$daemon"
	wait "$daemon"
	daemon=
}

# Two hold a lock only where one of them has it from before its rule was changed.
two_that_hold_a_lock() {
	rule a 'watch = /a' 'lock = l'
	rule b 'watch = /b' 'lock = m'
	rule c 'watch = /c' 'lock = n'
	rule d 'watch = /d' 'lock = l'
	start_daemon
	for rule in a b c; do
		hold $rule
		put "$box/$rule" 1
		wait_runs $rule 1
		until_true 10 is_recorded_as_running $rule
	done
	kill -KILL "$daemon"
	wait "$daemon" 2>/dev/null
	rule b 'watch = /b' 'lock = l'
	mv "$log" "$dir/log.old"
	: >"$log"
	launch
	wait_ready
	put "$box/d" 1
	ok "every rule that holds the lock is named" until_true 10 \
	    json d '"waits_for":"the lock l, held by b and a"'
	rule c 'watch = /c' 'lock = l'
	stop_daemon
	mv "$log" "$dir/log.old"
	: >"$log"
	launch
	wait_ready
	ok "however many there are" until_true 10 \
	    json d '"waits_for":"the lock l, held by c, b and a"'
	for rule in a b c; do
		release $rule
	done
}

# The next daemon is to find it.
is_recorded_as_running() {
	grep "\"rule\":\"$1\"" "$box$state_dir/state.jsonl" | tail -n 1 |
	    grep -q '"pid":"[0-9]'
}

# Should the timeout come before the action is ready for it, there is a next time.
what_is_stopped_or_blocked() {
	rule slow 'watch = /f' 'timeout = 1s' 'retry = forever' 'retry-delay = 100ms'
	rule none 'watch = /f' 'action = /no/program with words' 'action = /none/either'
	start_daemon
	on_run slow "trap '' TERM; hold=yes; while [ -e $dir/hold/more ]; do sleep 0.05; done"
	: >"$dir/hold/more"
	put "$box/f" 1
	ok "a run that is being ended says why" until_true 60 status_says slow \
	    'problem      runs longer than its timeout of 1s and is being ended'
	rm "$dir/hold/more"
	ok "a rule that is blocked has an action" until_true 10 \
	    json none '"action":["/no/program","with","words"]'
	ok "and is blocked" json none '"state":"blocked"'
}

# As they are written, with what they stand for.
watch_lines() {
	rule r 'watch = /d/*.x' '	/none/*' '	/lit' '	/loop/*' 'every = 3h' 'settle = 250ms'
	rule off 'watch = /d/*.x' 'enabled = no'
	mkdir "$box/d"
	put "$box/d/a.x" 1
	put "$box/d/b.x" 1
	put "$box/d/c.y" 1
	ln -s loop "$box/loop"
	start_daemon
	COLUMNS=1000 wp status r
	sed -n '/^watch/,/^runs/p' "$dir/out" | sed 's/next in 2 h 5. min/next in 3 h/' |
	    LC_ALL=C sort >"$dir/said"
	LC_ALL=C sort >"$dir/wanted" <<-'END'
	watch        /d/*.x
	               /d/a.x: present
	               /d/b.x: present
	watch        /none/*: no match
	watch        /lit: absent
	watch        /loop/*: Too many levels of symbolic links
	settle       250ms
	cooldown     0
	every        3h, next in 3 h
	runs         0, 0 failed
	END
	diff "$dir/said" "$dir/wanted" | diag
	ok "a rule has its watch lines, matches and times" cmp -s "$dir/said" "$dir/wanted"
	ok "the JSON, too" json r '{"entry":"/none/*","matches":[],"problem":null}'
	wp status off
	ok "a rule that is off looks for no match" prints '^watch        /d/\*.x$'
	put "$box/d/a.x" 2
	wait_runs r 1
	ok "the next run for every begins with the last success" until_true 10 status_says r \
	    'every        3h, next in 2 h 5'
}

# A run was promised, and its rule leaves.
a_run_that_will_not_come() {
	rule r 'watch = /f'
	start_daemon
	hold r
	put "$box/f" 1
	wait_runs r 1
	"$WATCHPATHD" trigger --wait --root "$box" r >"$dir/out" 2>"$dir/err" &
	waiting=$!
	until_true 10 is_promised
	rule r 'watch = /f' 'enabled = no'
	"$WATCHPATHD" reload --root "$box" >"$dir/reloaded"
	release r
	until_true 20 is_gone $waiting || kill $waiting
	wait $waiting
	ok "trigger --wait fails when its run will not come" [ $? -eq 1 ]
	ok "and says so" says 'r: the run will not come'
}

is_promised() {
	[ -s "$dir/out" ]
}

how_a_run_ended() {
	rule crashes 'watch = /f' 'retry = 0'
	rule verified 'watch = /g' 'verify = /verify' 'retry = 0'
	printf '#!/bin/sh\nexit 3\n' >"$box/verify"
	chmod 755 "$box/verify"
	start_daemon
	on_run crashes 'kill -SEGV $$'
	put "$box/f" 1
	put "$box/g" 1
	ok "the log has the signal that ended a run" until_true 10 is_logged \
	    'crashes: running -> failed, run .* failed after .* s: ended by signal 11 (Segmentation'
	ok "and what verify said" until_true 10 is_logged \
	    'verified: running -> failed, run .* failed after .* s: verify: exit status 3'
	ok "so has the status" status_says crashes 'signal 11'
	ok "also of verify" status_says verified 'verify: exit 3'
	wp history
	ok "and the history" prints 'signal 11'
	ok "with verify" prints 'verify: exit 3'
	ok "what is to be done is said" status_says crashes 'gave up after attempt 1'
}

# What needs a look, and nothing else.
a_quiet_log() {
	printf '[daemon]\nlog-level = warning\n' >"$conf/daemon.ini"
	rule good 'watch = /f'
	rule bad 'watch = /f' 'retry = 1' 'retry-delay = 100ms'
	rule manual 'watch = /g' 'retry = 0'
	rule none 'watch = /f' 'action = /no/program'
	on_run bad 'status=3'
	on_run manual 'status=3'
	launch
	until_true 30 [ -S "$box$state_dir/watchpathd.sock" ]
	put "$box/f" 1
	"$WATCHPATHD" trigger --wait --root "$box" manual >"$dir/out" 2>"$dir/err"
	ok "a failed run is a warning" until_true 10 \
	    is_logged 'warning: bad: running -> retrying, run .* failed after .* s: exit status 3$'
	ok "also one that was asked for" until_true 10 \
	    is_logged 'warning: manual: running -> idle, run .* failed after '
	ok "a rule without a retry left is an error" until_true 10 \
	    is_logged 'error: bad: running -> failed, run .* failed after .* s: exit status 3$'
	ok "a rule that no program can run for is a warning" until_true 10 \
	    is_logged 'warning: none: [a-z]* -> blocked, .*: not installed yet'
	until_true 10 has_ended good 1
	stop_daemon
	ok "and nothing else of rules is logged" [ "$(grep -c ' -> ' "$log")" -eq 4 ]
}

what_cannot_be_watched() {
	rule r 'watch = /loop/f'
	ln -s loop "$box/loop"
	start_daemon
	ok "the log says what cannot be watched" is_logged 'r: .*/loop/f: Too many levels'
	ok "and the status" status_says r 'Too many levels of symbolic links'
	ok "as an error of that path" member_is '$r->{r}{paths}[0]{state}' '"error"'
	ok "with its reason" \
	    member_is_like '$r->{r}{paths}[0]{error}' 'Too many levels of symbolic links'
	ok "which is the rule's problem, too" \
	    member_is_like '$r->{r}{problem}' '/loop/f: Too many levels of symbolic links'
	rm "$box/loop"
	mkdir "$box/loop"
	ok "the log says when it can" until_true 10 is_logged 'r: .*/loop/f: is watched again'
	put "$box/loop/f" 1
	ok "and it is" until_true 10 has_run_times r 1
	ok "then it is an error no more" \
	    member_is '$r->{r}{paths}[0]' "{\"error\":null,\"path\":\"$box/loop/f\",\
\"state\":\"present\"}"
	rm "$box/loop/f"
	ok "but absent, when it goes" \
	    until_true 30 became '$r->{r}{paths}[0]{state}' '"absent"'
}

its_own_files() {
	rule r "watch = $state_dir/watchpathd.sock"
	start_daemon
	ok "the daemon's own files are not watched" \
	    member_is '$r->{r}{paths}[0]{state}' '"not-watched"'
	ok "and the status says why" \
	    member_is_like '$r->{r}{paths}[0]{error}' 'belongs to watchpathd itself'
}

too_many_matches() {
	mkdir "$box/d"
	perl -e 'for (1 .. 1100) { open(my $f, ">", "$ARGV[0]/$_") or die }' "$box/d"
	rule r 'watch = /d/*'
	on_run r "echo \"\$WATCHPATHD_PATHS_OMITTED\" >>$dir/omitted"
	printf '[daemon]\nrecheck = 200ms\nlog-level = debug\n' >"$conf/daemon.ini"
	start_daemon
	ok "the status says that a pattern has too many matches" \
	    status_says r '/d/*: 76 matches more than 1024: they are only looked at every'
	ok "the log says, if asked, when every path is looked at" \
	    until_true 10 is_logged 'debug: looking at every path'
	for n in $(seq 1100); do
		echo x >>"$box/d/$n"
	done
	ok "a run says how many changes it has no names for" \
	    until_true 20 grep -qs '^[1-9]' "$dir/omitted"
}

wrong_options() {
	mkdir "$dir/a*b"
	"$WATCHPATHD" status --root "$dir/a*b" >"$dir/out" 2>"$dir/err"
	ok "a root with a * is refused" [ $? -eq 64 ]
	ok "with the reason" says 'a root may not have \* ? \[ in its path'
	for n in 0 -1 x 1x 99999999999; do
		wp history -n $n
		ok "history -n $n is refused" [ $status -eq 64 ]
		ok "$n: with the reason" says "-n takes a number from 1: $n"
	done
	mkdir -p "$box$state_dir/history.jsonl"
	wp history
	ok "a history that is none is an error" [ $status -eq 1 ]
	ok "and named" says 'history.jsonl: Is a directory'
}

# However few descriptors there are, the daemon runs, or says why not.
few_descriptors() {
	rule r 'watch = /f'
	mkdir -p "$box/etc"
	: >"$dir/said"
	n=4
	while [ $n -le 24 ]; do
		(
			ulimit -n $n
			exec "$WATCHPATHD" run --root "$box" --state "$dir/state.$n"
		) >"$dir/few.$n" 2>&1 &
		pid=$!
		until_true 30 is_up_or_gone $n $pid
		if grep -q 'info: ready: ' "$dir/few.$n"; then
			kill -TERM $pid
			echo "$n ready" >>"$dir/said"
		fi
		wait $pid
		echo "$n $?" >>"$dir/said"
		n=$((n + 1))
	done
	ok "with too few descriptors the daemon says why it cannot start" \
	    grep -q 'error: cannot start: Too many open files' "$dir/few.4"
	ok "with a few more it says what it does without" \
	    grep -q 'warning: network changes cannot be noticed: Too many open files' "$dir"/few.*
	ok "with enough it starts" grep -q '^24 ready' "$dir/said"
	grep -v ready "$dir/said" | awk '$2 != 0 && $2 != 1' >"$dir/odd"
	diag <"$dir/odd"
	ok "it ends with 0 or 1 each time" [ ! -s "$dir/odd" ]
}

# is_up_or_gone N PID
is_up_or_gone() {
	grep -q 'info: ready: ' "$dir/few.$1" || is_gone "$2"
}

run_tests requests hostile_answers stopping files_as_a_whole \
    what_rules_wait_for two_that_hold_a_lock what_is_stopped_or_blocked watch_lines \
    a_run_that_will_not_come how_a_run_ended a_quiet_log \
    what_cannot_be_watched its_own_files \
    too_many_matches wrong_options few_descriptors
