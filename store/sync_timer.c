#include "store/sync_timer.h"

#include <stdio.h>

#include <sqlite3.h>

#include "base/mem.h"

/* Kinds of files of one VFS: SQLite's own has two, locked and not. */
#define KINDS 4

/* The methods of one kind of file, with xSync replaced. First member. */
struct kind {
	sqlite3_io_methods methods;
	const sqlite3_io_methods *base;
	struct cs_sync_timer *timer;
};

struct cs_sync_timer {
	sqlite3_vfs vfs;
	sqlite3_vfs *base;
	struct cs_clock clock;
	struct cs_histogram *times;
	struct kind kinds[KINDS];
	char name[48];
	bool registered;
};

/* xSync, between two looks at the clock. */
static int timed_sync(sqlite3_file *file, int flags)
{
	/* pMethods points to the first member of our struct. */
	const struct kind *k = (const void *)file->pMethods;
	int64_t begin = cs_clock_boot_us(&k->timer->clock);
	int rc = k->base->xSync(file, flags);

	cs_histogram_add(
		k->timer->times, CS_HISTOGRAM_TIMES,
		(uint64_t)(cs_clock_boot_us(&k->timer->clock) - begin));
	return rc;
}

/* The kind whose base these methods are; made when it is new. */
static struct kind *kind_of(struct cs_sync_timer *t,
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
		t->kinds[i].methods.xSync = timed_sync;
		t->kinds[i].timer = t;
	}
	return &t->kinds[i];
}

/* The base opens it; its methods are ours then. */
static int timed_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
		      int flags, int *ret_flags)
{
	struct cs_sync_timer *t = (void *)vfs;
	int rc = t->base->xOpen(t->base, name, file, flags, ret_flags);
	struct kind *k;

	if (rc != SQLITE_OK || file->pMethods == NULL)
		return rc;
	k = kind_of(t, file->pMethods);
	if (k != NULL)
		file->pMethods = &k->methods;
	return rc;
}

void cs_sync_timer_free(struct cs_sync_timer *t)
{
	if (t == NULL)
		return;
	if (t->registered)
		(void)sqlite3_vfs_unregister(&t->vfs);
	cs_mem_free(t);
}

struct cs_sync_timer *cs_sync_timer_new(const char *base, struct cs_clock clock,
					struct cs_histogram *times,
					struct cs_error *err)
{
	struct cs_sync_timer *t = cs_mem_new(sizeof(*t));

	if (t == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "timer of syncs");
		return NULL;
	}
	t->clock = clock;
	t->times = times;
	t->base = sqlite3_vfs_find(base);
	/* Several ledgers of one test program: each has its own. */
	(void)snprintf(t->name, sizeof(t->name), "timed-%p", (void *)t);
	if (t->base != NULL) {
		t->vfs = *t->base;
		t->vfs.zName = t->name;
		t->vfs.pNext = NULL;
		t->vfs.xOpen = timed_open;
		t->registered = sqlite3_vfs_register(&t->vfs, 0) == SQLITE_OK;
	}
	if (!t->registered) {
		cs_error_set(err, CS_E_DB, "no VFS to time syncs with");
		cs_sync_timer_free(t);
		return NULL;
	}
	return t;
}

const char *cs_sync_timer_vfs(const struct cs_sync_timer *t)
{
	return t->name;
}
