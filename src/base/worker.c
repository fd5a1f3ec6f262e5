/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  What background workers have in common.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "base/worker.h"
#include "utils/guc.h"

void
xero_describe_worker(BackgroundWorker *worker, const char *name,
					 const char *function, BgWorkerStartTime start_time,
					 Datum arg)
{
	memset(worker, 0, sizeof(*worker));
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker->bgw_start_time = start_time;
	worker->bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker->bgw_library_name, "xero_fdw",
			sizeof(worker->bgw_library_name));
	strlcpy(worker->bgw_function_name, function,
			sizeof(worker->bgw_function_name));
	strlcpy(worker->bgw_name, name, sizeof(worker->bgw_name));
	strlcpy(worker->bgw_type, name, sizeof(worker->bgw_type));
	worker->bgw_main_arg = arg;
}

static void
set(const char *name, const char *value)
{
	SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE);
}

void
xero_secure_settings(void)
{
	set("role", "none");
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
