#include "cli/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/files.h"

/* A passphrase is a line. */
#define PASSPHRASE_BYTES 4096
#define CREDENTIAL	 "countersign-passphrase"

/* The number behind --passphrase-fd. */
static bool parse_fd(const char *text, int *ret, struct cs_error *err)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < 0 || n > 65535 ||
	    fcntl((int)n, F_GETFD) < 0)
		return cs_error_set(err, CS_E_USAGE,
				    "--passphrase-fd: `%s` is not an open "
				    "descriptor",
				    text);
	*ret = (int)n;
	return true;
}

/* Move the bytes inside the kernel: from a pipe, or from a file. */
static bool move(int from, int to, struct cs_error *err)
{
	size_t left = PASSPHRASE_BYTES;
	struct stat st;

	if (fstat(from, &st) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "passphrase");
	while (left > 0) {
		ssize_t n = S_ISFIFO(st.st_mode)
				    ? splice(from, NULL, to, NULL, left, 0)
				    : sendfile(to, from, NULL, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cs_error_set_errno(err, CS_E_IO, errno,
						  "passphrase");
		if (n == 0)
			return true;
		left -= (size_t)n;
	}
	return cs_error_set(err, CS_E_TOO_LARGE,
			    "passphrase: longer than %d bytes",
			    PASSPHRASE_BYTES - 1);
}

bool cs_passphrase_rewind(int fd, struct cs_error *err)
{
	return fd < 0 || lseek(fd, 0, SEEK_SET) == 0 ||
	       cs_error_set_errno(err, CS_E_IO, errno, "passphrase");
}

/* Where it comes from; -1: nowhere. */
static bool find_source(const struct cs_call *call, int *ret_fd,
			struct cs_error *err)
{
	const char *text = cs_call_get(call, "passphrase-fd");
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	*ret_fd = -1;
	if (text != NULL)
		return parse_fd(text, ret_fd, err);
	if (dir == NULL || dir[0] != '/')
		return true;
	return cs_files_open_secret(dir, CREDENTIAL, ret_fd, err) ||
	       err->code == CS_E_NOT_FOUND;
}

bool cs_passphrase_open(const struct cs_call *call, int *ret_fd,
			struct cs_error *err)
{
	int from, to;
	bool ok;

	if (!find_source(call, &from, err))
		return false;
	if (from < 0) {
		*ret_fd = -1;
		return true;
	}
	to = memfd_create("passphrase", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (to < 0) {
		cs_error_set_errno(err, CS_E_IO, errno, "memfd_create");
		close(from);
		return false;
	}
	ok = move(from, to, err) &&
	     (fcntl(to, F_ADD_SEALS,
		    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) ==
		      0 ||
	      cs_error_set_errno(err, CS_E_IO, errno, "passphrase")) &&
	     cs_passphrase_rewind(to, err);
	close(from);
	if (ok)
		*ret_fd = to;
	else
		close(to);
	return ok;
}
