/*-------------------------------------------------------------------------
 *
 * jwt_test.c
 *	  Is exactly the right token believed?
 *
 * Link: src/api/consent/jwt.c src/api/http/small_json.c
 * Link: src/api/http/markup.c src/base/text.c src/api/http/crypto.c
 * Link: -ljson-c -lcrypto
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <stdlib.h>
#include <strings.h>

#include <openssl/hmac.h>

#include "api/consent/jwt.h"
#include "signer.h"
#include "tap.h"

#define ISSUER "https://identity.xero.com"
#define RESOURCES ISSUER "/resources"
#define CLIENT "0123456789ABCDEF"
#define NONCE "n-0S6_WzA2Mj"
#define NOW 1700000000

/* ---- making tokens ---- */

static EVP_PKEY *first_key;
static EVP_PKEY *second_key;
static XeroKeySet keys;

/* The last token made; room for one that is too large. */
static char token[70000];
static char access_token[8192];
static char at_hash[64];

static size_t
append_part(size_t len, const void *data, size_t data_len)
{
	if (len > 0)
		token[len++] = '.';
	xero_base64url_encode(data, data_len, token + len);
	return len + XERO_BASE64URL_LEN(data_len);
}

static const char *
make_token_of(const char *header, const char *payload, size_t payload_len,
			  EVP_PKEY *signer)
{
	unsigned char signature[XERO_RSA_LEN_MAX];
	size_t		len = append_part(0, header, strlen(header));
	size_t		signature_len;

	len = append_part(len, payload, payload_len);
	signature_len = signer_sign(signer, EVP_sha256(), RSA_PKCS1_PADDING,
								token, len, signature);
	append_part(len, signature, signature_len);
	return token;
}

static const char *
make_token(const char *header, const char *payload)
{
	return make_token_of(header, payload, strlen(payload), first_key);
}

#define HEADER "{\"alg\":\"RS256\",\"kid\":\"one\",\"typ\":\"JWT\"}"

/* The claims of an id token with some others in their place or beside them. */
static const char *
id_claims(const char *aud, const char *exp, const char *nonce,
		  const char *others)
{
	static char text[20000];

	snprintf(text, sizeof(text),
			 "{\"iss\":\"" ISSUER "\",\"aud\":%s,\"exp\":%s,\"nonce\":%s,"
			 "\"at_hash\":\"%s\",\"sub\":\"user-1\","
			 "\"xero_userid\":\"a0b1\",\"email\":\"j@example.com\","
			 "\"given_name\":\"Jos\\u00e9\",\"family_name\":\"Do\xc3\xab\"%s%s}",
			 aud, exp, nonce, at_hash, others[0] == '\0' ? "" : ",", others);
	return text;
}

#define ID_CLAIMS(others) \
	id_claims("\"" CLIENT "\"", "1700000300", "\"" NONCE "\"", others)
#define ACCESS_CLAIMS \
	"{\"nbf\":1700000000,\"exp\":1700001800,\"iss\":\"" ISSUER "\"," \
	"\"aud\":\"" RESOURCES "\",\"client_id\":\"" CLIENT "\",\"sub\":\"user-1\"," \
	"\"authentication_event_id\":\"e-1\"," \
	"\"scope\":[\"openid\",\"accounting.contacts.read\",\"offline_access\"]}"

static const XeroJwtExpected id_expected = {
	ISSUER, CLIENT, CLIENT, NONCE, access_token, NOW
};
static const XeroJwtExpected access_expected = {
	ISSUER, RESOURCES, CLIENT, NULL, NULL, NOW
};

static XeroClaims claims;

/* Unless it is valid, nothing may be known of it. */
static XeroJwtResult
verify(const char *text, const XeroJwtExpected *expected)
{
	static const XeroClaims nothing;
	char	   *copy = strdup(text);
	XeroJwtResult result;

	memset(&claims, 'x', sizeof(claims));
	result = xero_jwt_verify(copy, &keys, expected, &claims);
	free(copy);
	signer_must(result == XERO_JWT_VALID ||
				memcmp(&claims, &nothing, sizeof(claims)) == 0,
				"Bail out! claims of a refused token");
	return result;
}

