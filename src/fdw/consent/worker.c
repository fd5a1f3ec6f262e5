/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The background worker that exchanges tokens: its beginning.
 *
 * It is started for one job (api/token/shared_tokens.c), does it
 * (api/consent/consent.c) and ends.  Here is what it needs of PostgreSQL: a
 * connection to the database of the user mapping, and the options of server and
 * mapping.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "api/consent/consent.h"
#include "api/token/shared_tokens.h"
#include "base/worker.h"
#include "catalog/pg_user_mapping.h"
#include "fdw/options.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/syscache.h"

PGDLLEXPORT void xero_worker_main(Datum arg);

/* The server of a user mapping, NULL if that is gone. */
static XeroServer *
load_server(Oid umid)
{
	HeapTuple	tuple = SearchSysCache1(USERMAPPINGOID, ObjectIdGetDatum(umid));
	Oid			serverid;
	Oid			userid;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	serverid = ((Form_pg_user_mapping) GETSTRUCT(tuple))->umserver;
	userid = ((Form_pg_user_mapping) GETSTRUCT(tuple))->umuser;
	ReleaseSysCache(tuple);
	return xero_get_server(serverid, userid);
}

void
xero_worker_main(Datum arg)
{
	MemoryContext cxt = AllocSetContextCreate(TopMemoryContext,
											  "Xero worker",
											  ALLOCSET_DEFAULT_SIZES);
	XeroTokenJobSpec *spec = MemoryContextAlloc(cxt, sizeof(XeroTokenJobSpec));
	XeroServer *server;
	uint64		number;

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	memcpy(&number, MyBgworkerEntry->bgw_extra, sizeof(number));
	if (!xero_shared_token_take_job(DatumGetInt32(arg), number, spec))
		proc_exit(0);

	BackgroundWorkerInitializeConnectionByOid(spec->dbid, InvalidOid, 0);
	xero_secure_settings();
	pgstat_report_activity(STATE_RUNNING, "exchanging tokens with Xero");

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	MemoryContextSwitchTo(cxt);
	server = load_server(spec->umid);
	CommitTransactionCommand();

	MemoryContextSwitchTo(cxt);
	xero_run_token_job(server, spec);
	proc_exit(0);
}
