/*-------------------------------------------------------------------------
 *
 * failure.c
 *	  What went wrong, in words and an SQLSTATE.
 *
 * Failures are made when an answer is judged, which may be while the backend
 * waits for another call, and raised when somebody wants that answer.
 *
 * The words of Xero and of the HTTP library are foreign text: cleaned, cut,
 * and only ever in a detail.  No query string and no secret is in any of them.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <limits.h>
#include <math.h>

#include "api/budget/statement_limits.h"
#include "api/http/eventloop.h"
#include "api/report/failure.h"
#include "base/text.h"
#include "catalog/namespace.h"
#include "catalog/scopes.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* So much of a foreign text is shown. */
#define MAX_FOREIGN 500

/* Into the database's encoding; what has no place there becomes "?". */
static char *
convert_text(char *text, int len)
{
	int			encoding = GetDatabaseEncoding();
	Oid			proc;
	int			size = len * MAX_CONVERSION_GROWTH + 1;
	char	   *converted;

	if (pg_verify_mbstr_len(PG_UTF8, text, len, true) < 0)
		encoding = PG_SQL_ASCII;
	else if (encoding == PG_UTF8)
		return text;

	proc = encoding == PG_SQL_ASCII ? InvalidOid :
		FindDefaultConversionProc(PG_UTF8, encoding);
	if (OidIsValid(proc))
	{
		converted = palloc(size);
		if (pg_do_encoding_conversion_buf(proc, PG_UTF8, encoding,
										  (unsigned char *) text, len,
										  (unsigned char *) converted, size,
										  true) == len)
			return converted;
		pfree(converted);
	}
	for (int i = 0; i < len; i++)
	{
		if (IS_HIGHBIT_SET(text[i]))
			text[i] = '?';
	}
	return text;
}

char *
xero_clean_text(const char *text, size_t len, size_t cap)
{
	char	   *clean = palloc(cap + 1);
	int			n = 0;

	/* a character cut short at the end counts in full there */
	len = Min(len, pg_encoding_mbcliplen(PG_UTF8, text, Min(len, INT_MAX),
										 cap));
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = text[i];

		if (c < ' ' || c == 0x7f)
			c = ' ';
		if (c == ' ' && (n == 0 || clean[n - 1] == ' '))
			continue;
		clean[n++] = c;
	}
	while (n > 0 && clean[n - 1] == ' ')
		n--;
	clean[n] = '\0';
	return convert_text(clean, n);
}

XeroFailure *
xero_failure(int sqlerrcode, const char *message, const char *detail,
			 const char *hint)
{
	XeroFailure *failure = palloc0(sizeof(XeroFailure));

	failure->sqlerrcode = sqlerrcode;
	failure->message = message;
	failure->detail = detail;
	failure->hint = hint;
	return failure;
}

XeroFailure *
xero_copy_failure(const XeroFailure *failure)
{
	return xero_failure(failure->sqlerrcode, pstrdup(failure->message),
						xero_copy_text(failure->detail),
						xero_copy_text(failure->hint));
}

void
xero_failure_raise(const XeroFailure *failure)
{
	/* a cancelled statement says so, not that its connection was lost */
	CHECK_FOR_INTERRUPTS();
	ereport(ERROR,
			(errcode(failure->sqlerrcode),
			 errmsg_internal("%s", failure->message),
			 failure->detail ? errdetail_internal("%s", failure->detail) : 0,
			 failure->hint ? errhint("%s", failure->hint) : 0));
}

char *
xero_describe_answer(const XeroHttpResult *result)
{
	if (result->correlation_id[0] == '\0')
		return psprintf("HTTP status %d", result->status);
	return psprintf("HTTP status %d, correlation id %s", result->status,
					result->correlation_id);
}

/* The library's words about a transfer that brought no answer. */
static char *
transport_detail(const XeroFailureFacts *facts)
{
	const char *error = facts->result->error;

	if (facts->situation == XERO_TIMED_OUT)
		return psprintf("%s %s had no whole answer after %d ms.",
						facts->method, facts->path,
						facts->server->request_timeout);
	return psprintf("%s %s: %s.", facts->method, facts->path,
					xero_clean_text(error, strlen(error), MAX_FOREIGN));
}