static void
token_is(const char *text, const XeroJwtExpected *expected, XeroJwtResult result,
		 const char *what)
{
	XeroJwtResult got = verify(text, expected);

	ok(got == result, what);
	if (got != result)
		printf("# the token %s\n", xero_jwt_result_name(got));
}

static void
prepare(void)
{
	unsigned char digest[XERO_SHA256_LEN];

	first_key = signer_key(2048);
	second_key = signer_key(2048);
	keys.count = 2;
	strcpy(keys.keys[0].kid, "one");
	signer_public(first_key, &keys.keys[0].key);
	strcpy(keys.keys[1].kid, "two");
	signer_public(second_key, &keys.keys[1].key);

	strcpy(access_token, make_token(HEADER, ACCESS_CLAIMS));
	xero_sha256(access_token, strlen(access_token), digest);
	xero_base64url_encode(digest, sizeof(digest) / 2, at_hash);
}

/* ---- good tokens ---- */

static void
test_valid(void)
{
	XeroJwtExpected expected = id_expected;

	token_is(access_token, &access_expected, XERO_JWT_VALID, "an access token");
	ok(claims.expires_at == 1700001800 && claims.not_before == NOW &&
	   strcmp(claims.event_id, "e-1") == 0 &&
	   strcmp(claims.subject, "user-1") == 0 &&
	   strcmp(claims.client_id, CLIENT) == 0 &&
	   strcmp(claims.scope,
			  "openid accounting.contacts.read offline_access") == 0 &&
	   claims.email[0] == '\0', "its claims");
	token_is(make_token(HEADER, ID_CLAIMS("")), &id_expected, XERO_JWT_VALID,
			 "an id token");
	ok(strcmp(claims.user_id, "a0b1") == 0 &&
	   strcmp(claims.email, "j@example.com") == 0 &&
	   strcmp(claims.given_name, "Jos\xc3\xa9") == 0 &&
	   strcmp(claims.family_name, "Do\xc3\xab") == 0 && claims.scope[0] == '\0' &&
	   claims.not_before == PG_INT64_MIN, "its claims");
	token_is(make_token(HEADER, id_claims("[\"x\",\"" CLIENT "\",7]", "1700000300",
										  "\"" NONCE "\"", "")),
			 &id_expected, XERO_JWT_VALID, "one of several audiences");
	token_is(make_token(HEADER, ID_CLAIMS("\"scope\":\"openid email\"")),
			 &id_expected, XERO_JWT_VALID, "a scope as a text");
	ok(strcmp(claims.scope, "openid email") == 0, "is the same");
	token_is(make_token(HEADER, ID_CLAIMS("\"azp\":\"" CLIENT "\"")), &id_expected,
			 XERO_JWT_VALID, "an id token that names its client");
	token_is(make_token(HEADER, ID_CLAIMS("\"x\":{\"exp\":1,\"a\":[1,2,{}]}")),
			 &id_expected, XERO_JWT_VALID, "unknown claims are no matter");
	token_is(make_token(HEADER, ID_CLAIMS("\"x\":\"a\\\",{\\\\\"")), &id_expected,
			 XERO_JWT_VALID, "what quotes mean is known");
	token_is(make_token_of("{\"alg\":\"RS256\",\"kid\":\"two\"}", ID_CLAIMS(""),
						   strlen(ID_CLAIMS("")), second_key),
			 &id_expected, XERO_JWT_VALID, "the second key");
	expected.access_token = NULL;
	token_is(make_token(HEADER, ID_CLAIMS("")), &expected, XERO_JWT_VALID,
			 "an id token on its own");
}

/* ---- whose signature ---- */

