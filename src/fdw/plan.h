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
 * A call takes some 300 ms and is one of 60 a minute, so it should outweigh
 * whatever is done with its answer; a page of 1000 rows costs some 10 units.
 * Much more than that would have PostgreSQL compile the expressions of large
 * scans (jit_above_cost), which costs memory and makes no call faster.
 */
#define XERO_CALL_COST		50.0

/* What the planner knows of one foreign table: RelOptInfo.fdw_private. */
typedef struct XeroRelInfo
{
	XeroTable  *table;
	XeroRel    *rel;
	double		organisations;	/* that the server stands for; 1 if that is
								 * not known */
	double		records;		/* in the whole lists of all of them */
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
