/*-------------------------------------------------------------------------
 *
 * row_error.h
 *	  Rows that were not written, and why.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_ROW_ERROR_H
#define XERO_ROW_ERROR_H

#include "compat.h"

#include "fdw/write/answer.h"
#include "nodes/nodes.h"
#include "nodes/pg_list.h"

/* A row that Xero, or a check of ours, refused. */
typedef struct XeroRowError
{
	int			number;			/* of the row in the caller's batch */
	char	   *label;			/* the row, for people */
	char	   *values;			/* as JSON, or NULL */
	XeroOutcome outcome;		/* not stored */
} XeroRowError;

/* Messages (char *) as one text. */
extern char *xero_join_messages(List *messages, const char *separator);

/* In _PG_init: defines xero_fdw.on_row_error. */
extern void xero_row_error_init(void);

/* Are refused rows noted instead of raised? */
extern bool xero_row_errors_are_logged(void);

/* What Xero's words mean, as an SQLSTATE of class 23. */
extern int	xero_classify_message(const char *message);

/*
 * Raise one error for all rows refused of a statement's request.  "done" is how
 * many records the statement had written, "names" their keys; "hint" may be
 * NULL.
 */
pg_noreturn extern void xero_row_errors_raise(const char *table,
											  CmdType operation, List *errors,
											  int64 done, const char *names,
											  const char *hint);

/* Put them into xero_fdw.write_errors. */
extern void xero_row_errors_log(const char *table, CmdType operation,
								List *errors);

#endif							/* XERO_ROW_ERROR_H */
