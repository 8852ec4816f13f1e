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
	print <$s>;' "$box/var/lib/watchpathd/watchpathd.sock" "$1"
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
	"$WATCHPATHD" reload --root "$box"
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

what_cannot_be_watched() {
	rule r 'watch = /loop/f'
	ln -s loop "$box/loop"
	start_daemon
	ok "the log says what cannot be watched" is_logged 'r: .*/loop/f: Too many levels'
	ok "and the status" status_says r 'Too many levels of symbolic links'
	rm "$box/loop"
	mkdir "$box/loop"
	ok "the log says when it can" until_true 10 is_logged 'r: .*/loop/f: is watched again'
	put "$box/loop/f" 1
	ok "and it is" until_true 10 has_run_times r 1
}

too_many_matches() {
	mkdir "$box/d"
	perl -e 'for (1 .. 1100) { open(my $f, ">", "$ARGV[0]/$_") or die }' "$box/d"
	rule r 'watch = /d/*'
	on_run r "printf '%s\\n' \"\$WATCHPATHD_PATHS\" >>$dir/changed"
	printf '[daemon]\nrecheck = 200ms\nlog-level = debug\n' >"$conf/daemon.ini"
	start_daemon
	ok "the status says that a pattern has too many matches" \
	    status_says r '/d/*: 76 matches more than 1024: they are only looked at every'
	ok "the log says, if asked, when every path is looked at" \
	    until_true 10 is_logged 'debug: looking at every path'
	for n in 1 500 1100; do
		echo x >>"$box/d/$n"
	done
	ok "the changes of all of them are answered" until_true 20 have_runs_of "$box/d/1" \
	    "$box/d/500" "$box/d/1100"
}

# have_runs_of PATH...: has every one of them been told to an action?
have_runs_of() {
	for _path; do
		grep -q "$_path\$" "$dir/changed" || return 1
	done 2>/dev/null
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
	mkdir -p "$box/var/lib/watchpathd/history.jsonl"
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

run_tests requests hostile_answers stopping files_as_a_whole a_run_that_will_not_come how_a_run_ended \
    what_cannot_be_watched too_many_matches wrong_options few_descriptors
