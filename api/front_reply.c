#include "api/front_reply.h"

#include <stdio.h>
#include <string.h>

#include "api/front_room.h"
#include "api/http_write.h"

struct cs_buf *cs_front_out(struct cs_front *f)
{
	cs_buf_reset(&f->out);
	return &f->out;
}

void cs_front_send(struct cs_front *f, uint64_t ticket,
		   const struct cs_http_answer *answer)
{
	unsigned status = (unsigned)answer->status;

	if (ticket == 0 || f->server == NULL)
		return;
	if (status < CS_FRONT_STATUSES)
		f->metrics.responses[status]++;
	cs_http_reply(f->server, ticket, answer);
}

/* What an answer's cache fields are made of. */
struct cache {
	char control[80], modified[CS_HTTP_DATE], expires[CS_HTTP_DATE];
	char etag[2 * CS_SHA256_SIZE + 3];
};

/*= RFC 5019 6.2: for GET, by what the answer says of itself */
static void put_cache(struct cs_front *f, const struct cs_reply *r,
		      struct cs_span body, struct cache *cache,
		      struct cs_http_answer *answer,
		      struct cs_http_header *headers)
{
	int64_t now_s = cs_clock_wall_ms(&f->config.clock) / 1000;
	uint8_t digest[CS_SHA256_SIZE];

	if (r->expires_s <= now_s ||
	    !cs_hash_sha256(f->hash, body, digest, NULL))
		return;
	(void)snprintf(cache->control, sizeof(cache->control),
		       "max-age=%lld, public, no-transform, must-revalidate",
		       (long long)(r->expires_s - now_s));
	cs_http_write_date(r->modified_s, cache->modified);
	cs_http_write_date(r->expires_s, cache->expires);
	cache->etag[0] = '"';
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(cache->etag + 1 + 2 * i, 3, "%02x", digest[i]);
	memcpy(cache->etag + sizeof(cache->etag) - 2, "\"", 2);
	answer->cache_control = cache->control;
	headers[answer->headers_n++] = (struct cs_http_header){
		"Last-Modified", cs_span_str(cache->modified)};
	headers[answer->headers_n++] =
		(struct cs_http_header){"Expires", cs_span_str(cache->expires)};
	headers[answer->headers_n++] =
		(struct cs_http_header){"ETag", cs_span_str(cache->etag)};
}

void cs_front_reply(struct cs_front *f, uint64_t ticket,
		    const struct cs_reply *r, struct cs_span body)
{
	struct cs_http_header headers[8];
	struct cache cache;
	struct cs_http_answer answer = {
		.status = (int)r->status,
		.content_type = r->media_type,
		.body = body,
		.headers = headers,
	};
	char retry[16];

	if (ticket == 0)
		return;
	if (r->retry_s > 0) {
		(void)snprintf(retry, sizeof(retry), "%u",
			       (unsigned)r->retry_s);
		headers[answer.headers_n++] = (struct cs_http_header){
			"Retry-After", cs_span_str(retry)};
	}
	if (r->replay != 0)
		headers[answer.headers_n++] = (struct cs_http_header){
			"Idempotent-Replay", CS_SPAN_LIT("true")};
	if (r->link.n > 0)
		headers[answer.headers_n++] =
			(struct cs_http_header){"Link", r->link};
	if (r->allow != NULL)
		headers[answer.headers_n++] =
			(struct cs_http_header){"Allow", cs_span_str(r->allow)};
	if (r->expires_s > 0)
		put_cache(f, r, body, &cache, &answer, headers);
	if (r->status == 401)
		headers[answer.headers_n++] = (struct cs_http_header){
			"WWW-Authenticate",
			CS_SPAN_LIT("Bearer realm=\"countersign\"")};
	cs_front_send(f, ticket, &answer);
}

void cs_front_reply_json(struct cs_front *f, uint64_t ticket, unsigned status,
			 struct cs_span body)
{
	const struct cs_reply r = {.status = status,
				   .media_type = "application/json"};

	cs_front_reply(f, ticket, &r, body);
}

/* The same with the Allow header of a 405. */
static void reply_problem(struct cs_front *f, uint64_t ticket,
			  const struct cs_problem *p, const char *allow)
{
	struct cs_buf *out = cs_front_out(f);
	const struct cs_reply r = {
		.status = cs_problem_status(p->code),
		.media_type = CS_PROBLEM_MEDIA_TYPE,
		.retry_s = p->retry_s,
		.allow = allow,
	};
	struct cs_error err;

	if (!cs_problem_write(p, out, &err))
		cs_log_error(f->config.log, "front.problem", &err);
	cs_front_reply(f, ticket, &r, cs_buf_span(out));
}

void cs_front_reply_problem(struct cs_front *f, uint64_t ticket,
			    const struct cs_problem *p)
{
	reply_problem(f, ticket, p, NULL);
}

void cs_front_reply_405(struct cs_front *f, uint64_t ticket,
			const struct cs_problem *p, const char *allow)
{
	reply_problem(f, ticket, p, allow);
}

void cs_front_reply_error(struct cs_front *f, uint64_t ticket,
			  const struct cs_error *err)
{
	struct cs_problem p;

	cs_log_error(f->config.log, "front.error", err);
	cs_problem_set(&p, cs_problem_of_error(err->code), "",
		       "It could not be done; the server's log says why.");
	cs_front_reply_problem(f, ticket, &p);
}

void cs_front_reply_foreign(struct cs_front *f, uint64_t ticket,
			    struct cs_span code, struct cs_span detail)
{
	enum cs_problem_code known = cs_problem_from_name(code);
	struct cs_buf *out = cs_front_out(f);
	struct cs_reply r = {.media_type = CS_PROBLEM_MEDIA_TYPE};
	const char *title;
	struct cs_error err;

	/* What no code of ours names is a state that does not allow it. */
	if (known == CS_PROBLEM_NONE)
		known = CS_PROBLEM_CONFLICT;
	r.status = cs_problem_status(known);
	title = cs_problem_title(known);
	if (r.status == 503)
		r.retry_s = 1;
	if (!cs_problem_write_foreign(code, detail, r.status, title, out, &err))
		cs_log_error(f->config.log, "front.problem", &err);
	cs_front_reply(f, ticket, &r, cs_buf_span(out));
}

enum cs_answer_view cs_front_view_of(const struct cs_front *f, uint64_t reader)
{
	const struct cs_client *c = cs_clients_by_id(f->clients, reader);

	return c != NULL && (c->rights & CS_RIGHT_AUDIT) != 0 ? CS_VIEW_AUDIT
							      : CS_VIEW_OWN;
}

void cs_front_reply_answer(struct cs_front *f, uint64_t ticket,
			   const struct cs_msg_answer *m,
			   enum cs_flight_owner owner, uint64_t reader)
{
	struct cs_answer_http http;
	struct cs_reply r;
	struct cs_error err;

	if (ticket == 0)
		return;
	if (!cs_answer_render(m, cs_front_view_of(f, reader), cs_front_out(f),
			      &http, &err)) {
		cs_front_reply_error(f, ticket, &err);
		return;
	}
	r = (struct cs_reply){
		.status = http.status,
		.media_type = http.media_type,
		.retry_s = http.retry_s,
		.replay = http.replay ? 1 : 0,
	};
	if (owner != CS_FLIGHT_CLIENT) {
		r.status = http.read_status;
		r.replay = 0;
		if (r.status == 200)
			r.media_type = "application/json";
	}
	cs_front_reply(f, ticket, &r, cs_buf_span(&f->out));
}
