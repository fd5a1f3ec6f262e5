/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  What the planning of scans and of counts share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_PLAN_H
#define XERO_PLAN_H

#include "compat.h"

#include "fdw/fdw.h"
#include "nodes/pathnodes.h"

/*
 * A call takes some 300 ms and is one of 60 a minute: it dwarfs whatever is
 * done with its answer.  Not more than this, though, as the sum decides
 * whether PostgreSQL compiles expressions (jit_above_cost), which does not
 * make calls any faster.
 */
#define XERO_CALL_COST		1000.0

/* What the planner knows of one foreign table: RelOptInfo.fdw_private. */
typedef struct XeroRelInfo
{
	XeroTable  *table;
	XeroRel    *rel;
	double		records;		/* in the whole list */
	bool		records_known;	/* Xero has told this session */
	double		rows_per_record;	/* child tables: elements a record */
} XeroRelInfo;

/* in count.c */
extern void xeroGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage,
									 RelOptInfo *input_rel,
									 RelOptInfo *output_rel, void *extra);
extern ForeignScan *xero_plan_count(RelOptInfo *upper, ForeignPath *best_path,
									List *tlist);

/* in stats.c; to be called by _PG_init */
extern void xero_stats_init(void);

#endif							/* XERO_PLAN_H */
