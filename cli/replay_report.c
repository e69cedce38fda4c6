#include "cli/replay_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/limits.h"
#include "base/mem.h"

/* A group's name: class, policy, rule, code and field. */
#define KEY_BYTES 4096
/* Issuers and policies that are counted apart. */
#define MAX_NAMES 10000

struct group {
	json_t *json; /* owned, as it is told */
	enum cs_replay_class class;
	size_t count;
	size_t weight, names, csr_octets; /* of the witness */
};

struct cs_replay_report {
	size_t classes[CS_REPLAY_CLASSES];
	size_t skips[CS_SKIPS];
	size_t decisions, other_ca, groups_more;
	json_t *first, *last; /* when they were judged; owned */
	struct group groups[CS_MAX_REPLAY_GROUPS];
	size_t groups_n;
	json_t *index;	  /* key: number of the group */
	json_t *issuers;  /* name: {CLASS: n} */
	json_t *policies; /* the same */
	struct cs_buf key;
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s != NULL ? s : "";
}

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory for the report");
}

void cs_replay_report_free(struct cs_replay_report *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->groups_n; i++)
		json_decref(r->groups[i].json);
	json_decref(r->first);
	json_decref(r->last);
	json_decref(r->index);
	json_decref(r->issuers);
	json_decref(r->policies);
	cs_buf_done(&r->key);
	cs_mem_free(r);
}

struct cs_replay_report *cs_replay_report_new(struct cs_error *err)
{
	struct cs_replay_report *r = cs_mem_new(sizeof(*r));

	if (r != NULL) {
		cs_buf_init(&r->key, KEY_BYTES);
		r->index = json_object();
		r->issuers = json_object();
		r->policies = json_object();
	}
	if (r != NULL && r->index != NULL && r->issuers != NULL &&
	    r->policies != NULL)
		return r;
	cs_replay_report_free(r);
	(void)no_memory(err);
	return NULL;
}

size_t cs_replay_report_count(const struct cs_replay_report *r,
			      enum cs_replay_class c)
{
	return r->classes[c];
}

/* -- counting -------------------------------------------------------------- */

/* One more in object[name]. */
static bool increment(json_t *object, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(object, name));

	return json_object_set_new(object, name, json_integer(n + 1)) == 0;
}

/* One more of a class for an issuer or a policy; beyond many, for "…". */
static bool count_for(json_t *table, const char *name, enum cs_replay_class c)
{
	json_t *row;

	if (name[0] == '\0')
		name = "-";
	row = json_object_get(table, name);
	if (row == NULL && json_object_size(table) >= MAX_NAMES) {
		name = "\xe2\x80\xa6";
		row = json_object_get(table, name);
	}
	if (row == NULL) {
		row = json_object();
		if (json_object_set_new(table, name, row) != 0)
			return false;
	}
	return increment(row, "replayed") &&
	       increment(row, cs_replay_class_name(c));
}

/* When the item was judged, as the first or last of all. */
static void take_time(struct cs_replay_report *r, const json_t *item)
{
	json_t *judged = json_object_get(item, "judged");
	const char *text = text_of(item, "judged");

	/* RFC 3339 in UTC: in the order of their texts. */
	if (r->first == NULL || strcmp(text, json_string_value(r->first)) < 0) {
		json_decref(r->first);
		r->first = json_incref(judged);
	}
	if (r->last == NULL || strcmp(text, json_string_value(r->last)) > 0) {
		json_decref(r->last);
		r->last = json_incref(judged);
	}
}

/* -- groups ---------------------------------------------------------------- */

/* The group's key in r->key. */
static bool make_key(struct cs_replay_report *r,
		     const struct cs_replay_result *x)
{
	/* "san.dns[1]" and "san.dns[2]" are one field. */
	size_t n = strcspn(x->field, "[");

	cs_buf_reset(&r->key);
	cs_buf_addf(&r->key, "%d\n%s\n%s\n%s\n%s\n%.*s", (int)x->class,
		    x->policy, x->rule, x->at, x->code, (int)n, x->field);
	return cs_buf_ok(&r->key);
}

/* [{"field", "now", "was"}] */
static json_t *changes(const struct cs_cert_diff *diff)
{
	json_t *list = json_array();

	for (size_t i = 0; i < diff->n; i++) {
		const struct cs_cert_change *c = &diff->items[i];
		json_t *was = json_stringn((const char *)c->was.p, c->was.n);
		json_t *now = json_stringn((const char *)c->now.p, c->now.n);

		json_array_append_new(list, json_pack("{s:s, s:o, s:o}",
						      "field", c->field, "now",
						      now, "was", was));
	}
	return list;
}

