#!/bin/sh
# SPDX-License-Identifier: MIT
#
# sandbox.sh DIR: `make sandbox`. A place to try rules in that stays: one rule, the
# file that it watches, and a command that says what it was told. What is there
# already is left alone.
set -eu

: "${WATCHPATHD:=build/watchpathd}"
box=${1:?where to?}
if [ -e "$box" ]; then
	echo "$box is there, and stays as it is."
else
	# What the daemon is to trust must not be writable by others.
	umask 022
	mkdir -p "$box/conf.d" "$box/etc" "$box/bin"
	cat >"$box/bin/show" <<-'END'
	#!/bin/sh
	echo "I run because of: ${WATCHPATHD_CHANGE:-nothing that changed, $WATCHPATHD_REASON}" \
	    "${WATCHPATHD_PATH:+of $WATCHPATHD_PATH}"
	END
	chmod 755 "$box/bin/show"
	cat >"$box/conf.d/hosts.ini" <<-'END'
	; All paths are taken from below the sandbox. Change this file: it is read
	; again by itself. `watchpathd help keys` says what else a rule can say.
	[hosts]
	description = Show that the file has changed
	watch       = /etc/hosts
	action      = /bin/show
	; A file that was there before the rule counts as a change.
	at-start    = new
	END
	echo "$box is made, with the rule $box/conf.d/hosts.ini."
fi
cat <<END
    $WATCHPATHD run --root $box --config $box/conf.d
    echo 127.0.0.1 me >>$box/etc/hosts        in another terminal: its rule runs
    $WATCHPATHD status --root $box hosts
END
