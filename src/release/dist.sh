#!/bin/sh
# SPDX-License-Identifier: MIT
#
# dist.sh: `make dist`. What a release consists of, in $BUILD/dist: the sources of
# the last commit, what is linked into a Mac's program (SPDX), a formula for Homebrew
# and the checksums. The same commit gives the same bytes: times are the commit's,
# and nothing is asked of who runs it.
set -eu

cd "$(dirname "$0")/../.."
: "${BUILD:=build}" "${VERSION:?}"
out=$BUILD/dist
name=watchpathd-$VERSION

fail() {
	echo "dist: $*" >&2
	exit 1
}

sha256() {
	if command -v sha256sum >/dev/null; then
		sha256sum "$1"
	else
		shasum -a 256 "$1"
	fi | sed 's/ .*//'
}

[ -e .git ] || fail "a release is made in a clone with git: there is no .git here"
[ "$(sed -n 's/^## //p' NEWS.md | head -n 1)" = "$VERSION" ] ||
    fail "NEWS.md does not begin with $VERSION"
[ -z "$(git status --porcelain)" ] ||
    echo "dist: note: what is not committed is not in it" >&2
rm -rf "$out"
mkdir -p "$out"
git -c tar.umask=0022 archive --format=tar --prefix="$name/" HEAD >"$out/$name.tar"
gzip -n -9 "$out/$name.tar"
date=$(TZ=UTC0 git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)
sum=$(sha256 "$out/$name.tar.gz")
sh src/release/sbom.sh "$VERSION" "$date" "$sum" >"$out/$name.spdx.json"
sed -e "s/@VERSION@/$VERSION/g" -e "s/@SHA256@/$sum/" src/macos/fleet/watchpathd.rb \
    >"$out/watchpathd.rb"
for file in "$name.tar.gz" "$name.spdx.json" watchpathd.rb; do
	echo "$(sha256 "$out/$file")  $file"
done >"$out/SHA256SUMS"
echo "dist: $out/$name.tar.gz is ready"
