/*-------------------------------------------------------------------------
 *
 * server.h
 *	  The options of one foreign server for one user, merged.
 *
 * Filled in by src/fdw/options.c from the server's and the user mapping's
 * options; the layers below only read it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SERVER_H
#define XERO_SERVER_H

#include "compat.h"

typedef enum XeroGrantType
{
	XERO_GRANT_AUTHORIZATION_CODE,
	XERO_GRANT_CLIENT_CREDENTIALS
} XeroGrantType;

/* The smaller of two options: the server's, and the user mapping's. */
typedef struct XeroCap
{
	int			limit;			/* 0: there is none */
	bool		of_mapping;
} XeroCap;

typedef struct XeroServer
{
	Oid			serverid;
	Oid			umid;			/* the user mapping */
	Oid			roleid;			/* whose it is; InvalidOid: PUBLIC's */
	char	   *name;
	char	   *client_id;		/* NULL only if access_token is given */
	char	   *app;			/* client id of the application that its calls
								 * are counted for; NULL: not known */
	XeroGrantType grant_type;
	char	   *client_secret;	/* secret; the application has the first ... */
	char	   *client_secret_file;
	bytea	   *sealed_secret;	/* ... of these that is not NULL */
	char	   *access_token;	/* secret; used as it is, never refreshed */
	uint64		credentials;	/* hash of what its tokens depend on */
	char	   *tenant_id;		/* NULL: none given */
	bool		one_tenant;		/* the server's options say which */
	char	   *tenant_name;	/* of that organisation, NULL if not known */
	char	   *scopes;			/* NULL: the default */
	char	   *api_url;		/* without a trailing slash */
	char	   *identity_url;
	char	   *ca_file;		/* NULL: the system's */
	int			concurrency;	/* calls at once */
	int			minute_limit;
	int			day_limit;
	int			app_minute_limit;
	int			reserve;		/* percent of the day */
	XeroCap		max_calls;		/* of a statement */
	XeroCap		role_day;		/* calls of a role in 24 hours */
	int			page_size;
	int			request_timeout;	/* ms for one attempt */
} XeroServer;

/* Has its application a secret?  xero_client_secret() reads it. */
static inline bool
xero_has_client_secret(const XeroServer *server)
{
	return server->client_secret != NULL ||
		server->client_secret_file != NULL || server->sealed_secret != NULL;
}

/* Are its tokens those that a person's consent has brought? */
static inline bool
xero_needs_consent(const XeroServer *server)
{
	return server->access_token == NULL &&
		server->grant_type == XERO_GRANT_AUTHORIZATION_CODE;
}

#endif							/* XERO_SERVER_H */
