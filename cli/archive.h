/*
 * What a backup is: a directory with the files of an installation and
 * `manifest.json`, which names each of them with size and SHA-256.
 *
 *	ledger.db	a copy of one moment, one plain file, verified
 *	checkpoint	the log's checkpoint of that moment
 *	countersign.yaml, root.pem, log.pub
 *	policies/	sources as they lie there (what is in force stands in
 *			the ledger)
 *	issuers/	the chain of each issuer
 *
 * and, only with `--including-private-keys`, the log's key, the issuers' keys
 * and the listener's key with its chain. A root's key (offline/) is never in
 * it. Files that the configuration places outside the installation are named,
 * not copied.
 *
 * A manifest is JSON:
 *	{"checkpoint": note, "countersign": version, "created": time,
 *	 "files": [{"name","sha256","size"}...], "private_keys": bool,
 *	 "root": hex, "tree_size": n}
 *
 * Bytes go from file to file inside the kernel: no key is ever in our memory.
 */
#ifndef CS_CLI_ARCHIVE_H
#define CS_CLI_ARCHIVE_H

#include <jansson.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"

#define CS_ARCHIVE_MANIFEST "manifest.json"
/*
 * Files of one backup: every policy source, five for each issuer, three for
 * each generation before, and ten.
 */
#define CS_MAX_ARCHIVE_FILES                                                   \
	(CS_MAX_POLICY_FILES + 5 * CS_MAX_ISSUERS + 3 * CS_MAX_OLDER + 10)
/* The manifest's bytes: a name, a digest and a size for each. */
#define CS_MAX_ARCHIVE_MANIFEST                                                \
	(CS_MAX_ARCHIVE_FILES * (CS_MAX_SOURCE_NAME + 256))

/*
 * Copy a regular file to `to`, which must not exist, durably; folders that
 * are missing in `to` are made. CS_E_NOT_FOUND: there is no `from`.
 */
bool cs_archive_copy(const char *from, const char *to, mode_t mode,
		     struct cs_error *err) CS_MUST_USE;

/* {"name","sha256","size"} of root/name; NULL on failure. Sync it, too. */
json_t *cs_archive_entry(struct cs_hash *hash, const char *root,
			 const char *name, struct cs_error *err) CS_MUST_USE;

/* A name that may stand in a manifest: relative, plain, not above. */
bool cs_archive_name_is_good(const char *name);

/*
 * Read and check the manifest of the backup at root, and every file that it
 * names: there, of that size, with that SHA-256. CS_E_VERIFY says what is
 * wrong. The caller owns *ret_manifest.
 */
bool cs_archive_read(struct cs_hash *hash, const char *root,
		     json_t **ret_manifest, struct cs_error *err) CS_MUST_USE;

#endif
