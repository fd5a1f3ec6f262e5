/*-------------------------------------------------------------------------
 *
 * keyfile.h
 *	  The key under which stored secrets are sealed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_KEYFILE_H
#define XERO_KEYFILE_H

#include "compat.h"

#include "api/http/crypto.h"

/*
 * Read the key from the file of this path, which stands in "setting" (NULL and ""
 * mean that it is not set).  "create" makes the file if it does not exist: for sealing only,
 * since a new key opens nothing that is already sealed.  The caller wipes the
 * key.  An error is raised if there is no such file or it cannot be trusted.
 */
extern void xero_keyfile_read(const char *path, const char *setting,
							  bool create, XeroKey *key);

/* "key file", and the path, if the user may know that. */
extern const char *xero_keyfile_name(const char *path);

#endif							/* XERO_KEYFILE_H */
