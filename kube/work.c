/*
 * One request, a step behind the other: read it anew, decide, ask its
 * namespace's labels, submit, write back. A step that fails leaves everything
 * to the next time; nothing is remembered but when that is.
 */
#include <string.h>

#include "base/codec.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "kube/adapter_parts.h"
#include "kube/object.h"
#include "kube/write.h"

/* A submission's answer: signing and two commits, behind a queue. */
#define SUBMIT_MS 30000
/* A missing right is not there a moment later. */
#define FORBIDDEN_S 300
/* Held by policy, where it says nothing of when. */
#define HELD_S 30

static int64_t now_ms(const struct cs_work *w)
{
	return cs_clock_boot_ms(&w->a->c.clock);
}

/* A line about a request, which may be another by now. */
static void tell_uid(const struct cs_adapter *a, const struct cs_kube_item *i,
		     const char *uid, enum cs_log_level level,
		     const char *event, const char *message)
{
	const struct cs_log_field fields[] = {
		{"issuer", cs_span_str(i->issuer), 0},
		{"namespace", cs_span_str(i->namespace), 0},
		{"request", cs_span_str(i->name), 0},
		{"uid", cs_span_str(uid), 0},
	};

	cs_log_fields(a->c.log, level, event, fields, 4, "%s", message);
}

static void tell(const struct cs_work *w, enum cs_log_level level,
		 const char *event, const char *message)
{
	tell_uid(w->a, w->item, w->object != NULL ? w->r.uid : w->item->uid,
		 level, event, message);
}

/* The certificate is recorded there, and nobody is left to take it. */
static void lost(struct cs_adapter *a, const struct cs_kube_item *item,
		 const char *uid, const char *serial)
{
	a->stats.undelivered++;
	tell_uid(a, item, uid, CS_LOG_WARNING, "kube.undelivered", serial);
}

void cs_work_lost(void *ctx, const struct cs_kube_item *item)
{
	if (item->serial[0] != '\0')
		lost(ctx, item, item->uid, item->serial);
}

/* Release what was gathered in this go. */
static void clear(struct cs_work *w)
{
	json_decref(w->object);
	json_decref(w->labels);
	cs_kube_verdict_done(&w->v);
	cs_buf_done(&w->note);
	*w = (struct cs_work){.a = w->a};
}

/* The end of this go. */
static void finish(struct cs_work *w, enum cs_queue_next next, uint32_t least_s)
{
	struct cs_kube_item *item = w->item;
	int64_t due = now_ms(w);

	if (next == CS_QUEUE_DROP || item->gone) {
		cs_work_lost(w->a, item);
		item->serial[0] = '\0';
	}
	if (next == CS_QUEUE_AT)
		due += cs_wait_next(&item->wait, least_s);
	clear(w);
	cs_queue_done(w->a->queue, item, next, due);
	/* Its place is free. */
	cs_timer_start(w->a->pump, 0);
}

void cs_work_cancel(struct cs_work *w)
{
	if (w->item == NULL)
		return;
	cs_kube_api_cancel(w->call);
	cs_fetch_cancel(w->transfer);
	clear(w);
}

/* The same about a call that did not do. */
static void tell_result(const struct cs_work *w, const char *event,
			const char *doing, const struct cs_fetch_result *r)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text = {0};

	cs_buf_init(&text, CS_MAX_KUBE_MESSAGE);
	cs_buf_addf(&text, "%s: ", doing);
	cs_kube_api_tell(r, &text);
	tell(w, CS_LOG_WARNING, event, cs_buf_str(&text));
}

/* Start a call of the API server; without it, this go is over. */
static void call(struct cs_work *w, struct cs_buf *path,
		 struct cs_kube_ask *ask)
{
	struct cs_error err = {0};

