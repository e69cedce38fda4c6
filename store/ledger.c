#include "store/ledger.h"

#include <unistd.h>

#include "base/mem.h"
#include "store/ledger_room.h"
#include "store/lock.h"
#include "store/migrate.h"
#include "store/schema.h"

/* Defaults of the configuration. */
#define PENDING_QUOTA  1000
#define PENDING_TTL_MS ((int64_t)7 * 24 * 3600 * 1000)
#define CRL_VALIDITY_S ((int64_t)7 * 24 * 3600)
#define CRL_REFRESH_S  ((int64_t)24 * 3600)
/* The tick, and what comes with every so many of them. */
#define TICK_MS		1000
#define TICKS_TO_EXPIRE 5
#define TICKS_TO_DRIVE	30
/* One batch: 128 decisions of 64 KiB twice, and a removed client's requests. */
#define BATCH_ARENA ((size_t)256 * 1024 * 1024)
/* Issuers' chains as recorded. */
#define LEDGER_ARENA ((size_t)64 * 1024 * 1024)

/* -- work --------------------------------------------------------------- */

/* Work for the next batch. */
static void enqueue(struct cs_ledger *l, struct cs_work *w)
{
	w->next = NULL;
	*l->last = w;
	l->last = &w->next;
	l->queued++;
	cs_idle_request(l->commit);
}

/* STOP's patience is over: what is not settled is abandoned at the next
 * start. */
static void on_drain(void *ctx)
{
	struct cs_ledger *l = ctx;

	l->drained = true;
	cs_ledger_finish_if_drained(l);
}

/* -- messages ----------------------------------------------------------- */

/* From a worker and from front: work. */
static bool on_work(void *ctx, struct cs_link *link, unsigned number,
		    uint64_t ticket, struct cs_span body, int fd,
		    struct cs_error *err)
{
	struct cs_ledger *l = ctx;
	struct cs_work *w = cs_ledger_work_new(number, ticket, body, err);

	(void)link;
	if (fd >= 0)
		close(fd);
	if (w == NULL)
		return false;
	enqueue(l, w);
	return true;
}

/* From the signer. */
static bool on_signed(void *ctx, struct cs_link *link, unsigned number,
		      uint64_t ticket, struct cs_span body, int fd,
		      struct cs_error *err)
{
	struct cs_msg_crl_signed crl;
	struct cs_msg_signed m;

	(void)link;
	(void)fd;
	if (number == CS_MSG_CRL_SIGNED)
		return cs_msg_crl_signed_decode(body, &crl, err) &&
		       cs_ledger_crl_signed(ctx, ticket, &crl, err);
	if (number != CS_MSG_SIGNED)
		return cs_error_set(err, CS_E_PROTOCOL, "%s: unexpected here",
				    cs_msg_name(number));
	return cs_msg_signed_decode(body, &m, err) &&
	       cs_ledger_signed(ctx, &m, err);
}

/* Nothing comes from the reader. */
static bool on_nothing(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	(void)ctx;
	(void)link;
	(void)ticket;
	(void)body;
	(void)fd;
	return cs_error_set(err, CS_E_PROTOCOL, "%s: unexpected here",
			    cs_msg_name(number));
}

/* A link other than parent's ended. Parent sees the death and ends all. */
static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct cs_ledger *l = ctx;
	struct cs_link **links[] = {&l->front, &l->reader};

	if (why->code != CS_E_PEER_GONE)
		cs_log_error(l->config.log, "link.ended", why);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (*links[i] == link)
			*links[i] = NULL;
	for (size_t i = 0; i < l->signers_n; i++)
		if (l->signers[i] == link)
			l->signers[i] = NULL;
	for (size_t i = 0; i < l->workers_n; i++)
		if (l->workers[i].link == link)
			l->workers[i].link = NULL;
	cs_link_free(link);
	cs_ledger_finish_if_drained(l);
}

/* Parent is gone: nobody would start us again. */
static void on_parent_gone(void *ctx, struct cs_link *link,
			   const struct cs_error *why)
{
	struct cs_ledger *l = ctx;

	(void)why;
	l->parent = NULL;
	cs_link_free(link);
	if (l->over)
		return;
	l->over = true;
	cs_loop_stop(l->loop, CS_LEDGER_AGAIN);
}

/* A new worker: a slot, its link, and the set in force. Takes fd. */
static bool worker_add(struct cs_ledger *l, unsigned number, int fd,
		       struct cs_error *err)
{
	size_t i = 0;

