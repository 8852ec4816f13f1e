#!/bin/sh
# SPDX-License-Identifier: MIT
#
# How the program is built: what makes a flaw of it harder to use. Sanitizers
# go without.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
: "${WATCHPATHD:=$top/build/watchpathd}"

n=0

# ok WHAT COMMAND...
ok() {
	what=$1
	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
	fi
}

# has PATTERN COMMAND...: is it in what that prints?
has() {
	pattern=$1
	shift
	"$@" | grep -q -e "$pattern"
}

linux() {
	ok "it can be loaded anywhere" has 'Type: *DYN' readelf -h "$WATCHPATHD"
	ok "what the loader has written cannot be changed" has GNU_RELRO readelf -lW "$WATCHPATHD"
	ok "and all of it is written at the start" has 'FLAGS.*NOW' readelf -dW "$WATCHPATHD"
	ok "no memory can be written and executed" not has 'GNU_STACK.*RWE' readelf -lW "$WATCHPATHD"
	ok "a stack that was written over is noticed" has __stack_chk_fail nm -D "$WATCHPATHD"
	ok "and a buffer whose size is known" has '__[a-z]*printf_chk' nm -D "$WATCHPATHD"
}

not() {
	! "$@"
}

macos() {
	ok "it can be loaded anywhere" has ' PIE' otool -hv "$WATCHPATHD"
	ok "a stack that was written over is noticed" has ___stack_chk_fail nm -u "$WATCHPATHD"
}

if nm "$WATCHPATHD" 2>/dev/null | grep -q -e __asan_init; then
	echo "1..0 # skip sanitizers take the place of it"
	exit 0
fi
case $(uname -s) in
Darwin) macos ;;
*) linux ;;
esac
echo "1..$n"
