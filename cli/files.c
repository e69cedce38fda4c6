#include "cli/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"

/* A whole path; longer ones are refused. */
#define PATH_BYTES 4096
/* Levels that the remover descends: an installation has three. */
#define REMOVE_DEPTH 8

/* Write dir/path into out (PATH_BYTES). */
static bool join(const char *dir, const char *path, char *out,
		 struct cs_error *err)
{
	int n = path[0] == '/' ? snprintf(out, PATH_BYTES, "%s", path)
			       : snprintf(out, PATH_BYTES, "%s/%s", dir, path);

	if (n < 0 || n >= PATH_BYTES)
		return cs_error_set(err, CS_E_TOO_LARGE, "%s/%s: path too long",
				    dir, path);
	return true;
}

char *cs_files_path(struct cs_arena *arena, const char *dir, const char *path)
{
	return path[0] == '/' ? cs_arena_printf(arena, "%s", path)
			      : cs_arena_printf(arena, "%s/%s", dir, path);
}

bool cs_files_read_given(const char *file, struct cs_buf *out,
			 struct cs_error *err)
{
	if (strcmp(file, "-") == 0)
		return cs_fd_read(STDIN_FILENO, "standard input", out, err);
	return cs_files_read(".", file, out, err);
}

bool cs_files_open(const char *dir, const char *path, int *ret_fd,
		   struct cs_error *err)
{
	char name[PATH_BYTES];
	int fd;

	if (!join(dir, path, name, err))
		return false;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return cs_error_set_errno(
			err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, errno,
			"%s", name);
	*ret_fd = fd;
	return true;
}

bool cs_files_read(const char *dir, const char *path, struct cs_buf *out,
		   struct cs_error *err)
{
	bool ok;
	int fd;

	if (!cs_files_open(dir, path, &fd, err))
		return false;
	ok = cs_fd_read(fd, path, out, err);
	close(fd);
	return ok;
}

/* To a temporary file beside `name`, then into its place. */
static bool write_as(const char *name, struct cs_span bytes, mode_t mode,
		     uid_t uid, gid_t gid, struct cs_error *err)
{
	char temporary[PATH_BYTES + 8];
	bool ok;
	int fd;

	snprintf(temporary, sizeof(temporary), "%s.tmp", name);
	(void)unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", temporary);
	ok = cs_fd_write(fd, bytes) && fchown(fd, uid, gid) == 0 &&
	     fchmod(fd, mode) == 0 && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	if (ok && rename(temporary, name) == 0)
		return cs_file_sync_folder(name, err);
	cs_error_set_errno(err, CS_E_IO, errno, "%s", name);
	(void)unlink(temporary);
	return false;
}

bool cs_files_write(const char *dir, const char *path, struct cs_span bytes,
		    mode_t mode, struct cs_error *err)
{
	char name[PATH_BYTES];

	return join(dir, path, name, err) &&
	       write_as(name, bytes, mode, (uid_t)-1, (gid_t)-1, err);
}

bool cs_files_replace(const char *dir, const char *path, struct cs_span bytes,
		      struct cs_error *err)
{
	char name[PATH_BYTES], real[PATH_MAX];
	struct stat st;

	if (!join(dir, path, name, err))
		return false;
	/* A link to where the file really is stays one. */
	if (realpath(name, real) == NULL || stat(real, &st) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", name);
	return write_as(real, bytes, st.st_mode & 0777, st.st_uid, st.st_gid,
			err);
}

bool cs_files_open_secret(const char *dir, const char *path, int *ret_fd,
			  struct cs_error *err)
{
	char name[PATH_BYTES];
	struct stat st;
	int fd;

	if (!join(dir, path, name, err))
		return false;
	fd = open(name,
		  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ELOOP)
		return cs_error_set(err, CS_E_PERMISSION,
				    "%s: is a symbolic link", name);
	if (fd < 0)
		return cs_error_set_errno(
			err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, errno,
			"%s", name);
	if (fstat(fd, &st) != 0)
		cs_error_set_errno(err, CS_E_IO, errno, "%s", name);
	else if (!S_ISREG(st.st_mode))
		cs_error_set(err, CS_E_PERMISSION, "%s: not a regular file",
			     name);
	else if (st.st_uid != geteuid() && st.st_uid != 0)
		cs_error_set(err, CS_E_PERMISSION,
			     "%s: belongs to user %u, not to %u", name,
			     st.st_uid, geteuid());
	else if ((st.st_mode & 0177) != 0)
		cs_error_set(err, CS_E_PERMISSION,
			     "%s: mode %04o; a secret file is 0600 or 0400",
			     name, (unsigned)(st.st_mode & 07777));
	else {
		*ret_fd = fd;
		return true;
	}
	close(fd);
	return false;
}

bool cs_files_make_dir(const char *dir, const char *path, struct cs_error *err)
{
	char name[PATH_BYTES];

	if (!join(dir, path, name, err))
		return false;
	for (char *p = name + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(name, 0700) != 0 && errno != EEXIST)
			return cs_error_set_errno(err, CS_E_IO, errno, "%s",
						  name);
		*p = '/';
	}
	if (mkdir(name, 0700) != 0 && errno != EEXIST)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", name);
	return true;
}

