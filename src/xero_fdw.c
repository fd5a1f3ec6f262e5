/*-------------------------------------------------------------------------
 *
 * xero_fdw.c
 *	  The extension's entry points: loading, and the handler that tells
 *	  PostgreSQL which function serves which phase.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/init/init.h"
#include "fdw/analyze.h"
#include "fdw/bad_text.h"
#include "fdw/bind/join.h"
#include "fdw/consent/dropped.h"
#include "fdw/fdw.h"
#include "fdw/import.h"
#include "fdw/plan/plan.h"
#include "fdw/sync/lock.h"
#include "fdw/sync/sync.h"
#include "fdw/write/row_error.h"
#include "fdw/write/xact.h"
#include "fmgr.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(xero_fdw_handler);

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	xero_api_init();
	xero_import_init();
	xero_analyze_init();
	xero_stats_init();
	xero_unique_init();
	xero_ahead_init();
	xero_least_calls_init();
	xero_bind_init();
	xero_bad_text_init();
	xero_row_error_init();
	xero_xact_init();
	xero_sync_init();
	xero_lock_init();
	xero_roles_init();
	xero_dropped_init();
	MarkGUCPrefixReserved("xero_fdw");
}

Datum
xero_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = xeroGetForeignRelSize;
	routine->GetForeignPaths = xeroGetForeignPaths;
	routine->GetForeignPlan = xeroGetForeignPlan;
	routine->GetForeignUpperPaths = xeroGetForeignUpperPaths;
	routine->BeginForeignScan = xeroBeginForeignScan;
	routine->IterateForeignScan = xeroIterateForeignScan;
	routine->ReScanForeignScan = xeroReScanForeignScan;
	routine->EndForeignScan = xeroEndForeignScan;
	routine->ExplainForeignScan = xeroExplainForeignScan;
	routine->IsForeignRelUpdatable = xeroIsForeignRelUpdatable;
	routine->AddForeignUpdateTargets = xeroAddForeignUpdateTargets;
	routine->PlanForeignModify = xeroPlanForeignModify;
	routine->BeginForeignModify = xeroBeginForeignModify;
	routine->EndForeignModify = xeroEndForeignModify;
	routine->BeginForeignInsert = xeroBeginForeignInsert;
	routine->EndForeignInsert = xeroEndForeignInsert;
	routine->GetForeignModifyBatchSize = xeroGetForeignModifyBatchSize;
	routine->ExecForeignInsert = xeroExecForeignInsert;
	routine->ExecForeignBatchInsert = xeroExecForeignBatchInsert;
	routine->ExecForeignUpdate = xeroExecForeignUpdate;
	routine->ExecForeignDelete = xeroExecForeignDelete;
	routine->ExplainForeignModify = xeroExplainForeignModify;
	routine->PlanDirectModify = xeroPlanDirectModify;
	routine->BeginDirectModify = xeroBeginDirectModify;
	routine->IterateDirectModify = xeroIterateDirectModify;
	routine->EndDirectModify = xeroEndDirectModify;
	routine->ExplainDirectModify = xeroExplainDirectModify;
	routine->AnalyzeForeignTable = xeroAnalyzeForeignTable;
	routine->ImportForeignSchema = xeroImportForeignSchema;

	PG_RETURN_POINTER(routine);
}
