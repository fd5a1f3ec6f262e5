/*-------------------------------------------------------------------------
 *
 * store.h
 *	  The tables of consents, tokens and organisations.
 *
 * All functions run in the caller's transaction, with the rights of the
 * tables' owner; the caller has checked what its own user may do.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_STORE_H
#define XERO_STORE_H

#include "compat.h"

#include "api/http/small_json.h"
#include "api/shared/server.h"
#include "datatype/timestamp.h"
#include "funcapi.h"

/* An authorization that was begun. */
typedef struct XeroPending
{
	char	   *server;
	Oid			roleid;			/* of the user mapping */
	Oid			begun_by;
	char	   *client_id;
	char	   *verifier;		/* secret */
	char	   *nonce;			/* secret */
	char	   *redirect_uri;
	char	   *scopes;
} XeroPending;

/* What is stored of a consent; strings are NULL if not known. */
typedef struct XeroConsent
{
	char	   *client_id;
	char	   *refresh_token;	/* secret */
	char	   *access_token;	/* secret */
	TimestampTz refreshed_at;	/* when the tokens were got */
	TimestampTz expires_at;		/* end of the access token */
	Oid			completed_by;	/* not read */
	char	   *scopes;
	char	   *xero_user_id;	/* these three are not read */
	char	   *user_name;
	char	   *email;
	char	   *event;
	bool		refused;		/* reconnect needed */
	char	   *error;
} XeroConsent;

/* The state is the one in the URL; only its digest is stored. */
extern void xero_store_begin(const XeroPending *pending, const char *state);

/*
 * Find and delete what was begun with this state.  NULL if there is none, it
 * is too old, or, with "other_role" set, another role has begun it, in which
 * case it stays.
 */
extern XeroPending *xero_store_take(const char *state, Oid role,
									bool *other_role);

/* NULL if there is none.  Opens what is sealed. */
extern XeroConsent *xero_store_read(const XeroServer *server);

/* A new consent, in place of an older one. */
extern void xero_store_consent(const XeroServer *server,
							   const XeroConsent *consent);

/* The tokens of an exchange; access_token may be NULL. */
extern void xero_store_tokens(const XeroServer *server,
							  const XeroConsent *consent);

/* What went wrong, and whether only a new consent helps; NULL: nothing. */
extern void xero_store_trouble(const XeroServer *server, bool refused,
							   const char *error);

/* The sealed client secret, which may be NULL: then there is none. */
extern void xero_store_secret(const XeroServer *server, const bytea *sealed);

/*
 * The one that is stored for this user mapping and application, as it is just
 * now, in the current memory context; NULL if there is none.  Takes a look, and
 * no statement.
 */
extern bytea *xero_store_sealed_secret(const char *server, Oid roleid,
									   const char *client_id);

/* What the server's credentials reach, in place of what they have reached. */
extern void xero_store_organisations(const XeroServer *server,
									 const XeroOrganisation *list, int count);

/*
 * The same from within a user's statement, as far as that is possible without
 * holding up anybody.  If not, some later session does it.
 */
extern void xero_store_note(const XeroServer *server,
							const XeroOrganisation *list, int count);

/*
 * What was stored last for these credentials, in the order of the ids: how
 * many.  It is the latest, whatever the transaction may see, and needs no more
 * than reading.
 */
extern int	xero_store_known(const XeroServer *server,
							 XeroOrganisation **list);

/* The consent and the organisations; false if there was no consent. */
extern bool xero_store_forget(const XeroServer *server);

/* One organisation of the server's credentials; false if it was not stored. */
extern bool xero_store_forget_organisation(const XeroServer *server,
										   const pg_uuid_t *id);

/*
 * Have all backends forget what they know by this user mapping, as if it had
 * been altered.
 */
extern void xero_store_announce(const XeroServer *server);

/* Rows of who consented, and the organisations, as they are just now. */
extern void xero_store_show(const XeroServer *server, ReturnSetInfo *rsinfo);

#endif							/* XERO_STORE_H */
