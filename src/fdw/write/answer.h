/*-------------------------------------------------------------------------
 *
 * answer.h
 *	  What Xero says to a write, element by element.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_ANSWER_H
#define XERO_ANSWER_H

#include "compat.h"

#include "api/call/call.h"
#include "catalog/catalog.h"
#include "nodes/pg_list.h"

/* What became of one element. */
typedef struct XeroOutcome
{
	char	   *key;			/* NULL if it has none, or the id zero */
	bool		stored;
	bool		together;		/* refused with others, any of which may be at
								 * fault */
	int			sqlerrcode;		/* if not */
	List	   *messages;		/* why not; char *, at least one */
	List	   *warnings;		/* char * */
	char	   *record;			/* if it is stored: JSON in UTF-8, as Xero
								 * shows it; NULL if it does not */
} XeroOutcome;

typedef struct XeroAnswer XeroAnswer;

extern XeroAnswer *xero_answer_create(MemoryContext mcxt,
									  const char *relation,
									  const XeroObject *object);

/*
 * The outcomes after an answer of status 5xx: none is known, and the error is
 * that of all.
 */
extern XeroOutcome *xero_answer_failed(const XeroResponse *response,
									   int nelements);

/*
 * Read the outcomes of the elements that were sent, in their order; "keys" has
 * the key of each, or NULL for a new one.  A request that was refused as a
 * whole is one of which every element was.  ERROR if the answer is not about
 * these elements.
 */
extern XeroOutcome *xero_answer_read(XeroAnswer *answer,
									 const XeroResponse *response,
									 List *keys);

#endif							/* XERO_ANSWER_H */
