/*
 * The way through the log: which leaves are looked at for a list, in which
 * order, and when it is enough.
 */
#include <string.h>

#include "base/limits.h"
#include "base/terms.h"
#include "base/time.h"
#include "store/leaf.h"
#include "store/query_internal.h"

/*
 * Leaves are in the order of their times, but where an operator accepted a
 * clock; a worker's time differs from the leaf's by some seconds.
 */
#define SLACK_MS 60000
/*
 * A certificate begins to be valid so long before it is issued, unless a
 * policy says more; and what it may say if that cannot be read here.
 */
#define BACKDATE_MS	((int64_t)3600 * 1000)
#define MAX_BACKDATE_MS ((int64_t)400 * 86400 * 1000)
/* Leaves that are few: the filter leads, whatever else is asked. */
#define FEW 200
/* Leaves that can be sorted in a moment. */
#define SORTABLE 20000
/* What looking at one leaf costs, by the way that led to it. */
#define COST_ROW   1
#define COST_TERMS 4
#define COST_WHOLE 8

/* Read meta. */
static bool read_range(struct cs_questions *q, struct cs_query_range *r,
		       struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_META);
	bool row = false;

	*r = (struct cs_query_range){.low = 0};
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row) {
		r->high = (uint64_t)cs_stmt_col_int(&s, 0);
		r->terms_done = (uint64_t)cs_stmt_col_int(&s, 1);
		r->clock_accepted = cs_stmt_col_int(&s, 2) != 0;
	}
	cs_stmt_end(&s);
	return true;
}

/* The first leaf of the range that is not older than `at`, by bisection. */
static bool bisect(struct cs_questions *q, const struct cs_query_range *r,
		   int64_t at, uint64_t *ret_index, struct cs_error *err)
{
	uint64_t low = r->low;
	uint64_t high = r->high;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_LEAF_AT);
		bool row = false;
		bool older;

		cs_stmt_int(&s, (int64_t)middle);
		if (!cs_stmt_step(&s, &row, err))
			return false;
		older = row && cs_stmt_col_int(&s, 0) < at;
		cs_stmt_end(&s);
		if (older)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_index = low;
	return true;
}

/* The duration behind a `backdate` in a policy; more if it cannot be read. */
static int64_t read_backdate(struct cs_span text)
{
	int64_t seconds;
	size_t n = 0;

	while (text.n > 0 && memchr(": \t\"'", text.p[0], 5) != NULL)
		text = cs_span_sub(text, 1, SIZE_MAX);
	while (n < text.n && memchr("0123456789dhmsnu", text.p[n], 16) != NULL)
		n++;
	if (!cs_time_parse_duration(cs_span_sub(text, 0, n), &seconds, NULL) ||
	    seconds > MAX_BACKDATE_MS / 1000)
		return MAX_BACKDATE_MS;
	return seconds * 1000;
}

/* How far certificates were ever dated back, at most. */
static bool find_backdate(struct cs_questions *q, int64_t *ret_ms,
			  struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_BACKDATE);
	bool row = false;
	bool ok;

	*ret_ms = BACKDATE_MS;
	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		struct cs_span text = cs_stmt_col(&s, 0);
		const uint8_t *at;

		while (text.n > 0 &&
		       (at = memmem(text.p, text.n, "backdate", 8)) != NULL) {
			int64_t ms;

			text = cs_span_sub(text, (size_t)(at - text.p) + 8,
					   SIZE_MAX);
			ms = read_backdate(text);
			if (ms > *ret_ms)
				*ret_ms = ms;
		}
	}
	cs_stmt_end(&s);
	return ok;
}

/* Nothing from this time on is wanted. */
static bool find_latest(struct cs_questions *q, const struct cs_query_list *l,
			int64_t *ret_ms, struct cs_error *err)
{
	int64_t backdate;

	*ret_ms = l->until_ms;
	if (!l->has_valid_at)
		return true;
	if (!find_backdate(q, &backdate, err))
		return false;
	if (l->valid_at_ms < l->until_ms - backdate)
		*ret_ms = l->valid_at_ms + backdate;
	return true;
}

