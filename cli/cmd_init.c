/*
 * `init`: a new installation. Keys are made in children that die, so that no
 * key's bytes were ever here; then the house runs once without listening
 * sockets, so that the first leaves of the log are those of the CA, the
 * policy and the listener's own certificate. On a failure everything that
 * was made is removed again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/limits.h"
#include "base/random.h"
#include "cli/child.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/house.h"
#include "cli/logging.h"
#include "cli/passphrase.h"
#include "cli/policies.h"
#include "issuer/keygen.h"
#include "policy/engine.h"
#include "store/migrate.h"
#include "store/note.h"

#define ISSUER	 "default"
#define CHAIN	 "issuers/" ISSUER "/chain.pem"
#define KEY	 "issuers/" ISSUER "/key.pem"
#define ROOT_KEY "offline/root.key"
#define ROOT_PEM "root.pem"
#define LOG_KEY	 "log.key"
#define LOG_PUB	 "log.pub"
#define TLS_KEY	 "tls/key.pem"
#define TLS_CERT "tls/chain.pem"

/* Paths and texts of one init. */
#define ARENA_BYTES (1024 * 1024)
/* The CSR of the listener. */
#define CSR_BYTES CS_MAX_CSR_DER

static const struct cs_option options[] = {
	{"name", 0, "NAME", "of the CA: \"NAME Root CA\", \"NAME CA 1\""},
	{"host", 0, "DNS-OR-IP",
	 "name of this server, for its own certificate; repeatable "
	 "(localhost)"},
	{"key", 0, "KIND",
	 "ec-p256, ec-p384, rsa-3072, rsa-4096 or ed25519 (ec-p256)"},
	{"single-tier", 0, NULL, "the root itself issues"},
	{"crl-url", 0, "URL", "where CRLs will be found; fixed for good"},
	{"passphrase-fd", 0, "N", "encrypt the issuer's key with what is read"},
	{0},
};

/* One init under way. */
struct init {
	const struct cs_call *call;
	struct cs_arena arena;
	const char *dir; /* absolute */
	struct cs_files_taken taken;
	struct cs_config config;
	struct cs_config_issuer issuer;
	enum cs_key_kind kind;
	int passphrase_fd;
	struct cs_buf csr; /* the listener's, DER */
	struct cs_clock clock;
};

/* -- what is asked ------------------------------------------------------ */

static bool collect_hosts(struct init *in, struct cs_error *err)
{
	struct cs_config_list *hosts = &in->config.hosts;
	const char *value;

	while ((value = cs_call_get_nth(in->call, "host", hosts->n)) != NULL) {
		if (hosts->n == CS_MAX_CONFIG_LIST)
			return cs_error_set(err, CS_E_USAGE,
					    "--host: more than %d",
					    CS_MAX_CONFIG_LIST);
		if (value[0] == '\0' || strlen(value) > CS_MAX_DNS_NAME)
			return cs_error_set(err, CS_E_USAGE,
					    "--host: `%s` is no DNS name or "
					    "IP address",
					    value);
		hosts->item[hosts->n++] = value;
	}
	in->config.listen.n = 1;
	in->config.listen.item[0] =
		hosts->n > 0 ? "0.0.0.0:8443" : "127.0.0.1:8443";
	if (hosts->n == 0)
		hosts->item[hosts->n++] = "localhost";
	return true;
}

/* The log's origin: HOST/countersign/8 hex digits. */
static bool make_origin(struct init *in, struct cs_error *err)
{
	uint8_t r[4];

	if (!cs_random_public(r, sizeof(r), err))
		return false;
	in->config.origin = cs_arena_printf(
		&in->arena, "%s/countersign/%02x%02x%02x%02x",
		in->config.hosts.item[0], r[0], r[1], r[2], r[3]);
	return in->config.origin != NULL ||
	       cs_error_set(err, CS_E_NO_MEMORY, "no memory");
}

