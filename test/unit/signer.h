/*-------------------------------------------------------------------------
 *
 * signer.h
 *	  RSA keys made at run time, for the tests of what verifies signatures.
 *
 * Nothing is freed but what would hide a leak of the code under test.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SIGNER_H
#define XERO_SIGNER_H

#include <stdio.h>
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "api/http/crypto.h"

static inline void
signer_must(bool holds, const char *what)
{
	if (!holds)
	{
		puts(what);
		exit(2);
	}
}

/* The caller frees it with EVP_PKEY_free(). */
static inline EVP_PKEY *
signer_key(unsigned bits)
{
	EVP_PKEY   *pkey = EVP_RSA_gen(bits);

	signer_must(pkey != NULL, "Bail out! no RSA key");
	return pkey;
}

static inline void
signer_public(EVP_PKEY *pkey, XeroRsaKey *key)
{
	BIGNUM	   *n = NULL;
	BIGNUM	   *e = NULL;

	memset(key, 0, sizeof(*key));
	signer_must(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
				EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
				BN_num_bytes(n) <= (int) sizeof(key->modulus),
				"Bail out! no public part");
	key->modulus_len = BN_bn2bin(n, key->modulus);
	key->exponent_len = BN_bn2bin(e, key->exponent);
	BN_free(n);
	BN_free(e);
}

/* The length of the signature, which has room for XERO_RSA_LEN_MAX bytes. */
static inline size_t
signer_sign(EVP_PKEY *pkey, const EVP_MD *md, int padding,
			const void *data, size_t len, unsigned char *signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	size_t		signature_len = XERO_RSA_LEN_MAX;

	signer_must(EVP_DigestSignInit(ctx, &pctx, md, NULL, pkey) == 1 &&
				EVP_PKEY_CTX_set_rsa_padding(pctx, padding) == 1 &&
				EVP_DigestSign(ctx, signature, &signature_len, data, len) == 1,
				"Bail out! cannot sign");
	EVP_MD_CTX_free(ctx);
	return signature_len;
}

#endif							/* XERO_SIGNER_H */