/* Xero's words, status and correlation id. */
static char *
answer_detail(const XeroFailureFacts *facts)
{
	const XeroErrorDocument *document = facts->document;
	char	   *answer = xero_describe_answer(facts->result);
	const char *words = "";

	if (document != NULL)
		words = xero_clean_text(document->message, strlen(document->message),
								MAX_FOREIGN);
	if (words[0] == '\0')
		return psprintf("%s %s: %s.", facts->method, facts->path, answer);
	if (document->type[0] != '\0')
		words = psprintf("%s: %s",
						 xero_clean_text(document->type,
										 strlen(document->type), MAX_FOREIGN),
						 words);
	return psprintf("%s %s: %s, \"%s\".", facts->method, facts->path, answer,
					words);
}

/* Which limit it is; "%s" is the server's name. */
static const char *
wait_message(const XeroWait *wait)
{
	switch (wait->blocked_by)
	{
		case XERO_BLOCKED_BY_MINUTE:
			return "Xero's limit of calls a minute is used up for server \"%s\"";
		case XERO_BLOCKED_BY_APP:
			return "Xero's limit of calls a minute for the whole application is used up for server \"%s\"";
		case XERO_BLOCKED_BY_DAY:
			return wait->ordered ?
				"Xero's daily limit of calls is used up for server \"%s\"" :
				"daily limit of calls that server \"%s\" sets itself is used up";
		case XERO_BLOCKED_BY_RESERVE:
			return "what is left of Xero's daily limit of calls is reserved for interactive work on server \"%s\"";
		case XERO_BLOCKED_BY_ROOM:
			return "too many organisations of Xero are in use at once for server \"%s\"";
		default:
			return "too many calls to Xero at once for server \"%s\"";
	}
}

static const char *
wait_hint(const XeroWait *wait)
{
	switch (wait->blocked_by)
	{
		case XERO_BLOCKED_BY_DAY:
			if (!wait->ordered)
				return "See the server option \"day_limit\".";
			return "Other programs that use the same application draw on the same limit; the view xero_fdw.budget shows our share.";
		case XERO_BLOCKED_BY_RESERVE:
			return "See the server option \"reserve\", or set xero_fdw.priority to interactive.";
		case XERO_BLOCKED_BY_ROOM:
			return "Raise xero_fdw.max_tenants and restart the server, or raise xero_fdw.max_wait.";
		default:
			return "Try again later, or raise xero_fdw.max_wait.";
	}
}

const char *
xero_spender_hint(const char *hint)
{
	const XeroSpender *spender = xero_statement_spender();

	if (spender == NULL)
		return hint;
	return psprintf("%s Foreign table \"%s\" has taken %d of the %d calls so far (%s).",
					hint, spender->table, spender->calls,
					xero_statement_calls(), spender->request);
}

XeroFailure *
xero_failure_of_wait(const XeroServer *server, const XeroWait *wait)
{
	double		rest = wait->provable - xero_clock_ms();
	const char *detail;

	if (rest <= 0)
		detail = psprintf("The statement has waited for as long as xero_fdw.max_wait (%d ms) allows.",
						  xero_statement_max_wait());
	else
		detail = psprintf("It opens again %s %s, in %.0f seconds; xero_fdw.max_wait is %d ms for the whole statement.",
						  wait->at_latest ? "by" : "at",
						  timestamptz_to_str(TimestampTzPlusMilliseconds(GetCurrentTimestamp(), (int64) rest)),
						  ceil(rest / 1000), xero_statement_max_wait());
	return xero_failure(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
						psprintf(wait_message(wait), server->name),
						detail, xero_spender_hint(wait_hint(wait)));
}

static XeroFailure *
limit_failure(const XeroFailureFacts *facts)
{
	XeroWait	wait = {0};

	wait.blocked_by = xero_limit_of(facts->situation);
	wait.provable = xero_clock_ms() + facts->decision.delay_ms;
	wait.ordered = true;
	return xero_failure_of_wait(facts->server, &wait);
}

