/*
 * SPDX-License-Identifier: MIT
 *
 * "36 35 98:0 / /mnt/x rw,noatime master:1 - ext3 /dev/sda1 rw" a line.
 */
#include "mountinfo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 16384

/* It cannot be mapped and has no size. */
char *
mountinfo_read(int fd)
{
	char *text = NULL, *more;
	size_t size = 0, len = 0;
	ssize_t n = lseek(fd, 0, SEEK_SET);
	int error;

	while (n != -1 && (more = realloc(text, (size += PIECE))) != NULL) {
		text = more;
		while ((n = read(fd, text + len, size - len - 1)) > 0)
			len += (size_t)n;
		if (n == 0 && len < size - 1) {
			text[len] = '\0';
			return text;
		}
	}
	error = errno;
	free(text);
	errno = error;
	return NULL;
}

/* Space, tab, newline and backslash stand as \ooo. */
static void
unescape(char *s)
{
	char *to = s;

	while (*s != '\0') {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' &&
		    s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to++ =
			    (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

bool
mountinfo_parse(char *line, struct mountinfo *m)
{
	char *type = strstr(line, " - "), *field, *save = NULL;

	if (type == NULL)
		return false;
	*type = '\0';
	m->type = type + 3;
	m->type[strcspn(m->type, " ")] = '\0';
	field = strtok_r(line, " ", &save);
	if (field == NULL)
		return false;
	m->id = (int)strtol(field, NULL, 10);
	for (int i = 0; i < 4; i++)
		if ((field = strtok_r(NULL, " ", &save)) == NULL)
			return false;
	unescape(field);
	m->point = field;
	return true;
}
