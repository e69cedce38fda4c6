#include "kube/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"

bool cs_kube_file_read(const char *path, size_t max, struct cs_buf *ret_text,
		       struct cs_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct cs_buf b = {0};
	bool ok;

	if (fd < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
	cs_buf_init(&b, max);
	ok = cs_fd_read(fd, path, &b, err);
	close(fd);
	if (!ok) {
		cs_buf_done(&b);
		return false;
	}
	while (b.n > 0 && (b.p[b.n - 1] == '\n' || b.p[b.n - 1] == '\r'))
		cs_buf_truncate(&b, b.n - 1);
	cs_buf_done(ret_text);
	*ret_text = b;
	return true;
}