/* What the candidate says, as a dry run does. */
static json_t *answer(const struct cs_replay_result *x)
{
	json_t *a = json_copy(x->now);
	json_t *verdict = json_object_get(a, "verdict");

	json_object_set_new(a, "would",
			    x->class == CS_REPLAY_HELD ? json_string("held")
						       : json_incref(verdict));
	json_object_del(a, "verdict");
	if (x->class == CS_REPLAY_HELD)
		json_object_del(a, "final");
	return a;
}

/* The witness of a group. NULL: no memory. */
static json_t *witness(const json_t *item, const struct cs_replay_result *x)
{
	static const char *const copied[] = {"id", "index", "issuer", "judged",
					     "names"};
	const char *requester =
		text_of(json_object_get(item, "scalars"), "requester");
	json_t *w = json_object();
	bool ok = w != NULL;

	for (size_t i = 0; ok && i < sizeof(copied) / sizeof(copied[0]); i++) {
		json_t *value = json_object_get(item, copied[i]);

		ok = value == NULL || json_object_set(w, copied[i], value) == 0;
	}
	ok = ok &&
	     json_object_set_new(w, "requester", json_string(requester)) == 0;
	if (ok && x->now != NULL)
		ok = json_object_set_new(w, "answer", answer(x)) == 0;
	if (ok && x->was != NULL)
		ok = json_object_set(w, "was", x->was) == 0;
	if (ok && x->diff.n > 0)
		ok = json_object_set_new(w, "changes", changes(&x->diff)) == 0;
	if (ok && x->class == CS_REPLAY_ERROR)
		ok = json_object_set_new(w, "error",
					 json_string(x->why.text)) == 0;
	if (ok)
		return w;
	json_decref(w);
	return NULL;
}

/* The group of the key, made if it is new. *ret NULL: there are too many. */
static bool find_group(struct cs_replay_report *r,
		       const struct cs_replay_result *x, struct group **ret)
{
	const char *key = cs_buf_str(&r->key);
	const json_t *at = json_object_get(r->index, key);
	struct group *g;
	size_t n = strcspn(x->field, "[");

	*ret = NULL;
	if (at != NULL) {
		*ret = &r->groups[json_integer_value(at)];
		return true;
	}
	if (r->groups_n == CS_MAX_REPLAY_GROUPS)
		return true;
	if (json_object_set_new(r->index, key,
				json_integer((json_int_t)r->groups_n)) != 0)
		return false;
	g = &r->groups[r->groups_n];
	*g = (struct group){.class = x->class};
	g->json = json_pack("{s:s, s:s, s:s, s:s%, s:s, s:s}", "at", x->at,
			    "class", cs_replay_class_name(x->class), "code",
			    x->code, "field", x->field, n, "policy", x->policy,
			    "rule", x->rule);
	if (g->json == NULL)
		return false;
	r->groups_n++;
	*ret = g;
	return true;
}

/* Is this request smaller than the group's witness? */
static bool is_smaller(const struct group *g, const struct cs_replay_result *x,
		       size_t names)
{
	if (g->count == 0 || x->weight != g->weight)
		return g->count == 0 || x->weight < g->weight;
	if (names != g->names)
		return names < g->names;
	return x->csr_octets < g->csr_octets;
}

/* One more of its group, and perhaps its witness. */
static bool add_to_group(struct cs_replay_report *r, const json_t *item,
			 const struct cs_replay_result *x)
{
	size_t names = json_array_size(json_object_get(item, "names"));
	struct group *g;

	if (!make_key(r, x) || !find_group(r, x, &g))
		return false;
	if (g == NULL) {
		r->groups_more++;
		return true;
	}
	if (is_smaller(g, x, names)) {
		g->weight = x->weight;
		g->names = names;
		g->csr_octets = x->csr_octets;
		if (json_object_set_new(g->json, "witness", witness(item, x)) !=
		    0)
			return false;
	}
	g->count++;
	return true;
}

bool cs_replay_report_add(struct cs_replay_report *r, const json_t *item,
			  const struct cs_replay_result *x,
			  struct cs_error *err)
{
	const json_t *policy = json_object_get(x->was, "policy");

