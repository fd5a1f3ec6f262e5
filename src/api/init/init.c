/*-------------------------------------------------------------------------
 *
 * init.c
 *	  What this layer must do when the library is loaded.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/audit/audit.h"
#include "api/budget/entries.h"
#include "api/budget/role_day.h"
#include "api/budget/statement_limits.h"
#include "api/call/page_cache.h"
#include "api/call/write.h"
#include "api/consent/issuer.h"
#include "api/secret/vault.h"
#include "api/init/init.h"
#include "api/report/progress.h"
#include "api/report/request_log.h"
#include "api/shared/shared.h"
#include "api/token/shared_tokens.h"
#include "base/version.h"
#include "fmgr.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(xero_version);

void
xero_api_init(void)
{
	xero_statement_init();
	xero_write_init();
	xero_page_cache_init();
	xero_vault_init();
	xero_progress_init();
	xero_issuer_init();
	xero_request_log_init();
	xero_budget_init();
	xero_role_day_init();
	xero_audit_init();
	xero_shared_tokens_init();
	xero_shared_init();
}

/* SQL: the version of the library, which may differ from the extension's. */
Datum
xero_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(XERO_FDW_VERSION));
}
