#!/bin/sh
# SPDX-License-Identifier: MIT
#
# build.sh: `make pkg`. Makes $BUILD/pkg/watchpathd-VERSION.pkg of the program
# $PROGRAM, on a Mac. Signed and notarised where these are given, else plain:
#
#   SIGN_PROGRAM    "Developer ID Application: ..."
#   SIGN_PACKAGE    "Developer ID Installer: ..."
#   NOTARY_PROFILE  a name under which notarytool has stored who you are
#
# Each of Apple's tools goes through a variable, so that the tests can stand in.
set -eu

cd "$(dirname "$0")/../../.."
: "${BUILD:=build}" "${MAKE:=make}" "${PROGRAM:?}" "${VERSION:?}"
: "${CODESIGN:=codesign}" "${PKGBUILD:=pkgbuild}" "${PRODUCTBUILD:=productbuild}"
: "${PKGUTIL:=pkgutil}" "${XCRUN:=xcrun}"
: "${SIGN_PROGRAM:=}" "${SIGN_PACKAGE:=}" "${NOTARY_PROFILE:=}"
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

case $BUILD in
/*) ;;
*) BUILD=$PWD/$BUILD ;;
esac
label=org.watchpathd
package=src/macos/package
out=$BUILD/pkg
stage=$out/stage
scripts=$out/scripts
final=$out/watchpathd-$VERSION.pkg

say() {
	echo "pkg: $*"
}

# The layout of `make install`, but for what belongs to the Mac it comes to: rules
# are delivered by postinstall, and the daemon makes its state directory. /etc is a
# link on a Mac.
stage_files() {
	rm -rf "$out"
	mkdir -p "$stage/private" "$scripts"
	"$MAKE" -s install PLATFORM=macos PREFIX=/Library/watchpathd DESTDIR="$stage" \
	    PROGRAM="$PROGRAM" OWNER= >/dev/null
	mv "$stage/etc" "$stage/private/etc"
	rm -rf "${stage:?}/var"
	mv "$stage/Library/watchpathd/conf.d" "$stage/Library/watchpathd/share/rules"
	rm -rf "$stage/Library/watchpathd/share/rules/.shipped"
	mkdir -m 755 "$stage/Library/watchpathd/conf.d"
	for script in preinstall postinstall deliver-rules; do
		install -m 755 $package/$script "$scripts/$script"
	done
	install -m 644 $package/launchd.sh "$scripts/launchd.sh"
}

# Without an identity it is signed ad hoc, which is enough to run.
sign_program() {
	program=$stage/Library/watchpathd/bin/watchpathd
	if [ -n "$SIGN_PROGRAM" ]; then
		"$CODESIGN" --force --sign "$SIGN_PROGRAM" --timestamp \
		    --options runtime,library --identifier $label "$program"
	else
		"$CODESIGN" --force --sign - --options runtime --identifier $label "$program"
	fi
	"$CODESIGN" --verify --strict --all-architectures "$program"
}

# A component package, and around it the kind of package that MDMs take.
build_package() {
	"$PKGBUILD" --root "$stage" --scripts "$scripts" --identifier $label \
	    --version "$VERSION" --ownership recommended --install-location / \
	    "$out/component.pkg"
	sed "s/@VERSION@/$VERSION/g" $package/distribution.xml >"$out/distribution.xml"
	set -- --distribution "$out/distribution.xml" --package-path "$out"
	if [ -n "$SIGN_PACKAGE" ]; then
		set -- "$@" --sign "$SIGN_PACKAGE" --timestamp
	fi
	"$PRODUCTBUILD" "$@" "$final"
	if [ -n "$SIGN_PACKAGE" ]; then
		"$PKGUTIL" --check-signature "$final"
	fi
}

# `notarytool submit --wait` may end with 0 for what was refused; only what was
# accepted can be stapled.
notarise() {
	"$XCRUN" notarytool submit "$final" --keychain-profile "$NOTARY_PROFILE" --wait
	"$XCRUN" stapler staple "$final"
	"$XCRUN" stapler validate "$final"
}

if [ -n "$NOTARY_PROFILE" ] && { [ -z "$SIGN_PROGRAM" ] || [ -z "$SIGN_PACKAGE" ]; }; then
	echo "pkg: NOTARY_PROFILE needs SIGN_PROGRAM and SIGN_PACKAGE" >&2
	exit 64
fi
for tool in "$CODESIGN" "$PKGBUILD" "$PRODUCTBUILD" "$PKGUTIL" "$XCRUN"; do
	if ! command -v "$tool" >/dev/null; then
		echo "pkg: $tool is not here: a package is made on a Mac" >&2
		exit 69
	fi
done
umask 022
stage_files
sign_program
build_package
[ -z "$NOTARY_PROFILE" ] || notarise
if [ -n "$SIGN_PROGRAM" ]; then
	say "the code requirement, for the profile for Full Disk Access:"
	"$CODESIGN" --display --requirements - "$stage/Library/watchpathd/bin/watchpathd"
fi
say "$final is ready"
