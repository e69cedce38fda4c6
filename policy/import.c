#include "policy/import_parts.h"

#include <string.h>

static const char *const from_names[] = {
	[CS_IMPORT_ANY] = "",
	[CS_IMPORT_APPROVER_POLICY] = "approver-policy",
	[CS_IMPORT_STEP_CA] = "step-ca",
	[CS_IMPORT_VAULT] = "vault",
};

bool cs_import_from_name(struct cs_span name, enum cs_import_from *ret_from)
{
	for (int f = CS_IMPORT_APPROVER_POLICY; f <= CS_IMPORT_VAULT; f++) {
		if (!cs_span_equal_str(name, from_names[f]))
			continue;
		*ret_from = (enum cs_import_from)f;
		return true;
	}
	return false;
}

/* Does the text of this member begin so? */
static bool begins(const struct cs_yaml *doc, const char *key,
		   const char *prefix)
{
	const struct cs_yaml *node = cs_yaml_get(doc, key);

	return node != NULL && node->kind == CS_YAML_TEXT &&
	       cs_span_starts_with(node->text, cs_span_str(prefix));
}

/* Has the map one of these members? */
static bool has_one(const struct cs_yaml *map, const char *const *keys)
{
	if (map == NULL || map->kind != CS_YAML_MAP)
		return false;
	for (; *keys != NULL; keys++) {
		if (cs_yaml_get(map, *keys) != NULL)
			return true;
	}
	return false;
}

/* Whose is the document? CS_IMPORT_ANY: nobody's that we know. */
static enum cs_import_from recognise(const struct cs_yaml *doc)
{
	static const char *const step[] = {"authority", "provisioners",
					   "policy", "x509", NULL};
	static const char *const vault[] = {
		"allowed_domains",  "allow_any_name",
		"allow_subdomains", "allow_ip_sans",
		"key_type",	    "allow_bare_domains",
		"allowed_uri_sans", NULL};

	if (begins(doc, "apiVersion", "policy.cert-manager.io/"))
		return CS_IMPORT_APPROVER_POLICY;
	if (cs_yaml_get(doc, "apiVersion") != NULL)
		return CS_IMPORT_ANY;
	if (has_one(doc, step))
		return CS_IMPORT_STEP_CA;
	if (has_one(doc, vault) || has_one(cs_yaml_get(doc, "data"), vault))
		return CS_IMPORT_VAULT;
	return CS_IMPORT_ANY;
}

/* A document that is none of them: other objects of Kubernetes, say. */
static void not_known(struct cs_importing *i, const struct cs_yaml *doc)
{
	const struct cs_yaml *kind = cs_yaml_get(doc, "kind");

	if (kind != NULL && kind->kind == CS_YAML_TEXT &&
	    cs_yaml_get(doc, "apiVersion") != NULL)
		cs_import_tell(i, CS_IMPORT_BY_HAND, doc, "kind",
			       "a %.*s is not translated; if it says who may "
			       "`use` a policy, say that with --requester",
			       CS_SPAN_FMT(kind->text));
	else
		cs_import_fail(
			i, doc, "",

			"this is none of the documents that are known: "
			"a CertificateRequestPolicy, a policy of "
			"step-ca (with `x509` or `authority`), a role of "
			"Vault's PKI engine (with `allowed_domains`); "
			"name the system with --from");
}

/* One document. */
static void one(struct cs_importing *i, const struct cs_yaml *doc)
{
	enum cs_import_from from = i->options->from;

	i->draft = NULL;
	if (doc->kind != CS_YAML_MAP) {
		cs_import_fail(i, doc, "", "a document is a map, not %s",
			       cs_yaml_kind_name(doc->kind));
		return;
	}
	if (from == CS_IMPORT_ANY)
		from = recognise(doc);
	switch (from) {
	case CS_IMPORT_APPROVER_POLICY:
		if (begins(doc, "apiVersion", "policy.cert-manager.io/"))
			cs_import_crp(i, doc);
		else
			not_known(i, doc);
		break;
	case CS_IMPORT_STEP_CA:
		cs_import_step(i, doc);
		break;
	case CS_IMPORT_VAULT:
		cs_import_vault(i, doc);
		break;
	case CS_IMPORT_ANY:
	default:
		not_known(i, doc);
	}
}

/* One document, or each of a List, as kubectl prints it. */
static void document(struct cs_importing *i, const struct cs_yaml *doc)
{
	const struct cs_yaml *items = cs_yaml_get(doc, "items");
	const struct cs_yaml *kind = cs_yaml_get(doc, "kind");

	if (doc->kind == CS_YAML_NULL)
		return;
	if (items == NULL || items->kind != CS_YAML_LIST || kind == NULL ||
	    !cs_span_ends_with(kind->text, CS_SPAN_LIT("List"))) {
		one(i, doc);
		return;
	}
	for (const struct cs_yaml *c = items->child; c != NULL && !i->failed;
	     c = c->next)
		one(i, c);
}

/* All documents of one source. */
static void source(struct cs_importing *i, const struct cs_source *s)
{
	struct cs_error why = {0};
	const struct cs_yaml *doc;

	i->source = s->name;
	i->file = cs_arena_str(i->arena, s->name);
	if (i->file == NULL) {
		i->no_memory = true;
		return;
	}
	doc = cs_yaml_parse(s->bytes, i->file, i->arena, &why);
	if (doc == NULL) {
		cs_error_set(i->err, why.code, "%s", why.text);
		i->failed = true;
	}
	for (; doc != NULL && !i->failed && !i->no_memory; doc = doc->next)
		document(i, doc);
}

/* Texts of all drafts, into the result, the highest priority first. */
static void finish(struct cs_importing *i)
{
	struct cs_import_policy **last = &i->result->policies;

	i->draft = NULL;
	cs_import_rank(i);
	for (struct cs_draft *d = i->drafts; d != NULL && !i->no_memory;
	     d = d->next) {
		cs_import_write(i, d);
		*last = d->policy;
		last = &d->policy->next;
		i->result->n++;
	}
}

bool cs_import_read(const struct cs_sources *sources,
		    const struct cs_import_options *options,
		    struct cs_arena *arena, struct cs_import *ret_import,
		    struct cs_error *err)
{
	struct cs_import result = {0};
	struct cs_error why = {0};
	struct cs_importing i = {.arena = arena,
				 .options = options,
				 .result = &result,
				 .last = &result.lines,
				 .last_draft = &i.drafts,
				 .err = &why};

	for (size_t k = 0; k < sources->n && !i.failed && !i.no_memory; k++)
		source(&i, &sources->items[k]);
	if (!i.failed && !i.no_memory)
		finish(&i);
	for (struct cs_draft *d = i.drafts; d != NULL; d = d->next)
		json_decref(d->spec);
	if (i.failed)
		return cs_error_set(err, why.code, "%s", why.text);
	if (i.no_memory)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for the import");
	*ret_import = result;
	return true;
}
