/*-------------------------------------------------------------------------
 *
 * answers.h
 *	  What runs with other values have brought; see answers.c.
 *
 * Private to answers.c and batch.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_ANSWERS_H
#define XERO_ANSWERS_H

#include "compat.h"

#include "fdw/scan/known.h"
#include "fdw/scan/scan.h"

struct XeroAnswers
{
	MemoryContext cxt;
	ExprState  *checks;			/* conditions on values that may change */
	XeroParamValue *first;		/* values of the first run, NULL before */
	Bitmapset  *changing;		/* indexes of those that were others since */

	int			param;			/* index of the value that a column must
								 * equal, -1 if there is none */
	XeroKnown  *known;			/* rows by that column */
	XeroRowKey *present;		/* of the present run, or NULL */
	XeroKnown  *batch;			/* keys that are being asked for, or NULL */
	bool		whole;			/* all rows are known */
	Tuplestorestate *given;		/* the one that has the rows of this run, NULL
								 * if it is not answered from here */
	Tuplesortstate *sorter;		/* puts them in order */

	double		price;			/* calls of the list, -1 before it is known
								 * what it would be */
	int64		spent;			/* calls before the present run */
	int64		dearest;		/* calls of the dearest run so far */
};

/* The value that the run's rows have in the column of the key, or NULL. */
extern XeroRowKey *xero_run_key(XeroAnswers *answers,
								const XeroParamValue *values);

/* Estimate XeroAnswers.price, where each run has such values. */
extern void xero_settle_price(ForeignScanState *node,
							  const XeroParamValue *values);

#endif							/* XERO_ANSWERS_H */
