#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fetch-deps.sh [inih] [cjson] [expat]: puts the sources of what is linked
# statically below $BUILD/deps (default: all); --list: prints what they are, a line
# each, with version, licence, tarball, its SHA-256 and where upstream is. What is
# there already is checked, not fetched. The release tarballs come from the archive
# that this machine's apt uses, and on a Mac from upstream: only the checksums count.
set -eu

cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
deps=$BUILD/deps
work=

# Each is named in messages, so that a Mac's user knows what to get.
describe() {
	case $1 in
	inih)
		dir=inih-r59 package=libinih tarball=libinih_59.orig.tar.gz
		release=r59 license=BSD-3-Clause
		upstream=git+https://github.com/benhoyt/inih.git@r59
		tarball_sum=062279922805f5e9a369551a08d5ddb506140fe50774183ffdbb7c22bb97e3f4
		sums='e7c50767734bc1231c96a6d7c9aee45ac9f9e411555bd038c1c870dba0bc4255  ini.c
1de9d1a9d287a86e2c8b7eb11a7818b2c87fc2598a3c16d74e30bb6d0080a275  ini.h'
		;;
	cjson)
		dir=cJSON-1.7.19 package=cjson tarball=cjson_1.7.19.orig.tar.gz
		release=1.7.19 license=MIT
		upstream=git+https://github.com/DaveGamble/cJSON.git@v1.7.19
		tarball_sum=7fa616e3046edfa7a28a32d5f9eacfd23f92900fe1f8ccd988c1662f30454562
		sums='298581a04a36c0165da4b0aade235c23088cb2faa58651d720ea2f3706ed0b0d  cJSON.c
25b0145150d500498e4d209cec69c18c42cf818bffcc54690be3b895a2a16dee  cJSON.h'
		;;
	expat)
		dir=libexpat-R_2_8_3 package=expat tarball=expat_2.8.3.orig.tar.gz
		release=2.8.3 license=MIT
		upstream=git+https://github.com/libexpat/libexpat.git@R_2_8_3
		tarball_sum=533659a16e0184035a99fd8e783f1ad61a887a7bf8586a8681740b9d7ed42389
		sums=$(cat tests/macos/expat.sha256)
		;;
	*)
		fail "unknown: $1 (inih, cjson or expat)"
		;;
	esac
}

say() {
	echo "fetch-deps: $*"
}

fail() {
	say "$*" >&2
	exit 1
}

sha256_check() {
	if command -v sha256sum >/dev/null; then
		sha256sum -c - >/dev/null 2>&1
	else
		shasum -a 256 -c - >/dev/null 2>&1
	fi
}

sources_are_right() {
	[ -d "$deps/$dir" ] && (cd "$deps/$dir" && echo "$sums" | sha256_check)
}

tarball_is_right() {
	echo "$tarball_sum  $deps/$tarball" | sha256_check
}

unpack() {
	rm -rf "${deps:?}/$dir"
	tar -xzf "$deps/$tarball" -C "$deps"
	sources_are_right || fail "$deps/$tarball: other sources than expected"
}

cleanup() {
	[ -z "$work" ] || rm -rf "$work"
}

# A private set of apt's directories: the machine's own lists stay as they are.
apt_private() {
	tool=$1
	shift
	"$tool" -q -o Dir::Etc::sourcelist="$work/sources.list" \
	    -o Dir::Etc::sourceparts=/dev/null -o Dir::State::Lists="$work/lists" \
	    -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)" "$@"
}

archive() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(LABEL) $(SITE)' |
	    awk '$1 == "Debian" { print $NF; exit }'
}

# Without an apt-get update the labels are not known yet.
find_archive() {
	# shellcheck disable=SC2016
	site=$(archive)
	if [ -z "$site" ] && [ "$(id -u)" -eq 0 ]; then
		say "apt-get update"
		apt-get -q update >/dev/null
		site=$(archive)
	fi
	[ -n "$site" ] || fail "apt knows no Debian archive (try apt-get update)"
}

# The version whose release tarball has the right checksum, or nothing.
find_version() {
	apt_private apt-cache showsrc "$package" 2>/dev/null |
	    awk -v sum="$tarball_sum" '
		$1 == "Version:" { version = $2 }
		$1 == sum { print version; exit }'
}

# Releases move on, so the tarball is looked for by its checksum.
download() {
	for suite in trixie forky sid; do
		rm -rf "$work/lists"
		mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
		echo "deb-src $site $suite main" >"$work/sources.list"
		apt_private apt-get update >"$work/log" 2>&1 || continue
		version=$(find_version)
		[ -n "$version" ] || continue
		say "$package $version of $suite"
		(cd "$work" && apt_private apt-get source --download-only --tar-only \
		    "$package=$version" >"$work/log" 2>&1) || continue
		mv "$work/$tarball" "$deps/$tarball"
		tarball_is_right || fail "$deps/$tarball: wrong checksum"
		return
	done
	[ ! -f "$work/log" ] || cat "$work/log" >&2
	by_hand "no suite has it any more"
}

by_hand() {
	fail "$dir: $1.
Unpack its upstream release
$(release_url)
as $deps/$dir, and try again.
Homebrew's packages do not help: they have no static library for both architectures."
}

release_url() {
	url=${upstream#git+}
	echo "${url%.git@*}/archive/refs/tags/${upstream##*@}.tar.gz"
}

# For a Mac, which has curl(1). The tarball need not be Debian's byte for byte: what
# is in it is checked when it is unpacked.
fetch_upstream() {
	command -v curl >/dev/null || by_hand "there is neither apt-get nor curl to fetch it"
	say "$(release_url)"
	curl -fsSL --proto =https -o "$deps/$tarball.new" "$(release_url)" ||
	    by_hand "curl cannot fetch it"
	mv "$deps/$tarball.new" "$deps/$tarball"
}

fetch_debian() {
	[ -n "$work" ] || work=$(mktemp -d "$(cd "$deps" && pwd)/fetch.XXXXXX")
	find_archive
	download
}

fetch() {
	describe "$1"
	if sources_are_right; then
		return
	fi
	mkdir -p "$deps"
	if tarball_is_right; then
		:
	elif command -v apt-get >/dev/null; then
		fetch_debian
	else
		fetch_upstream
	fi
	unpack
}

trap cleanup EXIT
trap 'exit 1' HUP INT TERM
all='inih cjson expat'
if [ "${1:-}" = --list ]; then
	for what in $all; do
		describe "$what"
		echo "$what $release $license $tarball $tarball_sum $upstream"
	done
	exit
fi
# One word each.
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $all
for what; do
	fetch "$what"
done
