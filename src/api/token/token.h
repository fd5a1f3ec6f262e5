/*-------------------------------------------------------------------------
 *
 * token.h
 *	  Access tokens.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_TOKEN_H
#define XERO_TOKEN_H

#include "compat.h"

#include "api/report/failure.h"
#include "api/shared/server.h"
#include "api/token/shared_tokens.h"

/* A call's interest in a token.  Zeroed before first use. */
typedef struct XeroTokenTicket
{
	struct XeroTokenEntry *entry;	/* waited for, or NULL */
	XeroTokenJobTicket job;		/* for a shared token that is waited for */
	uint64		serial;			/* which token was given, 0 if not cached */
	double		ends_at;		/* of that token, by xero_clock_ms() */
} XeroTokenTicket;

typedef enum XeroTokenAnswer
{
	XERO_TOKEN_READY,
	XERO_TOKEN_PENDING,			/* ask again when something has ended */
	XERO_TOKEN_FAILED
} XeroTokenAnswer;

/*
 * Get a token without waiting.  READY sets "token", a secret to be used at
 * once; FAILED sets "failure", made in CurrentMemoryContext; PENDING may lower
 * "resume_at" to a time (by xero_clock_ms) when asking again makes sense even
 * if nothing has ended.  Whoever got PENDING either asks again or leaves.
 */
extern XeroTokenAnswer xero_token_get(XeroTokenTicket *ticket,
									  const XeroServer *server,
									  const char **token,
									  XeroFailure **failure,
									  double *resume_at);

/* No longer interested.  Idempotent, never raises an error. */
extern void xero_token_leave(XeroTokenTicket *ticket);

/* Xero does not accept the token that this ticket was given. */
extern void xero_token_reject(const XeroTokenTicket *ticket,
							  const XeroServer *server);

/* Could another token be had by asking? */
extern bool xero_token_renewable(const XeroServer *server);

#endif							/* XERO_TOKEN_H */
