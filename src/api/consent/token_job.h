/*-------------------------------------------------------------------------
 *
 * token_job.h
 *	  What the jobs that exchange tokens have in common.
 *
 * For consent.c and renew.c, in the background worker.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_TOKEN_JOB_H
#define XERO_TOKEN_JOB_H

#include "compat.h"

#include "api/audit/audit.h"
#include "api/consent/jwt.h"
#include "api/consent/store.h"
#include "api/token/identity.h"
#include "api/token/shared_tokens.h"

/* How long a failure is in force: until something is done about it. */
#define XERO_HOLD_FOR_EVER (-1)

/* One job.  Lives in the memory context of the job. */
typedef struct XeroTokenJob
{
	const XeroServer *server;
	XeroTokenJobSpec *spec;
	MemoryContext cxt;
	XeroFailure *failure;		/* how it went */
	int			hold_ms;
	XeroAuditMessage audit;		/* of what it does at Xero */
	bool		audited;		/* it is doing something there */
	bool		in_log;			/* the table has not all of that, the log has */
} XeroTokenJob;

/* Begin and end a transaction; what is allocated stays to the job's end. */
extern void xero_token_job_begin(XeroTokenJob *job);
extern void xero_token_job_commit(XeroTokenJob *job);

/*
 * Before something is stored: "server" has the name that it has now, if it got
 * another one since the job began, and keeps it until this transaction ends.
 */
extern void xero_token_job_hold_name(XeroTokenJob *job);

/*
 * Before something new is stored: is the user mapping still there?  Then it is
 * until this transaction ends; after that, what is stored goes with it.
 */
extern bool xero_token_job_hold_mapping(XeroTokenJob *job);

/* It did not go well; false, to be returned. */
extern bool xero_token_job_fail(XeroTokenJob *job, XeroFailure *failure, int hold_ms);

/*
 * The job is about to do something at Xero ("method" NULL: only here).  What
 * the audit tells of that is in this transaction, which is to be committed
 * before it is done.  If it cannot be stored in time, the server's log has it.
 */
extern void xero_token_job_audit(XeroTokenJob *job, XeroAuditEvent event,
								 const XeroServer *server, const char *method,
								 const char *path);

/* It has ended, by all that is known; that, too, is in this transaction. */
extern void xero_token_job_audited(XeroTokenJob *job);

/*
 * POST a form with the application's credentials, and wipe it; an answer, or a
 * refusal.  NULL if the job has failed.
 */
extern XeroIdentityRequest *xero_token_job_post(XeroTokenJob *job, const char *path,
												StringInfo form);

/*
 * Take the tokens out of an answer into the consent; without a new refresh
 * token the old one stays.  The id token, if there is one and it is wanted, is
 * palloc'ed.  False if the job has failed.
 */
extern bool xero_token_job_take_tokens(XeroTokenJob *job,
									   const XeroIdentityRequest *answer,
									   TimestampTz asked_at, XeroConsent *consent,
									   char **id_token);

/*
 * Ask Xero what the consent reaches, and store it.  What it does not reach any
 * more is kept as lost, unless a person has just seen to it.  Needs a
 * transaction.
 */
extern void xero_token_job_organisations(XeroTokenJob *job,
										 const XeroConsent *consent,
										 bool accept_losses);

/*
 * The stored consent with a usable access token, given out to all; "forced" by
 * an exchange in any case.  False if the job has failed.  In renew.c.
 */
extern bool xero_token_job_renew(XeroTokenJob *job, bool forced,
								 XeroConsent **consent);

/* There is no consent that could be used. */
extern XeroFailure *xero_no_consent(const XeroServer *server);

/* The "access" or "id" token is not what it should be. */
extern XeroFailure *xero_unverified(const XeroServer *server,
									const char *which, XeroJwtResult result);

/* Overwrite a string; NULL is none. */
extern void xero_wipe(char *secret);

/* Overwrite the tokens of a consent. */
extern void xero_wipe_tokens(XeroConsent *consent);

#endif							/* XERO_TOKEN_JOB_H */
