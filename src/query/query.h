/*-------------------------------------------------------------------------
 *
 * query.h
 *	  SQL clauses -> what is sent to Xero.
 *
 * Two steps.  While planning, xero_pushdown() looks once at the clauses and
 * settles for each how it travels and whether PostgreSQL must check it again;
 * the result is a node tree that can be copied into a plan.  When a scan
 * starts, and again when its parameters change, xero_build_requests() turns
 * that tree and the parameters' values into requests, and
 * xero_wanted_organisations() says to which organisations they go.
 *
 * Nothing here knows of the network, of the executor, or of JSON.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_QUERY_H
#define XERO_QUERY_H

#include "compat.h"

#include "catalog/catalog.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "utils/uuid.h"

/* A foreign table as the query layer sees it. */
typedef struct XeroRel
{
	const XeroObject *object;
	const XeroColumn **columns; /* by attribute number - 1; NULL for a column
								 * the catalogue does not know or whose SQL
								 * type is not the catalogue's */
	int			natts;
	AttrNumber	tenant_attno;	/* the tenant_id column, 0 if none */
	Index		relid;			/* range table index, for Vars; unused when
								 * building requests */
	bool		include_archived;	/* table option, default true */
} XeroRel;

/* What is sent, what is rechecked. */
typedef struct XeroPushdown
{
	List	   *sent;			/* copyable node tree, for fdw_private */
	List	   *params;			/* expressions to evaluate at run time; "sent"
								 * refers to them by position */
	List	   *recheck;		/* those of the given clauses that PostgreSQL
								 * must check again (superset and local) */
	List	   *remote;			/* those of the given clauses that went down
								 * (exact and superset), for EXPLAIN */
	double		max_records;	/* at most so many records can come back, by
								 * key conditions; -1 if unbounded */
	double		max_organisations;	/* conditions let at most so many
									 * organisations pass; -1 if unbounded */
	bool		split;			/* values may be spread over several lists */
} XeroPushdown;

/*
 * Clauses are bare expressions (no RestrictInfo), implicitly ANDed.  Vars of
 * other relations count as run-time parameters.
 */
extern void xero_pushdown(const XeroRel *rel, List *clauses,
						  XeroPushdown *result);

/*
 * Could this one clause alone travel as a look-up by key or by a list of keys,
 * or pick organisations?
 */
extern bool xero_is_lookup(const XeroRel *rel, Expr *clause);

/* Is that the column of the record's key? */
extern bool xero_is_key(const XeroRel *rel, AttrNumber attno);

/*
 * The value that this one clause says a column equals, if Xero finds many
 * values of that column as easily as one; or NULL.
 */
extern Node *xero_listed_value(const XeroRel *rel, Expr *clause,
							   AttrNumber *attno);

/* So many values of a column that lists take are looked up by one request. */
#define XERO_LISTED_VALUES	40

/*
 * The order= field that sorts records just as PostgreSQL sorts by the column,
 * or NULL.  Nulls sort differently on the two sides, and text and uuid by
 * unknown rules, so this is for columns of numbers and dates that are never
 * null, or not in the records that "clauses" let pass.
 */
extern const char *xero_order_field(const XeroRel *rel, AttrNumber attno,
									List *clauses);

/* Is that the column whose numbers a list by offset goes by? */
extern bool xero_is_offset_column(const XeroRel *rel, AttrNumber attno);

/* Everything about a scan's requests besides the conditions. */
typedef struct XeroRequestOptions
{
	int			levels;			/* set of XeroDetailLevel: all wanted columns
								 * of the list pass are in each of them */
	const char *order;			/* order= or NULL */
} XeroRequestOptions;

/* Run-time values for XeroPushdown.params. */
typedef struct XeroParamValue
{
	Oid			type;
	Datum		value;
	bool		isnull;
} XeroParamValue;

/*
 * What stands for the value of XeroPushdown.params number n, from 1.  No value
 * that is sent contains the control character.
 */
#define XERO_PLACEHOLDER_MARK	'\001'
#define XERO_PLACEHOLDER		"\001%d\001"

/* One list (or one record) to request; each of its pages is a call. */
typedef struct XeroRequest
{
	char	   *path;			/* "/api.xro/2.0/Invoices" */
	char	   *query;			/* percent-encoded, without page and pageSize;
								 * "" if empty */
	char	   *shown;			/* for EXPLAIN: "GET path?query", not encoded */
	char	   *modified_since; /* If-Modified-Since, or NULL */
	int64		after;			/* lists by offset: it begins behind this, */
	int64		last;			/* and what is behind this is not wanted; 0:
								 * everything is */
	char	   *offset;			/* for EXPLAIN: "after", perhaps as SQL */
	bool		single;			/* one record by its key: no paging, and 404
								 * means no row */
	bool		summary;		/* summaryOnly=true was asked for */
	AttrNumber	owner_attno;	/* text column that tells which of several
								 * requests a record belongs to, or 0 */
	List	   *owned;			/* its values in this request's records: C
								 * strings, in lower case */
} XeroRequest;

/* Do they ask for the same? */
extern bool xero_same_request(const XeroRequest *a, const XeroRequest *b);

/*
 * Xero takes texts for one that differ in case, accents or trailing blanks, so
 * a record may come by several requests that ask for different values.  It is
 * a row of one of them only.  "value" is the owner column's, not null.
 */
extern bool xero_request_owns(const XeroRequest *request, Datum value);

/*
 * List of XeroRequest.
 *
 * The result is NIL when the conditions can never be true (a null
 * parameter), so that no call is made.  "params" may be NULL: then the values'
 * places hold XERO_PLACEHOLDER texts (EXPLAIN; not to be sent).
 */
extern List *xero_build_requests(const XeroRel *rel, List *sent,
								 const XeroParamValue *params,
								 const XeroRequestOptions *options);

/*
 * Which of some organisations the conditions on tenant_id let pass: their
 * indexes.  "params" may be NULL: then conditions on run-time values let all
 * pass.
 */
extern Bitmapset *xero_wanted_organisations(List *sent,
											const XeroParamValue *params,
											const pg_uuid_t *organisations,
											int norganisations);

/* May the text stand in a condition, as a quoted literal? */
extern bool xero_text_sendable(const char *text);

/* Is nothing sent but, perhaps, conditions on tenant_id? */
extern bool xero_sends_whole_lists(List *sent);

/*
 * Conditions whose values are not among these, which are given by their
 * indexes in XeroPushdown.params.
 */
extern List *xero_sent_without(List *sent, const Bitmapset *params);

/*
 * A column that has to equal one run-time value, and the index of that in
 * XeroPushdown.params; -1 if there is none.
 */
extern int	xero_sent_equality(List *sent, AttrNumber *attno);

/*
 * The index of the value, in XeroPushdown.params, that is spread over several
 * requests; -1 if there is none.
 */
extern int	xero_sent_split(List *sent);

#endif							/* XERO_QUERY_H */
