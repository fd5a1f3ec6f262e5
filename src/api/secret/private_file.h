/*-------------------------------------------------------------------------
 *
 * private_file.h
 *	  A file with a secret, which only the server may read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_PRIVATE_FILE_H
#define XERO_PRIVATE_FILE_H

#include "compat.h"

typedef struct XeroPrivateFile
{
	const char *kind;			/* as messages call it */
	const char *path;
	const char *setting;		/* where the path is set */
} XeroPrivateFile;

/* Its kind, and its path, if the user may know that. */
extern const char *xero_private_file_name(const XeroPrivateFile *file);

/*
 * Read up to "size" bytes of it: how many the whole file has.  -1 if there is
 * no such file; ERROR if it cannot be trusted.
 */
extern int64 xero_private_file_read(const XeroPrivateFile *file,
									void *content, size_t size);

#endif							/* XERO_PRIVATE_FILE_H */
