/*-------------------------------------------------------------------------
 *
 * role_day.h
 *	  How many calls each role may make in a day.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_ROLE_DAY_H
#define XERO_ROLE_DAY_H

#include "compat.h"

#include "api/shared/server.h"
#include "datatype/timestamp.h"

/* In _PG_init. */
extern void xero_role_day_init(void);

/*
 * Count a call of the role, if the server's limit allows it one more; if not,
 * "ends_at" is when the role's day ends.
 */
extern bool xero_role_day_take(const XeroServer *server, Oid roleid,
							   TimestampTz *ends_at);

/* A call that was counted was not made.  Never raises an error. */
extern void xero_role_day_return(const XeroServer *server, Oid roleid);

#endif							/* XERO_ROLE_DAY_H */
