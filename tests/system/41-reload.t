#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Rule files that change while the daemon runs: what has not changed goes on
# undisturbed, what has is put in force, and no change of a watched file is lost.
. "$(dirname "$0")/lib.sh"

crash=${BUILD:-$top/build}/crash/crash
seed=${WATCHPATHD_SEED:-$(date +%s)}
[ "${PACE:-}" != slow ] || : "${RELOADS:=30}"
reloads=${RELOADS:-200}
if [ ! -x "$crash" ]; then
	echo "Bail out! $crash is not there: make helpers builds it"
	exit 1
fi

# reload: what it says of refused files is in $dir/refused, its status in $status.
reload() {
	status=0
	"$WATCHPATHD" reload --root "$box" >"$dir/refused" 2>&1 || status=$?
}

# get RULE KEY: a member of the rule's status; get '' KEY: of the daemon's.
get() {
	"$WATCHPATHD" status --json --root "$box" | perl -MJSON::PP -e '
	my ($rule, $key) = @ARGV;
	my $s = decode_json(join "", <STDIN>);
	($s) = grep { $_->{name} eq $rule } @{$s->{rules}} if $rule ne "";
	my $v = $s->{$key};
	print ref $v ? JSON::PP->new->allow_nonref->encode($v) : defined $v ? $v : "null"' "$1" "$2"
}

# is RULE KEY VALUE
is() {
	_value=$(get "$1" "$2")
	[ "$_value" = "$3" ] && return
	echo "# $1: $2 is $_value, not $3"
	return 1
}

# is_in RULE STATE: as is, but says nothing.
is_in() {
	[ "$(get "$1" state)" = "$2" ]
}

# same_time A B: they are computed anew each time, between two looks at clocks.
same_time() {
	perl -MTime::Local -e 'my @t = map {
	    /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/ or exit 1;
	    timegm($6, $5, $4, $3, $2 - 1, $1) } @ARGV;
	exit(abs($t[0] - $t[1]) > 5)' "$1" "$2"
}

# has RULE KEY PATTERN
has() {
	get "$1" "$2" | grep -q -e "$3"
}

# The daemon reloads by itself when the files have been quiet for a second. What
# shows that it has is waited for: lines of the log may come late.

# becomes WHAT RULE KEY VALUE
becomes() {
	_says=$1
	shift
	until_true 30 is "$@" >/dev/null
	ok "$_says" is "$@"
}

# count_log PATTERN N: is it there N times?
count_log() {
	[ "$(grep -c -- "$1" "$log")" -ge "$2" ]
}

# The storm.

# write_rule I FILE LINE...
write_rule() {
	_n=$1 _file=$2
	shift 2
	case $((_n % 4)) in
	1) _watch="/r$_n/*.x" ;;
	3) _watch="/r$_n/e/f" ;;
	*) _watch="/r$_n" ;;
	esac
	printf '[r%d]\nwatch = %s\naction = /crash act 0 5\nenvironment = DIR=%s\n' \
	    "$_n" "$_watch" "$dir" >>"$_file"
	printf 'retry = forever\nretry-delay = 20ms\n%s\n%s\n' \
	    "${1:-settle = 20ms}" "${2:-cooldown = 50ms}" >>"$_file"
}

# Every rule in a file of its own.
put_all() {
	i=0
	while [ $i -lt 20 ]; do
		put_one $i
		i=$((i + 1))
	done
}

# put_one I LINE...: replaces its file, wherever else the rule may be.
put_one() {
	_i=$1
	shift
	: >"$dir/new"
	write_rule "$_i" "$dir/new" "$@"
	rm -f "$conf/z$_i.ini"
	mv "$dir/new" "$conf/r$_i.ini"
}

break_one() {
	if [ -e "$conf/r$1.ini" ]; then
		echo 'nonsense = 1' >>"$conf/r$1.ini"
	fi
}

move_one() {
	if [ -e "$conf/r$1.ini" ]; then
		mv "$conf/r$1.ini" "$conf/z$1.ini"
	fi
}

switch_off_and_on() {
	if [ -e "$conf/r$1.ini" ]; then
		mv "$conf/r$1.ini" "$conf/r$1.ini.off"
		[ $((step % 3)) -eq 0 ] || reload
		mv "$conf/r$1.ini.off" "$conf/r$1.ini"
	fi
}

