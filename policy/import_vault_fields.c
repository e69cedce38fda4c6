/* How the fields of Vault's roles are read: flags, and lists of two forms. */
#include "policy/import_vault.h"

bool cs_vault_flag(struct cs_importing *i, const struct cs_vault *v,
		   const char *name, bool fallback)
{
	(void)cs_import_bool(i, cs_yaml_get(v->role, name), name, &fallback);
	return fallback;
}

void cs_vault_list(struct cs_importing *i, const struct cs_vault *v,
		   const char *name, struct cs_vault_list *ret_list)
{
	const struct cs_yaml *node = cs_yaml_get(v->role, name);

	*ret_list = (struct cs_vault_list){0};
	if (!cs_import_has(node))
		return;
	if (node->kind == CS_YAML_TEXT) {
		ret_list->node = node;
		ret_list->rest = node->text;
	} else if (cs_import_is_list(i, node, name)) {
		ret_list->node = node;
		ret_list->item = node->child;
	}
}

/* Without blanks at its ends. */
static struct cs_span trim(struct cs_span s)
{
	while (s.n > 0 && s.p[0] == ' ')
		s = cs_span_sub(s, 1, SIZE_MAX);
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

bool cs_vault_next(struct cs_importing *i, struct cs_vault_list *list,
		   struct cs_span *ret_text, const char **ret_field)
{
	while (list->node != NULL && !i->failed) {
		char *key = cs_arena_str(i->arena, list->node->key);
		size_t comma = list->rest.n;

		if (key == NULL) {
			i->no_memory = true;
			return false;
		}
		*ret_field = cs_import_item(i, key, list->n++);
		if (list->node->kind == CS_YAML_LIST) {
			const struct cs_yaml *item = list->item;

			if (item == NULL)
				return false;
			list->item = item->next;
			if (!cs_import_text(i, item, *ret_field, ret_text)) {
				cs_import_fail(i, item, *ret_field,
					       "a text is wanted");
				return false;
			}
		} else {
			if (list->rest.n == 0)
				return false;
			(void)cs_span_find(list->rest, ',', &comma);
			*ret_text = cs_span_sub(list->rest, 0, comma);
			list->rest =
				cs_span_sub(list->rest, comma + 1, SIZE_MAX);
		}
		*ret_text = trim(*ret_text);
		if (ret_text->n > 0)
			return true;
	}
	return false;
}
