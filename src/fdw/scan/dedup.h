/*-------------------------------------------------------------------------
 *
 * dedup.h
 *	  Deduplication of records, by the keys of those on recent pages.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_DEDUP_H
#define XERO_DEDUP_H

#include "compat.h"

#include "utils/uuid.h"

/* So many pages are remembered, the present one included. */
#define XERO_DEDUP_PAGES 8

typedef struct XeroDedup XeroDedup;

extern XeroDedup *xero_dedup_create(MemoryContext mcxt);

/* A page begins, and the oldest of those remembered is forgotten. */
extern void xero_dedup_next_page(XeroDedup *dedup);

/* Note a record's key; false if it was seen on a remembered page. */
extern bool xero_dedup_add(XeroDedup *dedup, const pg_uuid_t *key);

#endif							/* XERO_DEDUP_H */