static void
make_hs256(const char *header, const char *payload)
{
	unsigned char mac[32];
	unsigned	mac_len;
	const XeroRsaKey *key = &keys.keys[0].key;
	size_t		len = append_part(0, header, strlen(header));

	len = append_part(len, payload, strlen(payload));
	HMAC(EVP_sha256(), key->modulus, (int) key->modulus_len,
		 (unsigned char *) token, len, mac, &mac_len);
	append_part(len, mac, mac_len);
}

/* What is said by whomever, for messages. */
static void
test_read(void)
{
	static XeroClaims said;

	ok(xero_jwt_read(make_token(HEADER, ID_CLAIMS("\"scope\":\"openid email\"")), &said) &&
	   strcmp(said.scope, "openid email") == 0 && said.expires_at > 0,
	   "what a token says can be read");
	strcpy(strrchr(token, '.') + 1, "AAAA");
	ok(xero_jwt_read(token, &said) && strcmp(said.scope, "openid email") == 0,
	   "whoever may have signed it");
	ok(!xero_jwt_read("no-such-token", &said) && said.scope[0] == '\0',
	   "another text says nothing");
	ok(!xero_jwt_read("a.b.c", &said) && !xero_jwt_read("", &said) &&
	   !xero_jwt_read("..", &said),
	   "nor does one that only looks like a token");
	memset(token, 'a', sizeof(token) - 1);
	token[sizeof(token) - 1] = '\0';
	ok(!xero_jwt_read(token, &said), "nor one that is too large");
}

static void
test_signature(void)
{
	static const char *const algorithms[] = {
		"none", "None", "NONE", "", "HS256", "RS384", "RS512", "PS256",
		"ES256", "rs256", "RS256 ", "RS2560000000000000000"
	};
	const char *payload = ID_CLAIMS("");
	char		header[200];
	char		what[200];

	for (int i = 0; i < lengthof(algorithms); i++)
	{
		snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"one\"}",
				 algorithms[i]);
		snprintf(what, sizeof(what), "algorithm \"%s\"", algorithms[i]);
		token_is(make_token(header, payload), &id_expected,
				 strlen(algorithms[i]) > 15 ? XERO_JWT_MALFORMED :
				 XERO_JWT_ALGORITHM, what);
	}
	token_is(make_token("{\"kid\":\"one\"}", payload), &id_expected,
			 XERO_JWT_ALGORITHM, "no algorithm");
	make_hs256("{\"alg\":\"HS256\",\"kid\":\"one\"}", payload);
	token_is(token, &id_expected, XERO_JWT_ALGORITHM,
			 "HS256 with the public key for its secret");
	make_hs256(HEADER, payload);
	token_is(token, &id_expected, XERO_JWT_SIGNATURE, "the same said to be RS256");
	make_token("{\"alg\":\"none\",\"kid\":\"one\"}", payload);
	strrchr(token, '.')[1] = '\0';
	token_is(token, &id_expected, XERO_JWT_ALGORITHM, "none without a signature");
	make_token(HEADER, payload);
	strrchr(token, '.')[1] = '\0';
	token_is(token, &id_expected, XERO_JWT_SIGNATURE, "RS256 without a signature");

	token_is(make_token("{\"alg\":\"RS256\",\"kid\":\"three\"}", payload),
			 &id_expected, XERO_JWT_UNKNOWN_KEY, "an unknown key");
	token_is(make_token("{\"alg\":\"RS256\",\"kid\":\"on\"}", payload),
			 &id_expected, XERO_JWT_UNKNOWN_KEY, "a part of a key's name");
	token_is(make_token("{\"alg\":\"RS256\",\"kid\":\"one\\u0000\"}", payload),
			 &id_expected, XERO_JWT_MALFORMED, "a zero byte in a key's name");
	token_is(make_token("{\"alg\":\"RS256\"}", payload), &id_expected,
			 XERO_JWT_MALFORMED, "no key is named");
	token_is(make_token_of(HEADER, payload, strlen(payload), second_key),
			 &id_expected, XERO_JWT_SIGNATURE, "another key's signature");
	token_is(make_token("{\"alg\":\"RS256\",\"kid\":\"one\",\"crit\":[\"b64\"]}",
						payload), &id_expected, XERO_JWT_MALFORMED,
			 "a demand that we do not know");
	keys.keys[0].key.modulus[0] = 0x7f;
	token_is(make_token(HEADER, payload), &id_expected, XERO_JWT_WEAK_KEY,
			 "a weak key");
	signer_public(first_key, &keys.keys[0].key);
	keys.count = 0;
	token_is(make_token(HEADER, payload), &id_expected, XERO_JWT_UNKNOWN_KEY,
			 "no keys at all");
	keys.count = 2;
}

