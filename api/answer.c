#include "api/answer.h"

#include <string.h>

#include "api/problem.h"
#include "base/codec.h"
#include "base/json.h"
#include "base/limits.h"

/* Members of one body: ours have a dozen. */
#define MAX_MEMBERS 32

#define IN(outcome) (1u << CS_ANSWER_##outcome)
/* Refused for good; every problem; terminal; recorded. */
#define REFUSALS (IN(REFUSED) | IN(DENIED) | IN(EXPIRED))
#define PROBLEMS (REFUSALS | IN(CONFLICT) | IN(FORBIDDEN) | IN(GONE) | IN(BUSY))
#define TERMINAL (IN(ISSUED) | REFUSALS)
#define OPEN	 (IN(PENDING) | IN(HELD))
#define RECORDED (TERMINAL | OPEN)

/* One member of the body: its name without quotes, its value as it is. */
struct member {
	struct cs_span name;
	struct cs_span value;
};

struct rendering {
	const struct cs_msg_answer *m;
	enum cs_answer_view view;
	struct cs_span now; /* JSON; empty: there is none */
	struct cs_json j;
	struct member members[MAX_MEMBERS];
	size_t members_n;
};

static const char *const states[] = {
	[0] = "",
	[CS_ANSWER_ISSUED] = "issued",
	[CS_ANSWER_REFUSED] = "refused",
	[CS_ANSWER_DENIED] = "denied",
	[CS_ANSWER_EXPIRED] = "expired",
	[CS_ANSWER_PENDING] = "pending",
	[CS_ANSWER_HELD] = "approved",
	[CS_ANSWER_DRY_RUN] = "",
	[CS_ANSWER_CONFLICT] = "",
	[CS_ANSWER_FORBIDDEN] = "",
	[CS_ANSWER_GONE] = "",
	[CS_ANSWER_BUSY] = "",
};

/* Codes and sentences of outcomes that came without. */
static const struct {
	const char *code;
	const char *detail;
} defaults[] = {
	[0] = {"INTERNAL", "The outcome is unknown."},
	[CS_ANSWER_REFUSED] = {"REFUSED", "The request was refused."},
	[CS_ANSWER_DENIED] = {"DENIED", "The request was denied."},
	[CS_ANSWER_EXPIRED] = {"EXPIRED", "Nobody approved it in time."},
	[CS_ANSWER_HELD] = {"HELD", "Policy holds it for now."},
	[CS_ANSWER_CONFLICT] = {"CONFLICT", "The state does not allow this."},
	[CS_ANSWER_FORBIDDEN] = {"FORBIDDEN", "The client may not do this."},
	[CS_ANSWER_GONE] = {"NOT_FOUND", "There is no such request."},
	[CS_ANSWER_BUSY] = {"BUSY", "Nothing was decided: try again."},
};

const char *cs_answer_state(enum cs_answer outcome)
{
	size_t i = (size_t)outcome;

	return i < sizeof(states) / sizeof(states[0]) ? states[i] : "";
}

/* The body's member of that name, or NULL. */
static const struct member *find(const struct rendering *r, const char *name)
{
	for (size_t i = 0; i < r->members_n; i++) {
		if (cs_span_equal_str(r->members[i].name, name))
			return &r->members[i];
	}
	return NULL;
}

/* PEM of the root that a client may come to trust. */
static void write_ca(struct rendering *r)
{
	cs_json_string(&r->j, r->m->ca);
}

/* PEM of the leaf, then of the issuer and what stands above it. */
static void write_certificate(struct rendering *r)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf pem = {0};

	cs_buf_init(&pem, 2 * CS_MAX_PEM_FILE);
	cs_codec_pem("CERTIFICATE", r->m->certificate, &pem);
	cs_buf_add(&pem, r->m->chain);
	if (!cs_buf_ok(&pem))
		r->j.failed = true;
	cs_json_string(&r->j, cs_buf_span(&pem));
}

/* The entry of `defaults` for the outcome; that of 0 if it has none. */
static size_t default_of(const struct rendering *r)
{
	size_t i = r->m->outcome;

	if (i >= sizeof(defaults) / sizeof(defaults[0]) ||
	    defaults[i].code == NULL)
		return 0;
	return i;
}

/* The code: what the ledger gave, or the outcome's own. */
static struct cs_span code_of(const struct rendering *r)
{
	return r->m->code.n > 0 ? r->m->code
				: cs_span_str(defaults[default_of(r)].code);
}

static void write_code(struct rendering *r)
{
	cs_json_text(&r->j, code_of(r));
}

static void write_decided(struct rendering *r)
{
	cs_json_time_ms(&r->j, r->m->decided_ms);
}

static void write_detail(struct rendering *r)
{
	const char *own = defaults[default_of(r)].detail;

	cs_json_text(&r->j,
		     r->m->detail.n > 0 ? r->m->detail : cs_span_str(own));
}

/* When it ends by itself; null: never. */
static void write_expires(struct rendering *r)
{
	if (r->m->expires_ms > 0)
		cs_json_time_ms(&r->j, r->m->expires_ms);
	else
		cs_json_null(&r->j);
}

