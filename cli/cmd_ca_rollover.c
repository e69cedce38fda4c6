/*
 * `ca rollover`: the next generation of an issuer, with a certificate of the
 * CA above it or one that somebody else's CA has made. The files change in
 * one step (cli/ca_place.h); the server issues under the new generation from
 * its next start on, and records it then.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/time.h"
#include "cli/ask.h"
#include "cli/ca_job.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "issuer/ca_request.h"
#include "issuer/keygen.h"

static const struct cs_option options[] = {
	{"under", 0, "root|ISSUER", "who certifies it (root)"},
	{"self-signed", 0, NULL, "nobody: it is a root itself"},
	{"chain", 0, "FILE",
	 "a certificate from elsewhere, those above it, the root; PEM"},
	{"key", 0, "KIND|FILE",
	 "kind of the new key (as it is); with --chain the key's file"},
	{"same-key", 0, NULL, "no new key: the certificate alone is new"},
	{"name", 0, "CN", "another common name"},
	{"days", 0, "N", "of its life (3652; self-signed 7305)"},
	{"path-len", 0, "N", "CAs that may stand below it (as it is)"},
	CS_CA_PARENT_OPTIONS,
	{"passphrase-fd", 0, "N", "descriptor with the passphrase of its keys"},
	{0},
};

/* What is in force, and what comes. */
struct rollover {
	struct cs_ca_job *j;
	const struct cs_config_issuer *config;
	const struct cs_issuer_ca *before;
	struct cs_generation state; /* of what is in force, frozen */
	struct cs_ca_file before_key;
	const char *same_key; /* where its key lies already; NULL: made */
};

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
}

/* -- what is in force ----------------------------------------------------- */

/* The row of this certificate among those that the log knows; or NULL. */
static json_t *find_row(const json_t *items, const char *sha256)
{
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		if (strcmp(cs_reply_text(item, "sha256"), sha256) == 0)
			return item;
	}
	return NULL;
}

static bool sha256_text(struct cs_span bytes, char text[65],
			struct cs_error *err)
{
	struct cs_hash *hash = cs_hash_new(err);
	uint8_t digest[CS_SHA256_SIZE];
	bool ok = hash != NULL && cs_hash_sha256(hash, bytes, digest, err);

