/*-------------------------------------------------------------------------
 *
 * join.h
 *	  Bind joins.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_BIND_JOIN_H
#define XERO_BIND_JOIN_H

/* to be called by _PG_init */
extern void xero_bind_init(void);

#endif							/* XERO_BIND_JOIN_H */
