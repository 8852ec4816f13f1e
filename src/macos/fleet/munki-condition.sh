#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A condition for Munki: copy it to /usr/local/munki/conditions, owned by root and
# executable. Manifests can then say, for instance,
#
#	<key>condition</key>
#	<string>watchpathd_ok == FALSE</string>
#
# and watchpathd_status is the line of `watchpathd status --brief`.
PATH=/usr/bin:/bin:/usr/sbin:/sbin
watchpathd=/Library/watchpathd/bin/watchpathd

managed=$(defaults read /Library/Preferences/ManagedInstalls ManagedInstallDir 2>/dev/null)
items=${managed:-/Library/Managed Installs}/ConditionalItems

ok=FALSE
if [ ! -x "$watchpathd" ]; then
	line='not installed'
elif line=$("$watchpathd" status --brief 2>&1); then
	ok=TRUE
fi
defaults write "$items" watchpathd_ok -bool $ok
defaults write "$items" watchpathd_status -string "$line"
# Munki reads XML; defaults writes binary.
plutil -convert xml1 "$items.plist"
