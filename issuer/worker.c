#include "issuer/worker.h"

#include <string.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/ipc.h"
#include "base/mem.h"
#include "issuer/judge_parts.h"

/* An exit status after which the parent starts another worker. */
#define EXIT_AGAIN 75

/* A REQUEST that came before the SET that it is to be judged under. */
struct waiting {
	struct waiting *next;
	uint64_t ticket;
	struct cs_span body; /* owned */
};

struct worker {
	const struct cs_worker_config *config;
	struct cs_loop *loop;
	struct cs_link *parent;
	struct cs_link *front;
	struct cs_link *ledger;
	struct cs_judge *judge;
	bool has_set;
	uint64_t seen;	 /* the latest SET's epoch, whether it loaded or not */
	uint64_t wanted; /* judge what comes only when that was seen */
	struct cs_buf report; /* of one CHECK */
	struct waiting *first, **last;
	size_t waiting_n;
};

/* -- the straight way ----------------------------------------------------- */

/* Did the set come that front asked for, or a later one? */
static bool is_ready(const struct worker *w)
{
	return w->has_set && w->seen >= w->wanted;
}

/* Judge, and tell the ledger. What cannot be judged ends the worker. */
static bool judge(struct worker *w, uint64_t ticket, struct cs_span body,
		  struct cs_error *err)
{
	struct cs_judgement out;

	if (cs_failpoint("worker.before_judge"))
		return cs_error_set(err, CS_E_INTERNAL, "worker.before_judge");
	if (!cs_judge_request(w->judge, body, &out, err))
		return false;
	if (cs_failpoint("worker.after_judge"))
		return cs_error_set(err, CS_E_INTERNAL, "worker.after_judge");
	if (out.issue)
		return cs_link_send_intent(w->ledger, ticket, &out.intent, err);
	return cs_link_send_refusal(w->ledger, ticket, &out.refusal, err);
}

/* Keep a request until that set is in force; front bounds how many. */
static bool wait_for_set(struct worker *w, uint64_t ticket, struct cs_span body,
			 struct cs_error *err)
{
	struct waiting *one = cs_mem_new(sizeof(*one));
	void *copy = cs_mem_dup(body.p, body.n);

	if (one == NULL || copy == NULL || w->waiting_n == CS_MAX_IN_FLIGHT) {
		cs_mem_free(one);
		cs_mem_free(copy);
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no room for a request before SET");
	}
	one->ticket = ticket;
	one->body = cs_span_make(copy, body.n);
	*w->last = one;
	w->last = &one->next;
	w->waiting_n++;
	return true;
}

/* The first one that waits, out of the list; NULL: none. */
static struct waiting *take_waiting(struct worker *w)
{
	struct waiting *one = w->first;

	if (one == NULL)
		return NULL;
	w->first = one->next;
	if (w->first == NULL)
		w->last = &w->first;
	w->waiting_n--;
	return one;
}

static void free_waiting(struct waiting *one)
{
	const void *body = one->body.p;

	cs_mem_free_at(&body);
	cs_mem_free(one);
}

/* Now that the set is in force: judge what waited. */
static bool judge_waiting(struct worker *w, struct cs_error *err)
{
	struct waiting *one;
	bool ok = true;

	while (ok && (one = take_waiting(w)) != NULL) {
		ok = judge(w, one->ticket, one->body, err);
		free_waiting(one);
	}
	return ok;
}

static bool on_request(struct worker *w, uint64_t ticket, struct cs_span body,
		       struct cs_error *err)
{
	if (!is_ready(w))
		return wait_for_set(w, ticket, body, err);
	return judge(w, ticket, body, err);
}

/* -- policy sets ---------------------------------------------------------- */

/*
 * The set in force. One that does not load leaves the old one, and nothing
 * waits for it: the ledger sends back what was judged under another.
 */
static bool on_set(struct worker *w, struct cs_span body, struct cs_error *err)
{
	struct cs_msg_set m;
	struct cs_error why;

	if (!cs_msg_set_decode(body, &m, err))
		return false;
	if (cs_judge_set(w->judge, &m, &why))
		w->has_set = true;
	else
		cs_log_error(w->config->log, "worker.set", &why);
	w->seen = m.epoch;
	return !is_ready(w) || judge_waiting(w, err);
}

/* Front knows of a set that may still be on its way to us. */
static bool on_epoch(struct worker *w, struct cs_span body,
		     struct cs_error *err)
{
	struct cs_msg_epoch m;

	if (!cs_msg_epoch_decode(body, &m, err))
		return false;
	w->wanted = m.epoch;
	return true;
}

