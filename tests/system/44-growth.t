#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a daemon has done is no burden: after many clients, matches, rules that
# came and went, and runs it needs about as much memory as after a few.
. "$(dirname "$0")/lib.sh"

# ask TIMES REQUEST: one connection for each.
ask() {
	perl -MIO::Socket::UNIX -e '
	my ($path, $times, $request) = @ARGV;
	for (1 .. $times) {
		my $s = IO::Socket::UNIX->new(Peer => $path) or die;
		print $s "$request\n";
		$s->flush;
		print while <$s>;
	}' "$box$state_dir/watchpathd.sock" "$1" "$2"
}

memory() {
	ps -o rss= -p "$daemon"
}

# need_no_more WHAT COMMAND: given 1, it does some of it, which the memory that the
# daemon needs anyway is measured after; given 10, ten times as much.
need_no_more() {
	start_daemon
	"$2" 1
	kib=$(memory)
	"$2" 10
	more=$(($(memory) - kib))
	echo "# $1: $kib KiB, and $more more"
	if grep -q __asan_init "$WATCHPATHD"; then
		skip "$1 need no memory" "ASan keeps what was freed, and finds leaks itself"
		return
	fi
	ok "$1 need no memory when they are gone" test "$more" -le 1024
}

ask_often() {
	ask $((200 * $1)) '{"command":"status"}' >/dev/null
}

clients() {
	i=0
	while [ $i -lt 50 ]; do
		rule r$i "watch = /f$i"
		i=$((i + 1))
	done
	need_no_more clients ask_often
}

come_and_go() {
	_cycles=$((4 * $1))
	while [ $_cycles -gt 0 ]; do
		cp "$dir/many.ini" "$conf/many.ini"
		ask 1 '{"command":"reload"}' >/dev/null
		rm "$conf/many.ini"
		ask 1 '{"command":"reload"}' >/dev/null
		_cycles=$((_cycles - 1))
	done
}

rules() {
	i=0
	while [ $i -lt 200 ]; do
		printf '[r%d]\nwatch = /d/%d\nwatch = /d/*.%d\naction = /act one two\n' $i $i $i
		printf 'environment = A=%0150d\n' 0
		i=$((i + 1))
	done >"$dir/many.ini"
	need_no_more 'rules that come and go' come_and_go
}

# has_matches N: does the rule that is never run know of that many?
has_matches() {
	[ "$(ask 1 '{"command":"status","rule":"a"}' | grep -o '"state":"present"' |
	    grep -c .)" -eq "$1" ]
}

make_files() {
	_times=$1
	while [ "$_times" -gt 0 ]; do
		_times=$((_times - 1))
		perl -e 'for (1 .. 500) { open(my $f, ">", "$ARGV[0]/$ARGV[1].$_") or die }' \
		    "$box/d" "$1.$_times"
		until_true 30 has_matches 500
		perl -e 'unlink "$ARGV[0]/$ARGV[1].$_" for 1 .. 500' "$box/d" "$1.$_times"
		until_true 30 has_matches 0
	done
}

matches() {
	mkdir "$box/d"
	rule a 'watch = /d/*' 'on = attributes'
	rule r 'watch = /d/*' 'settle = 50ms'
	need_no_more 'matches of a pattern' make_files
}

run_often() {
	_times=$((10 * $1))
	_n=$(($(grep -c . "$dir/ends/r" 2>/dev/null) + _times))
	while [ $_times -gt 0 ]; do
		ask 1 '{"command":"trigger","rule":"r"}' >/dev/null
		_times=$((_times - 1))
		until_true 30 has_ended r $((_n - _times))
	done
}

runs() {
	rule r 'watch = /r' 'action = /act' 'environment = A=1'
	need_no_more runs run_often
}

# come_and_go_named FROM: 700 long names are there for as long as it takes to see them.
come_and_go_named() {
	perl -e 'for (1 .. 700) { open(my $f, ">", sprintf("%s/%d.%0200d", @ARGV, $_)) or die }' \
	    "$box/d" "$1"
	until_true 30 has_matches 700
	perl -e 'unlink sprintf("%s/%d.%0200d", @ARGV, $_) for 1 .. 700' "$box/d" "$1"
	until_true 30 has_matches 0
}

state_size() {
	_bytes=$(wc -c <"$box$state_dir/state.jsonl")
	echo "# $_bytes bytes of state"
	[ "$_bytes" -gt 200000 ] && [ "$_bytes" -lt 3000000 ]
}

names_that_are_owed() {
	mkdir "$box/d"
	rule a 'watch = /d/*' 'action = /later' 'cooldown = 0'
	start_daemon
	for _cycle in 1 2 3 4 5; do
		come_and_go_named $_cycle
	done
	ok "what is owed is saved" until_true 30 state_size
	kill -s KILL "$daemon"
	until_true 30 is_gone "$daemon"
	mv "$log" "$log.old"
	launch
	wait_ready
	on_run a "echo \"\$WATCHPATHD_PATHS_OMITTED\" >>$dir/omitted"
	cp "$box/act" "$dir/later"
	mv "$dir/later" "$box/later"
	ok "a run that was long in coming is told of a part by name only" \
	    until_true 30 grep -qs '^[1-9][0-9][0-9][0-9]' "$dir/omitted"
	until_true 30 has_ended a 1
	touch "$box/d/one"
	ok "and what it has answered is owed no more" \
	    until_true 30 grep -qs '^0$' "$dir/omitted"
}

run_tests clients rules matches runs names_that_are_owed
