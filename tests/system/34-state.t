#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A state directory that is full, read-only, gone or never there, and one that
# holds a thousand rules; ten thousand for make bench.
. "$(dirname "$0")/restart.sh"

state=${state_dir#/}

# said N PATTERN: has the log it N times?
said() {
	[ "$(grep -c -- "$2" "$log")" -eq "$1" ]
}

# The state directory of the next two is a small disk that only the daemon sees.
# The socket is elsewhere: on a read-only disk nobody can connect to one.
start_on_a_disk() {
	if [ "$(id -u)" -ne 0 ] || ! command -v nsenter >/dev/null ||
	    ! unshare -m mount -t tmpfs -o size=64k none "$box" 2>/dev/null; then
		return 1
	fi
	rule fence 'watch = /fence' "settle = $fence"
	mkdir -p "$box/$state"
	unshare -m sh -c 'mount -t tmpfs -o size=64k,mode=700 none "$1/$2" &&
	    exec "$3" run --root "$1" --socket "$4"' \
	    sh "$box" $state "$WATCHPATHD" "$dir/socket" >>"$log" 2>&1 &
	daemon=$!
	wait_ready
}

inside() {
	nsenter -t "$daemon" -m "$@"
}

goes_on() {
	put "$box/f" 1
	wait_runs r 1
	put "$box/f" 2
	wait_runs r 2
	ok "$1: actions run" is_run r 2 change 1 create
	ok "$1: it is said" until_true 10 is_logged 'warning: the state cannot be saved'
	ok "$1: the status shows it" shows_problem
}

status_says() {
	"$WATCHPATHD" status --root "$box" --socket "$dir/socket" --json | grep -q "$1"
}

shows_problem() {
	status_says 'the state cannot be saved'
}

is_over() {
	ok "$1: it is over when it can be written again" \
	    until_true 20 is_logged 'the state is saved again'
	ok "$1: all is there then" until_true 5 has_all
	ok "$1: it was said once" said 1 'warning: the state cannot be saved'
	ok "$1: the status shows it no longer" not shows_problem
}

# Where nothing could be read the start is a run, too, or one with the first change.
has_all() {
	inside grep -q '"rule":"r".*"runs":"[23]"' "$box/$state/state.jsonl"
}

full() {
	rule r 'watch = /f' 'settle = 10ms'
	if ! start_on_a_disk; then
		skip 'a full disk' 'nothing can be mounted here'
		return
	fi
	inside dd if=/dev/zero of="$box/$state/fill" bs=4096 2>/dev/null
	inside sh -c "while echo x >>$box/$state/fill; do :; done 2>/dev/null"
	# The last page of the state's own file is there already.
	i=0
	until is_logged 'the state cannot be saved' || [ $i -ge 60 ]; do
		i=$((i + 1))
		put "$box/fence" x$i
		until_true 10 has_started fence $i
	done
	goes_on full
	ok "full: so is the history" until_true 10 status_says 'the history cannot be written'
	inside rm "$box/$state/fill"
	is_over full
	ok "full: the history is written again" \
	    until_true 20 is_logged 'the history is written again'
	ok "full: the status does not show that any longer" \
	    not status_says 'the history cannot be written'
	ok "full: no run is missing in it" \
	    [ "$(inside grep -c '"rule":"r"' "$box/$state/history.jsonl")" -eq 2 ]
}

read_only() {
	rule r 'watch = /f' 'settle = 10ms'
	if ! start_on_a_disk; then
		skip 'a read-only disk' 'nothing can be mounted here'
		return
	fi
	# The lock is open for writing, so only a mount above can be read-only.
	inside rm "$box/$state/state.jsonl"
	inside mount --bind "$box/$state" "$box/$state"
	ok "read-only: it becomes so" inside mount -o remount,bind,ro "$box/$state"
	put "$box/fence" x
	goes_on 'read-only'
	inside umount "$box/$state"
	is_over 'read-only'
}

inside_here() {
	inside() {
		"$@"
	}
}

vanished() {
	inside_here
	rule r 'watch = /f' 'settle = 10ms'
	start_daemon --socket "$dir/socket"
	mv "$box/$state" "$box/away"
	put "$box/f" 1
	wait_runs r 1
	put "$box/f" 2
	wait_runs r 2
	ok "vanished: actions run" is_run r 2 change 1 create
	ok "vanished: it is over when all is written anew" \
	    until_true 20 is_logged 'the state is saved again'
	ok "vanished: all is there then" until_true 5 has_all
	ok "vanished: it was said once" said 1 'warning: the state cannot be saved'
	kill_daemon
	put "$box/f" 3
	live_again
	ok "vanished: what changed in the next night is run" until_true 10 has_run_times r 3
	fence
	ok "vanished: and nothing else" has_runs r 3
}

never_there() {
	inside_here
	mkdir -p "$box/${state%/*}"
	: >"$box/$state"
	rule r 'watch = /f' 'settle = 10ms'
	start_daemon --socket "$dir/socket"
	# Without its state a rule counts as changed.
	wait_runs r 1
	put "$box/f" 1
	wait_runs r 2
	ok "a file in its place: actions run" is_run r 2 change 1 create
	ok "a file in its place: it is said" \
	    until_true 30 is_logged 'the state cannot be saved'
	rm "$box/$state"
	ok "a file in its place: it is over when that is gone" \
	    until_true 20 is_logged 'the state is saved again'
	ok "a file in its place: all is there then" until_true 5 has_all
}

# Nothing is to be saved, and still it is noticed. rm -r takes its time: names go
# one by one, and the directory last.
removed_while_idle() {
	rule r 'watch = /f' 'settle = 10ms'
	start_daemon
	put "$box/f" 1
	wait_runs r 1
	until_true 10 is_answered
	rm "$box/$state/watchpathd.sock"
	ok "a socket that was removed is back" until_true 10 is_answered
	rm -r "${box:?}/$state"
	ok "a state directory that was removed is back with its socket" \
	    until_true 10 is_answered
	ok "and all that was known" until_true 10 grep -qs '"rule":"r".*"runs":"1"' \
	    "$box/$state/state.jsonl"
	ok "the log has said so" is_logged 'warning: the state cannot be saved: find '
	ok "and that it is over" until_true 10 is_logged 'the state is saved again'
	rm "$box/$state/state.jsonl"
	ok "the file alone is written again, too" until_true 10 grep -qs '"rule":"r"' \
	    "$box/$state/state.jsonl"
	rm -r "${box:?}/$state"
	ok "a second time, too" until_true 10 is_answered
	launch_second
	ok "and no second daemon can have it" [ $? -eq 1 ]
}

is_answered() {
	"$WATCHPATHD" status --root "$box" r >/dev/null 2>&1
}

launch_second() {
	"$WATCHPATHD" run --root "$box" >>"$dir/second" 2>&1
}

# A stop does not wait for the next try.
mended_at_stop() {
	rule r 'watch = /f' 'settle = 10ms'
	start_daemon
	mv "$box/$state" "$box/away"
	: >"$box/$state"
	put "$box/f" 1
	until_true 10 is_logged 'the state cannot be saved'
	until_true 10 has_ended r 1
	rm "$box/$state"
	stop_daemon
	ok "what could not be saved is saved at stop" is_saved r '"runs":"1"'
}

# cpu_ms PID: what it has used so far.
cpu_ms() {
	awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print int(($12 + $13) * 1000 / hz) }' \
	    "/proc/$1/stat"
}