/* A set that was checked and is to be in force, or to be recorded as bad. */
static bool send_apply(struct worker *w, uint64_t ticket,
		       const struct cs_msg_check *m, bool ok,
		       const uint8_t sha256[32], struct cs_error *err)
{
	struct cs_msg_apply apply = {
		.ok = ok,
		.engine = cs_span_str(cs_judge_engine()),
		.files = m->files,
		.report = cs_buf_span(&w->report),
		.credential = m->credential,
		.uid = m->uid,
		.shown = m->shown,
	};

	memcpy(apply.set_sha256, sha256, sizeof(apply.set_sha256));
	return cs_link_send_apply(w->ledger, ticket, &apply, err);
}

static bool on_check(struct worker *w, uint64_t ticket, struct cs_span body,
		     struct cs_error *err)
{
	struct cs_msg_checked checked = {0};
	struct cs_msg_check m;
	uint8_t sha256[32];
	bool ok;

	if (!cs_msg_check_decode(body, &m, err))
		return false;
	cs_buf_reset(&w->report);
	if (!cs_judge_check_set(w->judge, m.files, &ok, sha256, &w->report,
				err))
		return false;
	if (m.apply)
		return send_apply(w, ticket, &m, ok, sha256, err);
	checked.ok = ok;
	checked.report = cs_buf_span(&w->report);
	return cs_link_send_checked(w->front, ticket, &checked, err);
}

/* What would become of a request; front bounds how much is asked. */
static bool on_evaluate(struct worker *w, uint64_t ticket, struct cs_span body,
			struct cs_error *err)
{
	struct cs_msg_evaluated out;
	struct cs_msg_evaluate m;

	if (!cs_msg_evaluate_decode(body, &m, err))
		return false;
	cs_buf_reset(&w->report);
	return cs_judge_evaluate(w->judge, &m, &w->report, &out, err) &&
	       cs_link_send_evaluated(w->front, ticket, &out, err);
}

/* -- links ---------------------------------------------------------------- */

static bool on_message(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	struct worker *w = ctx;

	(void)link;
	if (fd >= 0)
		close(fd);
	switch (number) {
	case CS_MSG_REQUEST:
		return on_request(w, ticket, body, err);
	case CS_MSG_EPOCH:
		return on_epoch(w, body, err);
	case CS_MSG_CHECK:
		return on_check(w, ticket, body, err);
	case CS_MSG_EVALUATE:
		return on_evaluate(w, ticket, body, err);
	case CS_MSG_SET:
		return on_set(w, body, err);
	case CS_MSG_STOP:
		cs_loop_stop(w->loop, 0);
		return true;
	default:
		/* STATE and news of other workers: nothing to this one. */
		return true;
	}
}

/* Front and ledger close theirs in an orderly stop; all else is a fault. */
static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct worker *w = ctx;
	bool orderly = link != w->parent && why->code == CS_E_PEER_GONE;

	if (!orderly)
		cs_log_error(w->config->log, "worker.link", why);
	cs_loop_stop(w->loop, orderly ? 0 : EXIT_AGAIN);
}

static bool start(struct worker *w, struct cs_error *err)
{
	const struct cs_worker_config *c = w->config;
	const struct cs_msg_ready ready = {.detail = CS_SPAN_LIT("")};

	w->judge = cs_judge_new(c->issuers, c->issuers_n, c->clock, err);
	w->loop = w->judge == NULL ? NULL : cs_loop_new(err);
	if (w->loop == NULL)
		return false;
	w->parent = cs_link_new(w->loop, c->parent_fd, CS_ROOM_W, CS_ROOM_P,
				on_message, on_gone, w, err);
	if (w->parent == NULL)
		return false;
	w->ledger = cs_link_new(w->loop, c->ledger_fd, CS_ROOM_W, CS_ROOM_L,
				on_message, on_gone, w, err);
	if (w->ledger == NULL)
		return false;
	w->front = cs_link_new(w->loop, c->front_fd, CS_ROOM_W, CS_ROOM_F,
			       on_message, on_gone, w, err);
	return w->front != NULL &&
	       cs_link_send_ready(w->parent, 0, &ready, err);
}

int cs_worker_run(const struct cs_worker_config *config)
{
	struct worker w = {.config = config};
	struct waiting *one;
	struct cs_error err;
	int status = EXIT_AGAIN;

	w.last = &w.first;
	cs_buf_init(&w.report, CS_MAX_POLICY_REPORT);
	if (start(&w, &err))
		status = cs_loop_run(w.loop);
	else
		cs_log_error(config->log, "worker.start", &err);
	cs_link_free(w.front);
	cs_link_free(w.ledger);
	cs_link_free(w.parent);
	cs_loop_free(w.loop);
	while ((one = take_waiting(&w)) != NULL)
		free_waiting(one);
	cs_judge_free(w.judge);
	cs_buf_done(&w.report);
	return status;
}