const char *
xero_authorize_hint(const XeroServer *server)
{
	return psprintf("Authorize it: SELECT xero_fdw.authorize_url(%s);",
					quote_literal_cstr(server->name));
}

static XeroFailure *
token_failure(const XeroFailureFacts *facts)
{
	const char *hint;

	if (facts->server->access_token != NULL)
		hint = "Set a new access_token in the user mapping.";
	else if (facts->server->grant_type == XERO_GRANT_CLIENT_CREDENTIALS)
		hint = "Check client_id, client_secret and scopes.";
	else
		hint = xero_authorize_hint(facts->server);
	return xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
						psprintf(facts->situation == XERO_TOKEN_EXPIRED ?
								 "the access token of server \"%s\" has expired" :
								 "Xero rejected the access token of server \"%s\"",
								 facts->server->name),
						answer_detail(facts), hint);
}

const char *
xero_scopes_hint(const XeroServer *server)
{
	StringInfoData hint;

	if (server->scopes == NULL)
		return "The application may not ask for all of these scopes. Set the server option \"scopes\" to those that it has.";
	initStringInfo(&hint);
	for (const char *p = server->scopes; *p != '\0';)
	{
		size_t		len = strcspn(p, " ");
		const XeroClosedScope *closed = xero_closed_scope(p, len);

		if (closed != NULL)
		{
			appendStringInfo(&hint, "%s %.*s: %s",
							 hint.len == 0 ? "The server option \"scopes\" names" : " It names",
							 (int) len, p, closed->grantees);
			if (closed->instead != NULL)
				appendStringInfo(&hint, " %s", closed->instead);
		}
		p += len;
		p += strspn(p, " ");
	}
	if (hint.len == 0)
		return "The server option \"scopes\" names a scope that the application does not have, or that does not exist.";
	return hint.data;
}

/* How the server gets a token with the scope, which may be a closed one. */
static const char *
scope_hint(const XeroServer *server, const XeroClosedScope *closed)
{
	const char *way;

	if (server->access_token != NULL)
		way = "Set an access_token that has the scope in the user mapping.";
	else if (server->grant_type == XERO_GRANT_CLIENT_CREDENTIALS)
		way = server->scopes == NULL ?
			"Grant the scope to the custom connection at developer.xero.com." :
			"Grant the scope to the custom connection at developer.xero.com, and add it to the server option \"scopes\".";
	else if (server->scopes != NULL)
		way = psprintf("Add the scope to the server option \"scopes\". %s",
					   xero_authorize_hint(server));
	else if (closed != NULL)
		way = psprintf("Set the server option \"scopes\" to this scope and all others that are needed. %s",
					   xero_authorize_hint(server));
	else
		way = psprintf("A consent is for the tables that there are when it is given. %s",
					   xero_authorize_hint(server));
	if (closed == NULL || closed->instead == NULL)
		return way;
	return psprintf("%s If the application has the scope: %s",
					closed->instead, way);
}

/* Which scope it is, who can have it, and what Xero says. */
static XeroFailure *
scope_failure(const XeroFailureFacts *facts)
{
	const char *authenticate = facts->result->authenticate;
	const char *scope = xero_path_scope(facts->path,
										strcmp(facts->method, "GET") != 0);
	const XeroClosedScope *closed = scope == NULL ? NULL :
	xero_closed_scope(scope, strlen(scope));
	char	   *detail = answer_detail(facts);

	if (closed != NULL)
		detail = psprintf("The scope is %s. %s %s", scope, closed->grantees,
						  detail);
	else if (scope != NULL)
		detail = psprintf("The scope is %s. %s", scope, detail);
	if (authenticate[0] != '\0')
		detail = psprintf("%s (WWW-Authenticate: %s)", detail, authenticate);
	return xero_failure(ERRCODE_INSUFFICIENT_PRIVILEGE,
						psprintf("the access token of server \"%s\" lacks the scope for \"%s\"",
								 facts->server->name, facts->path),
						detail, scope_hint(facts->server, closed));
}

