#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "base/codec.h"
#include "base/limits.h"
#include "base/terms.h"
#include "store/leaf.h"
#include "store/query_internal.h"
#include "store/stored.h"

/* Items of one page when nothing is said. */
#define DEFAULT_LIMIT 100
/* Values of one parameter. */
#define MAX_VALUES 64
/* Octets of a cursor: position and question, hexadecimal. */
#define CURSOR 32

/* Times lie this near to 1970: JSON has no larger integers. */
#define MAX_MS ((int64_t)1 << 53)

/* How a parameter's values become alternatives. */
enum form {
	TEXT,
	NAME,
	COVERING, /* a name, and what else could be shown for it */
	FIELD,	  /* a field, and with it its elements: "san.dns[2]" */
	HEX
};

/*
 * Parameters that filter, those that few leaves match first. What stands
 * before `field` narrows: with one of them a list is in the order of the log
 * also where the end of validity is asked for.
 */
static const struct {
	const char *name;
	uint8_t field;
	enum form form;
	enum cs_query_way way;
	const char *words; /* all values there are, or NULL */
} filters[] = {
	{"serial", CS_TERM_SERIAL, HEX, CS_WAY_SERIAL, NULL},
	{"spki", CS_TERM_SPKI, HEX, CS_WAY_KEY, NULL},
	{"name", 0, NAME, CS_WAY_TERM, NULL},
	{"covering", 0, COVERING, CS_WAY_TERM, NULL},
	{"rule", CS_TERM_RULE, TEXT, CS_WAY_TERM, NULL},
	{"code", CS_TERM_CODE, TEXT, CS_WAY_TERM, NULL},
	{"requester", CS_TERM_REQUESTER, TEXT, CS_WAY_TERM, NULL},
	{"approver", CS_TERM_APPROVER, TEXT, CS_WAY_TERM, NULL},
	{"namespace", CS_TERM_NAMESPACE, TEXT, CS_WAY_TERM, NULL},
#define NARROW 9 /* of them */
	{"field", CS_TERM_FIELD, FIELD, CS_WAY_TERM, NULL},
	{"client", CS_TERM_CLIENT, TEXT, CS_WAY_TERM, NULL},
	{"flag", CS_TERM_FLAG, TEXT, CS_WAY_TERM, NULL},
	{"policy", CS_TERM_POLICY, TEXT, CS_WAY_TERM, NULL},
	{"verdict", CS_TERM_VERDICT, TEXT, CS_WAY_TERM,
	 "issued refused denied expired"},
	{"disposition", CS_TERM_DISPOSITION, TEXT, CS_WAY_TERM,
	 "kept normalized defaulted overridden clamped dropped added"
	 " generated"},
	{"realm", CS_TERM_REALM, TEXT, CS_WAY_TERM, NULL},
	{"source", CS_TERM_SOURCE, TEXT, CS_WAY_TERM, NULL},
	{"issuer", CS_TERM_ISSUER, TEXT, CS_WAY_TERM, NULL},
};
#define N_FILTERS (sizeof(filters) / sizeof(filters[0]))

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
static bool gather_add(struct gather *g, struct cs_query_alternative a)
{
	if (g->n == g->max || !cs_arena_dup(&g->q->arena, a.value, &a.value))
		return false;
	g->any[g->n++] = a;
	return true;
}

/* The same of a term alone. */
static bool gather_term(struct gather *g, uint8_t field, struct cs_span value)
{
	return gather_add(g, (struct cs_query_alternative){.field = field,
							   .value = value});
}

/* ASCII lower case into the arena, from an octet on. */
static bool lower(struct cs_questions *q, struct cs_span text, size_t from,
		  struct cs_span *ret_text)
{
	uint8_t *p = cs_arena_new(&q->arena, text.n + 1);

	if (p == NULL)
		return false;
	for (size_t i = 0; i < text.n; i++)
		p[i] = i >= from && text.p[i] >= 'A' && text.p[i] <= 'Z'
			       ? (uint8_t)(text.p[i] + ('a' - 'A'))
			       : text.p[i];
	*ret_text = cs_span_make(p, text.n);
	return true;
}

/* A DNS name, or a zone and all below it. */
static bool add_dns(struct gather *g, struct cs_span name, uint8_t below)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf reversed = {0};

	cs_buf_init(&reversed, CS_MAX_URI);
	cs_terms_reverse_dns(name, &reversed);
	return cs_buf_ok(&reversed) &&
	       gather_add(g, (struct cs_query_alternative){
				     .field = CS_TERM_DNS,
				     .value = cs_buf_span(&reversed),
				     .below = below});
}

