#include "base/time.h"
#include "policy/load.h"

/* The longest trailing window: ten years. */
#define MAX_WINDOW ((int64_t)3650 * 86400)
#define MAX_COUNT  1000000

const struct cs_load_key cs_keys_limit[] = {
	{"id", false, "id"},	 {"key", false, "text"},
	{"rate", false, "rate"}, {"on_violation", false, "hold"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_window[] = {
	{"id", false, "id"},	{"deny", false, "text"},
	{"unless", true, NULL}, {"on_violation", false, "hold"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_lint[] = {
	{"fail", false, "lint_level+"},
	{NULL, false, NULL},
};

bool cs_load_id(struct cs_load *l, const struct cs_yaml *node,
		const char *prefix, struct cs_rule *rule)
{
	const struct cs_yaml *id = cs_yaml_get(node, "id");
	struct cs_span text;
	char *path;

	if (id == NULL) {
		cs_load_error(l, node, "`%s` without `id`", l->path);
		return false;
	}
	if (!cs_load_text(l, id, &text))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' &&
		    c != '_')
			text.n = 0;
	}
	if (text.n == 0 || text.n > CS_MAX_NAME) {
		cs_load_error(l, id,
			      "an id has 1 to %d lower case letters, digits, "
			      "`-` and `_`",
			      CS_MAX_NAME);
		return false;
	}
	path = cs_arena_printf(l->arena, "%s%.*s", prefix, CS_SPAN_FMT(text));
	if (path == NULL) {
		cs_load_no_memory(l);
		return false;
	}
	*rule = cs_load_rule(l, path, node);
	return true;
}

/* Maps of a list, not more than allowed; 0: none, or reported. */
static size_t begin(struct cs_load *l, const struct cs_yaml *node,
		    const char *path, const struct cs_yaml **ret_first)
{
	size_t n = cs_load_list(l, node, ret_first);

	l->path = path;
	if (n <= CS_MAX_POLICY_LIMITS)
		return n;
	cs_load_error(l, node, "more than %d of `%s`", CS_MAX_POLICY_LIMITS,
		      path);
	return 0;
}

/* reject | hold */
static void load_on_violation(struct cs_load *l, const struct cs_yaml *node,
			      enum cs_on_violation *action)
{
	static const char *const words[] = {"reject", "hold", NULL};
	unsigned i = 0;

	if (node != NULL && cs_load_word(l, node, words, &i))
		*action =
			i == 0 ? CS_ON_VIOLATION_REJECT : CS_ON_VIOLATION_HOLD;
}

/* 6/1h: so many in a trailing window. */
static bool load_rate(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_limit_rule *rule)
{
	struct cs_error err = {0};
	struct cs_span text;
	int64_t window = 0;
	uint32_t count = 0;
	size_t slash = 0;
	bool ok;

	if (!cs_load_text(l, node, &text))
		return false;
	ok = cs_span_find(text, '/', &slash) && slash > 0 && slash < 8;
	for (size_t i = 0; ok && i < slash; i++) {
		ok = text.p[i] >= '0' && text.p[i] <= '9';
		count = count * 10 + (uint32_t)(text.p[i] - '0');
	}
	ok = ok &&
	     cs_time_parse_duration(cs_span_sub(text, slash + 1, SIZE_MAX),
				    &window, &err);
	if (!ok || count == 0 || count > MAX_COUNT || window < 1 ||
	    window > MAX_WINDOW) {
		cs_load_error(l, node,
			      "a rate is a count and a window, such as 6/1h; "
			      "at most %d in at most 3650d",
			      MAX_COUNT);
		return false;
	}
	rule->count = count;
	rule->window_s = (uint32_t)window;
	return true;
}

/* {id, key, rate, on_violation} */
static bool load_limit(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_limit_rule *rule)
{
	const struct cs_yaml *key = cs_yaml_get(node, "key");
	const struct cs_yaml *rate = cs_yaml_get(node, "rate");

	if (!cs_load_map(l, node, cs_keys_limit) ||
	    !cs_load_id(l, node, "limits.", &rule->rule))
		return false;
	load_on_violation(l, cs_yaml_get(node, "on_violation"),
			  &rule->on_violation);
	if (key == NULL || rate == NULL) {
		cs_load_error(l, node, "a limit has `id`, `key` and `rate`");
		return false;
	}
	if (!cs_load_template(l, key, &rule->template))
		return false;
	rule->key = key->text;
	if (rule->template.is_list) {
		cs_load_error(l, key, "a list cannot be the key of a limit");
		return false;
	}
	if (rule->key.n > CS_MAX_PRINCIPAL) {
		cs_load_error(l, key, "longer than %d bytes", CS_MAX_PRINCIPAL);
		return false;
	}
	return load_rate(l, rate, rule);
}

void cs_load_limits(struct cs_load *l, const struct cs_yaml *node,
		    struct cs_timing_rules *timing)
{
	const struct cs_yaml *item = NULL;
	size_t n = begin(l, node, "limits", &item);

	timing->has_limits = node != NULL;
	if (n == 0)
		return;
	timing->limits =
		cs_arena_new_array(l->arena, n, sizeof(*timing->limits));
	if (timing->limits == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (size_t i = 0; i < n; i++, item = item->next) {
		struct cs_limit_rule *r = &timing->limits[timing->limits_n];

		if (!load_limit(l, item, r))
			continue;
		for (size_t k = 0; k < timing->limits_n; k++) {
			if (cs_span_equal(timing->limits[k].rule.id,
					  r->rule.id))
				cs_load_error(l, item, "the id is there twice");
		}
		timing->limits_n++;
	}
}

bool cs_load_time(struct cs_load *l, struct cs_span text, int64_t *ret_seconds)
{
	struct cs_error err = {0};
	char *full = NULL;
	int64_t ms = 0;

	if (text.n == 17 && text.p[16] == 'Z')
		full = cs_arena_printf(l->arena, "%.*s:00Z",
				       CS_SPAN_FMT(cs_span_sub(text, 0, 16)));
	else
		full = cs_arena_str(l->arena, text);
	if (full == NULL) {
		cs_load_no_memory(l);
		return false;
	}
	if (!cs_time_parse_rfc3339(cs_span_str(full), &ms, &err))
		return false;
	*ret_seconds = ms / 1000;
	return true;
}

/* deny: FROM/TO */
static bool load_deny(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_window_rule *rule)
{
	struct cs_span text;
	size_t slash = 0;

	if (!cs_load_text(l, node, &text))
		return false;
	if (!cs_span_find(text, '/', &slash) ||
	    !cs_load_time(l, cs_span_sub(text, 0, slash), &rule->from_s) ||
	    !cs_load_time(l, cs_span_sub(text, slash + 1, SIZE_MAX),
			  &rule->to_s)) {
		cs_load_error(l, node,
			      "a window is two times, such as "
			      "2026-12-20T00:00Z/2027-01-03T00:00Z");
		return false;
	}
	if (rule->from_s >= rule->to_s) {
		cs_load_error(l, node, "the window ends before it begins");
		return false;
	}
	return true;
}

/* {id, deny, on_violation} */
static bool load_window(struct cs_load *l, const struct cs_yaml *node,
			struct cs_window_rule *rule)
{
	const struct cs_yaml *deny = cs_yaml_get(node, "deny");

	if (!cs_load_map(l, node, cs_keys_window) ||
	    !cs_load_id(l, node, "windows.", &rule->rule))
		return false;
	rule->on_violation = CS_ON_VIOLATION_HOLD;
	load_on_violation(l, cs_yaml_get(node, "on_violation"),
			  &rule->on_violation);
	if (deny == NULL) {
		cs_load_error(l, node, "a window has `id` and `deny`");
		return false;
	}
	return load_deny(l, deny, rule);
}

void cs_load_windows(struct cs_load *l, const struct cs_yaml *node,
		     struct cs_timing_rules *timing)
{
	const struct cs_yaml *item = NULL;
	size_t n = begin(l, node, "windows", &item);

	if (n == 0)
		return;
	timing->windows =
		cs_arena_new_array(l->arena, n, sizeof(*timing->windows));
	if (timing->windows == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (size_t i = 0; i < n; i++, item = item->next) {
		struct cs_window_rule *r = &timing->windows[timing->windows_n];

		if (!load_window(l, item, r))
			continue;
		for (size_t k = 0; k < timing->windows_n; k++) {
			if (cs_span_equal(timing->windows[k].rule.id,
					  r->rule.id))
				cs_load_error(l, item, "the id is there twice");
		}
		timing->windows_n++;
	}
}

void cs_load_lint(struct cs_load *l, const struct cs_yaml *node,
		  struct cs_timing_rules *timing)
{
	static const char *const words[] = {"error", "warning", NULL};
	const struct cs_yaml *fail = cs_yaml_get(node, "fail");
	const struct cs_yaml *item = NULL;
	bool errors = false;
	size_t n;

	l->path = "lint";
	if (!cs_load_map(l, node, cs_keys_lint))
		return;
	if (fail == NULL) {
		cs_load_error(l, node, "`lint` without `fail`");
		return;
	}
	n = cs_load_list(l, fail, &item);
	for (size_t i = 0; i < n; i++, item = item->next) {
		unsigned word = 0;

		if (!cs_load_word(l, item, words, &word))
			return;
		errors = errors || word == 0;
		timing->lint_warnings_refuse =
			timing->lint_warnings_refuse || word == 1;
	}
	if (n > 0 && !errors)
		cs_load_error(l, fail,
			      "errors always fail: write [error] or "
			      "[error, warning]");
}
