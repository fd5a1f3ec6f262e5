/*-------------------------------------------------------------------------
 *
 * span.c
 *	  Comparisons as stretches of the column's values.
 *
 * What is compared in an order holds from one value on, up to one, or between
 * two.  (<> holds outside.)  The stretches of dates are exact.  Instants and
 * numbers may lie between two of those that are counted, so their stretches
 * are wider, and whether the end belongs to them does not matter.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/span.h"

/*
 * Instants travel in whole seconds, and what Xero shows may have been rounded
 * up.
 */
#define INSTANT_MARGIN	1

/* What depends on a clock, of a time zone, lives with its being put back. */
#define CLOCK_MARGIN	(2 * SECS_PER_DAY)

/* Sets the first and the last value that Xero can have. */
static void
get_limits(XeroType type, int64 *low, int64 *high)
{
	switch (type)
	{
		case XERO_DATE:
			*low = XERO_FIRST_DAY;
			*high = XERO_LAST_DAY;
			break;
		case XERO_TIMESTAMPTZ:
			*low = (XERO_FIRST_DAY + 1) * (int64) SECS_PER_DAY;
			*high = XERO_LAST_DAY * (int64) SECS_PER_DAY;
			break;
		default:
			*high = INT64CONST(999999999999999999);
			*low = -*high;
			break;
	}
}

/*
 * Sets the first value that is not below what the column is compared with, and
 * the first one above.  A number just before the former may not be below.
 */
static void
find_monotone_ends(const XeroColumn *column, const XeroCondition *condition,
				   const XeroValue *value, int64 *at, int64 *above)
{
	int			margin = column->type == XERO_TIMESTAMPTZ ? CLOCK_MARGIN : 0;
	int64		low;
	int64		high;

	get_limits(column->type, &low, &high);
	*at = xero_first_reaching(column, condition, value, false, low, high);
	*above = xero_first_reaching(column, condition, value, true, *at, high);
	if (column->type == XERO_DATE)
		return;
	*at = *at == low ? PG_INT64_MIN : *at - 1 - margin;
	*above = *above > high ? PG_INT64_MAX : *above + margin;
}

static bool
find_ends(const XeroColumn *column, const XeroCondition *condition,
		  const XeroValue *value, int64 *at, int64 *above)
{
	TimestampTz instant;

	if (value == NULL)
	{
		get_limits(column->type, at, above);
		*at = *above - 1;
	}
	else if (condition->kind == XERO_COND_MONOTONE)
	{
		if (xero_order_is_lost(condition))
			return false;
		find_monotone_ends(column, condition, value, at, above);
	}
	else if (column->type == XERO_DATE)
	{
		*at = DatumGetDateADT(value->datum);
		*above = *at + 1;
	}
	else if (xero_instant(value, &instant))
	{
		*at = instant / USECS_PER_SEC - INSTANT_MARGIN;
		*above = instant / USECS_PER_SEC + INSTANT_MARGIN;
	}
	else
		return false;
	return true;
}

/*
 * The stretch of a comparison with a value.  Without one, while planning, a
 * stretch whose ends have the longest texts.  False if it cannot be told to
 * Xero.
 */
bool
xero_span(const XeroColumn *column, const XeroCondition *condition,
		  const XeroValue *value, XeroSpan *span)
{
	bool		exact = column->type == XERO_DATE;
	int64		at;
	int64		above;

	if (!find_ends(column, condition, value, &at, &above))
		return false;
	span->from = PG_INT64_MIN;
	span->before = PG_INT64_MAX;
	switch (condition->op)
	{
		case XERO_CMP_EQ:
		case XERO_CMP_NE:
			span->from = at;
			span->before = above;
			break;
		case XERO_CMP_LT:
			span->before = exact ? at : above;
			break;
		case XERO_CMP_LE:
			span->before = above;
			break;
		case XERO_CMP_GT:
			span->from = exact ? above : at;
			break;
		case XERO_CMP_GE:
			span->from = at;
			break;
	}
	return true;
}