/* Make the range as small as cursor and times allow. */
static bool narrow(struct cs_questions *q, const struct cs_query_list *l,
		   struct cs_query_range *r, struct cs_error *err)
{
	uint64_t high = r->high;
	int64_t until;

	if (!find_latest(q, l, &until, err))
		return false;
	if (l->has_position && l->ascending && l->position + 1 > r->low)
		r->low = l->position + 1;
	if (l->has_position && !l->ascending && l->position < high)
		r->high = l->position;
	if (r->low > r->high)
		r->low = r->high;
	if (r->clock_accepted)
		return true;
	high = r->high;
	if (until < INT64_MAX - SLACK_MS &&
	    !bisect(q, r, until + SLACK_MS, &high, err))
		return false;
	if (l->since_ms > INT64_MIN + SLACK_MS &&
	    !bisect(q, r, l->since_ms - SLACK_MS, &r->low, err))
		return false;
	r->high = high;
	if (r->low > r->high)
		r->low = r->high;
	return true;
}

/* -- the SQL of a filter ------------------------------------------------ */

#define IN_RANGE(column) " AND " column " >= ? AND " column " < ?"

static const char exact[] = "SELECT leaf, NULL, NULL FROM term WHERE field = ? "
			    "AND value = ?" IN_RANGE("leaf");
static const char below[] =
	"SELECT leaf, NULL, NULL FROM term WHERE field = ? AND value > ?"
	" AND value < ?" IN_RANGE("leaf");
static const char serial[] =
	"SELECT o.leaf, NULL, NULL FROM attempt AS a"
	" JOIN outcome AS o ON o.seq = a.seq WHERE a.serial = ?" IN_RANGE(
		"o.leaf");
static const char key[] =
	"SELECT o.leaf, NULL, NULL FROM key_use AS k"
	" JOIN outcome AS o ON o.seq = k.seq WHERE k.spki = ?" IN_RANGE(
		"o.leaf");
/* As the partial index has it. */
static const char act[] = "SELECT idx, kind, at_ms FROM leaf WHERE kind = ? "
			  "AND kind > 4" IN_RANGE("idx");

/* The selects of all alternatives with `joint` between them. */
static void write_selects(const struct cs_query_filter *f, const char *joint,
			  struct cs_buf *sql)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct cs_query_alternative *a = &f->any[i];

		if (i > 0)
			cs_buf_add_str(sql, joint);
		if (a->way == CS_WAY_ACT) {
			cs_buf_add_str(sql, act);
			continue;
		}
		cs_buf_add_str(sql, exact);
		if (a->below != 0) {
			cs_buf_add_str(sql, joint);
			cs_buf_add_str(sql, below);
		}
		if (a->way == CS_WAY_TERM)
			continue;
		cs_buf_add_str(sql, joint);
		cs_buf_add_str(sql, a->way == CS_WAY_SERIAL ? serial : key);
	}
}

/* The value with one octet behind it, in the arena; empty: no memory. */
static struct cs_span value_and(struct cs_questions *q, struct cs_span value,
				uint8_t octet)
{
	uint8_t *p = cs_arena_new(&q->arena, value.n + 1);

	if (p == NULL)
		return cs_span_make(NULL, 0);
	if (value.n > 0)
		memcpy(p, value.p, value.n);
	p[value.n] = octet;
	return cs_span_make(p, value.n + 1);
}

/* The two bounds of IN_RANGE. */
static void bind_range(struct cs_stmt *s, const struct cs_query_range *r)
{
	cs_stmt_int(s, (int64_t)r->low);
	cs_stmt_int(s, (int64_t)r->high);
}