	ask->path = cs_buf_str(path);
	ask->ctx = w;
	if (cs_buf_finish(path, "a path", &err))
		w->call = cs_kube_api_start(w->a->api, ask, &err);
	if (w->call != NULL)
		return;
	cs_log_error(w->a->c.log, "kube.request", &err);
	finish(w, CS_QUEUE_AT, 0);
}

/* -- writing back -------------------------------------------------------------
 */

/* An event that is lost is lost. */
static void on_event_sent(void *ctx, const struct cs_fetch_result *r)
{
	struct cs_adapter *a = ctx;

	if (r->status != 201 && r->status != 200)
		a->stats.events_failed++;
}

/* What was written is also told as an event. */
static void send_event(struct cs_work *w)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf path = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf body = {0};
	struct cs_adapter *a = w->a;
	const struct cs_kube_event event = {
		.api = cs_kube_request_api(w->r.kind),
		.kind = cs_kube_request_kind(w->r.kind),
		.namespace = w->r.namespace,
		.name = w->r.name,
		.uid = w->r.uid,
		.version = w->r.version,
		.type = strcmp(w->reason, "Issued") == 0 ? "Normal" : "Warning",
		.reason = w->reason,
		.note = cs_buf_span(&w->note),
		.reporter = a->identity,
		.number = ++a->events,
		.now_ms = cs_clock_wall_ms(&a->c.clock),
	};
	struct cs_kube_ask ask = {
		.method = "POST",
		.content_type = "application/json",
		.on_done = on_event_sent,
		.ctx = a,
	};

	cs_buf_init(&path, CS_MAX_URI);
	cs_buf_init(&body, CS_MAX_HTTP_BODY);
	cs_kube_event_path(&event, &path);
	if (!cs_kube_write_event(&event, &body, NULL) || !cs_buf_ok(&path))
		return;
	ask.path = cs_buf_str(&path);
	ask.body = cs_buf_span(&body);
	/* Nobody waits for it: it ends by itself, or with the client. */
	if (cs_kube_api_start(a->api, &ask, NULL) == NULL)
		a->stats.events_failed++;
}

/* What the writing came to. */
static void on_written(void *ctx, const struct cs_fetch_result *r)
{
	struct cs_work *w = ctx;

	w->call = NULL;
	(void)cs_failpoint("kube.after_write");
	if (r->status == 200) {
		w->a->stats.written++;
		/* A late denial, say, leaves it to nobody. */
		if (strcmp(w->reason, "Issued") == 0)
			w->item->serial[0] = '\0';
		send_event(w);
		finish(w, w->next, w->retry_s);
		return;
	}
	if (r->status == 404) {
		finish(w, CS_QUEUE_DROP, 0);
		return;
	}
	if (r->status == 409) {
		/* Somebody was faster: what stands there now decides. */
		w->a->stats.conflicts++;
		tell_result(w, "kube.conflict", "status", r);
		finish(w, CS_QUEUE_AT, 0);
		return;
	}
	if (r->status == 403)
		w->a->stats.forbidden++;
	tell_result(w, r->status == 403 ? "kube.forbidden" : "kube.status",
		    "the status cannot be written", r);
	/* 422 too: another uid, or what the webhook does not take. */
	finish(w, CS_QUEUE_AT, r->status == 403 ? FORBIDDEN_S : r->retry_s);
}

/* A number for what is said; never 0. */
static uint32_t number_of(struct cs_span s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * 16777619u;
	return h != 0 ? h : 1;
}

/* A CSR has no way to say that it waits, but by an event for each new reason.
 */
static void tell_waiting(struct cs_work *w)
{
	uint32_t told = number_of(cs_buf_span(&w->note));

	if (w->item->told != told)
		send_event(w);
	w->item->told = told;
	finish(w, w->next, w->retry_s);
}

