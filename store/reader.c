#include "store/reader.h"

#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/ipc.h"
#include "base/limits.h"
#include "base/secret.h"
#include "store/query.h"

/* Exit status when the house must be started again. */
#define EXIT_AGAIN 75
/* Time of one question when the configuration says nothing. */
#define DEADLINE_MS 5000
/* Questions read few pages again; the writer's cache is the one that counts. */
#define CACHE_KIB 8192
/* Keys of responders: a few hundred octets each. */
#define SECRET_HEAP (256 * 1024)

struct reader {
	const struct cs_reader_config *config;
	struct cs_loop *loop;
	struct cs_link *parent, *front, *ledger; /* NULL once gone */
	struct cs_db *db;			 /* NULL until it is open */
	struct cs_questions *questions;
	struct cs_ocsp *ocsp;
	struct cs_buf body;
	bool ledger_works;		   /* its first STATE has come */
	enum cs_ledger_state ledger_state; /* of the last one */
	bool over;
};

/* End the process, once. */
static void end(struct reader *r, int status)
{
	if (r->over)
		return;
	r->over = true;
	cs_loop_stop(r->loop, status);
}

/* Open the database when it is first needed. False: not now. */
static bool open_database(struct reader *r, struct cs_error *err)
{
	const struct cs_reader_config *c = r->config;
	char path[4096];
	struct cs_db_config db = {
		.path = path, .vfs = c->vfs, .cache_kib = CACHE_KIB};
	int n;

	if (r->questions != NULL)
		return true;
	n = snprintf(path, sizeof(path), "%s/ledger.db", c->dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "%s: the path is too long", c->dir);
	if (r->db == NULL)
		r->db = cs_db_open(&db, CS_DB_READ, err);
	if (r->db == NULL)
		return false;
	r->questions = cs_questions_new(
		r->db, &c->clock,
		c->deadline_ms == 0 ? DEADLINE_MS : c->deadline_ms, err);
	return r->questions != NULL;
}

/* Ask; an error of the database is logged here and answered as such. */
static struct cs_msg_page ask(struct reader *r, const struct cs_msg_query *m,
			      struct cs_question_result *result)
{
	struct cs_question question = {.kind = (enum cs_query)m->kind,
				       .client = m->client,
				       .issuers = m->issuers,
				       .params = m->params};
	struct cs_msg_page page = {.found = 0};
	struct cs_error err = {0};

	cs_buf_reset(&r->body);
	if (!r->ledger_works) {
		page.code = CS_SPAN_LIT("STARTING");
		page.detail = CS_SPAN_LIT("The ledger is not ready yet.");
		return page;
	}
	if (!open_database(r, &err) ||
	    !cs_questions_ask(r->questions, &question, &r->body, result,
			      &err)) {
		cs_log_error(r->config->log, "question.failed", &err);
		page.code = CS_SPAN_LIT("INTERNAL");
		page.detail = CS_SPAN_LIT("The database could not be read.");
		return page;
	}
	page.found = result->found ? 1 : 0;
	page.code = cs_span_str(result->code);
	page.detail = cs_span_str(result->detail);
	if (result->found)
		page.body = cs_buf_span(&r->body);
	return page;
}

/* -- OCSP ----------------------------------------------------------------- */

/* Is what the record says now true, and is it now? */
static bool can_be_relied_upon(const struct reader *r)
{
	return r->ledger_works && r->ledger_state != CS_LEDGER_SPLIT &&
	       r->ledger_state != CS_LEDGER_CLOCK;
}

/* From front: a stranger's OCSP request. */
static bool on_ocsp(struct reader *r, struct cs_link *link, uint64_t ticket,
		    struct cs_span body, struct cs_error *err)
{
	struct cs_ocsp_result result = {.status = CS_OCSP_TRY_LATER};
	struct cs_msg_ocsp_answer answer;
	struct cs_error why = {0};
	struct cs_msg_ocsp m;
	bool ok = true;

