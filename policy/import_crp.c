/*
 * approver-policy's CertificateRequestPolicy (policy.cert-manager.io/v1alpha1).
 *
 * Its `*` takes any characters. What `allowed` does not mention must not be
 * there; each value needs one of `values` and all `validations`. Usages and
 * the CA bit are those of the CertificateRequest. Several policies are OR: see
 * policy/import_rank.c. Who may use a policy is said by RBAC, elsewhere.
 */
#include <string.h>

#include "policy/import_crp.h"

/* -- selection -------------------------------------------------------------
 */

/* Could an identifier of ours be like this? */
static bool is_identifier_glob(struct cs_span glob)
{
	for (size_t k = 0; k < glob.n; k++) {
		uint8_t c = glob.p[k];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '.' || c == '*'))
			return false;
	}
	return glob.n > 0 && glob.n <= CS_MAX_NAME;
}

/* selector.issuerRef: by name, or what --issuer says. */
static void issuer_ref(struct cs_importing *i, const struct cs_yaml *ref,
		       const char *path)
{
	static const struct cs_import_key keys[] = {
		{"name", NULL}, {"kind", NULL}, {"group", NULL}, {NULL, NULL}};
	bool said = i->options->issuer.n > 0;
	json_t *match = cs_import_section(i, "match");

	cs_import_known(i, ref, path, keys);
	for (const struct cs_yaml *c = ref->child; c != NULL; c = c->next) {
		const char *field = cs_import_key(i, path, c);
		struct cs_span glob = {0};

		if (!cs_import_text(i, c, field, &glob))
			continue;
		if (said) {
			cs_import_tell(i, CS_IMPORT_EXACT, c, field,
				       "match.issuer, as --issuer says");
		} else if (!cs_span_equal_str(c->key, "name")) {
			cs_import_tell(i, CS_IMPORT_BY_HAND, c, field,
				       "which issuer of Countersign stands "
				       "for a %.*s of cert-manager is not in "
				       "this document: say it with --issuer",
				       CS_SPAN_FMT(c->key));
		} else if (is_identifier_glob(glob)) {
			cs_import_add_text(i, match, "issuer", glob);
			cs_import_tell(i, CS_IMPORT_BY_HAND, c, field,
				       "match.issuer is `%.*s`, too: see "
				       "that Countersign's issuer has this "
				       "name, or say another with --issuer",
				       CS_SPAN_FMT(glob));
		} else {
			cs_import_shadow(i, c, field,
					 "no issuer of Countersign can have "
					 "this name: say which is meant with "
					 "--issuer");
		}
	}
}

/* namespace.matchNames */
static void match_names(struct cs_importing *i, const struct cs_yaml *list,
			const char *path)
{
	json_t *match = cs_import_section(i, "match");
	size_t n = 0;

	if (!cs_import_is_list(i, list, path))
		return;
	for (const struct cs_yaml *c = list->child; c != NULL; c = c->next) {
		const char *field = cs_import_item(i, path, n++);
		struct cs_span glob = {0};

		if (!cs_import_text(i, c, field, &glob)) {
			cs_import_fail(i, c, field, "a text is wanted");
			return;
		}
		if (is_identifier_glob(glob)) {
			cs_import_add_text(i, match, "namespace", glob);
			cs_import_tell(i, CS_IMPORT_EXACT, c, field,
				       "match.namespace");
		} else {
			cs_import_tell(i, CS_IMPORT_NOTE, c, field,
				       "left out: no namespace has such a "
				       "name");
		}
	}
	if (json_object_get(match, "namespace") == NULL)
		cs_import_shadow(i, list, path,
				 "none of these names can be a namespace's, so "
				 "that the policy is for none");
}

/* May a label have this value? */
static bool is_label_value(struct cs_span s)
{
	for (size_t k = 0; k < s.n; k++) {
		uint8_t c = s.p[k];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '-' || c == '.' ||
		      c == '_'))
			return false;
	}
	return s.n <= 63;
}

/* namespace.matchLabels */
static void match_labels(struct cs_importing *i, const struct cs_yaml *map,
			 const char *path)
{
	json_t *labels;

	if (!cs_import_is_map(i, map, path) || map->n == 0)
		return;
	labels = cs_import_field(i, "match", "namespaceLabels");
	for (const struct cs_yaml *c = map->child; c != NULL; c = c->next) {
		const char *field = cs_import_key(i, path, c);
		char *key = cs_arena_str(i->arena, c->key);
		struct cs_span value = {0};

		if (key == NULL) {
			i->no_memory = true;
			return;
		}
		if (!cs_import_text(i, c, field, &value)) {
			cs_import_fail(i, c, field, "a text is wanted");
			return;
		}
		if (!is_label_value(value)) {
			cs_import_shadow(i, c, field,
					 "no label has such a value, so that "
					 "the policy is for none");
			continue;
		}
		cs_import_set_text(i, labels, key, value);
		cs_import_tell(i, CS_IMPORT_EXACT, c, field,
			       "match.namespaceLabels");
	}
	if (json_object_size(labels) == 0)
		(void)json_object_del(cs_import_section(i, "match"),
				      "namespaceLabels");
}

