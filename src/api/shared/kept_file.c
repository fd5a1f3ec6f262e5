/*-------------------------------------------------------------------------
 *
 * kept_file.c
 *	  Files that keep what is in shared memory over a restart.
 *
 * The postmaster writes them when it stops, also when it is told to stop
 * immediately, and reads and removes them when it starts, so after a crash
 * there is none.  A backend that was stopped immediately may have been writing
 * to what is saved.
 *
 * A file that is damaged or of another version is left aside with a message:
 * nothing in it is needed.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <unistd.h>

#include "api/shared/kept_file.h"
#include "pgstat.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"

/* A record, followed by the sum of its bytes. */
static pg_crc32c
crc_of(const void *record, size_t size)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, record, size);
	FIN_CRC32C(crc);
	return crc;
}

static char *
path_of(const XeroKeptFile *file)
{
	return psprintf("%s/%s", PGSTAT_STAT_PERMANENT_DIRECTORY, file->name);
}

static bool
write_records(FILE *stream, const XeroKeptFile *file, const void *memory,
			  int count)
{
	void	   *record = palloc(file->record_size);

	if (fwrite(&file->magic, sizeof(file->magic), 1, stream) != 1)
		return false;
	for (int i = 0; i < count; i++)
	{
		pg_crc32c	crc;

		memset(record, 0, file->record_size);
		if (!file->save(memory, i, record))
			continue;
		crc = crc_of(record, file->record_size);
		if (fwrite(record, file->record_size, 1, stream) != 1 ||
			fwrite(&crc, sizeof(crc), 1, stream) != 1)
			return false;
	}
	return true;
}

void
xero_kept_save(const XeroKeptFile *file, const void *memory, int count)
{
	char	   *path = path_of(file);
	char	   *temporary = psprintf("%s.tmp", path);
	FILE	   *stream = AllocateFile(temporary, PG_BINARY_W);

	if (stream != NULL && write_records(stream, file, memory, count))
	{
		if (FreeFile(stream) == 0)
		{
			(void) durable_rename(temporary, path, LOG);
			return;
		}
		stream = NULL;
	}
	ereport(LOG,
			(errcode_for_file_access(),
			 errmsg("could not write file \"%s\": %m", temporary)));
	if (stream != NULL)
		FreeFile(stream);
	(void) unlink(temporary);
}

/* False if the file is not what xero_kept_save() writes. */
static bool
read_records(FILE *stream, const XeroKeptFile *file, void *memory)
{
	size_t		size = file->record_size + sizeof(pg_crc32c);
	char	   *record = palloc(size);
	uint32		found;
	size_t		got;

	if (fread(&found, sizeof(found), 1, stream) != 1 || found != file->magic)
		return false;
	for (int i = 0; (got = fread(record, 1, size, stream)) == size; i++)
	{
		pg_crc32c	crc;

		memcpy(&crc, record + file->record_size, sizeof(crc));
		if (!EQ_CRC32C(crc, crc_of(record, file->record_size)))
			return false;
		file->load(memory, i, record);
	}
	return got == 0 && !ferror(stream);
}

void
xero_kept_load(const XeroKeptFile *file, void *memory)
{
	char	   *path = path_of(file);
	FILE	   *stream = AllocateFile(path, PG_BINARY_R);

	if (stream == NULL)
	{
		if (errno != ENOENT)
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m", path)));
		return;
	}
	if (!read_records(stream, file, memory))
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("ignoring invalid data in file \"%s\"", path)));
	FreeFile(stream);
	(void) unlink(path);
}