/* ---- for whom, when, in answer to what ---- */

typedef struct ClockCase
{
	const char *what;
	int			now;			/* after NOW */
	XeroJwtResult result;
} ClockCase;

/* The token is of NOW + 0 to NOW + 1800. */
static const ClockCase clocks[] = {
	{"a minute before", -60, XERO_JWT_VALID},
	{"more than a minute before", -61, XERO_JWT_NOT_YET_VALID},
	{"years before", -100000000, XERO_JWT_NOT_YET_VALID},
	{"at the end", 1800, XERO_JWT_VALID},
	{"less than a minute after", 1859, XERO_JWT_VALID},
	{"a minute after", 1860, XERO_JWT_EXPIRED},
	{"years after", 100000000, XERO_JWT_EXPIRED},
};

static void
test_clock(void)
{
	for (int i = 0; i < lengthof(clocks); i++)
	{
		XeroJwtExpected expected = access_expected;

		expected.now = NOW + clocks[i].now;
		token_is(access_token, &expected, clocks[i].result, clocks[i].what);
	}
	token_is(make_token(HEADER, id_claims("\"" CLIENT "\"", "-9223372036854775808",
										  "\"" NONCE "\"", "")),
			 &id_expected, XERO_JWT_EXPIRED, "the least number");
	token_is(make_token(HEADER, id_claims("\"" CLIENT "\"", "9223372036854775807",
										  "\"" NONCE "\"",
										  "\"nbf\":9223372036854775807")),
			 &id_expected, XERO_JWT_NOT_YET_VALID, "the greatest number");
}

static void
test_claims(void)
{
	XeroJwtExpected expected = id_expected;

	token_is(access_token, &id_expected, XERO_JWT_AUDIENCE,
			 "an access token for an id token");
	token_is(make_token(HEADER, ID_CLAIMS("")), &access_expected, XERO_JWT_AUDIENCE,
			 "an id token for an access token");
	expected.issuer = ISSUER "/";
	token_is(make_token(HEADER, ID_CLAIMS("")), &expected, XERO_JWT_ISSUER,
			 "another issuer");
	token_is(make_token(HEADER, "{\"exp\":1700000300}"), &id_expected,
			 XERO_JWT_ISSUER, "no issuer");
	token_is(make_token(HEADER, "{\"exp\":1700000300,\"iss\":\"" ISSUER
						"\\u0000.example\"}"), &id_expected, XERO_JWT_MALFORMED,
			 "an issuer with a zero byte");
	token_is(make_token(HEADER, "{\"exp\":1700000300,\"iss\":\"" ISSUER "\"}"),
			 &id_expected, XERO_JWT_AUDIENCE, "no audience");
	token_is(make_token(HEADER, id_claims("[]", "1700000300", "\"" NONCE "\"", "")),
			 &id_expected, XERO_JWT_AUDIENCE, "nobody");
	token_is(make_token(HEADER, id_claims("{\"" CLIENT "\":1}", "1700000300",
										  "\"" NONCE "\"", "")),
			 &id_expected, XERO_JWT_AUDIENCE, "an object for audience");
	token_is(make_token(HEADER, id_claims("[[\"" CLIENT "\"]]", "1700000300",
										  "\"" NONCE "\"", "")),
			 &id_expected, XERO_JWT_AUDIENCE, "an array in an array");
	token_is(make_token(HEADER, ID_CLAIMS("\"azp\":\"another\"")), &id_expected,
			 XERO_JWT_CLIENT, "an id token for another of the audience");
	expected = access_expected;
	expected.client_id = "another";
	token_is(access_token, &expected, XERO_JWT_CLIENT,
			 "another client's access token");
	token_is(make_token(HEADER, "{\"exp\":1700000300,\"iss\":\"" ISSUER
						"\",\"aud\":\"" RESOURCES "\"}"), &access_expected,
			 XERO_JWT_CLIENT, "nobody's access token");

	token_is(make_token(HEADER, id_claims("\"" CLIENT "\"", "1700000300",
										  "\"another\"", "")),
			 &id_expected, XERO_JWT_NONCE, "the answer to another request");
	token_is(make_token(HEADER, id_claims("\"" CLIENT "\"", "1700000300",
										  "\"\"", "")),
			 &id_expected, XERO_JWT_NONCE, "an empty nonce");
	expected = id_expected;
	expected.nonce = "";
	token_is(make_token(HEADER, id_claims("\"" CLIENT "\"", "1700000300",
										  "\"\"", "")),
			 &expected, XERO_JWT_NONCE, "which is never right");
	expected = id_expected;
	expected.access_token = "another";
	token_is(make_token(HEADER, ID_CLAIMS("")), &expected, XERO_JWT_AT_HASH,
			 "another access token");
	token_is(make_token(HEADER, "{\"exp\":1700000300,\"iss\":\"" ISSUER
						"\",\"aud\":\"" CLIENT "\",\"nonce\":\"" NONCE "\"}"),
			 &id_expected, XERO_JWT_AT_HASH, "no hash of an access token");
}