/* Bind what write_selects() left open. */
static void bind_selects(struct cs_questions *q, struct cs_stmt *s,
			 const struct cs_query_filter *f,
			 const struct cs_query_range *r)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct cs_query_alternative *a = &f->any[i];

		if (a->way == CS_WAY_ACT) {
			cs_stmt_int(s, a->kind);
			bind_range(s, r);
			continue;
		}
		cs_stmt_int(s, a->field);
		cs_stmt_blob(s, a->value);
		bind_range(s, r);
		if (a->below != 0) {
			/* All that begins with "value.": "." to "/". */
			cs_stmt_int(s, a->field);
			cs_stmt_blob(s, value_and(q, a->value, a->below));
			cs_stmt_blob(s, value_and(q, a->value,
						  (uint8_t)(a->below + 1)));
			bind_range(s, r);
		}
		if (a->way == CS_WAY_TERM)
			continue;
		cs_stmt_blob(s, a->value);
		bind_range(s, r);
	}
}

/* How many leaves a filter leads to, counted up to `max`. */
static bool count(struct cs_questions *q, const struct cs_query_filter *f,
		  const struct cs_query_range *r, int64_t max, int64_t *ret_n,
		  struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf sql;
	struct cs_stmt s;
	bool row = false;

	cs_buf_init(&sql, CS_MAX_PAGE);
	cs_buf_add_str(&sql, "SELECT count(*) FROM (");
	write_selects(f, " UNION ALL ", &sql);
	cs_buf_add_str(&sql, " LIMIT ?)");
	if (!cs_buf_finish(&sql, "question", err))
		return false;
	s = cs_stmt_text(q->db, cs_buf_str(&sql));
	bind_selects(q, &s, f, r);
	cs_stmt_int(&s, max);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	*ret_n = row ? cs_stmt_col_int(&s, 0) : 0;
	cs_stmt_end(&s);
	return true;
}

/* Do a filter's leaves come in their order, without being sorted? */
static bool is_ordered(const struct cs_query_filter *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->any[i].below != 0)
			return false;
	}
	return true;
}

/*
 * The filter that leads: the one with the fewest leaves, as far as they are
 * counted; else, of those whose leaves need no sorting, the one that is likely
 * to have the fewest. NULL: none; then every decision is looked at, of which
 * many match.
 */
static bool choose(struct cs_questions *q, const struct cs_query_list *l,
		   const struct cs_query_range *r,
		   const struct cs_query_filter **ret, struct cs_error *err)
{
	const struct cs_query_filter *ordered = NULL;
	int64_t best = SORTABLE;

	*ret = NULL;
	for (size_t i = 0; i < l->filters && best > FEW; i++) {
		const struct cs_query_filter *f = &l->filter[i];
		int64_t n = 0;

		if (is_ordered(f) && l->filters == 1) {
			*ret = f;
			return true;
		}
		if (!count(q, f, r, best, &n, err))
			return false;
		if (n < best) {
			best = n;
			*ret = f;
		} else if (is_ordered(f) && ordered == NULL) {
			ordered = f;
		}
	}
	if (*ret == NULL)
		*ret = ordered;
	return true;
}

/* -- looking at leaves --------------------------------------------------- */

/* All candidates of one statement (leaf, kind or NULL, time); ends it. */
static bool take(struct cs_questions *q, const struct cs_query_list *l,
		 struct cs_query_page *p, struct cs_stmt *s, bool *ret_go,
		 struct cs_error *err)
{
	bool row = false;
	bool ok = true;

	while (*ret_go && (ok = cs_stmt_step(s, &row, err)) && row) {
		uint64_t index = (uint64_t)cs_stmt_col_int(s, 0);
		bool known = !cs_stmt_is_null(s, 1);

		if (known && !cs_query_wants(l, cs_stmt_col_int(s, 1),
					     cs_stmt_col_int(s, 2))) {
			*ret_go = cs_query_page_look(p, index, COST_ROW);
			continue;
		}
		*ret_go = cs_query_page_look(p, index, COST_WHOLE);
		if (*ret_go)
			ok = cs_query_leaf_consider(q, l, p, index, ret_go,
						    err);
		if (!ok)
			break;
	}
	cs_stmt_end(s);
	return ok;
}

