/*-------------------------------------------------------------------------
 *
 * dropped.h
 *	  Access tokens in memory of what is dropped.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_DROPPED_H
#define XERO_DROPPED_H

#include "compat.h"

/* In _PG_init. */
extern void xero_dropped_init(void);

#endif							/* XERO_DROPPED_H */
