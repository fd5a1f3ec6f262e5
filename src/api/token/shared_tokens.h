/*-------------------------------------------------------------------------
 *
 * shared_tokens.h
 *	  The tokens that all backends share, and the jobs that get them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SHARED_TOKENS_H
#define XERO_SHARED_TOKENS_H

#include "compat.h"

#include "api/report/failure.h"
#include "api/shared/server.h"
#include "datatype/timestamp.h"
#include "storage/lwlock.h"

/* With the terminating zero byte.  Xero's have some 1,500 bytes. */
#define XERO_SHARED_TOKEN_SIZE 8192
#define XERO_TOKEN_JOB_ARGUMENT_SIZE 4096

/* A token is not used in its last minute. */
#define XERO_TOKEN_MARGIN_MS 60000

/* What a worker can be asked for. */
typedef enum XeroTokenJobKind
{
	XERO_TOKEN_JOB_RENEW,		/* a usable token, by an exchange if need be */
	XERO_TOKEN_JOB_REFRESH,		/* an exchange, and the organisations */
	XERO_TOKEN_JOB_AUTHORIZE,	/* exchange a code; argument: state, code */
	XERO_TOKEN_JOB_DISCONNECT,	/* revoke and forget */
	XERO_TOKEN_JOB_DISCONNECT_ONE	/* one organisation; argument: its id */
} XeroTokenJobKind;

/* A job as its worker gets it; the worker wipes the argument. */
typedef struct XeroTokenJobSpec
{
	uint64		number;
	XeroTokenJobKind kind;
	Oid			dbid;
	Oid			umid;
	Oid			roleid;			/* who asked */
	Oid			session_roleid;
	int			pid;
	char		application[NAMEDATALEN];
	uint64		credentials;	/* what the asker knew of the server */
	TimestampTz given_until;	/* end of the last token that was given out */
	char		argument[XERO_TOKEN_JOB_ARGUMENT_SIZE];
} XeroTokenJobSpec;

/* A token that was given out; the token itself is a secret. */
typedef struct XeroSharedToken
{
	uint64		serial;			/* of the whole cluster, never 0 */
	TimestampTz ends_at;
	char		token[XERO_SHARED_TOKEN_SIZE];
} XeroSharedToken;

/* A backend's wait for a job.  Zeroed before first use. */
typedef struct XeroTokenJobTicket
{
	uint64		job;			/* waited for, 0 if none */
	int			lost;			/* jobs that ended without a word */
} XeroTokenJobTicket;

typedef enum XeroSharedTokenAnswer
{
	XERO_SHARED_TOKEN_DONE,
	XERO_SHARED_TOKEN_WAIT,		/* ask again when the latch is set */
	XERO_SHARED_TOKEN_FAILED
} XeroSharedTokenAnswer;

/* In _PG_init. */
extern void xero_shared_tokens_init(void);

/* What a token depends on, as far as the server's options say it. */
extern uint64 xero_hash_credentials(const XeroServer *server);

/* ---- for those who want a token; none of these waits ---- */

/*
 * The token of this user mapping.  Where there is none, a worker is asked for
 * it; also, without anybody waiting, when the present one ends soon.  "failure"
 * is made in CurrentMemoryContext.
 */
extern XeroSharedTokenAnswer xero_shared_token_get(const XeroServer *server,
												   XeroTokenJobTicket *ticket,
												   XeroSharedToken *token,
												   XeroFailure **failure);

/* Xero does not accept the token of this number. */
extern void xero_shared_token_reject(const XeroServer *server, uint64 serial);

/* Those of a user mapping, or InvalidOid, of all of a database, are no more. */
extern void xero_shared_token_forget(Oid dbid, Oid umid);

/*
 * Have something else done.  Repeat it with the same ticket until it is done
 * or has failed.  The argument is copied.
 */
extern XeroSharedTokenAnswer xero_shared_token_run_job(const XeroServer *server,
													   XeroTokenJobKind kind,
													   const char *argument, size_t len,
													   XeroTokenJobTicket *ticket,
													   XeroFailure **failure);

/* ---- for the worker ---- */

/*
 * Take on the job; false if nobody waits for it any more.  From here on the
 * slot is released when this process ends, however it ends.
 */
extern bool xero_shared_token_take_job(int number, uint64 job, XeroTokenJobSpec *copy);

/* Everybody may use this token now. */
extern void xero_shared_token_publish(const char *token, TimestampTz begins_at,
									  TimestampTz ends_at);

/* There is no token any more. */
extern void xero_shared_token_wipe(void);

/*
 * The job has ended: well, or with a failure, which is what all get to hear
 * who ask for a token in the next "hold_ms" (-1: until something is done about
 * it).
 */
extern void xero_shared_token_finish_job(const XeroFailure *failure, int hold_ms);

#endif							/* XERO_SHARED_TOKENS_H */