static XeroFailure *
permission_failure(const XeroFailureFacts *facts)
{
	const XeroServer *server = facts->server;
	const char *hint = "Check that tenant_id is an organisation that is connected to the application, and that its user may do this.";
	char	   *message;

	if (server->tenant_name != NULL)
	{
		message = psprintf("Xero denied server \"%s\" access to organisation \"%s\" (%s)",
						   server->name, server->tenant_name, server->tenant_id);
		hint = "It was connected when this session asked. Since then its connection may have been ended, its user removed or given another role, its trial be over, or its demo company reset. Connect it again, or leave it out by a condition on tenant_id.";
	}
	else if (server->tenant_id != NULL)
		message = psprintf("Xero denied server \"%s\" access to organisation %s",
						   server->name, server->tenant_id);
	else
		message = psprintf("Xero denied server \"%s\" access without a tenant_id",
						   server->name);
	return xero_failure(ERRCODE_INSUFFICIENT_PRIVILEGE, message,
						answer_detail(facts), hint);
}

/* HTML with status 403 is not from the API, so it says nothing of rights. */
static XeroFailure *
gateway_failure(const XeroFailureFacts *facts)
{
	return xero_failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						psprintf("a gateway in front of Xero refused a request of server \"%s\"",
								 facts->server->name),
						answer_detail(facts),
						"Xero's gateway answers so if TLS is older than 1.2, or the address is blocked; a proxy on the way may answer so, too.");
}

static XeroFailure *
transport_failure(const XeroFailureFacts *facts)
{
	const char *name = facts->server->name;

	switch (facts->situation)
	{
		case XERO_NO_CONNECTION:
			return xero_failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
								psprintf("could not connect to Xero for server \"%s\"",
										 name),
								transport_detail(facts), NULL);
		case XERO_UNTRUSTED:
			return xero_failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
								psprintf("certificate of the host of server \"%s\" is not trusted",
										 name),
								transport_detail(facts),
								"The server option \"ca_file\" names the certificates to trust.");
		case XERO_UNSENDABLE:
			return xero_failure(ERRCODE_INVALID_PARAMETER_VALUE,
								psprintf("cannot send a request to the host of server \"%s\"",
										 name),
								transport_detail(facts),
								"URLs must begin with https://, except on this machine, and no option may contain a line break.");
		case XERO_TIMED_OUT:
			return xero_failure(ERRCODE_CONNECTION_FAILURE,
								psprintf("Xero did not answer in time for server \"%s\"",
										 name),
								transport_detail(facts),
								"The server option \"request_timeout\" sets the time.");
		case XERO_TOO_LARGE:
			return xero_failure(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION,
								psprintf("Xero's answer for server \"%s\" is too large",
										 name),
								answer_detail(facts), NULL);
		case XERO_UNMADE:
			return xero_failure(ERRCODE_OUT_OF_MEMORY, "out of memory",
								"Could not make a request.", NULL);
		case XERO_NO_MEMORY:
			return xero_failure(ERRCODE_OUT_OF_MEMORY, "out of memory",
								"Could not hold the answer to a request.",
								NULL);
		default:
			return xero_failure(ERRCODE_CONNECTION_FAILURE,
								psprintf("connection to Xero was lost for server \"%s\"",
										 name),
								transport_detail(facts), NULL);
	}
}

/*
 * "last" is why it could not be found out; NULL if the time for asking again is
 * over.
 */
XeroFailure *
xero_failure_of_doubt(const XeroDoubt *doubt, const XeroFailure *last)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfo(&detail, "%s %s", doubt->method, doubt->path);
	if (doubt->subject != NULL)
		appendStringInfo(&detail, " (%s)", doubt->subject);
	if (doubt->idempotency_key != NULL)
		appendStringInfo(&detail, " with idempotency key %s",
						 doubt->idempotency_key);
	appendStringInfo(&detail, " was sent, but %s.",
					 last ? last->message :
					 "the time in which it can be repeated safely is over");
	if (last && last->detail)
		appendStringInfo(&detail, " %s", last->detail);
	return xero_failure(ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN,
						psprintf("outcome of a write to Xero is unknown for server \"%s\"",
								 doubt->server->name),
						detail.data,
						"Look in Xero whether it was carried out before you run the statement again; the view xero_fdw.requests shows the attempts.");
}