static void selector(struct cs_importing *i, const struct cs_yaml *node)
{
	static const struct cs_import_key keys[] = {
		{"issuerRef", NULL}, {"namespace", NULL}, {NULL, NULL}};
	static const struct cs_import_key in_namespace[] = {
		{"matchNames", NULL}, {"matchLabels", NULL}, {NULL, NULL}};
	const struct cs_yaml *ref = cs_yaml_get(node, "issuerRef");
	const struct cs_yaml *ns = cs_yaml_get(node, "namespace");
	const char *path = "spec.selector.namespace";

	if (!cs_import_is_map(i, node, "spec.selector"))
		return;
	cs_import_known(i, node, "spec.selector", keys);
	if (cs_import_is_map(i, ref, "spec.selector.issuerRef"))
		issuer_ref(i, ref, "spec.selector.issuerRef");
	if (!cs_import_is_map(i, ns, path))
		return;
	cs_import_known(i, ns, path, in_namespace);
	match_names(i, cs_yaml_get(ns, "matchNames"),
		    cs_import_path(i, path, "matchNames"));
	match_labels(i, cs_yaml_get(ns, "matchLabels"),
		     cs_import_path(i, path, "matchLabels"));
}

/* -- the document ----------------------------------------------------------
 */

/* What is so for each of these, told once. */
static void always(struct cs_importing *i, const struct cs_yaml *doc)
{
	struct cs_draft *draft = i->draft;

	if (i->told_crp)
		return;
	i->told_crp = true;
	i->draft = NULL;
	cs_import_tell(i, CS_IMPORT_NOTE, doc, "",
		       "extensions of the CSR that no field of approver-policy "
		       "is about are refused (`extensions.unlisted: drop` "
		       "leaves them out instead)");
	cs_import_tell(i, CS_IMPORT_NOTE, doc, "",
		       "more than ten certificates in an hour for one owner "
		       "are held, unless the policy has `limits` of its own");
	cs_import_tell(i, CS_IMPORT_NOTE, doc, "",
		       "a request that no policy is for is refused; with "
		       "`no_policy: hold` for its issuer it waits, as it did");
	i->draft = draft;
}

/* plugins decide, too, and are not here. */
static void plugins(struct cs_importing *i, const struct cs_yaml *node)
{
	if (!cs_import_is_map(i, node, "spec.plugins"))
		return;
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next)
		cs_import_shadow(i, c, cs_import_key(i, "spec.plugins", c),
				 "what this plugin approves is not known here, "
				 "so the policy is in shadow");
}

static void spec(struct cs_importing *i, const struct cs_yaml *node)
{
	static const struct cs_import_key keys[] = {{"allowed", NULL},
						    {"constraints", NULL},
						    {"plugins", NULL},
						    {"selector", NULL},
						    {NULL, NULL}};
	json_t *match = cs_import_section(i, "match");

	cs_import_known(i, node, "spec", keys);
	cs_import_add_text(i, match, "source", CS_SPAN_LIT("kubernetes"));
	cs_import_match_options(i);
	selector(i, cs_yaml_get(node, "selector"));
	if (!i->failed)
		cs_crp_allowed(i, cs_yaml_get(node, "allowed"));
	if (!i->failed)
		cs_crp_constraints(i, cs_yaml_get(node, "constraints"));
	if (!i->failed)
		plugins(i, cs_yaml_get(node, "plugins"));
}

/* Everything of metadata but the name. */
static void metadata(struct cs_importing *i, const struct cs_yaml *node)
{
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next) {
		if (!cs_span_equal_str(c->key, "name"))
			cs_import_tell(i, CS_IMPORT_NOTE, c,
				       cs_import_key(i, "metadata", c),
				       "decides nothing");
	}
}

void cs_import_crp(struct cs_importing *i, const struct cs_yaml *doc)
{
	static const struct cs_import_key keys[] = {
		{"apiVersion", NULL},
		{"kind", NULL},
		{"metadata", NULL},
		{"spec", NULL},
		{"status", "decides nothing"},
		{NULL, NULL}};
	const struct cs_yaml *kind = cs_yaml_get(doc, "kind");
	const struct cs_yaml *meta = cs_yaml_get(doc, "metadata");
	const struct cs_yaml *name = cs_yaml_get(meta, "name");
	struct cs_span text = {0};

	if (kind == NULL || kind->kind != CS_YAML_TEXT ||
	    !cs_span_equal_str(kind->text, "CertificateRequestPolicy")) {
		cs_import_fail(i, kind != NULL ? kind : doc, "kind",
			       "`CertificateRequestPolicy` is wanted");
		return;
	}
	if (!cs_import_is_map(i, meta, "metadata") ||
	    !cs_import_text(i, name, "metadata.name", &text)) {
		cs_import_fail(i, doc, "metadata.name", "a text is wanted");
		return;
	}
	if (!cs_import_begin(i, doc, text))
		return;
	cs_import_always(i, doc);
	always(i, doc);
	cs_import_known(i, doc, "", keys);
	metadata(i, meta);
	if (cs_import_is_map(i, cs_yaml_get(doc, "spec"), "spec"))
		spec(i, cs_yaml_get(doc, "spec"));
	else
		cs_import_fail(i, doc, "spec", "a map is wanted");
}
