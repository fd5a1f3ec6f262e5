/*-------------------------------------------------------------------------
 *
 * attempt.h
 *	  What may fail without ending the statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_ATTEMPT_H
#define XERO_ATTEMPT_H

#include "compat.h"

#include "api/report/failure.h"

typedef void (*XeroStep) (void *state);

/*
 * Take a step, in a subtransaction.  An ERROR that it raises is returned, in
 * CurrentMemoryContext; NULL if there was none.  Those that are no finding
 * about Xero or its server are raised: a cancel, no memory, and what should
 * never happen.
 */
extern XeroFailure *xero_attempt(XeroStep step, void *state);

/* Raise a failure that is none to be reported, in the same sense. */
extern void xero_raise_unless_finding(const XeroFailure *failure);

#endif							/* XERO_ATTEMPT_H */