/* Write our condition, unless it stands there already. */
static void write_back(struct cs_work *w, const char *reason,
		       struct cs_span message)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf path = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf body = {0};
	struct cs_error err = {0};
	bool issued = strcmp(reason, "Issued") == 0;
	const struct cs_kube_ready ready = {
		.reason = reason,
		.message = message,
		.certificate = issued ? cs_buf_span(&w->v.certificate)
				      : cs_span_make(NULL, 0),
		.ca = issued && !w->a->c.without_ca ? cs_buf_span(&w->v.ca)
						    : cs_span_make(NULL, 0),
		.now_ms = cs_clock_wall_ms(&w->a->c.clock),
	};
	struct cs_kube_ask ask = {
		.method = "PATCH",
		.content_type = CS_KUBE_APPLY,
		.on_done = on_written,
	};

	w->reason = reason;
	cs_buf_init(&w->note, CS_MAX_KUBE_MESSAGE);
	cs_buf_add(&w->note, cs_codec_utf8_cut(message, CS_MAX_KUBE_MESSAGE));
	if (w->r.kind == CS_KUBE_CSR && strcmp(reason, "Pending") == 0) {
		tell_waiting(w);
		return;
	}
	if (cs_kube_ready_stands(&w->r, &ready)) {
		finish(w, w->next, w->retry_s);
		return;
	}
	(void)cs_failpoint("kube.before_write");
	cs_buf_init(&path, 2 * CS_MAX_URI);
	cs_buf_init(&body, CS_MAX_HTTP_ANSWER);
	cs_kube_request_path(w->r.kind, w->r.namespace, w->r.name,
			     CS_KUBE_BEHIND, &path);
	if (!cs_kube_write_request(&w->r, &ready, &body, &err)) {
		cs_log_error(w->a->c.log, "kube.status", &err);
		finish(w, CS_QUEUE_AT, 0);
		return;
	}
	ask.body = cs_buf_span(&body);
	call(w, &path, &ask);
}

/* It waits, and says why; then this go is over. */
static void wait_for(struct cs_work *w, enum cs_queue_next next,
		     uint32_t least_s, struct cs_span why)
{
	w->next = next;
	w->retry_s = least_s;
	write_back(w, "Pending", why);
}

/* It is over. */
static void end(struct cs_work *w, const char *reason, struct cs_span why)
{
	w->next = CS_QUEUE_DROP;
	write_back(w, reason, why);
}

/* -- Countersign's answer ------------------------------------------------- */

/* Is the time up, counted from the approval? */
static bool is_too_long(const struct cs_work *w)
{
	int64_t since =
		w->r.approved_ms > 0 ? w->r.approved_ms : w->r.created_ms;

	return w->a->c.give_up_s > 0 && since > 0 &&
	       cs_clock_wall_ms(&w->a->c.clock) - since >
		       w->a->c.give_up_s * 1000;
}

/* It is issued, and to be delivered. False: to nobody, its request is gone. */
static bool keep_serial(struct cs_work *w)
{
	struct cs_kube_item *item = w->item;

	if (strcmp(item->uid, w->r.uid) != 0) {
		lost(w->a, item, w->r.uid, w->v.serial);
		return false;
	}
	(void)snprintf(item->serial, sizeof(item->serial), "%s", w->v.serial);
	return true;
}

static bool is_decided(enum cs_kube_outcome outcome)
{
	return outcome == CS_KUBE_ISSUED || outcome == CS_KUBE_FAILED;
}

/*
 * It is not to be signed, and Countersign has it in its record: as denied, or
 * as what it was before.
 */
static void refuse(struct cs_work *w)
{
	tell(w, CS_LOG_WARNING, "kube.refused", w->r.why);
	end(w, "Failed", cs_span_str(w->r.why));
}

/* The operator's patience is at its end: say why, not that we go on. */
static void give_up(struct cs_work *w)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text = {0};

	cs_buf_init(&text, 2 * CS_MAX_KUBE_MESSAGE);
	cs_buf_addf(&text, "Given up, nothing was decided: %s",
		    cs_buf_str(&w->v.message) + w->v.opening_n);
	end(w, "Failed", cs_buf_span(&text));
}