/* The configuration of a new installation. */
static bool make_config(struct init *in, struct cs_error *err)
{
	struct cs_config *c = &in->config;
	const char *key = cs_call_get(in->call, "key");
	const char *crl_url = cs_call_get(in->call, "crl-url");

	if (!cs_key_kind_parse(key != NULL ? key : "ec-p256", &in->kind, err) ||
	    !collect_hosts(in, err) || !make_origin(in, err))
		return false;
	if (crl_url != NULL && strncmp(crl_url, "http://", 7) != 0 &&
	    strncmp(crl_url, "https://", 8) != 0)
		return cs_error_set(err, CS_E_USAGE,
				    "--crl-url: `%s` is no http URL", crl_url);
	c->connections = CS_HTTP_CONNECTIONS;
	c->per_address = CS_HTTP_PER_ADDRESS;
	c->signers = 1;
	c->log_level = CS_LOG_INFO;
	c->pending_quota = 1000;
	c->pending_expiry_s = 7 * 86400;
	c->crl_validity_s = CS_CONFIG_CRL_VALIDITY;
	c->crl_refresh_s = CS_CONFIG_CRL_REFRESH;
	c->retention_s = CS_CONFIG_RETENTION;
	c->log_key = LOG_KEY;
	c->tls_key = TLS_KEY;
	c->tls_chain = TLS_CERT;
	c->admin_uids[c->n_admin_uids++] = 0;
	if (geteuid() != 0)
		c->admin_uids[c->n_admin_uids++] = geteuid();
	c->issuers = &in->issuer;
	c->n_issuers = 1;
	in->issuer = (struct cs_config_issuer){
		.name = ISSUER,
		.chain = CHAIN,
		.key = KEY,
		.self_approval = true,
		.crl_url = crl_url,
		.crl_shards = 1,
		.ocsp_validity_s = CS_CONFIG_OCSP_VALIDITY,
		.ceiling = {.max_validity = "398d",
			    .ext_key_usage = {{"server auth", "client auth"},
					      2}},
	};
	return true;
}

/* -- what is made ------------------------------------------------------- */

/* The directory: new, or empty, and nobody else's. */
static bool take_dir(struct init *in, struct cs_error *err)
{
	const char *dir = in->call->dir;
	char cwd[4096];

	if (dir[0] == '/')
		in->dir = dir;
	else if (getcwd(cwd, sizeof(cwd)) != NULL)
		in->dir = cs_files_path(&in->arena, cwd, dir);
	if (in->dir == NULL)
		return cs_error_set(err, CS_E_IO, "%s: no absolute path", dir);
	return cs_files_take_empty(in->dir, &in->taken, err);
}

static bool make_dirs(struct init *in, struct cs_error *err)
{
	/* Parentheses: one name of two pieces, not a forgotten comma. */
	static const char *const dirs[] = {("issuers/" ISSUER), "offline",
					   CS_POLICIES_DIR, "run", "tls"};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (!cs_files_make_dir(in->dir, dirs[i], err))
			return false;
	return true;
}

static const char *path(struct init *in, const char *name)
{
	return cs_files_path(&in->arena, in->dir, name);
}

static bool make_ca(struct init *in, struct cs_error *err)
{
	const char *name = cs_call_get(in->call, "name");
	bool single = cs_call_get(in->call, "single-tier") != NULL;
	struct cs_keygen_ca ca = {
		.tiers = single ? CS_KEYGEN_SINGLE : CS_KEYGEN_TWO_TIERS,
		.kind = in->kind,
		.name = cs_span_str(name != NULL ? name : "Countersign"),
		.now_s = cs_clock_wall_ms(&in->clock) / 1000,
		.passphrase_fd = in->passphrase_fd,
		.root_key = single ? NULL : path(in, ROOT_KEY),
		.root_pem = path(in, ROOT_PEM),
		.issuer_key = path(in, KEY),
		.issuer_chain = path(in, CHAIN),
	};

	return cs_keygen_ca_in_child(&ca, err) &&
	       cs_passphrase_rewind(in->passphrase_fd, err);
}

/* The log's public key for anybody's verifier, and the empty database. */
static bool make_ledger(struct init *in, const struct cs_note_verifier *key,
			struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_db_config db = {.path = path(in, "ledger.db")};
	uint8_t id[16];
	struct cs_installation installation = {
		.id = id,
		.origin = in->config.origin,
		.log_key = key->public_key,
		.now_ms = cs_clock_wall_ms(&in->clock),
	};

	cs_buf_init(&text, CS_MAX_HTTP_HEAD);
	cs_note_verifier_write(key, &text);
	cs_buf_add_byte(&text, '\n');
	return cs_buf_finish(&text, LOG_PUB, err) &&
	       cs_files_write(in->dir, LOG_PUB, cs_buf_span(&text), 0644,
			      err) &&
	       cs_random_public(id, sizeof(id), err) &&
	       cs_store_create(&db, &installation, err);
}

