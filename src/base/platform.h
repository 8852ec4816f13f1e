/* SPDX-License-Identifier: MIT */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "base/util.h"

/*
 * What differs beyond kqueue; the files of macos/ and linux/ implement it. Nothing
 * here blocks on a network or a directory service.
 */

/*
 * Has the mount table changed since the last call of platform_remote_mounts?
 * Cheap enough for every event on a directory. May be true too often.
 */
bool platform_mounts_changed(void);

/*
 * Fills out with the mount points of network and automount filesystems, read
 * from the mount table without touching the mounts (getfsstat with MNT_NOWAIT;
 * /proc/self/mountinfo). 0, or -1 with errno and out empty.
 */
int platform_remote_mounts(struct strv *out);

/* Another path by which the system finds the same file always; NULL: none. free(3) it. */
char *platform_alias(const char *path);

/* May volumes find a name in another case, or with its accents apart? True on macOS. */
bool platform_folds_names(void);

/*
 * Does more than owner and mode bits decide who may write here: an ACL that
 * grants someone writing, a volume that ignores ownership, or one that another
 * user than root and owner brought? With sandbox, volumes of users are good. Puts
 * the reason, as in "PATH: …", into why and returns true; false when there is
 * nothing to object to. fd is open on path (O_EVTONLY is enough).
 */
bool platform_trust_objection(
    int fd, const char *path, uid_t owner, bool sandbox, char *why, size_t size);

/*
 * Can the system execute a file that begins with these bytes, scripts aside?
 * Mach-O and universal binaries on macOS, ELF on Linux.
 */
bool platform_is_program(const char *head, size_t len);

/* The group whose members may administer the machine ("admin", 80 on macOS). */
unsigned platform_admin_gid(void);

/*
 * How many descriptors the kernel lets a process have at most, whatever its limit
 * is: macOS accepts any limit and enforces kern.maxfilesperproc. UINT64_MAX: the
 * limit is the truth.
 */
uint64_t platform_descriptors_max(void);

/* Sends a line to the unified log; NULL where there is none. */
extern log_sink_fn *const platform_log_sink;

/* The words before a command that keep the machine awake, or NULL. */
extern const char *const *const platform_keep_awake;

/* The path of the running program; false if it is unknown. */
bool platform_self_path(char *out, size_t size);

/*
 * What is different at the next boot, and for a later process with the same pid.
 * False: it is unknown; a process that is dead, reaped or not, has none.
 */
#define PLATFORM_ID_SIZE 64
bool platform_boot_id(char out[PLATFORM_ID_SIZE]);
bool platform_process_id(pid_t pid, char out[PLATFORM_ID_SIZE]);

/*
 * Descriptors that can be read when the network may have changed; how many there
 * are, 0 if none can be had. They are close-on-exec and do not block. Changed
 * reads one empty, and returns whether a link, an address or the like changed.
 */
#define PLATFORM_NETWORK_FDS 2
size_t platform_network_open(int fds[PLATFORM_NETWORK_FDS]);
bool platform_network_changed(int fd);

/*
 * May errno EPERM come from privacy protection that only a grant of Full Disk
 * Access lifts (TCC), and EDEADLK from what is in iCloud only? True on macOS.
 */
extern const bool platform_has_tcc;

/* Is the owner of /dev/console the user who is logged in at the screen? */
extern const bool platform_has_console;

#endif
