/*-------------------------------------------------------------------------
 *
 * rows.c
 *	  Rows of xero_fdw.check(): what was seen, and what to do.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/check/check.h"

#include "utils/builtins.h"

void
xero_check_row(XeroCheck *check, const char *name, XeroCheckState state,
			   const char *seen, const char *advice)
{
	static const char *const states[] = {"ok", "warning", "problem"};
	Datum		values[4];
	bool		nulls[4] = {0};

	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(states[state]);
	values[2] = CStringGetTextDatum(seen);
	nulls[3] = advice == NULL;
	values[3] = nulls[3] ? (Datum) 0 : CStringGetTextDatum(advice);
	tuplestore_putvalues(check->rsinfo->setResult, check->rsinfo->setDesc,
						 values, nulls);
}

void
xero_check_failure(XeroCheck *check, const char *name,
				   const XeroFailure *failure, const char *advice)
{
	xero_check_row(check, name, XERO_CHECK_PROBLEM,
				   failure->detail == NULL ? failure->message :
				   psprintf("%s: %s", failure->message, failure->detail),
				   failure->hint != NULL ? failure->hint : advice);
}

void
xero_check_undone(XeroCheck *check, const char *name, const char *why)
{
	xero_check_row(check, name, XERO_CHECK_WARNING,
				   psprintf("not checked: %s", why), NULL);
}