/* ---- what is no token ---- */

static const char *const bad_payloads[] = {
	"", "{", "[]", "null", "7", "{}", "{}{}", "{\"exp\":1700000300} x",
	"{\"exp\":\"1700000300\"}", "{\"exp\":1700000300.5}", "{\"exp\":null}",
	"{\"exp\":1700000300,\"nbf\":\"0\"}", "{\"exp\":1700000300,\"iss\":7}",
	"{\"exp\":1700000300,\"sub\":[]}", "{\"exp\":NaN}",
	"{\"exp\":1700000300,\"scope\":[7]}", "{\"exp\":1700000300,\"scope\":{}}",
	"{\"exp\":1700000300,\"exp\":1700000300}",
	"{\"exp\":1700000300,\"e\\u0078p\":1700000300}",
	"{\"exp\":1700000300,\"iss\":\"a\",\"x\":{\"iss\":1},\"iss\":\"" ISSUER "\"}",
	"{\"exp\":1700000300,'iss':\"" ISSUER "\"}",
	"{\"exp\":1700000300,\"sub\":\"\xff\"}",
	"{\"exp\":1700000300,}", "{exp:1700000300}",
};

static void
test_malformed(void)
{
	static const char *const shapes[] = {
		"", ".", "..", "...", "a", "a.b", "a.b.c.d", "e30.e30.", "e30..",
		".e30.", "e30=.e30.e30", "e30 .e30.e30"
	};
	char		what[200];
	char		good_token[4096];
	char	   *where;
	bool		good = true;

	for (int i = 0; i < lengthof(shapes); i++)
	{
		snprintf(what, sizeof(what), "no token: \"%s\"", shapes[i]);
		ok(verify(shapes[i], &id_expected) ==
		   (strcmp(shapes[i], "e30.e30.") == 0 ||
			strcmp(shapes[i], "e30..") == 0 ? XERO_JWT_ALGORITHM :
			XERO_JWT_MALFORMED), what);
	}
	for (int i = 0; i < lengthof(bad_payloads); i++)
	{
		snprintf(what, sizeof(what), "malformed claims, case %d", i);
		token_is(make_token(HEADER, bad_payloads[i]), &id_expected,
				 XERO_JWT_MALFORMED, what);
	}
	token_is(make_token("{\"alg\":\"RS256\",\"alg\":\"RS256\",\"kid\":\"one\"}",
						ID_CLAIMS("")), &id_expected, XERO_JWT_MALFORMED,
			 "two algorithms");
	token_is(make_token_of(HEADER, "{\"exp\":1700000300}\0x", 20, first_key),
			 &id_expected, XERO_JWT_MALFORMED, "a zero byte after the claims");

	strcpy(token + append_part(0, HEADER, strlen(HEADER)), ".AAAA");
	token_is(token, &id_expected, XERO_JWT_MALFORMED, "a header and a signature");

	strcpy(good_token, make_token(HEADER, ID_CLAIMS("")));
	for (size_t len = 0; len < strlen(good_token); len++)
	{
		snprintf(token, sizeof(token), "%.*s", (int) len, good_token);
		good &= verify(token, &id_expected) != XERO_JWT_VALID;
	}
	ok(good, "a cut token of any length is refused");
	snprintf(token, sizeof(token), "%s=", good_token);
	token_is(token, &id_expected, XERO_JWT_MALFORMED, "a padded signature");
	snprintf(token, sizeof(token), "%s\n", good_token);
	token_is(token, &id_expected, XERO_JWT_MALFORMED, "a line end");

	/* 256 bytes end in a character with four bits that mean nothing */
	strcpy(token, good_token);
	where = token + strlen(token) - 1;
	*where = *where == 'A' ? 'B' : *where == 'Q' ? 'R' : *where == 'g' ? 'h' :
		'x';
	token_is(token, &id_expected, XERO_JWT_MALFORMED,
			 "another spelling of the same signature");
}

