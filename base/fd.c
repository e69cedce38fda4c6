#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

/* Read at once. */
#define PIECE 4096

bool cs_fd_write(int fd, struct cs_span bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return false;
		bytes = cs_span_sub(bytes, (size_t)n, bytes.n);
	}
	return true;
}

bool cs_fd_read(int fd, const char *what, struct cs_buf *out,
		struct cs_error *err)
{
	uint8_t piece[PIECE];

	for (;;) {
		ssize_t n = read(fd, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cs_error_set_errno(err, CS_E_IO, errno, "%s",
						  what);
		if (n == 0 || !cs_buf_add(out, cs_span_make(piece, (size_t)n)))
			return cs_buf_finish(out, what, err);
	}
}
