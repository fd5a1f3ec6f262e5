/*-------------------------------------------------------------------------
 *
 * token.c
 *	  Access tokens: the one place that asks Xero for them.
 *
 * An access_token of the user mapping is used as it is.  With the client
 * credentials grant a token is fetched when it is first needed and kept in
 * this backend, by user mapping and credentials, until a minute before its
 * end.  With a person's consent it is one that all backends share
 * (shared_tokens.c).
 *
 * An entry is one token, from the first attempt to fetch it to its end.  Calls
 * that need it wait for the same fetch; when the last of them leaves before it
 * is there, the fetch is abandoned.  An entry lives in its own context under
 * TopMemoryContext; a discarded one goes as soon as nobody waits for it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/statement_limits.h"
#include "api/http/eventloop.h"
#include "api/report/request_log.h"
#include "api/token/identity.h"
#include "api/token/token.h"
#include "base/text.h"
#include "base/urlencode.h"
#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "utils/inval.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

typedef enum EntryState
{
	ENTRY_FETCHING,
	ENTRY_VALID,
	ENTRY_FAILED
} EntryState;

typedef struct XeroTokenEntry
{
	dlist_node	node;
	MemoryContext cxt;			/* this entry and all it points to */
	uint64		serial;
	Oid			umid;
	uint64		credentials;	/* hash of what the token depends on */
	uint32		um_hash;		/* of the system caches */
	uint32		server_hash;
	bool		discarded;
	int			waiters;

	EntryState	state;
	XeroIdentityRequest *request;	/* FETCHING */
	XeroFailure *failure;		/* FAILED */
	char	   *token;			/* VALID; secret */
	double		usable_until;
	double		ends_at;
} XeroTokenEntry;

static dlist_head entries = DLIST_STATIC_INIT(entries);

/* Those who wait for a shared token look at it at least this often, in ms. */
#define LOOK_AGAIN 1000.0

bool
xero_token_renewable(const XeroServer *server)
{
	return server->access_token == NULL;
}

/* Nobody waits for it. */
static void
drop_entry(XeroTokenEntry *entry)
{
	Assert(entry->waiters == 0);
	dlist_delete(&entry->node);
	if (entry->token != NULL)
		explicit_bzero(entry->token, strlen(entry->token));
	MemoryContextDelete(entry->cxt);
}

/* Never use it again. */
static void
discard_entry(XeroTokenEntry *entry)
{
	entry->discarded = true;
	if (entry->waiters == 0)
		drop_entry(entry);
}

/* A user mapping or a server has changed; hash 0 means any. */
static void
catalog_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &entries)
	{
		XeroTokenEntry *entry = dlist_container(XeroTokenEntry, node,
												iter.cur);

		if (hashvalue == 0 ||
			hashvalue == (cacheid == USERMAPPINGOID ? entry->um_hash :
						  entry->server_hash))
			entry->discarded = true;
	}
}

static void
begin_fetch(XeroTokenEntry *entry, const XeroServer *server)
{
	StringInfoData form;

	initStringInfo(&form);
	xero_append_parameter(&form, "grant_type", "client_credentials");
	if (server->scopes != NULL)
		xero_append_parameter(&form, "scope", server->scopes);
	entry->request = xero_identity_begin(entry->cxt, XERO_TOKEN_PATH,
										 form.data, XERO_IDENTITY_TOKEN);
	entry->state = ENTRY_FETCHING;
	pfree(form.data);
}

