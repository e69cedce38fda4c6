#include "cli/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/files.h"

/* A passphrase is a line. */
#define PASSPHRASE_BYTES 4096
#define CREDENTIAL	 "countersign-passphrase"

/* The number behind an option. */
static bool parse_fd(const char *option, const char *text, int *ret,
		     struct cs_error *err)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < 0 || n > 65535 ||
	    fcntl((int)n, F_GETFD) < 0)
		return cs_error_set(err, CS_E_USAGE,
				    "--%s: `%s` is not an open descriptor",
				    option, text);
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
	if (!S_ISFIFO(st.st_mode) && !S_ISREG(st.st_mode))
		return cs_error_set(err, CS_E_USAGE,
				    "passphrase: its descriptor is neither a "
				    "pipe nor a regular file");
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

bool cs_passphrase_open_credential(const char *name, int *ret_fd,
				   struct cs_error *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	struct stat st;
	int fd, n;

	if (dir == NULL || dir[0] != '/')
		return cs_error_set(err, CS_E_NOT_FOUND,
				    "credential %s: this process was given no "
				    "credentials ($CREDENTIALS_DIRECTORY)",
				    name);
	n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "credential %s: path too long", name);
	fd = open(path,
		  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return cs_error_set_errno(
			err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, errno,
			"%s", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_uid == geteuid() || st.st_uid == 0) &&
	    (st.st_mode & 0137) == 0) {
		*ret_fd = fd;
		return true;
	}
	close(fd);
	return cs_error_set(err, CS_E_PERMISSION,
			    "%s: not a regular file of ours that others cannot "
			    "read",
			    path);
}

bool cs_passphrase_open_issuer(const char *dir,
			       const struct cs_config_issuer *issuer,
			       int *ret_fd, struct cs_error *err)
{
	bool ok = true;

	*ret_fd = -1;
	if (issuer->passphrase_file != NULL)
		ok = cs_files_open_secret(dir, issuer->passphrase_file, ret_fd,
					  err);
	else if (issuer->passphrase_credential != NULL)
		ok = cs_passphrase_open_credential(
			issuer->passphrase_credential, ret_fd, err);
	return ok ||
	       cs_error_prefix(err, "issuer %s: passphrase", issuer->name);
}

/* The one for all keys, where no option names one; -1: there is none. */
static bool find_default(int *ret_fd, struct cs_error *err)
{
	struct cs_error why = {0};

	if (cs_passphrase_open_credential(CREDENTIAL, ret_fd, &why) ||
	    why.code == CS_E_NOT_FOUND)
		return true;
	return cs_error_set(err, why.code, "%s", why.text);
}

/* What is behind it, in a sealed memfd. Closes `from`. */
static bool seal(int from, int *ret_fd, struct cs_error *err)
{
	int to = memfd_create("passphrase", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bool ok;

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

bool cs_passphrase_open_option(const struct cs_call *call, const char *option,
			       int *ret_fd, struct cs_error *err)
{
	const char *text = cs_call_get(call, option);
	int from;

	*ret_fd = -1;
	if (text == NULL)
		return true;
	return parse_fd(option, text, &from, err) && seal(from, ret_fd, err);
}

bool cs_passphrase_open(const struct cs_call *call, int *ret_fd,
			struct cs_error *err)
{
	int from = -1;

	if (cs_call_get(call, "passphrase-fd") != NULL)
		return cs_passphrase_open_option(call, "passphrase-fd", ret_fd,
						 err);
	*ret_fd = -1;
	return find_default(&from, err) &&
	       (from < 0 || seal(from, ret_fd, err));
}
