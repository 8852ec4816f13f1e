/* SPDX-License-Identifier: MIT */
/*
 * For the static analyser only: <sys/queue.h> with a TAILQ_REMOVE that does the
 * same in words that it follows. Through tqe_prev it does not see that the first
 * element is gone, and takes every loop that frees a list for a use after free.
 */
#include <sys/queue.h>

#undef TAILQ_REMOVE
#define TAILQ_REMOVE(head, elm, field)                                                  \
	do {                                                                            \
		if (TAILQ_NEXT(elm, field) != NULL)                                     \
			TAILQ_NEXT(elm, field)->field.tqe_prev = (elm)->field.tqe_prev; \
		else                                                                    \
			(head)->tqh_last = (elm)->field.tqe_prev;                       \
		if (TAILQ_FIRST(head) == (elm))                                         \
			TAILQ_FIRST(head) = TAILQ_NEXT(elm, field);                     \
		else                                                                    \
			*(elm)->field.tqe_prev = TAILQ_NEXT(elm, field);                \
	} while (0)
