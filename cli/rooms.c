#include "cli/rooms.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/front.h"
#include "base/limits.h"
#include "base/version.h"
#include "cli/files.h"
#include "cli/issuers.h"
#include "cli/passphrase.h"
#include "cli/renew.h"
#include "cli/spawn.h"
#include "issuer/signer.h"
#include "issuer/worker.h"
#include "store/ledger.h"
#include "store/reader.h"

/* The child's own log: same descriptor, its own name and counter. */
static struct cs_log own_log(const struct cs_rooms *r, const char *room)
{
	struct cs_log log = *r->log;

	log.room = room;
	log.dropped = 0;
	log.dropped_ever = 0;
	log.suppressed_ever = 0;
	memset(log.events, 0, sizeof(log.events));
	return log;
}

/* What every child keeps: its log. */
static struct cs_spawn new_spawn(const struct cs_rooms *r, const char *name,
				 int (*run)(void *ctx), void *ctx)
{
	struct cs_spawn s = {.name = name, .run = run, .ctx = ctx};

	cs_spawn_keep(&s, r->log->fd);
	return s;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* -- signer ------------------------------------------------------------- */

struct signer {
	const struct cs_rooms *r;
	struct cs_signer_config c;
	struct cs_signer_issuer issuer[CS_MAX_ISSUERS + CS_MAX_OLDER];
};

static int run_signer(void *ctx)
{
	struct signer *s = ctx;
	struct cs_log log = own_log(s->r, "signer");

	s->c.log = &log;
	return cs_signer_run(&s->c);
}

/* Where an issuer's passphrase is, for sentences. */
static const char *passphrase_name(const struct cs_config_issuer *c)
{
	return c->passphrase_file != NULL	  ? c->passphrase_file
	       : c->passphrase_credential != NULL ? c->passphrase_credential
						  : "passphrase";
}

/*
 * The key of one generation, and the passphrase that is for all of the
 * issuer. False: what is open stays for the caller.
 */
static bool open_key(struct signer *s, const struct cs_config_issuer *c,
		     const struct cs_issuer_ca *ca, const char *key,
		     struct cs_signer_issuer **ret, struct cs_error *err)
{
	const struct cs_install *in = s->r->install;
	struct cs_signer_issuer *is = &s->issuer[s->c.issuers_n++];

	is->ca = ca;
	is->key_fd = is->passphrase_fd = -1;
	is->key_name = key;
	is->key_is_uri = key == c->key && cs_install_is_token(c);
	is->passphrase_name = passphrase_name(c);
	*ret = is;
	if (!cs_files_open_secret(in->dir, key, &is->key_fd, err))
		return cs_error_prefix(err, "issuer %.*s",
				       CS_SPAN_FMT(ca->label));
	return cs_passphrase_open_issuer(in->dir, c, &is->passphrase_fd, err);
}

/*
 * A key.pem that was left beside a key.uri, or the other way round: nobody
 * can tell which is meant, and a key that moved into a token is still here.
 */
static bool check_one_key(const struct cs_install *in,
			  const struct cs_config_issuer *c,
			  struct cs_error *err)
{
	char other[PATH_MAX];

	if (!cs_install_is_kept(c))
		return true;
	snprintf(other, sizeof(other), "%s/issuers/%s/key.%s", in->dir, c->name,
		 cs_install_is_token(c) ? "pem" : "uri");
	return access(other, F_OK) != 0 ||
	       cs_error_set(err, CS_E_CONFIG,
			    "issuer %s: key.pem and key.uri lie in issuers/%s: "
			    "remove the one that is not its key",
			    c->name, c->name);
}

/* An older key has CRLs to sign until its CA, and so all below, expire. */
static bool is_needed(const struct signer *s, const struct cs_install_older *o)
{
	int64_t now_s = cs_clock_wall_ms(&s->r->clock) / 1000;

	return !o->state.key_is_destroyed && now_s <= o->ca->not_after_s;
}

/*
 * Open every issuer's keys and passphrases. False: those that are open stay
 * for the caller.
 */
static bool open_keys(struct signer *s, struct cs_error *err)
{
	const struct cs_install *in = s->r->install;
	struct cs_signer_issuer *is;

	for (size_t i = 0; i < in->config.n_issuers; i++) {
		const struct cs_config_issuer *c = &in->config.issuers[i];

		if (in->state[i].key_is_destroyed)
			continue;
		if (!check_one_key(in, c, err) ||
		    !open_key(s, c, in->ca[i], c->key, &is, err))
			return false;
		is->ceiling = &in->ceiling[i];
		if (in->state[i].is_retired)
			is->duty = CS_SIGNER_RETIRED;
	}
	for (size_t i = 0; i < in->older_n; i++) {
		const struct cs_install_older *o = &in->older[i];

		if (!is_needed(s, o))
			continue;
		if (!open_key(s, &in->config.issuers[o->issuer], o->ca, o->key,
			      &is, err))
			return false;
		is->ceiling = &in->ceiling[o->issuer];
		is->duty = CS_SIGNER_SUPERSEDED;
	}
	return true;
}

bool cs_rooms_start_signer(const struct cs_rooms *r, unsigned number,
			   int parent_fd, int ledger_fd, pid_t *ret_pid,
			   struct cs_error *err)
{
	struct signer s = {.r = r,
			   .c = {.parent_fd = parent_fd,
				 .ledger_fd = ledger_fd,
				 .passphrase_fd = r->passphrase_fd,
				 .issuers = s.issuer,
				 .number = number,
				 .count = r->install->config.signers,
				 .clock = r->clock}};
	struct cs_spawn spawn = new_spawn(r, "cs-signer", run_signer, &s);
	bool ok = open_keys(&s, err);

	cs_spawn_keep(&spawn, parent_fd);
	cs_spawn_keep(&spawn, ledger_fd);
	cs_spawn_keep(&spawn, r->passphrase_fd);
	for (size_t i = 0; i < s.c.issuers_n; i++) {
		cs_spawn_keep(&spawn, s.issuer[i].key_fd);
		cs_spawn_keep(&spawn, s.issuer[i].passphrase_fd);
	}
	ok = ok && cs_spawn_start(&spawn, ret_pid, err);
	for (size_t i = 0; i < s.c.issuers_n; i++) {
		close_fd(s.issuer[i].key_fd);
		close_fd(s.issuer[i].passphrase_fd);
	}
	return ok;
}

/* -- ledger ------------------------------------------------------------- */

/* Names and URLs. */
#define LEDGER_ARENA (1024 * 1024)

struct ledger {
	const struct cs_rooms *r;
	struct cs_ledger_config c;
	struct cs_arena arena;
	struct cs_ledger_issuer issuer[CS_MAX_ISSUERS];
	struct cs_ledger_issuer older[CS_MAX_OLDER];
};

static int run_ledger(void *ctx)
{
	struct ledger *l = ctx;
	struct cs_log log = own_log(l->r, "ledger");

	l->c.log = &log;
	return cs_ledger_run(&l->c);
}

/* A CA certificate as the ledger knows it; false: no memory. */
static bool fill_ledger_issuer(struct ledger *l,
			       const struct cs_config_issuer *c,
			       const struct cs_issuer_ca *ca,
			       const struct cs_generation *state,
			       struct cs_ledger_issuer *ret)
{
	const char *crl_base = NULL;

	if (ca->crl_url.n > 0) {
		crl_base = cs_arena_str(&l->arena, ca->crl_url);
		if (crl_base == NULL)
			return false;
	}
	*ret = (struct cs_ledger_issuer){
		.name = c->name,
		.label = cs_arena_str(&l->arena, ca->label),
		.generation = ca->generation,
		.chain = ca->chain_pem,
		.ca = ca->root_pem,
		.certificate = ca->certificate,
		.sig_alg = ca->sig_alg,
		.crl_base = crl_base,
		.crl_shards = ca->crl_shards,
		.self_approval = c->self_approval,
		.not_before_s = ca->not_before_s,
		.not_after_s = ca->not_after_s,
		.hold_no_policy = c->hold_no_policy,
		.is_retired = state->is_retired,
		.key_is_gone = state->key_is_destroyed,
	};
	return ret->label != NULL;
}

static bool fill_ledger_issuers(struct ledger *l, struct cs_error *err)
{
	const struct cs_install *in = l->r->install;
	bool ok = true;

	for (size_t i = 0; ok && i < in->config.n_issuers; i++)
		ok = fill_ledger_issuer(l, &in->config.issuers[i], in->ca[i],
					&in->state[i], &l->issuer[i]);
	for (size_t i = 0; ok && i < in->older_n; i++)
		ok = fill_ledger_issuer(
			l, &in->config.issuers[in->older[i].issuer],
			in->older[i].ca, &in->older[i].state, &l->older[i]);
	l->c.issuers = l->issuer;
	l->c.issuers_n = in->config.n_issuers;
	l->c.older = l->older;
	l->c.older_n = in->older_n;
	return ok || cs_error_set(err, CS_E_NO_MEMORY, "no memory");
}

bool cs_rooms_start_ledger(const struct cs_rooms *r,
			   const struct cs_rooms_ledger_links *links,
			   pid_t *ret_pid, struct cs_error *err)
{
	const struct cs_install *in = r->install;
	char engine[64];
	struct ledger l = {
		.r = r,
		.c = {.dir = in->dir,
		      .log_key_fd = -1,
		      .clock = r->clock,
		      .parent_fd = links->parent_fd,
		      .front_fd = links->front_fd,
		      .reader_fd = links->reader_fd,
		      .signer_fds = links->signer_fds,
		      .signer_fds_n = in->config.signers,
		      .engine = engine,
		      .config_sha256 = in->config_sha256,
		      .pending_quota = in->config.pending_quota,
		      .pending_ttl_ms = in->config.pending_expiry_s * 1000,
		      .crl_validity_s = in->config.crl_validity_s,
		      .crl_refresh_s = in->config.crl_refresh_s}};
	struct cs_spawn spawn = new_spawn(r, "cs-ledger", run_ledger, &l);
	bool ok;

	snprintf(engine, sizeof(engine), "countersign %s", cs_version());
	cs_arena_init(&l.arena, LEDGER_ARENA);
	ok = fill_ledger_issuers(&l, err) &&
	     cs_files_open_secret(in->dir, in->config.log_key, &l.c.log_key_fd,
				  err);
	cs_spawn_keep(&spawn, links->parent_fd);
	cs_spawn_keep(&spawn, links->front_fd);
	cs_spawn_keep(&spawn, links->reader_fd);
	for (size_t i = 0; i < in->config.signers; i++)
		cs_spawn_keep(&spawn, links->signer_fds[i]);
	cs_spawn_keep(&spawn, l.c.log_key_fd);
	ok = ok && cs_spawn_start(&spawn, ret_pid, err);
	close_fd(l.c.log_key_fd);
	cs_arena_done(&l.arena);
	return ok;
}

/* -- reader ------------------------------------------------------------- */

struct reader {
	const struct cs_rooms *r;
	struct cs_reader_config c;
	struct cs_ocsp_issuer ocsp[CS_MAX_ISSUERS];
};

static int run_reader(void *ctx)
{
	struct reader *rd = ctx;
	struct cs_log log = own_log(rd->r, "reader");

	/* Questions never hold up decisions. */
	(void)!nice(5);
	rd->c.log = &log;
	return cs_reader_run(&rd->c);
}

/*
 * The issuers that answer OCSP, with their responders where there are any.
 * False: what is open stays for the caller.
 */
static bool fill_reader(struct reader *rd, struct cs_error *err)
{
	const struct cs_install *in = rd->r->install;

	rd->c.ocsp = rd->ocsp;
	for (size_t n = 1; n < cs_renew_count(in); n++) {
		struct cs_ocsp_issuer *o = &rd->ocsp[rd->c.ocsp_n];
		struct cs_renew r;

		if (!cs_renew_at(in, n, &r))
			continue;
		*o = (struct cs_ocsp_issuer){
			.name = r.issuer,
			.certificate = r.ca->certificate,
			.validity_s = in->config.issuers[n - 1].ocsp_validity_s,
			.key_fd = -1,
			.chain_fd = -1};
		rd->c.ocsp_n++;
		if (cs_renew_is_there(in, &r) &&
		    !cs_renew_open(in, &r, &o->key_fd, &o->chain_fd, err))
			return cs_error_prefix(err, "%s", r.what);
	}
	return true;
}

bool cs_rooms_start_reader(const struct cs_rooms *r, int parent_fd,
			   int front_fd, int ledger_fd, pid_t *ret_pid,
			   struct cs_error *err)
{
	struct reader rd = {.r = r,
			    .c = {.dir = r->install->dir,
				  .clock = r->clock,
				  .parent_fd = parent_fd,
				  .front_fd = front_fd,
				  .ledger_fd = ledger_fd}};
	struct cs_spawn spawn = new_spawn(r, "cs-reader", run_reader, &rd);
	bool ok = fill_reader(&rd, err);

	cs_spawn_keep(&spawn, parent_fd);
	cs_spawn_keep(&spawn, front_fd);
	cs_spawn_keep(&spawn, ledger_fd);
	for (size_t i = 0; i < rd.c.ocsp_n; i++) {
		cs_spawn_keep(&spawn, rd.ocsp[i].key_fd);
		cs_spawn_keep(&spawn, rd.ocsp[i].chain_fd);
	}
	ok = ok && cs_spawn_start(&spawn, ret_pid, err);
	for (size_t i = 0; i < rd.c.ocsp_n; i++) {
		close_fd(rd.ocsp[i].key_fd);
		close_fd(rd.ocsp[i].chain_fd);
	}
	return ok;
}

/* -- front -------------------------------------------------------------- */

/* What 64 issuers are described by. */
#define FRONT_ARENA (64 * 1024 * 1024)

struct front {
	const struct cs_rooms *r;
	struct cs_arena arena;
	struct cs_front_config c;
	struct cs_front_issuer issuer[CS_MAX_ISSUERS];
	struct cs_http_listen listen[2 * CS_MAX_CONFIG_LIST + 1];
	uid_t uid[CS_MAX_CONFIG_LIST];
	struct cs_net scraper[CS_MAX_CONFIG_LIST];
};

/* Descriptors of front that are no client's: links, doors, loop, reserve. */
#define FRONT_FDS (CS_MAX_HTTP_LOCAL + 64)

/*
 * A descriptor for each connection. The soft limit is raised; where the hard
 * one is lower than what is configured, it decides, and the log says so.
 */
static void make_descriptors(struct front *f, struct cs_log *log)
{
	rlim_t wanted = (rlim_t)f->c.max_connections + FRONT_FDS;
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= wanted)
		return;
	l.rlim_cur = l.rlim_max < wanted ? l.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur >= wanted)
		return;
	if (getrlimit(RLIMIT_NOFILE, &l) != 0)
		return;
	f->c.max_connections = l.rlim_cur > 2 * FRONT_FDS
				       ? (uint32_t)(l.rlim_cur - FRONT_FDS)
				       : FRONT_FDS;
	cs_log_write(log, CS_LOG_WARNING, "front.descriptors",
		     "RLIMIT_NOFILE is %llu: at most %u connections at a time",
		     (unsigned long long)l.rlim_cur, f->c.max_connections);
}