/* Do Xero's words contain these, in whatever case? */
static bool
says(const XeroFailureFacts *facts, const char *words)
{
	return facts->document != NULL &&
		xero_contains(facts->document->message, words);
}

/* Xero is not there: since when, nobody knows; how long, sometimes. */
static const char *
offline_hint(const XeroFailureFacts *facts)
{
	const char *what = "See https://status.xero.com.";

	if (says(facts, "organisation is offline"))
		what = "Xero takes an organisation offline for some minutes: try again in five.";
	else if (facts->filtered && facts->situation == XERO_GATEWAY)
		what = "See https://status.xero.com; a filter that takes Xero too long may be the cause, too.";
	if (!facts->decision.bounded)
		return what;
	if (facts->decision.ordered)
		return psprintf("%s Xero asks for a pause of %d seconds; xero_fdw.max_wait is %d ms for the whole statement.",
						what, facts->result->retry_after,
						xero_statement_max_wait());
	return psprintf("%s The statement asked again for as long as xero_fdw.max_wait (%d ms) allows.",
					what, xero_statement_max_wait());
}

/* What can be done about a request that is refused as it is. */
static const char *
refusal_hint(const XeroFailureFacts *facts)
{
	/*
	 * "Your request is not filtering ... efficiently, given the extremely
	 * high volume for this organisation" (docs: from 100,000 records on)
	 */
	if (says(facts, "high volume"))
		return "Where an organisation has so many records, filter and order by columns whose pushdown is \"optimised\" in the view xero_fdw.columns.";
	return NULL;
}

/* Everything that is HV00L. */
static XeroFailure *
answer_failure(const XeroFailureFacts *facts)
{
	const char *name = facts->server->name;
	const char *message;
	const char *hint = NULL;
	char	   *detail = answer_detail(facts);

	switch (facts->situation)
	{
		case XERO_MISSING:
			message = psprintf("Xero has nothing at \"%s\"", facts->path);
			if (facts->query != NULL && facts->query[0] != '\0')
			{
				detail = psprintf("%s The query had %d bytes.", detail,
								  (int) strlen(facts->query));
				hint = "Xero also answers 404 when a query is longer than about 2,000 bytes.";
			}
			break;
		case XERO_BAD_REQUEST:
			message = psprintf("Xero refused a request of server \"%s\"", name);
			hint = refusal_hint(facts);
			break;
		case XERO_BROKEN:
			message = psprintf("Xero failed to carry out a request of server \"%s\"",
							   name);
			if (facts->filtered)
				hint = "A filter may be the cause: Xero fails on some conditions over fields that are empty in a record.";
			break;
		case XERO_OFFLINE:
		case XERO_GATEWAY:
			message = psprintf("Xero is not available for server \"%s\"", name);
			hint = offline_hint(facts);
			break;
		case XERO_GARBLED:
			message = psprintf("Xero's answer for server \"%s\" is not JSON",
							   name);
			break;
		default:
			message = psprintf("unexpected answer from Xero for server \"%s\"",
							   name);
			break;
	}
	return xero_failure(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION, message,
						detail, hint);
}

XeroFailure *
xero_failure_of_attempt(const XeroFailureFacts *facts)
{
	switch (facts->situation)
	{
		case XERO_LIMIT_MINUTE:
		case XERO_LIMIT_DAY:
		case XERO_LIMIT_APP:
		case XERO_LIMIT_CONCURRENT:
			return limit_failure(facts);
		case XERO_TOKEN_EXPIRED:
		case XERO_TOKEN_REJECTED:
			return token_failure(facts);
		case XERO_NO_SCOPE:
			return scope_failure(facts);
		case XERO_NO_ACCESS:
			return permission_failure(facts);
		case XERO_BLOCKED:
			return gateway_failure(facts);
		case XERO_NO_CONNECTION:
		case XERO_UNTRUSTED:
		case XERO_UNSENDABLE:
		case XERO_UNMADE:
		case XERO_NO_MEMORY:
		case XERO_TIMED_OUT:
		case XERO_LOST:
		case XERO_TOO_LARGE:
			return transport_failure(facts);
		default:
			return answer_failure(facts);
	}
}
