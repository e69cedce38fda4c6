#include "api/front_crl.h"

#include <stdio.h>
#include <string.h>

#include "api/body.h"
#include "api/crl_cache.h"
#include "api/front_ask.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/http_write.h"
#include "api/params.h"
#include "base/codec.h"
#include "base/json.h"

/* For how long one is given out without asking. */
#define FRESH_MS 1000
/*
 * What others may keep it for: no longer than this, since a revocation makes
 * a new one at any time, and no closer to nextUpdate than that.
 */
#define MAX_AGE_S    3600
#define BEFORE_END_S 3600

/* -- a CRL ---------------------------------------------------------------- */

/* "N" of what stands in a path, at most max; false: it is none. */
static bool read_decimal(struct cs_span text, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (text.n == 0 || text.n > 10 || (text.n > 1 && text.p[0] == '0'))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = n * 10 + (text.p[i] - '0');
	}
	*ret = n;
	return n <= max;
}

/* {"generation","have"?,"issuer","shard"} of the path. */
static bool write_question(struct cs_call *c, const struct cs_crl_cached *have,
			   struct cs_buf *out)
{
	const struct cs_span suffix = CS_SPAN_LIT(".crl");
	struct cs_span name = c->arg, shard = c->arg2;
	uint64_t generation = 1, n = 0;
	struct cs_json j;
	size_t at;

	if (cs_span_find(name, '@', &at)) {
		if (!read_decimal(cs_span_sub(name, at + 1, SIZE_MAX),
				  UINT32_MAX, &generation) ||
		    generation < 2)
			return false;
		name = cs_span_sub(name, 0, at);
	}
	if (name.n == 0 || name.n > CS_MAX_NAME ||
	    !cs_span_ends_with(shard, suffix) ||
	    !read_decimal(cs_span_sub(shard, 0, shard.n - suffix.n),
			  CS_MAX_CRL_SHARDS - 1, &n))
		return false;
	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_member_int(&j, "generation", (int64_t)generation);
	if (have != NULL)
		cs_json_member_hex(&j, "have", cs_span_make(have->sha256, 32));
	cs_json_name(&j, "issuer");
	cs_json_text(&j, name);
	cs_json_member_int(&j, "shard", (int64_t)n);
	cs_json_end(&j);
	return cs_json_finish(&j, "the question", NULL);
}

/* RFC 9110 13.1.2: is one of the field's tags this one, or is it "*"? */
static bool tag_matches(struct cs_span field, struct cs_span tag)
{
	if (cs_span_equal_str(field, "*"))
		return true;
	while (field.n >= tag.n) {
		if (cs_span_starts_with(field, tag))
			return true;
		field = cs_span_sub(field, 1, SIZE_MAX);
	}
	return false;
}

/* RFC 9111 5.2.2: for how long, and by whom it may be kept. */
static void write_cache_control(const struct cs_crl_cached *e, int64_t now_s,
				char *text, size_t size)
{
	int64_t left = e->next_s - now_s - BEFORE_END_S;

	if (left > MAX_AGE_S)
		left = MAX_AGE_S;
	if (left <= 0)
		(void)snprintf(text, size, "no-cache");
	else
		(void)snprintf(text, size, "public, max-age=%lld",
			       (long long)left);
}

/* The CRL, or 304 to who has it. `known` is If-None-Match. */
static void reply_crl(struct cs_front *f, uint64_t ticket,
		      const struct cs_crl_cached *e, struct cs_span known)
{
	char date[CS_HTTP_DATE], cache[48], tag[2 + 64 + 1];
	CS_CLEANUP(cs_buf_done) struct cs_buf hex = {0};
	struct cs_http_header headers[] = {
		{"ETag", {0}},
		{"Last-Modified", {0}},
	};
	struct cs_http_answer answer = {
		.status = 200,
		.content_type = "application/pkix-crl",
		.shared = e->body,
		.headers = headers,
		.headers_n = 2,
	};

	cs_buf_init(&hex, 65);
	cs_codec_hex(cs_span_make(e->sha256, 32), &hex);
	(void)snprintf(tag, sizeof(tag), "\"%.64s\"", cs_buf_str(&hex));
	cs_http_write_date(e->this_s, date);
	write_cache_control(e, cs_clock_wall_ms(&f->config.clock) / 1000, cache,
			    sizeof(cache));
	headers[0].value = cs_span_str(tag);
	headers[1].value = cs_span_str(date);
	answer.cache_control = cache;
	if (known.n > 0 && tag_matches(known, headers[0].value)) {
		answer.status = 304;
		answer.content_type = NULL;
		answer.shared = NULL;
	}
	cs_front_send(f, ticket, &answer);
}