static void
test_size(void)
{
	static char others[20000];
	static char nested[9000];

	memset(others, ' ', sizeof(others) - 1);
	memcpy(others, "\"x\":1", 5);
	others[11500] = '\0';
	token_is(make_token(HEADER, ID_CLAIMS(others)), &id_expected, XERO_JWT_VALID,
			 "a token of nearly 16 kB");
	others[11500] = ' ';
	token_is(make_token(HEADER, ID_CLAIMS(others)), &id_expected,
			 XERO_JWT_TOO_LARGE, "a token of more");
	memset(token, 'a', 65536);
	token[65536] = '\0';
	token_is(token, &id_expected, XERO_JWT_TOO_LARGE, "a token of 64 kB");
	memset(token, '.', 16384);
	token[16384] = '\0';
	token_is(token, &id_expected, XERO_JWT_MALFORMED, "16 kB of dots");

	strcpy(nested, "\"x\":");
	memset(nested + 4, '[', 4000);
	memset(nested + 4004, ']', 4000);
	token_is(make_token(HEADER, ID_CLAIMS(nested)), &id_expected,
			 XERO_JWT_MALFORMED, "4000 arrays in each other");
	memset(others, 'a', sizeof(others));
	memcpy(others, "\"sub2\":1,\"email2\":\"", 19);
	strcpy(others + 5000, "\"");
	token_is(make_token(HEADER, ID_CLAIMS(others)), &id_expected, XERO_JWT_VALID,
			 "a long claim that nobody reads");
	memcpy(others, "\"authentication_event_id\":\"", 27);
	token_is(make_token(HEADER, ID_CLAIMS(others)), &id_expected,
			 XERO_JWT_MALFORMED, "a long claim that matters");
	memcpy(others, "\"scope\": [\"openid\",       \"", 27);
	strcpy(others + 4500, "\"]");
	token_is(make_token(HEADER, ID_CLAIMS(others)), &id_expected,
			 XERO_JWT_MALFORMED, "a scope that does not fit");
}

/* ---- the documents around ---- */

/* A JWKS with the first key, and what is given before and in it. */
static const char *
make_key_set(const char *before, const char *inside)
{
	static char text[8192];
	char		n[XERO_BASE64URL_LEN(XERO_RSA_LEN_MAX) + 1];
	char		e[16];
	XeroRsaKey	key;

	signer_public(first_key, &key);
	xero_base64url_encode(key.modulus, key.modulus_len, n);
	xero_base64url_encode(key.exponent, key.exponent_len, e);
	snprintf(text, sizeof(text),
			 "{\"keys\":[%s{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}]}\r\n",
			 before, n, e, inside);
	return text;
}

