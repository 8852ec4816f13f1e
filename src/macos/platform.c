/* SPDX-License-Identifier: MIT */
/*
 * platform.h for macOS 12 and later: the mount table, what besides mode bits
 * decides who may write, and where the program itself lies. Nothing here asks a
 * directory service or touches a mount. What cannot be read is objected to.
 */
#include "base/platform.h"

#include <errno.h>
#include <limits.h>
#include <mach-o/dyld.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/acl.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/sysctl.h>

#include "unified_log.h"

/* Rights by which someone can change the content. */
#define ACL_WRITING                                                               \
	(ACL_WRITE_DATA | ACL_APPEND_DATA | ACL_DELETE | ACL_DELETE_CHILD |       \
	    ACL_WRITE_ATTRIBUTES | ACL_WRITE_EXTATTRIBUTES | ACL_WRITE_SECURITY | \
	    ACL_CHANGE_OWNER)

log_sink_fn *const platform_log_sink = unified_log_line;

const bool platform_has_tcc = true;
const bool platform_has_console = true;

/* Of the mount table at the last platform_remote_mounts; 0: none yet. */
static uint64_t mounts_digest;

bool
platform_is_program(const char *head, size_t len)
{
	static const char magics[][4] = { "\xcf\xfa\xed\xfe", "\xce\xfa\xed\xfe",
		"\xca\xfe\xba\xbe", "\xca\xfe\xba\xbf" };
	size_t i;

	for (i = 0; i < sizeof(magics) / sizeof(magics[0]) && len >= 4; i++)
		if (memcmp(head, magics[i], 4) == 0)
			return true;
	return false;
}

unsigned
platform_admin_gid(void)
{
	return 80;
}

uint64_t
platform_descriptors_max(void)
{
	int most = 0;
	size_t size = sizeof(most);

	if (sysctlbyname("kern.maxfilesperproc", &most, &size, NULL, 0) == -1 ||
	    most <= 0)
		return UINT64_MAX;
	return (uint64_t)most;
}

bool
platform_self_path(char *out, size_t size)
{
	char invoked[PATH_MAX], *real;
	uint32_t room = sizeof(invoked);
	bool fits;

	/* The path as it was executed, links and dots included. */
	if (_NSGetExecutablePath(invoked, &room) != 0)
		return false;
	real = realpath(invoked, NULL);
	if (real == NULL)
		return false;
	fits = strlcpy(out, real, size) < size;
	free(real);
	return fits;
}

/*
 * The mount table as the kernel has it (with MNT_NOWAIT it asks no server). How
 * many, or -1 with errno; the caller frees *out.
 */
static int
read_mounts(struct statfs **out)
{
	struct statfs *table = NULL;
	int n, room;

	*out = NULL;
	n = getfsstat(NULL, 0, MNT_NOWAIT);
	while (n != -1) {
		/* A mount may have come meanwhile: a full table may be incomplete. */
		room = n + 8;
		table = xreallocarray(table, (size_t)room, sizeof(*table));
		n = getfsstat(table, room * (int)sizeof(*table), MNT_NOWAIT);
		if (n != -1 && n < room) {
			*out = table;
			return n;
		}
	}
	free(table);
	return -1;
}

/* FNV-1a. */
static uint64_t
digest_add(uint64_t h, const void *p, size_t n)
{
	const unsigned char *byte = p;

	while (n-- > 0)
		h = (h ^ *byte++) * 0x100000001b3;
	return h;
}

static uint64_t
digest_mounts(const struct statfs *table, int n)
{
	uint64_t h = 0xcbf29ce484222325;
	uint32_t local;

	for (const struct statfs *m = table; m < table + n; m++) {
		local = m->f_flags & MNT_LOCAL;
		h = digest_add(h, &m->f_fsid, sizeof(m->f_fsid));
		h = digest_add(h, &local, sizeof(local));
		h = digest_add(h, m->f_mntonname, strlen(m->f_mntonname) + 1);
	}
	return h != 0 ? h : 1;
}

