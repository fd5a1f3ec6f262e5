/*-------------------------------------------------------------------------
 *
 * issuer.c
 *	  Who signs tokens, and whether a token is signed by them.
 *
 * What the issuer publishes about itself and its keys changes once in months, and
 * each exchange is done by a process of its own.  So what one has fetched is in
 * shared memory for the others, for a day, the last issuer's only; if a token
 * does not fit it, it is fetched anew.
 *
 * The issuer is whoever answers at identity_url: that is where secrets are
 * sent, and the one address that an administrator has chosen.  It must give
 * itself that name, and have its keys there, so that an answer cannot lead us
 * to the keys of somebody else.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <time.h>

#include "api/consent/issuer.h"
#include "api/shared/shared.h"
#include "api/token/identity.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"


/* How long what is shared is good. */
#define MAX_AGE_MS (24 * 3600 * 1000)

/* The lock is taken exclusively to replace the keys, shared to copy them. */
typedef struct SharedIssuer
{
	LWLock		lock;
	XeroIssuer	issuer;
} SharedIssuer;

/* This process's copy, and whether it has fetched that itself. */
static XeroIssuer issuer;
static bool fresh = false;

static Size
issuer_size(int length)
{
	return sizeof(SharedIssuer);
}

static void
initialize_issuer(void *memory, int length, int tranche)
{
	SharedIssuer *shared = memory;

	memset(shared, 0, sizeof(SharedIssuer));
	LWLockInitialize(&shared->lock, tranche);
}

static XeroSharedPart part = {
	.size = issuer_size,
	.initialize = initialize_issuer
};

void
xero_issuer_init(void)
{
	xero_shared_register(&part);
}

static XeroFailure *
unusable(const XeroServer *server, const char *what)
{
	return xero_failure(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION,
						psprintf("what the token issuer of server \"%s\" publishes is not usable",
								 server->name), what, NULL);
}

/* Does the URL lead to the same host as identity_url?  Then its path. */
static const char *
path_at_identity(const XeroServer *server, const char *url)
{
	size_t		len = strlen(server->identity_url);

	return strncmp(url, server->identity_url, len) == 0 && url[len] == '/' ?
		url + len : NULL;
}

/* With or without a slash at its end, it is the same issuer. */
static bool
is_identity(const XeroServer *server, const char *name)
{
	size_t		len = strlen(server->identity_url);

	return strncmp(name, server->identity_url, len) == 0 &&
		(name[len] == '\0' || strcmp(name + len, "/") == 0);
}

static XeroFailure *
load_discovery(const XeroServer *server)
{
	XeroFailure *failure = NULL;
	XeroIdentityRequest *answer = xero_identity_request(server, XERO_DISCOVERY_PATH,
														NULL, XERO_IDENTITY_DOCUMENT,
														&failure);
	bool		parsed;

	if (answer == NULL)
		return failure;
	parsed = xero_parse_discovery(answer->result->body, answer->result->len,
								  &issuer.discovery);
	xero_identity_free(answer);
	if (!parsed)
		return unusable(server, "The discovery document is not understood.");
	if (!is_identity(server, issuer.discovery.issuer))
		return unusable(server, "The issuer has another name than identity_url.");
	if (path_at_identity(server, issuer.discovery.jwks_uri) == NULL)
		return unusable(server, "The keys are not below identity_url.");
	return NULL;
}

static XeroFailure *
load_keys(const XeroServer *server)
{
	XeroFailure *failure = NULL;
	XeroIdentityRequest *answer;
	bool		parsed;

	answer = xero_identity_request(server,
								   path_at_identity(server,
													issuer.discovery.jwks_uri),
								   NULL, XERO_IDENTITY_DOCUMENT,
								   &failure);
	if (answer == NULL)
		return failure;
	parsed = xero_parse_key_set(answer->result->body, answer->result->len,
								&issuer.keys);
	xero_identity_free(answer);
	if (!parsed || issuer.keys.count == 0)
		return unusable(server, "The set of keys is not understood.");
	return NULL;
}

static bool
is_loaded(const XeroServer *server)
{
	return issuer.fetched_at != 0 &&
		strcmp(issuer.identity_url, server->identity_url) == 0 &&
		strcmp(issuer.ca_file, server->ca_file ? server->ca_file : "") == 0;
}

/* Take what another process has fetched; false if that is of no use. */
static bool
recall(const XeroServer *server)
{
	SharedIssuer *shared = xero_shared_part(&part);

	LWLockAcquire(&shared->lock, LW_SHARED);
	issuer = shared->issuer;
	LWLockRelease(&shared->lock);
	fresh = false;
	return is_loaded(server) &&
		!TimestampDifferenceExceeds(issuer.fetched_at, GetCurrentTimestamp(),
									MAX_AGE_MS);
}

static void
share(void)
{
	SharedIssuer *shared = xero_shared_part(&part);

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	shared->issuer = issuer;
	LWLockRelease(&shared->lock);
}

XeroFailure *
xero_issuer_load(const XeroServer *server, bool again)
{
	XeroFailure *failure;

	if (!again && (is_loaded(server) || recall(server)))
		return NULL;
	memset(&issuer, 0, sizeof(issuer));
	failure = load_discovery(server);
	if (failure == NULL)
		failure = load_keys(server);
	if (failure != NULL)
		return failure;
	strlcpy(issuer.identity_url, server->identity_url,
			sizeof(issuer.identity_url));
	strlcpy(issuer.ca_file, server->ca_file ? server->ca_file : "",
			sizeof(issuer.ca_file));
	issuer.fetched_at = GetCurrentTimestamp();
	fresh = true;
	share();
	return NULL;
}

bool
xero_issuer_is_outdated(XeroJwtResult result)
{
	/* an issuer may have other keys under the same names */
	return result == XERO_JWT_UNKNOWN_KEY ||
		(result == XERO_JWT_SIGNATURE && !fresh);
}

XeroJwtResult
xero_issuer_verify(const XeroServer *server, const char *token,
				   const char *nonce, const char *access_token,
				   XeroClaims *claims)
{
	XeroJwtExpected expected = {0};
	size_t		len = strlen(server->identity_url);

	expected.issuer = issuer.discovery.issuer;
	expected.audience = nonce != NULL ? server->client_id :
		psprintf("%.*s/resources", (int) len, issuer.discovery.issuer);
	expected.client_id = server->client_id;
	expected.nonce = nonce;
	expected.access_token = access_token;
	expected.now = (int64) time(NULL);
	return xero_jwt_verify(token, &issuer.keys, &expected, claims);
}
