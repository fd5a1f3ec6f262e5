/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  The one place that tests PG_VERSION_NUM.
 *
 * Shims are named after, and behave like, the newest supported API, so that
 * the rest of the code reads as if only that version existed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_COMPAT_H
#define XERO_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "xero_fdw supports PostgreSQL 15 to 18"
#endif

/*
 * Waiting (src/api).  Before 17, wait events of extensions have no names, and
 * a wait event set belonged to a memory context instead of a resource owner;
 * here they always live as long as the backend (owner NULL).
 */
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#if PG_VERSION_NUM < 170000
static inline uint32
WaitEventExtensionNew(const char *wait_event_name)
{
	return PG_WAIT_EXTENSION;
}

#define CreateWaitEventSet(resowner, nevents) \
	((void) (resowner), (CreateWaitEventSet) (TopMemoryContext, nevents))
#endif

/*
 * Shared memory (src/api).  Since 17 a library can have some without being
 * preloaded.
 */
#if PG_VERSION_NUM >= 170000
#define XERO_HAVE_DSM_REGISTRY 1
#endif

#endif							/* XERO_COMPAT_H */
