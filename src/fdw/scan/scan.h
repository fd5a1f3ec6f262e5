/*-------------------------------------------------------------------------
 *
 * scan.h
 *	  State of a running scan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SCAN_H
#define XERO_SCAN_H

#include "compat.h"

#include "api/call/pager.h"
#include "api/consent/organisations.h"
#include "api/report/progress.h"
#include "fdw/bind/lookahead.h"
#include "fdw/fdw.h"
#include "fdw/plan_calls.h"
#include "fdw/scan/dedup.h"
#include "fdw/scan/detail.h"
#include "json/reader.h"
#include "utils/tuplesort.h"
#include "utils/tuplestore.h"

/*
 * So many organisations are read at once, and so many requests and unread
 * responses there are at most in one scan: each is a page of some 2 MB.
 */
#define XERO_MAX_ORG_SCANS 20

/*
 * The scan of one organisation: the same requests for all of them, one after
 * the other.
 */
typedef struct XeroOrgScan
{
	XeroOrganisation *organisation;
	XeroServer	server;			/* speaks for it */
	Datum		tenant;			/* its id, as the table's column has it */
	int			request;		/* index of the present one */
	XeroPager **pagers;			/* by request; NULL if not begun */
	XeroPager  *pager;			/* the present request's */

	/* the present request */
	int64		rows;			/* that were returned */
	double		items;			/* item count of the last page, -1 unknown */
	double		counted;		/* the part of it in the scan's sum, so too */
	double		fewest_items;	/* smallest item count of all pages */
	double		records;		/* distinct records that came */
	XeroDedup  *dedup;			/* keys of the recent pages, or NULL */
	int64		offset;			/* of the last record, for lists by offset */
	int64		reread_page;	/* its number if it is served again, else 0 */
	int64		reread_last;	/* the last page to be served again */
	int			setbacks;		/* how often the list shrank since a page was
								 * served for the first time */
	Datum		bound;			/* order_ties: the order's value in the last
								 * row that is wanted */
	bool		tied;			/* the row read last has it, too */
} XeroOrgScan;

/* XERO_SCAN_BATCH: the keys of many runs are asked for at once. */
typedef struct XeroBatching
{
	XeroLookahead *lookahead;	/* that tells them, NULL: not so */
	int			param;			/* index of the key among the values */
	AttrNumber	attno;			/* its column */
	int			keys;			/* so many are asked for next, ... */
	int64		asked;			/* ... after so many */
} XeroBatching;

/* What is constant during a scan. */
typedef struct XeroScanSpec
{
	XeroTable  *table;
	XeroRel    *rel;
	XeroServer *server;			/* as the options leave it; see XeroOrgScan */
	List	   *sent;
	XeroRequestOptions options;
	int			page_size;
	bool		all_wanted;		/* rows, or those of the window */
	AttrNumber	order_attno;	/* rows come in the order of this column ... */
	bool		order_descends;
	int64		order_rows;		/* ... and no more than these will be wanted;
								 * 0: in any order */
	bool		order_ties;		/* besides those that are equal to the last */
	List	   *order_whole;	/* what is sent for all rows (List), if nulls
								 * are left out at first; implies order_ties */
	List	   *param_exprs;	/* ExprState */
	List	   *param_types;	/* Oid */
	List	   *counts;			/* XERO_SCAN_COUNTS */
	List	   *group;			/* XERO_SCAN_GROUP */
	XeroBatching batching;
	XeroRowWindow window;		/* all rows unless the plan has another */
	TupleDesc	whole_row;		/* a row of the table is wanted as a value,
								 * behind the columns; else NULL */
	XeroPageCache *cache;		/* that it has with other scans of the list,
								 * or NULL; set when it runs */
	bool		keep;			/* rows are kept for a rescan */
	bool		whole;			/* all are read before the first is returned;
								 * implies "keep" */
	XeroOrganisation *organisations;	/* all; NULL until the first run */
	pg_uuid_t  *tenants;		/* their ids */
	int			norganisations;
} XeroScanSpec;

