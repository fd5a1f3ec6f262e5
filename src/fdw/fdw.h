/*-------------------------------------------------------------------------
 *
 * fdw.h
 *	  What the phases of a statement share: the callbacks that the handler
 *	  lists, and the layout of what the planner hands to the executor.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_FDW_H
#define XERO_FDW_H

#include "compat.h"

#include "fdw/options.h"
#include "foreign/fdwapi.h"
#include "utils/uuid.h"

/* Members of ForeignScan.fdw_private, in this order. */
typedef enum XeroScanPrivate
{
	XERO_SCAN_SENT,				/* List: XeroPushdown.sent */
	XERO_SCAN_WANTED,			/* List of Integer: attributes to decode */
	XERO_SCAN_LEVELS,			/* Integer: XeroRequestOptions.levels */
	XERO_SCAN_ORDER,			/* String: XeroRequestOptions.order, "" for
								 * none */
	XERO_SCAN_SORT,				/* List of the order's column (Integer),
								 * whether it descends (Boolean), how many
								 * rows are wanted (Integer), whether with all
								 * their equals (Boolean), and, where nulls
								 * are left out, a List of what is sent for
								 * all rows; or NIL */
	XERO_SCAN_PAGE_SIZE,		/* Integer */
	XERO_SCAN_AHEAD,			/* Boolean: all pages will be wanted */
	XERO_SCAN_KEEP,				/* Boolean: keep rows for a rescan */
	XERO_SCAN_CALLS,			/* Float: estimated calls */
	XERO_SCAN_RELID,			/* Integer: the foreign table */
	XERO_SCAN_WHOLE,			/* Boolean: read all before the first row,
								 * since the statement writes to the table */
	XERO_SCAN_COUNTS,			/* List: the scan returns one row of counts,
								 * each a list of what is sent for it (List),
								 * where its parameters begin (Integer), and
								 * its order or NIL: the list of an order=
								 * (String), its column (Integer), whether it
								 * descends, and whether the first value in it
								 * is wanted in place of the count (Booleans);
								 * NIL: it returns rows */
	XERO_SCAN_GROUP,			/* List of a column (Integer), its words (List
								 * of String; NIL: it is that of the
								 * organisation), and how often the count is
								 * wanted (Integer): it returns a row for each
								 * value of the column, and the counts are
								 * that of all rows and those of the words; or
								 * NIL */
	XERO_SCAN_BATCH,			/* List of the lookahead's slot (Integer), the
								 * index of the key among the values
								 * (Integer), its column (Integer), how many
								 * keys are asked for at first (Integer), and
								 * of how many runs XERO_SCAN_CALLS are those
								 * (Float): the key of a run is asked for with
								 * those of the next ones, in lists; or NIL */
	XERO_SCAN_WINDOW,			/* List of how many rows to pass over (Float),
								 * how many to return (Float, -1: all), and
								 * whether a row as a whole is wanted
								 * (Boolean); or NIL */
	XERO_SCAN_ASKED				/* Integer: the foreign table whose columns
								 * "sent" is about, of a child table perhaps
								 * that of its parents */
} XeroScanPrivate;

/* in plan.c */
extern void xeroGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel,
								  Oid foreigntableid);
extern void xeroGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel,
								Oid foreigntableid);
extern ForeignScan *xeroGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel,
									   Oid foreigntableid,
									   ForeignPath *best_path, List *tlist,
									   List *scan_clauses, Plan *outer_plan);

/*
 * in scan/explain.c: do columns, a List of Integers, take a call for each record?
 */
extern bool xero_asks_record_by_record(const XeroTable *table, List *wanted);

/*
 * in path.c: calls of a list of the root object with so many records, or of so
 * many lists
 */
extern double xero_list_calls(const XeroObject *object, int page_size,
							  double records, int lists);

/* The rows that a plan wants. */
typedef struct XeroRowWindow
{
	int64		offset;			/* rows to pass over */
	int64		rows;			/* to return then, -1: all */
	bool		whole_row;		/* a row as a whole is wanted */
} XeroRowWindow;

/* in scan.c */
extern TupleTableSlot *xeroIterateForeignScan(ForeignScanState *node);

/* in begin.c */
extern void xeroBeginForeignScan(ForeignScanState *node, int eflags);
extern void xeroReScanForeignScan(ForeignScanState *node);
extern void xeroEndForeignScan(ForeignScanState *node);

/* in write_plan.c */
extern int	xeroIsForeignRelUpdatable(Relation rel);
extern void xeroAddForeignUpdateTargets(PlannerInfo *root, Index rtindex,
										RangeTblEntry *target_rte,
										Relation target_relation);
extern List *xeroPlanForeignModify(PlannerInfo *root, ModifyTable *plan,
								   Index resultRelation, int subplan_index);

/* in modify.c */
extern void xeroBeginForeignModify(ModifyTableState *mtstate,
								   ResultRelInfo *rri, List *fdw_private,
								   int subplan_index, int eflags);
extern void xeroEndForeignModify(EState *estate, ResultRelInfo *rri);
extern void xeroBeginForeignInsert(ModifyTableState *mtstate,
								   ResultRelInfo *rri);
extern void xeroEndForeignInsert(EState *estate, ResultRelInfo *rri);
extern int	xeroGetForeignModifyBatchSize(ResultRelInfo *rri);
extern TupleTableSlot *xeroExecForeignInsert(EState *estate,
											 ResultRelInfo *rri,
											 TupleTableSlot *slot,
											 TupleTableSlot *planSlot);
extern TupleTableSlot **xeroExecForeignBatchInsert(EState *estate,
												   ResultRelInfo *rri,
												   TupleTableSlot **slots,
												   TupleTableSlot **planSlots,
												   int *numSlots);
extern TupleTableSlot *xeroExecForeignUpdate(EState *estate,
											 ResultRelInfo *rri,
											 TupleTableSlot *slot,
											 TupleTableSlot *planSlot);
extern TupleTableSlot *xeroExecForeignDelete(EState *estate,
											 ResultRelInfo *rri,
											 TupleTableSlot *slot,
											 TupleTableSlot *planSlot);

/* in direct.c */
extern bool xeroPlanDirectModify(PlannerInfo *root, ModifyTable *plan,
								 Index resultRelation, int subplan_index);
extern void xeroBeginDirectModify(ForeignScanState *node, int eflags);
extern TupleTableSlot *xeroIterateDirectModify(ForeignScanState *node);
extern void xeroEndDirectModify(ForeignScanState *node);

/* in write_explain.c */
extern void xeroExplainForeignModify(ModifyTableState *mtstate,
									 ResultRelInfo *rri, List *fdw_private,
									 int subplan_index,
									 struct ExplainState *es);
extern void xeroExplainDirectModify(ForeignScanState *node,
									struct ExplainState *es);

/* in explain.c */
extern void xeroExplainForeignScan(ForeignScanState *node,
								   struct ExplainState *es);

/* in scan/ahead.c and scan/least_calls.c; to be called by _PG_init */
extern void xero_ahead_init(void);
extern void xero_least_calls_init(void);

#endif							/* XERO_FDW_H */
