/*-------------------------------------------------------------------------
 *
 * bad_text.h
 *	  The setting for texts that PostgreSQL cannot store.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_BAD_TEXT_H
#define XERO_BAD_TEXT_H

#include "compat.h"

extern void xero_bad_text_init(void);

#endif							/* XERO_BAD_TEXT_H */