	while (i < l->workers_n && l->workers[i].number != number &&
	       l->workers[i].link != NULL)
		i++;
	if (i == CS_MAX_WORKERS) {
		close(fd);
		return cs_error_set(err, CS_E_PROTOCOL, "too many workers");
	}
	if (i == l->workers_n)
		l->workers_n++;
	cs_link_free(l->workers[i].link);
	l->workers[i].number = number;
	l->workers[i].link = cs_link_new(l->loop, fd, CS_ROOM_L, CS_ROOM_W,
					 on_work, on_gone, l, err);
	if (l->workers[i].link == NULL)
		return false;
	cs_ledger_send_set(l, l->workers[i].link);
	return true;
}

/* STOP: no new work; what is being signed is still recorded. */
static void stop(struct cs_ledger *l, uint32_t drain_ms)
{
	if (l->stopping)
		return;
	l->stopping = true;
	cs_timer_start(l->drain, drain_ms == 0 ? 1 : drain_ms);
	cs_ledger_backup_abort(l);
	cs_ledger_crl_abort(l, "STOPPING");
	cs_ledger_state_send(l);
	cs_idle_request(l->commit);
}

/* From parent. */
static bool on_parent(void *ctx, struct cs_link *link, unsigned number,
		      uint64_t ticket, struct cs_span body, int fd,
		      struct cs_error *err)
{
	struct cs_ledger *l = ctx;
	struct cs_msg_stop stop_m;
	struct cs_msg_worker_link link_m;
	struct cs_msg_worker_gone gone_m;

	(void)link;
	(void)ticket;
	if (number == CS_MSG_WORKER_LINK) {
		if (fd < 0 || !cs_msg_worker_link_decode(body, &link_m, err))
			return cs_error_set(err, CS_E_PROTOCOL,
					    "WORKER_LINK: malformed");
		return worker_add(l, link_m.worker, fd, err);
	}
	if (number == CS_MSG_WORKER_GONE)
		/* Its link reads as closed behind its last message. */
		return cs_msg_worker_gone_decode(body, &gone_m, err);
	if (number != CS_MSG_STOP)
		return cs_error_set(err, CS_E_PROTOCOL, "%s: unexpected here",
				    cs_msg_name(number));
	if (!cs_msg_stop_decode(body, &stop_m, err))
		return false;
	stop(l, stop_m.drain_ms);
	return true;
}

/* Once a second. */
static void on_tick(void *ctx)
{
	struct cs_ledger *l = ctx;

	if (l->over)
		return;
	cs_timer_start(l->tick, TICK_MS);
	l->ticks++;
	cs_ledger_clock_look(l);
	if (l->full)
		cs_ledger_probe(l);
	if (l->ticks % TICKS_TO_EXPIRE == 0)
		cs_ledger_expire(l);
	if (l->ticks % TICKS_TO_DRIVE == 0)
		cs_ledger_drive_start(l);
	if (l->over)
		return;
	cs_ledger_note_write(l, CS_WHEN_DUE);
	cs_ledger_backup_tick(l);
	cs_ledger_crl_tick(l);
	if (cs_ledger_terms_due(l))
		cs_idle_request(l->terms);
	cs_ledger_metrics_send(l);
	cs_ledger_state_send(l);
}

/* -- the beginning ------------------------------------------------------ */

void cs_ledger_free(struct cs_ledger *l)
{
	if (l == NULL)
		return;
	cs_link_free(l->parent);
	cs_link_free(l->front);
	cs_link_free(l->reader);
	for (size_t i = 0; i < l->signers_n; i++)
		cs_link_free(l->signers[i]);
	for (size_t i = 0; i < l->workers_n; i++)
		cs_link_free(l->workers[i].link);
	cs_idle_free(l->commit);
	cs_idle_free(l->terms);
	cs_ledger_terms_free(l->terms_run);
	cs_ledger_backup_free(l->backup);
	cs_ledger_crl_free(l->crl);
	if (l->metrics != NULL)
		cs_buf_done(&l->metrics->text);
	cs_timer_free(l->tick);
	cs_timer_free(l->drive);
	cs_timer_free(l->tell);
	cs_timer_free(l->drain);
	while (l->first != NULL) {
		struct cs_work *w = l->first;

		l->first = w->next;
		cs_ledger_work_free(w);
	}
	while (l->attempts != NULL) {
		struct cs_attempt *a = l->attempts;

		l->attempts = a->next;
		cs_ledger_attempt_free(a);
	}
	while (l->waiters != NULL) {
		struct cs_waiter *w = l->waiters;

		l->waiters = w->next;
		cs_mem_free(w);
	}
	cs_db_close(l->db);
	cs_disk_watch_free(l->disk_watch);
	cs_mem_free(l->metrics);
	cs_roster_free(l->roster);
	cs_note_signer_free(l->signer_of_notes);
	cs_hash_free(l->hash);
	cs_arena_done(&l->batch.arena);
	cs_arena_done(&l->arena);
	cs_mem_free(l->batch.drafts);
	cs_mem_free(l->batch.settled);
	cs_buf_done(&l->set);
	cs_buf_done(&l->restored);
	cs_buf_done(&l->note);
	cs_buf_done(&l->entry);
	cs_buf_done(&l->der);
	cs_buf_done(&l->json);
	cs_lock_drop(l->lock_fd);
	cs_mem_free(l);
}

