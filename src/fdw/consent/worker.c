/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The background worker that exchanges tokens: its beginning.
 *
 * It is started for one job (api/token/shared_tokens.c), does it
 * (api/consent/consent.c) and ends.  Here is what it needs of PostgreSQL: a
 * connection to the database of the user mapping, settings that no database or
 * role can have changed for the worse, and the options of server and mapping.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "api/consent/consent.h"
#include "api/token/shared_tokens.h"
#include "catalog/pg_user_mapping.h"
#include "fdw/options.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/syscache.h"

PGDLLEXPORT void xero_worker_main(Datum arg);

static void
set(const char *name, const char *value)
{
	SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE);
}

/*
 * What is written must be written, and must last; and nothing may end the
 * worker between the exchange of a token and that.
 */
static void
secure_settings(void)
{
	set("search_path", "pg_catalog, pg_temp");
	set("default_transaction_read_only", "off");
	set("default_transaction_isolation", "read committed");
	set("default_transaction_deferrable", "off");
	set("statement_timeout", "0");
	set("lock_timeout", "0");
	set("idle_in_transaction_session_timeout", "0");
#ifdef XERO_HAVE_TRANSACTION_TIMEOUT
	set("transaction_timeout", "0");
#endif
	/* those who wait are to hear of an error */
	set("exit_on_error", "off");
	if (synchronous_commit < SYNCHRONOUS_COMMIT_ON)
		set("synchronous_commit", "on");
}

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
	secure_settings();
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
