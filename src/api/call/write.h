/*-------------------------------------------------------------------------
 *
 * write.h
 *	  One request that writes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_WRITE_H
#define XERO_WRITE_H

#include "compat.h"

#include "api/call/call.h"

/* Xero takes keys of so many characters. */
#define XERO_MAX_KEY 128

typedef struct XeroWriteSpec
{
	const char *method;			/* PUT, POST or DELETE */
	const char *path;
	const char *query;			/* percent-encoded, "" if none */
	const char *body;			/* UTF-8, or NULL */
	const char *subject;		/* what is written, for errors */
	List	   *record_keys;	/* and for the audit: char *, NULL for new
								 * ones */
	const char *key;			/* idempotency key; NULL: a fresh one */
	double		key_age;		/* ms since this request was first sent with
								 * that key, -1 if it never was */
	bool		missing_ok;		/* 404 is an answer */
	bool		failure_ok;		/* 5xx is an answer, too */
	XeroCallStats *stats;
} XeroWriteSpec;

/* In _PG_init: defines xero_fdw.dry_run and xero_fdw.allow_backorders. */
extern void xero_write_init(void);

/* Are requests shown instead of sent? */
extern bool xero_write_is_dry_run(void);

/* May invoices sell more of a tracked item than is available? */
extern bool xero_write_allows_backorders(void);

/* Show what would be sent. */
extern void xero_write_show(const XeroWriteSpec *spec);

/*
 * Send it and wait for the answer: one with success, with status 400, or with
 * 404 or 5xx if that is an answer.  All else is an ERROR.  The answer lives in "mcxt".
 * Call xero_write_forget() when it has been understood.
 */
extern const XeroResponse *xero_write_send(MemoryContext mcxt,
										   const XeroServer *server,
										   const XeroWriteSpec *spec);

/*
 * A write of this transaction that may have been carried out, while its answer
 * did not come or was not understood; "" if there is none.
 */
extern const char *xero_write_doubtful(void);

/* What became of it is known, or the transaction is at its end. */
extern void xero_write_forget(void);

#endif							/* XERO_WRITE_H */
