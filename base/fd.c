#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

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
