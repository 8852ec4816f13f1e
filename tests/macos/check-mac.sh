#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-mac.sh PROGRAM: `sudo make check-mac`. Tries the daemon under launchd, with
# a label and directories of its own, next to one that may be installed: limits,
# being killed, actions that outlive it, stopping, and what privacy protection lets
# it see. TAP on stdout. All of it is removed at the end, also when interrupted.
# LAUNCHCTL and LOG name stand-ins for the system's, for tests of this script.
set -u

program=${1:?usage: check-mac.sh PROGRAM}
label=org.watchpathd.test
plist_of_product=$(dirname "$0")/../../src/macos/org.watchpathd.plist
# A file that privacy protection keeps from everybody without a grant.
: "${PROTECTED:=/Library/Application Support/com.apple.TCC/TCC.db}"

fail() {
	echo "check-mac: $*" >&2
	exit 1
}

if [ -z "${LAUNCHCTL:-}" ]; then
	[ "$(uname -s)" = Darwin ] || fail "launchd is on macOS only"
	[ "$(id -u)" -eq 0 ] || fail "only root may start daemons: sudo make check-mac"
	LAUNCHCTL=/bin/launchctl LOG=/usr/bin/log
fi
[ -x "$program" ] || fail "$program is not there: make macos"
case $program in
/*) ;;
*) program=$PWD/$program ;;
esac
if $LAUNCHCTL print "system/$label" >/dev/null 2>&1; then
	fail "$label is there already: sudo launchctl bootout system/$label"
fi

umask 022
dir=$(cd "$(mktemp -d /tmp/wpd.XXXXXX)" && pwd -P) || exit 1
chmod 755 "$dir"
action=

cleanup() {
	trap '' HUP INT TERM
	$LAUNCHCTL bootout "system/$label" >/dev/null 2>&1
	until_true 30 is_unloaded
	# An action that was held goes on when its file is gone.
	rm -rf "$dir"
	[ -z "$action" ] || until_true 10 is_gone "$action"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# until_true SECONDS COMMAND...
until_true() {
	_end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt $_end ] || return 1
		sleep 0.1
	done
}

n=0 failed=0
# ok WHAT COMMAND...
ok() {
	_what=$1
	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $_what"
	else
		echo "not ok $n - $_what"
		failed=1
	fi
}

is_loaded() {
	$LAUNCHCTL print "system/$label" >/dev/null 2>&1
}

is_unloaded() {
	! is_loaded
}

is_gone() {
	! kill -0 "$1" 2>/dev/null
}

# What launchd says of the job: "	NAME = VALUE".
property() {
	$LAUNCHCTL print "system/$label" 2>/dev/null |
	    sed -n "s/^[[:space:]]*$1 = //p" | head -n 1
}

# has FILE N PATTERN: at least so many lines of it.
has() {
	_lines=$(grep -c -e "$3" "$dir/$1" 2>/dev/null)
	[ "${_lines:-0}" -ge "$2" ]
}

has_been_ready() {
	has log "$1" ' info: ready: '
}

has_runs() {
	has runs "$1" '^begin'
}

has_ends() {
	has runs "$1" '^end'
}

# One value of the shipped plist, by its key.
shipped() {
	sed -n "/<key>$1</{n;s/.*<[a-z]*>\(.*\)<.*/\1/p;}" "$plist_of_product"
}

# The shipped job under another label, with its own files.
write_plist() {
	awk -v dir="$dir" -v label="$label" '
	function add(word) {
		print "\t\t<string>" word "</string>"
	}
	/<string>org\.watchpathd</ { sub(/org\.watchpathd/, label) }
	/<string>.*\/bin\/watchpathd</ { add(dir "/watchpathd"); next }
	/<string>\/var\/log\// {
		add(dir "/log")
		add("--config"); add(dir "/conf.d")
		add("--state"); add(dir "/state")
		next
	}
	{ print }' "$plist_of_product" >"$dir/$label.plist"
	chmod 644 "$dir/$label.plist"
}

write_rules() {
	mkdir "$dir/conf.d"
	cat >"$dir/act" <<-END
	#!/bin/sh
	echo "begin \$\$ \$(ulimit -Sn) \$(umask)" >>$dir/runs
	while [ -e $dir/hold ]; do sleep 0.1; done
	[ ! -d $dir ] || echo "end \$\$" >>$dir/runs
	END
	chmod 755 "$dir/act"
	cat >"$dir/conf.d/test.ini" <<-END
	[test]
	watch = $dir/file
	action = $dir/act
	settle = 100ms
	cooldown = 0
	[protected]
	watch = $PROTECTED
	action = $dir/act
	END
}

