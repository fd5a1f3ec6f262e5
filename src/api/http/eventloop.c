/*-------------------------------------------------------------------------
 *
 * eventloop.c
 *	  What a backend sleeps on: sockets, a timer, and its latch.
 *
 * The sockets come and go while transfers run, and a wait event set cannot
 * lose one.  So they are in an epoll set together with a timerfd, and a single
 * wait event set, made at first use and kept until the backend exits, has that
 * epoll set, the latch and the postmaster in it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "api/http/eventloop.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/fd.h"
#include "storage/latch.h"

#define MAX_EVENTS 16

static int	sockets = -1;		/* epoll set: the sockets and the timer */
static int	timer = -1;
static WaitEventSet *waitset = NULL;

double
xero_clock_ms(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return INSTR_TIME_GET_MILLISEC(now);
}

static void
make_timer(void)
{
	struct epoll_event event = {0};
	int			fd = timerfd_create(CLOCK_MONOTONIC,
									TFD_CLOEXEC | TFD_NONBLOCK);

	event.events = EPOLLIN;
	event.data.fd = fd;
	if (fd < 0 || epoll_ctl(sockets, EPOLL_CTL_ADD, fd, &event) != 0)
	{
		int			save_errno = errno;

		if (fd >= 0)
			close(fd);
		errno = save_errno;
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not create a timer: %m")));
	}
	timer = fd;
	ReserveExternalFD();
}

/* A set that could not be filled is not left behind. */
static WaitEventSet *
make_waitset(void)
{
	WaitEventSet *set = CreateWaitEventSet(NULL, 3);

	PG_TRY();
	{
		AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
		AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL,
						  NULL);
		AddWaitEventToSet(set, WL_SOCKET_READABLE, sockets, NULL, NULL);
	}
	PG_CATCH();
	{
		FreeWaitEventSet(set);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return set;
}

void
xero_eventloop_init(void)
{
	if (waitset != NULL)
		return;
	if (sockets < 0)
	{
		sockets = epoll_create1(EPOLL_CLOEXEC);
		if (sockets < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
					 errmsg("could not create an epoll set: %m")));
		ReserveExternalFD();
	}
	if (timer < 0)
		make_timer();
	waitset = make_waitset();
}

bool
xero_watch_socket(int fd, bool readable, bool writable)
{
	struct epoll_event event = {0};

	event.data.fd = fd;
	if (readable)
		event.events |= EPOLLIN;
	if (writable)
		event.events |= EPOLLOUT;
	return epoll_ctl(sockets, EPOLL_CTL_MOD, fd, &event) == 0 ||
		epoll_ctl(sockets, EPOLL_CTL_ADD, fd, &event) == 0;
}

void
xero_unwatch_socket(int fd)
{
	struct epoll_event event = {0};

	/* closing it has removed it */
	(void) epoll_ctl(sockets, EPOLL_CTL_DEL, fd, &event);
}

bool
xero_set_timer(long timeout_ms)
{
	struct itimerspec spec = {{0}};

	if (timeout_ms == 0)
		spec.it_value.tv_nsec = 1;	/* 0 would disarm it */
	else if (timeout_ms > 0)
	{
		spec.it_value.tv_sec = timeout_ms / 1000;
		spec.it_value.tv_nsec = (timeout_ms % 1000) * 1000000;
	}
	return timerfd_settime(timer, 0, &spec, NULL) == 0;
}

int
xero_find_ready(XeroReady *ready, int room)
{
	struct epoll_event events[MAX_EVENTS];
	int			n = epoll_wait(sockets, events, Min(room, MAX_EVENTS), 0);
	int			found = 0;

	for (int i = 0; i < n; i++)
	{
		uint64		expirations;

		if (events[i].data.fd != timer)
		{
			ready[found].fd = events[i].data.fd;
			ready[found].readable = (events[i].events & EPOLLIN) != 0;
			ready[found].writable = (events[i].events & EPOLLOUT) != 0;
			ready[found].broken = (events[i].events &
								   (EPOLLERR | EPOLLHUP)) != 0;
			found++;
		}
		else if (read(timer, &expirations, sizeof(expirations)) > 0)
			ready[found++] = (XeroReady)
		{
			.fd = -1
		};
	}
	return found;
}

void
xero_sleep(long timeout_ms, uint32 wait_event_info)
{
	WaitEvent	event;

	xero_eventloop_init();
	if (WaitEventSetWait(waitset, timeout_ms, &event, 1,
						 wait_event_info) == 1 &&
		(event.events & WL_LATCH_SET))
		ResetLatch(MyLatch);
}