# Two rules change places.
mix() {
	rm -f "$conf/r$1.ini" "$conf/z$1.ini" "$conf/r$2.ini" "$conf/z$2.ini"
	: >"$dir/new"
	write_rule "$1" "$dir/new"
	write_rule "$2" "$dir/new"
	mv "$dir/new" "$conf/r$1.ini"
}

unmix() {
	put_one "$1"
	put_one "$2"
}

mutate() {
	i=$((step * 7 % 20))
	case $((step % 11)) in
	0) put_one $i "settle = $((10 + step % 50))ms" ;;
	1) rm -f "$conf/r$i.ini" ;;
	2) put_one $(((step - 1) * 7 % 20)) ;;
	3) move_one $i ;;
	4) break_one $i ;;
	5) put_one $(((step - 1) * 7 % 20)) 'settle = 0' ;;
	6) switch_off_and_on $i ;;
	7) put_one $i 'enabled = no' ;;
	8) put_one $(((step - 1) * 7 % 20)) 'settle = 20ms' 'cooldown = 0' ;;
	9) put_one $i 'lock = l' 'splay = 20ms' ;;
	10) mix $i $(((i + 1) % 20)) && reload && unmix $i $(((i + 1) % 20)) ;;
	esac
}

# What the daemon has open: files that it watches, and others.
open_files() {
	ls -l "/proc/$daemon/fd" | sed -n "s|.* -> \($box/\)|\1|p" | LC_ALL=C sort
}

others() {
	ls -l "/proc/$daemon/fd" | grep -c -v -e " -> $box/" -e '^total'
}

memory() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$daemon/status"
}

storm() {
	cp "$crash" "$box/crash"
	fence=100ms
	[ -z "$faults" ] || reloads=$((reloads / 2))
	"$crash" write "$dir" "$seed" >"$dir/tap" &
	writer=$!
	trap 'kill "$writer" 2>/dev/null; finish_test' EXIT
	until_true 10 grep -q 'files are there' "$dir/tap"
	put_all
	start_daemon
	: >"$dir/go"
	step=0
	while [ $step -lt "$reloads" ]; do
		step=$((step + 1))
		mutate
		if [ $((step % 100)) -eq 50 ]; then
			reloads_itself "$step"
		else
			reload
		fi
		[ $step -ne $((reloads / 10)) ] || take_stock
	done
	put_all
	reload
	ok "the last reload is a good one" test $status -eq 0
	: >"$dir/stop"
	wait $writer || failed=yes
	cat "$dir/tap"
	check_stock
	echo "# seed $seed, $(grep -c 'info: reloaded: ' "$log") reloads"
}

# reloads_itself STEP: a rule of that name comes by itself.
reloads_itself() {
	printf '[by-itself]\nwatch = /x%d\naction = /act\n' "$1" >"$conf/by-itself.ini"
	until_true 30 has by-itself state idle ||
	    ok "the daemon reloads by itself in step $1" false
	rm "$conf/by-itself.ini"
}

# is_calm: is there no rule that waits for something or runs?
is_calm() {
	! "$WATCHPATHD" status --json --root "$box" |
	    grep -q '"state":"\(settling\|cooldown\|queued\|running\|stopping\|retrying\)"'
}

# What the daemon has open is counted while nothing changes, and nothing runs.
calm_down() {
	reload
	until_true 60 is_calm || ok "the daemon comes to rest" false
}

take_stock() {
	[ -d "/proc/$daemon/fd" ] || return 0
	put_all
	kill -STOP "$writer"
	calm_down
	others=$(others) kib=$(memory)
	kill -CONT "$writer"
}

check_stock() {
	if [ ! -d "/proc/$daemon/fd" ]; then
		skip "descriptors and memory" "no /proc here"
		return
	fi
	calm_down
	ok "after all these reloads as many descriptors of no file are open" \
	    test "$(others)" -eq "$others"
	open_files >"$dir/open"
	ok "and each file once" test -z "$(uniq -d "$dir/open")"
	ok "and none that is gone" not grep 'deleted' "$dir/open"
	echo "# memory: $kib KiB, then $(memory)"
	if grep -q __asan_init "$WATCHPATHD"; then
		skip "memory" "ASan keeps what was freed"
	else
		ok "and about as much memory is used" test "$(memory)" -le $((kib + kib / 3))
	fi
}

# What is kept.

