/*-------------------------------------------------------------------------
 *
 * request_log.h
 *	  The most recent calls of all backends.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_REQUEST_LOG_H
#define XERO_REQUEST_LOG_H

#include "compat.h"

#include "api/http/http.h"
#include "api/shared/server.h"
#include "datatype/timestamp.h"

/* One attempt.  Strings are in the encoding of its database. */
typedef struct XeroLoggedRequest
{
	TimestampTz at;				/* when it was sent */
	int			pid;
	Oid			dbid;
	Oid			roleid;
	Oid			serverid;
	int			status;			/* 0: no answer */
	int			attempt;
	double		waited_ms;		/* before it was sent */
	double		elapsed_ms;
	int64		bytes_in;
	int64		bytes_out;
	char		method[8];
	char		tenant_id[40];
	char		path[256];		/* with the decoded query, cut */
	char		correlation_id[64];
	char		error[96];		/* "" if none */
	char		warning[160];	/* "" if none */
} XeroLoggedRequest;

/*
 * Fill in what is known before an attempt is sent: who, when, what.  "query"
 * is percent-encoded, or NULL.
 */
extern void xero_request_log_prepare(XeroLoggedRequest *entry,
									 const XeroServer *server,
									 const char *method, const char *path,
									 const char *query);

/* Put it into the log.  Never raises an error, so usable while cleaning up. */
extern void xero_request_log_add(const XeroLoggedRequest *request);

/* The same, with what the answer says of itself. */
extern void xero_request_log_answer(XeroLoggedRequest *entry,
									const XeroHttpResult *result);

/* The answer to this backend's last write had a warning. */
extern void xero_request_log_warn(const char *warning);

/* In _PG_init: defines xero_fdw.request_log_size. */
extern void xero_request_log_init(void);

/* Forget what is in it.  Raises an ERROR if there is no shared memory. */
extern void xero_request_log_clear(void);

#endif							/* XERO_REQUEST_LOG_H */
