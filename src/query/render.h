/*-------------------------------------------------------------------------
 *
 * render.h
 *	  Conditions as text of Xero's where=.  Private to src/query.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_RENDER_H
#define XERO_RENDER_H

#include "compat.h"

#include "query/condition.h"
#include "query/literal.h"

/* Where the values come from. */
typedef struct XeroRenderer
{
	const XeroRel *rel;
	const XeroParamValue *params;
	XeroUnknowns unknowns;
} XeroRenderer;

typedef enum XeroFate
{
	XERO_FATE_TEXT,				/* there is a text */
	XERO_FATE_ALWAYS,			/* true of every record */
	XERO_FATE_NEVER,			/* true of no record */
	XERO_FATE_UNSENDABLE		/* a value cannot travel */
} XeroFate;

/* How tightly a text binds: what needs parentheses where. */
typedef enum XeroBinding
{
	XERO_BINDS_OR,
	XERO_BINDS_AND,
	XERO_BINDS_ATOM
} XeroBinding;

typedef struct XeroText
{
	XeroFate	fate;
	XeroBinding binding;
	char	   *text;			/* in the server's encoding */
	char	   *value;			/* of an arm: the value in it, as text */
	bool		many;			/* XERO_UNKNOWN_WIDEST: may be longer, by more
								 * arms */
	bool		unbounded;		/* XERO_UNKNOWN_WIDEST: may be any length */
} XeroText;

extern XeroText *xero_render(const XeroRenderer *renderer,
							 const XeroCondition *condition);
extern List *xero_render_arms(const XeroRenderer *renderer,
							  const XeroCondition *condition,
							  XeroText *summary);
extern XeroText *xero_join(XeroConditionKind kind, List *texts);
extern char *xero_folded(const char *text);
extern void xero_distinct_values(const XeroColumn *column, XeroValues *values,
								 XeroUnknowns unknowns, XeroText *summary,
								 List **texts);

#endif							/* XERO_RENDER_H */
