#include "cli/ca_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

bool cs_ca_place_begin(const char *dir, const char *issuer,
		       struct cs_arena *arena, struct cs_ca_place *p,
		       struct cs_error *err)
{
	struct stat st;

	*p = (struct cs_ca_place){.lock_fd = -1, .dir = dir};
	p->name = cs_arena_printf(arena, "issuers/%s", issuer);
	p->staging = cs_arena_printf(arena, "%s/issuers/.%s.new", dir, issuer);
	p->final = cs_arena_printf(arena, "%s/issuers/%s", dir, issuer);
	p->key = cs_arena_printf(arena, "%s/key.pem", p->staging);
	p->chain = cs_arena_printf(arena, "%s/chain.pem", p->staging);
	if (p->name == NULL || p->staging == NULL || p->final == NULL ||
	    p->key == NULL || p->chain == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (!lock(p, arena, err))
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

/* Root gives what it made to the installation's owner. */
static bool give(const struct cs_ca_place *p, struct cs_error *err)
{
	const char *const made[] = {p->key, p->chain, p->staging};
	struct stat st;

	if (stat(p->dir, &st) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", p->dir);
	if (geteuid() != 0 || st.st_uid == 0)
		return true;
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		if (lchown(made[i], st.st_uid, st.st_gid) != 0)
			return cs_error_set_errno(err, CS_E_IO, errno, "%s",
						  made[i]);
	return true;
}

bool cs_ca_place_commit(struct cs_ca_place *p, struct cs_error *err)
{
	if (!give(p, err))
		return false;
	if (rename(p->staging, p->final) != 0 || fsync(p->lock_fd) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", p->final);
	p->staged = false;
	return true;
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