	r->decisions++;
	r->classes[x->class]++;
	if (x->class == CS_REPLAY_NOT_REPLAYED) {
		r->skips[x->skip]++;
		return true;
	}
	r->other_ca += x->other_ca;
	take_time(r, item);
	if (!count_for(r->issuers, text_of(item, "issuer"), x->class) ||
	    !count_for(r->policies, text_of(policy, "name"), x->class) ||
	    (x->class != CS_REPLAY_UNCHANGED && !add_to_group(r, item, x)))
		return no_memory(err);
	return true;
}

/* -- the report ------------------------------------------------------------ */

/* By class, then the larger before the smaller, then as they came. */
static int compare_groups(const void *a, const void *b)
{
	const struct group *const *x = a;
	const struct group *const *y = b;

	if ((*x)->class != (*y)->class)
		return (*x)->class < (*y)->class ? -1 : 1;
	if ((*x)->count != (*y)->count)
		return (*x)->count > (*y)->count ? -1 : 1;
	return *x < *y ? -1 : 1;
}

static json_t *groups_json(const struct cs_replay_report *r)
{
	const struct group *sorted[CS_MAX_REPLAY_GROUPS];
	json_t *list = json_array();

	for (size_t i = 0; i < r->groups_n; i++)
		sorted[i] = &r->groups[i];
	qsort(sorted, r->groups_n, sizeof(sorted[0]), compare_groups);
	for (size_t i = 0; i < r->groups_n; i++) {
		json_t *g = json_copy(sorted[i]->json);

		json_object_set_new(g, "count",
				    json_integer((json_int_t)sorted[i]->count));
		json_array_append_new(list, g);
	}
	return list;
}

/* {name: {CLASS: n}} as [{MEMBER: name, CLASS: n}], by name. */
static json_t *table_json(json_t *table, const char *member)
{
	json_t *list = json_array();
	const char *name;
	json_t *row;

	json_object_foreach(table, name, row)
	{
		json_t *copy = json_copy(row);

		json_object_set_new(copy, member, json_string(name));
		for (int c = 0; c < CS_REPLAY_NOT_REPLAYED; c++) {
			const char *class =
				cs_replay_class_name((enum cs_replay_class)c);

			if (json_object_get(copy, class) == NULL)
				json_object_set_new(copy, class,
						    json_integer(0));
		}
		json_array_append_new(list, copy);
	}
	return list;
}

/* {"set_sha256", "what"} */
static json_t *candidate_json(const char *what, const uint8_t *set_sha256)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf hex;
	json_t *json = json_pack("{s:s}", "what", what);

	cs_buf_init(&hex, 128);
	if (set_sha256 == NULL)
		return json;
	cs_codec_hex(cs_span_make(set_sha256, 32), &hex);
	json_object_set_new(json, "set_sha256", json_string(cs_buf_str(&hex)));
	return json;
}

/* {CLASS: n} and {REASON: n} */
static json_t *counts_json(const struct cs_replay_report *r, json_t **ret_skips)
{
	json_t *classes = json_object();

	*ret_skips = json_object();
	for (int c = 0; c < CS_REPLAY_NOT_REPLAYED; c++)
		json_object_set_new(
			classes, cs_replay_class_name((enum cs_replay_class)c),
			json_integer((json_int_t)r->classes[c]));
	for (int s = 0; s < CS_SKIPS; s++)
		json_object_set_new(*ret_skips,
				    cs_replay_skip_name((enum cs_replay_skip)s),
				    json_integer((json_int_t)r->skips[s]));
	return classes;
}

json_t *cs_replay_report_json(const struct cs_replay_report *r,
			      const char *what, const uint8_t *set_sha256)
{
	size_t skipped = r->classes[CS_REPLAY_NOT_REPLAYED];
	json_t *skips;
	json_t *classes = counts_json(r, &skips);
	json_t *report = json_pack(
		"{s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:I}", "candidate",
		candidate_json(what, set_sha256), "classes", classes,
		"decisions", (json_int_t)r->decisions, "groups", groups_json(r),
		"issuers", table_json(r->issuers, "issuer"), "not_replayed",
		skips, "policies", table_json(r->policies, "policy"),
		"replayed", (json_int_t)(r->decisions - skipped));

	if (report == NULL)
		return NULL;
	if (r->first != NULL) {
		json_object_set(report, "first", r->first);
		json_object_set(report, "last", r->last);
	}
	if (r->groups_more > 0)
		json_object_set_new(report, "groups_more",
				    json_integer((json_int_t)r->groups_more));
	if (r->other_ca > 0)
		json_object_set_new(report, "other_ca",
				    json_integer((json_int_t)r->other_ca));
	return report;
}
