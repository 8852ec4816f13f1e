#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh PROGRAM: is this what may be shipped to Macs? Run by build.sh, which
# says what lipo, otool and nm are called here. imports.txt holds every function
# and variable that the program takes from the system, so that a new one is a
# decision: UPDATE_IMPORTS=yes writes it anew, and git diff shows what came.
set -eu

program=$1
imports=$(dirname "$0")/imports.txt
minimum=12.0
archs="arm64 x86_64"
LIPO=${LIPO:-lipo}
OTOOL=${OTOOL:-otool}
NM=${NM:-nm}
failed=0

slices=$(mktemp -d)
trap 'rm -rf "$slices"' EXIT
trap 'exit 1' HUP INT TERM

object() {
	echo "check: $program: $*" >&2
	failed=1
}

equal() {
	[ "$2" = "$3" ] || object "$1: $2, expected $3"
}

# Words of a list in order.
ordered() {
	tr ' ' '\n' | sed '/^$/d' | LC_ALL=C sort -u | tr '\n' ' ' | sed 's/ $//'
}

# llvm-otool takes -arch and shows the other one all the same.
load_commands() {
	"$OTOOL" -l "$slices/$1"
}

minimum_version() {
	load_commands "$1" | awk '$1 == "minos" { print $2 }'
}

libraries() {
	load_commands "$1" | awk '
		$1 == "cmd" { library = $2 ~ /DYLIB$/ && $2 != "LC_ID_DYLIB" }
		library && $1 == "name" { print $2 }' | ordered
}

# Without this section the unified log cannot show what our lines say.
log_formats() {
	load_commands "$1" | grep -c 'sectname __oslogstring' || true
}

# Apple Silicon runs no program without a signature; ad hoc is enough.
signatures() {
	load_commands "$1" | grep -c 'cmd LC_CODE_SIGNATURE' || true
}

# Can it be loaded anywhere, and does it notice a stack that was written over?
# (Of a buffer whose size clang knows it needs no other function than the usual.)
hardening() {
	"$OTOOL" -hv "$slices/$1" | grep -ow PIE
	"$NM" -u -j "$slices/$1" | grep -x ___stack_chk_fail
}

# dyld refuses a program without it (enforceHasUUID), and the unified log finds our
# lines' texts by it.
uuids() {
	load_commands "$1" | grep -c 'cmd LC_UUID' || true
}

# What the compiler or the linker puts in by itself is not a decision, nor is
# which variant of a function it is.
imported() {
	for arch in $archs; do
		"$NM" -u -j "$slices/$arch"
	done | sed -e '/^$/d' -e '/:$/d' -e 's/\$.*//' -e 's/^___\(.*\)_chk$/_\1/' |
	    grep -Evx -e '_+bzero|_mem(cpy|move|set|cmp)|dyld_stub_binder' \
		-e '__availability_version_check|_sys_icache_invalidate' \
		-e '___stack_chk_(fail|guard)|___chkstk_darwin|_memset_pattern[0-9]+' |
	    LC_ALL=C sort -u
}

check_imports() {
	now=$slices/imports
	imported >"$now"
	if [ "${UPDATE_IMPORTS:-}" = yes ]; then
		cp "$now" "$imports"
		echo "check: $imports is written anew: see git diff"
	elif ! diff "$imports" "$now" >&2; then
		object "other imports (>) than $imports (<);" \
		    "if they are meant to be: make macos UPDATE_IMPORTS=yes"
	fi
}

equal architectures "$("$LIPO" -archs "$program" | ordered)" "$archs"
for arch in $archs; do
	"$LIPO" -thin "$arch" -output "$slices/$arch" "$program"
	equal "$arch: minimum version" "$(minimum_version "$arch")" "$minimum"
	equal "$arch: libraries" "$(libraries "$arch")" /usr/lib/libSystem.B.dylib
	equal "$arch: hardening" "$(hardening "$arch" | ordered)" \
	    "PIE ___stack_chk_fail"
	equal "$arch: sections of log formats" "$(log_formats "$arch")" 1
	equal "$arch: UUIDs" "$(uuids "$arch")" 1
done
equal "arm64: signatures" "$(signatures arm64)" 1
perl "$(dirname "$0")/pages.pl" "$slices/arm64" || object "arm64: the signature is of other bytes"
if LC_ALL=C grep -qaF "$(cd "$(dirname "$program")/.." && pwd -P)" "$program"; then
	object "names a directory of the machine that built it"
fi
check_imports
exit "$failed"