/* Everything that needs no database. */
static bool set_up(struct cs_ledger *l, struct cs_error *err)
{
	if (l->config.issuers_n > CS_MAX_ISSUERS ||
	    l->config.older_n > CS_MAX_OLDER)
		return cs_error_set(err, CS_E_CONFIG,
				    "more than %d issuers, or %d generations "
				    "before the present ones",
				    CS_MAX_ISSUERS, CS_MAX_OLDER);
	for (size_t i = 0; i < l->config.issuers_n; i++)
		l->issuers[i].config = &l->config.issuers[i];
	l->issuers_n = l->config.issuers_n;
	for (size_t i = 0; i < l->config.older_n; i++)
		l->older[i].config = &l->config.older[i];
	l->older_n = l->config.older_n;
	l->batch.settled =
		cs_mem_new_array(CS_MAX_BATCH, sizeof(*l->batch.settled));
	if (l->batch.settled == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "ledger");
	l->metrics = cs_mem_new(sizeof(*l->metrics));
	if (l->metrics == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "ledger");
	cs_buf_init(&l->metrics->text, CS_MAX_METRICS);
	l->hash = cs_hash_new(err);
	l->commit = cs_idle_new(l->loop, cs_ledger_commit, l, err);
	l->terms_run = cs_ledger_terms_new();
	if (l->terms_run == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "ledger");
	l->terms = cs_idle_new(l->loop, cs_ledger_terms_slice, l, err);
	l->tick = cs_timer_new(l->loop, on_tick, l, err);
	l->drive = cs_timer_new(l->loop, cs_ledger_drive_next, l, err);
	l->tell = cs_timer_new(l->loop, cs_ledger_state_send, l, err);
	l->drain = cs_timer_new(l->loop, on_drain, l, err);
	return l->hash != NULL && l->commit != NULL && l->terms != NULL &&
	       l->tick != NULL && l->drive != NULL && l->tell != NULL &&
	       l->drain != NULL;
}

/* The lock, and the database at the version that this program writes. */
static bool database_open(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_db_config db = {
		.vfs = l->config.vfs,
		.max_pages = l->config.max_pages,
	};

	db.path = cs_arena_printf(&l->arena, "%s/ledger.db", l->config.dir);
	if (db.path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "ledger");
	l->lock_fd = cs_lock_take(l->config.dir, err);
	if (l->lock_fd < 0 ||
	    !cs_store_migrate(&db, cs_migrations, cs_migrations_n,
			      CS_SCHEMA_VERSION, NULL, err))
		return false;
	l->disk_watch = cs_disk_watch_new(l->config.vfs, l->config.clock,
					  &l->metrics->sync_time, err);
	if (l->disk_watch == NULL)
		return false;
	db.vfs = cs_disk_watch_vfs(l->disk_watch);
	l->db = cs_db_open(&db, CS_DB_WRITE, err);
	l->backup = l->db == NULL ? NULL : cs_ledger_backup_new(l, err);
	return l->backup != NULL;
}

/* A link to each signer. */
static bool signers_open(struct cs_ledger *l, struct cs_error *err)
{
	const struct cs_ledger_config *c = &l->config;
	size_t n = c->signer_fds_n > 0 ? c->signer_fds_n : 1;

	for (size_t i = 0; i < n; i++) {
		int fd = c->signer_fds_n > 0 ? c->signer_fds[i] : c->signer_fd;

		l->signers[i] = cs_link_new(l->loop, fd, CS_ROOM_L, CS_ROOM_S,
					    on_signed, on_gone, l, err);
		l->signers_n = i + 1;
		if (l->signers[i] == NULL)
			return false;
	}
	return true;
}

