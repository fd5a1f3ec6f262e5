/*-------------------------------------------------------------------------
 *
 * subxact.h
 *	  A step that may fail without ending the transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SUBXACT_H
#define XERO_SUBXACT_H

#include "compat.h"

/*
 * Take a step in a subtransaction, in the current memory context.  An ERROR
 * that it raises is returned, in that context; NULL if there was none.  What
 * the caller cannot deal with, it raises again: only then, so that whoever
 * catches it does not find the subtransaction there.
 */
extern ErrorData *xero_try(void (*step) (void *state), void *state);

#endif							/* XERO_SUBXACT_H */
