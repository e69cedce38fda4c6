#include <string.h>

#include "base/der.h"
#include "policy/attribute.h"
#include "policy/load.h"

/* What a path has come to, while it is read. */
enum type {
	TYPE_TEXT,
	TYPE_LIST,
	TYPE_MAP_OF_TEXT,
	TYPE_MAP_OF_LISTS
};

/* One path under the reader's eye. */
struct reader {
	struct cs_load *l;
	const struct cs_yaml *node; /* for errors */
	struct cs_span path;
	size_t at;
	struct cs_path_op *ops;
	size_t n, cap;
	enum type types[CS_MAX_PATH_DEPTH + 2];
	size_t depth; /* of types: values on the stack */
};

static const struct {
	const char *root, *name;
	enum cs_path_fact fact;
	enum type type;
} facts[] = {
	{"request", "namespace", CS_FACT_NAMESPACE, TYPE_TEXT},
	{"request", "namespace_labels", CS_FACT_NAMESPACE_LABELS,
	 TYPE_MAP_OF_TEXT},
	{"request", "owner", CS_FACT_OWNER, TYPE_TEXT},
	{"request", "realm", CS_FACT_REALM, TYPE_TEXT},
	{"request", "issuer", CS_FACT_ISSUER, TYPE_TEXT},
	{"request", "source", CS_FACT_SOURCE, TYPE_TEXT},
	{"request", "client", CS_FACT_CLIENT, TYPE_TEXT},
	{"request", "renewal", CS_FACT_RENEWAL, TYPE_TEXT},
	{"request", "attributes", CS_FACT_ATTRIBUTES, TYPE_MAP_OF_TEXT},
	{"requester", "username", CS_FACT_USERNAME, TYPE_TEXT},
	{"requester", "groups", CS_FACT_GROUPS, TYPE_LIST},
	{"requester", "extra", CS_FACT_EXTRA, TYPE_MAP_OF_LISTS},
	{"requester", "namespace", CS_FACT_USER_NAMESPACE, TYPE_TEXT},
	{"requester", "service_account", CS_FACT_SERVICE_ACCOUNT, TYPE_TEXT},
};

#define FACTS (sizeof(facts) / sizeof(facts[0]))

/* A sentence about this path. False, for the caller to return. */
static bool wrong(struct reader *r, const char *words)
{
	cs_load_error(r->l, r->node, "{{%.*s}}: %s", CS_SPAN_FMT(r->path),
		      words);
	return false;
}

/* One more step. */
static bool emit(struct reader *r, enum cs_path_code code, size_t index,
		 struct cs_span text)
{
	if (r->n == r->cap)
		return wrong(r, "the path is too long");
	r->ops[r->n++] = (struct cs_path_op){code, index, text};
	return true;
}

/* A value on the stack. */
static bool push(struct reader *r, enum type type)
{
	if (r->depth == sizeof(r->types) / sizeof(r->types[0]))
		return wrong(r, "too many brackets in brackets");
	r->types[r->depth++] = type;
	return true;
}

/* The key on the stack's top, of the map below it. */
static bool get(struct reader *r)
{
	enum type key = r->types[r->depth - 1];
	enum type map = r->types[r->depth - 2];

	if (map != TYPE_MAP_OF_TEXT && map != TYPE_MAP_OF_LISTS)
		return wrong(r, "only tables, labels, attributes and extra "
				"have members");
	if (key == TYPE_LIST)
		return wrong(r, "what stands in brackets must be one text, "
				"not a list");
	if (key != TYPE_TEXT)
		return wrong(r, "what stands in brackets must be one text, "
				"not a map");
	r->depth--;
	r->types[r->depth - 1] =
		map == TYPE_MAP_OF_TEXT ? TYPE_TEXT : TYPE_LIST;
	return emit(r, CS_PATH_GET, 0, (struct cs_span){0});
}

/* A NAME; empty: there is none. */
static struct cs_span read_name(struct reader *r)
{
	size_t start = r->at;

	for (; r->at < r->path.n; r->at++) {
		uint8_t c = r->path.p[r->at];
		bool letter = (c >= 'a' && c <= 'z') ||
			      (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter &&
		    (r->at == start || !((c >= '0' && c <= '9') || c == '-')))
			break;
	}
	return cs_span_sub(r->path, start, r->at - start);
}

