/* SPDX-License-Identifier: MIT */
#ifndef PATHS_H
#define PATHS_H

/*
 * Default locations and commands; the only header that asks which system it is. With
 * PATHS_OF_MACOS the tests of another system have those of macOS.
 */

/* Where a configuration profile for the domain arrives; below --root, as all else. */
#define PATH_DOMAIN "org.watchpathd"
#define PATH_PROFILE "/Library/Managed Preferences/" PATH_DOMAIN ".plist"

/* The --log of launchd's plist; elsewhere there is none by default. */
#define PATH_LOG "/var/log/watchpathd.log"

#if defined(__APPLE__) || defined(PATHS_OF_MACOS)
#define PATH_CONFIG "/Library/watchpathd/conf.d"
#define PATH_STATE "/var/db/watchpathd"
#define PATH_PROGRAM "/Library/watchpathd/bin/watchpathd"
#define PATH_ESCROW "/Library/watchpathd/bin/filevault-escrow"
#define HINT_START \
	"sudo launchctl bootstrap system /Library/LaunchDaemons/org.watchpathd.plist"
#define HINT_RESTART "sudo launchctl kickstart -k system/org.watchpathd"
#define HINT_FILES "watch fewer paths, or raise kern.maxfilesperproc with sysctl"
#else
#define PATH_CONFIG "/etc/watchpathd/conf.d"
#define PATH_STATE "/var/lib/watchpathd"
#define PATH_PROGRAM "/usr/local/sbin/watchpathd"
#define PATH_ESCROW "/usr/local/sbin/filevault-escrow"
#define HINT_START "sudo watchpathd run"
#define HINT_RESTART "sudo pkill -x watchpathd && sudo watchpathd run"
#define HINT_FILES \
	"watch fewer paths, or raise the limit the daemon is started with (ulimit -Hn)"
#endif

#endif
