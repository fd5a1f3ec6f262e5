/*-------------------------------------------------------------------------
 *
 * statement_limits.h
 *	  What one statement may spend: calls, and time waited for more.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_STATEMENT_LIMITS_H
#define XERO_STATEMENT_LIMITS_H

#include "compat.h"

#include "api/shared/server.h"

/* In _PG_init: defines the variables of statements. */
extern void xero_statement_init(void);

/* True if xero_fdw.max_calls and the server allow one more call. */
extern bool xero_statement_may_call(const XeroServer *server);

/* Count a call that was made. */
extern void xero_statement_called(void);

/* How long the statement may still wait for limits, in ms. */
extern double xero_statement_patience(void);

/* Count time that the statement has waited. */
extern void xero_statement_waited(double ms);

/* True for background statements, which interactive ones may overtake. */
extern bool xero_statement_in_background(void);

/* Variables, for messages and the log. */
extern int	xero_statement_max_calls(void);
extern int	xero_statement_max_wait(void);
extern int	xero_statement_log_min_wait(void);

#endif							/* XERO_STATEMENT_LIMITS_H */
