/*-------------------------------------------------------------------------
 *
 * http.h
 *	  HTTP transfers, several at once, none of them ever waited for blindly.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_HTTP_H
#define XERO_HTTP_H

#include "compat.h"

#include "datatype/timestamp.h"

/* How a transfer ended, apart from the status that an answer carries. */
typedef enum XeroTransport
{
	XERO_TRANSPORT_ANSWERED,	/* a whole answer arrived */
	XERO_TRANSPORT_NO_CONNECTION,	/* name, TCP or TLS failed; nothing sent */
	XERO_TRANSPORT_UNTRUSTED,	/* so too: the certificate was refused */
	XERO_TRANSPORT_UNSENDABLE,	/* so too: this URL or header is not allowed */
	XERO_TRANSPORT_UNMADE,		/* so too: there is no memory for the request */
	XERO_TRANSPORT_TIMED_OUT,	/* sent; no whole answer in time */
	XERO_TRANSPORT_LOST,		/* sent; the connection broke */
	XERO_TRANSPORT_TOO_LARGE,	/* the body passed the cap */
	XERO_TRANSPORT_NO_MEMORY	/* sent; there is none for the answer */
} XeroTransport;

typedef struct XeroHttpRequest
{
	const char *method;
	const char *url;
	const char *headers[8];		/* "Name: value"; ends at the first NULL */
	const char *body;			/* or NULL; must outlive the transfer */
	const char *user;			/* HTTP Basic, or NULL */
	const char *password;
	const char *ca_file;		/* or NULL */
	int			timeout;		/* ms for the whole transfer */
} XeroHttpRequest;

/*
 * Valid until the transfer is freed.  Numbers are -1, strings "" if absent;
 * headers are printable ASCII.
 */
typedef struct XeroHttpResult
{
	XeroTransport transport;
	int			status;			/* 0 if none was received */
	char	   *body;			/* decoded; NUL at body[len] */
	size_t		len;
	int64		bytes_in;		/* of the body as it was transmitted */
	double		elapsed_ms;
	char		content_type[64];
	char		correlation_id[64];
	char		authenticate[128];	/* WWW-Authenticate */
	char		problem[32];	/* X-Rate-Limit-Problem */
	int			retry_after;	/* seconds */
	int64		retry_at;		/* if it is a date: seconds since 1970 */
	int			minute_remaining;
	int			day_remaining;
	int			app_minute_remaining;
	int64		date;			/* seconds since 1970 */
	TimestampTz date_seen;		/* when that header came, by our clock */
	char		error[256];		/* the library's words, for an errdetail */
} XeroHttpResult;

typedef struct XeroHttp XeroHttp;

/*
 * Start a transfer.  The caller stores the pointer where a reset callback that
 * it registered before will xero_http_free() it.  Everything but "body" is
 * copied.  Raises an ERROR only before the transfer exists.
 */
extern XeroHttp *xero_http_send(const XeroHttpRequest *request);

/* NULL while under way. */
extern const XeroHttpResult *xero_http_result(const XeroHttp *http);

/*
 * Make a secret that was sent unreadable in what came back, where somebody has
 * repeated it: in the body and in headers that are shown.
 */
extern void xero_http_hide(XeroHttp *http, const char *secret);

/*
 * Drop the transfer, finished or not, and its body.  Never waits, never
 * raises; cuts the connection if the answer was still coming.
 */
extern void xero_http_free(XeroHttp *http);

/* Let them all proceed as far as they can without waiting; true if any could. */
extern bool xero_http_pump(void);

#endif							/* XERO_HTTP_H */