static void on_answer(void *ctx, const struct cs_fetch_result *r)
{
	struct cs_work *w = ctx;
	struct cs_span message;

	w->transfer = NULL;
	(void)cs_failpoint("kube.after_answer");
	cs_kube_verdict_read(r, &w->v);
	message = cs_buf_span(&w->v.message);
	w->a->stats.outcome[w->v.outcome]++;
	tell(w, w->v.outcome == CS_KUBE_ISSUED ? CS_LOG_INFO : CS_LOG_WARNING,
	     "kube.answer", cs_buf_str(&w->v.message));
	if (w->v.outcome == CS_KUBE_ISSUED && !keep_serial(w)) {
		finish(w, CS_QUEUE_AT, 0);
		return;
	}
	if (w->r.todo == CS_KUBE_REFUSE && is_decided(w->v.outcome)) {
		refuse(w);
		return;
	}
	switch (w->v.outcome) {
	case CS_KUBE_ISSUED:
		end(w, "Issued", message);
		return;
	case CS_KUBE_FAILED:
		end(w, "Failed", message);
		return;
	case CS_KUBE_HELD:
		/* Not an error, and not measured as one. */
		cs_wait_reset(&w->item->wait);
		wait_for(w, CS_QUEUE_AT,
			 w->v.retry_s > 0 ? w->v.retry_s : HELD_S, message);
		return;
	default:
		cs_issuers_doubt(w->a->issuers, w->item->issuer);
		if (is_too_long(w))
			give_up(w);
		else
			wait_for(w, CS_QUEUE_AT, w->v.retry_s, message);
	}
}

static void submit(struct cs_work *w)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf url = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf body = {0};
	struct cs_issuer_view v =
		cs_issuers_find(w->a->issuers, w->item->issuer);
	struct cs_error err = {0};
	struct cs_fetch_ask ask = {
		.method = "POST",
		.peer = &v.peer,
		.content_type = "application/json",
		.timeout_ms = SUBMIT_MS,
		.max_body = CS_MAX_HTTP_ANSWER,
		.on_done = on_answer,
		.ctx = w,
	};

	if (v.state != CS_ISSUER_READY) {
		/* It changed while the labels were read. */
		finish(w, CS_QUEUE_AT, 0);
		return;
	}
	cs_buf_init(&url, 2 * CS_MAX_URI);
	cs_buf_init(&body, CS_MAX_HTTP_BODY);
	cs_buf_addf(&url, "%s/v1/requests", v.url);
	if (!cs_kube_request_body(&w->r, v.issuer, w->labels, &body, &err)) {
		if (err.code == CS_E_NO_MEMORY)
			finish(w, CS_QUEUE_AT, 0);
		else if (w->r.todo == CS_KUBE_REFUSE)
			refuse(w);
		else
			end(w, "Failed", cs_span_str(err.text));
		return;
	}
	ask.url = cs_buf_str(&url);
	ask.body = cs_buf_span(&body);
	(void)cs_failpoint("kube.before_submit");
	w->transfer = cs_fetch_start(w->a->fetch, &ask, &err);
	if (w->transfer != NULL)
		return;
	cs_log_error(w->a->c.log, "kube.request", &err);
	finish(w, CS_QUEUE_AT, 0);
}

/* -- deciding ------------------------------------------------------------- */

static void on_namespace(void *ctx, const struct cs_fetch_result *r)
{
	struct cs_work *w = ctx;
	json_t *object;
	json_t *labels;

	w->call = NULL;
	if (r->status != 200 && r->status != 403 && r->status != 404) {
		/* A policy may ask for them: better later than without. */
		tell_result(w, "kube.request", "the namespace", r);
		finish(w, CS_QUEUE_AT, r->retry_s);
		return;
	}
	object = cs_kube_json(r->body);
	labels = json_object_get(json_object_get(object, "metadata"), "labels");
	if (r->status == 200 && json_is_object(labels))
		w->labels = json_incref(labels);
	json_decref(object);
	submit(w);
}

