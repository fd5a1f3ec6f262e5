/*-------------------------------------------------------------------------
 *
 * span.h
 *	  Comparisons as stretches of the column's values.  Private to src/query.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SPAN_H
#define XERO_SPAN_H

#include "compat.h"

#include "query/condition.h"
#include "query/literal.h"

/*
 * Dates are counted in days and instants in seconds, both since 2000-01-01;
 * numbers in units of their fourth decimal place.
 */
typedef struct XeroSpan
{
	int64		from;			/* PG_INT64_MIN if it has no beginning */
	int64		before;			/* PG_INT64_MAX if it has no end */
} XeroSpan;

/* span.c */
extern bool xero_span(const XeroColumn *column, const XeroCondition *condition,
					  const XeroValue *value, XeroSpan *span);

/* monotone.c */
extern XeroCondition *xero_classify_monotone(const XeroRel *rel,
											 XeroComparison op, Oid collation,
											 Node *left, Node *value);
extern XeroCondition *xero_classify_within(const XeroRel *rel, Node *left,
										   Node *range);
extern bool xero_order_is_lost(const XeroCondition *condition);
extern int64 xero_first_reaching(const XeroColumn *column,
								 const XeroCondition *condition,
								 const XeroValue *value, bool above,
								 int64 low, int64 high);

#endif							/* XERO_SPAN_H */
