#include "cli/renew.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/limits.h"
#include "cli/files.h"
#include "issuer/cert_facts.h"
#include "issuer/keygen.h"

#define TLS_DIR	  "tls"
#define NEW_DIR	  "tls.new"
#define KEY_FILE  "/key.pem"
#define CERT_FILE "/chain.pem"

/* Facts of one certificate, and texts. */
#define ARENA_BYTES (1024 * 1024)

/* Do the files lie where we may replace them? */
static bool is_ours(const struct cs_install *in)
{
	return strcmp(in->config.tls_key, TLS_DIR KEY_FILE) == 0 &&
	       strcmp(in->config.tls_chain, TLS_DIR CERT_FILE) == 0;
}

/* The dates of the first certificate of a chain. */
static bool read_dates(struct cs_span pem, int64_t *ret_from, int64_t *ret_to,
		       struct cs_error *err)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	struct cs_tbs_facts facts;
	struct cs_hash *hash;
	bool found;
	bool ok;

	cs_arena_init(&arena, ARENA_BYTES);
	cs_buf_init(&der, CS_MAX_CERT);
	if (!cs_codec_pem_next("CERTIFICATE", &pem, &der, &found, err))
		return false;
	if (!found)
		return cs_error_set(err, CS_E_CERT, "no certificate");
	hash = cs_hash_new(err);
	if (hash == NULL)
		return false;
	ok = cs_cert_facts_read(hash, cs_buf_span(&der), &arena, &facts, err);
	cs_hash_free(hash);
	if (!ok)
		return false;
	*ret_from = facts.not_before_s;
	*ret_to = facts.not_after_s;
	return true;
}

bool cs_renew_is_due(const struct cs_install *in, int64_t now_s, bool *ret_due,
		     struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf pem;
	int64_t from = 0, to = 0;

	cs_buf_init(&pem, CS_MAX_PEM_FILE);
	if (!is_ours(in)) {
		*ret_due = false;
		return true;
	}
	if (!cs_files_read(in->dir, in->config.tls_chain, &pem, err))
		return false;
	if (!read_dates(cs_buf_span(&pem), &from, &to, err))
		return cs_error_prefix(err, "%s", in->config.tls_chain);
	*ret_due = now_s >= to - (to - from) / 3;
	return true;
}

/* DIR/tls.new, empty. */
static bool empty_new_dir(const struct cs_install *in, char *path, size_t n,
			  struct cs_error *err)
{
	snprintf(path, n, "%s/" NEW_DIR, in->dir);
	cs_files_remove_below(path);
	return cs_files_make_dir(in->dir, NEW_DIR, err);
}

bool cs_renew_begin(const struct cs_install *in, struct cs_buf *out,
		    struct cs_error *err)
{
	struct cs_span hosts[CS_MAX_CONFIG_LIST];
	char dir[4096], key[4096 + sizeof(KEY_FILE)];
	struct cs_keygen_listener l = {.kind = CS_KEY_KIND_EC_P256,
				       .hosts = hosts,
				       .hosts_n = in->config.hosts.n,
				       .key = key};

	if (!empty_new_dir(in, dir, sizeof(dir), err))
		return false;
	snprintf(key, sizeof(key), "%s" KEY_FILE, dir);
	for (size_t i = 0; i < l.hosts_n; i++)
		hosts[i] = cs_span_str(in->config.hosts.item[i]);
	return cs_keygen_listener_in_child(&l, out, err);
}

bool cs_renew_finish(const struct cs_install *in, struct cs_span chain_pem,
		     struct cs_error *err)
{
	char dir[4096];
	int fd;
	bool ok;

	if (!cs_files_write(in->dir, NEW_DIR CERT_FILE, chain_pem, 0644, err))
		return false;
	fd = open(in->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 &&
	     renameat2(fd, NEW_DIR, fd, TLS_DIR, RENAME_EXCHANGE) == 0 &&
	     fsync(fd) == 0;
	if (!ok)
		cs_error_set_errno(err, CS_E_IO, errno, "%s/" TLS_DIR, in->dir);
	if (fd >= 0)
		close(fd);
	if (!ok)
		return false;
	snprintf(dir, sizeof(dir), "%s/" NEW_DIR, in->dir);
	cs_files_remove_below(dir);
	(void)rmdir(dir);
	return true;
}
