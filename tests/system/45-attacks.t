#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each attempt in tests/attacks has a test that shows what comes of it.
. "$(dirname "$0")/lib.sh"

table=$top/tests/attacks

# has_test FILE NAME
has_test() {
	case $1 in
	test_*)
		grep -q -x -F "TEST($2)" "$top/tests/unit/$1.c"
		return
		;;
	esac
	set -- "$top"/tests/system/*-"$1.t" "$2"
	if grep -q -x -F "$2() {" "$1"; then
		is_run "$@"
	else
		grep -q -e "^[	 ]*ok .*\".*$2" "$1"
	fi
}

# Is the function among those that the script runs?
is_run() {
	sed -n '/^run_tests /,$p' "$1" | tr -s '[:space:]' '\n' | grep -q -x -F "$2"
}

without_a_test() {
	grep -v -e '^#' -e '^$' "$table" | cut -f 3,4 | while IFS='	' read -r file name; do
		has_test "$file" "$name" || echo "$file: $name"
	done
}

each_has_its_test() {
	ok "each line has four parts" [ -z "$(awk -F '\t' '!/^#/ && !/^$/ &&
	    (NF != 4 || length($1) < 8 || length($2) < 5)' "$table")" ]
	without_a_test >"$dir/none" 2>&1
	ok "each attempt has its test" [ ! -s "$dir/none" ]
	diag <"$dir/none"
	ok "there are many of them" [ "$(grep -c '	' "$table")" -ge 90 ]
	for subject in managed console alert report package uninstall; do
		ok "among them some of $subject" grep -q "$subject" "$table"
	done
}

run_tests each_has_its_test