static XeroTokenEntry *
make_entry(const XeroServer *server, uint64 credentials)
{
	static bool registered = false;
	static uint64 last_serial = 0;
	MemoryContext cxt;
	XeroTokenEntry *entry;

	if (!registered)
	{
		CacheRegisterSyscacheCallback(USERMAPPINGOID, catalog_changed,
									  (Datum) 0);
		CacheRegisterSyscacheCallback(FOREIGNSERVEROID, catalog_changed,
									  (Datum) 0);
		registered = true;
	}

	cxt = AllocSetContextCreate(CurrentMemoryContext, "Xero token",
								ALLOCSET_SMALL_SIZES);
	entry = MemoryContextAllocZero(cxt, sizeof(XeroTokenEntry));
	entry->cxt = cxt;
	entry->serial = ++last_serial;
	entry->umid = server->umid;
	entry->credentials = credentials;
	entry->um_hash = GetSysCacheHashValue1(USERMAPPINGOID,
										   ObjectIdGetDatum(server->umid));
	entry->server_hash = GetSysCacheHashValue1(FOREIGNSERVEROID,
											   ObjectIdGetDatum(server->serverid));
	begin_fetch(entry, server);
	MemoryContextSetParent(cxt, TopMemoryContext);
	dlist_push_tail(&entries, &entry->node);
	return entry;
}

/* The usable entry for these credentials, new if need be. */
static XeroTokenEntry *
find_entry(const XeroServer *server)
{
	uint64		credentials = server->credentials;
	double		now = xero_clock_ms();
	XeroTokenEntry *found = NULL;
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &entries)
	{
		XeroTokenEntry *entry = dlist_container(XeroTokenEntry, node,
												iter.cur);

		if (entry->state == ENTRY_VALID && now >= entry->usable_until)
			entry->discarded = true;
		if (entry->discarded)
		{
			if (entry->waiters == 0)
				drop_entry(entry);
		}
		else if (entry->umid == server->umid &&
				 entry->credentials == credentials)
			found = entry;
	}
	return found != NULL ? found : make_entry(server, credentials);
}

void
xero_token_leave(XeroTokenTicket *ticket)
{
	XeroTokenEntry *entry = ticket->entry;

	memset(&ticket->job, 0, sizeof(ticket->job));
	if (entry == NULL)
		return;
	ticket->entry = NULL;
	entry->waiters--;
	if (entry->waiters == 0 &&
		(entry->state != ENTRY_VALID || entry->discarded))
		drop_entry(entry);
}

void
xero_token_reject(const XeroTokenTicket *ticket, const XeroServer *server)
{
	dlist_mutable_iter iter;

	if (server->access_token != NULL)
		return;
	if (xero_needs_consent(server))
	{
		xero_shared_token_reject(server, ticket->serial);
		return;
	}
	dlist_foreach_modify(iter, &entries)
	{
		XeroTokenEntry *entry = dlist_container(XeroTokenEntry, node,
												iter.cur);

		if (entry->serial == ticket->serial)
			discard_entry(entry);
	}
}

/* The identity server does not want to give a token. */
static XeroFailure *
refusal(const XeroServer *server, const XeroIdentityRequest *request)
{
	bool		scopes = server->scopes != NULL &&
	strcmp(xero_identity_word(request), "invalid_scope") == 0;

	return xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
						psprintf("Xero refused an access token to server \"%s\"",
								 server->name),
						xero_describe_refusal(request->result),
						scopes ? xero_scopes_hint(server) :
						"Check client_id, client_secret and scopes.");
}

/* Take the token out of the answer; false if there is none. */
static bool
accept_token(XeroTokenEntry *entry, const XeroHttpResult *result)
{
	XeroTokenDocument *document = palloc(sizeof(XeroTokenDocument));
	double		lifetime;

	if (xero_parse_token(result->body, result->len, document) &&
		xero_is_graphic(document->access_token) && document->expires_in > 0)
	{
		lifetime = document->expires_in * 1000.0;
		entry->ends_at = xero_clock_ms() + lifetime;
		entry->usable_until = entry->ends_at - Min(XERO_TOKEN_MARGIN_MS, lifetime / 2);
		entry->token = pstrdup(document->access_token);
	}
	explicit_bzero(document, sizeof(*document));
	pfree(document);
	return entry->token != NULL;
}

