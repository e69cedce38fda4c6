#include "api/front_log.h"

#include "api/front_ask.h"
#include "api/front_refusal.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/params.h"

/* Decimal digits without a leading zero, below 10^15. */
static bool is_number(struct cs_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n > 0 && s.n <= 15 && (s.n == 1 || s.p[0] != '0');
}

/* A question about the index that the path names. */
static bool ask_index(struct cs_front *f, struct cs_call *c, enum cs_query kind)
{
	const struct cs_front_view view =
		cs_front_view(f, c->who.client, CS_RIGHT_AUDIT);
	struct cs_buf *out = cs_front_out(f);

	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	if (!is_number(c->arg))
		return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
				      "There is no such index.");
	cs_buf_addf(out, "{\"index\":%.*s}", CS_SPAN_FMT(c->arg));
	return cs_front_ask_new(f, c, CS_WAIT_PAGE, kind, &view,
				cs_buf_span(out));
}

bool cs_front_get_audit(struct cs_front *f, struct cs_call *c)
{
	return ask_index(f, c, CS_QUERY_AUDIT_ENTRY);
}

bool cs_front_get_proof(struct cs_front *f, struct cs_call *c)
{
	return ask_index(f, c, CS_QUERY_PROOF);
}

bool cs_front_get_checkpoint(struct cs_front *f, struct cs_call *c)
{
	return cs_params_none(c->request->head->query, c->p) &&
	       cs_front_ask_new(f, c, CS_WAIT_CHECKPOINT, CS_QUERY_CHECKPOINT,
				&cs_front_everything, CS_SPAN_LIT("{}"));
}

/* -- tiles ---------------------------------------------------------------- */

/*
 * What a tile is called (C2SP tlog-tiles): its number in groups of three
 * digits, all but the last behind an `x`, and ".p/W" when only W of its
 * hashes are there. "x001/x234/067.p/8".
 */
static bool read_tile(struct cs_span path, uint64_t *ret_n, uint64_t *ret_width)
{
	bool more = true;
	size_t at = 0;

	*ret_n = 0;
	*ret_width = 256;
	for (unsigned groups = 0; more; groups++) {
		more = at < path.n && path.p[at] == 'x';
		at += more;
		if (path.n - at < 3 || groups == 4)
			return false;
		for (size_t end = at + 3; at < end; at++) {
			if (path.p[at] < '0' || path.p[at] > '9')
				return false;
			*ret_n = *ret_n * 10 + (uint64_t)(path.p[at] - '0');
		}
		/* No second name for one tile. */
		if (groups == 0 && more && *ret_n == 0)
			return false;
		if (more && (at == path.n || path.p[at++] != '/'))
			return false;
	}
	path = cs_span_sub(path, at, SIZE_MAX);
	if (path.n == 0)
		return true;
	if (!cs_span_starts_with(path, CS_SPAN_LIT(".p/")))
		return false;
	path = cs_span_sub(path, 3, SIZE_MAX);
	if (!is_number(path) || path.n > 3)
		return false;
	*ret_width = 0;
	for (size_t i = 0; i < path.n; i++)
		*ret_width = *ret_width * 10 + (uint64_t)(path.p[i] - '0');
	return *ret_width >= 1 && *ret_width <= 255;
}

/* Ask for what the path names; `level` is of entries where it is empty. */
static bool ask_tile(struct cs_front *f, struct cs_call *c, enum cs_query kind,
		     struct cs_span level, struct cs_span path)
{
	struct cs_buf *out = cs_front_out(f);
	uint64_t n, width;

	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	if (!read_tile(path, &n, &width) || (level.n > 0 && !is_number(level)))
		return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
				      "There is no such tile.");
	cs_buf_addf(out, "{");
	if (level.n > 0)
		cs_buf_addf(out, "\"level\":%.*s,", CS_SPAN_FMT(level));
	cs_buf_addf(out, "\"n\":%llu,\"width\":%llu}", (unsigned long long)n,
		    (unsigned long long)width);
	return cs_front_ask_new(f, c, CS_WAIT_TILE, kind, &cs_front_everything,
				cs_buf_span(out));
}

bool cs_front_get_tile(struct cs_front *f, struct cs_call *c)
{
	size_t at;

	if (!cs_span_find(c->arg, '/', &at) || at == 0)
		return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
				      "There is no such tile.");
	return ask_tile(f, c, CS_QUERY_TILE, cs_span_sub(c->arg, 0, at),
			cs_span_sub(c->arg, at + 1, SIZE_MAX));
}

bool cs_front_get_entries(struct cs_front *f, struct cs_call *c)
{
	const struct cs_client *client = c->who.client;

	/* 256 entries of whichever issuers: nothing is left out of a tile. */
	if (!client->all_issuers) {
		cs_problem_set(c->p, CS_PROBLEM_FORBIDDEN, "",
			       "The client %.*s audits some issuers only;"
			       " these are entries of all.",
			       CS_SPAN_FMT(client->name));
		cs_front_note_refusal(f, c);
		return false;
	}
	return ask_tile(f, c, CS_QUERY_ENTRIES, cs_span_make(NULL, 0), c->arg);
}

/* -- what the reader says ----------------------------------------------- */

void cs_front_reply_octets(struct cs_front *f, const struct cs_wait *w,
			   struct cs_span body)
{
	const struct cs_reply r = {
		.status = 200,
		.media_type = w->kind == CS_WAIT_TILE
				      ? "application/octet-stream"
				      : "text/plain; charset=utf-8"};

	cs_front_reply(f, w->http, &r, body);
}
