/* SPDX-License-Identifier: MIT */
#ifndef VERSION_H
#define VERSION_H

/* The libraries in this program: "cJSON 1.7.15, expat 2.5.0". free(3) it. */
char *version_libraries(void);

#endif
