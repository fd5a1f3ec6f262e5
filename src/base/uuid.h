/*-------------------------------------------------------------------------
 *
 * uuid.h
 *	  uuids in the order of their bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_UUID_H
#define XERO_UUID_H

#include "compat.h"

#include "utils/uuid.h"

/* For qsort() and bsearch(): pg_uuid_t, or structs that begin with one. */
static inline int
xero_compare_uuids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(pg_uuid_t));
}

#endif							/* XERO_UUID_H */
