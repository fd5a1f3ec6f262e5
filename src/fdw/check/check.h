/*-------------------------------------------------------------------------
 *
 * check.h
 *	  What xero_fdw.check() looks at, one thing after the other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_CHECK_H
#define XERO_CHECK_H

#include "compat.h"

#include "api/http/small_json.h"
#include "api/report/failure.h"
#include "api/shared/server.h"
#include "funcapi.h"
#include "nodes/pg_list.h"

typedef enum XeroCheckState
{
	XERO_CHECK_OK,
	XERO_CHECK_WARNING,
	XERO_CHECK_PROBLEM
} XeroCheckState;

/* An organisation, and what calling it has shown. */
typedef struct XeroCheckedOrg
{
	XeroOrganisation *organisation;
	const char *label;			/* name and id */
	bool		answered;
	bool		limited;		/* no call was allowed: in "failure" */
	const XeroFailure *failure; /* or NULL */
} XeroCheckedOrg;

/* What earlier checks have found out for the later ones. */
typedef struct XeroCheck
{
	ReturnSetInfo *rsinfo;
	XeroServer *server;			/* NULL: its settings are not complete */
	List	   *tables;			/* of XeroTableScope */
	bool		reached;		/* both hosts answer */
	bool		has_token;		/* Xero has accepted it */
	const char *granted;		/* scopes, NULL: not known */
	XeroOrganisation *connections;	/* that Xero has listed, and lost ones */
	int			nconnections;
	XeroCheckedOrg *orgs;		/* that the server stands for */
	int			norgs;
} XeroCheck;

/* in rows.c: a row; "advice" is NULL if there is nothing to do */
extern void xero_check_row(XeroCheck *check, const char *name,
						   XeroCheckState state, const char *seen,
						   const char *advice);

/* A row of what went wrong; "advice" if the failure has none. */
extern void xero_check_failure(XeroCheck *check, const char *name,
							   const XeroFailure *failure,
							   const char *advice);

/* A row of a check that could not be done. */
extern void xero_check_undone(XeroCheck *check, const char *name,
							  const char *why);

/* in hosts.c: reachable, tls, clock */
extern void xero_check_hosts(XeroCheck *check);

/* in access.c: token, scopes */
extern void xero_check_token(XeroCheck *check);
extern void xero_check_scopes(XeroCheck *check);

/* in orgs.c: organisation, budget, page size */
extern void xero_check_orgs(XeroCheck *check);
extern void xero_check_budgets(XeroCheck *check);
extern void xero_check_page_size(XeroCheck *check);

#endif							/* XERO_CHECK_H */
