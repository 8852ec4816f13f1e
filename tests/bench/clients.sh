#!/bin/sh
# SPDX-License-Identifier: MIT
#
# clients.sh [--quick]: do clients of the socket delay actions? A daemon with
# 10,000 rules, asked by nobody, by 24 clients of the worst kinds (three times as
# many as there is room for), and by `status --json` again and again, by turns.
# Exit status 1: with the clients the median from write to action is over 1.5
# times that without, or with status 99 of 100 are not within 20 ms of those
# without, or the median status takes half a second.
set -eu

limit=1.5 extra=20 slowest=500 rounds=5 writes=100
for option; do
	case $option in
	--quick) rounds=3 writes=50 ;;
	*)
		echo "usage: clients.sh [--quick]" >&2
		exit 64
		;;
	esac
done

# $dir is a directory of our own, $pids what is ended with it.
top=$(cd "$(dirname "$0")/../.." && pwd)
: "${WATCHPATHD:=$top/build/watchpathd}"
case $WATCHPATHD in
/*) ;;
*) WATCHPATHD=$PWD/$WATCHPATHD ;;
esac
conf_d=$("$WATCHPATHD" help run | sed -n 's/^  rules  *//p')
state_dir=$("$WATCHPATHD" help run | sed -n 's/^  state  *//p')
if [ ! -e /proc/self ]; then
	echo "${0##*/}: needs inotify" >&2
	exit 1
fi

dir=$(cd "$(mktemp -d /tmp/wpd.XXXXXX)" && pwd -P)
pids=
cleanup() {
	for pid in $pids; do
		kill "$pid" 2>/dev/null || :
	done
	wait
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# compile PROGRAM...: static, as what the loader of libc does is neither floor nor ours.
compile() {
	mkdir "$dir/bin"
	for program; do
		${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -static -o "$dir/bin/$program" \
		    "$top/tests/bench/$program.c"
	done
}

# files OF: its 100 files.
files() {
	_i=100
	while [ $_i -lt 200 ]; do
		echo "$dir/$1/watched/$_i"
		_i=$((_i + 1))
	done
}

make_files() {
	mkdir -p "$dir/$1/watched"
	for file in $(files "$1"); do
		: >"$file"
	done
}

# more RULES: that many rules that wait for files.
more() {
	_i=10000
	while [ $_i -lt $((10000 + $1)) ]; do
		printf '[more-%d]\nwatch = /more/%d\naction = /action x\n' $_i $_i
		_i=$((_i + 1))
	done
}

# start NAME RULES
start() {
	box=$dir/$1
	conf=$box$conf_d
	mkdir -p "$conf"
	cp "$dir/bin/action" "$box/action"
	_i=100
	while [ $_i -lt 200 ]; do
		printf '[r%d]\nwatch = /watched/%d\n' $_i $_i
		printf 'action = /action %s\n' "$dir/$1.record"
		printf 'settle = 0\ncooldown = 0\nretry = 0\n'
		_i=$((_i + 1))
	done >"$conf/measured.ini"
	# A rule file holds 1 MiB; a third of the rules each.
	more "$2" | split -l 9999 - "$conf/more-"
	for _file in "$conf"/more-*; do
		[ ! -e "$_file" ] || mv "$_file" "$_file.ini"
	done
	"$WATCHPATHD" run --root "$box" 2>"$dir/$1.log" &
	pids="$pids $!"
	_tries=0
	until grep -q "ready: $((100 + $2)) rules" "$dir/$1.log"; do
		_tries=$((_tries + 1))
		if [ $_tries -gt 600 ]; then
			echo "${0##*/}: the daemon does not get ready" >&2
			tail "$dir/$1.log" >&2
			exit 1
		fi
		sleep 0.1
	done
}

# rank FILE PART: of its lines in order, the one that has that part before it.
rank() {
	sort -n "$1" | awk -v part="$2" '{ v[NR] = $1 }
	END { n = int(NR * part + 0.5); print v[n < 1 ? 1 : n] }'
}

median() {
	rank "$1" 0.5
}

# asking PROGRAM SOCKET TIMES: status --json, and how many milliseconds each takes.
cat >"$dir/asking" <<'END'
use strict;
use Time::HiRes "time";
my ($program, $socket, $times) = @ARGV;
open(my $f, ">>", $times) or die;
$f->autoflush(1);
while (1) {
	my $from = time;
	my $out = `$program status --json --socket $socket`;
	die "no status" if $? != 0 || length $out < 1e6;
	printf $f "%d\n", 1000 * (time - $from);
}
END

compile action writer
make_files daemon
start daemon 10000
socket=$dir/daemon$state_dir/watchpathd.sock

# series WHAT NR: adds a series of writes, whose times are kept.
series() {
	"$dir/bin/writer" $writes $(($2 * writes)) 100 "$dir/daemon"
	cat "$dir/daemon.series" >>"$dir/$1.times"
	median "$dir/daemon.series" >>"$dir/$1.medians"
}

# lines FILE: how many it has.
lines() {
	cat "$1" 2>/dev/null | grep -c . || :
}

# beside WHAT NR FILE PROGRAM ARGUMENT...: a series while a perl program runs, from
# when it has written a line to the file.
beside() {
	_what=$1 _nr=$2 _file=$3
	shift 3
	_lines=$(lines "$_file")
	perl "$@" "$_file" &
	_pid=$!
	pids="$pids $_pid"
	until [ "$(lines "$_file")" -gt "$_lines" ]; do
		kill -0 $_pid || exit 1
		sleep 0.1
	done
	series "$_what" "$_nr"
	kill $_pid
	wait $_pid 2>/dev/null || :
}

i=0
while [ $i -lt $rounds ]; do
	series quiet $((3 * i))
	beside hostile $((3 * i + 1)) "$dir/ended" "$top/tests/bench/hostile.pl" "$socket"
	beside status $((3 * i + 2)) "$dir/asked" "$dir/asking" "$WATCHPATHD" "$socket"
	i=$((i + 1))
done

echo "From write to action, $rounds series of $writes writes, 10,000 rules:"
for what in quiet hostile status; do
	printf '%-8s median %6d us, 99 of 100 within %6d us\n' $what \
	    $(($(median "$dir/$what.medians") / 1000)) \
	    $(($(rank "$dir/$what.times" 0.99) / 1000))
done
printf 'status --json: median %d ms of %d, slowest %d ms\n' "$(median "$dir/asked")" \
    "$(grep -c . "$dir/asked")" "$(rank "$dir/asked" 1)"

awk -v q="$(median "$dir/quiet.medians")" -v h="$(median "$dir/hostile.medians")" \
    -v m=$limit 'BEGIN { exit !(h <= m * q) }' || {
	echo "The ratio is over $limit."
	exit 1
}
[ $(($(rank "$dir/status.times" 0.99) - $(rank "$dir/quiet.times" 0.99))) -le $((extra * 1000000)) ] || {
	echo "The delay is over $extra ms."
	exit 1
}
[ "$(median "$dir/asked")" -lt $slowest ] || {
	echo "A status takes $slowest ms."
	exit 1
}
