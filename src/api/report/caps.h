/*-------------------------------------------------------------------------
 *
 * caps.h
 *	  What is said where calls end at a limit of the database's own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_CAPS_H
#define XERO_CAPS_H

#include "compat.h"

#include "api/budget/statement_limits.h"
#include "api/report/failure.h"
#include "api/shared/server.h"
#include "datatype/timestamp.h"

/* The statement has made as many calls as it may.  In CurrentMemoryContext. */
extern XeroFailure *xero_failure_of_max_calls(const XeroServer *server);

/*
 * Its plan will make more than xero_fdw.max_calls: so many yet at least, of which
 * one foreign table takes the most.
 */
extern XeroFailure *xero_failure_of_plan(double calls, const XeroSpender *most);

/* The role has, in a day that ends then. */
extern XeroFailure *xero_failure_of_role_day(const XeroServer *server,
											 Oid roleid, TimestampTz ends_at);

#endif							/* XERO_CAPS_H */
