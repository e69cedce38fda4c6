/*
 * `ca create`, `ca import`: a further issuer for an installation.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/time.h"
#include "cli/ca_job.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "issuer/ca_request.h"
#include "issuer/keygen.h"

static const struct cs_option create_options[] = {
	{"under", 0, "root|ISSUER", "who certifies it"},
	{"self-signed", 0, NULL, "nobody: it is a root itself"},
	{"key", 0, "KIND",
	 "ec-p256, ec-p384, rsa-3072, rsa-4096 or ed25519 (ec-p256)"},
	{"name", 0, "CN", "its common name (\"CA NAME\")"},
	{"days", 0, "N", "of its life (3652; self-signed 7305)"},
	{"path-len", 0, "N", "CAs that may stand below it (0)"},
	CS_CA_PARENT_OPTIONS,
	CS_CA_STANZA_OPTIONS,
	{0},
};

static const struct cs_option import_options[] = {
	{"chain", 0, "FILE", "its certificate, those above it, the root; PEM"},
	{"key", 0, "FILE",
	 "its private key, encrypted or plain; PEM (none after `ca csr`)"},
	{"key-uri", 0, "URI",
	 "or where it is in a PKCS#11 token, whose PIN is the passphrase"},
	CS_CA_STANZA_OPTIONS,
	{0},
};

/* -- what is made ------------------------------------------------------- */

static void tell(const struct cs_ca_job *j, const struct cs_issuer_ca *ca)
{
	bool by_hand = cs_ca_job_by_hand(j);
	FILE *out = by_hand ? j->call->err : j->call->out;
	char end[CS_TIME_TEXT];

	cs_time_rfc3339(ca->not_after_s, end);
	fprintf(out, "Made the issuer %s.\n", j->issuer.name);
	fprintf(out, "  %s   its certificate, valid until %s\n",
		j->issuer.chain, end);
	fprintf(out, "  %s     its key\n", j->issuer.key);
	if (j->root_added)
		fprintf(out, "  root.pem   has its root now: clients must be "
			     "given it\n");
	if (by_hand)
		fprintf(out, "The stanza for the issuers of " CS_CONFIG_FILE
			     " is on standard output.\n");
	else
		fprintf(out, "  " CS_CONFIG_FILE
			     "   has its stanza: look at the ceiling\n");
	fprintf(out, "Next: restart the server, which takes it in and records "
		     "it.\n");
	if (by_hand)
		cs_ca_job_print_stanza(j, j->call->out);
}

/* Key and chain are made: into their place, then root.pem, then the stanza. */
static bool put_in_place(struct cs_ca_job *j, struct cs_error *err)
{
	const char *dir = j->install->dir;
	struct cs_issuer_ca *ca;
	bool ok;

	if (!cs_ca_place_commit(&j->place, err))
		return false;
	ca = cs_ca_job_load_made(j, j->issuer.chain, err);
	ok = ca != NULL && cs_roots_add(dir, ca, &j->root_added, err);
	ok = ok && cs_ca_job_put_stanza(j, err);
	if (ok)
		tell(j, ca);
	else
		cs_ca_job_take_back(j);
	cs_issuer_ca_free(ca);
	return ok;
}

/* -- ca create ---------------------------------------------------------- */

/* Everything about who certifies. */
static bool take_parent(struct cs_ca_job *j, struct cs_ca_create *c,
			struct cs_error *err)
{
	const char *under = cs_call_get(j->call, "under");
	bool alone = cs_call_get(j->call, "self-signed") != NULL;

	if ((under != NULL) == alone)
		return cs_ca_job_usage(
			err, "say who certifies the new CA: --under root, "
			     "--under ISSUER, or --self-signed");
	if (alone)
		return true;
	return cs_ca_job_parent(j, under, c, err);
}

static bool create(struct cs_ca_job *j, struct cs_ca_create *c,
		   struct cs_error *err)
{
	const char *kind = cs_call_get(j->call, "key");
	const char *name = cs_call_get(j->call, "name");

	c->days = cs_call_get(j->call, "self-signed") != NULL
			  ? CS_KEYGEN_ROOT_DAYS
			  : CS_KEYGEN_ISSUER_DAYS;
	c->issuer = cs_span_str(j->name);
	c->name = cs_span_str(name != NULL ? name : "");
	c->now_s = cs_clock_wall_ms(&j->clock) / 1000;
	if (!cs_key_kind_parse(kind != NULL ? kind : "ec-p256", &c->kind,
			       err) ||
	    !cs_call_number(j->call, "days", 1, CS_CA_MAX_DAYS, &c->days,
			    err) ||
	    !cs_call_number(j->call, "path-len", 0, CS_MAX_CHAIN, &c->path_len,
			    err) ||
	    !take_parent(j, c, err) || !cs_ca_job_begin_new(j, err))
		return false;
	c->passphrase = j->passphrase;
	c->key = j->place.key;
	c->chain = j->place.chain;
	return cs_ca_create_in_child(c, err) && put_in_place(j, err);
}

static bool do_create(struct cs_ca_job *j, struct cs_error *err)
{
	struct cs_ca_create c = {.before_key = {-1, ""},
				 .parent_key = {-1, ""},
				 .parent_passphrase = {-1, ""}};
	bool ok = cs_ca_job_plan(j, err) && create(j, &c, err);

	cs_ca_job_close_parent(&c);
	return ok;
}

