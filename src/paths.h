/* SPDX-License-Identifier: MIT */
#ifndef PATHS_H
#define PATHS_H

/* Default locations; the only header that asks which system this is. */
#ifdef __APPLE__
#define PATH_CONFIG "/Library/watchpathd/conf.d"
#define PATH_STATE "/var/db/watchpathd"
#define PATH_PROGRAM "/Library/watchpathd/bin/watchpathd"
#else
#define PATH_CONFIG "/etc/watchpathd/conf.d"
#define PATH_STATE "/var/lib/watchpathd"
#define PATH_PROGRAM "/usr/local/sbin/watchpathd"
#endif

#endif
