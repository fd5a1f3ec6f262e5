/*-------------------------------------------------------------------------
 *
 * callers.c
 *	  Who calls, and whose token Xero has accepted.
 *
 * Everybody who may make a server can write any client_id and tenant_id into
 * its options.  What Xero answers to a token that it accepts is the proof that
 * the caller belongs to the application and may call the organisation: only
 * then do its calls count together with those of others.
 *
 * Pure: no locks, no allocation, no errors.  budget.c locks.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/callers.h"
#include "miscadmin.h"

XeroCaller
xero_caller_of(const XeroServer *server)
{
	XeroCaller	caller;

	caller.dbid = MyDatabaseId;
	caller.serverid = server->serverid;
	caller.umid = server->umid;
	caller.credentials = server->credentials;
	return caller;
}

bool
xero_is_nobody(const XeroCaller *caller)
{
	return caller->dbid == InvalidOid;
}

static bool
is_same_mapping(const XeroCaller *a, const XeroCaller *b)
{
	return a->umid == b->umid && a->dbid == b->dbid;
}

bool
xero_is_same_caller(const XeroCaller *a, const XeroCaller *b)
{
	return is_same_mapping(a, b) && a->credentials == b->credentials;
}

/* The number of a caller's proof, or -1. */
static int
find_proof(const XeroProofs *proofs, const XeroCaller *caller)
{
	for (int i = 0; i < proofs->count; i++)
	{
		if (xero_is_same_caller(&proofs->callers[i], caller))
			return i;
	}
	return -1;
}

bool
xero_is_proven(const XeroProofs *proofs, const XeroCaller *caller)
{
	return find_proof(proofs, caller) >= 0;
}

bool
xero_has_proof(XeroProofs *proofs, const XeroCaller *caller, int64 now)
{
	int			i = find_proof(proofs, caller);

	if (i < 0)
		return false;
	proofs->last_used[i] = now;
	return true;
}

/* The place for one more. */
static int
make_place(XeroProofs *proofs)
{
	int			oldest = 0;

	if (proofs->count < XERO_MAX_PROOFS)
		return proofs->count++;
	for (int i = 1; i < proofs->count; i++)
	{
		if (proofs->last_used[i] < proofs->last_used[oldest])
			oldest = i;
	}
	return oldest;
}

void
xero_add_proof(XeroProofs *proofs, const XeroCaller *caller, int64 now)
{
	int			i = make_place(proofs);

	proofs->callers[i] = *caller;
	proofs->last_used[i] = now;
}

static void
remove_proof(XeroProofs *proofs, int i)
{
	proofs->count--;
	proofs->callers[i] = proofs->callers[proofs->count];
	proofs->last_used[i] = proofs->last_used[proofs->count];
}

void
xero_drop_proof(XeroProofs *proofs, const XeroCaller *caller)
{
	int			i = find_proof(proofs, caller);

	if (i >= 0)
		remove_proof(proofs, i);
}

bool
xero_is_outdated(const XeroCaller *before, const XeroCaller *now)
{
	return is_same_mapping(before, now) && !xero_is_same_caller(before, now);
}

void
xero_drop_outdated_proof(XeroProofs *proofs, const XeroCaller *caller)
{
	for (int i = 0; i < proofs->count; i++)
	{
		if (xero_is_outdated(&proofs->callers[i], caller))
		{
			remove_proof(proofs, i);
			return;
		}
	}
}
