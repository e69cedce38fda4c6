#include "cli/ca_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "cli/files.h"

bool cs_ca_place_lock(const char *dir, struct cs_ca_place *p,
		      struct cs_error *err)
{
	char path[PATH_MAX];
	int fd;

	*p = (struct cs_ca_place){.lock_fd = -1};
	if ((size_t)snprintf(path, sizeof(path), "%s/issuers", dir) >=
	    sizeof(path))
		return cs_error_set(err, CS_E_TOO_LARGE, "%s: path too long",
				    dir);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return cs_error_set_errno(
			err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, errno,
			"%s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return cs_error_set(err, CS_E_LOCKED,
				    "%s: another command is making an issuer",
				    path);
	}
	p->lock_fd = fd;
	return true;
}

/* Remove what was made. */
static void unstage(const struct cs_ca_place *p)
{
	cs_files_remove_tree(p->staging);
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
	p->uri = cs_arena_printf(arena, "%s/key.uri", p->staging);
	p->chain = cs_arena_printf(arena, "%s/chain.pem", p->staging);
	p->request = cs_arena_printf(arena, "%s/request.pem", p->staging);
	if (p->final == NULL || p->key == NULL || p->uri == NULL ||
	    p->chain == NULL || p->request == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return true;
}

/* Is the final name free, or, at a rollover, a directory? */
static bool check_final(const struct cs_ca_place *p, struct cs_error *err)
{
	bool rollover = p->kind == CS_CA_PLACE_ROLLOVER;
	struct stat st;

	if (lstat(p->final, &st) != 0)
		return !rollover || cs_error_set_errno(err, CS_E_NOT_FOUND,
						       errno, "%s", p->final);
	if (!rollover)
		return cs_error_set(err, CS_E_EXISTS,
				    "%s is there already: nothing is "
				    "overwritten",
				    p->final);
	return S_ISDIR(st.st_mode) ||
	       cs_error_set(err, CS_E_FORMAT,
			    "%s: no directory, perhaps a link to one, which "
			    "cannot change places with the next generation: "
			    "put the directory itself there",
			    p->final);
}

bool cs_ca_place_begin(const char *dir, const char *issuer,
		       enum cs_ca_place_kind kind, struct cs_arena *arena,
		       struct cs_ca_place *p, struct cs_error *err)
{
	*p = (struct cs_ca_place){
		.kind = kind, .lock_fd = p->lock_fd, .dir = dir};
	if (!name_paths(p, issuer, arena, err))
		return false;
	if (!check_final(p, err))
		return false;
	unstage(p);
	if (mkdir(p->staging, 0700) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s",
					  p->staging);
	p->staged = true;
	return true;
}

bool cs_ca_place_tidy(const char *dir, const char *issuer,
		      struct cs_arena *arena, struct cs_ca_place *p,
		      struct cs_error *err)
{
	*p = (struct cs_ca_place){.lock_fd = p->lock_fd, .dir = dir};
	if (!name_paths(p, issuer, arena, err))
		return false;
	unstage(p);
	return true;
}

/* -- what stays at a rollover --------------------------------------------- */

/* The directories that are linked from and to. */
struct keep {
	const struct cs_ca_place *place;
	int from, to;
	struct cs_error *err;
};

static bool keep_fails(const struct keep *k, const char *name)
{
	return cs_error_set_errno(k->err, CS_E_IO, errno, "%s/%s",
				  k->place->final, name);
}

/* A new directory below the staging one; open. -1: it failed. */
static int make_below(const struct keep *k, const char *name)
{
	char path[4096];
	int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", k->place->staging, name);
	if (mkdirat(k->to, name, 0700) == 0 &&
	    cs_ca_place_give(k->place->dir, path, k->err))
		fd = openat(k->to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		keep_fails(k, name);
	return fd;
}

static bool is_regular(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode);
}

/* An older generation's directory: its files, all of them. */
static bool keep_generation(const struct keep *k, const char *name)
{
	int from = openat(k->from, name,
			  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int to = make_below(k, name);
	DIR *d = from >= 0 ? fdopendir(from) : NULL;
	struct dirent *e;
	bool ok = to >= 0 && d != NULL;

	while (ok && (e = readdir(d)) != NULL)
		if (is_regular(from, e->d_name))
			ok = linkat(from, e->d_name, to, e->d_name, 0) == 0;
	ok = ok && fsync(to) == 0;
	if (!ok)
		keep_fails(k, name);
	if (d != NULL)
		closedir(d);
	else if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return ok;
}

/* One entry of the present directory that is not the generation's own. */
static bool keep_entry(const struct keep *k, const char *name)
{
	static const char *const own[] = {".",		 "..",
					  "key.pem",	 "chain.pem",
					  "request.pem", "generation.yaml",
					  "next"};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(name, own[i]) == 0)
			return true;
	if (strncmp(name, "generation-", 11) == 0)
		return keep_generation(k, name);
	if (!is_regular(k->from, name))
		return cs_error_set(k->err, CS_E_FORMAT,
				    "%s/%s: no file of an issuer's; move it "
				    "elsewhere",
				    k->place->final, name);
	return linkat(k->from, name, k->to, name, 0) == 0 ||
	       keep_fails(k, name);
}

/* The present key (if it is there) and chain, with what is said of them. */
static bool keep_present(const struct keep *k, unsigned generation,
			 struct cs_span state)
{
	char name[32], path[64];
	bool ok;
	int to;

	snprintf(name, sizeof(name), "generation-%u", generation);
	snprintf(path, sizeof(path), "%s/generation.yaml", name);
	to = make_below(k, name);
	ok = to >= 0;
	if (ok && !is_regular(k->from, "chain.pem"))
		ok = cs_error_set(k->err, CS_E_FORMAT,
				  "%s/chain.pem: not a regular file",
				  k->place->final);
	if (ok && (linkat(k->from, "chain.pem", to, "chain.pem", 0) != 0 ||
		   (linkat(k->from, "key.pem", to, "key.pem", 0) != 0 &&
		    errno != ENOENT)))
		ok = keep_fails(k, name);
	if (to >= 0)
		close(to);
	return ok &&
	       cs_files_write(k->place->staging, path, state, 0644, k->err);
}

bool cs_ca_place_keep(const struct cs_ca_place *p, unsigned generation,
		      struct cs_span state, struct cs_error *err)
{
	struct keep k = {.place = p, .err = err};
	DIR *d = opendir(p->final);
	struct dirent *e;
	bool ok;

	k.from = d != NULL ? dirfd(d) : -1;
	k.to = open(p->staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = (d != NULL && k.to >= 0) || keep_fails(&k, "");
	ok = ok && keep_present(&k, generation, state);
	while (ok && (e = readdir(d)) != NULL)
		ok = keep_entry(&k, e->d_name);
	if (k.to >= 0)
		close(k.to);
	if (d != NULL)
		closedir(d);
	return ok;
}

bool cs_ca_place_take_key(const struct cs_ca_place *p, const char *from,
			  struct cs_error *err)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", p->final, from);
	return linkat(AT_FDCWD, path, AT_FDCWD, p->key, 0) == 0 ||
	       cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
}

/* -- into its place ------------------------------------------------------- */

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

/* Both directories change places: from here on the new generation is. */
static bool exchange(struct cs_ca_place *p, struct cs_error *err)
{
	int fd = open(p->staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	(void)cs_failpoint("ca.before_exchange");
	if (!ok || renameat2(AT_FDCWD, p->staging, AT_FDCWD, p->final,
			     RENAME_EXCHANGE) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", p->final);
	(void)cs_failpoint("ca.after_exchange");
	/* Staged is the old one now: it goes at the end. */
	return sync_place(p, err);
}

bool cs_ca_place_commit(struct cs_ca_place *p, struct cs_error *err)
{
	if (!give(p, err))
		return false;
	if (p->kind == CS_CA_PLACE_ROLLOVER)
		return exchange(p, err);
	if (rename(p->staging, p->final) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", p->final);
	p->staged = false;
	return sync_place(p, err);
}

void cs_ca_place_take_back(struct cs_ca_place *p)
{
	cs_files_remove_tree(p->final);
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