/* -- ca import ---------------------------------------------------------- */

/* A key and a certificate, both from elsewhere. */
static bool import_both(struct cs_ca_job *j, const struct cs_issuer_ca *ca,
			struct cs_error *err)
{
	struct cs_ca_import c = {
		.ca = ca, .from = {-1, ""}, .before_key = {-1, ""}};
	bool ok;

	ok = cs_ca_job_open(j->call, cs_call_get(j->call, "key"), &c.from,
			    err) &&
	     cs_ca_job_begin_new(j, err);
	if (ok) {
		c.passphrase = j->passphrase;
		c.key = j->place.key;
		c.chain = j->place.chain;
		ok = cs_ca_import_in_child(&c, err) && put_in_place(j, err);
	}
	cs_ca_job_close(&c.from);
	return ok;
}

/* A certificate from elsewhere, and where its key is: in a token. */
static bool import_uri(struct cs_ca_job *j, const struct cs_issuer_ca *ca,
		       struct cs_error *err)
{
	struct cs_ca_import c = {.ca = ca,
				 .uri = cs_call_get(j->call, "key-uri"),
				 .from = {-1, "--key-uri"},
				 .before_key = {-1, ""}};

	if (!cs_ca_job_begin_new(j, err))
		return false;
	c.passphrase = j->passphrase;
	c.key = j->place.uri;
	c.chain = j->place.chain;
	return cs_ca_import_in_child(&c, err) && put_in_place(j, err);
}

/* The certificate for the key of a CSR that was made here. */
static bool import_waiting(struct cs_ca_job *j,
			   const struct cs_install_waiting *w,
			   const struct cs_issuer_ca *ca, struct cs_error *err)
{
	const char *dir = j->install->dir;
	const char *path = cs_files_path(&j->arena, dir, w->config->chain);
	const char *request = cs_arena_printf(
		&j->arena, "%s/issuers/%s/request.pem", dir, j->name);
	const char *key = cs_files_path(&j->arena, dir, w->config->key);
	struct cs_ca_request_facts f;

	j->issuer = *w->config;
	if (path == NULL || key == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (access(key, F_OK) != 0)
		return cs_error_set_errno(err, CS_E_KEY, errno,
					  "the key that the certificate is for "
					  "has to be in its place first: %s",
					  key);
	if (!cs_ca_request_read(w->request, &j->arena, &f, err))
		return cs_error_prefix(err, "issuers/%s/request.pem", j->name);
	if (!cs_span_equal(f.key.spki, ca->key.spki))
		return cs_error_set(err, CS_E_KEY,
				    "%s: its certificate is not for the key of "
				    "issuers/%s/request.pem",
				    cs_call_get(j->call, "chain"), j->name);
	/* The chain comes last: with it the issuer is one. */
	if (!cs_roots_add(dir, ca, &j->root_added, err) ||
	    !cs_files_write(dir, w->config->chain, ca->full_pem, 0644, err) ||
	    !cs_ca_place_give(dir, path, err))
		return false;
	if (request != NULL)
		(void)unlink(request);
	tell(j, ca);
	return true;
}

static bool do_import(struct cs_ca_job *j, struct cs_error *err)
{
	const char *chain = cs_call_get(j->call, "chain");
	const char *key = cs_call_get(j->call, "key");
	const struct cs_install_waiting *w =
		cs_install_waiting(j->install, j->name);
	struct cs_issuer_ca *ca = NULL;
	const char *uri = cs_call_get(j->call, "key-uri");
	bool ok;

	if (key != NULL && uri != NULL)
		return cs_ca_job_usage(err, "--key and --key-uri: one of "
					    "them");
	if (w != NULL && (key != NULL || uri != NULL))
		return cs_ca_job_usage(err,
				       "--key: the issuer waits for the "
				       "certificate of the key that it has");
	if (chain == NULL || (key == NULL && uri == NULL && w == NULL))
		return cs_ca_job_usage(err,
				       "`ca import` needs --chain and --key "
				       "(or --key-uri)");
	if (w == NULL && !cs_ca_job_plan(j, err))
		return false;
	ca = cs_ca_job_load_given(j, chain, err);
	ok = ca != NULL && (w != NULL	  ? import_waiting(j, w, ca, err)
			    : uri != NULL ? import_uri(j, ca, err)
					  : import_both(j, ca, err));
	cs_issuer_ca_free(ca);
	return ok;
}

static int run_create(const struct cs_call *call)
{
	return cs_ca_job_run(call, do_create);
}

static int run_import(const struct cs_call *call)
{
	return cs_ca_job_run(call, do_import);
}

const struct cs_command cs_cmd_ca_create = {
	.name = "ca create",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "Make a further issuer: key, CA certificate, configuration",
	.options = create_options,
	.example = "countersign ca create web --under root --key ec-p384 "
		   "--name 'Example Web CA'",
	.run = run_create,
};

const struct cs_command cs_cmd_ca_import = {
	.name = "ca import",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "Take over an issuer that was made elsewhere",
	.options = import_options,
	.example = "countersign ca import partner --chain partner-chain.pem "
		   "--key partner-key.pem",
	.run = run_import,
};