/*
 * How records become rows: the fields are the wanted columns that lists carry,
 * then hidden ones that the scan itself needs.
 */
typedef struct XeroDecoder
{
	XeroField  *fields;
	int		   *attnos;			/* attribute of each field, 0 for hidden */
	int			nfields;
	int			key_field;		/* the record's key, -1 if there is none */
	int			offset_field;	/* lists by offset: its field, else -1 */
	AttrNumber	tenant_attno;	/* 0 if not wanted */
	Oid			tenant_input;	/* input function of its type */
	Oid			tenant_ioparam;
	int32		tenant_typmod;
	XeroReader *reader;
	XeroReader *parts;			/* of single records, or of what is below
								 * them, if the lists lack the rows of a child
								 * table; else NULL */
	MemoryContext part_cxt;		/* such a record's response */
	int		   *part_fields;	/* where the rows are below the record's path:
								 * which fields "parts" reads, and */
	int			npart_fields;	/* what it has read; the others stay the
								 * parent's, in part_cxt */
	Datum	   *part_values;
	bool	   *part_nulls;
	int			part_flag;		/* index of the field that tells whether a
								 * record may have rows, or -1 */
	Datum	   *values;			/* by field */
	bool	   *nulls;
	XeroDetail *detail;			/* columns that lists lack, or NULL */
	MemoryContext detail_cxt;	/* the response that has them */
} XeroDecoder;

/* One run: from a (re)scan with new parameters to the next. */
typedef struct XeroRun
{
	MemoryContext cxt;			/* requests, pager, parameter values */
	bool		drained;		/* all have been read before one was returned */
	bool		ended;			/* no row is left to be read */
	int64		pages;			/* that came */
	int64		most_pages;		/* reading a list that has the rows of other
								 * runs: it is given up if it takes more; 0:
								 * rows of this run are read */
	int64		told;			/* pages it takes, as far as is known */
	bool		given_up;
	List	   *requests;
	Bitmapset  *wanted;			/* the organisations that are asked */
	XeroOrgScan *org_scans;		/* one for each of them */
	int			norg_scans;
	int			nbegun;			/* of them */
	XeroOrgScan *open[XERO_MAX_ORG_SCANS];	/* begun and not at the end; the
											 * one whose turn it is comes
											 * first */
	int			nopen;
	Tuplesortstate *sorter;		/* puts several lists in order */
	int64		order_rows;		/* as in the spec, but 0 in the order of keys */
	List	   *by_key;			/* order_ties, groups: the requests in that
								 * order */
	bool		by_key_instead; /* these have to be sent: what is wanted is
								 * not all on the first pages */
	bool		ahead;			/* pages are asked for before they are needed */
	int64		first_page;		/* of the list; others were left out */
	int64		last_page;		/* that a window is expected to end on, or 0 */
	int64		skip;			/* rows still to be passed over */
	int64		returned;		/* rows of this run */
} XeroRun;

/* The present page of a run. */
typedef struct XeroPage
{
	bool		open;
	XeroReader *reader;
	bool		part_open;		/* a record of the page is read by itself */
	XeroOrgScan *org_scan;		/* that it is of */
	int64		repeated;		/* records that were seen before */
	int64		last_record;	/* of the page, the last row's, 0 before */
	bool		last_repeated;	/* whether it was seen before */
} XeroPage;

/* The first value in an order; there may be none. */
typedef struct XeroFirst
{
	bool		found;
	bool		unsure;			/* a list has not told whether it has one */
	Oid			type;
	Datum		value;
} XeroFirst;

/* A scan that only counts. */
typedef struct XeroCounting
{
	List	   *owners;			/* int: which count each of the run's requests
								 * is for */
	List	   *by_key;			/* for each count, its requests in the order
								 * of keys (Lists) */
	int64	   *counts;			/* of this run, NULL: not known yet */
	XeroFirst  *firsts;			/* with counts: values that are wanted in
								 * place of them */
	List	   *groups;			/* with counts: XeroGroups */
	int			returned;		/* rows that are out */
} XeroCounting;

