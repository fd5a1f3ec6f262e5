/*-------------------------------------------------------------------------
 *
 * reseal.h
 *	  Stored secrets, sealed anew.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_RESEAL_H
#define XERO_RESEAL_H

#include "compat.h"

/* How many values were sealed with the key in that file. */
extern int64 xero_reseal_with_key(const char *old_key_file);

/* A server has another name: its consents and organisations go with it. */
extern void xero_reseal_for_name(const char *old_name, const char *new_name);

#endif							/* XERO_RESEAL_H */
