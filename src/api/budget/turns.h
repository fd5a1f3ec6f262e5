/*-------------------------------------------------------------------------
 *
 * turns.h
 *	  Calls that wait for their turn.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_TURNS_H
#define XERO_TURNS_H

#include "compat.h"

/* Those who wait in one queue are of two classes. */
typedef enum XeroClass
{
	XERO_INTERACTIVE,
	XERO_BACKGROUND
} XeroClass;

#define XERO_NCLASSES 2

#define XERO_NOBODY (-1)

/* A call that its backend sleeps for until it may begin. */
typedef struct XeroWaiter
{
	int			entry;			/* number of the entry whose queue it is in */
	XeroClass	class;
	Oid			role;			/* of the call's grant */
	uint64		turn;			/* the smaller goes first */
	int			next;			/* number of a waiter, or XERO_NOBODY */
	int			prev;
} XeroWaiter;

typedef struct XeroQueue
{
	int			head[XERO_NCLASSES];	/* numbers of waiters, or XERO_NOBODY */
	int			tail[XERO_NCLASSES];
	int			waiting[XERO_NCLASSES];
	int			passed;			/* calls that passed waiting background ones */
} XeroQueue;

extern void xero_queue_clear(XeroQueue *queue);
extern bool xero_queue_is_empty(const XeroQueue *queue);

/* In all of these, "waiters" are those of all queues. */

/* By its turn: who has waited for longer stands before. */
extern void xero_queue_join(XeroQueue *queue, XeroWaiter *waiters, int number);
extern void xero_queue_leave(XeroQueue *queue, XeroWaiter *waiters, int number);

/* How many stand before this one, in its class. */
extern int	xero_queue_ahead(const XeroWaiter *waiters, int number);

/*
 * The waiter whose turn it is, or XERO_NOBODY.  "first" has the first one of
 * each class that may go at all: where all may, the queue's "head".
 */
extern int	xero_queue_head(const XeroQueue *queue, const int *first);

/* Who goes has passed others, or was one of them. */
extern void xero_queue_count_turn(XeroQueue *queue, XeroClass class);

#endif							/* XERO_TURNS_H */
