#include "cli/renew.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "cli/files.h"
#include "issuer/cert_facts.h"
#include "issuer/keygen.h"

#define TLS_DIR	  "tls"
#define OCSP_DIR  "ocsp"
#define NEW	  ".new"
#define KEY_FILE  "/key.pem"
#define CERT_FILE "/chain.pem"

/* Facts of one certificate, and texts. */
#define ARENA_BYTES (1024 * 1024)
#define MAX_PATH    4096

bool cs_renew_is_ours(const struct cs_install *in)
{
	return strcmp(in->config.tls_key, TLS_DIR KEY_FILE) == 0 &&
	       strcmp(in->config.tls_chain, TLS_DIR CERT_FILE) == 0;
}

size_t cs_renew_count(const struct cs_install *in)
{
	return 1 + in->config.n_issuers;
}

bool cs_renew_at(const struct cs_install *in, size_t n,
		 struct cs_renew *ret_renew)
{
	struct cs_renew r = {.source = "listener", .folder = TLS_DIR};
	size_t issuer =
		n == 0 ? (size_t)(cs_install_listener(in) - in->config.issuers)
		       : n - 1;

	if (n == 0 ? !cs_renew_is_ours(in) : !in->config.issuers[issuer].ocsp)
		return false;
	r.issuer = in->config.issuers[issuer].name;
	r.ca = in->ca[issuer];
	r.is_over = in->state[issuer].key_is_destroyed;
	if (n == 0) {
		snprintf(r.what, sizeof(r.what), "the listener");
	} else {
		r.source = "ocsp";
		snprintf(r.folder, sizeof(r.folder), OCSP_DIR "/%s", r.issuer);
		snprintf(r.what, sizeof(r.what),
			 "the OCSP responder of issuer %s", r.issuer);
	}
	*ret_renew = r;
	return true;
}

bool cs_renew_is_listener(const struct cs_renew *r)
{
	return strcmp(r->source, "listener") == 0;
}

/* "tls", ".new" and "/key.pem", below DIR and whole. */
static void put_path(char path[MAX_PATH], const char *dir,
		     const struct cs_renew *r, const char *suffix,
		     const char *file)
{
	snprintf(path, MAX_PATH, "%s%s%s%s%s", dir, *dir == '\0' ? "" : "/",
		 r->folder, suffix, file);
}

bool cs_renew_is_there(const struct cs_install *in, const struct cs_renew *r)
{
	char path[MAX_PATH];

	put_path(path, in->dir, r, "", CERT_FILE);
	if (access(path, F_OK) != 0)
		return false;
	put_path(path, in->dir, r, "", KEY_FILE);
	return access(path, F_OK) == 0;
}

bool cs_renew_chain(const struct cs_install *in, const struct cs_renew *r,
		    struct cs_buf *out, struct cs_error *err)
{
	char path[MAX_PATH];

	put_path(path, "", r, "", CERT_FILE);
	return cs_files_read(in->dir, path, out, err);
}

bool cs_renew_open(const struct cs_install *in, const struct cs_renew *r,
		   int *ret_key_fd, int *ret_chain_fd, struct cs_error *err)
{
	char path[MAX_PATH];
	int key = -1;

	put_path(path, "", r, "", KEY_FILE);
	if (!cs_files_open_secret(in->dir, path, &key, err))
		return false;
	put_path(path, "", r, "", CERT_FILE);
	if (!cs_files_open(in->dir, path, ret_chain_fd, err)) {
		close(key);
		return false;
	}
	*ret_key_fd = key;
	return true;
}

/* The first certificate of a chain: its dates, and is it by this CA? */
static bool read_certificate(struct cs_span pem, const struct cs_issuer_ca *ca,
			     int64_t *ret_from, int64_t *ret_to,
			     bool *ret_by_it, struct cs_error *err)
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
	*ret_by_it = cs_span_equal(facts.aki, ca->ski) &&
		     cs_span_equal(facts.issuer, ca->subject);
	return true;
}