/* Every leaf of a part of the range. */
static bool scan(struct cs_questions *q, const struct cs_query_list *l,
		 struct cs_query_page *p, uint64_t low, uint64_t high,
		 bool *ret_go, struct cs_error *err)
{
	struct cs_stmt s =
		cs_stmt(q->db, l->ascending ? CS_SQL_QUERY_SCAN_UP
					    : CS_SQL_QUERY_SCAN_DOWN);

	cs_stmt_int(&s, (int64_t)low);
	cs_stmt_int(&s, (int64_t)high);
	return take(q, l, p, &s, ret_go, err);
}

/* Every decision of a part of the range, by its terms. */
static bool scan_terms(struct cs_questions *q, const struct cs_query_list *l,
		       struct cs_query_page *p, uint64_t low, uint64_t high,
		       bool *ret_go, struct cs_error *err)
{
	struct cs_stmt s =
		cs_stmt(q->db, l->ascending ? CS_SQL_QUERY_TERMS_UP
					    : CS_SQL_QUERY_TERMS_DOWN);
	bool row = false;
	bool ok = true;

	cs_stmt_int(&s, (int64_t)low);
	cs_stmt_int(&s, (int64_t)high);
	while (*ret_go && (ok = cs_stmt_step(&s, &row, err)) && row) {
		uint64_t index = (uint64_t)cs_stmt_col_int(&s, 0);
		bool match = cs_query_matches(l, cs_stmt_col(&s, 1));

		*ret_go = cs_query_page_look(
			p, index, match ? COST_TERMS + COST_WHOLE : COST_TERMS);
		if (*ret_go && match)
			ok = cs_query_leaf_consider(q, l, p, index, ret_go,
						    err);
		if (!ok)
			break;
	}
	cs_stmt_end(&s);
	return ok;
}

/* Certificates of the range that were valid at a time. */
static bool scan_valid(struct cs_questions *q, const struct cs_query_list *l,
		       struct cs_query_page *p, const struct cs_query_range *r,
		       struct cs_error *err)
{
	struct cs_stmt s =
		cs_stmt(q->db, l->ascending ? CS_SQL_QUERY_VALID_UP
					    : CS_SQL_QUERY_VALID_DOWN);
	int64_t at = l->valid_at_ms / 1000;
	bool row = false;
	bool go = true;
	bool ok = true;

	bind_range(&s, r);
	cs_stmt_int(&s, at);
	while (go && (ok = cs_stmt_step(&s, &row, err)) && row) {
		uint64_t index = (uint64_t)cs_stmt_col_int(&s, 0);
		int64_t from;
		bool valid = cs_query_not_before(cs_stmt_col(&s, 1), &from) &&
			     from <= at;

		go = cs_query_page_look(
			p, index, valid ? COST_TERMS + COST_WHOLE : COST_TERMS);
		if (go && valid)
			ok = cs_query_leaf_consider(q, l, p, index, &go, err);
		if (!ok)
			break;
	}
	cs_stmt_end(&s);
	return ok;
}

/* Candidates of one filter by the indexes. */
static bool look_up(struct cs_questions *q, const struct cs_query_list *l,
		    const struct cs_query_filter *f, struct cs_query_page *p,
		    const struct cs_query_range *r, bool *ret_go,
		    struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf sql;
	struct cs_stmt s;

	cs_buf_init(&sql, CS_MAX_PAGE);
	write_selects(f, " UNION ", &sql);
	cs_buf_addf(&sql, " ORDER BY 1%s", l->ascending ? "" : " DESC");
	if (!cs_buf_finish(&sql, "question", err))
		return false;
	s = cs_stmt_text(q->db, cs_buf_str(&sql));
	bind_selects(q, &s, f, r);
	return take(q, l, p, &s, ret_go, err);
}

