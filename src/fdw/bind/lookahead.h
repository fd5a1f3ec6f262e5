/*-------------------------------------------------------------------------
 *
 * lookahead.h
 *	  The outer side of a bind join: a node that reads ahead for keys.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_LOOKAHEAD_H
#define XERO_LOOKAHEAD_H

#include "compat.h"

#include "fdw/plan/plan.h"
#include "nodes/execnodes.h"

/* So many keys are asked for at once: some lists that overlap. */
#define XERO_MOST_KEYS	(5 * XERO_LISTED_VALUES)

/* Planning: the node over a path, whose rows tell the binding's keys. */
extern Path *xero_lookahead_path(Path *path, XeroBinding *binding);

/* Running: the node that a scan is bound to, by XeroBinding.slot. */
typedef struct XeroLookahead XeroLookahead;

extern XeroLookahead *xero_find_lookahead(EState *estate, int slot);
extern bool xero_is_lookahead(const PlanState *node);

/*
 * Read one more row ahead, and tell its key, which is valid until the next one
 * is read.  False if there is none, or no room for it.
 */
extern bool xero_look_ahead(XeroLookahead *lookahead, Datum *key, bool *isnull);

/* to be called by _PG_init */
extern void xero_lookahead_init(void);

#endif							/* XERO_LOOKAHEAD_H */
