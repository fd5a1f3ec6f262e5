/*-------------------------------------------------------------------------
 *
 * scopes.h
 *	  Which scope of a consent covers an object.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SCOPES_H
#define XERO_SCOPES_H

#include "compat.h"

#include "catalog/catalog.h"

/* By Xero's granular names; for an object that cannot be written, to read. */
extern const char *xero_object_scope(const XeroObject *object, bool writes);

/* The same of the object that a request is about, NULL if that is unknown. */
extern const char *xero_path_scope(const char *path, bool writes);

#endif							/* XERO_SCOPES_H */
