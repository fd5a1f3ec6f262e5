/*-------------------------------------------------------------------------
 *
 * writes.h
 *	  How Xero lets its objects be written: methods, batches, endings.
 *
 * Constant data like the rest of the catalogue; the sources are Xero's
 * specification (methods, lengths, enumerations) and its documentation
 * (batches, status changes).  Which operations an object has at all is
 * XeroObject.operations; which columns can be written, and which must be
 * given, are flags of the columns.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_WRITES_H
#define XERO_WRITES_H

#include "compat.h"

#include "catalog/catalog.h"

/* What the body of a write is around its elements. */
typedef enum XeroEnvelope
{
	XERO_ENVELOPE_WRAPPED,		/* {"Contacts":[{...}]} */
	XERO_ENVELOPE_ARRAY,		/* [{...}] */
	XERO_ENVELOPE_BARE			/* {...} */
} XeroEnvelope;

/* Where the requests that write an object's records go. */
typedef enum XeroPlace
{
	XERO_PLACE_OWN,				/* a list, and a path for each record */
	XERO_PLACE_BELOW,			/* the same below the parent's record:
								 * CreditNotes/{id}/Allocations */
	XERO_PLACE_INSIDE			/* the parent's record, with the array that
								 * they are elements of, sent whole */
} XeroPlace;

/*
 * What Xero computes from other columns: if one of "a|b|c" is set, "gives" is
 * not sent back as it was, neither in an element of an array nor as one that
 * goes along with an update.
 */
typedef struct XeroFollow
{
	const char *set;
	const char *gives;
	const char *given;			/* only if this has a value; NULL: always */
} XeroFollow;

/*
 * How a record ends.  The first row that fits the present status counts; a
 * status that no row fits is final.
 */
typedef struct XeroEnding
{
	const char *status;			/* present one; NULL: whatever it is */
	const char *becomes;		/* status to write; NULL: the DELETE method */
} XeroEnding;

typedef struct XeroWriteRules
{
	XeroPlace	place;
	const char *create;			/* method on the list's path; NULL: none */
	const char *update;			/* method on the record's path, or on the
								 * list's where by_body; NULL: none */
	XeroEnvelope envelope;
	bool		statuses;		/* summarizeErrors=false makes the create tell
								 * of each element's fate */
	int			update_batch;	/* elements of one POST to the list's path,
								 * all with their keys; 0: the record's own
								 * path */
	bool		by_body;		/* a record has no path of its own */
	bool		repeatable;		/* what is created twice is there once */
	bool		backorders;		/* allowBackorders=true is offered */

	const char *labels[3];		/* columns that name a record to people */
	const char *with_update[16];	/* columns that every change carries:
									 * those that it must, and those that it
									 * would clear */
	const char *one_of[2];		/* of each "a|b|c", one column must be given
								 * to create */
	const char *unique;			/* column of a text; where another record has
								 * it, Xero may change that one instead of
								 * creating one: it is asked first */

	const char *status;			/* column that XeroEnding speaks of */
	const XeroEnding *endings;
	int			nendings;
	const char *ending_hint;	/* if DELETE is not possible, what is */

	const XeroFollow *follows;
	int			nfollows;
	const XeroFollow *unsent;	/* XERO_PLACE_INSIDE: what of an element that
								 * was read is not sent back beside others */
	int			nunsent;

	/* what may come back otherwise than it was sent: see json/compare.h */
	const char *merged;
	const char *unechoed;

	/* of those that are not INSIDE, about the elements inside of them */
	const char *untaxed;		/* with this value of line_amount_types Xero
								 * shows lines without the tax that it reads
								 * them with; NULL: there is none */
} XeroWriteRules;

/* The object whose records the requests are about: the parent's, or its own. */
extern const XeroObject *xero_written_object(const XeroObject *object);

/* The member of bodies and answers that holds the elements. */
extern const char *xero_write_wrapper(const XeroObject *object);

/* Is "word" one of "A|B|C"? */
extern bool xero_is_one_of(const char *words, const char *word);

/* How a record with this status (or NULL) ends; NULL: not at all. */
extern const XeroEnding *xero_find_ending(const XeroWriteRules *rules,
										  const char *status);

#endif							/* XERO_WRITES_H */
