#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo.sh: `make demo`. A new FileVault recovery key, from the file being written
# to the MDM's command being started: the real daemon and the rule as it ships, in
# a sandbox with a stand-in for the MDM's command. Leaves nothing behind, but in the
# file RECORD, if that is given, what pictures.pl draws: the times of the rule, when
# the key was written, and the line of the history.
set -eu

cd "$(dirname "$0")/.."
: "${WATCHPATHD:=build/watchpathd}"
rule=conf.d/filevault-escrow.ini
# What the daemon is to trust must not be writable by others.
umask 022
top=$(mktemp -d /tmp/wpd.XXXXXX)
top=$(cd "$top" && pwd -P)
log=$top/log
root=$top/root
key=$root/var/db/FileVaultPRK.dat
jamf=$root/usr/local/jamf/bin/jamf
started=$top/started
shown=0
daemon=''

stop_daemon() {
	[ -n "$daemon" ] || return 0
	kill "$daemon" 2>/dev/null || :
	wait "$daemon" 2>/dev/null || :
	daemon=''
}

# Killed where it does not end by itself: then the demo has failed anyway.
clean_up() {
	trap '' HUP INT TERM
	if [ -n "$daemon" ]; then
		(sleep 5 && kill -9 "$daemon") >/dev/null 2>&1 &
		guard=$!
		stop_daemon
		kill "$guard" 2>/dev/null || :
	fi
	rm -rf "$top"
}

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# in_columns: the lines of a log, each with its time but not its date, and none of
# more than 79 columns.
in_columns() {
	sed 's/^....-..-..T\(.*\)Z info: /\1 /; s/^....-..-..T\(.*\)Z /\1 /' | awk '{
		line = "   "
		for (i = 1; i <= NF; i++) {
			if (length(line) + length($i) >= 79) {
				print line
				line = "                "
			}
			line = line " " $i
		}
		print line
	}'
}

# What the daemon has logged since the last call, without where the sandbox lies.
show_log() {
	lines=$(wc -l <"$log")
	if [ "$lines" -gt "$shown" ]; then
		sed -n "$((shown + 1)),${lines}p" "$log" | sed "s|$root/|/|g; s|$top/||g" |
		    in_columns
		shown=$lines
	fi
}

fail() {
	show_log
	echo "demo: FAILED: $*" >&2
	if [ -n "$daemon" ] && ! kill -0 "$daemon" 2>/dev/null; then
		echo "demo: the daemon is not running any more" >&2
	fi
	exit 1
}

# wait_for SECONDS COMMAND...: shows the log meanwhile; false if it took longer.
wait_for() {
	tries=$(($1 * 10))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		kill -0 "$daemon" 2>/dev/null || return 1
		sleep 0.1
		show_log
	done
	show_log
}

is_logged() {
	grep -q "$1" "$log"
}

# When a file was last written, in seconds to the millisecond or better: GNU's
# stat, or that of macOS.
written() {
	stat -c %.6Y "$1" 2>/dev/null || stat -f %Fm "$1"
}

: >"$log"
[ -x "$WATCHPATHD" ] || fail "$WATCHPATHD is not there: make first"
mkdir -p "$top/conf.d" "${jamf%/*}" "${key%/*}"
cp "$rule" "$top/conf.d/"
cat >"$jamf" <<END
#!/bin/sh
: >'$started'
echo "stand-in for jamf: \$*"
sleep 1
END
chmod 755 "$jamf"

echo "The rule that ships, $rule, without its comments:"
sed -n '/^[^;]/s/^/    /p' "$rule"
echo
echo 'The daemon, in a sandbox: watchpathd run --root ROOT --config CONF.D'
echo '(paths below ROOT are shown without it)'
"$WATCHPATHD" run --root "$root" --config "$top/conf.d" >"$log" 2>&1 </dev/null &
daemon=$!
wait_for 5 is_logged 'info: ready: ' || fail 'the daemon did not become ready'

echo
echo 'A new key: 460 random bytes are written to ROOT/var/db/FileVaultPRK.dat'
head -c 460 /dev/urandom >"$key"
wait_for 8 test -e "$started" || fail 'the command was not started'
wait_for 8 is_logged 'filevault-escrow: running -> idle, .* succeeded' ||
    fail 'the command did not succeed'

took=$(echo "$(written "$started") $(written "$key")" | awk '{ printf "%.2f", $1 - $2 }')
settle=$(sed -n 's/^settle  *= *//p' "$rule")
stop_daemon
if [ -n "${RECORD:-}" ]; then
	echo "settle=$settle cooldown=$(sed -n 's/^cooldown  *= *//p' "$rule")" \
	    "written=$(written "$key")" | cat - "$root"/var/*/watchpathd/history.jsonl |
	    sed "s|$root/|/|g" >"$RECORD"
fi
cat <<END

From the key being written to the command being started: $took s.
Of that, $settle is the rule's own wait for the file to be whole (settle).

To compare, as Elliot Jordan measured in 2023, up to the MDM server having
asked for the key (SecurityInfo), so with the time that the MDM itself takes:
    18 h    with the daily inventory
    21 s    with a daemon that watches the file
A stand-in has no MDM; on a Mac its time comes on top of the $took s.

What to try next:
    make sandbox                             a sandbox that stays, in ./box
    build/watchpathd run --root box --config box/conf.d
    echo 127.0.0.1 me >>box/etc/hosts        in another terminal: its rule runs
END