	for (size_t i = 0; ok && i < sizeof(digest); i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	cs_hash_free(hash);
	return ok;
}

/* The number under which the log knows the present generation. */
static bool find_number(struct rollover *r, struct cs_error *err)
{
	const struct cs_question_call q = {.kind = CS_QUERY_ISSUERS,
					   .target = "/v1/issuers"};
	struct cs_reply reply = {0};
	const json_t *row;
	char sha256[65];

	if (!sha256_text(r->before->certificate, sha256, err) ||
	    !cs_ask_question(r->j->call, &q, &reply, err))
		return false;
	row = find_row(json_object_get(reply.body, "items"), sha256);
	r->state.number = (unsigned)json_integer_value(
		json_object_get(row, "generation"));
	cs_reply_done(&reply);
	if (r->state.number > 0)
		return true;
	return cs_error_set(err, CS_E_CONFIG,
			    "the present certificate of issuer %s is not "
			    "recorded yet: start the server with it first",
			    r->j->name);
}

/* The issuer, which must be one, with its files where we keep them. */
static bool find_present(struct rollover *r, struct cs_error *err)
{
	const struct cs_install *in = r->j->install;

	if (cs_install_waiting(in, r->j->name) != NULL)
		return cs_error_set(err, CS_E_CERT,
				    "issuer %s waits for its first "
				    "certificate: `ca import %s --chain FILE`",
				    r->j->name, r->j->name);
	for (size_t i = 0; i < in->config.n_issuers; i++) {
		if (strcmp(in->config.issuers[i].name, r->j->name) != 0)
			continue;
		r->config = &in->config.issuers[i];
		r->before = in->ca[i];
		r->state = in->state[i];
	}
	if (r->config == NULL)
		return cs_error_set(err, CS_E_NOT_FOUND,
				    "there is no issuer `%s`", r->j->name);
	if (cs_install_is_token(r->config))
		return cs_error_set(err, CS_E_CONFIG,
				    "issuer %s: its key is in a PKCS#11 "
				    "token, and such an issuer has one "
				    "generation: import the next certificate "
				    "as a further issuer (`ca import NAME "
				    "--key-uri`)",
				    r->j->name);
	if (!cs_install_is_kept(r->config))
		return cs_error_set(err, CS_E_CONFIG,
				    "issuer %s: its key and chain do not lie "
				    "in issuers/%s",
				    r->j->name, r->j->name);
	r->before_key.name = r->config->key;
	if (!cs_files_open_secret(in->dir, r->config->key, &r->before_key.fd,
				  err) &&
	    !r->state.key_is_destroyed)
		return false;
	return find_number(r, err);
}

/* Freeze what the certificates of the present generation say of CRLs. */
static bool freeze(struct rollover *r, struct cs_error *err)
{
	r->state.has_crl = true;
	r->state.crl_shards = r->before->crl_shards;
	r->state.crl_url = NULL;
	if (r->before->crl_url.n == 0)
		return true;
	r->state.crl_url = cs_arena_str(&r->j->arena, r->before->crl_url);
	return r->state.crl_url != NULL || no_memory(err);
}

/* -- into its place ------------------------------------------------------- */

static void warn(const struct rollover *r, const char *sentence)
{
	fprintf(r->j->call->err, "countersign: warning: %s\n", sentence);
}

/* What people have to know before the restart. */
static void compare(const struct rollover *r, const struct cs_issuer_ca *ca)
{
	if (!cs_span_equal(ca->subject, r->before->subject))
		warn(r, "its subject is another one: whoever looks for issuers "
			"by name has to learn it");
	if (ca->not_after_s < r->before->not_after_s)
		warn(r, "it ends before the generation that it follows");
	if (!cs_span_equal(ca->root_pem, r->before->root_pem))
		warn(r, "it stands under another root than before");
	if (ca->has_path_len &&
	    (!r->before->has_path_len || ca->path_len < r->before->path_len))
		warn(r, "fewer CAs may stand below it than before");
	if (ca->ext_key_usage_n > 0 && r->before->ext_key_usage_n == 0)
		warn(r, "its chain limits the purposes of certificates, which "
			"it did not");
	if (ca->constraints_n > r->before->constraints_n)
		warn(r, "its chain constrains names more than before");
}

static void tell(const struct rollover *r, const struct cs_issuer_ca *ca)
{
	const struct cs_ca_job *j = r->j;
	FILE *out = j->call->out;
	char end[CS_TIME_TEXT];

	cs_time_rfc3339(ca->not_after_s, end);
	fprintf(out, "Made generation %u of the issuer %s.\n", ca->generation,
		j->name);
	fprintf(out, "  %s   its certificate, valid until %s\n",
		r->config->chain, end);
	fprintf(out, "  %s     its key%s\n", r->config->key,
		cs_span_equal(ca->key.spki, r->before->key.spki)
			? ", the same as before"
			: "");
	fprintf(out,
		"  issuers/%s/generation-%u   the one before: it signs CRLs, "
		"and no certificates\n",
		j->name, r->state.number);
	if (ca->crl_url.n > 0)
		fprintf(out, "  %.*s   where its CRLs will be asked for\n",
			CS_SPAN_FMT(ca->crl_url));
	if (j->root_added)
		fprintf(out, "  root.pem   has its root now: clients must be "
			     "given it\n");
	fprintf(out, "Next: restart the server, which issues under it from "
		     "then on and records it.\n");
}

/* The chain in the staging directory, as the house would load it. */
static struct cs_issuer_ca *load_staged(const struct rollover *r,
					const char *path, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf chain;
	struct cs_issuer_ca_source source = {
		.name = cs_span_str(r->j->name),
		.generation = r->state.number + 1,
		.crl_url = cs_span_str(r->config->crl_url),
		.crl_shards = r->config->crl_shards};

	cs_buf_init(&chain, CS_MAX_PEM_FILE);
	if (!cs_files_read("/", path, &chain, err))
		return NULL;
	source.chain_pem = cs_buf_span(&chain);
	return cs_issuer_ca_new(&source, err);
}

/* generation.yaml of the new one, and everything that stays. */
static bool put_states(struct rollover *r, struct cs_error *err)
{
	const struct cs_ca_place *p = &r->j->place;
	const struct cs_generation next = {.number = r->state.number + 1};
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	cs_buf_init(&text, CS_MAX_PEM_FILE);
	if (!cs_generation_write(&next, &text, err) ||
	    !cs_files_write(p->staging, CS_GENERATION_FILE, cs_buf_span(&text),
			    0644, err))
		return false;
	cs_buf_reset(&text);
	return cs_generation_write(&r->state, &text, err) &&
	       cs_ca_place_keep(p, r->state.number, cs_buf_span(&text), err);
}

/* Key and chain are made: the states, root.pem, then the one step. */
static bool put_in_place(struct rollover *r, struct cs_error *err)
{
	struct cs_ca_job *j = r->j;
	struct cs_issuer_ca *ca;
	bool ok;

	if (r->same_key != NULL &&
	    !cs_ca_place_take_key(&j->place, r->same_key, err))
		return false;
	ca = load_staged(r, j->place.chain, err);
	if (ca == NULL)
		return false;
	compare(r, ca);
	ok = put_states(r, err) &&
	     cs_roots_add(j->install->dir, ca, &j->root_added, err) &&
	     cs_ca_place_commit(&j->place, err);
	if (ok)
		tell(r, ca);
	cs_issuer_ca_free(ca);
	return ok;
}

static bool begin(struct rollover *r, struct cs_error *err)
{
	struct cs_ca_job *j = r->j;

	return cs_ca_place_begin(j->install->dir, j->name, CS_CA_PLACE_ROLLOVER,
				 &j->arena, &j->place, err);
}

/* -- a certificate made here ---------------------------------------------- */

static bool take_options(struct rollover *r, struct cs_ca_create *c,
			 struct cs_error *err)
{
	const struct cs_call *call = r->j->call;
	const char *kind = cs_call_get(call, "key");
	const char *name = cs_call_get(call, "name");

