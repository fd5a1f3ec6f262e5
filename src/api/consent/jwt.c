/*-------------------------------------------------------------------------
 *
 * jwt.c
 *	  Is a signed token what it should be?
 *
 * Tokens come from Xero's token endpoint over TLS, but a token is believed
 * only if one of Xero's published keys has signed it, and if it was made for
 * us, now, and in answer to our request.  RS256 is the only algorithm: neither
 * the token nor the key set has a say in it.
 *
 * An access token and an id token differ in their audience; so one is never
 * taken for the other.
 *
 * Nothing is allocated, and no error is raised.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/consent/jwt.h"

static const char *const names[XERO_NJWT_RESULTS] = {
	[XERO_JWT_VALID] = "is valid",
	[XERO_JWT_TOO_LARGE] = "is too large",
	[XERO_JWT_MALFORMED] = "is malformed",
	[XERO_JWT_ALGORITHM] = "is not signed with RS256",
	[XERO_JWT_UNKNOWN_KEY] = "is signed with an unknown key",
	[XERO_JWT_WEAK_KEY] = "is signed with too weak a key",
	[XERO_JWT_SIGNATURE] = "has a wrong signature",
	[XERO_JWT_ISSUER] = "is of another issuer",
	[XERO_JWT_AUDIENCE] = "is meant for another audience",
	[XERO_JWT_CLIENT] = "is meant for another client",
	[XERO_JWT_EXPIRED] = "has expired",
	[XERO_JWT_NOT_YET_VALID] = "is not valid yet",
	[XERO_JWT_NONCE] = "answers another request",
	[XERO_JWT_AT_HASH] = "belongs to another access token"
};

const char *
xero_jwt_result_name(XeroJwtResult result)
{
	return names[result];
}

/* header.payload.signature, all in base64url. */
typedef struct Parts
{
	const char *token;
	size_t		header_len;
	const char *payload;
	size_t		payload_len;
	const char *signature;
	size_t		signature_len;
} Parts;

static bool
split(const char *token, size_t len, Parts *parts)
{
	const char *first = strchr(token, '.');
	const char *last = strrchr(token, '.');

	/* further dots would be in the payload, and are not of base64url */
	if (first == NULL || first == last)
		return false;
	parts->token = token;
	parts->header_len = first - token;
	parts->payload = first + 1;
	parts->payload_len = last - parts->payload;
	parts->signature = last + 1;
	parts->signature_len = token + len - parts->signature;
	return true;
}

/* Find the key that the header names, and try the signature with it. */
static XeroJwtResult
check_signature(const Parts *parts, const XeroKeySet *keys)
{
	unsigned char buffer[1024];
	unsigned char signature[XERO_RSA_LEN_MAX];
	size_t		len;
	XeroJoseHeader header;
	int			i = 0;

	if (!xero_base64url_decode(parts->token, parts->header_len,
							   buffer, sizeof(buffer), &len) ||
		!xero_parse_jose_header((const char *) buffer, len, &header) ||
		header.critical)
		return XERO_JWT_MALFORMED;
	if (strcmp(header.algorithm, "RS256") != 0)
		return XERO_JWT_ALGORITHM;
	if (header.kid[0] == '\0' ||
		!xero_base64url_decode(parts->signature, parts->signature_len,
							   signature, sizeof(signature), &len))
		return XERO_JWT_MALFORMED;

	while (i < keys->count && strcmp(keys->keys[i].kid, header.kid) != 0)
		i++;
	if (i == keys->count)
		return XERO_JWT_UNKNOWN_KEY;
	switch (xero_rs256_verify(&keys->keys[i].key, parts->token,
							  parts->signature - 1 - parts->token,
							  signature, len))
	{
		case XERO_SIGNATURE_GOOD:
			return XERO_JWT_VALID;
		case XERO_SIGNATURE_WRONG:
			return XERO_JWT_SIGNATURE;
		case XERO_SIGNATURE_BAD_KEY:
			break;
	}
	return XERO_JWT_WEAK_KEY;
}

/* at_hash is the left half of the access token's digest. */
static bool
is_hash_of(const char *at_hash, const char *access_token)
{
	unsigned char digest[XERO_SHA256_LEN];
	char		text[XERO_BASE64URL_LEN(XERO_SHA256_LEN / 2) + 1];

	if (!xero_sha256(access_token, strlen(access_token), digest))
		return false;
	xero_base64url_encode(digest, XERO_SHA256_LEN / 2, text);
	return strcmp(at_hash, text) == 0;
}

static XeroJwtResult
check_claims(const XeroClaims *claims, const XeroJwtExpected *expected)
{
	if (strcmp(claims->issuer, expected->issuer) != 0)
		return XERO_JWT_ISSUER;
	if (!claims->for_audience)
		return XERO_JWT_AUDIENCE;

	/* an id token says it by its audience, and only perhaps by this */
	if (strcmp(claims->client_id, expected->client_id) != 0 &&
		(claims->client_id[0] != '\0' || expected->nonce == NULL))
		return XERO_JWT_CLIENT;
	if (claims->expires_at <= expected->now - XERO_JWT_LEEWAY)
		return XERO_JWT_EXPIRED;
	if (claims->not_before > expected->now + XERO_JWT_LEEWAY)
		return XERO_JWT_NOT_YET_VALID;
	if (expected->nonce != NULL &&
		(claims->nonce[0] == '\0' ||
		 strcmp(claims->nonce, expected->nonce) != 0))
		return XERO_JWT_NONCE;
	if (expected->access_token != NULL &&
		!is_hash_of(claims->at_hash, expected->access_token))
		return XERO_JWT_AT_HASH;
	return XERO_JWT_VALID;
}

static bool
read_claims(const Parts *parts, const char *audience, XeroClaims *claims)
{
	unsigned char payload[XERO_JWT_MAX / 4 * 3];
	size_t		len;

	return xero_base64url_decode(parts->payload, parts->payload_len,
								 payload, sizeof(payload), &len) &&
		xero_parse_claims((const char *) payload, len, audience, claims);
}

bool
xero_jwt_read(const char *token, XeroClaims *claims)
{
	size_t		len = strnlen(token, XERO_JWT_MAX + 1);
	Parts		parts;

	memset(claims, 0, sizeof(*claims));
	return len <= XERO_JWT_MAX && split(token, len, &parts) &&
		read_claims(&parts, "", claims);
}

XeroJwtResult
xero_jwt_verify(const char *token, const XeroKeySet *keys,
				const XeroJwtExpected *expected, XeroClaims *claims)
{
	size_t		len = strnlen(token, XERO_JWT_MAX + 1);
	Parts		parts;
	XeroJwtResult result;

	memset(claims, 0, sizeof(*claims));
	if (len > XERO_JWT_MAX)
		return XERO_JWT_TOO_LARGE;
	if (!split(token, len, &parts))
		return XERO_JWT_MALFORMED;
	result = check_signature(&parts, keys);
	if (result != XERO_JWT_VALID)
		return result;

	if (!read_claims(&parts, expected->audience, claims))
		return XERO_JWT_MALFORMED;
	result = check_claims(claims, expected);
	if (result != XERO_JWT_VALID)
		memset(claims, 0, sizeof(*claims));
	return result;
}
