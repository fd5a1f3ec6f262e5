/*-------------------------------------------------------------------------
 *
 * init.h
 *	  What this layer must do when the library is loaded.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_API_INIT_H
#define XERO_API_INIT_H

#include "compat.h"

/*
 * To be called by _PG_init, before the prefix "xero_fdw" is reserved: defines
 * the variables of this layer and, in the postmaster, asks for shared memory.
 */
extern void xero_api_init(void);

#endif							/* XERO_API_INIT_H */