what_has_not_changed() {
	rule wait 'watch = /w' 'retry = 5' 'retry-delay = 1h'
	rule cool 'watch = /c' 'cooldown = 1h'
	rule other 'watch = /o'
	start_daemon
	on_run wait status=1
	put "$box/w" 1
	put "$box/c" 1
	wait_runs wait 1
	wait_runs cool 1
	until_true 10 is_logged ' wait: running -> retrying'
	until_true 10 has_ended cool 1
	put "$box/c" 2
	until_true 10 is_in cool cooldown
	due=$(get wait due) cool_due=$(get cool due)
	rule other 'watch = /o' 'settle = 200ms'
	rule third 'watch = /t'
	reload
	ok "a reload that changes others is a good one" test $status -eq 0
	ok "a rule that did not change keeps its attempt" is wait attempt 2
	ok "and the time of its retry" \
	    same_time "$due" "$(get wait due)"
	ok "one in its cooldown stays in it" \
	    same_time "$cool_due" "$(get cool due)"
	ok "and owes what it owed" is cool pending true
}

a_broken_file() {
	rule r 'watch = /f'
	start_daemon
	echo 'nonsense = 1' >>"$conf/r.ini"
	reload
	ok "reload says by its status that a file was refused" test $status -eq 65
	ok "and on stderr which, and why" grep -q 'r.ini:6: .*nonsense' "$dir/refused"
	ok "the status lists it" has '' refused '"r.ini"'
	put "$box/f" 1
	fence
	ok "the last good version of it stays in force" has_runs r 1
	rule r 'watch = /g'
	becomes "repaired, it is refused no longer" '' refused '[]'
	put "$box/g" 1
	wait_runs r 2
	ok "and is in force" is_path r 2 "$box/g"
}

is_path() {
	get_run "$1" "$2"
	[ "$path" = "$3" ]
}

another_file() {
	rule r 'watch = /f' 'retry = 5' 'retry-delay = 1h'
	rule broken 'watch = /b'
	start_daemon
	on_run r status=1
	put "$box/f" 1
	wait_runs r 1
	until_true 10 is_in r retrying
	due=$(get r due)
	mv "$conf/r.ini" "$conf/s.ini"
	reload
	ok "a rule that moved to another file is of that file" is r file s.ini
	ok "it keeps its attempt" is r attempt 2
	ok "and the time of its retry" \
	    same_time "$due" "$(get r due)"
	on_run r status=0
	put "$box/f" 2
	wait_runs r 2
	ok "and still watches" is_path r 2 "$box/f"
	cat "$conf/s.ini" >>"$conf/broken.ini"
	reload
	ok "two files with the same rule are refused" test $status -eq 65
	put "$box/f" 3
	fence
	ok "and what was in force stays" has_runs r 3
	put "$box/b" 1
	fence
	ok "that of the other file too" has_runs broken 1
}

a_removed_rule() {
	rule r 'watch = /f' 'watch = /d/*.x'
	mkdir "$box/d"
	: >"$box/d/1.x"
	start_daemon
	hold r
	put "$box/f" 1
	wait_runs r 1
	get_run r 1
	mv "$conf/r.ini" "$dir/kept"
	until_true 30 is_in r null
	ok "the run of a removed rule goes on" is_alive "$pid"
	rm "$box/d/1.x"
	mv "$dir/kept" "$conf/r.ini"
	becomes "a rule that comes back meanwhile is running" r state running
	fence
	ok "and waits for that run to end" has_runs r 1
	release r
	wait_runs r 2
	ok "then it runs for what changed while it was away" is_change r 2 delete
	ok "what was removed and ran to its end is in the history" \
	    until_true 10 in_history "$run"
	until_true 30 is_in r idle
	reload
	kill_daemon
	launch
	until_true 20 is_ready 2
	fence
	ok "after another start it is not run again for that" has_runs r 2
}

kill_daemon() {
	kill -KILL "$daemon"
	{ wait "$daemon"; } 2>/dev/null
}

# is_ready N: for the Nth time?
is_ready() {
	count_log 'info: ready: ' "$1"
}

is_change() {
	get_run "$1" "$2"
	[ "$change" = "$3" ]
}

in_history() {
	"$WATCHPATHD" history --json --root "$box" | grep -q "\"run\":\"$1\""
}

