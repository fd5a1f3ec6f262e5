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

/* Count a call that was made, for a foreign table or NULL. */
extern void xero_statement_called(const char *table, const char *method,
								  const char *path);

/* How many were made. */
extern int	xero_statement_calls(void);

/* Those that are alike in what they were for. */
typedef struct XeroSpender
{
	char		table[NAMEDATALEN];
	char		request[64];	/* method and path, without keys */
	int			calls;
} XeroSpender;

/* Of these the most; NULL if there are none. */
extern const XeroSpender *xero_statement_spender(void);

/* "GET /api.xro/2.0/Invoices/..." */
extern void xero_spender_name(XeroSpender *spender, const char *table,
							  const char *method, const char *path);

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
