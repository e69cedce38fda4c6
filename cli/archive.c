#include "cli/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/files.h"

#define PATH_BYTES 4096
/* Moved by one call. */
#define PIECE ((size_t)16 * 1024 * 1024)

/* All of `in` to `out`; errno says why not. */
static bool move_bytes(int in, int out)
{
	ssize_t n;

	do {
		n = sendfile(out, in, NULL, PIECE);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0;
}

bool cs_archive_copy(const char *from, const char *to, mode_t mode,
		     struct cs_error *err)
{
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	struct stat st;
	int out = -1;
	bool ok = false;

	if (in < 0)
		return cs_error_set_errno(
			err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, errno,
			"%s", from);
	if (fstat(in, &st) != 0 || !S_ISREG(st.st_mode)) {
		cs_error_set(err, CS_E_IO, "%s: not a regular file", from);
	} else if (cs_files_make_parent(to, err)) {
		out = open(to,
			   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			   mode);
		ok = out >= 0 && move_bytes(in, out) &&
		     fchmod(out, mode) == 0 && fsync(out) == 0;
		if (!ok)
			cs_error_set_errno(err, CS_E_IO, errno, "%s", to);
	}
	if (out >= 0 && close(out) != 0 && ok)
		ok = cs_error_set_errno(err, CS_E_IO, errno, "%s", to);
	if (out >= 0 && !ok)
		(void)unlink(to);
	close(in);
	return ok && cs_file_sync_folder(to, err);
}

/* SHA-256 and size of an open file. */
static bool digest_fd(struct cs_hash *hash, int fd, const char *name,
		      uint8_t ret_digest[CS_SHA256_SIZE], int64_t *ret_size,
		      struct cs_error *err)
{
	struct stat st;
	void *p = NULL;
	bool ok;

	if (fstat(fd, &st) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", name);
	if (!S_ISREG(st.st_mode))
		return cs_error_set(err, CS_E_VERIFY, "%s: not a regular file",
				    name);
	if (st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd,
			 0);
	if (p == MAP_FAILED)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", name);
	ok = cs_hash_sha256(hash, cs_span_make(p, (size_t)st.st_size),
			    ret_digest, err);
	if (p != NULL)
		(void)munmap(p, (size_t)st.st_size);
	if (ok)
		*ret_size = st.st_size;
	return ok;
}

/* The same of root/name. */
static bool digest(struct cs_hash *hash, const char *root, const char *name,
		   uint8_t ret_digest[CS_SHA256_SIZE], int64_t *ret_size,
		   struct cs_error *err)
{
	char path[PATH_BYTES];
	bool ok;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", root, name) >=
	    sizeof(path))
		return cs_error_set(err, CS_E_TOO_LARGE, "%s: path too long",
				    name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0)
		return cs_error_set_errno(
			err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, errno,
			"%s", path);
	ok = digest_fd(hash, fd, name, ret_digest, ret_size, err);
	if (ok && fsync(fd) != 0)
		ok = cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
	close(fd);
	return ok;
}

json_t *cs_archive_entry(struct cs_hash *hash, const char *root,
			 const char *name, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf hex;
	uint8_t sha256[CS_SHA256_SIZE];
	int64_t size = 0;
	json_t *entry;

	cs_buf_init(&hex, 2 * sizeof(sha256));
	if (!digest(hash, root, name, sha256, &size, err))
		return NULL;
	cs_codec_hex(cs_span_make(sha256, sizeof(sha256)), &hex);
	entry = json_pack("{s:s, s:s, s:I}", "name", name, "sha256",
			  cs_buf_str(&hex), "size", (json_int_t)size);
	if (entry == NULL)
		cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return entry;
}

bool cs_archive_name_is_good(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > CS_MAX_SOURCE_NAME + 32 || name[0] == '/' ||
	    name[n - 1] == '/' || strstr(name, "//") != NULL)
		return false;
	for (const char *p = name; *p != '\0'; p++) {
		/* No part begins with a dot: neither hidden nor above. */
		if ((p == name || p[-1] == '/') && *p == '.')
			return false;
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	}
	return true;
}

/* One file as the manifest says it is. */
static bool check_entry(struct cs_hash *hash, const char *root,
			const json_t *entry, struct cs_error *err)
{
	const char *name = json_string_value(json_object_get(entry, "name"));
	json_t *size = json_object_get(entry, "size");
	struct cs_error why = {0};
	json_t *is;
	bool same;

	if (name == NULL || !cs_archive_name_is_good(name))
		return cs_error_set(err, CS_E_VERIFY,
				    "the manifest names a file that cannot be "
				    "one of a backup");
	is = cs_archive_entry(hash, root, name, &why);
	if (is == NULL)
		return cs_error_set(err, CS_E_VERIFY, "%s", why.text);
	same = json_equal(is, entry) != 0;
	if (!same)
		cs_error_set(
			err, CS_E_VERIFY,
			"%s: not the file that was backed up (%lld octets, "
			"%lld then)",
			name,
			(long long)json_integer_value(
				json_object_get(is, "size")),
			(long long)json_integer_value(size));
	json_decref(is);
	return same;
}

/* What every manifest has. */
static bool manifest_is_whole(const json_t *m)
{
	return json_is_string(json_object_get(m, "checkpoint")) &&
	       json_is_string(json_object_get(m, "created")) &&
	       json_is_string(json_object_get(m, "root")) &&
	       json_is_integer(json_object_get(m, "tree_size")) &&
	       json_is_boolean(json_object_get(m, "private_keys")) &&
	       json_is_array(json_object_get(m, "files")) &&
	       json_array_size(json_object_get(m, "files")) <=
		       CS_MAX_ARCHIVE_FILES;
}

bool cs_archive_read(struct cs_hash *hash, const char *root,
		     json_t **ret_manifest, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	json_t *m;
	json_t *entry;
	bool ok;
	size_t i;

	cs_buf_init(&text, CS_MAX_ARCHIVE_MANIFEST);
	if (!cs_files_read(root, CS_ARCHIVE_MANIFEST, &text, err))
		return cs_error_prefix(err, "no backup");
	m = cs_json_parse(cs_buf_span(&text), CS_ARCHIVE_MANIFEST, err);
	if (m == NULL)
		return false;
	ok = manifest_is_whole(m) ||
	     cs_error_set(err, CS_E_VERIFY,
			  CS_ARCHIVE_MANIFEST ": not of a backup");
	json_array_foreach(json_object_get(m, "files"), i, entry)
	{
		if (ok)
			ok = check_entry(hash, root, entry, err);
	}
	if (!ok) {
		json_decref(m);
		return false;
	}
	*ret_manifest = m;
	return true;
}