/* The id; null where the ledger named none. */
static void write_id(struct rendering *r)
{
	static const uint8_t none[16];

	if (memcmp(r->m->id, none, sizeof(none)) == 0)
		cs_json_null(&r->j);
	else
		cs_json_hex(&r->j, cs_span_make(r->m->id, 16));
}

/* Where the decision stands in the log. */
static void write_log(struct rendering *r)
{
	cs_json_object(&r->j);
	cs_json_member_int(&r->j, "index", (int64_t)r->m->index);
	cs_json_member_hex(&r->j, "leaf_hash",
			   cs_span_make(r->m->leaf_hash, 32));
	cs_json_member_int(&r->j, "tree_size", (int64_t)r->m->tree_size);
	cs_json_end(&r->j);
}

static void write_now(struct rendering *r)
{
	cs_json_raw(&r->j, r->now);
}

static void write_request_sha256(struct rendering *r)
{
	cs_json_hex(&r->j, cs_span_make(r->m->fingerprint, 32));
}

static void write_serial(struct rendering *r)
{
	cs_json_hex(&r->j, r->m->serial);
}

static void write_state(struct rendering *r)
{
	cs_json_str(&r->j, cs_answer_state((enum cs_answer)r->m->outcome));
}

/*
 * RFC 6585 4: nothing was decided because of what this client does; NONE: of
 * other things.
 */
static enum cs_problem_code too_many(const struct cs_msg_answer *m)
{
	enum cs_problem_code code = cs_problem_from_name(m->code);

	return m->outcome == CS_ANSWER_BUSY && cs_problem_status(code) == 429
		       ? code
		       : CS_PROBLEM_NONE;
}

/* The outcome's status, or its own. */
static unsigned status_of(const struct cs_msg_answer *m)
{
	enum cs_problem_code code = too_many(m);

	return code != CS_PROBLEM_NONE
		       ? cs_problem_status(code)
		       : cs_problem_outcome_status((enum cs_answer)m->outcome);
}

static void write_status(struct rendering *r)
{
	cs_json_int(&r->j, status_of(r->m));
}

static void write_title(struct rendering *r)
{
	enum cs_problem_code code = too_many(r->m);

	cs_json_str(&r->j, code != CS_PROBLEM_NONE
				   ? cs_problem_title(code)
				   : cs_problem_outcome_title(
					     (enum cs_answer)r->m->outcome));
}

/* The problem's type, by the code that the answer shows. */
static void write_type(struct rendering *r)
{
	const struct member *stated = find(r, "code");
	struct cs_span code = code_of(r);

	if (stated != NULL && stated->value.n > 2)
		code = cs_span_sub(stated->value, 1, stated->value.n - 2);
	cs_problem_type(&r->j, code);
}

/* The verdict that policy gives as things stand. */
static void write_would(struct rendering *r)
{
	const struct member *verdict = find(r, "verdict");

	if (verdict != NULL)
		cs_json_raw(&r->j, verdict->value);
	else
		cs_json_null(&r->j);
}

enum precedence {
	OURS,  /* the body's member of this name is dropped */
	THEIRS /* ours is written only where the body has none */
};

/* Our members, ascending, and in which outcomes they stand. */
static const struct own {
	const char *name;
	unsigned outcomes;
	enum precedence precedence;
	void (*write)(struct rendering *r);
} own[] = {
	{"ca", IN(ISSUED), OURS, write_ca},
	{"certificate", IN(ISSUED), OURS, write_certificate},
	{"code", PROBLEMS | IN(HELD), THEIRS, write_code},
	{"decided", TERMINAL, OURS, write_decided},
	{"detail", PROBLEMS | IN(HELD), THEIRS, write_detail},
	{"expires", OPEN, OURS, write_expires},
	{"id", RECORDED | PROBLEMS, OURS, write_id},
	{"log", TERMINAL, OURS, write_log},
	{"now", IN(PENDING), OURS, write_now},
	{"request_sha256", RECORDED, OURS, write_request_sha256},
	{"serial", IN(ISSUED), OURS, write_serial},
	{"state", RECORDED, OURS, write_state},
	{"status", PROBLEMS, OURS, write_status},
	{"title", PROBLEMS, OURS, write_title},
	{"type", PROBLEMS, OURS, write_type},
	{"verdict", TERMINAL, OURS, write_state},
	{"would", OPEN | IN(DRY_RUN), OURS, write_would},
};

#define OWN_N (sizeof(own) / sizeof(own[0]))

/* Does our member stand in this answer? */
static bool applies(const struct rendering *r, const struct own *o)
{
	if ((o->outcomes & (1u << (r->m->outcome & 31))) == 0 ||
	    (o->write == write_now && r->now.n == 0))
		return false;
	return o->precedence == OURS || find(r, o->name) == NULL;
}

