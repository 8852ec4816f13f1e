/* SPDX-License-Identifier: MIT */
/*
 * Memory, strings, strict numbers, and text from outside made harmless. Nothing
 * here knows what a rule is.
 */
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static void *
check(void *p)
{
	if (p == NULL) {
		fputs("watchpathd: out of memory\n", stderr);
		exit(EX_OSERR);
	}
	return p;
}

void *
xmalloc(size_t size)
{
	return xreallocarray(NULL, size, 1);
}

void *
xcalloc(size_t n, size_t size)
{
	return check(calloc(n != 0 ? n : 1, size != 0 ? size : 1));
}

void *
xreallocarray(void *p, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size)
		return check(NULL);
	return check(realloc(p, n * size != 0 ? n * size : 1));
}

char *
xstrdup(const char *s)
{
	return check(strdup(s));
}

char *
xstrndup(const char *s, size_t n)
{
	return check(strndup(s, n));
}

char *
xvasprintf(const char *fmt, va_list ap)
{
	char *s;
	int n = vasprintf(&s, fmt, ap);

	return check(n == -1 ? NULL : s);
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

void
strv_push(struct strv *l, char *owned)
{
	/* Room is doubled whenever n and its NULL reach a power of two. */
	if (l->n == 0 || ((l->n + 1) & l->n) == 0)
		l->v = xreallocarray(l->v, 2 * (l->n + 1), sizeof(*l->v));
	l->v[l->n++] = owned;
	l->v[l->n] = NULL;
}

bool
strv_contains(const struct strv *l, const char *s)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			return true;
	return false;
}

bool
fd_append(int fd, const char *p, size_t len, off_t size)
{
	ssize_t n;

	do
		n = write(fd, p, len);
	while (n == -1 && errno == EINTR);
	if (n == (ssize_t)len)
		return true;
	if (n >= 0)
		errno = ENOSPC;
	if (n > 0 && ftruncate(fd, size) == -1)
		errno = EIO;
	return false;
}

size_t
fd_write_all(int fd, const char *p, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = write(fd, p + done, len - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ENOSPC;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int
fd_read_all(int fd, struct buf *out, size_t max)
{
	char part[8192];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (out->len + (size_t)n > max) {
			errno = EFBIG;
			return -1;
		}
		buf_add(out, part, (size_t)n);
	}
	return 0;
}

bool
fd_is_at(int fd, const char *path)
{
	struct stat a, b;

	errno = ENOENT;
	return fd != -1 && fstat(fd, &a) == 0 && lstat(path, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool
text_ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), len = strlen(end);

	return n >= len && strcmp(text + n - len, end) == 0;
}

bool
path_is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 0 && dir[n - 1] == '/')
		n--;
	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

void
path_cut(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash != NULL)
		*slash = '\0';
}

char *
path_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

void
strv_clear(struct strv *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct strv){ NULL, 0 };
}

