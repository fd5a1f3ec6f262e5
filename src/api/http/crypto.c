/*-------------------------------------------------------------------------
 *
 * crypto.c
 *	  Sealing, signatures, digests and base64url: the only file that knows
 *	  OpenSSL.
 *
 * Every function makes and frees its own OpenSSL objects and has no way out
 * but its end: no error is raised here.  OpenSSL's error queue, which the
 * server's own TLS code shares, is left empty.  The reasons in it are not
 * reported: for us a value opens or it does not.
 *
 * A sealed value is
 *		version (1 byte) | key id (8) | nonce (12) | ciphertext | tag (16)
 * by AES-256-GCM; version and key id are authenticated together with the
 * caller's place.  The nonce is random, which is safe for 2^32 values under
 * one key.
 *
 * SHA-256 is OpenSSL's, not that of PostgreSQL's common/cryptohash.h, whose
 * contexts are palloc'ed and belong to a resource owner: here they could not
 * be used without a server around them.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <limits.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "api/http/crypto.h"

#define SEAL_VERSION 1
#define HEADER_LEN (1 + XERO_KEY_ID_LEN)
#define NONCE_LEN 12
#define TAG_LEN 16

StaticAssertDecl(XERO_SEAL_OVERHEAD == HEADER_LEN + NONCE_LEN + TAG_LEN,
				 "overhead of a sealed value");

/* What AES-GCM works on, besides the data. */
typedef struct GcmInput
{
	const unsigned char *secret;
	const unsigned char *nonce;
	const void *header;
	size_t		header_len;
	const void *place;
	size_t		place_len;
} GcmInput;

bool
xero_sha256(const void *data, size_t len,
			unsigned char digest[XERO_SHA256_LEN])
{
	bool		done = EVP_Digest(data, len, digest, NULL, EVP_sha256(),
								  NULL) == 1;

	ERR_clear_error();
	return done;
}

bool
xero_key_identify(XeroKey *key)
{
	unsigned char digest[XERO_SHA256_LEN];
	bool		done = xero_sha256(key->secret, XERO_SECRET_LEN, digest);

	memcpy(key->id, digest, XERO_KEY_ID_LEN);
	explicit_bzero(digest, sizeof(digest));
	return done;
}

/* Feed what is authenticated but not stored.  OpenSSL counts in ints. */
static bool
gcm_add(EVP_CIPHER_CTX *ctx, const void *data, size_t len)
{
	int			ignored;

	return len <= INT_MAX &&
		(len == 0 ||
		 EVP_CipherUpdate(ctx, NULL, &ignored, data, (int) len) == 1);
}

/*
 * Encrypt and write the tag, or decrypt and compare the tag, which is the last
 * step and the only one that can say XERO_OPEN_TAMPERED.
 */
static XeroUnsealing
gcm_run(bool encrypt, const GcmInput *input,
		const unsigned char *from, size_t len, unsigned char *to,
		unsigned char *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char nothing[TAG_LEN];
	int			written = 0;
	XeroUnsealing result = XERO_OPEN_FAILED;

	if (ctx != NULL && len <= INT_MAX &&
		EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, input->secret,
						  input->nonce, encrypt) == 1 &&
		gcm_add(ctx, input->header, input->header_len) &&
		gcm_add(ctx, input->place, input->place_len) &&
		(len == 0 ||
		 EVP_CipherUpdate(ctx, to, &written, from, (int) len) == 1) &&
		written == (int) len &&
		(encrypt ||
		 EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1))
	{
		if (EVP_CipherFinal_ex(ctx, nothing, &written) != 1)
			result = XERO_OPEN_TAMPERED;
		else if (!encrypt ||
				 EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN,
									 tag) == 1)
			result = XERO_OPENED;
	}
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return result;
}

bool
xero_seal(const XeroKey *key, const void *place, size_t place_len,
		  const void *plain, size_t len, unsigned char *sealed)
{
	unsigned char *nonce = sealed + HEADER_LEN;
	unsigned char *content = nonce + NONCE_LEN;
	GcmInput	input = {
		.secret = key->secret,
		.nonce = nonce,
		.header = sealed,
		.header_len = HEADER_LEN,
		.place = place,
		.place_len = place_len
	};

	if (len > INT_MAX || !pg_strong_random(nonce, NONCE_LEN))
		return false;
	sealed[0] = SEAL_VERSION;
	memcpy(sealed + 1, key->id, XERO_KEY_ID_LEN);
	return gcm_run(true, &input, plain, len, content,
				   content + len) == XERO_OPENED;
}

