/*-------------------------------------------------------------------------
 *
 * shared.h
 *	  The one piece of shared memory of this extension.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SHARED_H
#define XERO_SHARED_H

#include "compat.h"

#include "api/issuer.h"
#include "api/progress.h"
#include "api/request_log.h"
#include "api/slots.h"
#include "api/tenants.h"
#include "storage/lwlock.h"

#define XERO_PROGRESS_SLOTS 512

/*
 * See shared.c for the protocol.  Nothing in here is a pointer or otherwise
 * means anything in one process only.
 */
typedef struct XeroShared
{
	int			tranche;		/* of all locks below */

	LWLock		progress_lock;
	XeroProgress progress[XERO_PROGRESS_SLOTS];

	LWLock		issuer_lock;
	XeroIssuer	issuer;

	LWLock		log_lock;
	int			log_size;		/* never changes */
	Size		budget_at;		/* offset of the budget; never changes */
	Size		slots_at;		/* offset of the tokens; never changes */
	uint64		log_count;		/* entries ever written */
	XeroLoggedRequest log[FLEXIBLE_ARRAY_MEMBER];
} XeroShared;

/* In _PG_init: defines the variables of its sizes, sets the hooks. */
extern void xero_shared_init(void);

/* Raises an ERROR 55000 if there is none. */
extern XeroShared *xero_shared_attach(void);

/* Its part that the budget is; raises the same ERROR. */
extern XeroBudget *xero_shared_budget(void);

/* The shared tokens, likewise. */
extern XeroSlots *xero_shared_slots(void);

/* NULL if this backend has not attached yet; never raises an error. */
extern XeroShared *xero_shared_if_attached(void);

#endif							/* XERO_SHARED_H */
