/*-------------------------------------------------------------------------
 *
 * vault.h
 *	  Secrets as they are stored: sealed, each for its place.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_VAULT_H
#define XERO_VAULT_H

#include "compat.h"

/* Columns that are sealed; the others are of tokens. */
#define XERO_CLIENT_SECRET_COLUMN "client_secret"

/* Where a sealed value belongs, within this database. */
typedef struct XeroSealPlace
{
	const char *server;			/* its name */
	Oid			roleid;			/* of the user mapping; InvalidOid: PUBLIC's */
	const char *client_id;
	const char *column;
} XeroSealPlace;

/* In _PG_init: defines xero_fdw.key_file. */
extern void xero_vault_init(void);

/* ERROR if the key file cannot be used as it is. */
extern void xero_vault_check(void);

/*
 * Seal a secret for its place, with the key of xero_fdw.key_file, which is
 * made if there is none.
 */
extern bytea *xero_vault_seal(const XeroSealPlace *place, const char *secret);

/*
 * The secret that was sealed for that place; the caller wipes it.  ERROR if
 * there is no key or it does not open.
 */
extern char *xero_vault_open(const XeroSealPlace *place, const bytea *sealed);

/*
 * Seal a value anew that was sealed with the key in that file.  NULL if it is
 * sealed with the present key already.
 */
extern bytea *xero_vault_reseal(const XeroSealPlace *place, const bytea *sealed,
								const char *old_key_file);

#endif							/* XERO_VAULT_H */
