/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  Declarations shared by the planning of scans, counts and LIMIT.
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

/*
 * Of ways that take as many calls, as far as can be estimated, that one is the
 * best which takes few even if there are more rows: the list, then keys that
 * are looked up many a call, then those that are looked up one by one.
 */
#define XERO_DOUBT_BATCH	1.02
#define XERO_DOUBT_ROW		1.04

static inline bool
xero_is_foreign_table(const RelOptInfo *rel)
{
	return rel->fdwroutine != NULL &&
		rel->fdwroutine->GetForeignRelSize == xeroGetForeignRelSize;
}

/* What the planner knows of one foreign table: RelOptInfo.fdw_private. */
typedef struct XeroRelInfo
{
	XeroTable  *table;
	XeroRel    *rel;
	double		organisations;	/* that the server stands for; 1 if that is
								 * not known */
	double		records;		/* in the whole lists of all of them */
	bool		records_known;	/* Xero has told */
	double		rows_per_record;	/* child tables: elements a record */
	List	   *clauses;		/* the restrictions of the table alone, bare */
	XeroPushdown pushdown;		/* of them */
} XeroRelInfo;

/* What Xero is asked for with one set of clauses, and the calls that takes. */
typedef struct XeroScanPlan
{
	XeroPushdown pushdown;
	List	   *wanted;			/* Integer nodes: attributes to decode */
	XeroRequestOptions options;
	double		organisations;	/* that will be asked */
	int			lists;			/* of each of them, as far as is known */
	double		records;		/* that Xero will send */
	double		calls;
} XeroScanPlan;

/* The keys that a bind join looks up; see bind/join.c. */
typedef struct XeroBinding
{
	AttrNumber	attno;			/* of the column that they are in */
	Expr	   *clause;			/* the column = the key */
	Node	   *key;			/* an expression of the outer relation */
	double		runs;			/* of the scan, estimated */
	double		keys;			/* distinct ones */
	int			first;			/* so many are asked for at first */
	int			slot;			/* PARAM_EXEC by which the two nodes find each
								 * other; -1 before one of them is planned */
} XeroBinding;

/* What a path returns. */
typedef enum XeroPathKind
{
	XERO_PATH_ROWS,				/* rows of the table, rechecked */
	XERO_PATH_WINDOW,			/* those between OFFSET and LIMIT */
	XERO_PATH_COUNT				/* numbers of them */
} XeroPathKind;

/*
 * One way of reading a table.  It is settled when the path is made, of whose
 * fdw_private it is the only member; the plan is a transcript of it.
 */
typedef struct XeroPath
{
	XeroPathKind kind;
	XeroTable  *table;
	XeroTable  *asked;			/* whose columns the conditions that are sent
								 * are about: this, or its parent's */
	List	   *clauses;		/* that were looked at, bare */
	XeroScanPlan scan;

	/* as in XeroScanPrivate */
	int			page_size;
	bool		ahead;
	bool		keep;
	bool		whole;
	List	   *sort;
	List	   *window;
	List	   *counts;
	List	   *group;
	XeroBinding *binding;		/* or NULL */

	/* XERO_PATH_COUNT: aggregates, then a column that groups; HAVING */
	List	   *returned;
	List	   *having;
} XeroPath;

/*
 * in path.c: a path for clauses, in an order that Xero gives (NULL: none),
 * and pages of a size, where "ahead" says that all rows will be wanted
 */
extern XeroPath *xero_make_path(PlannerInfo *root, RelOptInfo *baserel,
								List *clauses, const char *order,
								int page_size, bool ahead);

/*
 * One for a child table that asks for what its parent's table is asked for;
 * NULL if it cannot.
 */
extern XeroPath *xero_make_child_path(PlannerInfo *root, RelOptInfo *child,
									  RelOptInfo *parent, int page_size,
									  bool ahead);

/*
 * in path.c: a path that asks for many keys at once, whose calls are those of
 * all runs; NULL if they cannot be listed beside the other clauses
 */
extern XeroPath *xero_make_bound_path(PlannerInfo *root, RelOptInfo *baserel,
									  List *clauses, XeroBinding *binding,
									  bool ahead);

/* The slot of a binding, which the first of its nodes to be planned gets. */
extern int	xero_binding_slot(PlannerInfo *root, XeroBinding *binding);

/* in plan.c: will all rows be wanted */
extern bool xero_wants_all(PlannerInfo *root);

/* What is in its fdw_private, and back. */
extern List *xero_path_private(XeroPath *path);
extern XeroPath *xero_path_of(const ForeignPath *path);

/* What the plan tells the executor: XeroScanPrivate. */
extern List *xero_plan_private(const XeroPath *path);

/*
 * in order.c: the order= that gives a path key, and its column; or NULL
 */
extern const char *xero_order_for_pathkey(RelOptInfo *baserel, PathKey *pathkey,
										  List *clauses, AttrNumber *attno);

/* A column that a path key sorts by, or NULL. */
extern Var *xero_pathkey_column(RelOptInfo *baserel, PathKey *pathkey);

/* The clauses, and one that leaves no nulls in that column. */
extern List *xero_without_nulls(RelOptInfo *baserel, PathKey *pathkey,
								List *clauses);

/*
 * in parent.c: the table of the parents of a child table, if the rows of that
 * are wanted only whose parent is a row of it; or NULL
 */
extern RelOptInfo *xero_joined_parent(PlannerInfo *root, RelOptInfo *child);

/* in plan.c: a column's equality with columns of other tables, RestrictInfos */
extern List *xero_implied_equalities(PlannerInfo *root, RelOptInfo *baserel,
									 AttrNumber attno);

/* in plan.c */
extern void xeroGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage,
									 RelOptInfo *input_rel,
									 RelOptInfo *output_rel, void *extra);

/*
 * in count_path.c: a path for aggregates, or for those of a partition, which
 * are put together elsewhere
 */
extern void xero_add_count_path(PlannerInfo *root, RelOptInfo *input_rel,
								RelOptInfo *output_rel, PathTarget *target,
								List *having);
extern ForeignScan *xero_plan_count(const XeroPath *path, List *tlist);

/*
 * in limit.c: a path that heeds LIMIT and OFFSET itself; input_rel is the
 * table's or that of its sorted rows
 */
extern void xero_add_limit_path(PlannerInfo *root, RelOptInfo *input_rel,
								RelOptInfo *final_rel);
extern ForeignScan *xero_plan_window(PlannerInfo *root, const XeroPath *path,
									 List *tlist);

/* in stats.c, unique.c; to be called by _PG_init */
extern void xero_stats_init(void);
extern void xero_unique_init(void);

#endif							/* XERO_PLAN_H */
