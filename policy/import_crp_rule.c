/*
 * A rule of approver-policy: what one field may have, by globs (`value`,
 * `values`) and by CEL (`validations`).
 */
#include "policy/import_crp.h"

/* A list of globs, as matchers of the object's `allow`. */
static void globs(struct cs_importing *i, const struct cs_yaml *list,
		  const char *field, const struct cs_crp_target *t,
		  json_t *object)
{
	const struct cs_yaml *c =
		list->kind == CS_YAML_LIST ? list->child : list;

	for (size_t n = 0; c != NULL && !i->failed; c = c->next, n++) {
		const char *at = list->kind == CS_YAML_LIST
					 ? cs_import_item(i, field, n)
					 : field;
		struct cs_span glob = {0};
		const char *why = "";
		json_t *m = NULL;

		if (!cs_import_text(i, c, at, &glob)) {
			if (!i->failed)
				cs_import_fail(i, c, at, "a text is wanted");
			return;
		}
		switch (cs_import_glob(i, t->kind, glob, &m, &why)) {
		case CS_PATTERN_MADE:
			cs_import_add(i, object, "allow", m);
			cs_import_tell(i, CS_IMPORT_EXACT, c, at, "%s.allow",
				       t->native);
			break;
		case CS_PATTERN_NEVER:
			cs_import_tell(i, CS_IMPORT_NOTE, c, at, "left out: %s",
				       why);
			break;
		case CS_PATTERN_NOT:
		default:
			cs_import_tell(i, CS_IMPORT_NARROWER, c, at,
				       "left out: %s", why);
		}
		if (list->kind != CS_YAML_LIST)
			return;
	}
}

/* required: at least one. */
static void required(struct cs_importing *i, const struct cs_yaml *rule,
		     const char *path, const struct cs_crp_target *t,
		     json_t *object)
{
	const struct cs_yaml *node = cs_yaml_get(rule, "required");
	const char *field = cs_import_path(i, path, "required");
	bool wanted = false;

	if (!cs_import_bool(i, node, field, &wanted))
		return;
	if (wanted)
		cs_import_set(i, object, "min", json_integer(1));
	cs_import_tell(i, CS_IMPORT_EXACT, node, field,
		       wanted ? "%s.min" : "%s: that is so without saying",
		       t->native);
}

/*
 * The one rule that has a native form: no wildcards. A DNS name that can be
 * issued has a star in front or none.
 */
static bool forbids_wildcards(struct cs_span rule)
{
	static const char *const forms[] = {
		"!self.contains('*')",	    "!self.contains(\"*\")",
		"!self.startsWith('*')",    "!self.startsWith(\"*\")",
		"!self.startsWith('*.')",   "!self.startsWith(\"*.\")",
		"self.contains('*')==false"};
	char text[32];
	size_t n = 0;

	for (size_t k = 0; k < rule.n && n < sizeof(text); k++) {
		if (rule.p[k] != ' ')
			text[n++] = (char)rule.p[k];
	}
	for (size_t k = 0; k < sizeof(forms) / sizeof(forms[0]); k++) {
		if (cs_span_equal_str(cs_span_make(text, n), forms[k]))
			return true;
	}
	return false;
}

/*
 * CEL restricts what `values` allow, so that without it nothing may pass.
 * False: there is none of that sort.
 */
static bool validations(struct cs_importing *i, const struct cs_yaml *rule,
			const char *path, const struct cs_crp_target *t,
			bool *ret_no_wildcards)
{
	const struct cs_yaml *list = cs_yaml_get(rule, "validations");
	const char *field = cs_import_path(i, path, "validations");
	bool closed = false;
	size_t n = 0;

	if (!cs_import_is_list(i, list, field))
		return false;
	for (const struct cs_yaml *c = list->child; c != NULL; c = c->next) {
		const char *at = cs_import_item(i, field, n++);
		const struct cs_yaml *cel = cs_yaml_get(c, "rule");
		struct cs_span text = {0};

		if (!cs_import_text(i, cel, at, &text)) {
			cs_import_fail(i, c, at, "`rule` is missing");
			return true;
		}
		if (t->kind == CS_PATTERN_DNS && forbids_wildcards(text)) {
			*ret_no_wildcards = true;
			cs_import_tell(i, CS_IMPORT_EXACT, c, at,
				       "%s.wildcard is `forbid`", t->native);
			continue;
		}
		closed = true;
		cs_import_tell(i, CS_IMPORT_BY_HAND, c, at,
			       "the rule `%.*s` is CEL, which is not "
			       "translated: nothing of %s passes until its "
			       "`allow` is written by hand",
			       CS_SPAN_FMT(cs_span_sub(text, 0, 256)),
			       t->native);
	}
	return closed;
}

/* `value`, or the list `values`. */
static void values(struct cs_importing *i, const struct cs_yaml *rule,
		   const char *path, const struct cs_crp_target *t,
		   json_t *object)
{
	const char *name = t->single ? "value" : "values";
	const struct cs_yaml *node = cs_yaml_get(rule, name);
	const char *field = cs_import_path(i, path, name);

	bool no_wildcards = false;

	if (validations(i, rule, path, t, &no_wildcards)) {
		if (cs_import_has(node))
			cs_import_tell(i, CS_IMPORT_NARROWER, node, field,
				       "left out, because its `validations` "
				       "are");
		return;
	}
	if (t->single ? cs_import_has(node) : cs_import_is_list(i, node, field))
		globs(i, node, field, t, object);
	else if (no_wildcards)
		/* Validations alone: everything that they take. */
		cs_import_add(i, object, "allow", json_string("any"));
	if (no_wildcards)
		cs_import_set(i, object, "wildcard", json_string("forbid"));
}

void cs_crp_rule(struct cs_importing *i, const struct cs_yaml *rule,
		 const char *path, const struct cs_crp_target *t,
		 json_t *object)
{
	static const struct cs_import_key one[] = {{"required", NULL},
						   {"value", NULL},
						   {"validations", NULL},
						   {NULL, NULL}};
	static const struct cs_import_key list[] = {{"required", NULL},
						    {"values", NULL},
						    {"validations", NULL},
						    {"oid", NULL},
						    {NULL, NULL}};

	if (!cs_import_is_map(i, rule, path))
		return;
	cs_import_known(i, rule, path, t->single ? one : list);
	values(i, rule, path, t, object);
	if (!i->failed)
		required(i, rule, path, t, object);
}
