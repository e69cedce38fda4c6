#include <string.h>

#include "base/json.h"
#include "policy/load.h"

#define API_VERSION "countersign.dev/v1"

const struct cs_load_key cs_keys_document[] = {
	{"apiVersion", false, "apiVersion"},
	{"kind", false, "kind"},
	{"metadata", false, "metadata"},
	{"spec", false, "any"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_metadata[] = {
	{"name", false, "name"},
	{"owner", false, "line"},
	{"ticket", false, "line"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_spec[] = {
	{"priority", false, "integer"},
	{"match", false, "match"},
	{"subject", false, "subject"},
	{"san", false, "san"},
	{"key", false, "key"},
	{"validity", false, "validity"},
	{"extensions", false, "extensions"},
	{"tests", false, "tests"},
	{"extends", false, "name"},
	{"mode", false, "mode"},
	{"tables", false, "tables"},
	{"vars", false, "vars"},
	{"guards", true, NULL},
	{"limits", false, "limit+"},
	{"windows", false, "window+"},
	{"lint", false, "lint"},
	{"ensure", true, NULL},
	{NULL, false, NULL},
};

/* Is it a document of ours, of a kind that this version knows? */
static bool check_kind(struct cs_load *l, const struct cs_yaml *doc,
		       enum cs_document_kind *ret_kind)
{
	const struct cs_yaml *version = cs_yaml_get(doc, "apiVersion");
	const struct cs_yaml *kind = cs_yaml_get(doc, "kind");
	struct cs_span v, k;

	if (version == NULL || kind == NULL) {
		cs_load_error(l, doc,
			      "a policy begins with `apiVersion: " API_VERSION
			      "` and `kind: IssuancePolicy` or `kind: "
			      "IssuanceGuards`");
		return false;
	}
	if (!cs_load_text(l, version, &v) || !cs_load_text(l, kind, &k))
		return false;
	if (cs_span_starts_with(v, CS_SPAN_LIT("policy.cert-manager.io/"))) {
		cs_load_error(l, kind,
			      "`kind: %.*s` is not supported yet by this "
			      "version",
			      CS_SPAN_FMT(k));
		return false;
	}
	if (!cs_span_equal_str(v, API_VERSION)) {
		cs_load_error(l, version,
			      "`apiVersion: %.*s` is not known; did you mean "
			      "`" API_VERSION "`?",
			      CS_SPAN_FMT(v));
		return false;
	}
	*ret_kind = cs_span_equal_str(k, "IssuanceGuards") ? CS_DOCUMENT_GUARDS
							   : CS_DOCUMENT_POLICY;
	if (*ret_kind == CS_DOCUMENT_GUARDS ||
	    cs_span_equal_str(k, "IssuancePolicy"))
		return true;
	cs_load_error(l, kind, "`kind: %.*s` is not known; did you mean `%s`?",
		      CS_SPAN_FMT(k),
		      cs_span_starts_with(k, CS_SPAN_LIT("IssuanceG"))
			      ? "IssuanceGuards"
			      : "IssuancePolicy");
	return false;
}

/* A name that may be part of rule ids and search terms. */
static bool is_name(struct cs_span s)
{
	if (s.n == 0 || s.n > CS_MAX_NAME || s.p[0] == '-' || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '.' || c == '_'))
			return false;
	}
	return true;
}

/* The policy's name; documents may not take ours. */
static bool load_name(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_span *ret_name)
{
	if (!cs_load_text(l, node, ret_name))
		return false;
	if (!is_name(*ret_name)) {
		cs_load_error(l, node,
			      "a policy's name has 1 to %d lower case "
			      "letters, digits, `-`, `_` and `.`",
			      CS_MAX_NAME);
		return false;
	}
	/* Rules of guards are called `guards/ID`. */
	if (l->source.n > 0 &&
	    (ret_name->p[0] == '_' || cs_span_equal_str(*ret_name, "guards") ||
	     cs_span_equal_str(*ret_name, "built-in"))) {
		cs_load_error(l, node, "the name `%.*s` is reserved",
			      CS_SPAN_FMT(*ret_name));
		return false;
	}
	return true;
}

/* A line for people: an owner, a ticket. */
static void load_line(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_span *ret_text)
{
	if (cs_load_text(l, node, ret_text) && ret_text->n > 256)
		cs_load_error(l, node, "longer than 256 bytes");
}

/* metadata: {name, owner, ticket} */
static bool load_metadata(struct cs_load *l, const struct cs_yaml *doc,
			  struct cs_policy_info *info)
{
	const struct cs_yaml *node = cs_yaml_get(doc, "metadata");
	const struct cs_yaml *name = cs_yaml_get(node, "name");

	l->path = "metadata";
	if (node != NULL && !cs_load_map(l, node, cs_keys_metadata))
		return false;
	if (name == NULL) {
		cs_load_error(l, node != NULL ? node : doc,
			      "`metadata.name` is missing");
		return false;
	}
	load_line(l, cs_yaml_get(node, "owner"), &info->owner);
	load_line(l, cs_yaml_get(node, "ticket"), &info->ticket);
	return load_name(l, name, &info->name);
}

/*
 * The document as data, flattened: with what it takes from its parent, and
 * without the word `extends`. NULL: no memory.
 */
static json_t *flatten(struct cs_load *l, const struct cs_yaml *doc,
		       const struct cs_load_parent *parent)
{
	json_t *json = cs_yaml_to_json(doc);
	json_t *spec = json_object_get(json, "spec");
	const struct cs_yaml *own = cs_yaml_get(doc, "spec");
	bool ok = json != NULL;

	if (parent == NULL || !ok)
		return json;
	(void)json_object_del(spec, "extends");
	for (const struct cs_yaml *c = parent->spec->child; ok && c != NULL;
	     c = c->next) {
		char *key = cs_arena_str(l->arena, c->key);

		ok = key != NULL;
		if (!ok || strcmp(key, "tests") == 0 ||
		    cs_yaml_get(own, key) != NULL)
			continue;
		ok = json_object_set_new(spec, key, cs_yaml_to_json(c)) == 0;
	}
	if (ok)
		return json;
	json_decref(json);
	return NULL;
}

/* The flattened document as canonical JSON, and its hash. */
static bool load_hash(struct cs_load *l, const struct cs_yaml *doc,
		      const struct cs_load_parent *parent, struct cs_hash *hash,
		      struct cs_policy_info *info)
{
	json_t *json = flatten(l, doc, parent);
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_error err = {0};
	char hex[2 * CS_SHA256_SIZE + 1] = "";
	bool ok;

	cs_buf_init(&b, 8 * (size_t)CS_MAX_POLICY_FILE);
	ok = json != NULL && cs_json_canonical(json, &b, &err) &&
	     cs_buf_finish(&b, "the document", &err) &&
	     cs_hash_sha256(hash, cs_buf_span(&b), info->policy_sha256, &err);
	json_decref(json);
	if (json == NULL) {
		cs_load_no_memory(l);
		return false;
	}
	if (!ok) {
		cs_load_error(l, doc, "%s", err.text);
		return false;
	}
	for (size_t i = 0; i < CS_SHA256_SIZE; i++) {
		hex[2 * i] = "0123456789abcdef"[info->policy_sha256[i] >> 4];
		hex[2 * i + 1] =
			"0123456789abcdef"[info->policy_sha256[i] & 15];
	}
	ok = cs_arena_dup(l->arena, cs_buf_span(&b), &info->json) &&
	     cs_arena_dup(l->arena, cs_span_str(hex), &info->sha256_text);
	if (!ok)
		cs_load_no_memory(l);
	return ok;
}

/* A section that is absent allows nothing, and says so at the spec. */
static void nothing_of(struct cs_load *l, const struct cs_yaml *spec,
		       struct cs_policy *p)
{
	p->subject.unlisted.rule = cs_load_rule(l, "subject.unlisted", spec);
	p->san.unlisted.rule = cs_load_rule(l, "san.unlisted", spec);
}

/* A spec, and the one that it extends. */
struct specs {
	const struct cs_yaml *own;
	struct cs_span source;
	const struct cs_load_parent *parent; /* NULL: none */
};

/* A section, from the spec that has it; errors and places are there, too. */
static const struct cs_yaml *pick(struct cs_load *l, const struct specs *s,
				  const char *key)
{
	const struct cs_yaml *one = cs_yaml_get(s->own, key);

	l->source = s->source;
	if (one != NULL || s->parent == NULL)
		return one;
	one = cs_yaml_get(s->parent->spec, key);
	if (one != NULL)
		l->source = s->parent->source;
	return one;
}

/* How the policy takes part: mode and priority. */
static void load_standing(struct cs_load *l, const struct specs *s,
			  struct cs_policy *p)
{
	static const char *const modes[] = {"enforce", "warn", "shadow", NULL};
	const struct cs_yaml *one = pick(l, s, "mode");
	unsigned mode = 0;

	if (one != NULL)
		(void)cs_load_word(l, one, modes, &mode);
	p->info.mode = (enum cs_policy_mode)mode;
	(void)cs_load_int(l, pick(l, s, "priority"), -1000000, 1000000,
			  &p->info.priority);
}

/* The sections of a spec, over those of the built-in default. */
static void load_spec(struct cs_load *l, const struct specs *s,
		      struct cs_policy *p, const struct cs_policy *base)
{
	const struct cs_yaml *one;

	nothing_of(l, s->own, p);
	if (base != NULL) {
		p->key = base->key;
		p->validity = base->validity;
		p->ext = base->ext;
	}
	load_standing(l, s, p);
	cs_load_tables(l, pick(l, s, "tables"), p);
	cs_load_vars(l, pick(l, s, "vars"), p);
	if ((one = pick(l, s, "match")) != NULL)
		cs_load_match(l, one, &p->match);
	if ((one = pick(l, s, "subject")) != NULL)
		cs_load_subject(l, one, &p->subject);
	if ((one = pick(l, s, "san")) != NULL)
		cs_load_san(l, one, &p->san);
	if ((one = pick(l, s, "key")) != NULL)
		cs_load_key(l, one, &p->key);
	if ((one = pick(l, s, "validity")) != NULL)
		cs_load_validity(l, one, &p->validity);
	if ((one = pick(l, s, "extensions")) != NULL)
		cs_load_extensions(l, one, &p->ext);
	cs_load_limits(l, pick(l, s, "limits"), &p->timing);
	if ((one = pick(l, s, "lint")) != NULL)
		cs_load_lint(l, one, &p->timing);
	cs_load_windows(l, pick(l, s, "windows"), &p->timing);
	l->source = s->source;
	cs_load_tests(l, cs_yaml_get(s->own, "tests"), p);
}

struct cs_policy *cs_load_document(struct cs_load *l, const struct cs_yaml *doc,
				   struct cs_hash *hash,
				   const struct cs_policy *base,
				   const struct cs_load_parent *parent)
{
	const struct cs_yaml *spec = cs_yaml_get(doc, "spec");
	const struct specs specs = {spec, l->source, parent};
	size_t before = l->report->errors;
	enum cs_document_kind kind = CS_DOCUMENT_POLICY;
	struct cs_policy *p;

	l->path = "";
	l->policy = cs_span_make(NULL, 0);
	if (doc->kind != CS_YAML_MAP) {
		cs_load_error(l, doc, "a document is a map, not %s",
			      cs_yaml_kind_name(doc->kind));
		return NULL;
	}
	p = cs_arena_new(l->arena, sizeof(*p));
	if (p == NULL) {
		cs_load_no_memory(l);
		return NULL;
	}
	if (!check_kind(l, doc, &kind))
		return NULL;
	(void)cs_load_map(l, doc, cs_keys_document);
	l->into = p;
	p->info.kind = kind;
	p->info.source = l->source;
	p->info.line = doc->line;
	if (load_metadata(l, doc, &p->info))
		l->policy =
			base == NULL ? CS_SPAN_LIT("built-in") : p->info.name;
	l->path = "spec";
	if (spec == NULL)
		cs_load_error(l, doc, "`spec` is missing");
	else if (kind == CS_DOCUMENT_GUARDS)
		cs_load_guards(l, spec, p);
	else if (cs_load_map(l, spec, cs_keys_spec))
		load_spec(l, &specs, p, base);
	if (l->report->errors != before ||
	    !load_hash(l, doc, parent, hash, &p->info))
		return NULL;
	return p;
}
