/*-------------------------------------------------------------------------
 *
 * keyfile.c
 *	  The key under which stored secrets are sealed.
 *
 * The file holds the 32 bytes of one key and nothing else, and is private
 * (private_file.c).  The server makes and replaces it itself; it is outside the
 * data directory since a base backup, which has all the sealed values, must not
 * contain what opens them.
 *
 * The file is made complete under another name and then linked to its own,
 * which fails if that exists.  So there is never half a key, a key is never
 * overwritten, and of several backends that make one at once all get the same.
 *
 * The key is not kept.  It is needed only when a secret is stored or taken
 * from its table, which is rare enough to read 32 bytes; so a replaced
 * file counts at once, and no backend's memory has the key for long.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/secret/keyfile.h"
#include "api/secret/private_file.h"
#include "base/random.h"
#include "storage/fd.h"

static char *
folder_of(const char *path)
{
	char	   *folder = pstrdup(path);

	get_parent_directory(folder);
	return folder;
}

/* Write a new key to a file that does not exist yet; on failure, see errno. */
static bool
write_new_file(const char *path, const unsigned char *secret)
{
	int			fd = OpenTransientFilePerm(path, O_CREAT | O_EXCL | O_WRONLY |
										   PG_BINARY, S_IRUSR | S_IWUSR);
	ssize_t		written;
	bool		done;
	int			save_errno;

	if (fd < 0)
		return false;
	errno = 0;
	written = write(fd, secret, XERO_SECRET_LEN);
	/* a short write that does not say why is for want of space */
	if (written >= 0 && written != XERO_SECRET_LEN)
		errno = ENOSPC;
	done = written == XERO_SECRET_LEN && pg_fsync(fd) == 0;
	save_errno = errno;
	if (CloseTransientFile(fd) != 0 && done)
		return false;
	errno = save_errno;
	return done;
}

/* Make the file with a new key, unless another backend is faster. */
static void
create_file(const XeroPrivateFile *file)
{
	unsigned char secret[XERO_SECRET_LEN];
	unsigned char suffix[8];
	char		suffix_text[XERO_BASE64URL_LEN(sizeof(suffix)) + 1];
	char	   *temporary;
	bool		done;
	int			save_errno;

	xero_random_bytes(secret, sizeof(secret));
	xero_random_bytes(suffix, sizeof(suffix));
	xero_base64url_encode(suffix, sizeof(suffix), suffix_text);
	temporary = psprintf("%s.%s.tmp", file->path, suffix_text);

	done = write_new_file(temporary, secret) &&
		(link(temporary, file->path) == 0 || errno == EEXIST);
	save_errno = errno;
	explicit_bzero(secret, sizeof(secret));
	(void) unlink(temporary);
	if (!done)
	{
		errno = save_errno;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create %s: %m", xero_private_file_name(file))));
	}
	/* nothing may be sealed with a key that a crash could take away */
	fsync_fname(folder_of(file->path), true);
}

/* The file of that path; NULL and "" mean that none is configured. */
static XeroPrivateFile
key_file_at(const char *path, const char *setting)
{
	XeroPrivateFile file = {"key file", path, setting};

	if (path == NULL || path[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no key file is configured"),
				 errdetail("Secrets are stored sealed with a key from a file outside the database."),
				 errhint("Set %s to an absolute path outside the data directory.",
						 setting)));
	return file;
}

const char *
xero_keyfile_name(const char *path)
{
	XeroPrivateFile file = key_file_at(path, NULL);

	return xero_private_file_name(&file);
}

void
xero_keyfile_read(const char *path, const char *setting, bool create,
				  XeroKey *key)
{
	XeroPrivateFile file = key_file_at(path, setting);
	int64		len = xero_private_file_read(&file, key->secret,
											 XERO_SECRET_LEN);

	if (len < 0 && create)
	{
		create_file(&file);
		len = xero_private_file_read(&file, key->secret, XERO_SECRET_LEN);
	}
	if (len < 0)
	{
		errno = ENOENT;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("%s does not exist", xero_private_file_name(&file)),
				 errdetail("Stored secrets cannot be opened without it."),
				 errhint("Restore the file from a backup. Without one, authorize the servers again, and set the client secrets anew.")));
	}
	if (len != XERO_SECRET_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("%s is damaged", xero_private_file_name(&file)),
				 errdetail("File has %lld bytes instead of %d.",
						   (long long) len, XERO_SECRET_LEN),
				 errhint("Restore the file from a backup. Without one, remove it, authorize the servers again, and set the client secrets anew.")));
	if (!xero_key_identify(key))
	{
		explicit_bzero(key, sizeof(*key));
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not compute the digest of the key")));
	}
}