static int
key_count(const char *text)
{
	XeroKeySet	set;

	return xero_parse_key_set(text, strlen(text), &set) ? set.count : -1;
}

static void
test_key_set(void)
{
	static const char *const left_out[] = {
		"", ",\"kid\":\"\"", ",\"kid\":7", ",\"kid\":\"one\",\"use\":\"enc\"",
		",\"kid\":\"one\",\"alg\":\"RS512\"", ",\"kid\":\"one\",\"alg\":7"
	};
	XeroKeySet	set;
	const char *text = make_key_set("", ",\"kid\":\"one\",\"use\":\"sig\","
									"\"alg\":\"RS256\",\"x5c\":[\"x\"]");
	static char many[20000];
	char		what[100];

	ok(xero_parse_key_set(text, strlen(text), &set) && set.count == 1 &&
	   strcmp(set.keys[0].kid, "one") == 0 &&
	   memcmp(&set.keys[0].key, &keys.keys[0].key, sizeof(XeroRsaKey)) == 0,
	   "a key set");
	ok(key_count(make_key_set("7,{},{\"kty\":\"oct\",\"kid\":\"x\","
							  "\"n\":\"AQAB\",\"e\":\"AQAB\"},",
							  ",\"kid\":\"one\"")) == 1,
	   "other keys are left out");
	for (int i = 0; i < lengthof(left_out); i++)
	{
		snprintf(what, sizeof(what), "left out: %s", left_out[i]);
		ok(key_count(make_key_set("", left_out[i])) == 0, what);
	}
	ok(key_count("{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"AAAB\",\"e\":\"AQAB\"},"
				 "{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"AQ==\",\"e\":\"AQAB\"},"
				 "{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"AQAB\",\"e\":\"\"},"
				 "{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"AQAB\",\"e\":\"AQABAQABAQAB\"}"
				 "]}") == 0, "numbers that are none");
	ok(key_count("{\"keys\":[]}") == 0, "an empty set");
	ok(key_count("{\"keys\":{}}") == -1 && key_count("{}") == -1 &&
	   key_count("[]") == -1 && key_count("") == -1 &&
	   key_count("{\"keys\":[],\"keys\":[]}") == -1, "no set");

	strcpy(many, "{\"keys\":[");
	for (int i = 0; i < 17; i++)
	{
		if (i == 16)
		{
			snprintf(many + strlen(many), 100, "]}");
			ok(key_count(many) == 16, "16 keys");
			many[strlen(many) - 2] = '\0';
		}
		snprintf(many + strlen(many), 100,
				 "%s{\"kty\":\"RSA\",\"kid\":\"%d\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
				 i == 0 ? "" : ",", i);
	}
	strcat(many, "]}");
	ok(key_count(many) == -1, "17 keys are too many");
}

static void
test_discovery(void)
{
	const char *good = "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"" ISSUER
	"/.well-known/openid-configuration/jwks\",\"x\":[1]}";
	XeroDiscovery discovery;

	ok(xero_parse_discovery(good, strlen(good), &discovery) &&
	   strcmp(discovery.issuer, ISSUER) == 0 &&
	   strcmp(discovery.jwks_uri,
			  ISSUER "/.well-known/openid-configuration/jwks") == 0,
	   "a discovery document");
	ok(!xero_parse_discovery("{\"issuer\":\"x\"}", 14, &discovery) &&
	   discovery.issuer[0] == '\0', "without the keys' address");
	ok(!xero_parse_discovery("{\"jwks_uri\":\"x\"}", 16, &discovery) &&
	   !xero_parse_discovery("", 0, &discovery) &&
	   !xero_parse_discovery("{\"issuer\":\"x\",\"jwks_uri\":7}", 27,
							 &discovery), "or otherwise incomplete");
}

