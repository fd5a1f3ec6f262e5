/*-------------------------------------------------------------------------
 *
 * crypto_test.c
 *	  Does sealing keep what it is given, and does it refuse all else?
 *
 * The source is included, since the published vectors of AES-GCM are for the
 * cipher inside a sealed value.  Buffers have exactly the size that the
 * function may use, so that the address checks see every byte too many.
 *
 * Link: -lcrypto
 *
 *-------------------------------------------------------------------------
 */
#include "api/http/crypto.c"

#include <stdlib.h>

#include "signer.h"
#include "tap.h"

/* What crypto.c takes from the server: here, different bytes each time. */
static bool random_fails = false;
static unsigned char random_state = 0;

bool
pg_strong_random(void *buf, size_t len)
{
	memset(buf, ++random_state, len);
	return !random_fails;
}

/* ---- digests and base64url ---- */

static size_t
from_hex(const char *hex, unsigned char *bytes)
{
	size_t		n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++)
	{
		unsigned	byte;

		sscanf(hex + 2 * i, "%2x", &byte);
		bytes[i] = byte;
	}
	return n;
}

static void
test_digest(void)
{
	unsigned char digest[XERO_SHA256_LEN];
	unsigned char expected[XERO_SHA256_LEN];
	char		challenge[XERO_BASE64URL_LEN(XERO_SHA256_LEN) + 1];
	const char *verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	XeroKey		key = {{0}};

	from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
			 expected);
	ok(xero_sha256("abc", 3, digest) &&
	   memcmp(digest, expected, sizeof(digest)) == 0, "SHA-256 of abc");

	xero_sha256(verifier, strlen(verifier), digest);
	xero_base64url_encode(digest, sizeof(digest), challenge);
	ok(strcmp(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM") == 0,
	   "the challenge of RFC 7636, appendix B");

	from_hex("66687aadf862bd77", expected);
	ok(xero_key_identify(&key) &&
	   memcmp(key.id, expected, sizeof(key.id)) == 0,
	   "a key's id is the beginning of its digest");
}

static bool
decodes(const char *text, const char *expected)
{
	size_t		size = strlen(expected);
	unsigned char *data = malloc(size + 1);
	size_t		written = 0;
	bool		good = xero_base64url_decode(text, strlen(text), data, size,
											 &written) &&
	written == size && memcmp(data, expected, size) == 0;

	free(data);
	return good;
}

