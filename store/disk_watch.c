#include "store/disk_watch.h"

#include <errno.h>
#include <stdio.h>

#include <sqlite3.h>

#include "base/mem.h"

/* Kinds of files of one VFS: SQLite's own has two, locked and not. */
#define KINDS 4

/* The methods of one kind of file, two of them ours. First member. */
struct kind {
	sqlite3_io_methods methods;
	const sqlite3_io_methods *base;
	struct cs_disk_watch *watch;
};

struct cs_disk_watch {
	sqlite3_vfs vfs;
	sqlite3_vfs *base;
	struct cs_clock clock;
	struct cs_histogram *times;
	struct kind kinds[KINDS];
	char name[48];
	bool registered;
};

/* xSync, between two looks at the clock. */
static int watched_sync(sqlite3_file *file, int flags)
{
	/* pMethods points to the first member of our struct. */
	const struct kind *k = (const void *)file->pMethods;
	int64_t begin = cs_clock_boot_us(&k->watch->clock);
	int rc = k->base->xSync(file, flags);

	cs_histogram_add(
		k->watch->times, CS_HISTOGRAM_TIMES,
		(uint64_t)(cs_clock_boot_us(&k->watch->clock) - begin));
	return rc;
}

/* xWrite; errno is still what the system said. */
static int watched_write(sqlite3_file *file, const void *p, int n,
			 sqlite3_int64 at)
{
	const struct kind *k = (const void *)file->pMethods;
	int rc = k->base->xWrite(file, p, n, at);

	if (rc == SQLITE_IOERR_WRITE && (errno == EFBIG || errno == EDQUOT))
		return SQLITE_FULL;
	return rc;
}

/* The kind whose base these methods are; made when it is new. */
static struct kind *kind_of(struct cs_disk_watch *t,
			    const sqlite3_io_methods *base)
{
	size_t i = 0;

	while (i < KINDS && t->kinds[i].base != NULL &&
	       t->kinds[i].base != base)
		i++;
	if (i == KINDS)
		return NULL;
	if (t->kinds[i].base == NULL) {
		t->kinds[i].base = base;
		t->kinds[i].methods = *base;
		t->kinds[i].methods.xSync = watched_sync;
		t->kinds[i].methods.xWrite = watched_write;
		t->kinds[i].watch = t;
	}
	return &t->kinds[i];
}

/* The base opens it; its methods are ours then. */
static int watched_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
			int flags, int *ret_flags)
{
	struct cs_disk_watch *t = (void *)vfs;
	int rc = t->base->xOpen(t->base, name, file, flags, ret_flags);
	struct kind *k;

	if (rc != SQLITE_OK || file->pMethods == NULL)
		return rc;
	k = kind_of(t, file->pMethods);
	if (k != NULL)
		file->pMethods = &k->methods;
	return rc;
}

void cs_disk_watch_free(struct cs_disk_watch *t)
{
	if (t == NULL)
		return;
	if (t->registered)
		(void)sqlite3_vfs_unregister(&t->vfs);
	cs_mem_free(t);
}

struct cs_disk_watch *cs_disk_watch_new(const char *base, struct cs_clock clock,
					struct cs_histogram *times,
					struct cs_error *err)
{
	struct cs_disk_watch *t = cs_mem_new(sizeof(*t));

	if (t == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "watch over the disk");
		return NULL;
	}
	t->clock = clock;
	t->times = times;
	t->base = sqlite3_vfs_find(base);
	/* Several ledgers of one test program: each has its own. */
	(void)snprintf(t->name, sizeof(t->name), "watched-%p", (void *)t);
	if (t->base != NULL) {
		t->vfs = *t->base;
		t->vfs.zName = t->name;
		t->vfs.pNext = NULL;
		t->vfs.xOpen = watched_open;
		t->registered = sqlite3_vfs_register(&t->vfs, 0) == SQLITE_OK;
	}
	if (!t->registered) {
		cs_error_set(err, CS_E_DB, "no VFS to watch the disk with");
		cs_disk_watch_free(t);
		return NULL;
	}
	return t;
}

const char *cs_disk_watch_vfs(const struct cs_disk_watch *t)
{
	return t->name;
}
