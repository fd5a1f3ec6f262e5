/*-------------------------------------------------------------------------
 *
 * literal.h
 *	  Single values: from Datum to what Xero reads.  Private to src/query.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_LITERAL_H
#define XERO_LITERAL_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "nodes/primnodes.h"
#include "query/query.h"
#include "utils/date.h"

/* What stands for a value that is known at run time only. */
typedef enum XeroUnknowns
{
	XERO_UNKNOWN_NONE,			/* the values are there */
	XERO_UNKNOWN_SHOWN,			/* XERO_PLACEHOLDER, for EXPLAIN */
	XERO_UNKNOWN_WIDEST			/* the value with the longest text: to bound a
								 * size while planning */
} XeroUnknowns;

typedef struct XeroValue
{
	Oid			type;
	Datum		datum;
	bool		isnull;
	int			placeholder;	/* number of the param, 0 if the value is
								 * known */
} XeroValue;

typedef struct XeroValues
{
	XeroValue  *values;
	int			count;
	bool		nulls;			/* a null, or a null array, was among them; it
								 * is not in "values" */
	bool		many;			/* XERO_UNKNOWN_WIDEST: more elements may come */
	bool		unbounded;		/* XERO_UNKNOWN_WIDEST: of a value's length */
} XeroValues;

extern void xero_resolve_values(List *nodes, const XeroParamValue *params,
								XeroUnknowns unknowns, XeroValues *result);
extern bool xero_is_array_node(Node *node);

extern char *xero_value_text(const XeroColumn *column, const XeroValue *value);
extern char *xero_where_literal(const XeroColumn *column, const char *text);

extern char *xero_day_text(int64 day);
extern char *xero_day_literal(int64 day);
extern bool xero_instant(const XeroValue *value, TimestampTz *second);
extern char *xero_instant_text(TimestampTz second);
extern char *xero_instant_literal(TimestampTz second);
extern char *xero_number_literal(int64 number);

/* Days since 2000-01-01 of .NET's first and last day, and the one between. */
#define XERO_FIRST_DAY	(-730119)	/* 0001-01-01 */
#define XERO_LAST_DAY	2921939 /* 9999-12-31 */

extern void xero_append_sent(StringInfo out, const char *text, bool raw_commas);
extern int	xero_encoded_length(const char *text, bool raw_commas);

#endif							/* XERO_LITERAL_H */