load() {
	$LAUNCHCTL bootstrap system "$dir/$label.plist"
}

it_starts() {
	ok "launchd takes the job" load
	ok "the daemon gets ready" until_true 30 has_been_ready 1
	ok "its process is of the type $(shipped ProcessType)" is_of_type
	ok "what it logs is in the unified log" until_true 60 is_in_unified_log
}

is_of_type() {
	property 'spawn type' | grep -qi "$(shipped ProcessType)"
}

is_in_unified_log() {
	$LOG show --style compact --last 5m --predicate \
	    "subsystem == \"org.watchpathd\"" 2>/dev/null | grep -q 'ready: '
}

a_change_is_acted_on() {
	echo 1 >"$dir/file"
	ok "a change is acted on" until_true 30 has_ends 1
	# "begin PID LIMIT UMASK"
	limit=none mask=none
	[ ! -e "$dir/runs" ] || read -r _ _ limit mask <"$dir/runs"
	echo "# the action has $limit descriptors and umask $mask"
	ok "the action's descriptor limit is launchd's, not the daemon's" is_small "$limit"
	ok "its umask is 022" [ "$mask" = 0022 ]
}

is_small() {
	case $1 in
	*[!0-9]*) return 1 ;;
	esac
	[ "$1" -le "${LIMIT:-1024}" ]
}

it_comes_back() {
	old=$(property pid)
	ok "launchd names its process" [ -n "$old" ]
	kill -KILL "${old:-0}"
	echo 2 >"$dir/file"
	ok "killed, it comes back" until_true 60 has_been_ready 2
	ok "as another process" [ "$(property pid)" != "$old" ]
	ok "what changed meanwhile is acted on" until_true 30 has_ends 2
}

an_action_outlives_it() {
	: >"$dir/hold"
	echo 3 >"$dir/file"
	ok "an action is running" until_true 30 has_runs 3
	action=$(sed -n 's/^begin \([0-9]*\) .*/\1/p' "$dir/runs" | sed -n 3p)
	daemon=$(property pid)
	begin=$(date +%s)
	$LAUNCHCTL bootout "system/$label" 2>/dev/null
	ok "bootout ends the daemon" until_true 60 is_gone "$daemon"
	took=$(($(date +%s) - begin))
	echo "# that took $took s"
	ok "within ExitTimeOut" [ $took -le "$(shipped ExitTimeOut)" ]
	until_true 30 is_unloaded
	ok "the action goes on" kill -0 "$action"
	ok "launchd takes the job again" until_true 30 load
	ok "the next daemon gets ready" until_true 30 has_been_ready 3
	ok "it knows the action" until_true 30 has log 1 'left over'
	ok "and does not start another beside it" is_alone
	rm "$dir/hold"
	ok "when it is gone the action runs again" until_true 30 has_ends 4
	ok "one run after the other" is_alternating
}

is_alone() {
	! has_runs 4
}

is_alternating() {
	awk '{ want = NR % 2 ? "begin" : "end" } $1 != want { bad = 1 } END { exit bad }' \
	    "$dir/runs"
}

privacy_is_explained() {
	"$program" status --state "$dir/state" protected >"$dir/status" 2>&1
	if grep -q 'needs Full Disk Access' "$dir/status"; then
		ok "a protected path is said to need Full Disk Access" true
	elif grep -q 'present' "$dir/status"; then
		echo "# this program has been granted Full Disk Access"
		ok "a protected path is watched, with a grant" true
	else
		sed 's/^/# /' "$dir/status"
		ok "a protected path is watched, or said to need Full Disk Access" false
	fi
}

it_is_removed() {
	$LAUNCHCTL bootout "system/$label" 2>/dev/null
	ok "bootout removes the job" until_true 30 is_unloaded
}

cp "$program" "$dir/watchpathd" || exit 1
write_plist
write_rules
it_starts
a_change_is_acted_on
it_comes_back
an_action_outlives_it
privacy_is_explained
it_is_removed
[ $failed -eq 0 ] || tail -n 40 "$dir/log" | sed 's/^/# /'
echo "1..$n"
exit $failed