/* The fetch has ended, in one way or another. */
static void
end_fetch(XeroTokenEntry *entry, const XeroServer *server)
{
	XeroIdentityRequest *request = entry->request;
	const XeroHttpResult *result = request->result;

	if (request->failure != NULL)
		entry->failure = xero_copy_failure(request->failure);
	else if (result->status >= 400)
		entry->failure = refusal(server, request);
	else if (!accept_token(entry, result))
		entry->failure = xero_identity_failure(request, server, XERO_UNEXPECTED,
											   result, NULL);
	entry->state = entry->failure != NULL ? ENTRY_FAILED : ENTRY_VALID;
	entry->request = NULL;
	xero_identity_free(request);
}

/* Go on as far as possible without waiting. */
static void
advance_entry(XeroTokenEntry *entry, const XeroServer *server,
			  double *resume_at)
{
	MemoryContext old;

	if (entry->state != ENTRY_FETCHING ||
		!xero_identity_advance(entry->request, server, resume_at))
		return;
	old = MemoryContextSwitchTo(entry->cxt);
	end_fetch(entry, server);
	MemoryContextSwitchTo(old);
}

/* Credentials that no fetch can help. */
static XeroFailure *
missing_credentials(const XeroServer *server)
{
	if (server->client_id == NULL || !xero_has_client_secret(server))
		return xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
							psprintf("%s is missing for server \"%s\"",
									 server->client_id == NULL ? "client_id" :
									 "client_secret", server->name),
							NULL,
							server->client_id == NULL ?
							"Set client_id on the server." :
							"Call xero_fdw.set_client_secret(), or set client_secret_file in the user mapping.");
	return NULL;
}

/* The token that all backends share. */
static XeroTokenAnswer
get_shared_token(XeroTokenTicket *ticket, const XeroServer *server,
				 const char **token, XeroFailure **failure, double *resume_at)
{
	static XeroSharedToken shared;

	switch (xero_shared_token_get(server, &ticket->job, &shared, failure))
	{
		case XERO_SHARED_TOKEN_WAIT:
			*resume_at = Min(*resume_at, xero_clock_ms() + LOOK_AGAIN);
			return XERO_TOKEN_PENDING;
		case XERO_SHARED_TOKEN_FAILED:
			return XERO_TOKEN_FAILED;
		case XERO_SHARED_TOKEN_DONE:
			break;
	}
	ticket->serial = shared.serial;
	ticket->ends_at = xero_clock_ms() +
		(shared.ends_at - GetCurrentTimestamp()) / 1000.0;
	*token = shared.token;
	return XERO_TOKEN_READY;
}

XeroTokenAnswer
xero_token_get(XeroTokenTicket *ticket, const XeroServer *server,
			   const char **token, XeroFailure **failure, double *resume_at)
{
	XeroTokenEntry *entry;

	if (server->access_token != NULL)
	{
		ticket->serial = 0;
		*token = server->access_token;
		return XERO_TOKEN_READY;
	}
	if (xero_needs_consent(server))
		return get_shared_token(ticket, server, token, failure, resume_at);
	*failure = missing_credentials(server);
	if (*failure != NULL)
		return XERO_TOKEN_FAILED;

	if (ticket->entry == NULL)
	{
		entry = find_entry(server);
		entry->waiters++;
		ticket->entry = entry;
	}
	entry = ticket->entry;
	advance_entry(entry, server, resume_at);

	switch (entry->state)
	{
		case ENTRY_VALID:
			ticket->serial = entry->serial;
			ticket->ends_at = entry->ends_at;
			*token = entry->token;

			/*
			 * Nobody waits any more, but the token must survive until it was
			 * used; one that was discarded meanwhile goes at the next
			 * look-up.
			 */
			entry->waiters--;
			ticket->entry = NULL;
			return XERO_TOKEN_READY;
		case ENTRY_FAILED:
			*failure = xero_copy_failure(entry->failure);
			xero_token_leave(ticket);
			return XERO_TOKEN_FAILED;
		case ENTRY_FETCHING:
			break;
	}
	return XERO_TOKEN_PENDING;
}