removed_for_good() {
	rule r 'watch = /f'
	start_daemon
	hold r
	put "$box/f" 1
	wait_runs r 1
	get_run r 1
	rm "$conf/r.ini"
	reload
	put "$box/f" 2
	release r
	ok "the run of a rule that is gone is in the history" \
	    until_true 10 in_history "$run"
	fence
	ok "and the rule does not run again" has_runs r 1
	rule r 'watch = /f'
	reload
	wait_runs r 2
	ok "until it is back: what changed meanwhile is owed" is_change r 2 create
	fence
	ok "once" has_runs r 2
}

# What the last run left is found again, as its record has it.
removed_while_it_failed() {
	rule r 'watch = /f' 'retry = 5' 'retry-delay = 1h'
	start_daemon
	hold r
	on_run r status=1
	put "$box/f" 1
	wait_runs r 1
	get_run r 1
	mv "$conf/r.ini" "$dir/r.ini"
	reload
	release r
	until_true 30 in_history "$run"
	mv "$dir/r.ini" "$conf/r.ini"
	reload
	becomes "a rule that is back waits for the retry of the run that outlived it" \
	    r state retrying
	ok "with its attempt" is r attempt 2
	fence
	ok "and does not run before" has_runs r 1
}

# Settings and rules of a file that is refused stay.
settings_of_a_refused_file() {
	printf '[daemon]\nmax-running = 1\n' >"$conf/daemon.ini"
	rule a 'watch = /a'
	rule b 'watch = /b'
	start_daemon
	echo 'nonsense = 1' >>"$conf/daemon.ini"
	reload
	ok "a file with settings is refused" test $status -eq 65
	hold a
	put "$box/a" 1
	wait_runs a 1
	put "$box/b" 1
	becomes "its settings of before stay in force" b state queued
	printf '[daemon]\nmax-running = 2\n' >"$conf/daemon.ini"
	reload
	ok "until it is a good one" until_true 30 has_run_times b 1
	release a
}

at_start_is_for_the_start() {
	: >"$box/f"
	start_daemon
	rule always 'watch = /missing' 'at-start = always'
	rule there 'watch = /f' 'at-start = always'
	rule new 'watch = /f' 'at-start = new'
	reload
	wait_runs new 1
	fence
	ok "at-start = always: a reload is no start" has_runs always 0
	ok "but what is there is new to a rule that comes" has_runs there 1
	ok "as it is to at-start = new" has_runs new 1
}

# has_rechecked N
has_rechecked() {
	count_log 'debug: looking at every path' "$1"
}

a_recheck() {
	rule r 'watch = /f'
	printf '[daemon]\nrecheck = 2s\nlog-level = debug\n' >"$conf/daemon.ini"
	start_daemon
	until_true 30 has_rechecked 3
	ok "a recheck of rule files that did not change reloads nothing" \
	    not is_logged 'reloaded: '
	rule r 'watch = /g'
	ok "one that did is reloaded" until_true 30 is_logged 'reloaded: '
}

make_and_remove() {
	perl -e 'for (1 .. 50) { open(my $f, ">", "$ARGV[0]/$_") or die }
	    unlink map { "$ARGV[0]/$_" } 1 .. 50' "$box/d"
}

# Neither those whose going is owed to nobody, nor those whose going was answered.
matches_that_went() {
	mkdir "$box/d"
	: >"$box/d/stays"
	rule c 'watch = /d/*' 'on = create'
	rule d 'watch = /d/*' 'on = delete'
	rule a 'watch = /d/*' 'on = attributes'
	start_daemon
	ok "matches are counted" is_logged 'ready: 4 rules, 4 paths'
	for n in 1 2 3; do
		make_and_remove
		fence
	done
	until_true 60 is_calm
	reload
	ok "those that went are forgotten" \
	    until_true 30 is_logged 'reloaded: 4 rules, 4 paths'
}

switched_off() {
	rule r 'watch = /f' 'retry-delay = 10ms'
	start_daemon
	hold r
	on_run r status=1
	put "$box/f" 1
	wait_runs r 1
	rule r 'watch = /f' 'retry-delay = 10ms' 'enabled = no'
	reload
	release r
	until_true 10 has_ended r 1
	fence
	ok "a rule that was switched off while it ran does not run again" has_runs r 1
	# A state file that is written anew keeps it: each reload does that.
	reload
	on_run r status=0
	rule r 'watch = /f' 'retry-delay = 10ms'
	reload
	wait_runs r 2
	fence
	ok "switched on it makes up for the run that failed" has_runs r 2
}

# A directory that cannot be read, and is mended.