	c->kind = cs_key_kind_of(&r->before->key);
	c->path_len = r->before->has_path_len ? r->before->path_len : 0;
	if (name != NULL)
		c->name = cs_span_str(name);
	if (kind != NULL && r->same_key != NULL)
		return cs_ca_job_usage(err,
				       "--key and --same-key: one of them");
	return (kind == NULL || cs_key_kind_parse(kind, &c->kind, err)) &&
	       cs_call_number(call, "days", 1, CS_CA_MAX_DAYS, &c->days, err) &&
	       cs_call_number(call, "path-len", 0, CS_MAX_CHAIN, &c->path_len,
			      err);
}

/* Who certifies: as asked, else as it was, root or itself. */
static bool take_parent(struct rollover *r, struct cs_ca_create *c,
			struct cs_error *err)
{
	const char *under = cs_call_get(r->j->call, "under");
	bool alone = cs_call_get(r->j->call, "self-signed") != NULL;

	if (under != NULL && alone)
		return cs_ca_job_usage(err, "--under and --self-signed: one of "
					    "them");
	if (under == NULL && r->before->chain_pem.n == 0)
		alone = true;
	c->days = alone ? CS_KEYGEN_ROOT_DAYS : CS_KEYGEN_ISSUER_DAYS;
	if (under != NULL && strcmp(under, r->j->name) == 0)
		return cs_ca_job_usage(err, "--under: an issuer does not "
					    "certify itself");
	return take_options(r, c, err) &&
	       (alone ||
		cs_ca_job_parent(r->j, under != NULL ? under : "root", c, err));
}

/* A CSR that waits would be forgotten silently. */
static bool check_no_request(const struct rollover *r, struct cs_error *err)
{
	const char *path = cs_arena_printf(&r->j->arena, "%s/issuers/%s/next",
					   r->j->install->dir, r->j->name);

	if (path == NULL)
		return no_memory(err);
	return access(path, F_OK) != 0 ||
	       cs_error_set(err, CS_E_EXISTS,
			    "issuers/%s/next: a CSR waits for its certificate: "
			    "bring that (--chain), or remove the directory",
			    r->j->name);
}

static bool make_here(struct rollover *r, struct cs_error *err)
{
	struct cs_ca_job *j = r->j;
	struct cs_ca_create c = {.before = r->before,
				 .issuer = cs_span_str(j->name),
				 .now_s = cs_clock_wall_ms(&j->clock) / 1000,
				 .before_key = r->before_key,
				 .parent_key = {-1, ""},
				 .parent_passphrase = {-1, ""}};
	bool ok;

	if (cs_call_get(j->call, "same-key") != NULL)
		r->same_key = "key.pem";
	ok = check_no_request(r, err) && take_parent(r, &c, err) &&
	     begin(r, err);
	if (ok) {
		c.passphrase = j->passphrase;
		c.key = r->same_key != NULL ? NULL : j->place.key;
		c.chain = j->place.chain;
		ok = cs_ca_create_in_child(&c, err) && put_in_place(r, err);
	}
	cs_ca_job_close_parent(&c);
	return ok;
}

/* -- a certificate from elsewhere ----------------------------------------- */

/* Is it another one than all that there were? */
static bool check_is_new(const struct rollover *r,
			 const struct cs_issuer_ca *ca, struct cs_error *err)
{
	const struct cs_install *in = r->j->install;
	bool known = false;

	for (size_t i = 0; i < in->config.n_issuers; i++)
		known = known ||
			cs_span_equal(in->ca[i]->certificate, ca->certificate);
	for (size_t i = 0; i < in->older_n; i++)
		known = known || cs_span_equal(in->older[i].ca->certificate,
					       ca->certificate);
	return !known || cs_error_set(err, CS_E_EXISTS,
				      "--chain: an issuer has this certificate "
				      "already");
}

/* Where the key of the CSR that waits is; *ret NULL: none waits. */
static bool find_requested(struct rollover *r, const struct cs_issuer_ca *ca,
			   struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf pem;
	struct cs_ca_job *j = r->j;
	struct cs_ca_request_facts f;
	struct cs_error why = {0};
	const char *file = cs_arena_printf(
		&j->arena, "issuers/%s/next/request.pem", j->name);

	cs_buf_init(&pem, CS_MAX_PEM_FILE);
	if (file == NULL)
		return no_memory(err);
	if (!cs_files_read(j->install->dir, file, &pem, &why)) {
		if (cs_span_equal(ca->key.spki, r->before->key.spki))
			r->same_key = "key.pem";
		return r->same_key != NULL ||
		       cs_error_set(err, CS_E_KEY,
				    "--chain: its key is neither the present "
				    "one nor that of a CSR: bring it (--key)");
	}
	if (!cs_ca_request_read(cs_buf_span(&pem), &j->arena, &f, err))
		return cs_error_prefix(err, "%s", file);
	if (!cs_span_equal(f.key.spki, ca->key.spki))
		return cs_error_set(err, CS_E_KEY,
				    "--chain: its certificate is not for the "
				    "key of %s",
				    file);
	r->same_key = cs_span_equal(ca->key.spki, r->before->key.spki)
			      ? "key.pem"
			      : "next/key.pem";
	return true;
}

/* With a key that came, too. */
static bool take_both(struct rollover *r, const struct cs_issuer_ca *ca,
		      struct cs_error *err)
{
	struct cs_ca_job *j = r->j;
	struct cs_ca_import c = {
		.ca = ca, .from = {-1, ""}, .before_key = r->before_key};
	bool ok = cs_ca_job_open(j->call, cs_call_get(j->call, "key"), &c.from,
				 err) &&
		  begin(r, err);

