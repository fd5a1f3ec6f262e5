/*-------------------------------------------------------------------------
 *
 * jwt_fuzz.c
 *	  Any token, and any claims in one that is signed.
 *
 * RSA is too slow to be tried thousands of times a second: here a signature is
 * good if it says so.  Signatures proper are looked at in test/unit.
 *
 * Input: kind; an id token, or its header and its claims, each on a line.
 *
 * Link: src/api/http/small_json.c src/api/http/markup.c src/base/text.c
 * Link: src/api/http/crypto.c -ljson-c -lcrypto
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#define xero_rs256_verify fuzz_verify

#include "api/consent/jwt.c"

#define ISSUER "https://identity.xero.com"
#define CLIENT "client"
#define NONCE "nonce"
#define NOW 1700000000

XeroSignature
fuzz_verify(const XeroRsaKey *key, const void *data, size_t len,
			const unsigned char *signature, size_t signature_len)
{
	return signature_len == 4 && memcmp(signature, "good", 4) == 0 ?
		XERO_SIGNATURE_GOOD : XERO_SIGNATURE_WRONG;
}

static char *
encode(const char *text)
{
	size_t		len = strlen(text);
	char	   *result = palloc(XERO_BASE64URL_LEN(len) + 1);

	xero_base64url_encode((const unsigned char *) text, len, result);
	return result;
}

void
fuzz_one(FuzzInput *in)
{
	static const XeroClaims nothing;
	XeroKeySet	keys = {.count = 1,.keys[0].kid = "one"};
	XeroJwtExpected expected = {ISSUER, CLIENT, CLIENT, NONCE, NULL, NOW};
	XeroClaims	claims;
	XeroClaims	said;
	XeroJwtResult result;
	char	   *token;
	unsigned	kind = fuzz_pick(in, 4);

	if (kind == 0)
		token = fuzz_line(in);
	else
	{
		char	   *header = encode(fuzz_line(in));

		token = psprintf("%s.%s.%s", header, encode(fuzz_line(in)),
						 encode(kind == 1 ? "wrong" : "good"));
	}
	if (kind == 3)
	{
		expected.nonce = NULL;
		expected.access_token = "access";
	}
	result = xero_jwt_verify(token, &keys, &expected, &claims);
	fuzz_must(xero_jwt_result_name(result) != NULL);
	fuzz_must(xero_jwt_read(token, &said) || result != XERO_JWT_VALID);
	if (result != XERO_JWT_VALID)
		fuzz_must(memcmp(&claims, &nothing, sizeof(claims)) == 0);
	else
		fuzz_must(strcmp(strrchr(token, '.') + 1, encode("good")) == 0 &&
				  strcmp(claims.issuer, ISSUER) == 0 &&
				  claims.for_audience &&
				  claims.expires_at > NOW - XERO_JWT_LEEWAY &&
				  (kind == 3 || strcmp(claims.nonce, NONCE) == 0));
}