no_directory() {
	rmdir "$conf"
	launch
	wait_ready
	ok "a daemon without conf.d starts" is_alive "$daemon"
	ok "and says so" has '' warnings 'rule files cannot be read'
	mkdir "$dir/conf"
	printf '[r]\nwatch = /f\naction = /act\nsettle = 0\n' >"$dir/conf/r.ini"
	mv "$dir/conf" "$conf"
	becomes "a conf.d that is moved there is read" r state idle
	ok "and nothing is said any more" is '' warnings '[]'
	mv "$conf" "$dir/conf"
	ok "one that goes is missed" until_true 30 has '' warnings 'rule files cannot be read'
	put "$box/f" 1
	wait_runs r 1
	ok "and leaves its rules in force" has_runs r 1
	printf '[s]\nwatch = /f\naction = /act\nsettle = 0\n' >"$dir/conf/s.ini"
	mv "$dir/conf" "$conf"
	becomes "one that is put there as a whole is read" s state idle
	put "$box/f" 2
	wait_runs s 1
	ok "and watches" has_runs s 1
}

refused_directory() {
	rule r 'watch = /f'
	chmod 777 "$conf"
	launch
	wait_ready
	ok "a conf.d that all may write is refused" has '' refused 'writable by'
	chmod 755 "$conf"
	becomes "and read when its mode is repaired" r state idle
	chmod 775 "$conf/../.."
	reload
	ok "a directory above it counts too" has '' refused 'writable by group'
	put "$box/f" 1
	wait_runs r 1
	becomes "but what was in force stays" r runs 1
	chmod 755 "$conf/../.."
	becomes "until that is repaired" '' refused '[]'
	chmod 666 "$conf/r.ini"
	reload
	ok "a file that all may write is refused" test $status -eq 65
	ok "a finding about all of a file has no line" grep -q '^r.ini: error: ' "$dir/refused"
	"$WATCHPATHD" status --root "$box" >"$dir/table"
	ok "in the status neither" grep -q '^refused: r.ini: writable' "$dir/table"
	ok "nor in the log" is_logged "error: $conf/r.ini: writable"
	chmod 644 "$conf/r.ini"
	becomes "and taken when its mode is repaired" '' refused '[]'
}

# Once each: in the log, in the status and by doctor.
files_that_are_not_read() {
	rule r 'watch = /f'
	mkdir "$conf/examples"
	: >"$conf/r.conf"
	: >"$conf/r.ini~"
	: >"$conf/examples/s.ini"
	start_daemon
	said='r.conf: not read: the name of a rule file ends in .ini'
	ok "a file that is no rule file is named in the log" \
	    [ "$(grep -c "warning: $conf/$said" "$log")" = 1 ]
	ok "and in the status" is '' warnings "[\"$said\"]"
	"$WATCHPATHD" status --root "$box" >"$dir/table"
	ok "and in its table" grep -q "^warning: $said" "$dir/table"
	"$WATCHPATHD" doctor --root "$box" >"$dir/doctor"
	ok "and by doctor, once" [ "$(grep -c 'r.conf' "$dir/doctor")" = 1 ]
	mv "$conf/r.conf" "$conf/s.ini.off"
	becomes "and never when it is set aside" '' warnings '[]'
}

a_linked_directory() {
	rule r 'watch = /f'
	mkdir "$box/other"
	mv "$conf" "$box/first"
	ln -s "$box/first" "$conf"
	launch
	wait_ready
	if is r state idle; then
		printf '[s]\nwatch = /f\naction = /act\nsettle = 0\n' >"$box/other/s.ini"
		ln -s "$box/other" "$dir/link"
		mv -T "$dir/link" "$conf"
		becomes "another directory behind the link is read" s state idle
	else
		ok "a conf.d that is a link is refused, and says so" \
		    has '' warnings 'rule files cannot be read'
		rm "$conf"
		mv "$box/first" "$conf"
		becomes "and read when a directory is there instead" r state idle
	fi
	put "$box/f" 1
	ok "and its rules watch" until_true 30 has_logged_run
}

has_logged_run() {
	is_logged ' -> running, run '
}

run_tests storm storm:shuffle,split,merge what_has_not_changed a_broken_file another_file \
    a_removed_rule removed_for_good removed_while_it_failed settings_of_a_refused_file \
    at_start_is_for_the_start a_recheck matches_that_went switched_off no_directory \
    refused_directory files_that_are_not_read \
    a_linked_directory
