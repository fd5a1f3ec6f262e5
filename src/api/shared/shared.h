/*-------------------------------------------------------------------------
 *
 * shared.h
 *	  The one piece of shared memory of this extension.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SHARED_H
#define XERO_SHARED_H

#include "compat.h"

#include "utils/guc.h"

/*
 * A part of it, which belongs to one file.  Nothing in there is a pointer or
 * otherwise means anything in one process only.
 */
typedef struct XeroSharedPart
{
	int			(*length) (void);	/* how many elements settings want; NULL
									 * for a part whose size never changes */
	Size		(*size) (int length);
	void		(*initialize) (void *memory, int length, int tranche);
	void		(*load) (void *memory); /* when the server starts, or NULL */
	void		(*save) (void *memory); /* when it stops, or NULL */
	void	   *memory;			/* set by shared.c; NULL if this backend has
								 * not attached yet */
} XeroSharedPart;

/* In _PG_init, always in the same order. */
extern void xero_shared_register(XeroSharedPart *part);

/* After all parts are registered: sets the hooks. */
extern void xero_shared_init(void);

/* Of the settings that lengths come from. */
extern GucContext xero_shared_setting_context(void);

/* Is there shared memory, or can there be? */
extern bool xero_shared_exists(void);

/* Raises an ERROR 55000 if there is no shared memory. */
extern void xero_shared_attach(void);

/* The part's memory; raises the same ERROR. */
extern void *xero_shared_part(XeroSharedPart *part);

#endif							/* XERO_SHARED_H */
