/*-------------------------------------------------------------------------
 *
 * attempt.c
 *	  What may fail without ending the statement.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/check/attempt.h"

#include "base/subxact.h"

static bool
is_finding(int sqlerrcode)
{
	return sqlerrcode != ERRCODE_QUERY_CANCELED &&
		sqlerrcode != ERRCODE_OUT_OF_MEMORY &&
		ERRCODE_TO_CATEGORY(sqlerrcode) != ERRCODE_INTERNAL_ERROR;
}

XeroFailure *
xero_attempt(XeroStep step, void *state)
{
	ErrorData  *error = xero_try(step, state);

	if (error == NULL)
		return NULL;
	if (!is_finding(error->sqlerrcode))
		ReThrowError(error);
	return xero_failure(error->sqlerrcode, error->message, error->detail,
						error->hint);
}

void
xero_raise_unless_finding(const XeroFailure *failure)
{
	if (!is_finding(failure->sqlerrcode))
		xero_failure_raise(failure);
}