/* Rows with the same value. */
typedef struct XeroGroup
{
	Datum		value;
	bool		isnull;
	int64		count;
} XeroGroup;

/* Rows kept for a rescan; reading comes before fetching. */
typedef struct XeroKept
{
	Tuplestorestate *rows;
	TupleTableSlot *slot;		/* for rows kept or sorted */
	bool		replaying;
} XeroKept;

/* What a scan has cost. */
typedef struct XeroScanStats
{
	XeroCallStats calls;
	int64		batches;		/* of keys that were asked for */
	int64		known_runs;		/* that were answered without a call */
	int64		pages;
	int64		pages_total;	/* of the lists that have told, -1 if none */
	double		records;		/* of the lists that have told, -1 if none */
	int64		rows;
	XeroProgress *progress;
} XeroScanStats;

/* What runs with other values have brought; see answers.c. */
typedef struct XeroAnswers XeroAnswers;

/* Hangs off ForeignScanState.fdw_state; lives in the executor's context. */
typedef struct XeroScanState
{
	XeroScanSpec spec;
	XeroDecoder decoder;
	bool		started;		/* there is a run for the present parameters */
	XeroRun		run;
	XeroPage	page;
	XeroCounting counting;
	XeroKept	kept;
	XeroAnswers *answers;		/* NULL if no run has other values */
	ForeignScanState *next;		/* is read when this one has ended, or NULL */
	bool		next_is_wanted; /* before any row of this one is returned */
	XeroScanStats stats;
} XeroScanState;

/* in ahead.c: is it one of our scans, which does not write? */
extern bool xero_is_scan(const PlanState *node);

/*
 * in begin.c: the rows of a scan that has not begun to run will all be wanted,
 * or perhaps only some of them
 */
extern void xero_expect_rows(ForeignScanState *node, bool all);

/* in begin.c: the scan, which has not begun to run, is not run again */
extern void xero_keep_nothing(ForeignScanState *node);

/*
 * in begin.c: begin a run, or go on with what is known; the organisations that
 * one asks; begin one with these requests, in a context that becomes the run's
 */
extern void xero_start_run(ForeignScanState *node);
extern Bitmapset *xero_choose_organisations(ForeignScanState *node,
											const XeroParamValue *params);
extern void xero_begin_run(ForeignScanState *node, MemoryContext run_cxt,
						   List *requests, Bitmapset *wanted);

/* in org_scan.c: send the requests that the first rows come from */
extern void xero_ask_first_pages(XeroScanState *state);

/*
 * in readers.c: a scan of a table has begun, which may not be run; when all of
 * the statement have: the levels that it asks for, the cache that it has with
 * others, or NULL; will it find there the pages that it asks for?
 */
extern void xero_add_reader(ForeignScanState *node, const XeroTable *table,
							Oid userid);
extern int	xero_reader_levels(const ForeignScanState *node);
extern XeroPageCache *xero_reader_cache(const ForeignScanState *node);
extern bool xero_reader_repeats(const ForeignScanState *node);

/* in scan.c: the next row of a tuplestore, in kept.slot, or false */
extern bool xero_next_kept(XeroScanState *state, Tuplestorestate *rows);

/*
 * in scan.c: read the run to its end, and let "take" have the rows; or keep
 * them, behind those that were kept already
 */
typedef void (*XeroTakeRow) (XeroScanState *state, TupleTableSlot *slot);

extern void xero_fetch_rest(XeroScanState *state, TupleTableSlot *slot,
							XeroTakeRow take);
extern void xero_keep_rest(ForeignScanState *node);

/*
 * in answers.c: is a run with these values answered without a call, perhaps
 * after reading the list that has all answers; each row of such a run, in
 * kept.slot
 */
extern void xero_init_answers(ForeignScanState *node, Relation rel);
extern bool xero_find_answer(XeroScanState *state, const XeroParamValue *values);
extern bool xero_read_answers(ForeignScanState *node,
							  const XeroParamValue *values, int nrequests,
							  int norganisations);
