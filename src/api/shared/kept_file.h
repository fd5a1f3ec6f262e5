/*-------------------------------------------------------------------------
 *
 * kept_file.h
 *	  Files that keep what is in shared memory over a restart.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_KEPT_FILE_H
#define XERO_KEPT_FILE_H

#include "compat.h"

typedef struct XeroKeptFile
{
	const char *name;			/* in the folder of the server's statistics */
	uint32		magic;			/* changes with the records */
	size_t		record_size;

	/* Fill in the record; false if there is nothing to keep. */
	bool		(*save) (const void *memory, int number, void *record);

	/* What was kept, in the same order.  It is as whoever wrote it left it. */
	void		(*load) (void *memory, int number, const void *record);
} XeroKeptFile;

/* Write "count" records.  What goes wrong is logged. */
extern void xero_kept_save(const XeroKeptFile *file, const void *memory,
						   int count);

/* Read and remove the file, if there is one. */
extern void xero_kept_load(const XeroKeptFile *file, void *memory);

#endif							/* XERO_KEPT_FILE_H */
