#!/bin/sh
# SPDX-License-Identifier: MIT
#
# An extension attribute for Jamf Pro: the health of watchpathd in one line. Add it
# under Settings, Computer Management, Extension Attributes, as a script with the
# data type String. A smart group of Macs that need a look: the attribute is not
# like "ok:".
PATH=/usr/bin:/bin:/usr/sbin:/sbin
watchpathd=/Library/watchpathd/bin/watchpathd

if [ -x "$watchpathd" ]; then
	line=$("$watchpathd" status --brief 2>&1)
else
	line='not installed'
fi
printf '%s\n' "$line" | sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' \
    -e '1s/^/<result>/' -e '$s/$/<\/result>/'
