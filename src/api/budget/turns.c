/*-------------------------------------------------------------------------
 *
 * turns.c
 *	  Calls that wait for their turn.
 *
 * Within its class a queue is first in, first out.  Interactive calls overtake
 * background ones, but after BACKGROUND_TURN of them one background call has
 * its turn.
 *
 * Waiters are named by their numbers, as backends have their memory in
 * different places.
 *
 * Pure: no locks, no allocation, no errors.  See budget.c for who locks.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/turns.h"

/* The number of interactive calls before a background call has its turn. */
#define BACKGROUND_TURN 4

void
xero_queue_clear(XeroQueue *queue)
{
	memset(queue, 0, sizeof(*queue));
	for (int class = 0; class < XERO_NCLASSES; class++)
		queue->head[class] = queue->tail[class] = XERO_NOBODY;
}

bool
xero_queue_is_empty(const XeroQueue *queue)
{
	return queue->waiting[XERO_INTERACTIVE] == 0 &&
		queue->waiting[XERO_BACKGROUND] == 0;
}

void
xero_queue_join(XeroQueue *queue, XeroWaiter *waiters, int number)
{
	XeroWaiter *waiter = &waiters[number];
	XeroClass	class = waiter->class;

	waiter->next = XERO_NOBODY;
	waiter->prev = queue->tail[class];
	while (waiter->prev != XERO_NOBODY &&
		   waiters[waiter->prev].turn > waiter->turn)
	{
		waiter->next = waiter->prev;
		waiter->prev = waiters[waiter->prev].prev;
	}
	if (waiter->prev == XERO_NOBODY)
		queue->head[class] = number;
	else
		waiters[waiter->prev].next = number;
	if (waiter->next == XERO_NOBODY)
		queue->tail[class] = number;
	else
		waiters[waiter->next].prev = number;
	queue->waiting[class]++;
}

void
xero_queue_leave(XeroQueue *queue, XeroWaiter *waiters, int number)
{
	XeroWaiter *waiter = &waiters[number];
	XeroClass	class = waiter->class;

	if (waiter->prev == XERO_NOBODY)
		queue->head[class] = waiter->next;
	else
		waiters[waiter->prev].next = waiter->next;
	if (waiter->next == XERO_NOBODY)
		queue->tail[class] = waiter->prev;
	else
		waiters[waiter->next].prev = waiter->prev;
	queue->waiting[class]--;
}

int
xero_queue_ahead(const XeroWaiter *waiters, int number)
{
	int			count = 0;

	for (int i = waiters[number].prev; i != XERO_NOBODY; i = waiters[i].prev)
		count++;
	return count;
}

int
xero_queue_head(const XeroQueue *queue, const int *first)
{
	if (first[XERO_BACKGROUND] != XERO_NOBODY &&
		(first[XERO_INTERACTIVE] == XERO_NOBODY ||
		 queue->passed >= BACKGROUND_TURN))
		return first[XERO_BACKGROUND];
	return first[XERO_INTERACTIVE];
}

void
xero_queue_count_turn(XeroQueue *queue, XeroClass class)
{
	if (class == XERO_BACKGROUND)
		queue->passed = 0;
	else if (queue->waiting[XERO_BACKGROUND] > 0)
		queue->passed++;
}
