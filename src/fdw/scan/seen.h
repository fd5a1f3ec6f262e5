/*-------------------------------------------------------------------------
 *
 * seen.h
 *	  Keys of the records on recent pages.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SEEN_H
#define XERO_SEEN_H

#include "compat.h"

#include "utils/uuid.h"

/* So many pages are remembered, the present one included. */
#define XERO_SEEN_PAGES 8

typedef struct XeroSeen XeroSeen;

extern XeroSeen *xero_seen_create(MemoryContext mcxt);

/* A page begins, and the oldest of those remembered is forgotten. */
extern void xero_seen_next_page(XeroSeen *seen);

/* Note a record's key; false if it was seen on a remembered page. */
extern bool xero_seen_add(XeroSeen *seen, const pg_uuid_t *key);

#endif							/* XERO_SEEN_H */
