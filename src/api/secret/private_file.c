/*-------------------------------------------------------------------------
 *
 * private_file.c
 *	  A file with a secret, which only the server may read.
 *
 * It must be a regular file of the server's own user that nobody else may read
 * or write.  These are the rules of ssl_key_file with two differences.  A file
 * of root's with access for a group is refused.  And it must be outside the
 * data directory, so that no base backup has it.  For the same reason the path
 * is absolute, and its last part is no symbolic link.
 *
 * Where such a file is, superusers are told and nobody else.  The one who is
 * told is the user of the session, since the tables with secrets are read as
 * their owner; and never a worker, whose errors others get to hear.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/secret/private_file.h"
#include "miscadmin.h"
#include "storage/fd.h"

const char *
xero_private_file_name(const XeroPrivateFile *file)
{
	if (MyBackendType == B_BG_WORKER || !superuser_arg(GetOuterUserId()))
		return file->kind;
	return psprintf("%s \"%s\"", file->kind, file->path);
}

/* Could it be there at all? */
static void
check_place(const XeroPrivateFile *file)
{
	char	   *parent = pstrdup(file->path);
	char		folder[PATH_MAX];
	char		data[PATH_MAX];

	if (!is_absolute_path(file->path))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("path of %s is not absolute",
						xero_private_file_name(file)),
				 errhint("Set %s to an absolute path outside the data directory.",
						 file->setting)));
	get_parent_directory(parent);
	if (realpath(parent, folder) == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not access the directory of %s: %m",
						xero_private_file_name(file))));
	if (realpath(DataDir, data) == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not access the data directory: %m")));
	if (path_is_prefix_of_path(data, folder))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("%s is inside the data directory",
						xero_private_file_name(file)),
				 errdetail("Every base backup would contain it."),
				 errhint("Set %s to an absolute path outside the data directory.",
						 file->setting)));
}

/* May this open file be trusted with a secret?  Returns its length. */
static int64
check_file(const XeroPrivateFile *file, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat %s: %m", xero_private_file_name(file))));
	if (!S_ISREG(st.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("%s is not a regular file",
						xero_private_file_name(file))));
	if (st.st_uid != geteuid())
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("%s is owned by another user",
						xero_private_file_name(file)),
				 errdetail("File must be owned by the user that runs the server.")));
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("%s has group or world access",
						xero_private_file_name(file)),
				 errdetail("File must have permissions u=rw (0600) or less.")));
	return st.st_size;
}

/* Nothing is waited for, even if it is a pipe; -1 if there is none. */
static int
open_file(const XeroPrivateFile *file)
{
	int			fd = OpenTransientFile(file->path, O_RDONLY | O_NOFOLLOW |
									   O_NONBLOCK | PG_BINARY);

	if (fd < 0 && errno == ELOOP)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("%s is a symbolic link", xero_private_file_name(file)),
				 errhint("Set %s to the file itself.", file->setting)));
	if (fd < 0 && errno != ENOENT)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open %s: %m", xero_private_file_name(file))));
	return fd;
}

int64
xero_private_file_read(const XeroPrivateFile *file, void *content, size_t size)
{
	int			fd;
	int64		len;

	check_place(file);
	fd = open_file(file);
	if (fd < 0)
		return -1;
	len = check_file(file, fd);
	errno = 0;
	if (read(fd, content, size) != Min(len, size))
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read %s: %m", xero_private_file_name(file))));
	CloseTransientFile(fd);
	return len;
}