/* The name under which it is kept: what stands behind /crl/. */
static struct cs_span key_of(const struct cs_call *c)
{
	return cs_span_sub(c->request->head->path, strlen("/crl/"), SIZE_MAX);
}

bool cs_front_get_crl(struct cs_front *f, struct cs_call *c)
{
	struct cs_crl_cached *have = cs_crl_cache_find(f->crls, key_of(c));
	struct cs_span known = c->request->head->if_none_match;
	struct cs_buf *out = cs_front_out(f);
	struct cs_wait *w;

	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	if (have != NULL &&
	    cs_clock_boot_ms(&f->config.clock) - have->seen_ms < FRESH_MS) {
		reply_crl(f, c->ticket, have, known);
		return true;
	}
	if (!write_question(c, have, out))
		return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
				      "There is no such CRL.");
	if (!cs_front_wait(f, c, CS_WAIT_CRL, &w))
		return false;
	if (!cs_arena_dup(&w->arena, key_of(c), &w->name) ||
	    !cs_arena_dup(&w->arena, known, &w->path))
		cs_problem_set(c->p, CS_PROBLEM_BUSY, "", "Out of memory.");
	else if (cs_front_ask(f, c, w, CS_QUERY_CRL, &cs_front_everything,
			      cs_buf_span(out)))
		return true;
	cs_waits_end(f->waits, w);
	return false;
}

void cs_front_reply_crl(struct cs_front *f, const struct cs_wait *w,
			struct cs_span page)
{
	int64_t now_ms = cs_clock_boot_ms(&f->config.clock);
	struct cs_error err;
	const struct cs_crl_cached *e =
		cs_crl_cache_take(f->crls, w->name, page, now_ms, &err);

	if (e == NULL)
		cs_front_reply_error(f, w->http, &err);
	else
		reply_crl(f, w->http, e, w->path);
}

/* -- signing now ---------------------------------------------------------- */

/* {"issuer"?}; borrows from the document. */
static bool read_body(const struct cs_body *b, struct cs_msg_crl_publish *m)
{
	static const char *const fields[] = {"issuer", NULL};

	return cs_body_known(b, fields) &&
	       cs_body_get_text(b, "issuer", CS_BODY_LINE, CS_MAX_LABEL,
				&m->issuer);
}

/* CRL_PUBLISH to the ledger; its ADMIN_DONE finds the wait. */
static bool send_publish(struct cs_front *f, struct cs_call *c,
			 const struct cs_msg_crl_publish *m)
{
	struct cs_error err;
	struct cs_wait *w;

	if (!cs_front_wait(f, c, CS_WAIT_CRL_PUBLISH, &w))
		return false;
	if (cs_link_send_crl_publish(f->ledger, w->ticket, m, &err))
		return true;
	cs_waits_end(f->waits, w);
	return cs_problem_set(c->p, cs_problem_of_error(err.code), "", "%s",
			      err.text);
}

bool cs_front_publish_crls(struct cs_front *f, struct cs_call *c)
{
	struct cs_body b = {.path = "", .p = c->p};
	struct cs_msg_crl_publish m = {
		.credential = c->who.credential,
		.uid = c->who.uid,
		.shown = cs_serial_key_whole(&c->who.serial_key),
	};
	bool ok;

	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	if (c->request->body.n == 0)
		return send_publish(f, c, &m);
	b.object = cs_body_parse(c->request->body, c->p);
	if (b.object == NULL)
		return false;
	ok = read_body(&b, &m) && send_publish(f, c, &m);
	json_decref(b.object);
	return ok;
}
