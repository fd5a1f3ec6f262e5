/*-------------------------------------------------------------------------
 *
 * block.c
 *	  SQL function that forgets a refusal of Xero's.
 *
 * Whoever owns a server can have as many calls made in its name as there are,
 * so forgetting that Xero wants none gives nobody anything: it costs one call
 * that is refused again, if it was right.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/budget.h"
#include "catalog/pg_foreign_server.h"
#include "fdw/options.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(xero_clear_block);

/* SQL: clear_block(server) */
Datum
xero_clear_block(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ForeignServer *fs = xero_find_server(name);

	if (!object_ownercheck(ForeignServerRelationId, fs->serverid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_FOREIGN_SERVER, name);
	xero_budget_unblock(fs->serverid);
	PG_RETURN_VOID();
}
