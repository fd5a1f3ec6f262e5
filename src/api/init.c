/*-------------------------------------------------------------------------
 *
 * init.c
 *	  What this layer must do when the library is loaded.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/init.h"
#include "api/shared.h"
#include "api/statement.h"
#include "api/vault.h"
#include "api/write.h"
#include "fmgr.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(xero_version);

void
xero_api_init(void)
{
	xero_statement_init();
	xero_write_init();
	xero_vault_init();
	xero_shared_init();
}

/* SQL: the version of the library, which may differ from the extension's. */
Datum
xero_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(XERO_FDW_VERSION));
}
