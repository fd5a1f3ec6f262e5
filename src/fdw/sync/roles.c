/*-------------------------------------------------------------------------
 *
 * roles.c
 *	  What REASSIGN OWNED and DROP ROLE mean for syncs and templates.
 *
 * The jobs of a sync go when its table gets another owner, as the role that
 * has made them may be dropped next, which pg_cron does not take well.  The
 * templates of a role go with it, so that they are not those of the next role
 * of its name.  These two commands fire no event triggers, which see to the
 * others (src/sync/68_leaving.sql).  Where the library is not preloaded, or it
 * is another database in which the command is given, jobs go when the new
 * owner confirms the sync, and templates stay.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/sync/sync.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

static ProcessUtility_hook_type next_utility_hook = NULL;

/* The names of the roles that a statement drops, as text[]. */
static Datum
dropped_roles(Node *statement)
{
	ArrayBuildState *names = initArrayResult(TEXTOID, CurrentMemoryContext,
											 false);
	ListCell   *lc;

	if (IsA(statement, DropRoleStmt))
	{
		foreach(lc, ((DropRoleStmt *) statement)->roles)
		{
			const RoleSpec *role = lfirst_node(RoleSpec, lc);

			if (role->roletype == ROLESPEC_CSTRING)
				names = accumArrayResult(names,
										 CStringGetTextDatum(role->rolename),
										 false, TEXTOID, CurrentMemoryContext);
		}
	}
	return makeArrayResult(names, CurrentMemoryContext);
}

/*
 * Call the engine, if the extension is in this database: a schema of that name
 * could be anybody's.
 */
static void
forget_roles(Datum dropped)
{
	LOCAL_FCINFO(fcinfo, 1);
	List	   *name = list_make2(makeString("xero_fdw"),
								  makeString("forget_roles"));
	Oid			type = TEXTARRAYOID;
	FmgrInfo	function;

	if (!OidIsValid(get_extension_oid("xero_fdw", true)))
		return;
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	fmgr_info(LookupFuncName(name, 1, &type, false), &function);
	InitFunctionCallInfoData(*fcinfo, &function, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = dropped;
	fcinfo->args[0].isnull = false;
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
	Datum		dropped = changes ? dropped_roles(statement->utilityStmt) : (Datum) 0;

	(next_utility_hook ? next_utility_hook : standard_ProcessUtility)
		(statement, text, read_only, context, params, environment, dest,
		 completion);
	if (changes)
		forget_roles(dropped);
}

void
xero_roles_init(void)
{
	next_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