/* The leading filter below the watermark, terms above it. */
static bool walk_filters(struct cs_questions *q, const struct cs_query_list *l,
			 struct cs_query_page *p,
			 const struct cs_query_range *r, struct cs_error *err)
{
	const struct cs_query_filter *lead;
	struct cs_query_range filed = *r;
	uint64_t middle = r->terms_done;
	bool go = true;

	if (middle < r->low)
		middle = r->low;
	if (middle > r->high)
		middle = r->high;
	filed.high = middle;
	if (!choose(q, l, &filed, &lead, err))
		return false;
	if (lead == NULL)
		return scan_terms(q, l, p, r->low, r->high, &go, err);
	if (l->ascending)
		return look_up(q, l, lead, p, &filed, &go, err) &&
		       scan_terms(q, l, p, middle, r->high, &go, err);
	return scan_terms(q, l, p, middle, r->high, &go, err) &&
	       look_up(q, l, lead, p, &filed, &go, err);
}

/* Acts of administration have an index of their own, up to the last leaf. */
static bool walk_acts(struct cs_questions *q, const struct cs_query_list *l,
		      struct cs_query_page *p, const struct cs_query_range *r,
		      struct cs_error *err)
{
	struct cs_query_alternative any[32];
	struct cs_query_filter f = {.any = any};
	bool go = true;

	for (int64_t kind = 5; kind < 32; kind++) {
		if ((l->kinds >> kind & 1) != 0 &&
		    cs_leaf_kind_name((enum cs_leaf_kind)kind))
			any[f.n++] = (struct cs_query_alternative){
				.way = CS_WAY_ACT, .kind = kind};
	}
	return look_up(q, l, &f, p, r, &go, err);
}

/* -- requests, by what was decided about them ------------------------------ */

/* Requests that can be put in order in a moment. */
#define FEW_REQUESTS 500

bool cs_query_lead_requests(struct cs_questions *q,
			    const struct cs_query_list *l, struct cs_stmt *ret,
			    bool *ret_led, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf sql;
	const struct cs_query_filter *lead = NULL;
	int64_t best = FEW_REQUESTS;
	struct cs_query_range r;

	cs_buf_init(&sql, CS_MAX_PAGE);
	*ret_led = false;
	if (l->filters == 0)
		return true;
	if (!read_range(q, &r, err))
		return false;
	r.high = r.terms_done;
	for (size_t i = 0; i < l->filters; i++) {
		int64_t n;

		if (!count(q, &l->filter[i], &r, best, &n, err))
			return false;
		if (n < best) {
			best = n;
			lead = &l->filter[i];
		}
	}
	if (lead == NULL)
		return true;
	cs_buf_add_str(&sql, "SELECT request FROM leaf WHERE idx IN"
			     " (SELECT leaf FROM (");
	write_selects(lead, " UNION ALL ", &sql);
	cs_buf_addf(&sql,
		    ")) UNION SELECT request FROM leaf WHERE idx >= ?"
		    " UNION SELECT n FROM request"
		    " WHERE state IN ('pending', 'approved')"
		    " ORDER BY 1%s",
		    l->ascending ? "" : " DESC");
	if (!cs_buf_finish(&sql, "question", err))
		return false;
	*ret = cs_stmt_text(q->db, cs_buf_str(&sql));
	bind_selects(q, ret, lead, &r);
	cs_stmt_int(ret, (int64_t)r.terms_done);
	*ret_led = true;
	return true;
}

/* -- by the end of validity ---------------------------------------------- */

/* Where in that order a leaf stands. *ret_found = false: nowhere. */
static bool find_end(struct cs_questions *q, uint64_t leaf, int64_t *ret_end,
		     int64_t *ret_seq, bool *ret_found, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_END_OF_LEAF);

	cs_stmt_int(&s, (int64_t)leaf);
	if (!cs_stmt_step(&s, ret_found, err))
		return false;
	*ret_end = cs_stmt_col_int(&s, 0);
	*ret_seq = cs_stmt_col_int(&s, 1);
	cs_stmt_end(&s);
	return true;
}

