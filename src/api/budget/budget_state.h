/*-------------------------------------------------------------------------
 *
 * budget_state.h
 *	  What the limits of an organisation leave just now, for people.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_BUDGET_STATE_H
#define XERO_BUDGET_STATE_H

#include "compat.h"

#include "api/budget/entries.h"
#include "api/shared/server.h"

/* Times are of the budget's clock (xero_budget_wall_time()). */
typedef struct XeroBudgetState
{
	int			minute_limit;
	int			minute_remaining;
	int			day_limit;
	int			day_remaining;	/* -1: not known */
	int64		day_resets_at;	/* 0: not known */
	int			concurrency;
	int			in_flight;
	int			waiting;
	int			app_minute_remaining;
	int64		blocked_until;	/* 0: not blocked */
} XeroBudgetState;

/* Of an entry, with its application's minute.  Caller locks, exclusively. */
extern void xero_budget_state(XeroBudgetEntry *entry, XeroMinute *app,
							  int64 now, XeroBudgetState *state);

/* Of the organisation that the server names; false if nobody has called it. */
extern bool xero_budget_look(const XeroServer *server, XeroBudgetState *state);

/*
 * The least that is left of the minute and of the day, in the organisation that
 * the server names, or in all that its credentials have called; false if they
 * have called none.  Makes no call and raises no error.
 */
extern bool xero_budget_least(const XeroServer *server, XeroBudgetState *least);

#endif							/* XERO_BUDGET_STATE_H */
