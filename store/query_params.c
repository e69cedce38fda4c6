#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "base/codec.h"
#include "base/limits.h"
#include "base/terms.h"
#include "store/leaf.h"
#include "store/query_internal.h"

/* Items of one page when nothing is said. */
#define DEFAULT_LIMIT 100
/* Values of one parameter. */
#define MAX_VALUES 64
/* Octets of a cursor: position and question, hexadecimal. */
#define CURSOR 32

/* How a parameter's values become search terms. */
enum form {
	TEXT,
	NAME,
	HEX
};

/* Parameters that filter by search terms; the lower the rank, the fewer. */
static const struct {
	const char *name;
	uint8_t field;
	enum form form;
	unsigned rank;
} filters[] = {
	{"serial", CS_TERM_SERIAL, HEX, 0},
	{"spki", CS_TERM_SPKI, HEX, 1},
	{"name", 0, NAME, 2},
	{"rule", CS_TERM_RULE, TEXT, 3},
	{"code", CS_TERM_CODE, TEXT, 4},
	{"requester", CS_TERM_REQUESTER, TEXT, 5},
	{"approver", CS_TERM_APPROVER, TEXT, 6},
	{"namespace", CS_TERM_NAMESPACE, TEXT, 7},
	{"field", CS_TERM_FIELD, TEXT, 8},
	{"client", CS_TERM_CLIENT, TEXT, 9},
	{"flag", CS_TERM_FLAG, TEXT, 10},
	{"policy", CS_TERM_POLICY, TEXT, 11},
	{"verdict", CS_TERM_VERDICT, TEXT, 12},
	{"disposition", CS_TERM_DISPOSITION, TEXT, 13},
	{"realm", CS_TERM_REALM, TEXT, 14},
	{"source", CS_TERM_SOURCE, TEXT, 15},
	{"issuer", CS_TERM_ISSUER, TEXT, 16},
};

struct cs_span cs_query_member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return cs_span_make(json_string_value(value),
			    json_string_length(value));
}

struct cs_span cs_query_text(const struct cs_questions *q, const char *name)
{
	return cs_query_member(q->params, name);
}

bool cs_query_hex(struct cs_questions *q, const char *name, size_t max,
		  struct cs_span *ret_octets)
{
	struct cs_span text = cs_query_text(q, name);

	return text.n > 0 && text.n <= 2 * max &&
	       cs_codec_hex_decode(text, &q->arena, ret_octets, NULL);
}

/* A number parameter within [low, high]; *value stays when it is absent. */
static bool read_number(struct cs_questions *q, const char *name, int64_t low,
			int64_t high, int64_t *value)
{
	const json_t *v = json_object_get(q->params, name);

	if (v == NULL)
		return true;
	if (!json_is_integer(v) || json_integer_value(v) < low ||
	    json_integer_value(v) > high) {
		cs_query_refuse(q, "BAD_PARAMETER",
				"%s: want a number from %" PRId64 " to %" PRId64
				".",
				name, low, high);
		return false;
	}
	*value = json_integer_value(v);
	return true;
}

/* Where the alternatives of one filter gather. */
struct gather {
	struct cs_questions *q;
	struct cs_query_alternative *any;
	size_t n;
	size_t max;
};

/* One alternative; the value is copied. */
static bool gather_add(struct gather *g, uint8_t field, struct cs_span value,
		       unsigned zone)
{
	struct cs_span copy;

	if (g->n == g->max || !cs_arena_dup(&g->q->arena, value, &copy))
		return false;
	g->any[g->n++] = (struct cs_query_alternative){field, copy, zone};
	return true;
}

/* ASCII lower case into the arena. */
static bool lower(struct cs_questions *q, struct cs_span text,
		  struct cs_span *ret_text)
{
	uint8_t *p = cs_arena_new(&q->arena, text.n + 1);

	if (p == NULL)
		return false;
	for (size_t i = 0; i < text.n; i++)
		p[i] = text.p[i] >= 'A' && text.p[i] <= 'Z'
			       ? (uint8_t)(text.p[i] + ('a' - 'A'))
			       : text.p[i];
	*ret_text = cs_span_make(p, text.n);
	return true;
}

/* A DNS name or, with a dot in front, a zone. */
static bool add_dns(struct gather *g, struct cs_span name)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf reversed;
	unsigned zone = name.n > 1 && name.p[0] == '.';

	cs_buf_init(&reversed, CS_MAX_URI);
	cs_terms_reverse_dns(cs_span_sub(name, zone, SIZE_MAX), &reversed);
	return cs_buf_ok(&reversed) &&
	       gather_add(g, CS_TERM_DNS, cs_buf_span(&reversed), zone);
}

