/*-------------------------------------------------------------------------
 *
 * gate.h
 *	  Who runs what in a sync: the caller, the engine, the door between them.
 *
 * Three kinds of code take part in a sync (doc/internals.md):
 *
 *	- the caller, who calls an entry point such as create_sync(), with no
 *	  rights on the extension's tables;
 *	- the engine, functions that nobody may execute: they run as the owner of
 *	  the extension, work on its tables, and evaluate no user's text;
 *	- the user's statements: expressions, filters, reads of Xero, reads and
 *	  writes of the local table.  They run as the caller, through the door.
 *
 * The door takes no role.  It leads to whoever came in by the gate, so
 * whatever the engine is made to believe, a statement never has more rights
 * than whoever asked for it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_GATE_H
#define XERO_GATE_H

#include "compat.h"

/* What leaving brings back.  Of no use across the end of a transaction. */
typedef struct XeroIdentity
{
	Oid			user;
	int			context;		/* SECURITY_* */
	int			nestlevel;		/* of settings */
	Oid			caller;			/* who had come in by the gate before */
	int			caller_context;
	const char *caller_path;
	const char *caller_plans;
} XeroIdentity;

/*
 * Become the engine, with the settings of a run.  An ERROR brings back the
 * user and the settings, but not who came in by the gate: what is done inside
 * stands in PG_TRY, and xero_gate_reset() in PG_CATCH.
 */
extern void xero_gate_enter(Oid engine, XeroIdentity *saved);
extern void xero_gate_leave(const XeroIdentity *saved);
extern void xero_gate_reset(const XeroIdentity *saved);

/* Who came in by the gate; the current user if nobody has. */
extern Oid	xero_caller_role(void);

/* The owner of a function, who is the engine for those that it calls. */
extern Oid	xero_engine_of(Oid function);

/*
 * Become the caller, with a search path of theirs; NULL leaves it as it is.
 * An ERROR brings everything back by itself.
 */
extern void xero_door_enter(const char *search_path, XeroIdentity *saved);
extern void xero_door_leave(const XeroIdentity *saved);

#endif							/* XERO_GATE_H */
