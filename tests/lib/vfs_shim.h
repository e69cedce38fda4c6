/*
 * A SQLite VFS over the system's own, named "shim", that fails on demand: for
 * tests of what a database does when the disk does not.
 *
 * Operations that change a disk (write, truncate, sync, the growing of a
 * shared-memory file) are counted in one row; from the N-th on, each fails
 * (sticky) or only the N-th does. What fails has done nothing.
 */
#ifndef CS_TESTS_LIB_VFS_SHIM_H
#define CS_TESTS_LIB_VFS_SHIM_H

enum cs_shim_error {
	CS_SHIM_FULL,	 /* writing: SQLITE_FULL; sync goes through */
	CS_SHIM_IO,	 /* SQLITE_IOERR of the operation's own kind */
	CS_SHIM_READONLY /* writing: SQLITE_READONLY; sync goes through */
};

/* Register it. Once in a program. */
void cs_shim_register(void);

/* From now on: the N-th operation fails, and `last` - N more; n 0: none. */
void cs_shim_fail(unsigned n, unsigned last, enum cs_shim_error how);

/* Operations since cs_shim_fail(). */
unsigned cs_shim_count(void);

#endif
