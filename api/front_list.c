#include "api/front_list.h"

#include <inttypes.h>

#include "api/accept.h"
#include "api/csv.h"
#include "api/front_ask.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/params.h"

/* Milliseconds between two looks at polls that wait. */
#define LOOK_MS 200

/* A list's parameters, CSV, and what it asks. */
struct list {
	const struct cs_param *table;
	const char *const *columns;
	enum cs_query kind;
};

/* Keep what the answer will need. False: no memory. */
static bool keep(struct cs_call *c, struct cs_wait *w, const struct list *list,
		 enum cs_list_form form)
{
	const struct cs_http_head *head = c->request->head;

	w->list.kind = list->kind;
	w->list.form = form;
	w->list.columns = list->columns;
	return cs_arena_dup(&w->arena, head->path, &w->list.path) &&
	       cs_arena_dup(&w->arena, head->query, &w->list.query);
}

/* Take {"after":N,...} apart: N, and all from the comma on. */
static bool keep_poll(struct cs_front *f, struct cs_wait *w,
		      struct cs_span params, uint32_t wait_s)
{
	const struct cs_span head = CS_SPAN_LIT("{\"after\":");
	size_t at = head.n;

	for (; at < params.n && params.p[at] >= '0' && params.p[at] <= '9';
	     at++)
		w->list.after = w->list.after * 10 + (params.p[at] - '0');
	w->list.polls = true;
	w->list.until_ms =
		cs_clock_boot_ms(&f->config.clock) + (int64_t)wait_s * 1000;
	w->list.asked_size = f->state.tree_size;
	return cs_arena_dup(&w->arena, cs_span_sub(params, at, SIZE_MAX),
			    &w->list.rest);
}

/* A list: the query's parameters by its table. */
static bool ask_list(struct cs_front *f, struct cs_call *c,
		     const struct list *list, unsigned rights, uint32_t wait_s)
{
	struct cs_buf *out = cs_front_out(f);
	enum cs_list_form form = cs_accept_list(c->request->head->accept);
	const struct cs_front_view view =
		cs_front_view(f, c->who.client, rights);
	struct cs_wait *w;

	if (form == CS_LIST_NONE)
		return cs_problem_set(c->p, CS_PROBLEM_NOT_ACCEPTABLE, "Accept",
				      "Accept: a list is given as"
				      " application/json, application/x-ndjson"
				      " or text/csv.");
	if (!cs_params_write(list->table, c->request->head->query, &f->arena,
			     out, c->p))
		return false;
	if (wait_s > 0 && cs_waits_polls(f->waits) >= CS_MAX_POLLS)
		return cs_problem_set(c->p, CS_PROBLEM_BUSY, "",
				      "%d polls wait already.", CS_MAX_POLLS);
	if (!cs_front_wait(f, c, CS_WAIT_LIST, &w))
		return false;
	if (!keep(c, w, list, form) ||
	    (wait_s > 0 && !keep_poll(f, w, cs_buf_span(out), wait_s)))
		cs_problem_set(c->p, CS_PROBLEM_BUSY, "", "Out of memory.");
	else if (cs_front_ask(f, c, w, list->kind, &view, cs_buf_span(out)))
		return true;
	cs_waits_end(f->waits, w);
	return false;
}

bool cs_front_list_requests(struct cs_front *f, struct cs_call *c)
{
	static const struct list list = {cs_params_requests, cs_csv_requests,
					 CS_QUERY_REQUESTS};

	return ask_list(f, c, &list, CS_RIGHT_AUDIT | CS_RIGHT_APPROVE, 0);
}

bool cs_front_list_certificates(struct cs_front *f, struct cs_call *c)
{
	static const struct list list = {cs_params_certificates,
					 cs_csv_certificates,
					 CS_QUERY_CERTIFICATES};

	return ask_list(f, c, &list, CS_RIGHT_AUDIT, 0);
}

bool cs_front_list_history(struct cs_front *f, struct cs_call *c)
{
	static const struct list list = {cs_params_history, cs_csv_history,
					 CS_QUERY_HISTORY};

	return ask_list(f, c, &list, CS_RIGHT_AUDIT, 0);
}

bool cs_front_list_crls(struct cs_front *f, struct cs_call *c)
{
	static const struct list list = {cs_params_crls, cs_csv_crls,
					 CS_QUERY_CRLS};

	return ask_list(f, c, &list, 0, 0);
}

bool cs_front_list_audit(struct cs_front *f, struct cs_call *c)
{
	static const struct list list = {cs_params_audit, cs_csv_audit,
					 CS_QUERY_AUDIT};
	uint32_t wait_s;

	return cs_params_wait(c->request->head->query, &f->arena, &wait_s,
			      c->p) &&
	       ask_list(f, c, &list, CS_RIGHT_AUDIT, wait_s);
}

