#include "cli/place.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

/* Those that <linux/magic.h> of an older kernel may not have. */
#define SMB1 0xFF534D42L
#define SMB2 0xFE534D42L
#define CEPH 0x00C36400L

enum cs_place_kind cs_place_kind(int64_t statfs_type)
{
	static const struct {
		int64_t type;
		enum cs_place_kind kind;
	} known[] = {
		{TMPFS_MAGIC, CS_PLACE_MEMORY},
		{RAMFS_MAGIC, CS_PLACE_MEMORY},
		{NFS_SUPER_MAGIC, CS_PLACE_NETWORK},
		{SMB_SUPER_MAGIC, CS_PLACE_NETWORK},
		{SMB1, CS_PLACE_NETWORK},
		{SMB2, CS_PLACE_NETWORK},
		{CEPH, CS_PLACE_NETWORK},
		{AFS_SUPER_MAGIC, CS_PLACE_NETWORK},
		{V9FS_MAGIC, CS_PLACE_NETWORK},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].type == statfs_type)
			return known[i].kind;
	return CS_PLACE_DISK;
}

/* The file system below it. */
static bool check_disk(const char *dir, struct cs_log *log,
		       struct cs_error *err)
{
	struct statfs fs;

	if (statfs(dir, &fs) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", dir);
	switch (cs_place_kind((int64_t)fs.f_type)) {
	case CS_PLACE_NETWORK:
		return cs_error_set(err, CS_E_CONFIG,
				    "%s: a network's file system; a ledger "
				    "needs the locks and syncs of a disk",
				    dir);
	case CS_PLACE_MEMORY:
		cs_log_write(log, CS_LOG_WARNING, "disk.memory",
			     "%s lies in memory: all of it is lost at the "
			     "next boot",
			     dir);
		return true;
	default:
		return true;
	}
}

bool cs_place_check(const char *dir, struct cs_log *log, struct cs_error *err)
{
	struct stat st;

	if (stat(dir, &st) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", dir);
	if (st.st_uid != geteuid())
		return cs_error_set(err, CS_E_PERMISSION,
				    "%s: belongs to uid %u, not to us (%u)",
				    dir, st.st_uid, geteuid());
	if ((st.st_mode & 066) != 0)
		return cs_error_set(err, CS_E_PERMISSION,
				    "%s: mode %04o; others may look into it "
				    "or write: 0700 is right",
				    dir, (unsigned)(st.st_mode & 07777));
	return check_disk(dir, log, err);
}
