#include "cli/install.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "cli/files.h"

/* Configuration, paths, ceilings: texts of a person's length. */
#define ARENA_BYTES (8 * 1024 * 1024)

void cs_install_free(struct cs_install *in)
{
	if (in == NULL)
		return;
	for (size_t i = 0; in->ca != NULL && i < in->config.n_issuers; i++)
		cs_issuer_ca_free(in->ca[i]);
	for (size_t i = 0; i < in->older_n; i++)
		cs_issuer_ca_free(in->older[i].ca);
	cs_arena_done(&in->arena);
	cs_mem_free(in);
}

/* A list of texts as spans. */
static const struct cs_span *spans(struct cs_install *in,
				   const struct cs_config_list *list)
{
	struct cs_span *out =
		cs_arena_new_array(&in->arena, list->n + 1, sizeof(*out));

	for (size_t i = 0; out != NULL && i < list->n; i++)
		out[i] = cs_span_str(list->item[i]);
	return out;
}

static bool load_ceiling(struct cs_install *in, size_t i, struct cs_error *err)
{
	const struct cs_config_ceiling *c = &in->config.issuers[i].ceiling;
	struct cs_ceiling_text text = {
		.max_validity = cs_span_str(c->max_validity),
		.ext_key_usage = spans(in, &c->ext_key_usage),
		.ext_key_usage_n = c->ext_key_usage.n,
		.permitted_dns = spans(in, &c->permitted_dns),
		.permitted_dns_n = c->permitted_dns.n,
		.permitted_ip = spans(in, &c->permitted_ip),
		.permitted_ip_n = c->permitted_ip.n,
		.permitted_kinds = spans(in, &c->permitted_kinds),
		.permitted_kinds_n = c->permitted_kinds.n,
		.ca = c->ca,
		.ocsp = in->config.issuers[i].ocsp,
	};

	if (text.ext_key_usage == NULL || text.permitted_dns == NULL ||
	    text.permitted_ip == NULL || text.permitted_kinds == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for the configuration");
	return cs_ceiling_parse(&text, &in->arena, &in->ceiling[i], err) ||
	       cs_error_prefix(err, CS_CONFIG_FILE ":%u: issuer `%s`: ceiling",
			       in->config.issuers[i].line,
			       in->config.issuers[i].name);
}

/* One CA: its chain file, and what its generation.yaml says. */
static struct cs_issuer_ca *load_ca(struct cs_install *in,
				    const struct cs_config_issuer *c,
				    const char *file,
				    const struct cs_generation *g,
				    struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf chain;
	struct cs_issuer_ca_source source = {
		.name = cs_span_str(c->name),
		.generation = g->number,
		.crl_url = cs_span_str(g->has_crl ? g->crl_url : c->crl_url),
		.crl_url_is_whole = g->has_crl,
		.crl_shards = g->has_crl ? g->crl_shards : c->crl_shards,
		.ocsp_url = cs_span_str(c->ocsp_url),
	};
	struct cs_issuer_ca *ca;

	cs_buf_init(&chain, CS_MAX_PEM_FILE);
	if (!cs_files_read(in->dir, file, &chain, err))
		return NULL;
	source.chain_pem = cs_buf_span(&chain);
	ca = cs_issuer_ca_new(&source, err);
	if (ca == NULL)
		cs_error_prefix(err, "issuer `%s`: %s", c->name, file);
	return ca;
}

bool cs_install_is_token(const struct cs_config_issuer *c)
{
	return cs_span_ends_with(cs_span_str(c->key), CS_SPAN_LIT(".uri"));
}

bool cs_install_is_kept(const struct cs_config_issuer *c)
{
	char key[PATH_MAX], chain[PATH_MAX];

	snprintf(key, sizeof(key), "issuers/%s/key.%s", c->name,
		 cs_install_is_token(c) ? "uri" : "pem");
	snprintf(chain, sizeof(chain), "issuers/%s/chain.pem", c->name);
	return strcmp(c->key, key) == 0 && strcmp(c->chain, chain) == 0;
}

/* Generation `number` of issuer i, when its directory is there. */
static bool load_older(struct cs_install *in, size_t i, unsigned number,
		       struct cs_error *err)
{
	const struct cs_config_issuer *c = &in->config.issuers[i];
	struct cs_install_older *o = &in->older[in->older_n];
	const char *path;

	o->folder = cs_arena_printf(&in->arena, "issuers/%s/generation-%u",
				    c->name, number);
	if (o->folder == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	path = cs_files_path(&in->arena, in->dir, o->folder);
	o->chain = cs_arena_printf(&in->arena, "%s/chain.pem", o->folder);
	o->key = cs_arena_printf(&in->arena, "%s/key.pem", o->folder);
	if (path == NULL || o->chain == NULL || o->key == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (access(path, F_OK) != 0)
		return true;
	if (in->older_n == CS_MAX_OLDER)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "issuer `%s`: more than %d generations "
				    "before the present ones",
				    c->name, CS_MAX_OLDER);
	if (!cs_generation_read(in->dir, o->folder, &in->arena, &o->state, err))
		return false;
	o->state.number = number;
	o->ca = load_ca(in, c, o->chain, &o->state, err);
	o->issuer = i;
	in->older_n += o->ca != NULL;
	return o->ca != NULL;
}

static bool load_issuer(struct cs_install *in, size_t i, struct cs_error *err)
{
	const struct cs_config_issuer *c = &in->config.issuers[i];
	struct cs_generation *g = &in->state[i];
	char folder[PATH_MAX];

	*g = (struct cs_generation){.number = 1};
	snprintf(folder, sizeof(folder), "issuers/%s", c->name);
	if (cs_install_is_kept(c) &&
	    !cs_generation_read(in->dir, folder, &in->arena, g, err))
		return false;
	/* What is in force is as the configuration says it. */
	g->has_crl = false;
	for (unsigned n = 1; n < g->number; n++)
		if (!load_older(in, i, n, err))
			return false;
	in->ca[i] = load_ca(in, c, c->chain, g, err);
	return in->ca[i] != NULL && load_ceiling(in, i, err);
}

/* Has issuer `i` a CSR and no chain? Its text is kept then. */
static bool is_waiting(struct cs_install *in, const struct cs_config_issuer *c,
		       bool *ret_waits, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_install_waiting *w = &in->waiting[in->waiting_n];
	const char *chain = cs_files_path(&in->arena, in->dir, c->chain);
	char path[PATH_MAX];
	struct cs_error why = {0};

	cs_buf_init(&text, CS_MAX_PEM_FILE);
	*ret_waits = false;
	if (chain == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (access(chain, F_OK) == 0 || errno != ENOENT)
		return true;
	snprintf(path, sizeof(path), "issuers/%s/request.pem", c->name);
	if (!cs_files_read(in->dir, path, &text, &why))
		return true; /* it is the chain that is missing */
	if (!cs_arena_dup(&in->arena, cs_buf_span(&text), &w->request))
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	*ret_waits = true;
	return true;
}

/*
 * Those that wait, behind the others, which keep their order; the number of
 * issuers is that of the others from here on.
 */
static bool part_waiting(struct cs_install *in, struct cs_error *err)
{
	struct cs_config *c = &in->config;
	size_t n = c->n_issuers, ready = 0;
	struct cs_config_issuer *all =
		cs_arena_new_array(&in->arena, n, sizeof(*all));

	in->waiting = cs_arena_new_array(&in->arena, n, sizeof(*in->waiting));
	if (all == NULL || in->waiting == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	for (size_t i = 0; i < n; i++) {
		bool waits;

		if (!is_waiting(in, &c->issuers[i], &waits, err))
			return false;
		if (waits)
			in->waiting[in->waiting_n++].config = &c->issuers[i];
		else
			all[ready++] = c->issuers[i];
	}
	if (ready == 0)
		return cs_error_set(err, CS_E_CONFIG,
				    CS_CONFIG_FILE
				    ": no issuer has a certificate yet");
	c->issuers = all;
	c->n_issuers = ready;
	if (cs_install_listener(in) == NULL)
		return cs_error_set(err, CS_E_CONFIG,
				    CS_CONFIG_FILE ": tls.issuer: `%s` has no "
						   "certificate yet",
				    c->tls_issuer);
	return true;
}

bool cs_install_is_retired(const struct cs_install *in, const char *name)
{
	for (size_t i = 0; i < in->config.n_issuers; i++)
		if (strcmp(in->config.issuers[i].name, name) == 0)
			return in->state[i].is_retired;
	return false;
}

const struct cs_config_issuer *cs_install_listener(const struct cs_install *in)
{
	const char *name = in->config.tls_issuer;

	return name != NULL ? cs_config_issuer(&in->config, name)
			    : &in->config.issuers[0];
}

const struct cs_install_waiting *cs_install_waiting(const struct cs_install *in,
						    const char *name)
{
	for (size_t i = 0; i < in->waiting_n; i++)
		if (strcmp(in->waiting[i].config->name, name) == 0)
			return &in->waiting[i];
	return NULL;
}

static bool load_config(struct cs_install *in, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_hash *hash = cs_hash_new(err);
	bool ok;

	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	ok = hash != NULL &&
	     cs_files_read(in->dir, CS_CONFIG_FILE, &text, err) &&
	     cs_hash_sha256(hash, cs_buf_span(&text), in->config_sha256, err) &&
	     cs_config_parse(cs_buf_span(&text), CS_CONFIG_FILE, &in->arena,
			     &in->config, err);
	cs_hash_free(hash);
	return ok;
}

static bool load(struct cs_install *in, const char *dir, struct cs_error *err)
{
	char absolute[PATH_MAX];
	size_t n;

	if (realpath(dir, absolute) == NULL)
		return cs_error_set_errno(
			err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, errno,
			"%s", dir);
	in->dir = cs_arena_str(&in->arena, cs_span_str(absolute));
	if (in->dir == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (!load_config(in, err) || !part_waiting(in, err))
		return false;
	n = in->config.n_issuers;
	in->ca = cs_arena_new_array(&in->arena, n, sizeof(*in->ca));
	in->ceiling = cs_arena_new_array(&in->arena, n, sizeof(*in->ceiling));
	in->state = cs_arena_new_array(&in->arena, n, sizeof(*in->state));
	in->older = cs_arena_new_array(&in->arena, CS_MAX_OLDER + 1,
				       sizeof(*in->older));
	if (in->ca == NULL || in->ceiling == NULL || in->state == NULL ||
	    in->older == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for the configuration");
	for (size_t i = 0; i < n; i++)
		if (!load_issuer(in, i, err))
			return false;
	return true;
}

struct cs_install *cs_install_load(const char *dir, struct cs_error *err)
{
	struct cs_install *in = cs_mem_new(sizeof(*in));

	if (in == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory");
		return NULL;
	}
	cs_arena_init(&in->arena, ARENA_BYTES);
	if (load(in, dir, err))
		return in;
	cs_install_free(in);
	return NULL;
}
