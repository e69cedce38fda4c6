/*
 * `ca csr`: a certification request for an issuer that somebody else's CA
 * shall certify: a new one, which waits until `ca import` brings the
 * certificate, or the next generation of one that is there, for `ca
 * rollover`.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "cli/ca_job.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/passphrase.h"
#include "issuer/ca_request.h"

static const struct cs_option options[] = {
	{"key", 0, "KIND",
	 "ec-p256, ec-p384, rsa-3072, rsa-4096 or ed25519 (ec-p256, or as it "
	 "is)"},
	{"same-key", 0, NULL, "for the key that the issuer has"},
	{"name", 0, "CN", "its common name (\"CA NAME\", or as it is)"},
	{"organization", 0, "O", "its organization (none, or as it is)"},
	{"path-len", 0, "N", "CAs that may stand below it (0, or as it is)"},
	{"out", 0, "FILE", "where the CSR goes (standard output)"},
	CS_CA_STANZA_OPTIONS,
	{0},
};

/* -- where it goes ------------------------------------------------------- */

/* --out, if it was said, names no file that is there. */
static bool check_out(const struct cs_ca_job *j, struct cs_error *err)
{
	const char *file = cs_call_get(j->call, "out");
	struct stat st;

	return file == NULL || lstat(file, &st) != 0 ||
	       cs_error_set(err, CS_E_EXISTS,
			    "--out: %s is there already: nothing is "
			    "overwritten",
			    file);
}

/* PEM on standard output or into --out. */
static bool put_request(const struct cs_ca_job *j, struct cs_span pem,
			struct cs_error *err)
{
	const char *file = cs_call_get(j->call, "out");

	if (file != NULL)
		return cs_files_write(".", file, pem, 0644, err);
	return (fwrite(pem.p, 1, pem.n, j->call->out) == pem.n &&
		fflush(j->call->out) == 0) ||
	       cs_error_set_errno(err, CS_E_IO, errno, "standard output");
}

/* Where the CSR of a next generation stands. */
static const char *next_request(struct cs_ca_job *j)
{
	return cs_arena_printf(&j->arena, "issuers/%s/next/request.pem",
			       j->name);
}

/* The CSR that stands in the installation. */
static bool put_made(const struct cs_ca_job *j, const char *path,
		     struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf pem;

	cs_buf_init(&pem, CS_MAX_PEM_FILE);
	return cs_files_read(j->install->dir, path, &pem, err) &&
	       (put_request(j, cs_buf_span(&pem), err) ||
		cs_error_prefix(err, "the CSR stands in %s/%s", j->install->dir,
				path));
}

/* -- a new issuer -------------------------------------------------------- */

static bool take_options(const struct cs_ca_job *j, struct cs_ca_request *c,
			 struct cs_error *err)
{
	const char *kind = cs_call_get(j->call, "key");
	const char *name = cs_call_get(j->call, "name");
	const char *organization = cs_call_get(j->call, "organization");

	if (name != NULL)
		c->name = cs_span_str(name);
	if (organization != NULL)
		c->organization = cs_span_str(organization);
	return (kind == NULL || cs_key_kind_parse(kind, &c->kind, err)) &&
	       cs_call_number(j->call, "path-len", 0, CS_MAX_CHAIN,
			      &c->path_len, err);
}