extern bool xero_is_answered(const XeroScanState *state);
extern bool xero_answer_row(ForeignScanState *node);
extern void xero_end_answers(XeroScanState *state);

/* in batch.c: ask for the key of the present run, and for others */
extern void xero_ask_batch(ForeignScanState *node, XeroParamValue *values);

/* A run that asks has begun, with these values; its rows may be kept. */
extern void xero_note_run(XeroScanState *state, const XeroParamValue *values);
extern void xero_keep_answer(ForeignScanState *node);

/* in window.c: XERO_SCAN_WINDOW, read; false if there is none */
extern bool xero_read_window(ForeignScan *plan, XeroRowWindow *window);

/* The page that a window begins on, if the requests are one list; else 1. */
extern int64 xero_window_page(const XeroObject *object, List *requests,
							  int page_size, int64 offset);

/*
 * in record_count.c: let the planner know an item count that an envelope has
 * told
 */
extern void xero_note_records(XeroScanState *state, const XeroOrgScan *org_scan,
							  double records);

/* How many records a request brings in an organisation. */
typedef struct XeroListCount
{
	const XeroRequest *request;
	XeroOrgScan *org_scan;
	List	   *sent;			/* what the request is made of */
	AttrNumber	attno;			/* a column whose value in the first record is
								 * wanted as well, or 0 */
	int64		count;			/* -1: Xero does not tell */
	XeroFirst	first;
} XeroListCount;

/* All of them are asked for at once, XERO_MAX_ORG_SCANS at most. */
extern void xero_count_lists(XeroScanState *state, XeroListCount *lists,
							 int nlists);

/*
 * in org_scan.c: the organisation that has its next response first, with that;
 * NULL if all have ended
 */
extern XeroOrgScan *xero_next_response(XeroScanState *state,
									   const XeroResponse **response);
extern void xero_rewind_org_scans(XeroScanState *state);
extern XeroPager *xero_org_scan_pager(XeroScanState *state, XeroOrgScan *org_scan,
									  const XeroRequest *request, int ahead,
									  int64 first_page, XeroPageCache *cache);

/* Errors while it is set up name the organisation that is being read. */
extern void xero_push_org_scan_context(XeroScanState *state,
									   ErrorContextCallback *callback);

/*
 * in pages.c: fetch the next row of any organisation into the slot's arrays,
 * in a context that lives as long as the row; false at the end
 */
extern bool xero_fetch_row(XeroScanState *state, TupleTableSlot *slot);

/*
 * in listed.c: the record of this key, which the present page shows, by itself,
 * in "mcxt"; NULL if it is gone
 */
extern const XeroResponse *xero_get_listed(XeroScanState *state,
										   MemoryContext mcxt, const char *key);

/*
 * in merge.c: what a run in an order needs besides its requests; is it to be
 * sorted here; its next row, in kept.slot, or false; what sorts its rows
 */
extern void xero_prepare_order(XeroScanState *state,
							   const XeroParamValue *params);
extern bool xero_sorts_here(const XeroScanState *state);
extern bool xero_merge_row(XeroScanState *state, TupleTableSlot *slot);
extern Tuplesortstate *xero_make_sorter(XeroScanState *state, TupleDesc desc);

/*
 * The scan has ended; how many records the last one of a foreign table in this
 * session was told of, or -1.
 */
extern void xero_note_list_size(const XeroScanState *state);
extern double xero_list_size(Oid relid);

/* in explain.c: how a scan tells its calls */
extern const XeroCallingKind xero_scan_calls;

/*
 * in count_scan.c: the requests of a scan that counts, which "counting" is told
 * of; and its one row
 */
extern List *xero_count_requests(XeroScanState *state,
								 const XeroParamValue *params,
								 XeroCounting *counting);
extern TupleTableSlot *xero_iterate_count(ForeignScanState *node);

#endif							/* XERO_SCAN_H */
