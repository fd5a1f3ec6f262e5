/*-------------------------------------------------------------------------
 *
 * scopes.h
 *	  Which scope of a consent covers an object, and who can have it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SCOPES_H
#define XERO_SCOPES_H

#include "compat.h"

#include "catalog/catalog.h"

/* By Xero's granular names; for an object that cannot be written, to read. */
extern const char *xero_object_scope(const XeroObject *object, bool writes);

/* What a table needs besides, as its rows are below the records; or NULL. */
extern const char *xero_below_scope(const XeroObject *object);

/* The scope of what a request is about, NULL if that is unknown. */
extern const char *xero_path_scope(const char *path, bool writes);

/* A scope that Xero does not grant to every application. */
typedef struct XeroClosedScope
{
	const char *name;			/* without ".read"; a prefix if it ends with a
								 * dot */
	const char *grantees;		/* who can have it, as a sentence */
	const char *instead;		/* what others can do, or NULL */
} XeroClosedScope;

/* What is to be known of a scope of "len" bytes; NULL if it is open to all. */
extern const XeroClosedScope *xero_closed_scope(const char *scope, size_t len);

/*
 * Do the scopes that were granted, with blanks between, cover this one?  To
 * write covers to read, and a broad scope those that it was divided into.
 */
extern bool xero_scope_is_granted(const char *granted, const char *scope);

#endif							/* XERO_SCOPES_H */