/* request.NAME or requester.NAME */
static bool read_fact(struct reader *r, struct cs_span root)
{
	struct cs_load_key known[FACTS + 1] = {{NULL, false, NULL}};
	struct cs_span name = {0};
	const char *near;
	size_t n = 0;

	if (r->at < r->path.n && r->path.p[r->at] == '.') {
		r->at++;
		name = read_name(r);
	}
	for (size_t i = 0; i < FACTS; i++) {
		if (!cs_span_equal_str(root, facts[i].root))
			continue;
		if (cs_span_equal_str(name, facts[i].name))
			return push(r, facts[i].type) &&
			       emit(r, CS_PATH_FACT, facts[i].fact,
				    (struct cs_span){0});
		known[n++].name = facts[i].name;
	}
	near = cs_load_nearest(name, known);
	cs_load_error(r->l, r->node, "{{%.*s}}: `%.*s` has no `%.*s`%s%s%s",
		      CS_SPAN_FMT(r->path), CS_SPAN_FMT(root),
		      CS_SPAN_FMT(name), near != NULL ? "; did you mean `" : "",
		      near != NULL ? near : "", near != NULL ? "`?" : "");
	return false;
}

/* csr.SECTION: what is behind the dot; empty: nothing is. */
static struct cs_span read_section(struct reader *r)
{
	if (r->at >= r->path.n || r->path.p[r->at] != '.')
		return cs_span_make(NULL, 0);
	r->at++;
	return read_name(r);
}

/* ["1.2.3"]: an attribute that has no name. */
static bool read_oid(struct reader *r, struct cs_span *ret_oid)
{
	struct cs_span rest = cs_span_sub(r->path, r->at, SIZE_MAX);
	CS_CLEANUP(cs_buf_done) struct cs_buf oid;
	size_t end = 0;

	cs_buf_init(&oid, CS_MAX_OID);
	if (!cs_span_starts_with(rest, CS_SPAN_LIT("[\"")) ||
	    !cs_span_find(rest, ']', &end) || end < 4 ||
	    rest.p[end - 1] != '"' ||
	    !cs_der_oid_parse(cs_span_sub(rest, 2, end - 3), &oid, NULL) ||
	    !cs_buf_ok(&oid))
		return wrong(r, "`csr.subject` wants .ATTRIBUTE or "
				"[\"OID\"] behind it");
	r->at += end + 1;
	if (cs_arena_dup(r->l->arena, cs_buf_span(&oid), ret_oid))
		return true;
	cs_load_no_memory(r->l);
	return false;
}

/* csr.subject.NAME, csr.subject["1.2.3"] */
static bool read_attr(struct reader *r)
{
	struct cs_span name = read_section(r), oid = {0};
	const struct cs_attribute *a = cs_attribute_by_name(name);
	const char *near;

	if (a != NULL)
		return push(r, TYPE_TEXT) && emit(r, CS_PATH_ATTR, 0, a->oid);
	if (name.n == 0)
		return read_oid(r, &oid) && push(r, TYPE_TEXT) &&
		       emit(r, CS_PATH_ATTR, 0, oid);
	near = cs_load_nearest_attribute(name);
	cs_load_error(r->l, r->node,
		      "{{%.*s}}: `csr.subject` has no `%.*s`%s%s%s",
		      CS_SPAN_FMT(r->path), CS_SPAN_FMT(name),
		      near != NULL ? "; did you mean `" : "",
		      near != NULL ? near : "", near != NULL ? "`?" : "");
	return false;
}