static void ask_namespace(struct cs_work *w)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf path = {0};
	struct cs_kube_ask ask = {
		.method = "GET",
		.on_done = on_namespace,
	};

	if (w->r.kind == CS_KUBE_CSR) {
		submit(w);
		return;
	}
	cs_buf_init(&path, CS_MAX_URI);
	cs_buf_addf(&path, "/api/v1/namespaces/%s", w->r.namespace);
	call(w, &path, &ask);
}

/* "The issuer NAME ...: MESSAGE", as a condition has it. */
static void wait_for_issuer(struct cs_work *w, const char *what,
			    const char *detail)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text = {0};

	cs_buf_init(&text, CS_MAX_KUBE_MESSAGE);
	cs_buf_addf(&text, "The %s %s %s%s%s",
		    w->r.cluster_issuer ? "ClusterIssuer" : "Issuer",
		    w->r.issuer, what, detail[0] != '\0' ? ": " : "", detail);
	wait_for(w, CS_QUEUE_PARK, 0, cs_buf_span(&text));
}

static void with_issuer(struct cs_work *w)
{
	struct cs_issuer_view v =
		cs_issuers_find(w->a->issuers, w->item->issuer);

	switch (v.state) {
	case CS_ISSUER_READY:
		ask_namespace(w);
		return;
	case CS_ISSUER_UNKNOWN:
		/* Its check is under way, and wakes us. */
		finish(w, CS_QUEUE_PARK, 0);
		return;
	case CS_ISSUER_ABSENT:
		wait_for_issuer(w, "is not there yet", "");
		return;
	default:
		wait_for_issuer(w, "is not ready", v.message);
	}
}

static void decide(struct cs_work *w)
{
	switch (w->r.todo) {
	case CS_KUBE_DENY:
		w->a->stats.denied++;
		end(w, "Denied",
		    w->r.reason != NULL && w->r.reason[0] != '\0'
			    ? cs_span_str(w->r.reason)
			    : CS_SPAN_LIT("The request was denied"));
		return;
	case CS_KUBE_REFUSE:
	case CS_KUBE_SUBMIT:
		with_issuer(w);
		return;
	default:
		/* It has an end: perhaps ours, and the answer got lost. */
		if (w->r.delivered)
			w->item->serial[0] = '\0';
		finish(w, CS_QUEUE_DROP, 0);
	}
}

static void on_read(void *ctx, const struct cs_fetch_result *r)
{
	struct cs_work *w = ctx;

	w->call = NULL;
	if (r->status == 404) {
		finish(w, CS_QUEUE_DROP, 0);
		return;
	}
	if (r->status == 200)
		w->object = cs_kube_json(r->body);
	cs_kube_request_trim(w->object);
	if (w->object == NULL ||
	    !cs_kube_request_read(w->item->kind, w->object, &w->r)) {
		tell_result(w, "kube.request", "it cannot be read", r);
		finish(w, CS_QUEUE_AT,
		       r->status == 403 ? FORBIDDEN_S : r->retry_s);
		return;
	}
	if (strcmp(w->r.uid, w->item->uid) != 0) {
		/* Another one by now: its own event brings it. */
		finish(w, CS_QUEUE_AT, 0);
		return;
	}
	decide(w);
}

void cs_work_begin(struct cs_work *w, struct cs_kube_item *item)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf path = {0};
	struct cs_kube_ask ask = {
		.method = "GET",
		.on_done = on_read,
	};

	w->item = item;
	cs_buf_init(&path, 2 * CS_MAX_URI);
	cs_kube_request_path(item->kind, item->namespace, item->name, "",
			     &path);
	call(w, &path, &ask);
}