/* ---- at random ---- */

static uint64 seed = 0x9e3779b97f4a7c15;

static unsigned
dice(unsigned sides)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 20) % sides;
}

/* Change a text in place a little; it may grow by "room" bytes. */
static size_t
mutate(char *text, size_t len, size_t room)
{
	static const char special[] = ".{}[]\",:\\'0-_=A u";

	for (int changes = dice(4); changes >= 0; changes--)
	{
		size_t		at = dice(len + 1);
		size_t		n = dice(8);

		n = Min(n, len - at);
		switch (dice(4))
		{
			case 0:				/* another byte */
				if (at < len)
					text[at] = dice(2) ? special[dice(sizeof(special) - 1)] :
						dice(255) + 1;
				break;
			case 1:				/* some less */
				memmove(text + at, text + at + n, len - at - n);
				len -= n;
				break;
			case 2:				/* some twice */
				if (room < n)
					break;
				memmove(text + at + n, text + at, len - at);
				len += n;
				room -= n;
				break;
			default:			/* some from elsewhere */
				memmove(text + at, text + dice(len - n + 1), n);
				break;
		}
	}
	text[len] = '\0';
	return len;
}

static void
test_random_tokens(void)
{
	char		good_token[4096];
	char		changed[5000];
	int			counts[XERO_NJWT_RESULTS] = {0};
	bool		good = true;

	strcpy(good_token, make_token(HEADER, ID_CLAIMS("")));
	for (int i = 0; i < 5000; i++)
	{
		XeroJwtResult result;

		strcpy(changed, good_token);
		mutate(changed, strlen(changed), 100);
		result = verify(changed, &id_expected);
		counts[result]++;
		good &= (result == XERO_JWT_VALID) ==
			(strcmp(changed, good_token) == 0);
	}
	ok(good, "no token is valid but the one that was signed");
	ok(counts[XERO_JWT_MALFORMED] > 100 && counts[XERO_JWT_SIGNATURE] > 100,
	   "of 5000 changed ones");
}

static void
test_random_documents(void)
{
	char		claims_text[2000];
	char		key_text[2000];
	char		text[2100];
	int			parsed = 0;
	bool		good = true;

	strcpy(claims_text, ID_CLAIMS("\"scope\":[\"a\",\"b\"],\"nbf\":1"));
	strcpy(key_text, make_key_set("", ",\"kid\":\"one\",\"use\":\"sig\""));
	for (int i = 0; i < 10000; i++)
	{
		XeroClaims	found;
		XeroKeySet	set;
		XeroJoseHeader header;
		XeroDiscovery discovery;
		size_t		len;
		char	   *copy;

		strcpy(text, i % 2 == 0 ? claims_text : key_text);
		len = mutate(text, strlen(text), 40);
		copy = malloc(len);
		memcpy(copy, text, len);
		parsed += xero_parse_claims(copy, len, CLIENT, &found);
		parsed += xero_parse_key_set(copy, len, &set);
		parsed += xero_parse_jose_header(copy, len, &header);
		parsed += xero_parse_discovery(copy, len, &discovery);
		good &= strnlen(found.scope, sizeof(found.scope)) <
			sizeof(found.scope) &&
			set.count >= 0 && set.count <= lengthof(set.keys);
		free(copy);
	}
	ok(good, "results of changed documents are well-formed");
	ok(parsed > 1000, "and many of 10000 could be read");
}

int
main(void)
{
	prepare();
	test_valid();
	test_read();
	test_signature();
	test_clock();
	test_claims();
	test_malformed();
	test_size();
	test_key_set();
	test_discovery();
	test_random_tokens();
	test_random_documents();
	for (int i = 0; i < XERO_NJWT_RESULTS; i++)
		ok(xero_jwt_result_name(i) != NULL, "every result has a name");
	EVP_PKEY_free(first_key);
	EVP_PKEY_free(second_key);
	return done_testing();
}
