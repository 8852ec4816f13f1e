# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Read by postinstall and uninstall: stopping and starting the daemon. `launchctl
# bootout` may return while the job is still ending, and a bootstrap of the same
# label fails until it is gone.

label=org.watchpathd

say() {
	echo "watchpathd: $*" >&2
}

job_is_there() {
	launchctl print "system/$label" >/dev/null 2>&1
}

# An admin who has switched the job off does not get it back from a package. macOS
# 12 says `=> true`, later ones `=> disabled`.
job_is_disabled() {
	launchctl print-disabled system 2>/dev/null |
	    grep -q -e "\"$label\" => disabled" -e "\"$label\" => true"
}

# The daemon gives its actions 10 s, and launchd kills it after 20.
stop_job() {
	job_is_there || return 0
	launchctl bootout "system/$label" || say "launchctl bootout failed, with status $?"
	seconds=0
	while job_is_there; do
		if [ $seconds -ge 30 ]; then
			say "the daemon is still there after 30 s"
			return 1
		fi
		sleep 1
		seconds=$((seconds + 1))
	done
}

# A bootstrap may fail and have worked, so what counts is whether the job is there.
start_job() {
	for try in 1 2 3; do
		[ $try -eq 1 ] || sleep 2
		launchctl bootstrap system "/Library/LaunchDaemons/$label.plist" && return
		job_is_there && return
		say "launchctl bootstrap failed ($try of 3)"
	done
	return 1
}