	if (ok) {
		c.passphrase = j->passphrase;
		c.key = j->place.key;
		c.chain = j->place.chain;
		ok = cs_ca_import_in_child(&c, err);
	}
	cs_ca_job_close(&c.from);
	return ok && put_in_place(r, err);
}

/* For a key that is here. */
static bool take_chain(struct rollover *r, const struct cs_issuer_ca *ca,
		       struct cs_error *err)
{
	return find_requested(r, ca, err) && begin(r, err) &&
	       cs_files_write(r->j->place.staging, "chain.pem", ca->full_pem,
			      0644, err) &&
	       put_in_place(r, err);
}

static bool take_given(struct rollover *r, const char *chain,
		       struct cs_error *err)
{
	static const char *const ours[] = {"under", "self-signed", "same-key",
					   "name",  "days",	   "path-len"};
	const struct cs_call *call = r->j->call;
	struct cs_issuer_ca *ca;
	bool ok;

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (cs_call_get(call, ours[i]) != NULL)
			return cs_error_set(err, CS_E_USAGE,
					    "--%s and --chain: one of them",
					    ours[i]);
	ca = cs_ca_job_load_given(r->j, chain, err);
	ok = ca != NULL && check_is_new(r, ca, err) &&
	     (cs_call_get(call, "key") != NULL ? take_both(r, ca, err)
					       : take_chain(r, ca, err));
	cs_issuer_ca_free(ca);
	return ok;
}

/* -- the command ---------------------------------------------------------- */

static bool do_rollover(struct cs_ca_job *j, struct cs_error *err)
{
	struct rollover r = {.j = j, .before_key = {-1, ""}};
	const char *chain = cs_call_get(j->call, "chain");
	bool ok;

	ok = find_present(&r, err) && freeze(&r, err) &&
	     cs_ca_job_own_passphrase(j, r.config, err) &&
	     (chain != NULL ? take_given(&r, chain, err) : make_here(&r, err));
	cs_ca_job_close(&r.before_key);
	return ok;
}

static int run(const struct cs_call *call)
{
	return cs_ca_job_run(call, do_rollover);
}

const struct cs_command cs_cmd_ca_rollover = {
	.name = "ca rollover",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "Make the next generation of an issuer: certificate and key",
	.options = options,
	.example = "countersign ca rollover default --days 1826",
	.run = run,
};
