/*-------------------------------------------------------------------------
 *
 * small_json.h
 *	  Small JSON documents: error bodies, token answers, what signed tokens
 *	  and their issuer say.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SMALL_JSON_H
#define XERO_SMALL_JSON_H

#include "compat.h"

#include "api/http/crypto.h"
#include "utils/uuid.h"

/* Strings are "" if absent, cut if too long, and as Xero sent them (UTF-8). */
typedef struct XeroErrorDocument
{
	int			number;			/* ErrorNumber, 0 if absent */
	char		type[64];		/* "QueryParseException", ... */
	char		message[1024];	/* Message, or else Description, Detail or
								 * Title, of itself or of its problem; of a
								 * body that is not JSON its words */
	char		detail[256];	/* Detail, of 401 and 403 */
	bool		markup;			/* the body is HTML or XML */
} XeroErrorDocument;

/* Why an element of a request was refused, and which part of it is meant. */
typedef struct XeroReason
{
	char		text[1024];		/* cut if too long, as Xero sent it (UTF-8) */
	int			element;		/* from 0; -1: the request */
	char		part[32];		/* member of the element, "" for itself */
	int			place;			/* in that array, from 0; -1 in an object */
} XeroReason;

typedef struct XeroTokenDocument
{
	char		access_token[16384];	/* secret; "" if absent or too long */
	char		refresh_token[4096];	/* so too */
	char		id_token[16385];	/* so too */
	int			expires_in;		/* seconds, a day at most; -1 if absent */
	char		error[64];		/* "invalid_client", ... */
} XeroTokenDocument;

/* The longest CountryCode, and a zero byte. */
#define XERO_COUNTRY_SIZE 8

/* An organisation or the like that a token reaches, or has reached. */
typedef struct XeroOrganisation
{
	pg_uuid_t	id;				/* first, as lists are sorted by it; the same
								 * as tenant_id */
	char		tenant_id[37];
	char		tenant_type[32];
	char		name[512];		/* "" if nobody asked Xero */
	char		connection_id[37];	/* "" if nobody asked just now */

	/* these are not in the document of connections */
	char		country[XERO_COUNTRY_SIZE]; /* "" if nobody asked */
	bool		lost;			/* connected once, and not any more */
} XeroOrganisation;

/* What the header of a signed token says.  Strings are "" if absent. */
typedef struct XeroJoseHeader
{
	char		algorithm[16];
	char		kid[128];
	bool		critical;		/* demands what we do not know */
} XeroJoseHeader;

/*
 * What a signed token says.  Strings are "" if absent and valid UTF-8; a few,
 * which nothing is decided by, are also "" if they are too long.
 */
typedef struct XeroClaims
{
	char		issuer[256];
	bool		for_audience;	/* aud is, or contains, the one asked for */
	int64		expires_at;		/* seconds since 1970 */
	int64		not_before;		/* PG_INT64_MIN if absent */
	char		subject[128];
	char		client_id[128]; /* client_id, or else azp */
	char		nonce[128];
	char		at_hash[64];
	char		user_id[64];	/* xero_userid */
	char		event_id[64];	/* authentication_event_id */
	char		scope[4096];	/* words with a blank between */
	char		email[320];		/* "" if too long */
	char		given_name[256];	/* "" if too long */
	char		family_name[256];	/* "" if too long */
} XeroClaims;

/* The public keys of an issuer. */
typedef struct XeroKeySet
{
	int			count;
	struct
	{
		char		kid[128];
		XeroRsaKey	key;
	}			keys[16];
} XeroKeySet;

/* Where an issuer has its keys. */
typedef struct XeroDiscovery
{
	char		issuer[256];
	char		jwks_uri[1024];
} XeroDiscovery;

/* Could this body be JSON, by its type and its first and last character? */
extern bool xero_looks_like_json(const char *content_type, const char *text,
								 size_t len);

/*
 * What the body of an error says, whatever it is.  Names of members are taken
 * in any case (403s have had small letters).
 */
extern void xero_parse_error(const char *text, size_t len,
							 XeroErrorDocument *document);

/* False if the text is no JSON object; everything is absent then. */
extern bool xero_parse_token(const char *text, size_t len,
							 XeroTokenDocument *document);

/*
 * The answer of /Organisation: its CountryCode, "" if absent.  False if it
 * describes no organisation.
 */
extern bool xero_parse_country(const char *text, size_t len,
							   char *country, size_t size);

/*
 * The texts of an array of messages, or an object of them ({"Message": ...},
 * or, as docs have it, Description; payroll: reason; or a text as it is) that
 * are not empty: how many, -1 if it cannot be read.  The first "room" of them
 * are in the list.
 */
extern int	xero_parse_messages(const char *text, size_t len,
								XeroReason *list, int room);

/*
 * All that the answer to a write gives as reasons: ValidationErrors (payroll:
 * invalidFields) of elements and of what is inside of them.  How many, -1 if it
 * cannot be read.  The first "room" of them are in the list.
 */
extern int	xero_parse_reasons(const char *text, size_t len, XeroReason *list,
							   int room);

/*
 * All that the answer of /connections names, practices too: how many, -1 if it
 * is no array of connections.  The first "room" of them are in the list.
 */
extern int	xero_parse_organisations(const char *text, size_t len,
									 XeroOrganisation *list, int room);

/*
 * These are strict: false, and everything absent, also if a member that is
 * known here has the wrong type or is too long, or if the object has two
 * members of one name.  Claims must have exp.  A key set may contain keys of
 * other kinds, which are left out, but no more than fit of ours.
 */
extern bool xero_parse_jose_header(const char *text, size_t len,
								   XeroJoseHeader *header);
extern bool xero_parse_claims(const char *text, size_t len,
							  const char *audience, XeroClaims *claims);
extern bool xero_parse_key_set(const char *text, size_t len,
							   XeroKeySet *keys);
extern bool xero_parse_discovery(const char *text, size_t len,
								 XeroDiscovery *discovery);

#endif							/* XERO_SMALL_JSON_H */
