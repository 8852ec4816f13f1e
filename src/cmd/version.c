/* SPDX-License-Identifier: MIT */
/*
 * What this program is made of. inih cannot tell which one it is.
 */
#include "cmd/version.h"

#include <cJSON.h>
#include <expat.h>

#include "base/util.h"

char *
version_libraries(void)
{
	XML_Expat_Version expat = XML_ExpatVersionInfo();

	return xasprintf("cJSON %s, expat %d.%d.%d", cJSON_Version(), expat.major,
	    expat.minor, expat.micro);
}