/* In a child: the log's key, and what is made with its public half. */
static bool make_log(void *ctx, struct cs_error *err)
{
	struct init *in = ctx;
	const char *name = path(in, LOG_KEY);
	struct cs_note_signer *signer = NULL;
	bool ok;
	int fd;

	if (name == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", name);
	ok = cs_note_key_create(fd, err) &&
	     ((fsync(fd) == 0 && lseek(fd, 0, SEEK_SET) == 0) ||
	      cs_error_set_errno(err, CS_E_IO, errno, "%s", name)) &&
	     (signer = cs_note_signer_new(fd, in->config.origin, err)) != NULL;
	close(fd);
	ok = ok && make_ledger(in, cs_note_signer_verifier(signer), err);
	cs_note_signer_free(signer);
	return ok;
}

static bool make_listener_key(struct init *in, struct cs_error *err)
{
	struct cs_span hosts[CS_MAX_CONFIG_LIST];
	struct cs_keygen_house l = {.kind = CS_KEY_KIND_EC_P256,
				    .hosts = hosts,
				    .hosts_n = in->config.hosts.n,
				    .key = path(in, TLS_KEY)};

	for (size_t i = 0; i < l.hosts_n; i++)
		hosts[i] = cs_span_str(in->config.hosts.item[i]);
	return cs_keygen_house_in_child(&l, &in->csr, err);
}

static bool make_files(struct init *in, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	return cs_config_write(&in->config, &text, err) &&
	       cs_files_write(in->dir, CS_CONFIG_FILE, cs_buf_span(&text), 0600,
			      err) &&
	       cs_files_write(in->dir, CS_POLICIES_DIR "/default.yaml",
			      cs_policy_default_text(), 0600, err);
}

/* The house, once. */
static bool run_house(struct init *in, struct cs_error *err)
{
	struct cs_log log;
	struct cs_house_config house = {
		.purpose = CS_HOUSE_INIT,
		.passphrase_fd = in->passphrase_fd,
		.clock = in->clock,
		.log = &log,
		.out = in->call->out,
		.listener_csr = cs_buf_span(&in->csr),
	};
	struct cs_install *install = cs_install_load(in->dir, err);
	int status;

	if (install == NULL)
		return false;
	in->passphrase_fd = -1; /* the house closes it */
	house.install = install;
	cs_logging_init(&log, CS_LOG_WARNING, in->clock);
	status = cs_house_run(&house, err);
	cs_install_free(install);
	return status == CS_EXIT_DONE;
}

static bool make_all(struct init *in, struct cs_error *err)
{
	return make_dirs(in, err) && make_ca(in, err) &&
	       cs_child_call(make_log, in, err) && make_listener_key(in, err) &&
	       make_files(in, err) && run_house(in, err);
}

static void tell(const struct init *in)
{
	FILE *out = in->call->out;

	fprintf(out, "Made %s.\n", in->dir);
	fprintf(out, "  root.pem           what clients trust\n");
	if (cs_call_get(in->call, "single-tier") == NULL)
		fprintf(out, "  offline/root.key   the root's key: MOVE IT to "
			     "a safe place, it is not needed here\n");
	fprintf(out,
		"  log.pub            the log's public key, for verifiers\n"
		"  countersign.yaml   the configuration\n"
		"  policies/          the policy, as files\n"
		"Next: countersign serve --dir %s\n",
		in->dir);
}

static int run(const struct cs_call *call)
{
	struct init in = {.call = call,
			  .passphrase_fd = -1,
			  .clock = cs_clock_system(),
			  .taken = {.fd = -1}};
	struct cs_error err = {0};
	bool ok;

	umask(077);
	cs_arena_init(&in.arena, ARENA_BYTES);
	cs_buf_init(&in.csr, CSR_BYTES);
	ok = make_config(&in, &err) &&
	     cs_passphrase_open(call, &in.passphrase_fd, &err) &&
	     take_dir(&in, &err) && make_all(&in, &err);
	if (ok) {
		tell(&in);
	} else if (in.taken.fd >= 0) {
		cs_files_remove_in(in.taken.fd);
		if (in.taken.made)
			(void)rmdir(in.dir);
	}
	if (in.taken.fd >= 0)
		close(in.taken.fd);
	if (in.passphrase_fd >= 0)
		close(in.passphrase_fd);
	cs_buf_done(&in.csr);
	cs_arena_done(&in.arena);
	return ok ? CS_EXIT_DONE : cs_call_fail(call, &err);
}

const struct cs_command cs_cmd_init = {
	.name = "init",
	.args = "",
	.help = "Make a new installation: CA, keys, configuration, policy",
	.options = options,
	.example = "countersign init --dir /var/lib/countersign --name 'Example"
		   " Corp' --host ca.corp.example",
	.run = run,
};
