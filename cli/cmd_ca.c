/*
 * `ca create`, `ca import`: a further issuer for an installation. Keys are
 * made and read in children that die; what a failure leaves is removed. The
 * server takes the issuer in when it starts again, and records it then.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/time.h"
#include "cli/ask.h"
#include "cli/ca_place.h"
#include "cli/commands.h"
#include "cli/config_edit.h"
#include "cli/files.h"
#include "cli/install.h"
#include "cli/passphrase.h"
#include "cli/roots.h"
#include "issuer/ca_make.h"
#include "issuer/keygen.h"

#define ROOT_KEY "offline/root.key"
#define MAX_DAYS 36525

/* Paths and texts of one command. */
#define ARENA_BYTES (1024 * 1024)

#define ISSUER_OPTIONS                                                         \
	{"crl-url", 0, "URL", "where CRLs will be found; fixed for good"},     \
		{"passphrase-fd", 0, "N",                                      \
		 "descriptor with the passphrase of its key"},                 \
		{"passphrase-file", 0, "FILE",                                 \
		 "file with it, from which the server takes it, too"},         \
		{"passphrase-credential", 0, "NAME",                           \
		 "systemd credential from which the server takes it"},         \
	{                                                                      \
		"no-config", 0, NULL,                                          \
			"print its stanza of countersign.yaml, do not add it"  \
	}

static const struct cs_option create_options[] = {
	{"under", 0, "root|ISSUER", "who certifies it"},
	{"self-signed", 0, NULL, "nobody: it is a root itself"},
	{"key", 0, "KIND",
	 "ec-p256, ec-p384, rsa-3072, rsa-4096 or ed25519 (ec-p256)"},
	{"name", 0, "CN", "its common name (\"CA NAME\")"},
	{"days", 0, "N", "of its life (3652; self-signed 7305)"},
	{"path-len", 0, "N", "CAs that may stand below it (0)"},
	{"ca-key", 0, "FILE",
	 "key of the one who certifies (offline/root.key, the issuer's)"},
	{"ca-passphrase-fd", 0, "N", "descriptor with that key's passphrase"},
	{"ca-passphrase-file", 0, "FILE", "file with it"},
	ISSUER_OPTIONS,
	{0},
};

static const struct cs_option import_options[] = {
	{"chain", 0, "FILE", "its certificate, those above it, the root; PEM"},
	{"key", 0, "FILE", "its private key, encrypted or plain; PEM"},
	ISSUER_OPTIONS,
	{0},
};

/* One command under way. */
struct job {
	const struct cs_call *call;
	struct cs_arena arena;
	struct cs_clock clock;
	struct cs_install *install;
	struct cs_roots roots;
	struct cs_config_issuer issuer; /* its stanza */
	struct cs_ca_place place;
	struct cs_ca_file passphrase;
	struct cs_buf config; /* the new text of countersign.yaml */
	bool root_added;
};

static bool usage(struct cs_error *err, const char *sentence)
{
	return cs_error_set(err, CS_E_USAGE, "%s", sentence);
}

/* -- what is asked ------------------------------------------------------ */

/*
 * A file that the caller brings: regular, or a pipe (a decrypting command's).
 * A key that others can read is used, and said so.
 */
static bool open_source(const struct cs_call *call, const char *path,
			struct cs_ca_file *ret, struct cs_error *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return cs_error_set_errno(
			err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, errno,
			"%s", path);
	if (fstat(fd, &st) != 0 ||
	    (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))) {
		close(fd);
		return cs_error_set(err, CS_E_ARGUMENT,
				    "%s: neither a regular file nor a pipe",
				    path);
	}
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		fprintf(call->err,
			"countersign: warning: %s: mode %04o: others than its "
			"owner can reach this key\n",
			path, (unsigned)(st.st_mode & 07777));
	*ret = (struct cs_ca_file){fd, path};
	return true;
}