/*
 * A name over common name and alternative names: what it can be by its
 * form, and always a common name as it stands.
 */
static bool add_name(struct gather *g, struct cs_span value)
{
	struct cs_span text;
	char *address = cs_arena_str(&g->q->arena, value);
	uint8_t octets[16];
	size_t at;

	if (address == NULL || !lower(g->q, value, &text))
		return false;
	if (inet_pton(AF_INET, address, octets) == 1)
		return gather_add(g, CS_TERM_IP, cs_span_make(octets, 4), 0);
	if (inet_pton(AF_INET6, address, octets) == 1)
		return gather_add(g, CS_TERM_IP, cs_span_make(octets, 16), 0);
	if (!gather_add(g, CS_TERM_CN, value, 0))
		return false;
	if (cs_span_find(value, ':', &at))
		return gather_add(g, CS_TERM_URI, value, 0);
	if (cs_span_find(value, '@', &at))
		return gather_add(g, CS_TERM_EMAIL, value, 0);
	return value.n > CS_MAX_DNS_NAME + 1 || add_dns(g, text);
}

/* One value of a filter. */
static bool add_value(struct gather *g, size_t i, const json_t *value)
{
	struct cs_span text = cs_span_make(json_string_value(value),
					   json_string_length(value));
	struct cs_span octets;

	if (filters[i].form == NAME)
		return add_name(g, text);
	if (filters[i].form == TEXT)
		return gather_add(g, filters[i].field, text, 0);
	if (!cs_codec_hex_decode(text, &g->q->arena, &octets, NULL))
		octets = cs_span_make(NULL, 0); /* matches nothing */
	return gather_add(g, filters[i].field, octets, 0);
}

/* Is it a list of texts, and a short one? */
static bool is_list(struct cs_questions *q, const char *name,
		    const json_t *values)
{
	const json_t *value;
	size_t i;
	bool good = json_is_array(values) && json_array_size(values) > 0 &&
		    json_array_size(values) <= MAX_VALUES;

	json_array_foreach(values, i, value) good =
		good && json_is_string(value) && json_string_length(value) > 0;
	if (!good)
		cs_query_refuse(q, "BAD_PARAMETER",
				"%s: want 1 to %d values, none of them empty.",
				name, MAX_VALUES);
	return good;
}

/* The filters by search terms. *ret_ok = false: refused. */
static bool read_filters(struct cs_questions *q, struct cs_query_list *l,
			 bool *ret_ok, struct cs_error *err)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		json_t *values = json_object_get(q->params, filters[i].name);
		struct gather g = {.q = q};
		const json_t *value;
		size_t k;

		if (values == NULL)
			continue;
		*ret_ok = is_list(q, filters[i].name, values);
		if (!*ret_ok)
			return true;
		g.max = 3 * json_array_size(values);
		g.any = cs_arena_new_array(&q->arena, g.max, sizeof(*g.any));
		if (g.any == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY, "filters");
		json_array_foreach(values, k, value)
		{
			if (!add_value(&g, i, value))
				return cs_error_set(err, CS_E_NO_MEMORY,
						    "filters");
		}
		l->filter[l->filters++] =
			(struct cs_query_filter){g.any, g.n, filters[i].rank};
	}
	return true;
}

/* The kinds that are wanted. False: refused. */
static bool read_kinds(struct cs_questions *q, struct cs_query_list *l)
{
	json_t *values = json_object_get(q->params, "kind");
	const json_t *value;
	size_t i;

	l->kinds = UINT32_MAX;
	if (q->what->kind == CS_QUERY_CERTIFICATES)
		l->kinds = 1u << CS_LEAF_ISSUED;
	if (values == NULL)
		return true;
	if (!is_list(q, "kind", values))
		return false;
	l->kinds = 0;
	json_array_foreach(values, i, value)
	{
		enum cs_leaf_kind kind;

		if (!cs_leaf_kind_parse(cs_span_str(json_string_value(value)),
					&kind)) {
			cs_query_refuse(q, "BAD_PARAMETER",
					"kind: there is no kind `%.40s`.",
					json_string_value(value));
			return false;
		}
		l->kinds |= 1u << kind;
	}
	return true;
}