XeroUnsealing
xero_open(const XeroKey *key, const void *place, size_t place_len,
		  const unsigned char *sealed, size_t len, unsigned char *plain)
{
	const unsigned char *content;
	unsigned char tag[TAG_LEN];
	XeroUnsealing result;
	GcmInput	input = {
		.secret = key->secret,
		.header = sealed,
		.header_len = HEADER_LEN,
		.place = place,
		.place_len = place_len
	};

	if (len < XERO_SEAL_OVERHEAD || len > INT_MAX ||
		sealed[0] != SEAL_VERSION)
		return XERO_OPEN_MALFORMED;
	if (memcmp(sealed + 1, key->id, XERO_KEY_ID_LEN) != 0)
		return XERO_OPEN_OTHER_KEY;

	input.nonce = sealed + HEADER_LEN;
	content = input.nonce + NONCE_LEN;
	len -= XERO_SEAL_OVERHEAD;
	memcpy(tag, content + len, TAG_LEN);
	result = gcm_run(false, &input, content, len, plain, tag);
	/* GCM decrypts before it has seen the tag */
	if (result != XERO_OPENED && len > 0)
		explicit_bzero(plain, len);
	return result;
}

/* OpenSSL itself takes shorter keys, and sometimes more than a key. */
static bool
is_plausible(const XeroRsaKey *key)
{
	size_t		bits = key->modulus_len * 8;

	if (key->modulus_len == 0 || key->modulus_len > sizeof(key->modulus) ||
		key->exponent_len == 0 || key->exponent_len > sizeof(key->exponent) ||
		key->modulus[0] == 0 || key->exponent[0] == 0)
		return false;
	for (unsigned char top = key->modulus[0]; top < 0x80; top <<= 1)
		bits--;

	/* both are odd, and an exponent of 1 would sign nothing */
	return bits >= XERO_RSA_BITS_MIN &&
		key->modulus[key->modulus_len - 1] % 2 == 1 &&
		key->exponent[key->exponent_len - 1] % 2 == 1 &&
		!(key->exponent_len == 1 && key->exponent[0] == 1);
}

/* The caller frees it; NULL if that is no key or there is no memory. */
static EVP_PKEY *
make_public_key(const XeroRsaKey *key)
{
	BIGNUM	   *n = BN_bin2bn(key->modulus, (int) key->modulus_len, NULL);
	BIGNUM	   *e = BN_bin2bn(key->exponent, (int) key->exponent_len, NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY   *pkey = NULL;

	if (n != NULL && e != NULL && builder != NULL && ctx != NULL &&
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		params = OSSL_PARAM_BLD_to_param(builder);
	if (params != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
	{
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_BLD_free(builder);
	BN_free(e);
	BN_free(n);
	return pkey;
}

XeroSignature
xero_rs256_verify(const XeroRsaKey *key, const void *data, size_t len,
				  const unsigned char *signature, size_t signature_len)
{
	XeroSignature result = XERO_SIGNATURE_BAD_KEY;
	EVP_PKEY   *pkey;
	EVP_MD_CTX *ctx;

	if (!is_plausible(key))
		return XERO_SIGNATURE_BAD_KEY;
	pkey = make_public_key(key);
	ctx = EVP_MD_CTX_new();
	if (pkey != NULL && ctx != NULL)
		result = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL,
									  pkey) == 1 &&
			EVP_DigestVerify(ctx, signature, signature_len, data, len) == 1 ?
			XERO_SIGNATURE_GOOD : XERO_SIGNATURE_WRONG;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return result;
}

static const char base64url[] =
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
xero_base64url_encode(const unsigned char *data, size_t len, char *text)
{
	uint32		bits = 0;
	int			nbits = 0;

	for (size_t i = 0; i < len; i++)
	{
		bits = (bits << 8 | data[i]) & 0xffff;
		for (nbits += 8; nbits >= 6; nbits -= 6)
			*text++ = base64url[(bits >> (nbits - 6)) & 63];
	}
	if (nbits > 0)
		*text++ = base64url[(bits << (6 - nbits)) & 63];
	*text = '\0';
}

/* -1 if it is none of the 64. */
static int
digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool
xero_base64url_decode(const char *text, size_t len,
					  unsigned char *data, size_t size, size_t *written)
{
	uint32		bits = 0;
	int			nbits = 0;
	size_t		n = 0;

	/* a last character on its own would be less than a byte */
	if (len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		int			value = digit_value(text[i]);

		if (value < 0)
			return false;
		bits = (bits << 6 | value) & 0xffff;
		nbits += 6;
		if (nbits >= 8)
		{
			if (n >= size)
				return false;
			nbits -= 8;
			data[n++] = (bits >> nbits) & 0xff;
		}
	}
	/* left-over bits must be zero, or several texts would mean the same */
	if ((bits & ((1u << nbits) - 1)) != 0)
		return false;
	*written = n;
	return true;
}
