/*-------------------------------------------------------------------------
 *
 * document.h
 *	  Small JSON documents: error bodies and token answers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_DOCUMENT_H
#define XERO_DOCUMENT_H

#include "compat.h"

/* Strings are "" if absent, cut if too long, and as Xero sent them (UTF-8). */
typedef struct XeroErrorDocument
{
	int			number;			/* ErrorNumber, 0 if absent */
	char		type[64];		/* "QueryParseException", ... */
	char		message[1024];	/* Message, or else Detail, or else Title */
	char		detail[256];	/* Detail, of 401 and 403 */
} XeroErrorDocument;

typedef struct XeroTokenDocument
{
	char		access_token[16384];	/* secret; "" if absent or too long */
	int			expires_in;		/* seconds, -1 if absent */
	char		error[64];		/* "invalid_client", ... */
} XeroTokenDocument;

#define XERO_UUID_TEXT_LEN 36

/* Could this body be JSON, by its type and its first and last character? */
extern bool xero_looks_like_json(const char *content_type, const char *text,
								 size_t len);

/* False if the text is no JSON object; everything is absent then. */
extern bool xero_parse_error(const char *text, size_t len,
							 XeroErrorDocument *document);
extern bool xero_parse_token(const char *text, size_t len,
							 XeroTokenDocument *document);

/*
 * The answer of /connections: how many organisations it names, -1 if it is no
 * array of connections.  "tenant_id" (XERO_UUID_TEXT_LEN + 1 bytes) becomes the
 * first one's id.
 */
extern int	xero_parse_connections(const char *text, size_t len,
								   char *tenant_id);

#endif							/* XERO_DOCUMENT_H */
