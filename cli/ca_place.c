#include "cli/ca_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/files.h"

static bool lock(struct cs_ca_place *p, struct cs_arena *arena,
		 struct cs_error *err)
{
	const char *dir = cs_arena_printf(arena, "%s/issuers", p->dir);

	if (dir == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	p->lock_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->lock_fd < 0)
		return cs_error_set_errno(
			err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, errno,
			"%s", dir);
	if (flock(p->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	return cs_error_set(err, CS_E_LOCKED,
			    "%s: another command is making an issuer", dir);
}

/* Remove what was made. */
static void unstage(const struct cs_ca_place *p)
{
	cs_files_remove_below(p->staging);
	(void)rmdir(p->staging);
}

/* The paths of a place. */
static bool name_paths(struct cs_ca_place *p, const char *issuer,
		       struct cs_arena *arena, struct cs_error *err)
{
	p->name = cs_arena_printf(arena, "issuers/%s%s", issuer,
				  p->kind == CS_CA_PLACE_NEXT ? "/next" : "");
	p->staging =
		cs_arena_printf(arena, "%s/issuers/.%s.new", p->dir, issuer);
	if (p->name == NULL || p->staging == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	p->final = cs_arena_printf(arena, "%s/%s", p->dir, p->name);
	p->key = cs_arena_printf(arena, "%s/key.pem", p->staging);
	p->chain = cs_arena_printf(arena, "%s/chain.pem", p->staging);
	p->request = cs_arena_printf(arena, "%s/request.pem", p->staging);
	if (p->final == NULL || p->key == NULL || p->chain == NULL ||
	    p->request == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return true;
}

bool cs_ca_place_begin(const char *dir, const char *issuer,
		       enum cs_ca_place_kind kind, struct cs_arena *arena,
		       struct cs_ca_place *p, struct cs_error *err)
{
	struct stat st;

	*p = (struct cs_ca_place){.kind = kind, .lock_fd = -1, .dir = dir};
	if (!name_paths(p, issuer, arena, err) || !lock(p, arena, err))
		return false;
	if (lstat(p->final, &st) == 0)
		return cs_error_set(err, CS_E_EXISTS,
				    "%s is there already: nothing is "
				    "overwritten",
				    p->final);
	unstage(p);
	if (mkdir(p->staging, 0700) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s",
					  p->staging);
	p->staged = true;
	return true;
}

bool cs_ca_place_give(const char *dir, const char *path, struct cs_error *err)
{
	struct stat st;

	if (stat(dir, &st) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", dir);
	if (geteuid() != 0 || st.st_uid == 0 ||
	    lchown(path, st.st_uid, st.st_gid) == 0 || errno == ENOENT)
		return true;
	return cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
}

/* Root gives what it made to the installation's owner. */
static bool give(const struct cs_ca_place *p, struct cs_error *err)
{
	return cs_ca_place_give(p->dir, p->key, err) &&
	       cs_ca_place_give(p->dir, p->chain, err) &&
	       cs_ca_place_give(p->dir, p->request, err) &&
	       cs_ca_place_give(p->dir, p->staging, err);
}

/* The directory in which the final name stands. */
static bool sync_place(const struct cs_ca_place *p, struct cs_error *err)
{
	int fd = openat(p->lock_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char above[4096];
	int at = -1;
	bool ok;

	snprintf(above, sizeof(above), "%.*s",
		 (int)(strrchr(p->name, '/') - p->name), p->name);
	if (fd >= 0)
		at = openat(fd, above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && at >= 0 && fsync(at) == 0 && fsync(p->lock_fd) == 0;
	if (!ok)
		cs_error_set_errno(err, CS_E_IO, errno, "%s", p->final);
	if (at >= 0)
		close(at);
	if (fd >= 0)
		close(fd);
	return ok;
}

bool cs_ca_place_commit(struct cs_ca_place *p, struct cs_error *err)
{
	if (!give(p, err))
		return false;
	if (rename(p->staging, p->final) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", p->final);
	p->staged = false;
	return sync_place(p, err);
}

void cs_ca_place_end(struct cs_ca_place *p)
{
	if (p->staged)
		unstage(p);
	if (p->lock_fd >= 0)
		close(p->lock_fd);
	p->lock_fd = -1;
	p->staged = false;
}