static void close_source(struct cs_ca_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

/* A passphrase file as the server will find it: by its whole path. */
static bool take_passphrase_file(struct job *j, const char *path,
				 struct cs_error *err)
{
	char real[PATH_MAX];

	if (realpath(path, real) == NULL)
		return cs_error_set_errno(
			err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, errno,
			"%s", path);
	j->issuer.passphrase_file = cs_arena_str(&j->arena, cs_span_str(real));
	j->passphrase.name = j->issuer.passphrase_file;
	if (j->passphrase.name == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return cs_files_open_secret("/", real, &j->passphrase.fd, err);
}

/* Where the passphrase of the issuer's own key is. */
static bool take_passphrase(struct job *j, struct cs_error *err)
{
	const char *file = cs_call_get(j->call, "passphrase-file");
	const char *credential = cs_call_get(j->call, "passphrase-credential");
	bool has_fd = cs_call_get(j->call, "passphrase-fd") != NULL;

	j->passphrase = (struct cs_ca_file){-1, "passphrase"};
	if (file != NULL && (credential != NULL || has_fd))
		return usage(err, "--passphrase-file: no other source of the "
				  "passphrase can stand beside it");
	if (file != NULL)
		return take_passphrase_file(j, file, err);
	j->issuer.passphrase_credential = credential;
	if (credential != NULL && !has_fd)
		return cs_passphrase_open_credential(credential,
						     &j->passphrase.fd, err) ||
		       cs_error_prefix(err, "--passphrase-fd is not given");
	return cs_passphrase_open_option(j->call, "passphrase-fd",
					 &j->passphrase.fd, err);
}

/* The stanza, and countersign.yaml with it: before any key is made. */
static bool plan(struct job *j, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	const char *crl_url = cs_call_get(j->call, "crl-url");
	const char *name = j->call->args[0];
	struct cs_error why;

	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	if (!cs_config_issuer_name(cs_span_str(name), &why))
		return usage(err, why.text);
	if (cs_config_issuer(&j->install->config, name) != NULL)
		return cs_error_set(err, CS_E_EXISTS,
				    CS_CONFIG_FILE ": there is an issuer `%s` "
						   "already",
				    name);
	if (crl_url != NULL && strncmp(crl_url, "http://", 7) != 0 &&
	    strncmp(crl_url, "https://", 8) != 0)
		return usage(err, "--crl-url: expected an http URL");
	j->issuer.name = name;
	j->issuer.chain =
		cs_arena_printf(&j->arena, "issuers/%s/chain.pem", name);
	j->issuer.key = cs_arena_printf(&j->arena, "issuers/%s/key.pem", name);
	j->issuer.crl_url = crl_url;
	j->issuer.crl_shards = 1;
	j->issuer.ceiling = (struct cs_config_ceiling){
		.max_validity = "398d",
		.ext_key_usage = {{"server auth", "client auth"}, 2}};
	if (j->issuer.chain == NULL || j->issuer.key == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (cs_call_get(j->call, "no-config") != NULL)
		return true;
	return cs_files_read(j->install->dir, CS_CONFIG_FILE, &text, err) &&
	       (cs_config_add_issuer(cs_buf_span(&text), &j->issuer, &j->config,
				     err) ||
		cs_error_prefix(err, "it can be added by hand (--no-config)"));
}

/* -- what is made ------------------------------------------------------- */

/* The chain as it now stands in its place. */
static struct cs_issuer_ca *load_made(struct job *j, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf chain;
	struct cs_issuer_ca_source source = {
		.name = cs_span_str(j->issuer.name)};

	cs_buf_init(&chain, CS_MAX_PEM_FILE);
	if (!cs_files_read(j->install->dir, j->issuer.chain, &chain, err))
		return NULL;
	source.chain_pem = cs_buf_span(&chain);
	return cs_issuer_ca_new(&source, err);
}

/* Print the stanza that the operator puts into the configuration. */
static void print_stanza(const struct job *j)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	cs_config_write_issuer(&j->issuer, &text);
	if (cs_buf_ok(&text))
		fputs(cs_buf_str(&text), j->call->out);
}

static void tell(const struct job *j, const struct cs_issuer_ca *ca)
{
	bool by_hand = cs_call_get(j->call, "no-config") != NULL;
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
		print_stanza(j);
}

/* Key and chain are made: into their place, then root.pem, then the stanza. */
static bool put_in_place(struct job *j, struct cs_error *err)
{
	const char *dir = j->install->dir;
	struct cs_issuer_ca *ca;
	bool ok;

	if (!cs_ca_place_commit(&j->place, err))
		return false;
	ca = load_made(j, err);
	ok = ca != NULL && cs_roots_add(dir, ca, &j->root_added, err);
	if (ok && cs_call_get(j->call, "no-config") == NULL)
		ok = cs_files_replace(dir, CS_CONFIG_FILE,
				      cs_buf_span(&j->config), err);
	if (ok)
		tell(j, ca);
	cs_issuer_ca_free(ca);
	return ok;
}

/* -- ca create ---------------------------------------------------------- */

/* Who certifies: the roots, or an issuer that may. */
static bool find_parents(struct job *j, const char *under,
			 struct cs_ca_create *c, struct cs_error *err)
{
	const struct cs_install *in = j->install;

	if (strcmp(under, "root") == 0) {
		if (!cs_roots_load(in->dir, &j->roots, err))
			return false;
		c->parents = j->roots.ca;
		c->parents_n = j->roots.n;
		return true;
	}
	for (size_t i = 0; i < in->config.n_issuers; i++) {
		if (strcmp(in->config.issuers[i].name, under) != 0)
			continue;
		c->parents = &in->ca[i];
		c->parents_n = 1;
		c->parent_ceiling = &in->ceiling[i];
		return true;
	}
	return cs_error_set(
		err, CS_E_NOT_FOUND,
		"--under: there is no issuer `%s` in " CS_CONFIG_FILE, under);
}

/* Its key: as it was said, else where it lies. */
static bool open_parent_key(struct job *j, const char *under,
			    struct cs_ca_create *c, struct cs_error *err)
{
	const struct cs_config_issuer *is =
		cs_config_issuer(&j->install->config, under);
	const char *said = cs_call_get(j->call, "ca-key");

	if (said != NULL)
		return open_source(j->call, said, &c->parent_key, err);
	c->parent_key.name = is != NULL ? is->key : ROOT_KEY;
	if (cs_files_open_secret(j->install->dir, c->parent_key.name,
				 &c->parent_key.fd, err))
		return true;
	if (is != NULL || err->code != CS_E_NOT_FOUND)
		return false;
	return cs_error_set(err, CS_E_NOT_FOUND,
			    "the root's key is needed, and is not in offline/ "
			    "any more: bring it, and say --ca-key FILE");
}

/* The passphrase of that key. */
static bool open_parent_passphrase(struct job *j, const char *under,
				   struct cs_ca_create *c, struct cs_error *err)
{
	const struct cs_config_issuer *is =
		cs_config_issuer(&j->install->config, under);
	const char *file = cs_call_get(j->call, "ca-passphrase-file");

	c->parent_passphrase.name = "the passphrase of --ca-key";
	if (file != NULL) {
		c->parent_passphrase.name = file;
		return open_source(j->call, file, &c->parent_passphrase, err);
	}
	if (!cs_passphrase_open_option(j->call, "ca-passphrase-fd",
				       &c->parent_passphrase.fd, err))
		return false;
	if (c->parent_passphrase.fd >= 0 || is == NULL)
		return true;
	return cs_passphrase_open_issuer(j->install->dir, is,
					 &c->parent_passphrase.fd, err);
}

/* Everything about who certifies. */
static bool take_parent(struct job *j, struct cs_ca_create *c,
			struct cs_error *err)
{
	const char *under = cs_call_get(j->call, "under");
	bool alone = cs_call_get(j->call, "self-signed") != NULL;

	if ((under != NULL) == alone)
		return usage(err, "say who certifies the new CA: --under root, "
				  "--under ISSUER, or --self-signed");
	if (alone)
		return true;
	return find_parents(j, under, c, err) &&
	       open_parent_key(j, under, c, err) &&
	       open_parent_passphrase(j, under, c, err);
}

static bool create(struct job *j, struct cs_ca_create *c, struct cs_error *err)
{
	const char *kind = cs_call_get(j->call, "key");
	const char *name = cs_call_get(j->call, "name");

	c->days = cs_call_get(j->call, "self-signed") != NULL
			  ? CS_KEYGEN_ROOT_DAYS
			  : CS_KEYGEN_ISSUER_DAYS;
	c->issuer = cs_span_str(j->call->args[0]);
	c->name = cs_span_str(name != NULL ? name : "");
	c->now_s = cs_clock_wall_ms(&j->clock) / 1000;
	if (!cs_key_kind_parse(kind != NULL ? kind : "ec-p256", &c->kind,
			       err) ||
	    !cs_call_number(j->call, "days", 1, MAX_DAYS, &c->days, err) ||
	    !cs_call_number(j->call, "path-len", 0, CS_MAX_CHAIN, &c->path_len,
			    err) ||
	    !take_parent(j, c, err) ||
	    !cs_ca_place_begin(j->install->dir, j->call->args[0], &j->arena,
			       &j->place, err))
		return false;
	c->passphrase = j->passphrase;
	c->key = j->place.key;
	c->chain = j->place.chain;
	return cs_ca_create_in_child(c, err) && put_in_place(j, err);
}

static bool do_create(struct job *j, struct cs_error *err)
{
	struct cs_ca_create c = {.parent_key = {-1, ""},
				 .parent_passphrase = {-1, ""}};
	bool ok = create(j, &c, err);

	close_source(&c.parent_key);
	close_source(&c.parent_passphrase);
	return ok;
}

/* -- ca import ---------------------------------------------------------- */

/* Not to be used yet, or any more, is not worth importing. */
static bool check_dates(const struct job *j, const struct cs_issuer_ca *ca,
			const char *file, struct cs_error *err)
{
	int64_t now = cs_clock_wall_ms(&j->clock) / 1000;
	char text[CS_TIME_TEXT];

	/*= RFC 5280 6.1.3 */
	cs_time_rfc3339(ca->not_after_s, text);
	if (now > ca->not_after_s)
		return cs_error_set(err, CS_E_CERT,
				    "%s: RFC 5280 6.1.3: the chain expired at "
				    "%s",
				    file, text);
	cs_time_rfc3339(ca->not_before_s, text);
	if (now < ca->not_before_s)
		return cs_error_set(err, CS_E_CERT,
				    "%s: RFC 5280 6.1.3: the chain is valid "
				    "from %s only",
				    file, text);
	return true;
}

/* The chain, as the house will load it. */
static struct cs_issuer_ca *load_chain(struct job *j, const char *path,
				       struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_issuer_ca_source source = {
		.name = cs_span_str(j->call->args[0])};
	struct cs_issuer_ca *ca;

	cs_buf_init(&text, CS_MAX_PEM_FILE);
	if (!cs_files_read(".", path, &text, err))
		return NULL;
	source.chain_pem = cs_buf_span(&text);
	ca = cs_issuer_ca_new(&source, err);
	if (ca == NULL) {
		cs_error_prefix(err, "%s", path);
		return NULL;
	}
	if (check_dates(j, ca, path, err))
		return ca;
	cs_issuer_ca_free(ca);
	return NULL;
}

/*
 * A certificate of this installation's own log cannot become an issuer here:
 * its serial is that of a request's. `ca create --under` makes one that can.
 */
static bool check_is_foreign(const struct job *j, const struct cs_issuer_ca *ca,
			     struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf serial, target;
	struct cs_question_call q = {.kind = CS_QUERY_CERTIFICATE};
	struct cs_reply r = {0};
	bool found;

	cs_buf_init(&serial, 2 * CS_MAX_SERIAL + 1);
	cs_buf_init(&target, CS_MAX_HTTP_TARGET);
	for (size_t i = 0; i < ca->serial.n; i++)
		cs_buf_addf(&serial, "%02x", ca->serial.p[i]);
	if (!cs_buf_ok(&serial))
		return true; /* longer than any of ours */
	cs_buf_addf(&target, "/v1/certificates/%s", cs_buf_str(&serial));
	q.target = cs_buf_str(&target);
	q.in_path = (struct cs_ask_param){CS_ASK_ONE, "serial",
					  cs_buf_str(&serial), 0};
	if (!cs_ask_question(j->call, &q, &r, err))
		return false;
	found = r.status == 200;
	cs_reply_done(&r);
	return !found || cs_error_set(err, CS_E_EXISTS,
				      "this certificate was issued here, by a "
				      "request (serial %s): make an issuer "
				      "below with `ca create --under`",
				      cs_buf_str(&serial));
}

static bool do_import(struct job *j, struct cs_error *err)
{
	const char *chain = cs_call_get(j->call, "chain");
	const char *key = cs_call_get(j->call, "key");
	struct cs_ca_import c = {.from = {-1, ""}};
	struct cs_issuer_ca *ca = NULL;
	bool ok;

	if (chain == NULL || key == NULL)
		return usage(err, "`ca import` needs --chain and --key");
	ok = (ca = load_chain(j, chain, err)) != NULL &&
	     check_is_foreign(j, ca, err) &&
	     open_source(j->call, key, &c.from, err) &&
	     cs_ca_place_begin(j->install->dir, j->call->args[0], &j->arena,
			       &j->place, err);
	if (ok) {
		c.ca = ca;
		c.passphrase = j->passphrase;
		c.key = j->place.key;
		c.chain = j->place.chain;
		ok = cs_ca_import_in_child(&c, err) && put_in_place(j, err);
	}
	close_source(&c.from);
	cs_issuer_ca_free(ca);
	return ok;
}

/* -- both --------------------------------------------------------------- */

static int run(const struct cs_call *call,
	       bool (*make)(struct job *j, struct cs_error *err))
{
	struct job j = {.call = call,
			.clock = cs_clock_system(),
			.place = {.lock_fd = -1},
			.passphrase = {-1, ""}};
	struct cs_error err = {0};
	bool ok;

	umask(077);
	cs_arena_init(&j.arena, ARENA_BYTES);
	cs_buf_init(&j.config, CS_MAX_POLICY_FILE);
	j.install = cs_install_load(call->dir, &err);
	ok = j.install != NULL && take_passphrase(&j, &err) && plan(&j, &err) &&
	     make(&j, &err);
	cs_ca_place_end(&j.place);
	close_source(&j.passphrase);
	cs_roots_done(&j.roots);
	cs_install_free(j.install);
	cs_buf_done(&j.config);
	cs_arena_done(&j.arena);
	return ok ? CS_EXIT_DONE : cs_call_fail(call, &err);
}

static int run_create(const struct cs_call *call)
{
	return run(call, do_create);
}

static int run_import(const struct cs_call *call)
{
	return run(call, do_import);
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