/* The wildcard that a host's name matches (RFC 9525 6.3): one label. */
static bool add_wildcard(struct gather *g, struct cs_span name)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf wildcard = {0};
	size_t dot;

	cs_buf_init(&wildcard, CS_MAX_URI);
	if (!cs_span_find(name, '.', &dot) || dot == 0)
		return true;
	cs_buf_add_byte(&wildcard, '*');
	cs_buf_add(&wildcard, cs_span_sub(name, dot, SIZE_MAX));
	return cs_buf_ok(&wildcard) && add_dns(g, cs_buf_span(&wildcard), 0);
}

/* An IP address; *ret_is = false: it is none. */
static bool add_address(struct gather *g, struct cs_span value, bool *ret_is)
{
	char *address = cs_arena_str(&g->q->arena, value);
	uint8_t octets[16];
	size_t n = 0;

	if (address == NULL)
		return false;
	if (inet_pton(AF_INET, address, octets) == 1)
		n = 4;
	else if (inet_pton(AF_INET6, address, octets) == 1)
		n = 16;
	*ret_is = n > 0;
	return n == 0 || gather_term(g, CS_TERM_IP, cs_span_make(octets, n));
}

/*
 * A name over common name and alternative names: what it can be by its
 * form, and always a common name as it stands.
 */
static bool add_name(struct gather *g, struct cs_span value, bool covering)
{
	struct cs_span text;
	bool is_address = false;
	bool zone = !covering && value.n > 1 && value.p[0] == '.';
	size_t at;

	/* Whoever holds a CA's certificate can make one for any name. */
	if (covering && !gather_term(g, CS_TERM_FLAG, CS_SPAN_LIT("ca")))
		return false;
	if (!add_address(g, value, &is_address))
		return false;
	if (is_address)
		return true;
	if (!gather_term(g, CS_TERM_CN, value))
		return false;
	if (cs_span_find(value, ':', &at))
		return gather_term(g, CS_TERM_URI, value);
	if (cs_span_find(value, '@', &at))
		return lower(g->q, value, at, &text) &&
		       gather_term(g, CS_TERM_EMAIL, text);
	if (value.n > CS_MAX_DNS_NAME + 1)
		return true;
	if (!lower(g->q, value, 0, &text) ||
	    !add_dns(g, cs_span_sub(text, zone, SIZE_MAX), zone ? '.' : 0))
		return false;
	return !covering || add_wildcard(g, text);
}

/* Hexadecimal, also with colons as openssl has it. *ret_ok: it is. */
static bool add_hex(struct gather *g, size_t i, struct cs_span text,
		    bool *ret_ok)
{
	uint8_t *p = cs_arena_new(&g->q->arena, text.n + 1);
	struct cs_span octets;
	size_t n = 0;

	if (p == NULL)
		return false;
	for (size_t k = 0; k < text.n; k++) {
		uint8_t c = text.p[k];

		if (c != ':')
			p[n++] = c >= 'A' && c <= 'F' ? (uint8_t)(c | 0x20) : c;
	}
	*ret_ok = n > 0 && cs_codec_hex_decode(cs_span_make(p, n), &g->q->arena,
					       &octets, NULL);
	return !*ret_ok || gather_add(g, (struct cs_query_alternative){
						 .way = filters[i].way,
						 .field = filters[i].field,
						 .value = octets});
}

/* Is the text one of the words? */
static bool is_word(const char *words, struct cs_span text)
{
	struct cs_span rest = cs_span_str(words);
	size_t at;

	while (rest.n > 0) {
		if (!cs_span_find(rest, ' ', &at))
			at = rest.n;
		if (cs_span_equal(cs_span_sub(rest, 0, at), text))
			return true;
		rest = cs_span_sub(rest, at + 1, SIZE_MAX);
	}
	return false;
}