static void
test_base64url(void)
{
	static const char *const pairs[][2] = {
		{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"},
		{"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"},
		{"\xfb\xff\xbf", "-_-_"}
	};
	static const char *const wrong[] = {
		"Zg==", "Zm8=", "Z", "Zm9vY", "Zh", "Zm9", "Zg ", " Zg", "Zm9v\n",
		"A", "Zm9vA", "Zm+v", "Zm/v", "Zm9v!", "====", "Zm\xc3\xa9"
	};
	unsigned char data[300];
	char		text[401];
	unsigned char back[300];
	size_t		written;
	char		what[100];
	bool		good = true;

	for (int i = 0; i < lengthof(pairs); i++)
	{
		snprintf(what, sizeof(what), "base64url \"%s\"", pairs[i][1]);
		xero_base64url_encode((const unsigned char *) pairs[i][0],
							  strlen(pairs[i][0]), text);
		ok(strcmp(text, pairs[i][1]) == 0 && decodes(text, pairs[i][0]), what);
	}
	for (int i = 0; i < lengthof(wrong); i++)
	{
		snprintf(what, sizeof(what), "no base64url: case %d", i);
		ok(!xero_base64url_decode(wrong[i], strlen(wrong[i]), data,
								  sizeof(data), &written), what);
	}
	ok(!xero_base64url_decode("Zm9v", 4, data, 2, &written) &&
	   xero_base64url_decode("Zm9v", 4, data, 3, &written),
	   "the decoder does not write beyond its buffer");
	ok(!xero_base64url_decode("Zm\0v", 4, data, 3, &written),
	   "a zero byte is no digit");

	for (int i = 0; i < lengthof(data); i++)
		data[i] = i * 37 + i / 7;
	for (size_t len = 0; len <= lengthof(data); len++)
	{
		xero_base64url_encode(data, len, text);
		good &= strlen(text) == XERO_BASE64URL_LEN(len) &&
			xero_base64url_decode(text, strlen(text), back, len, &written) &&
			written == len && memcmp(data, back, len) == 0;
	}
	ok(good, "all lengths to 300 come back");
}

/* ---- the cipher ---- */

typedef struct GcmVector
{
	const char *what;
	const char *key;
	const char *nonce;
	const char *header;
	const char *plain;
	const char *cipher;
	const char *tag;
} GcmVector;

#define ZEROS "00000000000000000000000000000000"
#define KEY "feffe9928665731c6d6a8f9467308308"
#define PLAIN "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define CIPHER "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" \
	"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

/* The cases with a key of 256 bits of the submission to NIST. */
static const GcmVector vectors[] = {
	{"13", ZEROS ZEROS, "000000000000000000000000", "", "", "",
	"530f8afbc74536b9a963b4f1c4cb738b"},
	{"14", ZEROS ZEROS, "000000000000000000000000", "", ZEROS,
		"cea7403d4d606b6e074ec5d3baf39d18",
	"d0d1c8a799996bf0265b98b5d48ab919"},
	{"15", KEY KEY, "cafebabefacedbaddecaf888", "", PLAIN "1aafd255",
	CIPHER "898015ad", "b094dac5d93471bdec1a502270e3cc6c"},
	{"16", KEY KEY, "cafebabefacedbaddecaf888",
		"feedfacedeadbeeffeedfacedeadbeefabaddad2", PLAIN, CIPHER,
	"76fc6ece0f4e1768cddf8853bb2d551b"},
};

static void
test_vectors(void)
{
	for (int i = 0; i < lengthof(vectors); i++)
	{
		const GcmVector *v = &vectors[i];
		unsigned char secret[32];
		unsigned char nonce[12];
		unsigned char header[32];
		unsigned char plain[64];
		unsigned char cipher[64];
		unsigned char tag[16];
		unsigned char out[64];
		unsigned char out_tag[16];
		char		what[100];
		GcmInput	input = {.secret = secret,.nonce = nonce};
		size_t		half;
		size_t		len = from_hex(v->plain, plain);

		from_hex(v->key, secret);
		from_hex(v->nonce, nonce);
		from_hex(v->cipher, cipher);
		from_hex(v->tag, tag);

		/* header and place follow each other; where they part is no matter */
		half = from_hex(v->header, header) / 2;
		input.header = header;
		input.header_len = half;
		input.place = header + half;
		input.place_len = half;

		snprintf(what, sizeof(what), "AES-256-GCM, case %s", v->what);
		ok(gcm_run(true, &input, plain, len, out, out_tag) == XERO_OPENED &&
		   memcmp(out, cipher, len) == 0 && memcmp(out_tag, tag, 16) == 0,
		   what);
		snprintf(what, sizeof(what), "AES-256-GCM, case %s back", v->what);
		ok(gcm_run(false, &input, cipher, len, out, tag) == XERO_OPENED &&
		   memcmp(out, plain, len) == 0, what);
	}
}

/* ---- sealed values ---- */

#define PLACE "token\0" "16384\0refresh"
#define PLACE_LEN (sizeof(PLACE) - 1)
#define TEXT "a refresh token, say"
#define TEXT_LEN (sizeof(TEXT) - 1)
#define SEALED_LEN (TEXT_LEN + XERO_SEAL_OVERHEAD)

static XeroKey
make_key(unsigned char byte)
{
	XeroKey		key;

	memset(key.secret, byte, sizeof(key.secret));
	signer_must(xero_key_identify(&key), "Bail out! no digest");
	return key;
}

/* Open a copy of exactly that size; is what a failure leaves behind zero? */
static XeroUnsealing
open_copy(const XeroKey *key, const void *place, size_t place_len,
		  const unsigned char *sealed, size_t len, bool *clean)
{
	unsigned char *copy = malloc(len);
	size_t		room = len > XERO_SEAL_OVERHEAD ? len - XERO_SEAL_OVERHEAD : 0;
	unsigned char *plain = calloc(1, room);
	XeroUnsealing result;

	memcpy(copy, sealed, len);
	result = xero_open(key, place, place_len, copy, len, plain);
	*clean = true;
	for (size_t i = 0; i < room; i++)
		*clean &= plain[i] == 0;
	free(copy);
	free(plain);
	return result;
}

static void
test_damage(const XeroKey *key, const unsigned char *sealed)
{
	bool		good = true;
	bool		clean = true;
	bool		this_clean;

	for (size_t i = 0; i < SEALED_LEN; i++)
	{
		XeroUnsealing expected = i == 0 ? XERO_OPEN_MALFORMED :
		i <= XERO_KEY_ID_LEN ? XERO_OPEN_OTHER_KEY : XERO_OPEN_TAMPERED;

		for (int bit = 0; bit < 8; bit++)
		{
			unsigned char changed[SEALED_LEN];

			memcpy(changed, sealed, SEALED_LEN);
			changed[i] ^= 1 << bit;
			good &= open_copy(key, PLACE, PLACE_LEN, changed, SEALED_LEN,
							  &this_clean) == expected;
			clean &= this_clean;
		}
	}
	ok(good, "a change of any bit is seen");
	ok(clean, "nothing is left of what was not opened");

	good = true;
	for (size_t len = 0; len < SEALED_LEN; len++)
		good &= open_copy(key, PLACE, PLACE_LEN, sealed, len, &this_clean) ==
			(len < XERO_SEAL_OVERHEAD ? XERO_OPEN_MALFORMED :
			 XERO_OPEN_TAMPERED);
	ok(good, "a cut value of any length is refused");

	good = true;
	for (size_t len = 0; len < PLACE_LEN; len++)
		good &= open_copy(key, PLACE, len, sealed, SEALED_LEN,
						  &this_clean) == XERO_OPEN_TAMPERED;
	ok(good, "a shorter place is another place");
	ok(open_copy(key, "token\0" "16385\0refresh", PLACE_LEN, sealed,
				 SEALED_LEN, &this_clean) == XERO_OPEN_TAMPERED,
	   "another row is another place");
}

static void
test_seal(void)
{
	XeroKey		key = make_key(1);
	XeroKey		other = make_key(2);
	XeroKey		impostor = other;
	unsigned char *sealed = malloc(SEALED_LEN);
	unsigned char *again = malloc(SEALED_LEN);
	unsigned char *empty = malloc(XERO_SEAL_OVERHEAD);
	unsigned char plain[TEXT_LEN];
	bool		clean;

	ok(xero_seal(&key, PLACE, PLACE_LEN, TEXT, TEXT_LEN, sealed), "sealed");
	ok(xero_open(&key, PLACE, PLACE_LEN, sealed, SEALED_LEN,
				 plain) == XERO_OPENED &&
	   memcmp(plain, TEXT, TEXT_LEN) == 0, "and opened");
	ok(memcmp(sealed + HEADER_LEN + NONCE_LEN, TEXT, 4) != 0,
	   "it cannot be read");
	ok(xero_seal(&key, PLACE, PLACE_LEN, TEXT, TEXT_LEN, again) &&
	   memcmp(sealed + HEADER_LEN, again + HEADER_LEN, NONCE_LEN) != 0 &&
	   memcmp(sealed + HEADER_LEN + NONCE_LEN, again + HEADER_LEN + NONCE_LEN,
			  TEXT_LEN) != 0, "the same value is never sealed the same way");

	ok(xero_seal(&key, NULL, 0, NULL, 0, empty) &&
	   xero_open(&key, NULL, 0, empty, XERO_SEAL_OVERHEAD,
				 NULL) == XERO_OPENED, "nothing, nowhere");
	ok(xero_open(&key, "x", 1, empty, XERO_SEAL_OVERHEAD,
				 NULL) == XERO_OPEN_TAMPERED, "nothing, elsewhere");

	ok(open_copy(&other, PLACE, PLACE_LEN, sealed, SEALED_LEN,
				 &clean) == XERO_OPEN_OTHER_KEY, "another key is recognised");
	memcpy(impostor.id, key.id, sizeof(key.id));
	ok(open_copy(&impostor, PLACE, PLACE_LEN, sealed, SEALED_LEN,
				 &clean) == XERO_OPEN_TAMPERED,
	   "another key under this one's name opens nothing");
	test_damage(&key, sealed);

	random_fails = true;
	ok(!xero_seal(&key, PLACE, PLACE_LEN, TEXT, TEXT_LEN, again),
	   "nothing is sealed without randomness");
	random_fails = false;
	ok(!xero_seal(&key, PLACE, PLACE_LEN, TEXT, (size_t) INT_MAX + 1, again) &&
	   !xero_seal(&key, PLACE, ((size_t) 1 << 32) + 1, TEXT, TEXT_LEN,
				  again) &&
	   xero_open(&key, PLACE, PLACE_LEN, sealed, (size_t) INT_MAX + 1,
				 plain) == XERO_OPEN_MALFORMED,
	   "what OpenSSL could not count is refused");
	free(sealed);
	free(again);
	free(empty);
}

/* ---- signatures ---- */

static const char rfc7515_n[] =
"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qP"
"CJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47s"
"oMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2"
"R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud"
"F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
static const char rfc7515_input[] =
"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0"
"dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
static const char rfc7515_signature[] =
"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4B"
"h-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZ"
"LgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d"
"O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6"
"LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

static void
test_rfc7515(void)
{
	XeroRsaKey	key = {{0}};
	unsigned char signature[XERO_RSA_LEN_MAX];
	size_t		len = 0;
	size_t		input_len = strlen(rfc7515_input);
	bool		good = true;

	ok(xero_base64url_decode(rfc7515_n, strlen(rfc7515_n), key.modulus,
							 sizeof(key.modulus), &key.modulus_len) &&
	   xero_base64url_decode("AQAB", 4, key.exponent, sizeof(key.exponent),
							 &key.exponent_len) &&
	   xero_base64url_decode(rfc7515_signature, strlen(rfc7515_signature),
							 signature, sizeof(signature), &len) &&
	   len == 256, "the parts of RFC 7515, A.2");
	ok(xero_rs256_verify(&key, rfc7515_input, input_len, signature,
						 len) == XERO_SIGNATURE_GOOD,
	   "the signature of RFC 7515, A.2");

	for (size_t i = 0; i < len; i++)
	{
		signature[i] ^= 1 << (i % 8);
		good &= xero_rs256_verify(&key, rfc7515_input, input_len, signature,
								  len) == XERO_SIGNATURE_WRONG;
		signature[i] ^= 1 << (i % 8);
	}
	ok(good, "a change of any byte of a signature is seen");
	good = true;
	for (size_t i = 0; i < input_len; i++)
		good &= xero_rs256_verify(&key, rfc7515_input, i, signature,
								  len) == XERO_SIGNATURE_WRONG;
	ok(good, "so is a cut of the data");
	good = true;
	for (size_t i = 0; i <= XERO_RSA_LEN_MAX; i++)
	{
		unsigned char *copy = calloc(1, i);

		if (i == len)
			memcpy(copy, signature, len - 1);
		else
			memcpy(copy, signature, Min(i, len));
		good &= xero_rs256_verify(&key, rfc7515_input, input_len, copy,
								  i) == XERO_SIGNATURE_WRONG;
		free(copy);
	}
	ok(good, "so is a signature of any other length");
	key.exponent[2] = 3;
	ok(xero_rs256_verify(&key, rfc7515_input, input_len, signature,
						 len) == XERO_SIGNATURE_WRONG, "another exponent");
}

static XeroSignature
verify_with(const XeroRsaKey *key, EVP_PKEY *signer, const EVP_MD *md,
			int padding)
{
	unsigned char signature[XERO_RSA_LEN_MAX];
	size_t		len = signer_sign(signer, md, padding, TEXT, TEXT_LEN,
								  signature);

	return xero_rs256_verify(key, TEXT, TEXT_LEN, signature, len);
}

static void
test_keys(void)
{
	EVP_PKEY   *pkey = signer_key(2048);
	EVP_PKEY   *other = signer_key(2048);
	EVP_PKEY   *weak = signer_key(2040);
	XeroRsaKey	key;
	XeroRsaKey	bad;

	signer_public(pkey, &key);
	ok(verify_with(&key, pkey, EVP_sha256(),
				   RSA_PKCS1_PADDING) == XERO_SIGNATURE_GOOD, "our own key");
	ok(verify_with(&key, other, EVP_sha256(),
				   RSA_PKCS1_PADDING) == XERO_SIGNATURE_WRONG,
	   "another's signature");
	ok(verify_with(&key, pkey, EVP_sha512(),
				   RSA_PKCS1_PADDING) == XERO_SIGNATURE_WRONG, "RS512");
	ok(verify_with(&key, pkey, EVP_sha1(),
				   RSA_PKCS1_PADDING) == XERO_SIGNATURE_WRONG, "SHA-1");
	ok(verify_with(&key, pkey, EVP_sha256(),
				   RSA_PKCS1_PSS_PADDING) == XERO_SIGNATURE_WRONG, "PS256");

	signer_public(weak, &bad);
	ok(verify_with(&bad, weak, EVP_sha256(),
				   RSA_PKCS1_PADDING) == XERO_SIGNATURE_BAD_KEY,
	   "a key of 2040 bits");
	memset(&bad, 0, sizeof(bad));
	ok(verify_with(&bad, pkey, EVP_sha256(),
				   RSA_PKCS1_PADDING) == XERO_SIGNATURE_BAD_KEY, "no key");
	bad = key;
	bad.modulus[bad.modulus_len - 1] ^= 1;
	ok(verify_with(&bad, pkey, EVP_sha256(),
				   RSA_PKCS1_PADDING) == XERO_SIGNATURE_BAD_KEY,
	   "an even modulus");
	bad = key;
	bad.modulus[0] = 0x7f;
	ok(verify_with(&bad, pkey, EVP_sha256(),
				   RSA_PKCS1_PADDING) == XERO_SIGNATURE_BAD_KEY, "2047 bits");
	bad = key;
	bad.exponent_len = 1;
	ok(bad.exponent[0] == 1 &&
	   verify_with(&bad, pkey, EVP_sha256(),
				   RSA_PKCS1_PADDING) == XERO_SIGNATURE_BAD_KEY,
	   "an exponent of 1");
	bad = key;
	bad.modulus_len = sizeof(bad.modulus) + 1;
	ok(verify_with(&bad, pkey, EVP_sha256(),
				   RSA_PKCS1_PADDING) == XERO_SIGNATURE_BAD_KEY,
	   "a modulus longer than its buffer");
	EVP_PKEY_free(pkey);
	EVP_PKEY_free(other);
	EVP_PKEY_free(weak);
}

int
main(void)
{
	test_digest();
	test_base64url();
	test_vectors();
	test_seal();
	test_rfc7515();
	test_keys();
	ok(ERR_peek_error() == 0, "OpenSSL's error queue is left empty");
	return done_testing();
}
