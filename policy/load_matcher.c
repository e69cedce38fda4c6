#include <string.h>

#include "policy/load.h"
#include "policy/template.h"

/* The matchers of the language, in the order of their words below. */
const struct cs_load_key cs_keys_matcher[] = {
	{"any", false, "text"},	   {"exact", false, "text"},
	{"iexact", false, "text"}, {"glob", false, "text"},
	{"dns", false, "text"},	   {"cidr", false, "text"},
	{"email", false, "email"}, {"uri", false, "uri"},
	{"oid", false, "text"},	   {"regex", false, "text"},
	{"dn", false, "text"},	   {"cel", true, NULL},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_uri[] = {
	{"scheme", false, "text"},
	{"host", false, "text"},
	{"path", false, "text"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_email[] = {
	{"domain", false, "text"},
	{NULL, false, NULL},
};

/* The matchers of each kind of field, and one as it is written. */
static const struct {
	const char *names, *example;
} domains[] = {
	[CS_DOMAIN_TEXT] = {" any exact iexact glob oid regex ",
			    "{exact: TEXT}"},
	[CS_DOMAIN_CN] = {" any exact iexact glob dns email regex ",
			  "{dns: .corp.example}"},
	[CS_DOMAIN_DNS] = {" any exact dns regex ", "{dns: .corp.example}"},
	[CS_DOMAIN_IP] = {" any exact cidr ", "{cidr: 10.20.0.0/16}"},
	[CS_DOMAIN_URI] = {" any exact uri regex ",
			   "{uri: {scheme: spiffe, host: corp.example}}"},
	[CS_DOMAIN_EMAIL] = {" any exact iexact email regex ",
			     "{email: {domain: corp.example}}"},
	[CS_DOMAIN_DN] = {" any dn ", "{dn: DN}"},
	[CS_DOMAIN_OID] = {" any oid ", "{oid: 1.3.6.1.4.1.99999.1}"},
};

bool cs_load_matcher_fits(enum cs_match_domain domain, const char *name)
{
	const char *at = strstr(domains[domain].names, name);

	return at != NULL && at[-1] == ' ' && at[strlen(name)] == ' ';
}

/* {scheme, host, path}: each may be absent, but not all. */
static bool load_uri(struct cs_load *l, const struct cs_yaml *node,
		     struct cs_matcher_source *s)
{
	const struct cs_yaml *scheme = cs_yaml_get(node, "scheme");
	const struct cs_yaml *host = cs_yaml_get(node, "host");
	const struct cs_yaml *path = cs_yaml_get(node, "path");
	size_t before = l->report->errors;

	if (!cs_load_map(l, node, cs_keys_uri))
		return false;
	if (node->n == 0)
		cs_load_error(l, node, "`uri` wants scheme, host or path");
	(void)cs_load_text(l, scheme, &s->scheme);
	for (size_t i = 0; i < s->scheme.n; i++) {
		uint8_t c = s->scheme.p[i];

		if (!((c >= 'a' && c <= 'z') ||
		      (i > 0 && ((c >= '0' && c <= '9') || c == '+' ||
				 c == '-' || c == '.')))) {
			cs_load_error(l, scheme,
				      "RFC 3986 3.1: a scheme is written in "
				      "lower case letters");
			break;
		}
	}
	if (host != NULL)
		(void)cs_load_template(l, host, &s->value);
	s->has_path = path != NULL && cs_load_template(l, path, &s->path);
	return l->report->errors == before;
}

/* {domain: corp.example} */
static bool load_email(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_matcher_source *s)
{
	const struct cs_yaml *domain = cs_yaml_get(node, "domain");

	if (!cs_load_map(l, node, cs_keys_email))
		return false;
	if (domain == NULL) {
		cs_load_error(l, node, "`email` wants {domain: DOMAIN}");
		return false;
	}
	return cs_load_template(l, domain, &s->value);
}

/* {KIND: VALUE} */
static bool map_source(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_matcher_source *s)
{
	size_t before = l->report->errors;
	const struct cs_yaml *one = node->child;
	char name[16] = "";

	if (!cs_load_map(l, node, cs_keys_matcher) ||
	    l->report->errors != before)
		return false;
	if (node->n != 1) {
		cs_load_error(l, node, "a matcher has exactly one key");
		return false;
	}
	memcpy(name, one->key.p, one->key.n);
	if (!cs_load_matcher_fits(s->domain, name)) {
		cs_load_error_key(l, one,
				  "`%s` cannot match in `%s`; these can:%.*s",
				  name, l->path,
				  (int)strlen(domains[s->domain].names) - 1,
				  domains[s->domain].names);
		return false;
	}
	if (strcmp(name, "any") == 0) {
		cs_load_error_key(l, one, "write `any` alone, without a value");
		return false;
	}
	while (strcmp(cs_keys_matcher[s->word].name, name) != 0)
		s->word = (enum cs_matcher_word)((int)s->word + 1);
	if (s->word == CS_WORD_URI)
		return load_uri(l, one, s);
	if (s->word == CS_WORD_EMAIL)
		return load_email(l, one, s);
	return cs_load_template(l, one, &s->value);
}

/* One item of a list of matchers, as it is written. */
static bool load_source(struct cs_load *l, const struct cs_yaml *node,
			struct cs_matcher_source *s)
{
	if (node->kind == CS_YAML_MAP)
		return map_source(l, node, s);
	if (node->kind == CS_YAML_TEXT && cs_span_equal_str(node->text, "any"))
		return true;
	cs_load_error(l, node, "a matcher is `any` or a map such as %s",
		      domains[s->domain].example);
	return false;
}

/* The text of a template, with `x` as the value of each path. */
static bool sample(struct cs_load *l, const struct cs_template *t,
		   struct cs_resolved *ret)
{
	uint8_t *foreign = NULL;
	struct cs_buf b;
	bool ok = true;

	*ret = (struct cs_resolved){0};
	cs_buf_init(&b, CS_MAX_POLICY_FILE);
	for (size_t i = 0; i < t->n; i++) {
		if (t->parts[i].ops_n > 0)
			cs_buf_add_byte(&b, 'x');
		else
			cs_buf_add(&b, t->parts[i].text);
	}
	ok = cs_buf_ok(&b) &&
	     cs_arena_dup(l->arena, cs_buf_span(&b), &ret->text);
	if (ok && t->dynamic) {
		foreign = cs_arena_new(l->arena, ret->text.n);
		ok = foreign != NULL;
	}
	for (size_t i = 0, at = 0; foreign != NULL && i < t->n; i++) {
		if (t->parts[i].ops_n > 0)
			foreign[at++] = 1;
		else
			at += t->parts[i].text.n;
	}
	ret->foreign = foreign;
	cs_buf_done(&b);
	if (!ok)
		cs_load_no_memory(l);
	return ok;
}

/*
 * Make it, or, where values are missing, see whether it could be made: with
 * `x` for each of them, unless only certain texts will do.
 */
static bool make(struct cs_load *l, const struct cs_yaml *node,
		 const struct cs_matcher_source *s, struct cs_matcher *m)
{
	const struct cs_yaml *at =
		node->kind == CS_YAML_MAP ? node->child : node;
	struct cs_resolved value, path;
	struct cs_error err = {0};
	bool dynamic = s->value.dynamic || s->path.dynamic;

	if (dynamic && (s->word == CS_WORD_CIDR || s->word == CS_WORD_EXACT ||
			s->word == CS_WORD_OID || s->word == CS_WORD_DN))
		return true;
	if (!sample(l, &s->value, &value) || !sample(l, &s->path, &path))
		return false;
	if (cs_matcher_make(s, &value, &path, l->arena, m, &err))
		return true;
	cs_load_error(l, at, "%s", err.text);
	return false;
}

/* What the list takes, in words. */
static void describe(struct cs_load *l, struct cs_matchers *matchers)
{
	struct cs_span *expect, *phrase;
	bool ok;

	expect = cs_arena_new_array(l->arena, matchers->n, sizeof(*expect));
	phrase = cs_arena_new_array(l->arena, matchers->n, sizeof(*phrase));
	ok = expect != NULL && phrase != NULL;
	for (size_t i = 0; ok && i < matchers->n; i++) {
		expect[i] = matchers->items[i].shown;
		ok = cs_matcher_phrase(&matchers->items[i], l->arena,
				       &phrase[i]);
	}
	ok = ok &&
	     cs_template_join(expect, matchers->n, l->arena,
			      &matchers->expect) &&
	     cs_template_join(phrase, matchers->n, l->arena, &matchers->phrase);
	if (!ok)
		cs_load_no_memory(l);
}

void cs_load_matchers(struct cs_load *l, const struct cs_yaml *node,
		      const char *path, enum cs_match_domain domain,
		      struct cs_matchers *matchers)
{
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);
	struct cs_matcher_source *sources;
	struct cs_matcher *items;
	bool ok = true, dynamic = false;

	if (n == 0)
		return;
	items = cs_arena_new_array(l->arena, n, sizeof(*items));
	sources = cs_arena_new_array(l->arena, n, sizeof(*sources));
	if (items == NULL || sources == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (size_t i = 0; i < n; i++, item = item->next) {
		sources[i].domain = domain;
		ok = load_source(l, item, &sources[i]) &&
		     make(l, item, &sources[i], &items[i]) && ok;
		dynamic = dynamic || sources[i].value.dynamic ||
			  sources[i].path.dynamic;
	}
	if (!ok)
		return;
	matchers->present = true;
	matchers->rule = cs_load_rule(l, path, node);
	matchers->items = items;
	matchers->n = n;
	if (dynamic)
		matchers->sources = sources;
	else
		describe(l, matchers);
}