/* One value of a filter. *ret_ok = false: it cannot be one. */
static bool add_value(struct gather *g, size_t i, const json_t *value,
		      bool *ret_ok)
{
	struct cs_span text = cs_span_make(json_string_value(value),
					   json_string_length(value));

	switch (filters[i].form) {
	case NAME:
	case COVERING:
		return add_name(g, text, filters[i].form == COVERING);
	case HEX:
		return add_hex(g, i, text, ret_ok);
	case FIELD:
		return gather_add(g, (struct cs_query_alternative){
					     .field = filters[i].field,
					     .value = text,
					     .below = '['});
	case TEXT:
		break;
	}
	*ret_ok = filters[i].words == NULL || is_word(filters[i].words, text);
	return gather_term(g, filters[i].field, text);
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

/* Refuse a value; where there are only so many, name them. */
static bool refuse_value(struct cs_questions *q, const char *name,
			 const char *value, const char *words)
{
	if (words == NULL)
		return cs_query_refuse(q, "BAD_PARAMETER",
				       "%s: `%.80s` cannot be one.", name,
				       value);
	return cs_query_refuse(q, "BAD_PARAMETER",
			       "%s: `%.80s` is none of: %s.", name, value,
			       words);
}

bool cs_query_check_words(struct cs_questions *q, const char *name,
			  const char *words)
{
	const json_t *values = json_object_get(q->params, name);
	const json_t *value;
	size_t i;

	json_array_foreach(values, i, value)
	{
		struct cs_span text = cs_span_make(json_string_value(value),
						   json_string_length(value));

		if (is_word(words, text))
			continue;
		(void)refuse_value(q, name, json_string_value(value), words);
		return false;
	}
	return true;
}

/* One filter. *ret_ok = false: refused. */
static bool read_filter(struct cs_questions *q, struct cs_query_list *l,
			size_t i, const json_t *values, bool *ret_ok,
			struct cs_error *err)
{
	struct gather g = {.q = q};
	const json_t *value;
	size_t k;

	*ret_ok = is_list(q, filters[i].name, values);
	if (!*ret_ok)
		return true;
	g.max = 4 * json_array_size(values);
	g.any = cs_arena_new_array(&q->arena, g.max, sizeof(*g.any));
	if (g.any == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "filters");
	json_array_foreach(values, k, value)
	{
		if (!add_value(&g, i, value, ret_ok))
			return cs_error_set(err, CS_E_NO_MEMORY, "filters");
		if (!*ret_ok)
			return refuse_value(q, filters[i].name,
					    json_string_value(value),
					    filters[i].words);
	}
	l->filter[l->filters++] = (struct cs_query_filter){g.any, g.n};
	return true;
}

/* `revoked`: true, false or both. False: refused. */
static bool read_revoked(struct cs_questions *q, struct cs_query_list *l)
{
	l->revoked = CS_QUERY_REVOKED | CS_QUERY_STANDS;
	if (!cs_query_check_words(q, "revoked", "true false"))
		return false;
	if (!cs_query_one_of(q, "revoked", CS_SPAN_LIT("true")))
		l->revoked &= ~CS_QUERY_REVOKED;
	if (!cs_query_one_of(q, "revoked", CS_SPAN_LIT("false")))
		l->revoked &= ~CS_QUERY_STANDS;
	return true;
}

/* The filters by search terms. *ret_ok = false: refused. */
static bool read_filters(struct cs_questions *q, struct cs_query_list *l,
			 bool *ret_ok, struct cs_error *err)
{
	unsigned narrow = 0;

	for (size_t i = 0; *ret_ok && i < N_FILTERS; i++) {
		const json_t *values =
			json_object_get(q->params, filters[i].name);

		if (values == NULL)
			continue;
		narrow += i < NARROW;
		if (!read_filter(q, l, i, values, ret_ok, err))
			return false;
	}
	*ret_ok = *ret_ok && read_revoked(q, l);
	l->by_revoked = l->revoked == CS_QUERY_REVOKED && narrow == 0;
	l->by_end = l->expires_before_s != INT64_MAX && narrow == 0 &&
		    !l->by_revoked;
	return true;
}

/* To whose requests the question is limited: the client's, or an issuer's. */
static bool add_limit(struct cs_questions *q, struct cs_query_list *l,
		      struct cs_error *err)
{
	struct gather g = {.q = q, .max = 1 + json_array_size(q->issuers)};
	struct cs_span name;
	bool ok;

	if (!cs_stored_client_name(q->db, q->what->client, &q->arena, &name,
				   err))
		return false;
	g.any = cs_arena_new_array(&q->arena, g.max, sizeof(*g.any));
	ok = g.any != NULL && gather_term(&g, CS_TERM_CLIENT, name);
	for (size_t i = 0; ok && i + 1 < g.max; i++) {
		const json_t *issuer = json_array_get(q->issuers, i);

		ok = gather_term(&g, CS_TERM_ISSUER,
				 cs_span_str(json_string_value(issuer)));
	}
	if (!ok)
		return cs_error_set(err, CS_E_NO_MEMORY, "filters");
	l->filter[l->filters++] = (struct cs_query_filter){g.any, g.n};
	return true;
}

/*
 * What is said beside parameters becomes a filter too, so that an index leads
 * there: the client to whom the question is limited, and kinds of decisions
 * of which there are few.
 */
static bool add_implied(struct cs_questions *q, struct cs_query_list *l,
			struct cs_error *err)
{
	static const enum cs_leaf_kind few[] = {CS_LEAF_REFUSED, CS_LEAF_DENIED,
						CS_LEAF_EXPIRED};
	struct gather g = {.q = q, .max = 3};

	if (q->what->client != 0 &&
	    (q->what->kind != CS_QUERY_AUDIT || q->issuers != NULL) &&
	    !add_limit(q, l, err))
		return false;
	if ((l->kinds & ~CS_QUERY_DECISIONS) != 0 || l->kinds == 0 ||
	    (l->kinds >> CS_LEAF_ISSUED & 1) != 0)
		return true;
	g.n = 0;
	g.any = cs_arena_new_array(&q->arena, g.max, sizeof(*g.any));
	for (size_t i = 0; g.any != NULL && i < 3; i++) {
		if ((l->kinds >> few[i] & 1) != 0 &&
		    !gather_term(&g, CS_TERM_VERDICT,
				 cs_span_str(cs_leaf_kind_name(few[i]))))
			g.any = NULL;
	}
	if (g.any == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "filters");
	l->filter[l->filters++] = (struct cs_query_filter){g.any, g.n};
	return true;
}

/* The kinds of decisions that end in the states asked for; all: any may. */
static uint32_t kinds_of_states(const struct cs_questions *q)
{
	const json_t *values = json_object_get(q->params, "state");
	const json_t *value;
	uint32_t kinds = 0;
	size_t i;

	json_array_foreach(values, i, value)
	{
		enum cs_leaf_kind kind;
		const char *state = json_string_value(value);

		if (state == NULL ||
		    !cs_leaf_kind_parse(cs_span_str(state), &kind))
			return UINT32_MAX;
		kinds |= 1u << kind;
	}
	return kinds == 0 ? UINT32_MAX : kinds;
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
	if (q->what->kind == CS_QUERY_HISTORY)
		l->kinds = CS_QUERY_DECISIONS;
	if (q->what->kind == CS_QUERY_REQUESTS)
		l->kinds = kinds_of_states(q);
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
	cs_buf_add(&text, q->what->issuers);
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
	uint64_t position = 0;

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
		position = position << 8 | octets[i];
	l->position = position;
	l->tail = 0;
	l->has_position = 1;
	return true;
}

/* limit, order, times, after. False: refused. */
static bool read_bounds(struct cs_questions *q, struct cs_query_list *l)
{
	struct cs_span order = cs_query_text(q, "order");
	int64_t limit = DEFAULT_LIMIT;
	int64_t after = -1;

	int64_t before = INT64_MAX;

	l->since_ms = INT64_MIN;
	l->until_ms = INT64_MAX;
	l->valid_at_ms = INT64_MIN;
	l->expires_before_s = INT64_MAX;
	if (!read_number(q, "limit", 1, CS_MAX_PAGE_ITEMS, &limit) ||
	    !read_number(q, "after", 0, INT64_MAX, &after) ||
	    !read_number(q, "since_ms", -MAX_MS, MAX_MS, &l->since_ms) ||
	    !read_number(q, "until_ms", -MAX_MS, MAX_MS, &l->until_ms) ||
	    !read_number(q, "valid_at_ms", -MAX_MS, MAX_MS, &l->valid_at_ms) ||
	    !read_number(q, "expires_before_ms", -MAX_MS, MAX_MS, &before))
		return false;
	l->has_valid_at = l->valid_at_ms != INT64_MIN;
	if (before != INT64_MAX) /* rounded up: the second that it is in */
		l->expires_before_s = before / 1000 + (before % 1000 > 0);
	if (order.n > 0 && !cs_span_equal_str(order, "asc") &&
	    !cs_span_equal_str(order, "desc")) {
		cs_query_refuse(q, "BAD_PARAMETER", "order: want asc or desc.");
		return false;
	}
	l->limit = (size_t)limit;
	l->ascending = cs_span_equal_str(order, "asc");
	if (after >= 0) { /* a tail: in order, from there on */
		l->ascending = 1;
		l->tail = 1;
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
	if (!hash_question(q, l, err) || !read_filters(q, l, ret_ok, err) ||
	    (*ret_ok && !add_implied(q, l, err)))
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
	return value.n == a->value.n ||
	       (a->below != 0 && value.p[a->value.n] == a->below);
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

bool cs_query_wants(const struct cs_query_list *l, int64_t kind, int64_t at_ms)
{
	return kind > 0 && kind < 32 && (l->kinds >> kind & 1) != 0 &&
	       at_ms >= l->since_ms && at_ms < l->until_ms;
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
