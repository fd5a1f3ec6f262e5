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

#endif							/* XERO_COMPAT_H */
