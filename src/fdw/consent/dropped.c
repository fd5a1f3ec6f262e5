/*-------------------------------------------------------------------------
 *
 * dropped.c
 *	  Access tokens in memory of what is dropped.
 *
 * What is stored of a user mapping is deleted by an event trigger
 * (src/sync/68_leaving.sql).  The token that all backends share is wiped here,
 * since the extension and a whole database can go as well, and a mapping with
 * them.  If the transaction is rolled back, that costs a look into the table,
 * and no exchange.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/shared/shared.h"
#include "api/token/shared_tokens.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_database.h"
#include "catalog/pg_user_mapping.h"
#include "fdw/consent/dropped.h"
#include "miscadmin.h"

static object_access_hook_type next_access_hook = NULL;

static void
forget_tokens(ObjectAccessType access, Oid class, Oid object, int part,
			  void *arg)
{
	if (next_access_hook)
		next_access_hook(access, class, object, part, arg);
	if (access != OAT_DROP || !xero_shared_exists())
		return;
	if (class == UserMappingRelationId)
		xero_shared_token_forget(MyDatabaseId, object);
	else if (class == DatabaseRelationId)
		xero_shared_token_forget(object, InvalidOid);
}

void
xero_dropped_init(void)
{
	next_access_hook = object_access_hook;
	object_access_hook = forget_tokens;
}
