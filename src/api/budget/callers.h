/*-------------------------------------------------------------------------
 *
 * callers.h
 *	  Who calls, and whose token Xero has accepted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_CALLERS_H
#define XERO_CALLERS_H

#include "compat.h"

#include "api/shared/server.h"

/* A user mapping, and the state of its credentials. */
typedef struct XeroCaller
{
	Oid			dbid;			/* InvalidOid: nobody */
	Oid			serverid;
	Oid			umid;
	uint64		credentials;
} XeroCaller;

/* More than call an organisation for the same application at a time. */
#define XERO_MAX_PROOFS 64

/* Those whose token Xero has accepted, each mapping once. */
typedef struct XeroProofs
{
	int			count;
	XeroCaller	callers[XERO_MAX_PROOFS];
	int64		last_used[XERO_MAX_PROOFS];
} XeroProofs;

extern XeroCaller xero_caller_of(const XeroServer *server);
extern bool xero_is_nobody(const XeroCaller *caller);
extern bool xero_is_same_caller(const XeroCaller *a, const XeroCaller *b);

/* Has the caller's token been accepted?  If so, that counts as a use. */
extern bool xero_has_proof(XeroProofs *proofs, const XeroCaller *caller,
						   int64 now);

/* The same, which counts as no use. */
extern bool xero_is_proven(const XeroProofs *proofs, const XeroCaller *caller);

/* It was.  If there are too many, the one unused for the longest time goes. */
extern void xero_add_proof(XeroProofs *proofs, const XeroCaller *caller,
						   int64 now);

/* It is not any more. */
extern void xero_drop_proof(XeroProofs *proofs, const XeroCaller *caller);

/* Is it the mapping of another caller, with the credentials of before? */
extern bool xero_is_outdated(const XeroCaller *before, const XeroCaller *now);

/* The proof of such a one is not any more, either. */
extern void xero_drop_outdated_proof(XeroProofs *proofs,
									 const XeroCaller *caller);

#endif							/* XERO_CALLERS_H */
