/*-------------------------------------------------------------------------
 *
 * analyze.h
 *	  ANALYZE of foreign tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_ANALYZE_H
#define XERO_ANALYZE_H

#include "compat.h"

#include "foreign/fdwapi.h"

extern bool xeroAnalyzeForeignTable(Relation rel, AcquireSampleRowsFunc *func,
									BlockNumber *totalpages);

/* to be called by _PG_init */
extern void xero_analyze_init(void);

#endif							/* XERO_ANALYZE_H */
