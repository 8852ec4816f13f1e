# SPDX-License-Identifier: MIT
#
# What the benchmarks share. $dir is a directory of their own, $pids what is
# ended with them.

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
exist=no
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

# more RULES: that many rules on files that nobody writes.
more() {
	_i=10000
	while [ $_i -lt $((10000 + $1)) ]; do
		[ $exist = no ] || : >"$box/more/$_i"
		printf '[more-%d]\nwatch = /more/%d\naction = /action x\n' $_i $_i
		_i=$((_i + 1))
	done
}

# start NAME RULES
start() {
	box=$dir/$1
	conf=$box$conf_d
	mkdir -p "$conf" "$box/more"
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