/* What ends in [from, before), from the cursor's place on. */
static bool walk_ends(struct cs_questions *q, const struct cs_query_list *l,
		      struct cs_query_page *p, struct cs_error *err)
{
	int64_t from = l->has_valid_at ? l->valid_at_ms / 1000 : INT64_MIN;
	int64_t from_seq = 0;
	int64_t before = l->expires_before_s;
	int64_t before_seq = 0;
	int64_t at, seq;
	struct cs_stmt s;
	bool found = false;
	bool go = true;

	if (l->has_position) {
		if (!find_end(q, l->position, &at, &seq, &found, err))
			return false;
		if (!found) {
			p->bad_cursor = 1;
			return true;
		}
		if (l->ascending) {
			from = at;
			from_seq = seq;
		} else {
			before = at;
			before_seq = seq;
		}
	}
	s = cs_stmt(q->db, l->ascending ? CS_SQL_QUERY_ENDS_UP
					: CS_SQL_QUERY_ENDS_DOWN);
	cs_stmt_int(&s, from);
	cs_stmt_int(&s, from_seq);
	cs_stmt_int(&s, before);
	cs_stmt_int(&s, before_seq);
	return take(q, l, p, &s, &go, err);
}

/* -- by revocation --------------------------------------------------------- */

/* Certificates in the order of their revocations, from the cursor's on. */
static bool walk_revoked(struct cs_questions *q, const struct cs_query_list *l,
			 struct cs_query_page *p, struct cs_error *err)
{
	int64_t after = -1, before = INT64_MAX;
	struct cs_stmt s;
	bool found = false;
	bool go = true;

	if (l->has_position) {
		s = cs_stmt(q->db, CS_SQL_QUERY_REVOKED_LEAF);
		cs_stmt_int(&s, (int64_t)l->position);
		if (!cs_stmt_step(&s, &found, err))
			return false;
		if (l->ascending)
			after = cs_stmt_col_int(&s, 0);
		else
			before = cs_stmt_col_int(&s, 0);
		cs_stmt_end(&s);
		if (!found) {
			p->bad_cursor = 1;
			return true;
		}
	}
	s = cs_stmt(q->db, l->ascending ? CS_SQL_QUERY_REVOKED_UP
					: CS_SQL_QUERY_REVOKED_DOWN);
	cs_stmt_int(&s, after);
	cs_stmt_int(&s, before);
	return take(q, l, p, &s, &go, err);
}

/* -- the whole way -------------------------------------------------------- */

/* Fill a page with what a list of leaves is about. */
static bool walk(struct cs_questions *q, const struct cs_query_list *l,
		 struct cs_query_page *p, struct cs_error *err)
{
	struct cs_query_range r;
	bool go = true;

	if (!read_range(q, &r, err))
		return false;
	if (l->has_position && l->position >= r.high && !l->tail) {
		p->bad_cursor = 1; /* of no leaf that ever was */
		return true;
	}
	if (l->by_end)
		return walk_ends(q, l, p, err);
	if (l->by_revoked)
		return walk_revoked(q, l, p, err);
	if (!narrow(q, l, &r, err))
		return false;
	if (l->filters > 0)
		return walk_filters(q, l, p, &r, err);
	if (l->has_valid_at)
		return scan_valid(q, l, p, &r, err);
	if ((l->kinds & CS_QUERY_DECISIONS) == 0)
		return walk_acts(q, l, p, &r, err);
	return scan(q, l, p, r.low, r.high, &go, err);
}

bool cs_query_audit(struct cs_questions *q, struct cs_error *err)
{
	struct cs_query_list l;
	struct cs_query_page p;
	bool ok = false;

	if (!cs_query_list_read(q, &l, &ok, err))
		return false;
	if (!ok)
		return true;
	cs_query_page_begin(q, &p, &l);
	return walk(q, &l, &p, err) && cs_query_page_end(q, &p, err);
}