# probe SECONDS: how long a small request takes, again and again: the 95th
# percentile and the maximum in microseconds.
probe() {
	perl -MIO::Socket::UNIX -MTime::HiRes=time -e '
	my ($path, $sec) = @ARGV;
	my $end = time + $sec;
	my @t;
	while (time < $end) {
		my $from = time;
		my $s = IO::Socket::UNIX->new(Peer => $path) or die;
		print $s qq({"command":"run","rule":"fence","run":"x"}\n);
		$s->flush;
		my $reply = <$s>;
		push @t, 1e6 * (time - $from);
		Time::HiRes::usleep(300);
	}
	@t = sort { $a <=> $b } @t;
	printf "%d %d\n", $t[@t * 0.95], $t[-1];' "$box/$state/watchpathd.sock" "$1"
}

# beside WHAT SECONDS: how long small requests take, where that is to be measured.
beside() {
	[ "${PACE:-}" = exact ] || return 0
	probe "$2" >"$dir/$1"
	read -r _95 _max <"$dir/$1"
	echo "# $1: of 20 small requests 19 take at most $_95 us, all of them $_max"
}

many_rules() {
	many=1000
	[ "${PACE:-}" != exact ] || many=10000
	mkdir "$box/many"
	perl -e 'for (10000 .. 9999 + $ARGV[1]) {
		print "[r$_]\nwatch = /many/$_\naction = /act\n\n";
		open(my $f, ">", "$ARGV[0]/$_") or die;
	}' "$box/many" $many >"$conf/many.ini"
	fence=200ms
	start_daemon
	[ ! -e /proc/self/stat ] ||
	    at_pace "$many rules: the first start, in ms of CPU" "$(cpu_ms "$daemon")" 1000
	ok "$many rules: all are in the state" \
	    test "$(grep -c '"rule":"r1' "$(state_file)")" -eq $many
	beside rest 2
	# All is written anew when a save fails.
	rm "$(state_file)"
	put "$box/fence" 1
	until_true 10 is_logged 'the state cannot be saved'
	beside rewriting 12
	ok "$many rules: all are written anew" until_true 30 is_logged 'the state is saved again'
	if [ -e "$dir/rewriting" ]; then
		read -r rest _max <"$dir/rest"
		read -r busy _max <"$dir/rewriting"
		at_pace "$many rules: an event waits longer meanwhile, in us" \
		    $((busy - rest)) 5000
	fi
	restart
	put "$box/many/10000" x
	until_true 30 has_run_times r10000 1
	ok "$many rules: the next life knows them all" test "$(echo "$dir"/runs/r*)" = "$dir/runs/r10000"
}

run_tests full read_only vanished never_there removed_while_idle mended_at_stop many_rules