/* What this question is, but for where its page begins and ends. */
static bool hash_question(struct cs_questions *q, struct cs_query_list *l,
			  struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	uint8_t digest[CS_SHA256_SIZE];
	json_t *copy = json_copy(q->params);
	bool ok;

	cs_buf_init(&text, CS_MAX_MESSAGE);
	if (copy == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "cursor");
	(void)json_object_del(copy, "cursor");
	(void)json_object_del(copy, "limit");
	cs_buf_addf(&text, "countersign cursor 1 %d %" PRIu64 " ",
		    (int)q->what->kind, q->what->client);
	ok = cs_json_canonical(copy, &text, err) &&
	     cs_hash_sha256(q->hash, cs_buf_span(&text), digest, err);
	json_decref(copy);
	if (ok)
		memcpy(l->question, digest, sizeof(l->question));
	return ok;
}

/* Where the page begins. False: the cursor is not of this question. */
static bool read_cursor(struct cs_questions *q, struct cs_query_list *l)
{
	struct cs_span text = cs_query_text(q, "cursor");
	uint8_t octets[CURSOR / 2];

	if (json_object_get(q->params, "cursor") == NULL)
		return true;
	if (text.n != CURSOR ||
	    !cs_codec_hex_fixed(text, octets, sizeof(octets)) ||
	    memcmp(octets + 8, l->question, sizeof(l->question)) != 0 ||
	    (octets[0] & 0x80) != 0) {
		cs_query_refuse(q, "BAD_CURSOR",
				"cursor: it is not one of this list; begin "
				"without one.");
		return false;
	}
	for (size_t i = 0; i < 8; i++)
		l->position = l->position << 8 | octets[i];
	l->has_position = 1;
	return true;
}

/* limit, order, times, after. False: refused. */
static bool read_bounds(struct cs_questions *q, struct cs_query_list *l)
{
	struct cs_span order = cs_query_text(q, "order");
	int64_t limit = DEFAULT_LIMIT;
	int64_t after = -1;

	l->since_ms = INT64_MIN;
	l->until_ms = INT64_MAX;
	if (!read_number(q, "limit", 1, CS_MAX_PAGE_ITEMS, &limit) ||
	    !read_number(q, "after", 0, INT64_MAX, &after) ||
	    !read_number(q, "since_ms", INT64_MIN, INT64_MAX, &l->since_ms) ||
	    !read_number(q, "until_ms", INT64_MIN, INT64_MAX, &l->until_ms))
		return false;
	if (order.n > 0 && !cs_span_equal_str(order, "asc") &&
	    !cs_span_equal_str(order, "desc")) {
		cs_query_refuse(q, "BAD_PARAMETER", "order: want asc or desc.");
		return false;
	}
	l->limit = (size_t)limit;
	l->ascending = cs_span_equal_str(order, "asc");
	if (after >= 0) { /* a tail: in order, from there on */
		l->ascending = 1;
		l->has_position = 1;
		l->position = (uint64_t)after;
	}
	return true;
}

bool cs_query_list_read(struct cs_questions *q, struct cs_query_list *l,
			bool *ret_ok, struct cs_error *err)
{
	*l = (struct cs_query_list){.limit = DEFAULT_LIMIT};
	*ret_ok = read_bounds(q, l) && read_kinds(q, l);
	if (!*ret_ok)
		return true;
	if (!hash_question(q, l, err) || !read_filters(q, l, ret_ok, err))
		return false;
	*ret_ok = *ret_ok && read_cursor(q, l);
	return true;
}

/* Does one term match one alternative? */
static bool term_matches(const struct cs_query_alternative *a, uint8_t field,
			 struct cs_span value)
{
	if (a->field != field || !cs_span_starts_with(value, a->value))
		return false;
	return value.n == a->value.n || (a->zone && value.p[a->value.n] == '.');
}

/* Does any term match any alternative of the filter? */
static bool filter_matches(const struct cs_query_filter *f,
			   struct cs_span terms)
{
	uint8_t field;
	struct cs_span value;

	while (cs_terms_next(&terms, &field, &value, NULL)) {
		for (size_t i = 0; i < f->n; i++) {
			if (term_matches(&f->any[i], field, value))
				return true;
		}
	}
	return false;
}

bool cs_query_matches(const struct cs_query_list *l, struct cs_span terms)
{
	for (size_t i = 0; i < l->filters; i++) {
		if (!filter_matches(&l->filter[i], terms))
			return false;
	}
	return true;
}

bool cs_query_one_of(const struct cs_questions *q, const char *name,
		     struct cs_span text)
{
	const json_t *values = json_object_get(q->params, name);
	const json_t *value;
	size_t i;

	if (values == NULL)
		return true;
	json_array_foreach(values, i, value)
	{
		if (cs_span_equal(text,
				  cs_span_make(json_string_value(value),
					       json_string_length(value))))
			return true;
	}
	return false;
}
