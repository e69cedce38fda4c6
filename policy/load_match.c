#include "policy/load.h"

static const struct cs_load_key match_keys[] = {
	{"issuer", false}, {"source", false},	{"requester", false},
	{"realm", true},   {"namespace", true}, {"namespaceLabels", true},
	{"until", true},   {"when", true},	{NULL, false},
};

static const struct cs_load_key requester_keys[] = {
	{"users", false},    {"groups", false},		{"extra", true},
	{"namespace", true}, {"service_account", true}, {NULL, false},
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

/* A list of globs. */
static void load_globs(struct cs_load *l, const struct cs_yaml *node,
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

/* The listener's certificate has a policy that cannot be replaced. */
static void refuse_listener(struct cs_load *l, const struct cs_yaml *node,
			    const struct cs_selector *source)
{
	if (l->policy.n > 0 && l->policy.p[0] == '_')
		return;
	for (size_t i = 0; i < source->n; i++) {
		if (cs_span_equal_str(source->items[i], "listener"))
			cs_load_error(l, node,
				      "the source `listener` has a policy of "
				      "its own, `_listener`");
	}
}

void cs_load_match(struct cs_load *l, const struct cs_yaml *node,
		   struct cs_match_rules *match)
{
	const struct cs_yaml *requester = cs_yaml_get(node, "requester");

	l->path = "match";
	if (!cs_load_map(l, node, match_keys))
		return;
	if (node->n == 0)
		cs_load_error(l, node,
			      "`match` is empty; leave it out to match all");
	load_globs(l, cs_yaml_get(node, "issuer"), &match->issuer);
	load_globs(l, cs_yaml_get(node, "source"), &match->source);
	refuse_listener(l, node, &match->source);
	l->path = "match.requester";
	if (!cs_load_map(l, requester, requester_keys))
		return;
	if (requester->n == 0)
		cs_load_error(l, requester, "`match.requester` is empty");
	load_names(l, cs_yaml_get(requester, "users"), &match->users);
	load_names(l, cs_yaml_get(requester, "groups"), &match->groups);
}