/* -- what the reader says ------------------------------------------------ */

/* The page in the form that was asked for. */
static void reply(struct cs_front *f, const struct cs_wait *w,
		  struct cs_span page)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf link;
	struct cs_buf *out = cs_front_out(f);
	struct cs_span next = cs_list_form_next(page);
	struct cs_reply r = {.status = 200,
			     .media_type = cs_list_form_type(w->list.form)};
	struct cs_error err;

	cs_buf_init(&link, CS_MAX_HTTP_ANSWER_HEAD / 2 + CS_MAX_HTTP_PATH);
	if (next.n > 0) {
		cs_list_form_link(w->list.path, w->list.query, next, &link);
		r.link = cs_buf_ok(&link) ? cs_buf_span(&link)
					  : cs_span_make(NULL, 0);
	}
	if (!cs_list_form_write(w->list.form, page, w->list.columns, out, &err))
		cs_front_reply_error(f, w->http, &err);
	else
		cs_front_reply(f, w->http, &r, cs_buf_span(out));
}

bool cs_front_list_page(struct cs_front *f, struct cs_wait *w,
			struct cs_span page)
{
	struct cs_wait_list *l = &w->list;

	if (w->http == 0)
		return false; /* the client has left */
	if (!l->polls || f->life >= CS_FRONT_STOPPING ||
	    !cs_list_form_is_over(page) ||
	    cs_clock_boot_ms(&f->config.clock) >= l->until_ms) {
		reply(f, w, page);
		return false;
	}
	/* What was there when it was asked is no match: look behind that. */
	if (l->asked_size > l->after + 1)
		l->after = l->asked_size - 1;
	l->parked = true;
	cs_timer_start(f->tails, LOOK_MS);
	return true;
}

/* -- polls that wait ------------------------------------------------------ */

/* End a poll with nothing. */
static void end_empty(struct cs_front *f, struct cs_wait *w)
{
	reply(f, w, CS_SPAN_LIT("{\"items\":[],\"next\":null}"));
	cs_waits_end(f->waits, w);
}

/* Is whoever asked still there, with the right to know? */
static bool may_still(const struct cs_front *f, const struct cs_wait *w,
		      struct cs_principal *ret_who)
{
	return cs_front_find_asker(f, &w->asker, ret_who) &&
	       (ret_who->client->rights & CS_RIGHT_AUDIT) != 0;
}

/* Ask again, for what came since, and for what is seen of that now. */
static void ask_again(struct cs_front *f, struct cs_wait *w,
		      const struct cs_client *client)
{
	const struct cs_front_view view =
		cs_front_view(f, client, CS_RIGHT_AUDIT);
	struct cs_buf *out = cs_front_out(f);
	struct cs_msg_query m = {.kind = w->list.kind,
				 .client = view.client,
				 .issuers = view.issuers};
	struct cs_error err;

	cs_buf_addf(out, "{\"after\":%" PRIu64, w->list.after);
	cs_buf_add(out, w->list.rest);
	m.params = cs_buf_span(out);
	w->list.parked = false;
	w->list.asked_size = f->state.tree_size;
	if (cs_buf_finish(out, "the question", &err) &&
	    cs_link_send_query(f->reader, w->ticket, &m, &err))
		return;
	cs_front_reply_error(f, w->http, &err);
	cs_waits_end(f->waits, w);
}

void cs_front_tails_look(void *front)
{
	struct cs_front *f = front;
	int64_t now = cs_clock_boot_ms(&f->config.clock);
	bool any = false;

	for (size_t i = 0; i < cs_waits_capacity(f->waits); i++) {
		struct cs_wait *w = cs_waits_at(f->waits, i);
		struct cs_principal who;
		struct cs_problem p;

		if (w == NULL || w->kind != CS_WAIT_LIST || !w->list.parked)
			continue;
		if (!may_still(f, w, &who)) {
			cs_problem_set(&p, CS_PROBLEM_UNAUTHENTICATED, "",
				       "The credential is not good any more.");
			cs_front_reply_problem(f, w->http, &p);
			cs_waits_end(f->waits, w);
		} else if (now >= w->list.until_ms) {
			end_empty(f, w);
		} else if (f->state.tree_size > w->list.asked_size) {
			ask_again(f, w, who.client);
		} else {
			any = true;
		}
	}
	if (any && f->life < CS_FRONT_STOPPING)
		cs_timer_start(f->tails, LOOK_MS);
}

void cs_front_tails_end(struct cs_front *f)
{
	cs_timer_stop(f->tails);
	for (size_t i = 0; i < cs_waits_capacity(f->waits); i++) {
		struct cs_wait *w = cs_waits_at(f->waits, i);

		if (w != NULL && w->kind == CS_WAIT_LIST && w->list.parked)
			end_empty(f, w);
	}
}