/* csr.subject..., csr.san.KIND */
static bool read_csr(struct reader *r)
{
	static const char *const kinds[CS_SAN_KINDS] = {
		[CS_NAME_DNS] = "dns",
		[CS_NAME_IP] = "ip",
		[CS_NAME_URI] = "uri",
		[CS_NAME_EMAIL] = "email",
		[CS_NAME_DIRECTORY] = "directory_name",
		[CS_NAME_REGISTERED_ID] = "registered_id",
	};
	struct cs_span section = read_section(r), kind;

	if (cs_span_equal_str(section, "subject"))
		return read_attr(r);
	if (!cs_span_equal_str(section, "san"))
		return wrong(r, "`csr` has `subject` and `san`");
	kind = read_section(r);
	for (size_t i = 0; i < CS_SAN_KINDS; i++) {
		if (cs_span_equal_str(kind, kinds[i]))
			return push(r, TYPE_LIST) &&
			       emit(r, CS_PATH_NAMES, i, (struct cs_span){0});
	}
	return wrong(r, "`csr.san` has `dns`, `ip`, `uri`, `email`, "
			"`directory_name` and `registered_id`");
}

/* Nothing is called that: a hint among vars, tables and facts. */
static bool unknown_root(struct reader *r, struct cs_span name)
{
	const struct cs_policy *p = r->l->into;
	struct cs_load_key known[CS_MAX_POLICY_VARS + CS_MAX_POLICY_TABLES +
				 4] = {{NULL, false, NULL}};
	const char *near;
	size_t n = 0;

	known[n++].name = "request";
	known[n++].name = "requester";
	known[n++].name = "csr";
	for (size_t i = 0; i < p->vars_n; i++)
		known[n++].name = cs_arena_str(r->l->arena, p->vars[i].name);
	for (size_t i = 0; i < p->tables_n; i++)
		known[n++].name = cs_arena_str(r->l->arena, p->tables[i].name);
	near = cs_load_nearest(name, known);
	if (near != NULL)
		cs_load_error(r->l, r->node,
			      "{{%.*s}}: there is no `%.*s`; did you mean "
			      "`%s`?",
			      CS_SPAN_FMT(r->path), CS_SPAN_FMT(name), near);
	else
		cs_load_error(r->l, r->node,
			      "{{%.*s}}: there is no `%.*s`; a path begins "
			      "with `request`, `requester`, `csr`, a var "
			      "above it, or a table",
			      CS_SPAN_FMT(r->path), CS_SPAN_FMT(name));
	return false;
}

/* The beginning of a path. */
static bool read_root(struct reader *r)
{
	static const char *const later[] = {"cert", "now"};
	const struct cs_policy *p = r->l->into;
	struct cs_span name = read_name(r);

	if (name.n == 0)
		return wrong(r, "a name is wanted");
	if (cs_span_equal_str(name, "request") ||
	    cs_span_equal_str(name, "requester"))
		return read_fact(r, name);
	if (cs_span_equal_str(name, "csr"))
		return read_csr(r);
	for (size_t i = 0; i < p->vars_n; i++) {
		if (cs_span_equal(p->vars[i].name, name))
			return push(r, p->vars[i].is_list ? TYPE_LIST
							  : TYPE_TEXT) &&
			       emit(r, CS_PATH_VAR, i, (struct cs_span){0});
	}
	for (size_t i = 0; i < p->tables_n; i++) {
		if (cs_span_equal(p->tables[i].name, name))
			return push(r, p->tables[i].is_list
					       ? TYPE_MAP_OF_LISTS
					       : TYPE_MAP_OF_TEXT) &&
			       emit(r, CS_PATH_TABLE, i, (struct cs_span){0});
	}
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		if (cs_span_equal_str(name, later[i]))
			return wrong(r, "paths to this fact are not supported "
					"yet by this version");
	}
	return unknown_root(r, name);
}

/* ["text"], behind its bracket. */
static bool read_text(struct reader *r)
{
	struct cs_span rest = cs_span_sub(r->path, r->at + 1, SIZE_MAX);
	size_t end;

	if (!cs_span_find(rest, '"', &end))
		return wrong(r, "a `\"` is missing");
	r->at += end + 2;
	if (r->at >= r->path.n || r->path.p[r->at] != ']')
		return wrong(r, "a `]` is missing");
	r->at++;
	return push(r, TYPE_TEXT) &&
	       emit(r, CS_PATH_TEXT, 0, cs_span_sub(rest, 0, end)) && get(r);
}

/* .NAME */
static bool read_member(struct reader *r)
{
	struct cs_span name;

	r->at++;
	name = read_name(r);
	if (name.n == 0)
		return wrong(r, "a name is wanted behind `.`");
	return push(r, TYPE_TEXT) && emit(r, CS_PATH_TEXT, 0, name) && get(r);
}

