/*-------------------------------------------------------------------------
 *
 * version.h
 *	  The version of the library.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_VERSION_H
#define XERO_VERSION_H

#include "compat.h"

#define XERO_FDW_VERSION "1.0"

#endif							/* XERO_VERSION_H */