static int run_front(void *ctx)
{
	struct front *f = ctx;
	struct cs_log log = own_log(f->r, "front");

	make_descriptors(f, &log);
	f->c.log = &log;
	return cs_front_run(&f->c);
}

static bool fill_front(struct front *f, struct cs_error *err)
{
	const struct cs_install *in = f->r->install;

	for (size_t i = 0; i < in->config.n_issuers; i++) {
		if (!cs_issuers_fill(in, i, &f->arena, &f->issuer[i], err))
			return false;
	}
	for (size_t i = 0; i < in->config.n_admin_uids; i++)
		f->uid[i] = (uid_t)in->config.admin_uids[i];
	for (size_t i = 0; i < f->r->listens_n; i++) {
		f->listen[i].fd = f->r->listens[i].fd;
		f->listen[i].kind =
			f->r->listens[i].is_local   ? CS_HTTP_LISTEN_LOCAL
			: f->r->listens[i].is_plain ? CS_HTTP_LISTEN_PLAIN
						    : CS_HTTP_LISTEN_TLS;
	}
	f->c.issuers = f->issuer;
	f->c.issuers_n = in->config.n_issuers;
	f->c.policy_by_api = in->config.policy_by_api;
	f->c.admin_uids = f->uid;
	f->c.admin_uids_n = in->config.n_admin_uids;
	f->c.max_connections = in->config.connections;
	for (size_t i = 0; i < in->config.scrape_from.n; i++)
		/* The configuration's reader has refused what is none. */
		if (cs_net_parse(in->config.scrape_from.item[i],
				 &f->scraper[f->c.scrapers_n]))
			f->c.scrapers_n++;
	f->c.scrapers = f->scraper;
	f->c.max_per_address = in->config.per_address;
	f->c.listens = f->listen;
	f->c.listens_n = f->r->listens_n;
	return true;
}

