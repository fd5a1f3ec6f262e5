/*-------------------------------------------------------------------------
 *
 * eventloop.h
 *	  What a backend sleeps on: sockets, a timer, and its latch.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_EVENTLOOP_H
#define XERO_EVENTLOOP_H

#include "compat.h"

/* A clock that never jumps, in milliseconds. */
extern double xero_clock_ms(void);

/*
 * Sleep until a watched socket is ready, the timer has run out, the latch is
 * set, or timeout_ms have passed (-1: no limit).  Resets the latch; the caller
 * checks for interrupts.
 */
extern void xero_sleep(long timeout_ms, uint32 wait_event_info);

/* A watched socket that is ready for something, or the timer. */
typedef struct XeroReady
{
	int			fd;				/* -1: the timer has run out */
	bool		readable;
	bool		writable;
	bool		broken;
} XeroReady;

/* Those that are ready just now, as many as there is room for: how many. */
extern int	xero_find_ready(XeroReady *ready, int room);

/* To be called before the following, which neither allocate nor raise errors. */
extern void xero_eventloop_init(void);

/* Watch a socket, newly or for something else; false if that is not possible. */
extern bool xero_watch_socket(int fd, bool readable, bool writable);

/* No longer; it may be closed already. */
extern void xero_unwatch_socket(int fd);

/* Set the one timer, to so many ms from now; -1: stop it. */
extern bool xero_set_timer(long timeout_ms);

#endif							/* XERO_EVENTLOOP_H */
