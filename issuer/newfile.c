#include "issuer/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"

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
	return ok && cs_file_sync_folder(path, err);
}