/* The listener's key and chain, where there is anything to listen at. */
static bool open_tls(struct front *f, struct cs_error *err)
{
	const struct cs_install *in = f->r->install;

	if (f->r->listens_n == 0)
		return true;
	if (!cs_files_open_secret(in->dir, in->config.tls_key, &f->c.tls_key_fd,
				  err))
		return false;
	return cs_files_open(in->dir, in->config.tls_chain, &f->c.tls_chain_fd,
			     err);
}

bool cs_rooms_start_front(const struct cs_rooms *r, int parent_fd,
			  int ledger_fd, int reader_fd, pid_t *ret_pid,
			  struct cs_error *err)
{
	struct front f = {.r = r,
			  .c = {.clock = r->clock,
				.parent_fd = parent_fd,
				.ledger_fd = ledger_fd,
				.reader_fd = reader_fd,
				.tls_key_fd = -1,
				.tls_chain_fd = -1}};
	struct cs_spawn spawn = new_spawn(r, "cs-front", run_front, &f);
	bool ok;

	cs_arena_init(&f.arena, FRONT_ARENA);
	ok = fill_front(&f, err) && open_tls(&f, err);
	cs_spawn_keep(&spawn, parent_fd);
	cs_spawn_keep(&spawn, ledger_fd);
	cs_spawn_keep(&spawn, reader_fd);
	cs_spawn_keep(&spawn, f.c.tls_key_fd);
	cs_spawn_keep(&spawn, f.c.tls_chain_fd);
	for (size_t i = 0; i < r->listens_n; i++)
		cs_spawn_keep(&spawn, r->listens[i].fd);
	ok = ok && cs_spawn_start(&spawn, ret_pid, err);
	close_fd(f.c.tls_key_fd);
	close_fd(f.c.tls_chain_fd);
	cs_arena_done(&f.arena);
	return ok;
}