	if (!cs_msg_ocsp_decode(body, &m, err))
		return false;
	cs_buf_reset(&r->body);
	if (!can_be_relied_upon(r)) {
		cs_ocsp_response_refuse(result.status, &r->body);
	} else if (!open_database(r, &why)) {
		ok = false;
		result.status = CS_OCSP_INTERNAL;
		cs_ocsp_response_refuse(result.status, &r->body);
	} else {
		ok = cs_ocsp_answer(r->ocsp, r->db, m.request, &r->body,
				    &result, &why);
	}
	if (!ok)
		cs_log_error(r->config->log, "ocsp.failed", &why);
	answer = (struct cs_msg_ocsp_answer){
		.status = (uint8_t)result.status,
		.good = result.good,
		.revoked = result.revoked,
		.unknown = result.unknown,
		.produced_s = result.produced_s,
		.next_update_s = result.next_update_s,
		.response = cs_buf_span(&r->body),
	};
	return cs_link_send_ocsp_answer(link, ticket, &answer, err);
}

/* A responder's key and chain; what is wrong with them is for the log. */
static bool take_responder(struct reader *r, struct cs_span issuer, int key_fd,
			   struct cs_span chain, struct cs_error *err)
{
	struct cs_msg_ocsp_responder m = {.issuer = issuer};
	struct cs_error why = {0};

	if (!cs_ocsp_take(r->ocsp, issuer, key_fd, chain, &m.not_after_s,
			  &why)) {
		cs_log_error(r->config->log, "ocsp.key", &why);
		return true;
	}
	return r->front == NULL ||
	       cs_link_send_ocsp_responder(r->front, 0, &m, err);
}

/* From parent, after a renewal. */
static bool on_ocsp_key(struct reader *r, struct cs_span body, int fd,
			struct cs_error *err)
{
	struct cs_msg_ocsp_key m;
	bool ok = cs_msg_ocsp_key_decode(body, &m, err);

	if (ok && fd >= 0)
		ok = take_responder(r, m.issuer, fd, m.chain, err);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* The responders that there are already. */
static bool take_first_responders(struct reader *r, struct cs_error *err)
{
	const struct cs_reader_config *c = r->config;
	bool ok = true;

	for (size_t i = 0; i < c->ocsp_n; i++) {
		const struct cs_ocsp_issuer *is = &c->ocsp[i];
		CS_CLEANUP(cs_buf_done) struct cs_buf chain;

		cs_buf_init(&chain, CS_MAX_PEM_FILE);
		if (ok && is->key_fd >= 0 && is->chain_fd >= 0 &&
		    cs_fd_read(is->chain_fd, is->name, &chain, NULL))
			ok = take_responder(r, cs_span_str(is->name),
					    is->key_fd, cs_buf_span(&chain),
					    err);
		if (is->key_fd >= 0)
			close(is->key_fd);
		if (is->chain_fd >= 0)
			close(is->chain_fd);
	}
	return ok;
}

/* What answers, if anybody does; an unlocked heap is told, and will do. */
static bool open_ocsp(struct reader *r, struct cs_error *err)
{
	struct cs_error why = {0};

	if (r->config->ocsp_n > 0 && !cs_secret_heap_init(SECRET_HEAP, &why))
		cs_log_error(r->config->log, "reader.secret_heap", &why);
	r->ocsp = cs_ocsp_new(r->config->ocsp, r->config->ocsp_n,
			      &r->config->clock, err);
	return r->ocsp != NULL;
}

/* From front: a question. */
static bool on_question(void *ctx, struct cs_link *link, unsigned number,
			uint64_t ticket, struct cs_span body, int fd,
			struct cs_error *err)
{
	struct reader *r = ctx;
	struct cs_question_result result;
	struct cs_msg_query m;
	struct cs_msg_page page;
	int64_t begun = cs_clock_boot_us(&r->config->clock);

