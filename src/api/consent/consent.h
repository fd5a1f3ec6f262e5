/*-------------------------------------------------------------------------
 *
 * consent.h
 *	  The jobs that only one process at a time may do: exchanging codes and
 *	  refresh tokens, and ending consents and connections.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_CONSENT_H
#define XERO_CONSENT_H

#include "compat.h"

#include "api/shared/server.h"
#include "api/token/shared_tokens.h"

/* A consent must cover this to last, and to say who gave it. */
#define XERO_CONSENT_SCOPES "openid profile email offline_access"

/*
 * Do the job that was taken on, in transactions of its own, and tell those who
 * wait how it went.  The server may be NULL: it is not there any more.  The
 * caller is a process without a transaction; its memory context lives until
 * the end of the job.
 */
extern void xero_run_token_job(const XeroServer *server, XeroTokenJobSpec *spec);

#endif							/* XERO_CONSENT_H */
