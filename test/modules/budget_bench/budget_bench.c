/*-------------------------------------------------------------------------
 *
 * budget_bench.c
 *	  Functions that draw on the budget of calls from SQL.
 *
 * The budget is the extension's own: its layers "api", "catalog" and "base" are
 * compiled into this module, which must be preloaded instead of the extension.
 * Only the calls are missing: what was granted is charged at once.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>
#include <sys/mman.h>

#include "api/budget/budget.h"
#include "api/budget/quota.h"
#include "api/http/eventloop.h"
#include "api/init/init.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(budget_spend);
PG_FUNCTION_INFO_V1(budget_crowd);

/* A limit that nobody reaches, and what Xero says is left of it. */
#define PLENTY 1000000000
#define LEFT 500000000

/* How many hold a grant, counted by themselves. */
typedef struct Holders
{
	pg_atomic_uint32 now;
	pg_atomic_uint32 most;
} Holders;

static Holders *holders;		/* the same memory in all backends */

void		_PG_init(void);

void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		elog(ERROR, "budget_bench must be preloaded");
	holders = mmap(NULL, sizeof(Holders), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (holders == MAP_FAILED)
		elog(ERROR, "mmap: %m");
	pg_atomic_init_u32(&holders->now, 0);
	pg_atomic_init_u32(&holders->most, 0);
	xero_api_init();
}

/* Servers of one application, one for each of so many organisations. */
static XeroServer *
make_servers(char *client_id, int count, int concurrency)
{
	XeroServer *servers = palloc0(count * sizeof(XeroServer));

	for (int i = 0; i < count; i++)
	{
		servers[i].app = client_id;
		servers[i].tenant_id = psprintf("00000000-0000-4000-8000-%012d", i);
		servers[i].concurrency = concurrency;
		servers[i].minute_limit = PLENTY;
		servers[i].app_minute_limit = PLENTY;
		servers[i].day_limit = PLENTY;
		servers[i].request_timeout = 60000;
	}
	return servers;
}

static XeroHttpResult
make_answer(bool headers)
{
	XeroHttpResult answer = {XERO_TRANSPORT_ANSWERED};

	answer.status = 200;
	answer.bytes_in = 2;
	answer.minute_remaining = headers ? LEFT : -1;
	answer.app_minute_remaining = headers ? LEFT : -1;
	answer.day_remaining = headers ? LEFT : -1;
	return answer;
}

/*
 * SQL: so many calls of an application, to its organisations in turn, none of
 * which may have to wait.
 */
Datum
budget_spend(PG_FUNCTION_ARGS)
{
	char	   *client_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			calls = PG_GETARG_INT32(1);
	int			tenants = PG_GETARG_INT32(2);
	XeroHttpResult answer = make_answer(PG_GETARG_BOOL(3));
	XeroServer *servers = make_servers(client_id, tenants,
									   XERO_MAX_CONCURRENCY);
	XeroGrant	grant = {0};

	/* not all backends begin with the same one */
	for (int i = 0; i < calls; i++)
	{
		if (!xero_budget_acquire(&grant,
								 &servers[(i + MyProcPid) % tenants]))
			elog(ERROR, "call %d would have to wait", i);
		xero_budget_charge(&grant, &answer, true, 1, 0);
		CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_VOID();
}

/* Wait as a call does, but for the network. */
static void
acquire_in_turn(XeroGrant *grant, const XeroServer *server)
{
	XeroWait	wait;

	while (!xero_budget_acquire(grant, server))
	{
		long		timeout = -1;
		int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;

		xero_budget_queue(grant, server, &wait);
		if (!isinf(wait.look_at))
		{
			timeout = Max(0, (long) (wait.look_at - xero_clock_ms()) + 1);
			events |= WL_TIMEOUT;
		}
		(void) WaitLatch(MyLatch, events, timeout, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
count_holder(void)
{
	uint32		now = pg_atomic_add_fetch_u32(&holders->now, 1);
	uint32		most = pg_atomic_read_u32(&holders->most);

	while (now > most &&
		   !pg_atomic_compare_exchange_u32(&holders->most, &most, now))
		;
}

/*
 * SQL: so many calls to one organisation that allows few at once; how many at
 * once there have been.
 */
Datum
budget_crowd(PG_FUNCTION_ARGS)
{
	char	   *client_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			calls = PG_GETARG_INT32(1);
	XeroServer *server = make_servers(client_id, 1, PG_GETARG_INT32(2));
	XeroHttpResult answer = make_answer(true);
	static XeroGrant grant;		/* must outlive a FATAL error */

	memset(&grant, 0, sizeof(grant));
	PG_TRY();
	{
		for (int i = 0; i < calls; i++)
		{
			acquire_in_turn(&grant, server);
			count_holder();
			/* let others see that the slot is taken */
			pg_usleep(10);
			pg_atomic_sub_fetch_u32(&holders->now, 1);
			CHECK_FOR_INTERRUPTS();
			xero_budget_charge(&grant, &answer, true, 1, 0);
		}
	}
	PG_FINALLY();
	{
		xero_budget_leave_queues();
		xero_budget_abandon(&grant);
	}
	PG_END_TRY();
	PG_RETURN_INT32(pg_atomic_read_u32(&holders->most));
}