/* Is the body's member left out? `verdict` is `would` until it is final. */
static bool is_dropped(const struct rendering *r, const struct member *b)
{
	if (cs_span_equal_str(b->name, "verdict"))
		return true;
	if (r->view != CS_VIEW_AUDIT &&
	    cs_span_starts_with(b->name, CS_SPAN_LIT("others")))
		return true;
	for (size_t i = 0; i < OWN_N; i++) {
		if (own[i].precedence == OURS &&
		    cs_span_equal_str(b->name, own[i].name))
			return applies(r, &own[i]);
	}
	return false;
}

/* Where the string that begins at `at` ends: behind its closing quote. */
static size_t string_end(struct cs_span s, size_t at)
{
	for (size_t i = at + 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return 0;
}

/* Where the value that begins at `at` ends, by its outline; 0: nowhere. */
static size_t value_end(struct cs_span s, size_t at)
{
	unsigned depth = 0;
	size_t i = at;

	while (i < s.n) {
		uint8_t c = s.p[i];

		if (depth == 0 && i > at && (c == ',' || c == '}'))
			return i;
		if (c == '"') {
			i = string_end(s, i);
			if (i == 0)
				return 0;
			continue;
		}
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth-- == 0)
			return 0;
		i++;
	}
	return 0;
}

/* Take the body's outline apart: {"name":value,...} and nothing else. */
static bool split(struct cs_span s, struct rendering *r)
{
	size_t at = 1;

	if (s.n == 0 || cs_span_equal_str(s, "{}"))
		return true;
	if (s.n < 2 || s.p[0] != '{')
		return false;
	while (r->members_n < MAX_MEMBERS) {
		struct member *b = &r->members[r->members_n];
		size_t end;

		if (at >= s.n || s.p[at] != '"')
			return false;
		end = string_end(s, at);
		if (end == 0 || end >= s.n || s.p[end] != ':')
			return false;
		b->name = cs_span_sub(s, at + 1, end - at - 2);
		at = end + 1;
		end = value_end(s, at);
		if (end == 0 || end == at)
			return false;
		b->value = cs_span_sub(s, at, end - at);
		r->members_n++;
		if (s.p[end] == '}')
			return end + 1 == s.n;
		at = end + 1;
	}
	return false;
}

/* One member of the body. Names are ours: short, without escapes. */
static void write_theirs(struct rendering *r, const struct member *b)
{
	char name[CS_MAX_NAME + 1];

	if (b->name.n > CS_MAX_NAME) {
		r->j.failed = true;
		return;
	}
	memcpy(name, b->name.p, b->name.n);
	name[b->name.n] = '\0';
	cs_json_name(&r->j, name);
	cs_json_raw(&r->j, b->value);
}

/* Both lists, merged; the writer refuses what is not ascending. */
static void merge(struct rendering *r)
{
	size_t i = 0;
	size_t k = 0;

	cs_json_object(&r->j);
	while (i < OWN_N || k < r->members_n) {
		bool mine =
			k == r->members_n ||
			(i < OWN_N && cs_span_compare(cs_span_str(own[i].name),
						      r->members[k].name) <= 0);

		if (!mine) {
			if (!is_dropped(r, &r->members[k]))
				write_theirs(r, &r->members[k]);
			k++;
			continue;
		}
		if (applies(r, &own[i])) {
			cs_json_name(&r->j, own[i].name);
			own[i].write(r);
		}
		i++;
	}
	cs_json_end(&r->j);
}

/* What stands outside the body. */
static struct cs_answer_http outside(const struct cs_msg_answer *m)
{
	enum cs_answer outcome = (enum cs_answer)m->outcome;
	unsigned mask = 1u << (m->outcome & 31);
	struct cs_answer_http http = {
		.status = status_of(m),
		.media_type = (mask & PROBLEMS) != 0 ? CS_PROBLEM_MEDIA_TYPE
						     : "application/json",
		.replay = m->replay != 0,
	};

	http.read_status = (mask & RECORDED) != 0 ? 200 : http.status;
	if (outcome == CS_ANSWER_BUSY || outcome == CS_ANSWER_HELD)
		http.retry_s = m->retry_s > 0 ? m->retry_s : 1;
	return http;
}

bool cs_answer_render(const struct cs_msg_answer *m, enum cs_answer_view view,
		      struct cs_buf *out, struct cs_answer_http *ret_http,
		      struct cs_error *err)
{
	return cs_answer_render_now(m, view, cs_span_make(NULL, 0), out,
				    ret_http, err);
}

bool cs_answer_render_now(const struct cs_msg_answer *m,
			  enum cs_answer_view view, struct cs_span now,
			  struct cs_buf *out, struct cs_answer_http *ret_http,
			  struct cs_error *err)
{
	struct rendering r = {.m = m, .view = view, .now = now};

	if (m->outcome < CS_ANSWER_ISSUED || m->outcome > CS_ANSWER_BUSY)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "ANSWER has the unknown outcome %u",
				    (unsigned)m->outcome);
	if (!split(m->body, &r))
		return cs_error_set(err, CS_E_PROTOCOL,
				    "the body of an ANSWER is no canonical"
				    " JSON object");
	cs_json_begin(&r.j, out);
	merge(&r);
	if (!cs_json_finish(&r.j, "the answer", err))
		return false;
	*ret_http = outside(m);
	return true;
}
