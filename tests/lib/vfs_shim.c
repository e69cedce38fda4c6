#include "tests/lib/test.h"

#include "tests/lib/vfs_shim.h"

#include <string.h>

#include <sqlite3.h>

/* Our file: the system's stands behind it in the same memory. */
struct shim_file {
	sqlite3_file base;
	sqlite3_file *real;
};

static struct {
	unsigned count, first, last;
	enum cs_shim_error how;
} plan;

static sqlite3_vfs shim;

/* Count one operation; does it fail? */
static int strikes(void)
{
	plan.count++;
	return plan.first != 0 && plan.count >= plan.first &&
	       plan.count <= plan.last;
}

static sqlite3_file *real(sqlite3_file *f)
{
	return ((struct shim_file *)f)->real;
}

static int shim_close(sqlite3_file *f)
{
	return real(f)->pMethods->xClose(real(f));
}

static int shim_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return real(f)->pMethods->xRead(real(f), p, n, at);
}

/* What a write that fails says; `io` is its own kind of error. */
static int how_fails(int io)
{
	switch (plan.how) {
	case CS_SHIM_FULL:
		return SQLITE_FULL;
	case CS_SHIM_READONLY:
		return SQLITE_READONLY;
	default:
		return io;
	}
}

static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	if (strikes())
		return how_fails(SQLITE_IOERR_WRITE);
	return real(f)->pMethods->xWrite(real(f), p, n, at);
}

static int shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	if (strikes())
		return how_fails(SQLITE_IOERR_TRUNCATE);
	return real(f)->pMethods->xTruncate(real(f), size);
}

static int shim_sync(sqlite3_file *f, int flags)
{
	if (strikes() && plan.how == CS_SHIM_IO)
		return SQLITE_IOERR_FSYNC;
	return real(f)->pMethods->xSync(real(f), flags);
}

static int shim_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return real(f)->pMethods->xFileSize(real(f), size);
}

static int shim_lock(sqlite3_file *f, int level)
{
	return real(f)->pMethods->xLock(real(f), level);
}

static int shim_unlock(sqlite3_file *f, int level)
{
	return real(f)->pMethods->xUnlock(real(f), level);
}

static int shim_reserved(sqlite3_file *f, int *out)
{
	return real(f)->pMethods->xCheckReservedLock(real(f), out);
}

static int shim_control(sqlite3_file *f, int op, void *arg)
{
	return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int shim_sector(sqlite3_file *f)
{
	return real(f)->pMethods->xSectorSize(real(f));
}

static int shim_device(sqlite3_file *f)
{
	return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static int shim_shm_map(sqlite3_file *f, int page, int size, int extend,
			void volatile **out)
{
	return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}

static int shim_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return real(f)->pMethods->xShmLock(real(f), at, n, flags);
}

static void shim_shm_barrier(sqlite3_file *f)
{
	real(f)->pMethods->xShmBarrier(real(f));
}

static int shim_shm_unmap(sqlite3_file *f, int remove)
{
	return real(f)->pMethods->xShmUnmap(real(f), remove);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = shim_close,
	.xRead = shim_read,
	.xWrite = shim_write,
	.xTruncate = shim_truncate,
	.xSync = shim_sync,
	.xFileSize = shim_size,
	.xLock = shim_lock,
	.xUnlock = shim_unlock,
	.xCheckReservedLock = shim_reserved,
	.xFileControl = shim_control,
	.xSectorSize = shim_sector,
	.xDeviceCharacteristics = shim_device,
	.xShmMap = shim_shm_map,
	.xShmLock = shim_shm_lock,
	.xShmBarrier = shim_shm_barrier,
	.xShmUnmap = shim_shm_unmap,
};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f,
		     int flags, int *out_flags)
{
	struct shim_file *file = (struct shim_file *)f;
	sqlite3_vfs *under = vfs->pAppData;
	int rc;

	file->real = (sqlite3_file *)(void *)(file + 1);
	rc = under->xOpen(under, name, file->real, flags, out_flags);
	/* Without methods SQLite does not call xClose. */
	file->base.pMethods = file->real->pMethods == NULL ? NULL : &methods;
	return rc;
}

void cs_shim_register(void)
{
	sqlite3_vfs *under = sqlite3_vfs_find(NULL);

	assert_non_null(under);
	shim = *under;
	shim.pNext = NULL;
	shim.zName = "shim";
	shim.pAppData = under;
	shim.szOsFile = (int)sizeof(struct shim_file) + under->szOsFile;
	shim.xOpen = shim_open;
	assert_int_equal(sqlite3_vfs_register(&shim, 0), SQLITE_OK);
}

void cs_shim_fail(unsigned n, unsigned last, enum cs_shim_error how)
{
	plan.count = 0;
	plan.first = n;
	plan.last = last;
	plan.how = how;
}

unsigned cs_shim_count(void)
{
	return plan.count;
}
