#!/bin/sh
# SPDX-License-Identifier: MIT
#
# deps.sh GROUP...: installs what is missing, with apt-get or brew, and says what
# and why. Groups: build, check (the tests), lint, san (sanitizers and fuzzing),
# browser. When everything is there it does nothing, at once.
set -eu

# group|how to tell that it is there|Debian's package|Homebrew's|what it is for
# "-": comes with the system, or is not to be had there; that line is passed over.
needs='
build|cmd make|make|-|runs the build
build|cmd cc|gcc libc6-dev|-|the C compiler
build|cmd pkg-config|pkg-config|pkgconf|finds the libraries
build|lib inih|libinih-dev|inih|the library that reads rule files
build|lib libcjson|libcjson-dev|cjson|the library that reads and writes JSON
build|archive expat|libexpat1-dev|expat|the library that reads property lists
check|lib cmocka|libcmocka-dev|cmocka|the library of the unit tests
check|cmd prove|perl|-|runs the tests
check|cmd mandoc|mandoc|mandoc|checks the manual pages
check|cmd plistutil|libplist-utils|-|checks the property list
check|cmd strace|strace|-|lists what the daemon asks of the kernel
lint|cmd clang-format|clang-format|clang-format|checks the layout of C
lint|cmd clang-tidy|clang-tidy|-|looks for bugs in C
lint|cmd cppcheck|cppcheck|cppcheck|looks for bugs in C
lint|cmd shellcheck|shellcheck|shellcheck|looks for bugs in shell scripts
lint|cmd mandoc|mandoc|mandoc|checks the manual pages
san|cmd clang|clang|-|the compiler of the fuzzers
san|rt clang|libclang-rt-dev|-|the sanitizers of clang
san|cmd valgrind|valgrind|-|looks for leaks
browser|cmd chromium|chromium|-|shows the page of report
'

say() {
	echo "deps: $*" >&2
}

fail() {
	say "$*"
	exit 1
}

# Where Debian has it; to ask clang takes long.
have_runtime() {
	for file in /usr/lib/llvm-*/lib/clang/*/lib/*/libclang_rt.fuzzer*; do
		[ -e "$file" ] && return
	done
	return 1
}

# An archive: a static library. On a Mac make says where else pkg-config looks.
have() {
	case $1 in
	cmd) command -v "$2" >/dev/null ;;
	lib) command -v pkg-config >/dev/null && pkg-config --exists "$2" ;;
	archive) have lib "$2" && [ -e "$(pkg-config --variable=libdir "$2")/lib$2.a" ] ;;
	rt) have_runtime ;;
	esac
}

# find_missing GROUP...: sets packages, and for people reasons and libraries.
find_missing() {
	packages='' reasons='' libraries='' others=''
	while IFS='|' read -r group probe debian brew why; do
		case " $* " in
		*" ${group:-none} "*) ;;
		*) continue ;;
		esac
		kind=${probe% *} name=${probe#* }
		package=$debian
		if [ "$system" = Darwin ]; then
			package=$brew
		fi
		if [ "$package" = - ] || have "$kind" "$name"; then
			continue
		fi
		packages="$packages $package"
		reasons="$reasons${reasons:+, }$package ($why)"
		if [ "$kind" = lib ]; then
			libraries="$libraries $name"
		else
			others="$others${others:+, }$name ($why)"
		fi
	done <<-END
		$needs
	END
}

# Sets sudo: how to become root, without a question where nobody can answer.
find_sudo() {
	sudo=''
	if [ "$(id -u)" -eq 0 ]; then
		return
	fi
	command -v sudo >/dev/null ||
	    fail "neither root nor sudo: run as root: apt-get install$packages"
	sudo=sudo
	if [ ! -t 0 ]; then
		sudo='sudo -n'
	fi
}

apt() {
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >"$log" 2>&1
}

have_lists() {
	for list in /var/lib/apt/lists/*_Packages*; do
		[ -e "$list" ] && return
	done
	return 1
}

# The lists of packages are fetched only where they are missing or too old.
install_with_apt() {
	if have_lists && apt install -y --no-install-recommends "$@"; then
		return
	fi
	say "apt-get update"
	apt update && apt install -y --no-install-recommends "$@"
}

install_with_brew() {
	HOMEBREW_NO_AUTO_UPDATE=1 brew install --quiet "$@" >"$log" 2>&1
}

by_hand() {
	if [ -n "$others" ]; then
		say "missing: $others"
	fi
	if [ -n "$libraries" ]; then
		say "missing libraries, with their headers:$libraries"
		say "they are there when this succeeds: pkg-config --exists$libraries"
	fi
	fail "neither apt-get nor brew is here: install them by hand, then try again"
}

[ $# -gt 0 ] || fail "usage: deps.sh GROUP..., of build check lint san browser"
for group; do
	case $group in
	build | check | lint | san | browser) ;;
	*) fail "$group is not one of build check lint san browser" ;;
	esac
done

system=$(uname -s)
find_missing "$@"
[ -n "$packages" ] || exit 0
if command -v apt-get >/dev/null; then
	installer=apt
	find_sudo
elif command -v brew >/dev/null; then
	installer=brew
else
	by_hand
fi
say "installing $reasons"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
# One word per package.
# shellcheck disable=SC2086
if ! install_with_$installer $packages; then
	cat "$log" >&2
	fail "could not install:$packages"
fi
find_missing "$@"
[ -z "$packages" ] || fail "still missing after the installation:$packages"
