/*-------------------------------------------------------------------------
 *
 * roles.c
 *	  What REASSIGN OWNED and DROP ROLE mean for syncs and templates.
 *
 * The jobs of a sync go when its table gets another owner, as the role that
 * has made them may be dropped next, which pg_cron does not take well.  The
 * templates of a role go with it, so that they are not those of the next role
 * of its name.  These two commands fire no event triggers, which see to the
 * others (src/sync/68_leaving.sql).  Where the library is not preloaded, jobs
 * go when the new owner confirms the sync, and templates when somebody makes
 * or drops one.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/sync/sync.h"

#include "access/xact.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "tcop/utility.h"
#include "utils/snapmgr.h"

static ProcessUtility_hook_type next_utility_hook = NULL;

/*
 * Call the engine, if the extension is in this database: a schema of that name
 * could be anybody's.
 */
static void
forget_roles(void)
{
	LOCAL_FCINFO(fcinfo, 0);
	List	   *name = list_make2(makeString("xero_fdw"),
								  makeString("forget_roles"));
	FmgrInfo	function;

	if (!OidIsValid(get_extension_oid("xero_fdw", true)))
		return;
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	fmgr_info(LookupFuncName(name, 0, NULL, false), &function);
	InitFunctionCallInfoData(*fcinfo, &function, 0, InvalidOid, NULL, NULL);
	(void) FunctionCallInvoke(fcinfo);
	PopActiveSnapshot();
}

static void
process_utility(PlannedStmt *statement, const char *text, bool read_only,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *environment, DestReceiver *dest,
				QueryCompletion *completion)
{
	bool		changes = IsA(statement->utilityStmt, ReassignOwnedStmt) ||
	IsA(statement->utilityStmt, DropRoleStmt);

	(next_utility_hook ? next_utility_hook : standard_ProcessUtility)
		(statement, text, read_only, context, params, environment, dest,
		 completion);
	if (changes)
		forget_roles();
}

void
xero_roles_init(void)
{
	next_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