/* Links to the rooms that every house has. Their descriptors are ours. */
static bool links_open(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_ledger_config *c = &l->config;

	l->parent = cs_link_new(l->loop, c->parent_fd, CS_ROOM_L, CS_ROOM_P,
				on_parent, on_parent_gone, l, err);
	l->front = cs_link_new(l->loop, c->front_fd, CS_ROOM_L, CS_ROOM_F,
			       on_work, on_gone, l, err);
	l->reader = cs_link_new(l->loop, c->reader_fd, CS_ROOM_L, CS_ROOM_R,
				on_nothing, on_gone, l, err);
	if (l->parent == NULL || l->front == NULL || l->reader == NULL ||
	    !signers_open(l, err))
		return false;
	for (size_t i = 0; i < c->workers_n; i++)
		if (!worker_add(l, c->workers[i].number, c->workers[i].fd, err))
			return false;
	return true;
}

/* Recovered: tell the others what they need, and that we are there. */
static bool hello(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_msg_sign_seed seed = {.seq = l->seq};
	struct cs_msg_ready ready = {CS_SPAN_LIT("ledger")};

	for (size_t i = 0; i < l->signers_n; i++)
		if (!cs_link_send_sign_seed(l->signers[i], 0, &seed, err))
			return false;
	for (size_t i = 0; i < l->workers_n; i++)
		cs_ledger_send_set(l, l->workers[i].link);
	/* Before the clients, whose certificates it is about. */
	if (!cs_ledger_revoked_tell_all(l, err))
		return false;
	cs_ledger_send_clients(l);
	cs_ledger_metrics_send(l);
	cs_ledger_state_send(l);
	cs_timer_start(l->tick, TICK_MS);
	/* The start's checkpoint does not hold back the first decision's. */
	l->note_written_boot_ms = INT64_MIN / 2;
	l->ready = true;
	return cs_link_send_ready(l->parent, 0, &ready, err);
}

struct cs_ledger *cs_ledger_new(struct cs_loop *loop,
				const struct cs_ledger_config *config,
				struct cs_error *err)
{
	struct cs_ledger *l = cs_mem_new(sizeof(*l));
	bool ok;

	if (l == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "ledger");
		return NULL;
	}
	l->config = *config;
	if (l->config.pending_quota == 0)
		l->config.pending_quota = PENDING_QUOTA;
	if (l->config.pending_ttl_ms == 0)
		l->config.pending_ttl_ms = PENDING_TTL_MS;
	if (l->config.crl_validity_s == 0)
		l->config.crl_validity_s = CRL_VALIDITY_S;
	if (l->config.crl_refresh_s == 0)
		l->config.crl_refresh_s = CRL_REFRESH_S;
	l->loop = loop;
	l->lock_fd = -1;
	l->last = &l->first;
	l->signed_last = &l->signed_first;
	l->note_written_boot_ms = INT64_MIN / 2;
	cs_arena_init(&l->arena, LEDGER_ARENA);
	cs_arena_init(&l->batch.arena, BATCH_ARENA);
	cs_buf_init(&l->set, CS_MAX_MESSAGE - 1024);
	cs_buf_init(&l->restored, CS_MAX_LEAF / 2);
	cs_buf_init(&l->note, 4096);
	cs_buf_init(&l->entry, CS_MAX_MESSAGE);
	cs_buf_init(&l->der, CS_MAX_CERT);
	cs_buf_init(&l->json, CS_MAX_MESSAGE);
	/* Links last: what fails before leaves the descriptors to us. */
	ok = set_up(l, err) && database_open(l, err) && links_open(l, err) &&
	     cs_ledger_load(l, err) && cs_ledger_compromised_load(l, err);
	if (ok) {
		cs_ledger_clock_start(l);
		ok = cs_ledger_metrics_start(l, err) &&
		     cs_ledger_recover(l, err) && cs_ledger_crl_start(l, err) &&
		     hello(l, err);
	}
	if (!ok) {
		cs_ledger_free(l);
		return NULL;
	}
	return l;
}

int cs_ledger_run(const struct cs_ledger_config *config)
{
	struct cs_error err = {0};
	struct cs_loop *loop = cs_loop_new(&err);
	struct cs_ledger *l = NULL;
	int status = CS_LEDGER_AGAIN;

	if (loop != NULL)
		l = cs_ledger_new(loop, config, &err);
	if (l != NULL)
		status = cs_loop_run(loop);
	else
		cs_log_error(config->log, "ledger.start", &err);
	cs_ledger_free(l);
	cs_loop_free(loop);
	return status;
}
