/* SPDX-License-Identifier: MIT */
/*
 * Property lists from files, of whatever kind. The file is opened once, here; a
 * program that converts it gets it as its standard input, so no name of a file
 * is ever an argument, and no shell is asked.
 */
#include "cmd/plistfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd/helper.h"
#include "base/util.h"
#include "base/fd.h"

/*
 * Both write XML of any list that they read. Not JSON: it has no dates and no
 * data, and plistutil writes it only since libplist 2.3. They are the system's
 * own, and get nothing of the caller's environment: sudo keeps PATH on macOS, and
 * the first directory in it may be a user's.
 */
static const struct converter {
	const char *path;
	const char *argv[8];
} converters[] = {
	{ "/usr/bin/plutil", { "plutil", "-convert", "xml1", "-o", "-", "-", NULL } },
	{ "/usr/bin/plistutil",
	    { "plistutil", "-f", "xml", "-i", "-", "-o", "-", NULL } },
};

/* 0, or -1 with errno: ECHILD if the program ran and failed. */
static int
convert(const struct converter *c, int fd, struct buf *out)
{
	if (lseek(fd, 0, SEEK_SET) == -1)
		return -1;
	return helper_run(c->path, c->argv, fd, 0, out);
}

#define INSTALL_HINT                                                           \
	"not XML, and to convert it neither /usr/bin/plutil (which macOS has)" \
	" nor /usr/bin/plistutil is there: install libplist-utils"

static int
refuse(int code, int *status, char *why)
{
	*status = code == EACCES || code == EPERM ? EX_NOPERM : EXIT_FAILURE;
	if (code == EFBIG) {
		*status = EX_DATAERR;
		snprintf(why, PLIST_WHY_SIZE, "larger than 1 MiB");
	} else {
		snprintf(why, PLIST_WHY_SIZE, "%s", strerror(code));
	}
	return -1;
}

/* Makes xml of what fd has; the first program that can do it does. */
static int
make_xml(int fd, struct buf *xml, int *status, char *why)
{
	bool ran = false;
	size_t i;
	int code;

	for (i = 0; i < NELEM(converters); i++) {
		buf_clear(xml);
		code = convert(&converters[i], fd, xml) == 0 ? 0 : errno;
		/* plistutil copies what is neither binary nor XML. */
		if (code == 0 && plist_is_xml(xml->p, xml->len))
			return 0;
		if (code == EFBIG)
			return refuse(code, status, why);
		ran = ran || (code != ENOENT && code != EACCES);
	}
	*status = ran ? EX_DATAERR : EXIT_FAILURE;
	snprintf(why, PLIST_WHY_SIZE, "%s", ran ? "not a property list" : INSTALL_HINT);
	return -1;
}

/* Never waits, as the opening of a FIFO would. */
static int
open_regular(const char *path, int *status, char *why)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd == -1)
		return refuse(errno, status, why);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	*status = EXIT_FAILURE;
	snprintf(why, PLIST_WHY_SIZE, "not a regular file");
	return -1;
}

struct plist *
plistfile_read_fd(int fd, int *status, char why[PLIST_WHY_SIZE])
{
	struct buf text = { NULL, 0, 0 };
	struct plist *p = NULL;

	if (fd_read_all(fd, &text, HELPER_LIMIT) == -1) {
		refuse(errno, status, why);
	} else if (plist_is_xml(text.p, text.len) ||
		   make_xml(fd, &text, status, why) == 0) {
		*status = EX_DATAERR;
		p = plist_parse(text.p, text.len, why);
	}
	buf_clear(&text);
	return p;
}

struct plist *
plistfile_read(const char *path, int *status, char why[PLIST_WHY_SIZE])
{
	int fd = open_regular(path, status, why);
	struct plist *p;

	if (fd == -1)
		return NULL;
	p = plistfile_read_fd(fd, status, why);
	close(fd);
	return p;
}
