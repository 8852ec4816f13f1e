#!/bin/sh
# SPDX-License-Identifier: MIT
#
# latency.sh [--quick] [--files]: how long after a write does the action start?
# The daemon, with settle = 0 and cooldown = 0, by itself and with 10,000 more
# rules, against a bare inotify and posix_spawn program. Exit status 1: its median
# is over 1.5 times that of the bare program.
#
# The writes are interleaved, so that a busy moment meets all three. Each is to
# the next of 100 files with a rule of its own: a file that changes within 2 s of
# its run, ten times in a row, would seem to trigger itself.
#
# The 10,000 rules wait for files that are not there; with --files they are, and
# the daemon has 10,000 more descriptors. Linux copies them for every spawn, and
# closes them again: about a millisecond that is not ours.
set -eu

. "$(dirname "$0")/lib.sh"

limit=1.5 series=5 writes=200
for option; do
	case $option in
	--quick) series=3 writes=70 ;;
	--files) exist=yes ;;
	*)
		echo "usage: latency.sh [--quick] [--files]" >&2
		exit 64
		;;
	esac
done

compile action bare writer
for what in bare daemon loaded; do
	make_files $what
done
# shellcheck disable=SC2046 # one word a file
"$dir/bin/bare" "$dir/bin/action" "$dir/bare.record" $(files bare) >"$dir/bare.log" &
pids=$!
start daemon 0
start loaded 10000

# series_of NAME: the median of its series, which is printed and kept.
series_of() {
	cat "$dir/$1.series" >>"$dir/$1.times"
	median "$dir/$1.series" | tee -a "$dir/$1.medians"
}

# line WORD BARE DAEMON LOADED
line() {
	awk -v w="$1" -v b="$2" -v d="$3" -v l="$4" 'BEGIN {
		printf "%-7s %9.0f us %9.0f us %6.2f %9.0f us %6.2f\n",
		    w, b / 1000, d / 1000, d / b, l / 1000, l / b }'
}

echo "From write to action, medians of $writes writes:"
printf '%-7s %12s %12s %6s %12s %6s\n' series bare daemon ratio '+10,000' ratio
i=0
while [ $i -lt $series ]; do
	"$dir/bin/writer" $writes $((i * writes)) 100 \
	    "$dir/bare" "$dir/daemon" "$dir/loaded"
	i=$((i + 1))
	b=$(series_of bare)
	d=$(series_of daemon)
	l=$(series_of loaded)
	line $i "$b" "$d" "$l"
done
b=$(median "$dir/bare.medians")
d=$(median "$dir/daemon.medians")
l=$(median "$dir/loaded.medians")
line median "$b" "$d" "$l"
line '99 %' "$(rank "$dir/bare.times" 0.99)" "$(rank "$dir/daemon.times" 0.99)" \
    "$(rank "$dir/loaded.times" 0.99)"
awk -v b="$b" -v d="$d" -v l="$l" -v m=$limit \
    'BEGIN { exit !(d <= m * b && l <= m * b) }' && exit 0
echo "The ratio is over $limit."
exit 1
