#include "api/front_checks.h"

#include <string.h>

#include "api/front_house_tell.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "base/ipc.h"
#include "base/json.h"

/* Workers that may die over one set before it is given up. */
#define MAX_TRIES 2

void cs_front_check_refused(struct cs_front *f, const struct cs_wait *w,
			    enum cs_problem_code code, struct cs_span detail)
{
	struct cs_problem p;

	cs_problem_set(&p, code, "", "%.*s", CS_SPAN_FMT(detail));
	if (w->http == 0)
		cs_log_write(f->config.log, CS_LOG_WARNING, "policy.rejected",
			     "%s", p.detail);
	cs_front_reply_problem(f, w->http, &p);
	/* At init there is no other set by which it could be issued. */
	if (f->house.wanted && f->state.state == CS_LEDGER_NO_POLICY)
		cs_front_house_failed(f, detail);
}

/* A worker that is up; NULL: none. */
static struct cs_front_worker *any_worker(struct cs_front *f)
{
	for (size_t i = 0; i < CS_MAX_WORKERS; i++) {
		if (f->workers[i].link != NULL)
			return &f->workers[i];
	}
	return NULL;
}

/* One that waits, to a worker. */
static bool send(struct cs_front_worker *worker, const struct cs_wait *w,
		 struct cs_error *err)
{
	const struct cs_msg_check check = {
		.apply = w->apply,
		.files = cs_buf_span(&w->sources),
		.credential = w->asker.credential,
		.uid = w->asker.uid,
		.shown = cs_serial_key_whole(&w->asker.serial_key),
	};
	const struct cs_msg_evaluate evaluate = {
		.request = cs_buf_span(&w->request),
		.files = cs_buf_span(&w->sources),
	};

	return w->kind == CS_WAIT_CHECK
		       ? cs_link_send_check(worker->link, w->ticket, &check,
					    err)
		       : cs_link_send_evaluate(worker->link, w->ticket,
					       &evaluate, err);
}

/* Is it for a worker? */
static bool is_for_worker(const struct cs_wait *w)
{
	return w != NULL &&
	       (w->kind == CS_WAIT_CHECK || w->kind == CS_WAIT_EVALUATE);
}

void cs_front_pump_checks(struct cs_front *f)
{
	struct cs_front_worker *worker = any_worker(f);

	for (size_t i = 0; worker != NULL && i < cs_waits_capacity(f->waits);
	     i++) {
		struct cs_wait *w = cs_waits_at(f->waits, i);
		struct cs_error err;

		if (!is_for_worker(w) || w->sent)
			continue;
		w->sent = true;
		w->worker = worker->number;
		w->tries++;
		if (send(worker, w, &err))
			continue;
		cs_log_error(f->config.log, "front.check", &err);
		cs_front_check_refused(f, w, CS_PROBLEM_BUSY,
				       cs_span_str(err.text));
		cs_waits_end(f->waits, w);
	}
}

void cs_front_checks_worker_gone(struct cs_front *f, unsigned worker)
{
	for (size_t i = 0; i < cs_waits_capacity(f->waits); i++) {
		struct cs_wait *w = cs_waits_at(f->waits, i);

		if (!is_for_worker(w) || !w->sent || w->worker != worker)
			continue;
		w->sent = false;
		if (w->tries < MAX_TRIES)
			continue;
		cs_front_check_refused(
			f, w, CS_PROBLEM_POLICY_INVALID,
			w->kind == CS_WAIT_CHECK
				? CS_SPAN_LIT("Two workers died loading"
					      " it.")
				: CS_SPAN_LIT("Two workers died over"
					      " it."));
		cs_waits_end(f->waits, w);
	}
}

/* The first error, as the worker put it; none: the sentence. */
static struct cs_span first_text(const json_t *problems, struct cs_span other)
{
	const json_t *p;
	size_t i;

	json_array_foreach(problems, i, p)
	{
		const json_t *severity = json_object_get(p, "severity");
		const json_t *text = json_object_get(p, "text");

		if (json_is_string(text) && json_is_string(severity) &&
		    strcmp(json_string_value(severity), "error") == 0)
			return cs_span_make(json_string_value(text),
					    json_string_length(text));
	}
	return other;
}

/* What is wrong with a set: the worker's list, in a problem. */
static bool write_report(struct cs_span detail, const json_t *problems,
			 struct cs_buf *out, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf list = {0};
	struct cs_span code = CS_SPAN_LIT("POLICY_INVALID");
	struct cs_json j;

	cs_buf_init(&list, CS_MAX_MESSAGE);
	if (problems != NULL && !cs_json_canonical(problems, &list, err))
		return false;
	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_member_span(&j, "code", code);
	cs_json_name(&j, "detail");
	cs_json_text(&j, first_text(problems, detail));
	if (problems != NULL) {
		cs_json_name(&j, "problems");
		cs_json_raw(&j, cs_buf_span(&list));
	}
	cs_json_member_int(&j, "status",
			   cs_problem_status(CS_PROBLEM_POLICY_INVALID));
	cs_json_member_str(&j, "title",
			   cs_problem_title(CS_PROBLEM_POLICY_INVALID));
	cs_json_name(&j, "type");
	cs_problem_type(&j, code);
	cs_json_end(&j);
	return cs_json_finish(&j, "the report", err);
}

void cs_front_reply_report(struct cs_front *f, const struct cs_wait *w,
			   struct cs_span detail, struct cs_span report)
{
	const struct cs_reply r = {
		.status = cs_problem_status(CS_PROBLEM_POLICY_INVALID),
		.media_type = CS_PROBLEM_MEDIA_TYPE,
	};
	struct cs_buf *out = cs_front_out(f);
	struct cs_error err;
	json_t *root = cs_json_parse(report, "the report", &err);

	if (root != NULL &&
	    write_report(detail, json_object_get(root, "problems"), out, &err))
		cs_front_reply(f, w->http, &r, cs_buf_span(out));
	else
		cs_front_reply_error(f, w->http, &err);
	json_decref(root);
}
