/*-------------------------------------------------------------------------
 *
 * attempt.c
 *	  What may fail without ending the statement.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "base/text.h"
#include "fdw/check/attempt.h"
#include "utils/resowner.h"

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
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		step(state);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return NULL;
	/* only now: whoever catches it must not find the subtransaction there */
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