/*
 * getfsstat copies what the kernel holds anyway: some tens of microseconds for the 20
 * mounts of a Mac. A "yes" for every event would make the caller judge every watched
 * path again.
 */
bool
platform_mounts_changed(void)
{
	struct statfs *table;
	uint64_t now;
	int n;

	n = read_mounts(&table);
	if (n == -1)
		return true;
	now = digest_mounts(table, n);
	free(table);
	return now != mounts_digest;
}

/* Autofs is a trigger: a stat below it mounts from the network. */
static bool
is_remote(const struct statfs *m)
{
	return (m->f_flags & MNT_LOCAL) == 0 || strcmp(m->f_fstypename, "autofs") == 0;
}

int
platform_remote_mounts(struct strv *out)
{
	struct statfs *table;
	int n;

	strv_clear(out);
	n = read_mounts(&table);
	if (n == -1)
		return -1;
	for (const struct statfs *m = table; m < table + n; m++)
		if (is_remote(m)) {
			strv_push(out, xstrdup(m->f_mntonname));
			strv_push(out, platform_alias(m->f_mntonname));
		}
	mounts_digest = digest_mounts(table, n);
	free(table);
	return 0;
}

/* Does this entry let someone write? An entry that cannot be read does. */
static bool
entry_grants_writing(acl_entry_t entry)
{
	acl_tag_t tag;
	acl_flagset_t flags;
	acl_permset_mask_t perms;

	if (acl_get_tag_type(entry, &tag) == -1 ||
	    acl_get_flagset_np(entry, &flags) == -1 ||
	    acl_get_permset_mask_np(entry, &perms) == -1)
		return true;
	/* Only new files inherit it, and they are judged when they are used. */
	if (acl_get_flag_np(flags, ACL_ENTRY_ONLY_INHERIT) == 1)
		return false;
	return tag != ACL_EXTENDED_DENY && (perms & ACL_WRITING) != 0;
}

static bool
acl_grants_writing(acl_t acl)
{
	acl_entry_t entry;
	int which = ACL_FIRST_ENTRY;

	/* macOS returns 0 for an entry and -1 at the end; POSIX says 1 and 0. */
	while (acl_get_entry(acl, which, &entry) == 0) {
		if (entry_grants_writing(entry))
			return true;
		which = ACL_NEXT_ENTRY;
	}
	return false;
}

/*
 * Whoever may stat a file may read its ACL, also by a descriptor of O_EVTONLY or
 * O_SYMLINK.
 */
static const char *
acl_objection(int fd)
{
	acl_t acl;
	bool grants;

	errno = 0;
	acl = acl_get_fd_np(fd, ACL_TYPE_EXTENDED);
	if (acl == NULL) {
		/* No ACL, or a filesystem that has none. */
		if (errno == ENOENT || errno == ENOTSUP || errno == EOPNOTSUPP)
			return NULL;
		return "its ACL cannot be read";
	}
	grants = acl_grants_writing(acl);
	acl_free(acl);
	return grants ? "an ACL grants writing (see ls -le)" : NULL;
}

/*
 * The user who made a disk image chose the owners of its files. macOS mounts it for
 * him, nosuid, and records him as f_owner.
 */
static const char *
volume_objection(int fd, uid_t owner, bool sandbox)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == -1)
		return "its volume cannot be found out";
	if ((fs.f_flags & MNT_IGNORE_OWNERSHIP) != 0)
		return "on a volume that ignores ownership";
	if (sandbox)
		return NULL;
	if (fs.f_owner != 0 && fs.f_owner != owner)
		return "on a volume that a user has mounted";
	if ((fs.f_flags & MNT_NOSUID) != 0)
		return "on a volume mounted nosuid, as users' disk images are";
	return NULL;
}

bool
platform_trust_objection(
    int fd, const char *path, uid_t owner, bool sandbox, char *why, size_t size)
{
	const char *objection = volume_objection(fd, owner, sandbox);

	if (objection == NULL)
		objection = acl_objection(fd);
	if (objection == NULL)
		return false;
	snprintf(why, size, "%s: %s", path, objection);
	return true;
}
