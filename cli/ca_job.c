#include "cli/ca_job.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/time.h"
#include "cli/ask.h"
#include "cli/config_edit.h"
#include "cli/files.h"
#include "cli/passphrase.h"

#define ROOT_KEY "offline/root.key"
/* What --under calls the roots of root.pem; no issuer's name. */
#define ROOT "root"

/* Paths and texts of one command. */
#define ARENA_BYTES (1024 * 1024)

bool cs_ca_job_usage(struct cs_error *err, const char *sentence)
{
	return cs_error_set(err, CS_E_USAGE, "%s", sentence);
}

/* -- what is asked ------------------------------------------------------ */

bool cs_ca_job_open(const struct cs_call *call, const char *path,
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

void cs_ca_job_close(struct cs_ca_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

/* A passphrase file as the server will find it: by its whole path. */
static bool take_passphrase_file(struct cs_ca_job *j, const char *path,
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
static bool take_passphrase(struct cs_ca_job *j, struct cs_error *err)
{
	const char *file = cs_call_get(j->call, "passphrase-file");
	const char *credential = cs_call_get(j->call, "passphrase-credential");
	bool has_fd = cs_call_get(j->call, "passphrase-fd") != NULL;

	j->passphrase = (struct cs_ca_file){-1, "passphrase"};
	if (file != NULL && (credential != NULL || has_fd))
		return cs_ca_job_usage(
			err, "--passphrase-file: no other source of the "
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

bool cs_ca_job_own_passphrase(struct cs_ca_job *j,
			      const struct cs_config_issuer *issuer,
			      struct cs_error *err)
{
	if (!cs_passphrase_open_option(j->call, "passphrase-fd",
				       &j->passphrase.fd, err))
		return false;
	if (j->passphrase.fd >= 0)
		return true;
	if (issuer->passphrase_file != NULL)
		j->passphrase.name = issuer->passphrase_file;
	if (issuer->passphrase_credential != NULL)
		j->passphrase.name = issuer->passphrase_credential;
	return cs_passphrase_open_issuer(j->install->dir, issuer,
					 &j->passphrase.fd, err);
}

bool cs_ca_job_by_hand(const struct cs_ca_job *j)
{
	return cs_call_get(j->call, "no-config") != NULL;
}

/* What the stanza says. */
static bool fill_stanza(struct cs_ca_job *j, struct cs_error *err)
{
	const char *crl_url = cs_call_get(j->call, "crl-url");
	const char *name = j->name;
	struct cs_error why;

	if (!cs_config_issuer_name(cs_span_str(name), &why))
		return cs_ca_job_usage(err, why.text);
	if (strcmp(name, ROOT) == 0)
		return cs_ca_job_usage(err,
				       "name: `" ROOT "` is who certifies by "
				       "the roots' keys (--under " ROOT
				       "): choose another one");
	if (cs_config_issuer(&j->install->config, name) != NULL ||
	    cs_install_waiting(j->install, name) != NULL)
		return cs_error_set(err, CS_E_EXISTS,
				    CS_CONFIG_FILE ": there is an issuer `%s` "
						   "already",
				    name);
	if (crl_url != NULL && strncmp(crl_url, "http://", 7) != 0 &&
	    strncmp(crl_url, "https://", 8) != 0)
		return cs_ca_job_usage(err, "--crl-url: expected an http URL");
	j->issuer.name = name;
	j->issuer.chain =
		cs_arena_printf(&j->arena, "issuers/%s/chain.pem", name);
	j->issuer.key = cs_arena_printf(
		&j->arena, "issuers/%s/key.%s", name,
		cs_call_get(j->call, "key-uri") != NULL ? "uri" : "pem");
	j->issuer.crl_url = crl_url;
	j->issuer.crl_shards = 1;
	j->issuer.ocsp_validity_s = CS_CONFIG_OCSP_VALIDITY;
	j->issuer.ceiling = (struct cs_config_ceiling){
		.max_validity = "398d",
		.ext_key_usage = {{"server auth", "client auth"}, 2}};
	if (j->issuer.chain == NULL || j->issuer.key == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return true;
}

bool cs_ca_job_plan(struct cs_ca_job *j, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	if (!take_passphrase(j, err) || !fill_stanza(j, err))
		return false;
	if (cs_ca_job_by_hand(j))
		return true;
	return cs_files_read(j->install->dir, CS_CONFIG_FILE, &text, err) &&
	       (cs_config_add_issuer(cs_buf_span(&text), &j->issuer, &j->config,
				     err) ||
		cs_error_prefix(err, "it can be added by hand (--no-config)"));
}

bool cs_ca_job_put_stanza(struct cs_ca_job *j, struct cs_error *err)
{
	return cs_ca_job_by_hand(j) ||
	       cs_files_replace(j->install->dir, CS_CONFIG_FILE,
				cs_buf_span(&j->config), err);
}

void cs_ca_job_take_back(struct cs_ca_job *j)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	/* With its stanza it is an issuer, durably or not. */
	if (!cs_ca_job_by_hand(j) &&
	    (!cs_files_read(j->install->dir, CS_CONFIG_FILE, &text, NULL) ||
	     cs_span_equal(cs_buf_span(&text), cs_buf_span(&j->config))))
		return;
	cs_ca_place_take_back(&j->place);
}

bool cs_ca_job_begin_new(struct cs_ca_job *j, struct cs_error *err)
{
	if (cs_ca_place_begin(j->install->dir, j->name, CS_CA_PLACE_NEW,
			      &j->arena, &j->place, err))
		return true;
	if (err->code != CS_E_EXISTS)
		return false;
	return cs_error_set(err, CS_E_EXISTS,
			    "%s is there already, and " CS_CONFIG_FILE
			    " has no issuer `%s`: what a command that was cut "
			    "short has left, or somebody's own; move it "
			    "elsewhere, then repeat",
			    j->place.final, j->name);
}

void cs_ca_job_print_stanza(const struct cs_ca_job *j, FILE *out)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	cs_config_write_issuer(&j->issuer, &text);
	if (cs_buf_ok(&text))
		fputs(cs_buf_str(&text), out);
}

/* -- chains ------------------------------------------------------------- */

struct cs_issuer_ca *cs_ca_job_load_made(struct cs_ca_job *j, const char *path,
					 struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf chain;
	struct cs_issuer_ca_source source = {.name = cs_span_str(j->name)};

	cs_buf_init(&chain, CS_MAX_PEM_FILE);
	if (!cs_files_read(j->install->dir, path, &chain, err))
		return NULL;
	source.chain_pem = cs_buf_span(&chain);
	return cs_issuer_ca_new(&source, err);
}

/* Not to be used yet, or any more, is not worth importing. */
static bool check_dates(const struct cs_ca_job *j,
			const struct cs_issuer_ca *ca, const char *file,
			struct cs_error *err)
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

/*
 * A certificate of this installation's own log cannot become an issuer here:
 * its serial is that of a request's. `ca create --under` makes one that can.
 */
static bool check_is_foreign(const struct cs_ca_job *j,
			     const struct cs_issuer_ca *ca,
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

struct cs_issuer_ca *cs_ca_job_load_given(struct cs_ca_job *j, const char *path,
					  struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_issuer_ca_source source = {.name = cs_span_str(j->name)};
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
	if (check_dates(j, ca, path, err) && check_is_foreign(j, ca, err))
		return ca;
	cs_issuer_ca_free(ca);
	return NULL;
}

/* -- who certifies ------------------------------------------------------ */

/* Who certifies: the roots, or an issuer that may. */
static bool find_parents(struct cs_ca_job *j, const char *under,
			 struct cs_ca_create *c, struct cs_error *err)
{
	const struct cs_install *in = j->install;

	if (strcmp(under, ROOT) == 0) {
		if (!cs_roots_load(in->dir, &j->roots, err))
			return false;
		c->parents = j->roots.ca;
		c->parents_n = j->roots.n;
		return true;
	}
	for (size_t i = 0; i < in->config.n_issuers; i++) {
		if (strcmp(in->config.issuers[i].name, under) != 0)
			continue;
		if (in->state[i].is_retired)
			return cs_error_set(err, CS_E_USAGE,
					    "--under: issuer `%s` is retired: "
					    "it signs no certificates any more",
					    under);
		c->parents = &in->ca[i];
		c->parents_n = 1;
		c->parent_ceiling = &in->ceiling[i];
		return true;
	}
	return cs_error_set(
		err, CS_E_NOT_FOUND,
		"--under: there is no issuer `%s` in " CS_CONFIG_FILE, under);
}

/* The issuer that certifies. NULL: a root. */
static const struct cs_config_issuer *parent(const struct cs_ca_job *j,
					     const char *under)
{
	return strcmp(under, ROOT) == 0
		       ? NULL
		       : cs_config_issuer(&j->install->config, under);
}

/* Its key: as it was said, else where it lies. */
static bool open_parent_key(struct cs_ca_job *j, const char *under,
			    struct cs_ca_create *c, struct cs_error *err)
{
	const struct cs_config_issuer *is = parent(j, under);
	const char *said = cs_call_get(j->call, "ca-key");

	if (said != NULL)
		return cs_ca_job_open(j->call, said, &c->parent_key, err);
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
static bool open_parent_passphrase(struct cs_ca_job *j, const char *under,
				   struct cs_ca_create *c, struct cs_error *err)
{
	const struct cs_config_issuer *is = parent(j, under);
	const char *file = cs_call_get(j->call, "ca-passphrase-file");

	c->parent_passphrase.name = "the passphrase of --ca-key";
	if (file != NULL) {
		c->parent_passphrase.name = file;
		return cs_ca_job_open(j->call, file, &c->parent_passphrase,
				      err);
	}
	if (!cs_passphrase_open_option(j->call, "ca-passphrase-fd",
				       &c->parent_passphrase.fd, err))
		return false;
	if (c->parent_passphrase.fd >= 0 || is == NULL)
		return true;
	return cs_passphrase_open_issuer(j->install->dir, is,
					 &c->parent_passphrase.fd, err);
}

bool cs_ca_job_parent(struct cs_ca_job *j, const char *under,
		      struct cs_ca_create *c, struct cs_error *err)
{
	return find_parents(j, under, c, err) &&
	       open_parent_key(j, under, c, err) &&
	       open_parent_passphrase(j, under, c, err);
}

void cs_ca_job_close_parent(struct cs_ca_create *c)
{
	cs_ca_job_close(&c->parent_key);
	cs_ca_job_close(&c->parent_passphrase);
}

/* -- the whole ----------------------------------------------------------- */

/*
 * Under the lock: what a command decides by, countersign.yaml above all, must
 * not be changed by another one before it is done. That there is no lock to
 * take is said of what is an installation only.
 */
static bool load(struct cs_ca_job *j, struct cs_error *err)
{
	struct cs_error why = {0};
	bool locked = cs_ca_place_lock(j->call->dir, &j->place, &why);

	if (locked || why.code != CS_E_LOCKED)
		j->install = cs_install_load(j->call->dir, err);
	if (!locked && (j->install != NULL || why.code == CS_E_LOCKED))
		return cs_error_set(err, why.code, "%s", why.text);
	return j->install != NULL;
}

int cs_ca_job_run(const struct cs_call *call,
		  bool (*make)(struct cs_ca_job *j, struct cs_error *err))
{
	struct cs_ca_job j = {.call = call,
			      .name = call->args[0],
			      .clock = cs_clock_system(),
			      .place = {.lock_fd = -1},
			      .passphrase = {-1, "passphrase"}};
	struct cs_error err = {0};
	bool ok;

	umask(077);
	cs_arena_init(&j.arena, ARENA_BYTES);
	cs_buf_init(&j.config, CS_MAX_POLICY_FILE);
	ok = load(&j, &err) && make(&j, &err);
	cs_ca_place_end(&j.place);
	cs_ca_job_close(&j.passphrase);
	cs_roots_done(&j.roots);
	cs_install_free(j.install);
	cs_buf_done(&j.config);
	cs_arena_done(&j.arena);
	return ok ? CS_EXIT_DONE : cs_call_fail(call, &err);
}
