/*-------------------------------------------------------------------------
 *
 * plan_calls.h
 *	  What the nodes of a plan take in calls, each and together.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_PLAN_CALLS_H
#define XERO_PLAN_CALLS_H

#include "compat.h"

#include "fdw/options.h"
#include "nodes/execnodes.h"

struct ExplainState;

/* How the nodes of a kind tell their calls; "arg" is what they have given. */
typedef struct XeroCallingKind
{
	/* expected, if the node runs so many times with other values */
	double		(*planned) (PlanState *node, void *arg, double loops);

	/* that were made */
	int64		(*made) (PlanState *node, void *arg);
} XeroCallingKind;

/*
 * A node begins, also if it is only to be explained.  It is known as long as its
 * plan.
 */
extern void xero_note_calling_node(PlanState *node,
								   const XeroCallingKind *kind, void *arg);

/*
 * EXPLAIN: the calls of such a node, and of its whole plan if none of its nodes
 * was shown before.  The table is one that it calls for, as that user.
 */
extern void xero_explain_calls(PlanState *node, void *arg,
							   const XeroTable *table, Oid userid,
							   struct ExplainState *es);

#endif							/* XERO_PLAN_CALLS_H */
