/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  Settings of background workers.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "base/worker.h"
#include "utils/guc.h"

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
