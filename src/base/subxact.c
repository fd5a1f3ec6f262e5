/*-------------------------------------------------------------------------
 *
 * subxact.c
 *	  A step that may fail without ending the transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "base/subxact.h"

#include "access/xact.h"
#include "utils/resowner.h"

ErrorData *
xero_try(void (*step) (void *state), void *state)
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
	return error;
}
