#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo.sh: `make demo`. A new FileVault recovery key, from the file being written
# to the MDM's command being started: the real daemon and the rule as it ships, in
# a sandbox with a stand-in for the MDM's command. Leaves nothing behind.
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

# What the daemon has logged since the last call, without where the sandbox lies.
show_log() {
	lines=$(wc -l <"$log")
	if [ "$lines" -gt "$shown" ]; then
		sed -n "$((shown + 1)),${lines}p" "$log" |
		    sed "s|$root/|/|g; s|$top/||g; s/^/    /"
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
wait_for 3 is_logged 'filevault-escrow: running -> idle, .* succeeded' ||
    fail 'the command did not succeed'

took=$(echo "$(written "$started") $(written "$key")" | awk '{ printf "%.2f", $1 - $2 }')
settle=$(sed -n 's/^settle  *= *//p' "$rule")
stop_daemon
cat <<END

From the key being written to the command being started: $took s.
Of that, $settle is the rule's own wait for the file to be whole (settle).

To compare, as Elliot Jordan measured in 2023, up to the MDM server having asked
for the key (SecurityInfo), so with the MDM's own time, which a stand-in has not:
    18 h    with the daily inventory
    21 s    with a daemon that watches the file
On a Mac the MDM's own time comes on top of the $took s too.
END