bool
strv_equal(const struct strv *a, const struct strv *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

static void
reserve(struct buf *b, size_t n)
{
	size_t need = b->len + n + 1;

	if (need <= b->cap)
		return;
	b->cap = need < 2 * b->cap ? 2 * b->cap : need < 64 ? 64 : need;
	b->p = xreallocarray(b->p, b->cap, 1);
	b->p[b->len] = '\0';
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	reserve(b, n);
	if (n != 0)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = '\0';
}

void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	reserve(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void
buf_clear(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ NULL, 0, 0 };
}

/*
 * The length of the UTF-8 character at s, which has n > 0 bytes; 0 if it is not
 * one: overlong forms, surrogates and what lies beyond U+10FFFF are not.
 */
static size_t
utf8_length(const unsigned char *s, size_t n)
{
	static const struct {
		unsigned char first, last, low, high, len;
	} forms[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t i, k;

	for (i = 0; i < NELEM(forms); i++) {
		if (s[0] < forms[i].first || s[0] > forms[i].last)
			continue;
		if (forms[i].len > n)
			return 0;
		if (forms[i].len > 1 && (s[1] < forms[i].low || s[1] > forms[i].high))
			return 0;
		for (k = 2; k < forms[i].len; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return 0;
}

/* How many bytes at s are letters and signs of ASCII, but no backslash. */
static size_t
plain_length(const unsigned char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= ' ' && s[i] < 0x7f && s[i] != '\\')
		i++;
	return i;
}

/* C1 controls (U+0080 to U+009F) drive terminals too. */
static bool
is_control(const unsigned char *s, size_t len)
{
	if (len == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	return len == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

/* What turns the direction of writing, or begins a line, shows another name. */
static bool
deceives(const unsigned char *s, size_t len)
{
	static const struct {
		unsigned char second, first, last;
	} turns[] = {
		{ 0x80, 0x8e, 0x8f }, /* U+200E to U+200F */
		{ 0x80, 0xa8, 0xae }, /* U+2028 to U+202E */
		{ 0x81, 0xa6, 0xa9 }, /* U+2066 to U+2069 */
	};
	size_t i;

	for (i = 0; i < NELEM(turns) && len == 3; i++)
		if (s[0] == 0xe2 && s[1] == turns[i].second && s[2] >= turns[i].first &&
		    s[2] <= turns[i].last)
			return true;
	return false;
}

bool
text_is_valid(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t n = strlen(s), len;

	for (; n > 0; u += len, n -= len) {
		len = plain_length(u, n);
		if (len > 0)
			continue;
		len = utf8_length(u, n);
		if (len == 0 || (is_control(u, len) && *u != '\t'))
			return false;
	}
	return true;
}

/* By hand: a name may be nothing but such bytes, and 4,096 of them are in a record. */
static void
add_octal(struct buf *b, unsigned char c)
{
	char text[4] = { '\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)),
		(char)('0' + (c & 7)) };

	buf_add(b, text, sizeof(text));
}

static void
add_visible(struct buf *b, const char *s, size_t n, bool backslash)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t i = 0, k, len;

	reserve(b, n);
	while (i < n) {
		len = plain_length(u + i, n - i);
		buf_add(b, u + i, len);
		i += len;
		if (i == n)
			break;
		len = utf8_length(u + i, n - i);
		if (len != 0 && !is_control(u + i, len) && !deceives(u + i, len) &&
		    (u[i] != '\\' || backslash)) {
			buf_add(b, u + i, len);
			i += len;
			continue;
		}
		for (k = len != 0 ? len : 1; k > 0; k--)
			add_octal(b, u[i++]);
	}
}

void
buf_addvis(struct buf *b, const char *s, size_t n)
{
	add_visible(b, s, n, false);
}

static char *
visible_dup(const char *s, bool backslash)
{
	struct buf b = { NULL, 0, 0 };

	add_visible(&b, s, strlen(s), backslash);
	buf_adds(&b, "");
	return b.p;
}

char *
vis_dup(const char *s)
{
	return visible_dup(s, false);
}

char *
safe_dup(const char *s)
{
	return visible_dup(s, true);
}

static bool
is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' &&
	       s[2] <= '7';
}

char *
unvis_dup(const char *s)
{
	char *out = xcalloc(strlen(s) + 1, 1), *o = out;

	while (*s != '\0') {
		if (s[0] == '\\' && is_octal(s + 1)) {
			*o++ =
			    (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*o++ = *s++;
		}
	}
	return out;
}

/* The number at the start of s; its end, or NULL if there is none or it is over max. */
static const char *
number(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (n > (max - (uint64_t)(*p - '0')) / 10 || (uint64_t)(*p - '0') > max)
			return NULL;
		n = n * 10 + (uint64_t)(*p - '0');
	}
	*out = n;
	return p != s ? p : NULL;
}

bool
parse_number(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t n;
	const char *end = number(s, max, &n);

	if (end == NULL || *end != '\0')
		return false;
	*out = n;
	return true;
}

bool
parse_int(const char *s, int64_t *out)
{
	bool minus = s[0] == '-';
	uint64_t n;

	if (!parse_number(s + minus, INT64_MAX, &n))
		return false;
	*out = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first; the empty name is what a bare number means. */
static const struct unit duration_units[] = { { "d", 86400000 }, { "h", 3600000 },
	{ "m", 60000 }, { "s", 1000 }, { "", 1000 }, { "ms", 1 }, { NULL, 0 } };
static const struct unit size_units[] = { { "G", 1 << 30 }, { "M", 1 << 20 },
	{ "k", 1 << 10 }, { "", 1 }, { NULL, 0 } };

static bool
parse_with_unit(const struct unit *units, const char *s, uint64_t max, uint64_t *out)
{
	uint64_t n;
	const char *end = number(s, UINT64_MAX, &n);

	if (end == NULL)
		return false;
	for (; units->name != NULL; units++) {
		if (strcmp(end, units->name) != 0)
			continue;
		if (n > max / units->factor)
			return false;
		*out = n * units->factor;
		return true;
	}
	return false;
}

bool
parse_duration(const char *s, int64_t *out_ms)
{
	uint64_t ms;

	/* In nanoseconds it must still fit into an int64_t. */
	if (!parse_with_unit(duration_units, s, INT64_MAX / 1000000, &ms))
		return false;
	*out_ms = (int64_t)ms;
	return true;
}

bool
parse_size(const char *s, uint64_t *out)
{
	return parse_with_unit(size_units, s, INT64_MAX, out);
}

static void
format_with_unit(const struct unit *units, char *out, size_t size, uint64_t n)
{
	while (units[1].name != NULL && n % units->factor != 0)
		units++;
	snprintf(
	    out, size, "%" PRIu64 "%s", n / units->factor, n != 0 ? units->name : "");
}

void
format_duration(char *out, size_t size, int64_t ms)
{
	format_with_unit(duration_units, out, size, (uint64_t)ms);
}

void
format_size(char *out, size_t size, uint64_t bytes)
{
	format_with_unit(size_units, out, size, bytes);
}

char *
place_dup(const char *file, int line)
{
	return line != 0 ? xasprintf("%s:%d", file, line) : xstrdup(file);
}

int64_t
realtime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void
format_time(char out[TIME_TEXT_SIZE], int64_t ns)
{
	int64_t ms = ns / 1000000;
	time_t sec = (time_t)(ms / 1000);
	struct tm tm;
	size_t n;

	if (gmtime_r(&sec, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	n = strftime(out, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, TIME_TEXT_SIZE - n, ".%03dZ", (int)(ms % 1000));
}

bool
parse_time(const char *s, int64_t *ns)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *end = strptime(s, "%Y-%m-%dT%H:%M:%S.", &tm);
	uint64_t ms;
	int64_t t;
	char digits[4], again[TIME_TEXT_SIZE];

	if (end == NULL || strlen(end) != 4 || end[3] != 'Z')
		return false;
	memcpy(digits, end, 3);
	digits[3] = '\0';
	if (!parse_number(digits, 999, &ms))
		return false;
	/* What is outside the range could not be subtracted either. */
	t = (int64_t)timegm(&tm) * 1000 + (int64_t)ms;
	if (t < 0 || t > INT64_MAX / 1000000)
		return false;
	t *= 1000000;
	/* strptime takes spaces, single digits and the 30th of February. */
	format_time(again, t);
	if (strcmp(again, s) != 0)
		return false;
	*ns = t;
	return true;
}

int
fd_prepare(int fd, bool nonblock)
{
	int flags;

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		return -1;
	if (!nonblock)
		return 0;
	flags = fcntl(fd, F_GETFL);
	return flags == -1 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* Process-wide by nature, so it stands here and not in a struct. */
static struct rlimit limit_at_start, limit_now;
static rlim_t limit_cap;

void
fdlimit_init(void)
{
	getrlimit(RLIMIT_NOFILE, &limit_at_start);
	limit_now = limit_at_start;
	limit_cap = limit_at_start.rlim_max;
}

void
fdlimit_cap(uint64_t most)
{
	if (most < limit_cap)
		limit_cap = most;
}

bool
fdlimit_raise(void)
{
	struct rlimit next = limit_now;

	if (limit_now.rlim_cur >= limit_cap)
		return false;
	next.rlim_cur =
	    limit_now.rlim_cur > limit_cap / 2 ? limit_cap : 2 * limit_now.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &next) == -1)
		return false;
	limit_now = next;
	return true;
}

void
fdlimit_lower(void)
{
	struct rlimit l = { .rlim_cur = limit_at_start.rlim_cur,
		.rlim_max = limit_now.rlim_max };

	if (l.rlim_cur != limit_now.rlim_cur)
		setrlimit(RLIMIT_NOFILE, &l);
}

void
fdlimit_restore(void)
{
	if (limit_at_start.rlim_cur != limit_now.rlim_cur)
		setrlimit(RLIMIT_NOFILE, &limit_now);
}

uint64_t
fdlimit_most(void)
{
	return limit_cap;
}