static bool csr_of_new(struct cs_ca_job *j, struct cs_error *err)
{
	struct cs_ca_request c = {.kind = CS_KEY_KIND_EC_P256,
				  .before = {-1, ""},
				  .from = {-1, ""}};
	const char *cn = cs_arena_printf(&j->arena, "CA %s", j->name);

	if (cn == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (cs_call_get(j->call, "same-key") != NULL)
		return cs_error_set(err, CS_E_NOT_FOUND,
				    "--same-key: there is no issuer `%s`",
				    j->name);
	c.name = cs_span_str(cn);
	if (!take_options(j, &c, err) || !cs_ca_job_plan(j, err) ||
	    !cs_ca_job_begin_new(j, err))
		return false;
	c.passphrase = j->passphrase;
	c.key = j->place.key;
	c.request = j->place.request;
	if (!cs_ca_request_in_child(&c, err) ||
	    !cs_ca_place_commit(&j->place, err))
		return false;
	if (!cs_ca_job_put_stanza(j, err)) {
		cs_ca_job_take_back(j);
		return false;
	}
	if (!put_made(j,
		      cs_arena_printf(&j->arena, "issuers/%s/request.pem",
				      j->name),
		      err))
		return false;
	fprintf(j->call->err,
		"Made a key for the issuer %s, which waits for its "
		"certificate.\nNext: have the CSR signed, then\n  countersign "
		"ca import %s --chain FILE\nwith the certificate, those above "
		"it and the root in FILE.\n",
		j->name, j->name);
	if (cs_ca_job_by_hand(j)) {
		fputs("The stanza for the issuers of " CS_CONFIG_FILE ":\n",
		      j->call->err);
		cs_ca_job_print_stanza(j, j->call->err);
	}
	return true;
}

/* -- the next generation of one that is there ---------------------------- */

/* What the CSR says where nothing else was asked for: what is now. */
static bool take_present(struct cs_ca_job *j, const struct cs_issuer_ca *ca,
			 struct cs_ca_request *c, struct cs_error *err)
{
	c->path_len = ca->has_path_len ? ca->path_len : 0;
	c->kind = cs_key_kind_of(&ca->key);
	if (!take_options(j, c, err))
		return false;
	if (c->name.n == 0 && c->organization.n > 0)
		return cs_ca_job_usage(err, "--organization: say --name, too");
	if (c->name.n == 0)
		c->subject = ca->subject;
	return true;
}

static bool csr_of_next(struct cs_ca_job *j, const struct cs_issuer_ca *ca,
			const struct cs_config_issuer *config,
			struct cs_error *err)
{
	struct cs_ca_request c = {.before = {-1, config->key},
				  .from = {-1, config->key}};
	bool same = cs_call_get(j->call, "same-key") != NULL;
	bool ok;

	if (same && cs_call_get(j->call, "key") != NULL)
		return cs_ca_job_usage(err, "--key and --same-key: one of "
					    "them");
	if (cs_install_is_token(config))
		return cs_error_set(err, CS_E_CONFIG,
				    "issuer %s: its key is in a PKCS#11 "
				    "token: CSRs for keys there are made by "
				    "other programs",
				    j->name);
	if (!take_present(j, ca, &c, err) ||
	    !cs_ca_job_own_passphrase(j, config, err) ||
	    !cs_ca_place_begin(j->install->dir, j->name, CS_CA_PLACE_NEXT,
			       &j->arena, &j->place, err) ||
	    !cs_files_open_secret(j->install->dir, config->key,
				  same ? &c.from.fd : &c.before.fd, err))
		return false;
	c.passphrase = j->passphrase;
	c.key = j->place.key;
	c.request = j->place.request;
	ok = cs_ca_request_in_child(&c, err);
	cs_ca_job_close(&c.from);
	cs_ca_job_close(&c.before);
	if (!ok || !cs_ca_place_commit(&j->place, err) ||
	    !put_made(j, next_request(j), err))
		return false;
	fprintf(j->call->err,
		"The issuer %s goes on as it is. Next: have the CSR signed, "
		"then\n  countersign ca rollover %s --chain FILE\n",
		j->name, j->name);
	return true;
}

/* A CSR that was made before and not used yet. */
static bool put_next_again(struct cs_ca_job *j, bool *ret_done,
			   struct cs_error *err)
{
	struct cs_error why = {0};

	*ret_done = put_made(j, next_request(j), &why);
	if (!*ret_done)
		return why.code == CS_E_NOT_FOUND ||
		       cs_error_set(err, why.code, "%s", why.text);
	fprintf(j->call->err,
		"countersign: %s waits already: this is it; who wants another "
		"one removes its directory\n",
		next_request(j));
	return true;
}

/* -- the command --------------------------------------------------------- */

static bool do_csr(struct cs_ca_job *j, struct cs_error *err)
{
	const struct cs_install *in = j->install;
	const struct cs_install_waiting *w = cs_install_waiting(in, j->name);
	bool done = false;

	if (!check_out(j, err))
		return false;
	if (w != NULL) {
		fprintf(j->call->err,
			"countersign: the issuer %s waits already: this is its "
			"CSR\n",
			j->name);
		return put_request(j, w->request, err);
	}
	for (size_t i = 0; i < in->config.n_issuers; i++) {
		const struct cs_config_issuer *c = &in->config.issuers[i];

		if (strcmp(c->name, j->name) != 0)
			continue;
		return put_next_again(j, &done, err) &&
		       (done || csr_of_next(j, in->ca[i], c, err));
	}
	return csr_of_new(j, err);
}

static int run(const struct cs_call *call)
{
	return cs_ca_job_run(call, do_csr);
}

const struct cs_command cs_cmd_ca_csr = {
	.name = "ca csr",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "Make a CSR for an issuer that somebody else's CA certifies",
	.options = options,
	.example = "countersign ca csr corp --organization 'Example Corp' "
		   "--name 'Example Corp TLS CA' --out corp.csr",
	.run = run,
};