	if (fd >= 0)
		close(fd);
	if (number == CS_MSG_OCSP)
		return on_ocsp(r, link, ticket, body, err);
	if (number != CS_MSG_QUERY)
		return cs_error_set(err, CS_E_PROTOCOL, "%s: unexpected here",
				    cs_msg_name(number));
	if (!cs_msg_query_decode(body, &m, err))
		return false;
	page = ask(r, &m, &result);
	page.took_us = (uint32_t)(cs_clock_boot_us(&r->config->clock) - begun);
	return cs_link_send_page(link, ticket, &page, err);
}

/* From the ledger: that it works. */
static bool on_state(void *ctx, struct cs_link *link, unsigned number,
		     uint64_t ticket, struct cs_span body, int fd,
		     struct cs_error *err)
{
	struct reader *r = ctx;
	struct cs_msg_state m;

	(void)link;
	(void)ticket;
	if (fd >= 0)
		close(fd);
	if (number != CS_MSG_STATE)
		return cs_error_set(err, CS_E_PROTOCOL, "%s: unexpected here",
				    cs_msg_name(number));
	if (!cs_msg_state_decode(body, &m, err))
		return false;
	r->ledger_works = true;
	r->ledger_state = (enum cs_ledger_state)m.state;
	return true;
}

/* From parent: a key, or stop: every question that came has been answered. */
static bool on_parent(void *ctx, struct cs_link *link, unsigned number,
		      uint64_t ticket, struct cs_span body, int fd,
		      struct cs_error *err)
{
	struct reader *r = ctx;
	struct cs_msg_stop m;

	(void)link;
	(void)ticket;
	if (number == CS_MSG_OCSP_KEY)
		return on_ocsp_key(r, body, fd, err);
	if (fd >= 0)
		close(fd);
	if (number != CS_MSG_STOP)
		return cs_error_set(err, CS_E_PROTOCOL, "%s: unexpected here",
				    cs_msg_name(number));
	if (!cs_msg_stop_decode(body, &m, err))
		return false;
	end(r, 0);
	return true;
}

/* A link ended: front's after its work, ledger's or parent's by a death. */
static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct reader *r = ctx;

	if (why->code != CS_E_PEER_GONE)
		cs_log_error(r->config->log, "link.ended", why);
	if (link == r->parent) {
		r->parent = NULL;
		end(r, EXIT_AGAIN);
	} else if (link == r->front) {
		/* Parent tells whether front died; nobody asks any more. */
		r->front = NULL;
		if (why->code != CS_E_PEER_GONE)
			end(r, EXIT_AGAIN);
	} else {
		r->ledger = NULL;
		r->ledger_works = false;
	}
	cs_link_free(link);
}

/* Links, and READY. */
static bool start(struct reader *r, struct cs_error *err)
{
	const struct cs_reader_config *c = r->config;
	const struct cs_msg_ready ready = {.detail = CS_SPAN_LIT("reader")};

	r->parent = cs_link_new(r->loop, c->parent_fd, CS_ROOM_R, CS_ROOM_P,
				on_parent, on_gone, r, err);
	r->front = cs_link_new(r->loop, c->front_fd, CS_ROOM_R, CS_ROOM_F,
			       on_question, on_gone, r, err);
	r->ledger = cs_link_new(r->loop, c->ledger_fd, CS_ROOM_R, CS_ROOM_L,
				on_state, on_gone, r, err);
	return r->parent != NULL && r->front != NULL && r->ledger != NULL &&
	       open_ocsp(r, err) && take_first_responders(r, err) &&
	       cs_link_send_ready(r->parent, 0, &ready, err);
}

int cs_reader_run(const struct cs_reader_config *config)
{
	struct reader r = {.config = config};
	struct cs_error err = {0};
	int status = EXIT_AGAIN;

	cs_buf_init(&r.body, CS_MAX_MESSAGE - 4096);
	r.loop = cs_loop_new(&err);
	if (r.loop != NULL && start(&r, &err))
		status = cs_loop_run(r.loop);
	else
		cs_log_error(config->log, "reader.start", &err);
	cs_ocsp_free(r.ocsp);
	cs_questions_free(r.questions);
	cs_db_close(r.db);
	cs_link_free(r.ledger);
	cs_link_free(r.front);
	cs_link_free(r.parent);
	cs_loop_free(r.loop);
	cs_buf_done(&r.body);
	return status;
}
