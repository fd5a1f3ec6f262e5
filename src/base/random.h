/*-------------------------------------------------------------------------
 *
 * random.h
 *	  Random bytes that nobody can guess.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_RANDOM_H
#define XERO_RANDOM_H

#include "compat.h"

/* Raises an ERROR if there are none. */
static inline void
xero_random_bytes(void *bytes, size_t len)
{
	if (!pg_strong_random(bytes, len))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
}

#endif							/* XERO_RANDOM_H */
