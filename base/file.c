#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

bool cs_file_sync_folder(const char *path, struct cs_error *err)
{
	char folder[PATH_MAX];
	char *slash;
	int fd;
	bool ok;

	if ((size_t)snprintf(folder, sizeof(folder), "%s", path) >=
	    sizeof(folder))
		return cs_error_set(err, CS_E_ARGUMENT, "%s: too long", path);
	slash = strrchr(folder, '/');
	if (slash == NULL)
		(void)snprintf(folder, sizeof(folder), ".");
	else
		slash[slash == folder ? 1 : 0] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", folder);
	ok = fsync(fd) == 0;
	if (!ok)
		cs_error_set_errno(err, CS_E_IO, errno, "%s: fsync", folder);
	close(fd);
	return ok;
}

bool cs_file_replace(const char *path, unsigned mode, struct cs_span bytes,
		     struct cs_error *err)
{
	char next[PATH_MAX];
	int fd;
	bool ok;

	if ((size_t)snprintf(next, sizeof(next), "%s.tmp", path) >=
	    sizeof(next))
		return cs_error_set(err, CS_E_ARGUMENT, "%s: too long", path);
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		  mode);
	if (fd < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", next);
	ok = cs_fd_write(fd, bytes) && fsync(fd) == 0;
	if (!ok)
		cs_error_set_errno(err, CS_E_IO, errno, "%s", next);
	if (close(fd) != 0 && ok)
		ok = cs_error_set_errno(err, CS_E_IO, errno, "%s", next);
	if (ok && rename(next, path) != 0)
		ok = cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
	if (!ok)
		(void)unlink(next);
	return ok && cs_file_sync_folder(path, err);
}

bool cs_file_read(const char *path, struct cs_buf *out, struct cs_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	bool ok;

	if (fd < 0)
		return cs_error_set_errno(
			err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, errno,
			"%s", path);
	ok = cs_fd_read(fd, path, out, err);
	close(fd);
	return ok;
}
