#include "policy/load.h"
#include "policy/match.h"

const struct cs_load_key cs_keys_match[] = {
	{"issuer", false, "text+"},
	{"source", false, "text+"},
	{"requester", false, "requester"},
	{"realm", false, "text+"},
	{"namespace", false, "text+"},
	{"namespaceLabels", false, "labels"},
	{"until", false, "text"},
	{"when", true, NULL},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_requester[] = {
	{"users", false, "text+"},	     {"groups", false, "text+"},
	{"extra", false, "extra"},	     {"namespace", false, "text+"},
	{"service_account", false, "text+"}, {NULL, false, NULL},
};

/* Identifiers of ours, and globs on them. */
static bool is_glob(struct cs_span s)
{
	if (s.n == 0 || s.n > CS_MAX_NAME)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '_' || c == '.' || c == '*'))
			return false;
	}
	return true;
}

/* A list of names of users or groups, as they are. */
static void load_names(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_selector *selector)
{
	if (node == NULL)
		return;
	selector->present =
		cs_load_texts(l, node, &selector->items, &selector->n);
}

void cs_load_globs(struct cs_load *l, const struct cs_yaml *node,
		   struct cs_selector *selector)
{
	const struct cs_yaml *item;

	load_names(l, node, selector);
	if (!selector->present)
		return;
	item = node->kind == CS_YAML_LIST ? node->child : node;
	for (size_t i = 0; i < selector->n; i++, item = item->next) {
		if (!is_glob(selector->items[i]))
			cs_load_error(l, item,
				      "`%.*s` is no identifier or glob: lower "
				      "case letters, digits, `-`, `_`, `.` "
				      "and `*`, at most %d",
				      CS_SPAN_FMT(selector->items[i]),
				      CS_MAX_NAME);
	}
}

/* Globs on user names, which may hold more than identifiers do. */
static void load_users(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_selector *selector)
{
	const struct cs_yaml *item;

	load_names(l, node, selector);
	if (!selector->present)
		return;
	item = node->kind == CS_YAML_LIST ? node->child : node;
	for (size_t i = 0; i < selector->n; i++, item = item->next) {
		if (selector->items[i].n > CS_MAX_PRINCIPAL)
			cs_load_error(l, item, "longer than %d bytes",
				      CS_MAX_PRINCIPAL);
		if (cs_span_equal_str(selector->items[i], "*"))
			cs_load_error(l, item,
				      "`*` alone is any user; leave "
				      "`users` out instead");
	}
}

/* Room for what a map with members gives; NULL: absent, or reported. */
static void *map_room(struct cs_load *l, const struct cs_yaml *node,
		      size_t size, const char *wanted)
{
	void *room;

	if (node == NULL)
		return NULL;
	if (node->kind != CS_YAML_MAP || node->n == 0) {
		cs_load_error(l, node, "%s", wanted);
		return NULL;
	}
	room = cs_arena_new_array(l->arena, node->n, size);
	if (room == NULL)
		cs_load_no_memory(l);
	return room;
}

/* namespaceLabels: {tier: web}; the namespace must have all of them. */
static void load_labels(struct cs_load *l, const struct cs_yaml *node,
			struct cs_match_rules *match)
{
	match->labels = map_room(l, node, sizeof(*match->labels),
				 "`match.namespaceLabels` wants labels, such "
				 "as {tier: web}");
	if (match->labels == NULL)
		return;
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next) {
		struct cs_fact_pair *label = &match->labels[match->labels_n];

		label->key = c->key;
		if (cs_load_text(l, c, &label->value))
			match->labels_n++;
	}
}

/*
 * until: a day, which is the last one, or an RFC 3339 time, whose seconds may
 * be left out. Always in UTC, unless the time says otherwise.
 */
