/* SPDX-License-Identifier: MIT */
/*
 * The sink into macOS's unified log: one subsystem, and one public string per line.
 * What is secret (the output of actions) never gets here. An SDK made for cross
 * building lacks Apple's header; then the few declarations below replace it.
 */
#include "unified_log.h"

#include <stddef.h>

#if __has_include(<os/log.h>)
#include <os/log.h>
#else
#include <stdbool.h>
#include <stdint.h>

typedef struct os_log_s *os_log_t;
typedef uint8_t os_log_type_t;

#define OS_LOG_TYPE_DEFAULT 0x00
#define OS_LOG_TYPE_DEBUG 0x02
#define OS_LOG_TYPE_ERROR 0x10

extern char __dso_handle[];

os_log_t os_log_create(const char *subsystem, const char *category);
bool os_log_type_enabled(os_log_t log, os_log_type_t type);
void _os_log_impl(void *dso, os_log_t log, os_log_type_t type, const char *format,
    uint8_t *encoded, uint32_t size);

/*
 * The compiler encodes the arguments. The log records the format as an offset into
 * this section of the program. Apple also marks the section as C strings; zig's
 * linker would then merge it with all other strings.
 */
#define os_log_with_type(log, type, format, arg)                                  \
	do {                                                                      \
		static const char text[]                                          \
		    __attribute__((section("__TEXT,__oslogstring"))) = format;    \
		uint8_t encoded[__builtin_os_log_format_buffer_size(format, arg)] \
		    __attribute__((aligned(16)));                                 \
                                                                                  \
		if (os_log_type_enabled(log, type))                               \
			_os_log_impl(__dso_handle, log, type, text,               \
			    __builtin_os_log_format(encoded, format, arg),        \
			    sizeof(encoded));                                     \
	} while (0)
#endif

void
unified_log_line(enum log_level level, const char *line)
{
	static os_log_t log;

	if (log == NULL)
		log = os_log_create("org.watchpathd", "daemon");
	/* Without "public" a string is stored as <private>. */
	switch (level) {
	case LOG_LEVEL_ERROR:
		os_log_with_type(log, OS_LOG_TYPE_ERROR, "%{public}s", line);
		break;
	case LOG_LEVEL_WARNING:
		/* os_log has no warning; Apple's own Logger.warning is an error. */
		os_log_with_type(log, OS_LOG_TYPE_ERROR, "warning: %{public}s", line);
		break;
	case LOG_LEVEL_INFO:
		/* OS_LOG_TYPE_INFO is kept in memory only, and lost at reboot. */
		os_log_with_type(log, OS_LOG_TYPE_DEFAULT, "%{public}s", line);
		break;
	case LOG_LEVEL_DEBUG:
		os_log_with_type(log, OS_LOG_TYPE_DEBUG, "%{public}s", line);
		break;
	}
}
