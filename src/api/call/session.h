/*-------------------------------------------------------------------------
 *
 * session.h
 *	  What the calls of this backend have cost, and Xero's clock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SESSION_H
#define XERO_SESSION_H

#include "compat.h"

#include "api/call/call.h"
#include "api/http/http.h"

/* Since the backend started; no rollback takes anything back. */
extern const XeroCallStats *xero_session_stats(void);

/* A call that Xero counts has cost so much more. */
extern void xero_session_spend(const XeroCallStats *cost);

/* An answer has come, and may tell the time. */
extern void xero_session_note_clock(const XeroHttpResult *result);

/*
 * Xero's clock minus ours, in microseconds; false before the first answer.
 * Its Date header has whole seconds, so this is right to half a second and
 * the time that the answer was under way.
 */
extern bool xero_session_clock_offset(int64 *offset);

#endif							/* XERO_SESSION_H */