static void load_until(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_match_rules *match)
{
	struct cs_span text, whole;
	bool day;

	if (!cs_load_text(l, node, &text))
		return;
	whole = text;
	day = text.n == 10;
	if (day) {
		whole = cs_span_str(cs_arena_printf(l->arena, "%.*sT00:00:00Z",
						    CS_SPAN_FMT(text)));
		if (whole.p == NULL) {
			cs_load_no_memory(l);
			return;
		}
	}
	if (!cs_load_time(l, whole, &match->until_s)) {
		if (!l->no_memory)
			cs_load_error(l, node,
				      "`%.*s` is no date: write 2027-03-31 "
				      "for the last day, or "
				      "2027-03-31T12:00Z",
				      CS_SPAN_FMT(text));
		return;
	}
	match->has_until = true;
	if (day)
		match->until_s += 86400;
}

/* The house's own certificates have policies that cannot be replaced. */
static void refuse_house(struct cs_load *l, const struct cs_yaml *node,
			 const struct cs_selector *source)
{
	if (l->policy.n > 0 && l->policy.p[0] == '_')
		return;
	for (size_t i = 0; i < source->n; i++) {
		struct cs_span name = source->items[i];
		enum cs_house_source house;

		if (cs_house_source(name, &house))
			cs_load_error(l, node,
				      "the source `%.*s` has a policy of its "
				      "own, `_%.*s`",
				      CS_SPAN_FMT(name), CS_SPAN_FMT(name));
	}
}

/*
 * What cert-manager's own controller asks for, it asks for itself: the
 * requester is not who wrote the Certificate.
 */
static void warn_of_requester(struct cs_load *l, const struct cs_yaml *node,
			      const struct cs_selector *source)
{
	for (size_t i = 0; i < source->n; i++) {
		if (!cs_match_glob(source->items[i], CS_SPAN_LIT("kubernetes")))
			continue;
		cs_load_warning(l, node,
				"for requests that a Certificate made, the "
				"requester is cert-manager itself; match "
				"`namespace` or `namespaceLabels` instead");
		return;
	}
}

/*
 * extra: {KEY: VALUES}: of each key, one of the values, as they are. The keys
 * are the requester's own (such as authentication.kubernetes.io/node-name).
 */
static void load_extra(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_match_rules *match)
{
	match->extra = map_room(l, node, sizeof(*match->extra),
				"`match.requester.extra` wants keys with "
				"values, such as {KEY: [VALUE]}");
	if (match->extra == NULL)
		return;
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next) {
		struct cs_fact_extra *e = &match->extra[match->extra_n];

		e->key = c->key;
		if (cs_load_texts(l, c, &e->values, &e->n))
			match->extra_n++;
	}
}

/* match.requester */
static void load_requester(struct cs_load *l, const struct cs_yaml *node,
			   struct cs_match_rules *match)
{
	l->path = "match.requester";
	if (!cs_load_map(l, node, cs_keys_requester))
		return;
	if (node->n == 0)
		cs_load_error(l, node, "`match.requester` is empty");
	load_users(l, cs_yaml_get(node, "users"), &match->users);
	load_names(l, cs_yaml_get(node, "groups"), &match->groups);
	cs_load_globs(l, cs_yaml_get(node, "namespace"),
		      &match->user_namespace);
	cs_load_globs(l, cs_yaml_get(node, "service_account"),
		      &match->service_account);
	load_extra(l, cs_yaml_get(node, "extra"), match);
	warn_of_requester(l, node, &match->source);
}

void cs_load_match(struct cs_load *l, const struct cs_yaml *node,
		   struct cs_match_rules *match)
{
	l->path = "match";
	if (!cs_load_map(l, node, cs_keys_match))
		return;
	if (node->n == 0)
		cs_load_error(l, node,
			      "`match` is empty; leave it out to match all");
	cs_load_globs(l, cs_yaml_get(node, "issuer"), &match->issuer);
	cs_load_globs(l, cs_yaml_get(node, "source"), &match->source);
	cs_load_globs(l, cs_yaml_get(node, "realm"), &match->realm);
	cs_load_globs(l, cs_yaml_get(node, "namespace"), &match->namespace);
	load_labels(l, cs_yaml_get(node, "namespaceLabels"), match);
	load_until(l, cs_yaml_get(node, "until"), match);
	refuse_house(l, node, &match->source);
	load_requester(l, cs_yaml_get(node, "requester"), match);
}