bool cs_renew_is_due(const struct cs_install *in, const struct cs_renew *r,
		     int64_t now_s, bool *ret_due, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf pem;
	int64_t from = 0, to = 0;
	bool by_it = false;

	cs_buf_init(&pem, CS_MAX_PEM_FILE);
	if (r->is_over ||
	    (!cs_renew_is_listener(r) && !cs_renew_is_there(in, r))) {
		*ret_due = !r->is_over;
		return true;
	}
	if (!cs_renew_chain(in, r, &pem, err))
		return false;
	if (!read_certificate(cs_buf_span(&pem), r->ca, &from, &to, &by_it,
			      err))
		return cs_error_prefix(err, "%s" CERT_FILE, r->folder);
	/*
	 * Whoever trusts the root takes the listener's of any CA below it. One
	 * that begins in the future is by a clock that was ahead.
	 */
	*ret_due = now_s < from || now_s >= to - (to - from) / 3 ||
		   (!by_it && !cs_renew_is_listener(r));
	return true;
}

/* DIR/tls.new, empty. */
static bool empty_new_dir(const struct cs_install *in, const struct cs_renew *r,
			  struct cs_error *err)
{
	char path[MAX_PATH];

	put_path(path, in->dir, r, NEW, "");
	cs_files_remove_tree(path);
	put_path(path, "", r, NEW, "");
	return cs_files_make_dir(in->dir, path, err);
}

bool cs_renew_begin(const struct cs_install *in, const struct cs_renew *r,
		    struct cs_buf *out, struct cs_error *err)
{
	struct cs_span hosts[CS_MAX_CONFIG_LIST];
	char key[MAX_PATH];
	struct cs_keygen_house l = {.kind = CS_KEY_KIND_EC_P256,
				    .purpose = CS_KEYGEN_RESPONDER,
				    .hosts = hosts,
				    .key = key};

	if (!empty_new_dir(in, r, err))
		return false;
	put_path(key, in->dir, r, NEW, KEY_FILE);
	if (cs_renew_is_listener(r)) {
		l.purpose = CS_KEYGEN_LISTENER;
		l.hosts_n = in->config.hosts.n;
	}
	for (size_t i = 0; i < l.hosts_n; i++)
		hosts[i] = cs_span_str(in->config.hosts.item[i]);
	return cs_keygen_house_in_child(&l, out, err);
}

/* The folder that `folder` stands in, open. */
static int open_parent(const struct cs_install *in, const struct cs_renew *r)
{
	char path[MAX_PATH];

	put_path(path, in->dir, r, "", "");
	*strrchr(path, '/') = '\0';
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Let the new folder be the folder; there may be no old one. */
static bool change_places(const struct cs_install *in, const struct cs_renew *r,
			  struct cs_error *err)
{
	char from[MAX_PATH], to[MAX_PATH];
	int fd = open_parent(in, r);
	bool ok;

	put_path(from, in->dir, r, NEW, "");
	put_path(to, in->dir, r, "", "");
	ok = fd >= 0 &&
	     renameat2(AT_FDCWD, from, AT_FDCWD, to,
		       access(to, F_OK) == 0 ? RENAME_EXCHANGE : 0) == 0 &&
	     fsync(fd) == 0;
	if (!ok)
		cs_error_set_errno(err, CS_E_IO, errno, "%s", to);
	if (fd >= 0)
		close(fd);
	return ok;
}

bool cs_renew_finish(const struct cs_install *in, const struct cs_renew *r,
		     struct cs_span chain_pem, struct cs_error *err)
{
	char path[MAX_PATH];

	put_path(path, "", r, NEW, CERT_FILE);
	if (!cs_files_write(in->dir, path, chain_pem, 0644, err) ||
	    !change_places(in, r, err))
		return false;
	put_path(path, in->dir, r, NEW, "");
	cs_files_remove_tree(path);
	return true;
}
