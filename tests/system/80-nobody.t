#!/bin/sh
# SPDX-License-Identifier: MIT
#
# System tests again, as a user who has no rights: what is written and read,
# whose files are trusted, and what is refused is another matter for root. They
# run from a copy, as nobody may be kept out of the tree. What needs root says so
# and is skipped there: other users and owners (24-action, 25-paths, 50-commands),
# mounts (34-state, 72-doctor) and addresses (32-verify).
again='24-action 25-paths 26-surroundings 30-lives 50-commands 51-answers 72-doctor'

if [ "$(id -u)" -ne 0 ]; then
	echo "1..0 # skip all of them run as an ordinary user here"
	exit 0
fi
top=$(cd "$(dirname "$0")/../.." && pwd)
: "${WATCHPATHD:=$top/build/watchpathd}"
: "${BUILD:=$top/build}"
work=$(cd "$(mktemp -d /tmp/wpd.XXXXXX)" && pwd -P) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
umask 022
mkdir "$work/build"
cp -R "$WATCHPATHD" "$BUILD/terminal" "$work/build/"
cp -R "$top/tests" "$top/conf.d" "$top/man" "$work/"
chown -R nobody "$work"
chmod 755 "$work"
cd "$work" || exit 1

# run TEST: as nobody, and with nothing of root's.
run() {
	WATCHPATHD=$work/build/watchpathd BUILD=$work/build HOME=/ perl -e '
	my ($uid, $gid) = (getpwnam("nobody"))[2, 3];
	$( = $gid;
	$) = "$gid $gid";
	$< = $> = $uid;
	die "not nobody\n" if $< != $uid || $> != $uid;
	exec "/bin/sh", @ARGV or die' "tests/system/$1.t" >"$work/$1.tap" 2>&1
}

# Two at a time, as all the others run. A script whose plan does not fit has not
# said everything.
n=0
for test in $again; do
	run "$test" &
	n=$((n + 1))
	[ $((n % 2)) -ne 0 ] || wait
done
wait
for test in $again; do
	grep -v '^1\.\.' "$work/$test.tap" |
	    sed -e "s/^ok - /ok - $test: /" -e "s/^not ok - /not ok - $test: /"
	plan=1..$(grep -c -e '^ok' -e '^not ok' "$work/$test.tap")
	grep -q -x "$plan" "$work/$test.tap" || echo "not ok - $test says everything"
done >"$work/all"
cat "$work/all"
echo "1..$(grep -c -e '^ok' -e '^not ok' "$work/all")"