/* -- worker ------------------------------------------------------------- */

struct worker {
	const struct cs_rooms *r;
	struct cs_worker_config c;
	struct cs_judge_issuer issuer[CS_MAX_ISSUERS];
};

static int run_worker(void *ctx)
{
	struct worker *w = ctx;
	struct cs_log log = own_log(w->r, "worker");

	w->c.log = &log;
	return cs_worker_run(&w->c);
}

bool cs_rooms_start_worker(const struct cs_rooms *r, unsigned number,
			   int parent_fd, int front_fd, int ledger_fd,
			   pid_t *ret_pid, struct cs_error *err)
{
	const struct cs_install *in = r->install;
	struct worker w = {.r = r,
			   .c = {.number = number,
				 .parent_fd = parent_fd,
				 .front_fd = front_fd,
				 .ledger_fd = ledger_fd,
				 .issuers = w.issuer,
				 .issuers_n = in->config.n_issuers,
				 .clock = r->clock}};
	struct cs_spawn spawn = new_spawn(r, "cs-worker", run_worker, &w);

	for (size_t i = 0; i < in->config.n_issuers; i++) {
		w.issuer[i].ca = in->ca[i];
		w.issuer[i].ceiling = &in->ceiling[i];
		w.issuer[i].is_retired = in->state[i].is_retired;
	}
	cs_spawn_keep(&spawn, parent_fd);
	cs_spawn_keep(&spawn, front_fd);
	cs_spawn_keep(&spawn, ledger_fd);
	return cs_spawn_start(&spawn, ret_pid, err);
}