bool cs_files_make_parent(const char *path, struct cs_error *err)
{
	char folder[PATH_BYTES];
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return true;
	if ((size_t)(slash - path) >= sizeof(folder))
		return cs_error_set(err, CS_E_TOO_LARGE, "%s: path too long",
				    path);
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	return cs_files_make_dir(".", folder, err);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

bool cs_files_is_empty(const char *dir, bool *ret_empty, struct cs_error *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool empty = true;

	if (d == NULL && errno == ENOENT) {
		*ret_empty = true;
		return true;
	}
	if (d == NULL)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", dir);
	while ((e = readdir(d)) != NULL)
		if (!is_dots(e->d_name))
			empty = false;
	closedir(d);
	*ret_empty = empty;
	return true;
}

/* Make it if it is missing; *ret_made says that it was. */
static bool make_missing(const char *dir, bool *ret_made, struct cs_error *err)
{
	*ret_made = false;
	if (!cs_files_make_parent(dir, err))
		return false;
	if (mkdir(dir, 0700) == 0)
		*ret_made = true;
	else if (errno != EEXIST)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", dir);
	return true;
}

/* An open directory that nobody else takes, and that holds nothing. */
static bool take_open(const char *dir, int fd, struct cs_error *err)
{
	bool empty = false;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return cs_error_set(err, CS_E_LOCKED,
				    "%s: another command makes something "
				    "there",
				    dir);
	/* Only now: whoever had the lock before may have filled it. */
	if (!cs_files_is_empty(dir, &empty, err))
		return false;
	if (!empty)
		return cs_error_set(err, CS_E_EXISTS,
				    "%s is not empty; an installation is made "
				    "in a new or an empty directory only",
				    dir);
	return fchmod(fd, 0700) == 0 ||
	       cs_error_set_errno(err, CS_E_IO, errno, "%s", dir);
}

bool cs_files_take_empty(const char *dir, struct cs_files_taken *ret,
			 struct cs_error *err)
{
	struct cs_files_taken t = {.fd = -1};

	if (!make_missing(dir, &t.made, err))
		return false;
	t.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t.fd < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", dir);
	if (!take_open(dir, t.fd, err)) {
		close(t.fd);
		return false;
	}
	*ret = t;
	return true;
}

void cs_files_remove_in(int dir)
{
	DIR *stack[REMOVE_DEPTH];
	char names[REMOVE_DEPTH][256];
	int depth = 0;
	int top = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	stack[0] = top >= 0 ? fdopendir(top) : NULL;
	if (stack[0] == NULL) {
		if (top >= 0)
			close(top);
		return;
	}
	while (depth >= 0) {
		struct dirent *e = readdir(stack[depth]);
		int at = dirfd(stack[depth]);
		int fd;

		if (e == NULL) {
			closedir(stack[depth--]);
			if (depth >= 0)
				(void)unlinkat(dirfd(stack[depth]),
					       names[depth], AT_REMOVEDIR);
			continue;
		}
		if (is_dots(e->d_name) || unlinkat(at, e->d_name, 0) == 0 ||
		    depth + 1 == REMOVE_DEPTH)
			continue;
		fd = openat(at, e->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		snprintf(names[depth], sizeof(names[depth]), "%s", e->d_name);
		stack[depth + 1] = fdopendir(fd);
		if (stack[depth + 1] != NULL)
			depth++;
		else
			close(fd);
	}
}

void cs_files_remove_below(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	cs_files_remove_in(fd);
	close(fd);
}

void cs_files_remove_tree(const char *path)
{
	cs_files_remove_below(path);
	if (rmdir(path) != 0 && errno == ENOTDIR)
		(void)unlink(path);
}
