#include <string.h>

#include "base/time.h"
#include "policy/load.h"
#include "policy/template.h"

struct cs_rule cs_load_rule(struct cs_load *l, const char *path,
			    const struct cs_yaml *node)
{
	unsigned line = node->key.n > 0 ? node->key_line : node->line;
	char *id = cs_arena_printf(l->arena, "%.*s/%s", CS_SPAN_FMT(l->policy),
				   path);
	/* What is compiled in has no place. */
	char *at = l->source.n == 0
			   ? cs_arena_str(l->arena, l->source)
			   : cs_arena_printf(l->arena, "%.*s:%u",
					     CS_SPAN_FMT(l->source), line);

	if (id == NULL || at == NULL)
		cs_load_no_memory(l);
	return (struct cs_rule){cs_span_str(id), cs_span_str(at)};
}

/* Does the text hold "{{"? */
static bool interpolates(struct cs_span text)
{
	for (size_t i = 0; i + 1 < text.n; i++) {
		if (text.p[i] == '{' && text.p[i + 1] == '{')
			return true;
	}
	return false;
}

bool cs_load_text_as_it_is(struct cs_load *l, const struct cs_yaml *node,
			   struct cs_span *ret_text)
{
	if (node == NULL)
		return false;
	if (cs_yaml_get(node, "cel") != NULL) {
		cs_load_error(l, node,
			      "`cel` is not supported yet by this version");
		return false;
	}
	if (node->kind == CS_YAML_INT || node->kind == CS_YAML_BOOL) {
		cs_load_error(l, node, "text is wanted, not %s; quote this",
			      cs_yaml_kind_name(node->kind));
		return false;
	}
	if (node->kind != CS_YAML_TEXT) {
		cs_load_error(l, node, "text is wanted, not %s",
			      cs_yaml_kind_name(node->kind));
		return false;
	}
	*ret_text = node->text;
	return true;
}

bool cs_load_text(struct cs_load *l, const struct cs_yaml *node,
		  struct cs_span *ret_text)
{
	if (!cs_load_text_as_it_is(l, node, ret_text))
		return false;
	if (interpolates(node->text)) {
		cs_load_error(l, node,
			      "{{path}} cannot stand here; it may in vars, "
			      "set, default, "
			      "matchers and the keys of limits");
		return false;
	}
	return true;
}

bool cs_load_bool(struct cs_load *l, const struct cs_yaml *node,
		  bool *ret_value)
{
	if (node == NULL)
		return false;
	if (node->kind != CS_YAML_BOOL) {
		cs_load_error(l, node, "true or false is wanted, not %s",
			      cs_yaml_kind_name(node->kind));
		return false;
	}
	*ret_value = node->boolean;
	return true;
}

bool cs_load_int(struct cs_load *l, const struct cs_yaml *node, int64_t min,
		 int64_t max, int64_t *ret_value)
{
	if (node == NULL)
		return false;
	if (node->kind != CS_YAML_INT) {
		cs_load_error(l, node, "a whole number is wanted, not %s",
			      cs_yaml_kind_name(node->kind));
		return false;
	}
	if (node->integer < min || node->integer > max) {
		cs_load_error(l, node, "%lld is not within %lld..%lld",
			      (long long)node->integer, (long long)min,
			      (long long)max);
		return false;
	}
	*ret_value = node->integer;
	return true;
}

bool cs_load_duration(struct cs_load *l, const struct cs_yaml *node,
		      int64_t *ret_seconds)
{
	struct cs_error err = {0};
	struct cs_span text;

	if (node != NULL && node->kind == CS_YAML_INT) {
		cs_load_error(l, node,
			      "a duration needs a unit: 90d, 24h, 30m, 15s");
		return false;
	}
	if (!cs_load_text(l, node, &text))
		return false;
	if (!cs_time_parse_duration(text, ret_seconds, &err)) {
		cs_load_error(l, node, "%s", err.text);
		return false;
	}
	return true;
}

bool cs_load_word(struct cs_load *l, const struct cs_yaml *node,
		  const char *const *words, unsigned *ret_index)
{
	char list[128] = "";
	struct cs_span text;

	if (!cs_load_text(l, node, &text))
		return false;
	for (unsigned i = 0; words[i] != NULL; i++) {
		size_t used = strlen(list), n = strlen(words[i]);

		if (cs_span_equal_str(text, words[i])) {
			*ret_index = i;
			return true;
		}
		if (used + n + 5 < sizeof(list)) {
			memcpy(list + used, " or ", 5);
			memcpy(list + used + 4, words[i], n + 1);
		}
	}
	cs_load_error(l, node, "`%.*s` is not %s", CS_SPAN_FMT(text), list + 4);
	return false;
}

size_t cs_load_list(struct cs_load *l, const struct cs_yaml *node,
		    const struct cs_yaml **ret_first)
{
	if (node == NULL)
		return 0;
	if (node->kind == CS_YAML_LIST && node->n == 0) {
		cs_load_error(l, node,
			      "the list is empty; leave the key out instead");
		return 0;
	}
	if (node->kind == CS_YAML_NULL) {
		cs_load_error(l, node,
			      "there is no value; leave the key out instead");
		return 0;
	}
	*ret_first = node->kind == CS_YAML_LIST ? node->child : node;
	return node->kind == CS_YAML_LIST ? node->n : 1;
}

bool cs_load_texts(struct cs_load *l, const struct cs_yaml *node,
		   struct cs_span **ret_items, size_t *ret_n)
{
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);
	struct cs_span *items;
	bool ok = true;

	if (n == 0)
		return false;
	items = cs_arena_new_array(l->arena, n, sizeof(*items));
	if (items == NULL) {
		cs_load_no_memory(l);
		return false;
	}
	for (size_t i = 0; i < n; i++, item = item->next)
		ok = cs_load_text(l, item, &items[i]) && ok;
	if (!ok)
		return false;
	*ret_items = items;
	*ret_n = n;
	return true;
}

void cs_load_count(struct cs_load *l, const struct cs_yaml *node,
		   const char *path, struct cs_count *count)
{
	int64_t value;

	if (!cs_load_int(l, node, 0, CS_MAX_NAMES, &value))
		return;
	count->present = true;
	count->value = (size_t)value;
	count->rule = cs_load_rule(l, path, node);
}

void cs_load_on_violation(struct cs_load *l, const struct cs_yaml *node,
			  enum cs_on_violation *action)
{
	static const char *const words[] = {"reject", "drop", NULL};
	unsigned i;

	if (cs_load_word(l, node, words, &i))
		*action =
			i == 0 ? CS_ON_VIOLATION_REJECT : CS_ON_VIOLATION_DROP;
}

void cs_load_unlisted(struct cs_load *l, const struct cs_yaml *section,
		      const char *path, struct cs_unlisted *unlisted)
{
	const struct cs_yaml *node = cs_yaml_get(section, "unlisted");

	unlisted->action = CS_ON_VIOLATION_REJECT;
	unlisted->rule = cs_load_rule(l, path, node != NULL ? node : section);
	cs_load_on_violation(l, node, &unlisted->action);
}

struct cs_span cs_load_join(struct cs_load *l, const struct cs_span *items,
			    size_t n)
{
	struct cs_span joined = {0};

	if (!cs_template_join(items, n, l->arena, &joined))
		cs_load_no_memory(l);
	return joined;
}
