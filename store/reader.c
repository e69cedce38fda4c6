#include "store/reader.h"

#include <stdio.h>
#include <unistd.h>

#include "base/ipc.h"
#include "base/limits.h"
#include "store/query.h"

/* Exit status when the house must be started again. */
#define EXIT_AGAIN 75
/* Time of one question when the configuration says nothing. */
#define DEADLINE_MS 5000
/* Questions read few pages again; the writer's cache is the one that counts. */
#define CACHE_KIB 8192

struct reader {
	const struct cs_reader_config *config;
	struct cs_loop *loop;
	struct cs_link *parent, *front, *ledger; /* NULL once gone */
	struct cs_db *db;			 /* NULL until it is open */
	struct cs_questions *questions;
	struct cs_buf body;
	bool ledger_works; /* its first STATE has come */
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
	return true;
}

/* From parent: stop. Every question that came has been answered. */
static bool on_parent(void *ctx, struct cs_link *link, unsigned number,
		      uint64_t ticket, struct cs_span body, int fd,
		      struct cs_error *err)
{
	struct reader *r = ctx;
	struct cs_msg_stop m;

	(void)link;
	(void)ticket;
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
	cs_questions_free(r.questions);
	cs_db_close(r.db);
	cs_link_free(r.ledger);
	cs_link_free(r.front);
	cs_link_free(r.parent);
	cs_loop_free(r.loop);
	cs_buf_done(&r.body);
	return status;
}
