/*-------------------------------------------------------------------------
 *
 * keyfile.c
 *	  The key under which tokens are sealed.
 *
 * The file holds the 32 bytes of one key and nothing else.  It must be a
 * regular file of the server's own user that nobody else may read or write.
 * These are the rules of ssl_key_file with two differences.  A file of root's
 * with access for a group is refused, since the server makes and replaces this
 * file itself.  And it must be outside the data directory: a base backup, which
 * has all the sealed values, must not contain what opens them.  For the same
 * reason the path is absolute, and its last part is no symbolic link.
 *
 * The file is made complete under another name and then linked to its own,
 * which fails if that exists.  So there is never half a key, a key is never
 * overwritten, and of several backends that make one at once all get the same.
 *
 * The key is not kept.  It is needed only when a token is stored or a backend
 * gets it from the table, which is rare enough to read 32 bytes; so a replaced
 * file counts at once, and no backend's memory has the key for long.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/secret/keyfile.h"
#include "base/random.h"
#include "miscadmin.h"
#include "storage/fd.h"

static char *
folder_of(const char *path)
{
	char	   *folder = pstrdup(path);

	get_parent_directory(folder);
	return folder;
}

/* Could a key be there at all? */
static void
check_place(const char *path)
{
	char		folder[PATH_MAX];
	char		data[PATH_MAX];

	if (path == NULL || path[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no key file is configured"),
				 errdetail("Tokens are stored sealed with a key from a file outside the database."),
				 errhint("Set xero_fdw.key_file to an absolute path outside the data directory.")));
	if (!is_absolute_path(path))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("path of key file \"%s\" is not absolute", path),
				 errhint("Set xero_fdw.key_file to an absolute path outside the data directory.")));
	if (realpath(folder_of(path), folder) == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not access the directory of key file \"%s\": %m",
						path)));
	if (realpath(DataDir, data) == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not access directory \"%s\": %m", DataDir)));
	if (path_is_prefix_of_path(data, folder))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" is inside the data directory", path),
				 errdetail("Every base backup would contain it together with what it protects."),
				 errhint("Set xero_fdw.key_file to a path outside the data directory.")));
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
create_file(const char *path)
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
	temporary = psprintf("%s.%s.tmp", path, suffix_text);

	done = write_new_file(temporary, secret) &&
		(link(temporary, path) == 0 || errno == EEXIST);
	save_errno = errno;
	explicit_bzero(secret, sizeof(secret));
	(void) unlink(temporary);
	if (!done)
	{
		errno = save_errno;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create key file \"%s\": %m", path)));
	}
	/* nothing may be sealed with a key that a crash could take away */
	fsync_fname(folder_of(path), true);
}

/* May this open file be trusted with a key? */
static void
check_file(const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", path)));
	if (!S_ISREG(st.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" is not a regular file", path)));
	if (st.st_uid != geteuid())
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" is owned by another user", path),
				 errdetail("File must be owned by the user that runs the server.")));
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" has group or world access", path),
				 errdetail("File must have permissions u=rw (0600) or less.")));
	if (st.st_size != XERO_SECRET_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" is damaged", path),
				 errdetail("File has %lld bytes instead of %d.",
						   (long long) st.st_size, XERO_SECRET_LEN),
				 errhint("Restore the file from a backup. Without one, remove it and authorize the servers again.")));
}

/* Nothing is waited for, even if it is a pipe. */
static int
open_file(const char *path)
{
	return OpenTransientFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
							 PG_BINARY);
}

/* Say what errno means here. */
pg_noreturn static void
report_unopened(const char *path)
{
	if (errno == ELOOP)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" is a symbolic link", path),
				 errhint("Set xero_fdw.key_file to the file itself.")));
	if (errno == ENOENT)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("key file \"%s\" does not exist", path),
				 errdetail("Stored tokens cannot be opened without it."),
				 errhint("Restore the file from a backup. Without one, authorize the servers again.")));
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not open key file \"%s\": %m", path)));
}

void
xero_keyfile_read(const char *path, bool create, XeroKey *key)
{
	int			fd;

	check_place(path);
	fd = open_file(path);
	if (fd < 0 && errno == ENOENT && create)
	{
		create_file(path);
		fd = open_file(path);
	}
	if (fd < 0)
		report_unopened(path);
	check_file(path, fd);
	if (read(fd, key->secret, XERO_SECRET_LEN) != XERO_SECRET_LEN)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read key file \"%s\": %m", path)));
	CloseTransientFile(fd);
	if (!xero_key_identify(key))
	{
		explicit_bzero(key, sizeof(*key));
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not compute the digest of the key")));
	}
}
