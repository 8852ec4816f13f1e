#!/bin/sh
# SPDX-License-Identifier: MIT
#
# How a Mac gets the sources of what is linked statically, where there is curl and no
# apt-get: stand-ins say what curl does.
. "$(dirname "$0")/lib.sh"

# stand_in NAME LINE...
stand_in() {
	_file=$dir/bin/$1
	shift
	printf '%s\n' '#!/bin/sh' "$@" >"$_file"
	chmod 755 "$_file"
}

# fetch WHAT: with what a Mac has.
fetch() {
	mkdir -p "$dir/bin"
	for _tool in sh mkdir mv rm tar gzip mktemp cat dirname env cut; do
		ln -sf "$(command -v $_tool)" "$dir/bin/$_tool"
	done
	ln -sf "$(command -v sha256sum || command -v shasum)" "$dir/bin"
	PATH=$dir/bin BUILD=$dir/build sh "$top/tests/macos/fetch-deps.sh" "$1" \
	    >"$dir/out" 2>&1
	status=$?
	diag <"$dir/out"
}

says() {
	grep -q -e "$1" "$dir/out"
}

release='https://github.com/benhoyt/inih/archive/refs/tags/r59.tar.gz'

without_curl() {
	fetch inih
	ok "without curl it says what is missing" says 'inih-r59: there is neither apt-get nor curl'
	ok "and where that is" says "^$release\$"
	ok "and where to put it" says "^as $dir/build/deps/inih-r59, "
	ok "and fails" [ $status -ne 0 ]
}

without_network() {
	mkdir -p "$dir/bin"
	stand_in curl 'exit 6'
	fetch inih
	ok "where curl fails it says so" says 'inih-r59: curl cannot fetch it'
	ok "and where the release is" says "^$release\$"
	ok "and fails" [ $status -ne 0 ]
}

# Writes to what stands after -o.
with_curl() {
	mkdir -p "$dir/bin" "$dir/release/inih-r59"
	echo 'int x;' >"$dir/release/inih-r59/ini.c"
	(cd "$dir/release" && tar -czf "$dir/release.tar.gz" inih-r59)
	stand_in curl 'while [ "$1" != -o ]; do shift; done' \
	    "cat '$dir/release.tar.gz' >\"\$2\"" "echo \"\$3\" >>'$dir/asked'"
	fetch inih
	ok "the release is asked for" [ "$(cat "$dir/asked")" = "$release" ]
	ok "other sources are refused" says 'other sources than expected'
	ok "and that fails" [ $status -ne 0 ]
	sources=$top/build/deps/inih-r59
	if [ ! -d "$sources" ]; then
		skip "the right sources are taken" "make macos has not fetched them"
		return
	fi
	rm -rf "$dir/build" "$dir/release/inih-r59"
	cp -R "$sources" "$dir/release/inih-r59"
	(cd "$dir/release" && tar -czf "$dir/release.tar.gz" inih-r59)
	fetch inih
	ok "the right sources are taken" [ $status -eq 0 ]
	ok "and lie there" [ -f "$dir/build/deps/inih-r59/ini.c" ]
	rm "$dir/asked"
	fetch inih
	ok "they are fetched once" not [ -e "$dir/asked" ]
}

run_tests without_curl without_network with_curl