/* The whole path: NAME, then .NAME, ["text"] or [path], as often. */
static bool read_path(struct reader *r)
{
	size_t open = 0;

	if (!read_root(r))
		return false;
	while (r->at < r->path.n) {
		uint8_t c = r->path.p[r->at];
		bool ok;

		if (c == '.') {
			ok = read_member(r);
		} else if (c == '[') {
			r->at++;
			ok = r->at < r->path.n && r->path.p[r->at] == '"';
			if (ok) {
				ok = read_text(r);
			} else {
				open++;
				ok = read_root(r);
			}
		} else if (c == ']' && open > 0) {
			r->at++;
			open--;
			ok = get(r);
		} else {
			ok = wrong(r, "a path is NAME, then .NAME, [\"text\"] "
				      "or [path]");
		}
		if (!ok)
			return false;
	}
	if (open > 0)
		return wrong(r, "a `]` is missing");
	if (r->types[0] != TYPE_TEXT && r->types[0] != TYPE_LIST)
		return wrong(r, "this is a map; name one of its members, as "
				"in [\"text\"] or [path]");
	return true;
}

/* Attributes are claims: worth a word wherever they decide. */
static void warn_of_claims(struct reader *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->ops[i].code == CS_PATH_FACT &&
		    r->ops[i].index == CS_FACT_ATTRIBUTES)
			cs_load_warning(r->l, r->node,
					"request.attributes are claims that "
					"nobody verified");
	}
}

/* One path to its steps. */
static bool load_path(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_span text, struct cs_template *t,
		      struct cs_template_part *part)
{
	struct reader r = {.l = l, .node = node, .path = text};

	while (r.path.n > 0 && r.path.p[0] == ' ')
		r.path = cs_span_sub(r.path, 1, SIZE_MAX);
	while (r.path.n > 0 && r.path.p[r.path.n - 1] == ' ')
		r.path.n--;
	/* A step takes a byte at least, and `["x"]` two steps. */
	r.cap = 2 * r.path.n + 2;
	r.ops = cs_arena_new_array(l->arena, r.cap, sizeof(*r.ops));
	if (r.ops == NULL) {
		cs_load_no_memory(l);
		return false;
	}
	if (!read_path(&r))
		return false;
	warn_of_claims(&r);
	*part = (struct cs_template_part){r.path, r.ops, r.n};
	t->dynamic = true;
	t->is_list = t->is_list || r.types[0] == TYPE_LIST;
	l->into->dynamic = true;
	return true;
}

/* Where two bytes stand next to each other; the text's end: nowhere. */
static size_t find_pair(struct cs_span s, uint8_t c)
{
	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] == c && s.p[i + 1] == c)
			return i;
	}
	return s.n;
}

bool cs_load_template(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_template *ret_template)
{
	struct cs_template_part *parts;
	struct cs_template t = {0};
	struct cs_span rest;

	if (!cs_load_text_as_it_is(l, node, &rest))
		return false;
	parts = cs_arena_new_array(l->arena, CS_MAX_TEMPLATE_PARTS,
				   sizeof(*parts));
	if (parts == NULL) {
		cs_load_no_memory(l);
		return false;
	}
	while (rest.n > 0) {
		size_t open = find_pair(rest, '{'), end;

		if (t.n + 2 > CS_MAX_TEMPLATE_PARTS) {
			cs_load_error(l, node, "too many {{path}} in one text");
			return false;
		}
		if (open > 0)
			parts[t.n++].text = cs_span_sub(rest, 0, open);
		if (open == rest.n)
			break;
		rest = cs_span_sub(rest, open + 2, SIZE_MAX);
		end = find_pair(rest, '}');
		if (end == rest.n) {
			cs_load_error(l, node, "`{{` without `}}`");
			return false;
		}
		if (!load_path(l, node, cs_span_sub(rest, 0, end), &t,
			       &parts[t.n]))
			return false;
		t.n++;
		rest = cs_span_sub(rest, end + 2, SIZE_MAX);
	}
	t.parts = parts;
	*ret_template = t;
	return true;
}
