#include "issuer/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

/* The name itself must be durable too. */
static bool sync_directory(const char *path, struct cs_error *err)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int fd;
	bool ok;

	dir = slash == NULL   ? cs_mem_strdup(".")
	      : slash == path ? cs_mem_strdup("/")
			      : cs_mem_strndup(path, (size_t)(slash - path));
	if (dir == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (!ok)
		cs_error_set_errno(err, CS_E_IO, errno, "%s", dir);
	if (fd >= 0)
		close(fd);
	cs_mem_free(dir);
	return ok;
}

bool cs_newfile_write(const char *path, mode_t mode, struct cs_span bytes,
		      struct cs_error *err)
{
	int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		     mode);
	bool ok;

	if (fd < 0)
		return cs_error_set_errno(
			err, errno == EEXIST ? CS_E_EXISTS : CS_E_IO, errno,
			"%s", path);
	/* Not the umask's business: 0644 must be readable by clients. */
	ok = fchmod(fd, mode) == 0 && cs_fd_write(fd, bytes) && fsync(fd) == 0;
	if (!ok)
		cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
	if (close(fd) != 0 && ok)
		ok = cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
	return ok && sync_directory(path, err);
}
