/*-------------------------------------------------------------------------
 *
 * condition.h
 *	  Conditions on the columns of a foreign table, between SQL and Xero.
 *
 * A condition says which records are wanted: null counts as false in every
 * part of it, and there is no NOT, because classify.c has pushed negations
 * down into the operators.  So a larger set for a part is a larger set for
 * the whole, and a part of an AND can be left out.
 *
 * Private to src/query.  Everything is palloc'ed in the caller's context.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_CONDITION_H
#define XERO_CONDITION_H

#include "compat.h"

#include "query/query.h"

/* How the records Xero selects relate to the rows PostgreSQL wants. */
typedef enum XeroVerdict
{
	XERO_VERDICT_LOCAL,			/* not sent */
	XERO_VERDICT_SUPERSET,		/* sent, and rechecked */
	XERO_VERDICT_EXACT			/* sent, and that is all */
} XeroVerdict;

typedef enum XeroConditionKind
{
	XERO_COND_AND,
	XERO_COND_OR,
	XERO_COND_COMPARE,
	XERO_COND_MONOTONE,			/* a function of the column is compared; see
								 * monotone.c */
	XERO_COND_IS_NULL,
	XERO_COND_IS_NOT_NULL,
	XERO_COND_LIKE,				/* value is a LIKE pattern */
	XERO_COND_PREFIX,			/* value is a literal prefix */
	XERO_COND_FOLDED,			/* of these three the text contains a piece,
								 * whatever its case; see pattern.c */
	XERO_COND_FOLDED_LIKE,
	XERO_COND_FOLDED_REGEX,
	XERO_COND_CAPITALS,			/* the same, of the text in capitals */
	XERO_COND_CAPITALS_LIKE
} XeroConditionKind;

typedef enum XeroComparison
{
	XERO_CMP_EQ,				/* to any of the values */
	XERO_CMP_NE,				/* to all of the values */
	XERO_CMP_LT,
	XERO_CMP_LE,
	XERO_CMP_GT,
	XERO_CMP_GE
} XeroComparison;

typedef struct XeroCondition
{
	XeroConditionKind kind;
	List	   *args;			/* AND, OR: XeroConditions */
	AttrNumber	attno;			/* the others: the column */
	XeroComparison op;

	/*
	 * Scalars and arrays.  While planning: Consts and other expressions.  In
	 * what is sent: Consts, and Params whose paramid is the position in
	 * XeroPushdown.params.
	 */
	List	   *values;
	Node	   *order;			/* MONOTONE: how the two compare */
	XeroVerdict verdict;		/* while planning only */
} XeroCondition;

/* The way a top-level condition travels. */
typedef enum XeroRoute
{
	XERO_ROUTE_KEY,				/* path/{key}, or else the key's list
								 * parameter, or else where= */
	XERO_ROUTE_PARAM,			/* a list or value parameter */
	XERO_ROUTE_RANGE,			/* from and to parameters of the column */
	XERO_ROUTE_MODIFIED,		/* If-Modified-Since */
	XERO_ROUTE_OFFSET,			/* where a list by offset begins and ends */
	XERO_ROUTE_TENANT,			/* the organisations that are asked at all */
	XERO_ROUTE_WHERE
} XeroRoute;

typedef struct XeroItem
{
	XeroRoute	route;
	int			param;			/* KEY, PARAM: index into the object's params,
								 * -1 for none */
	bool		droppable;		/* rechecked, so it may stay behind if its
								 * values cannot travel or find no room */
	bool		split;			/* its values may be spread over several
								 * requests; at most one item has this */
	XeroCondition *condition;
} XeroItem;

/* condition.c */
extern const XeroColumn *xero_condition_column(const XeroRel *rel,
											   AttrNumber attno);
extern const XeroColumn *xero_column_of(const XeroRel *rel, Node *node,
										AttrNumber *attno);
extern bool xero_mentions_rel(const XeroRel *rel, Node *node);

/* Is it a column that each record has, or a known value? */
extern bool xero_is_never_null(const XeroRel *rel, Node *node);
extern bool xero_is_value(const XeroRel *rel, Node *node);
extern bool xero_is_key_column(const XeroRel *rel, const XeroColumn *column);
extern bool xero_in_where(const XeroRel *rel, const XeroCondition *condition);
extern int	xero_find_param(const XeroRel *rel, const XeroColumn *column,
							XeroParamKind kind);
extern List *xero_item_to_node(const XeroItem *item, List **params);
extern XeroItem *xero_item_from_node(List *node);

/* collation.c */
extern bool xero_has_single_capitals(Oid collation);

/* classify.c */
extern XeroCondition *xero_classify_clause(const XeroRel *rel, Node *clause);

/* restate.c */
extern Node *xero_restate(const XeroRel *rel, Node *clause, bool negate,
						  bool *exact);

/* uuid_text.c */
extern Node *xero_restate_uuid(const XeroRel *rel, Node *clause);

/* choice.c */
extern List *xero_choice_arms(const XeroRel *rel, Node *clause, bool negate,
							  bool *exact);

/* request.c */
extern int	xero_item_width(const XeroRel *rel, XeroItem *item, bool one);

/* Room for conditions in a query, in bytes; see request.c. */
#define XERO_CONDITION_ROOM 1700

/*
 * So many values at most are asked for one by one; beyond that reading the
 * list takes fewer calls.
 */
#define XERO_MAX_SINGLE_VALUES	10

/*
 * Bytes kept for values that are spread over several requests: 40 uuids.  With
 * less, other conditions would save rows and cost calls.
 */
#define XERO_SPLIT_ROOM 1500

/* What xero_item_width() returns instead of a width. */
#define XERO_WIDTH_UNBOUNDED	(-1)	/* or too many values for a request */
#define XERO_WIDTH_UNSENDABLE	(-2)

#endif							/* XERO_CONDITION_H */
