/*-------------------------------------------------------------------------
 *
 * probe.c
 *	  Does a host answer, whoever it is that asks?
 *
 * The transfers live in a context of their own, whose reset ends them.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/call/probe.h"
#include "api/http/eventloop.h"
#include "api/report/request_log.h"
#include "api/shared/shared.h"
#include "miscadmin.h"

typedef struct Transfers
{
	MemoryContextCallback callback;
	XeroHttp   *http[XERO_MAX_PROBES];
	XeroLoggedRequest logged[XERO_MAX_PROBES];
} Transfers;

/* Reset callback. */
static void
end_transfers(void *arg)
{
	Transfers  *transfers = arg;

	for (int i = 0; i < XERO_MAX_PROBES; i++)
	{
		if (transfers->http[i] != NULL)
			xero_http_free(transfers->http[i]);
	}
}

static void
send_probe(const XeroServer *server, const XeroProbe *probe,
		   XeroHttp **http, XeroLoggedRequest *logged)
{
	XeroHttpRequest request = {0};

	xero_request_log_prepare(logged, server, "GET", probe->path, NULL);
	logged->attempt = 1;
	request.method = "GET";
	request.url = psprintf("%s%s", probe->base, probe->path);
	request.headers[0] = "Accept: application/json";
	request.ca_file = server->ca_file;
	request.timeout = server->request_timeout;
	*http = xero_http_send(&request);
}

/* Have they all ended? */
static bool
all_ended(const Transfers *transfers, int nprobes)
{
	for (int i = 0; i < nprobes; i++)
	{
		if (xero_http_result(transfers->http[i]) == NULL)
			return false;
	}
	return true;
}

void
xero_probe(const XeroServer *server, XeroProbe *probes, int nprobes)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "Xero probes",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	Transfers  *transfers = palloc0(sizeof(Transfers));
	uint32		wait_event = WaitEventExtensionNew("XeroProbe");

	Assert(nprobes <= XERO_MAX_PROBES);
	xero_shared_attach();
	transfers->callback.func = end_transfers;
	transfers->callback.arg = transfers;
	MemoryContextRegisterResetCallback(cxt, &transfers->callback);
	for (int i = 0; i < nprobes; i++)
		send_probe(server, &probes[i], &transfers->http[i],
				   &transfers->logged[i]);
	while (!all_ended(transfers, nprobes))
	{
		CHECK_FOR_INTERRUPTS();
		if (!xero_http_pump())
			xero_sleep(-1, wait_event);
	}
	for (int i = 0; i < nprobes; i++)
	{
		probes[i].result = *xero_http_result(transfers->http[i]);
		probes[i].result.body = NULL;
		probes[i].result.len = 0;
		if (probes[i].result.transport != XERO_TRANSPORT_ANSWERED)
			strlcpy(transfers->logged[i].error, "not reached",
					sizeof(transfers->logged[i].error));
		xero_request_log_answer(&transfers->logged[i], &probes[i].result);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}
