/*-------------------------------------------------------------------------
 *
 * write.c
 *	  One request that writes.
 *
 * Every PUT and POST carries an idempotency key of its own, which all its
 * attempts share; src/api/call/call.c repeats it only while Xero honours the key.
 * A request that may have been carried out is remembered until somebody has
 * made sense of its answer, so that whoever ends the transaction can tell about
 * it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/call/write.h"
#include "base/random.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/guc.h"

/* So much of a request's body is shown. */
#define MAX_SHOWN 10000

#define KEY_BYTES 16

static bool dry_run = false;
static bool allow_backorders = false;
static char doubtful[512] = ""; /* a request, for people */

/* The request that is waited for. */
static const XeroCall *under_way = NULL;
static char under_way_name[sizeof(doubtful)];

void
xero_write_init(void)
{
	DefineCustomBoolVariable("xero_fdw.dry_run",
							 "Shows requests that would write to Xero instead of sending them.",
							 "Rows count as written; what Xero would say to them is not known.",
							 &dry_run, false,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("xero_fdw.allow_backorders",
							 "Lets invoices sell more of a tracked item than is available.",
							 "Xero refuses such an invoice otherwise.",
							 &allow_backorders, false,
							 PGC_USERSET, 0, NULL, NULL, NULL);
}

bool
xero_write_is_dry_run(void)
{
	return dry_run;
}

bool
xero_write_allows_backorders(void)
{
	return allow_backorders;
}

void
xero_write_show(const XeroWriteSpec *spec)
{
	const char *query = spec->query[0] == '\0' ? "" : psprintf("?%s", spec->query);
	const char *body = NULL;

	if (spec->body != NULL)
	{
		char	   *text = pg_any_to_server(spec->body, strlen(spec->body),
											PG_UTF8);
		int			len = strlen(text);

		body = len <= MAX_SHOWN ? text :
			psprintf("%s ... (%d bytes)",
					 pnstrdup(text, pg_mbcliplen(text, len, MAX_SHOWN)), len);
	}
	ereport(NOTICE,
			(errmsg("would send %s %s%s", spec->method, spec->path, query),
			 body ? errdetail_internal("%s", body) : 0));
}

/* A random uuid as text. */
static void
make_key(char *key)
{
	unsigned char bytes[KEY_BYTES];

	xero_random_bytes(bytes, sizeof(bytes));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;	/* version 4 */
	bytes[8] = (bytes[8] & 0x3f) | 0x80;	/* variant of RFC 4122 */
	for (int i = 0; i < KEY_BYTES; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*key++ = '-';
		sprintf(key, "%02x", bytes[i]);
		key += 2;
	}
}

static void
begin_wait(const XeroCall *call, const XeroCallSpec *spec)
{
	snprintf(under_way_name, sizeof(under_way_name), "%s %s%s%s",
			 spec->method, spec->path,
			 spec->idempotency_key ? " with idempotency key " : "",
			 spec->idempotency_key ? spec->idempotency_key : "");
	under_way = call;
}

/* The request may have been carried out. */
static void
note_doubt(void)
{
	strlcpy(doubtful, under_way_name, sizeof(doubtful));
}

/* The waiting is over, without an answer. */
static void
give_up_wait(void)
{
	if (under_way != NULL && xero_call_in_doubt(under_way))
		note_doubt();
	under_way = NULL;
}

/*
 * The session ends while it waits (FATAL): no PG_CATCH sees that, and the call
 * may go before the transaction's callbacks are called.
 */
static void
note_dropped(const XeroCall *call)
{
	if (call == under_way)
		give_up_wait();
}

const XeroResponse *
xero_write_send(MemoryContext mcxt, const XeroServer *server,
				const XeroWriteSpec *spec)
{
	bool		is_delete = strcmp(spec->method, "DELETE") == 0;
	XeroCallSpec call_spec = {0};
	char		key[XERO_MAX_KEY + 1];
	XeroCall   *call;
	const XeroResponse *response = NULL;

	if (spec->key != NULL)
		strlcpy(key, spec->key, sizeof(key));
	else
		make_key(key);
	call_spec.method = spec->method;
	call_spec.path = spec->path;
	call_spec.query = spec->query;
	call_spec.body = spec->body;
	call_spec.missing_ok = spec->missing_ok;
	call_spec.refusal_ok = true;
	call_spec.failure_ok = spec->failure_ok;
	call_spec.idempotency_key = is_delete ? NULL : key;
	call_spec.sent_before = spec->key != NULL && spec->key_age >= 0;
	call_spec.sent_ago = spec->key_age;
	call_spec.subject = spec->subject;
	call_spec.record_keys = spec->record_keys;
	call_spec.stats = spec->stats;
	call_spec.dropped = note_dropped;

	call = xero_call_begin(mcxt, server, &call_spec);
	begin_wait(call, &call_spec);
	PG_TRY();
	{
		response = xero_call_finish(call);
	}
	PG_CATCH();
	{
		give_up_wait();
		PG_RE_THROW();
	}
	PG_END_TRY();
	under_way = NULL;
	if (response->status < 300)
		note_doubt();
	return response;
}

const char *
xero_write_doubtful(void)
{
	give_up_wait();
	return doubtful;
}

void
xero_write_forget(void)
{
	doubtful[0] = '\0';
}
