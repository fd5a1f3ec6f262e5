/*-------------------------------------------------------------------------
 *
 * crypto.h
 *	  Sealing, signatures, digests and base64url.
 *
 * Nothing here allocates from PostgreSQL or raises an error; all results go
 * to buffers of the caller.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_CRYPTO_H
#define XERO_CRYPTO_H

#include "compat.h"

#define XERO_SECRET_LEN 32
#define XERO_KEY_ID_LEN 8
#define XERO_SHA256_LEN 32

/* A sealed value is longer than what is in it: version, key, nonce, tag. */
#define XERO_SEAL_OVERHEAD (1 + XERO_KEY_ID_LEN + 12 + 16)

/* Without the terminating zero byte. */
#define XERO_BASE64URL_LEN(len) (((len) * 4 + 2) / 3)

/* 2048 to 4096 bits; XERO_RSA_LEN_MAX is also the longest signature's. */
#define XERO_RSA_BITS_MIN 2048
#define XERO_RSA_LEN_MAX 512

/* Whoever has one wipes it after use (explicit_bzero). */
typedef struct XeroKey
{
	unsigned char id[XERO_KEY_ID_LEN];	/* no secret */
	unsigned char secret[XERO_SECRET_LEN];
} XeroKey;

typedef enum XeroUnsealing
{
	XERO_OPENED,
	XERO_OPEN_MALFORMED,		/* nothing that xero_seal() made */
	XERO_OPEN_OTHER_KEY,		/* sealed with another key */
	XERO_OPEN_TAMPERED,			/* changed, or sealed for another place */
	XERO_OPEN_FAILED			/* out of memory and the like */
} XeroUnsealing;

/* A public key, as in a JWKS; big-endian, the first byte is not zero. */
typedef struct XeroRsaKey
{
	unsigned char modulus[XERO_RSA_LEN_MAX];
	size_t		modulus_len;
	unsigned char exponent[8];
	size_t		exponent_len;
} XeroRsaKey;

typedef enum XeroSignature
{
	XERO_SIGNATURE_GOOD,
	XERO_SIGNATURE_WRONG,
	XERO_SIGNATURE_BAD_KEY		/* too short, or no RSA key at all */
} XeroSignature;

/* False if OpenSSL cannot; "digest" is undefined then. */
extern bool xero_sha256(const void *data, size_t len,
						unsigned char digest[XERO_SHA256_LEN]);

/* Fill in the id of a key whose secret is set.  False if OpenSSL cannot. */
extern bool xero_key_identify(XeroKey *key);

/*
 * Seal "len" bytes into "sealed", which has room for len + XERO_SEAL_OVERHEAD.
 * The place, which is not stored, must be given again for opening; it should
 * say where the sealed value belongs (its row), so that one cannot stand in for
 * another.  False if there is no randomness or OpenSSL cannot.
 */
extern bool xero_seal(const XeroKey *key, const void *place, size_t place_len,
					  const void *plain, size_t len, unsigned char *sealed);

/*
 * Open "len" sealed bytes into "plain", which has room for
 * len - XERO_SEAL_OVERHEAD, and none if len is smaller.  Unless the result is
 * XERO_OPENED, nothing is left there.
 */
extern XeroUnsealing xero_open(const XeroKey *key,
							   const void *place, size_t place_len,
							   const unsigned char *sealed, size_t len,
							   unsigned char *plain);

/* Is this the RS256 (RSASSA-PKCS1-v1_5 with SHA-256) signature of the data? */
extern XeroSignature xero_rs256_verify(const XeroRsaKey *key,
									   const void *data, size_t len,
									   const unsigned char *signature,
									   size_t signature_len);

/*
 * base64url without padding.  The encoder writes XERO_BASE64URL_LEN(len)
 * characters and a zero byte.  The decoder takes nothing but what the encoder
 * writes, sets "written", and is false if the text is something else or its
 * content longer than "size".
 */
extern void xero_base64url_encode(const unsigned char *data, size_t len,
								  char *text);
extern bool xero_base64url_decode(const char *text, size_t len,
								  unsigned char *data, size_t size,
								  size_t *written);

#endif							/* XERO_CRYPTO_H */
