#include <string.h>

#include "policy/load.h"
#include "policy/name.h"

/* The matchers of the language, in the order of their domains below. */
static const struct cs_load_key all_keys[] = {
	{"any", false},	 {"exact", false}, {"iexact", false}, {"dns", false},
	{"cidr", false}, {"glob", true},   {"regex", true},   {"email", true},
	{"uri", true},	 {"dn", true},	   {"oid", true},     {"cel", true},
	{NULL, false},
};

/* May this matcher stand in a list about that? */
static bool fits(enum cs_load_domain domain, const char *name)
{
	static const char *const names[] = {
		[CS_LOAD_TEXT] = " any exact iexact ",
		[CS_LOAD_CN] = " any exact iexact dns ",
		[CS_LOAD_DNS] = " any exact dns ",
		[CS_LOAD_IP] = " any exact cidr ",
		[CS_LOAD_URI] = " any exact ",
		[CS_LOAD_EMAIL] = " any exact iexact ",
	};
	const char *at = strstr(names[domain], name);

	return at != NULL && at[-1] == ' ' && at[strlen(name)] == ' ';
}

/* A DNS name of a matcher, made canonical. */
static bool canonical_dns(struct cs_load *l, const struct cs_yaml *node,
			  struct cs_span text, struct cs_span *ret)
{
	struct cs_error err = {0};

	if (cs_name_dns(text, l->arena, ret, &err))
		return true;
	cs_load_error(l, node, "`%.*s` is no DNS name: %s", CS_SPAN_FMT(text),
		      err.text);
	return false;
}

/* host, *.zone, **.zone or .zone */
static bool dns_matcher(struct cs_load *l, const struct cs_yaml *node,
			struct cs_span text, struct cs_matcher *m)
{
	size_t skip = 0;

	m->kind = CS_MATCH_DNS_HOST;
	if (cs_span_starts_with(text, CS_SPAN_LIT("**."))) {
		m->kind = CS_MATCH_DNS_BELOW;
		skip = 3;
	} else if (cs_span_starts_with(text, CS_SPAN_LIT("*."))) {
		m->kind = CS_MATCH_DNS_ONE;
		skip = 2;
	} else if (cs_span_starts_with(text, CS_SPAN_LIT("."))) {
		m->kind = CS_MATCH_DNS_WITHIN;
		skip = 1;
	}
	text = cs_span_sub(text, skip, SIZE_MAX);
	if (cs_span_find(text, '*', NULL)) {
		cs_load_error(l, node,
			      "`*` stands only in front, as `*.` or `**.`");
		return false;
	}
	return canonical_dns(l, node, text, &m->text);
}

/* ADDRESS/BITS with the host's bits zero, or one address. */
static bool cidr_matcher(struct cs_load *l, const struct cs_yaml *node,
			 struct cs_span text, struct cs_matcher *m)
{
	struct cs_error err = {0};
	size_t slash = text.n;
	unsigned bits = 0;

	m->kind = CS_MATCH_CIDR;
	(void)cs_span_find(text, '/', &slash);
	if (!cs_name_ip_octets(cs_span_sub(text, 0, slash), l->arena, &m->net,
			       &err)) {
		cs_load_error(l, node, "`%.*s` is no network: %s",
			      CS_SPAN_FMT(text), err.text);
		return false;
	}
	for (size_t i = slash + 1; i < text.n && bits <= 128; i++)
		bits = text.p[i] >= '0' && text.p[i] <= '9'
			       ? bits * 10 + (text.p[i] - '0')
			       : 1000;
	if (slash == text.n)
		bits = (unsigned)(8 * m->net.n);
	if (slash + 1 == text.n || bits > 8 * m->net.n) {
		cs_load_error(l, node,
			      "`%.*s` is no network: RFC 4632 3.1 wants "
			      "ADDRESS/BITS",
			      CS_SPAN_FMT(text));
		return false;
	}
	m->prefix = bits;
	for (unsigned bit = bits; bit < 8 * m->net.n; bit++) {
		if ((m->net.p[bit / 8] & (0x80 >> bit % 8)) == 0)
			continue;
		cs_load_error(l, node,
			      "`%.*s` has bits behind its prefix; write the "
			      "network's address",
			      CS_SPAN_FMT(text));
		return false;
	}
	return true;
}

/* The value of `exact`, canonical where its domain has such a thing. */
static bool exact_matcher(struct cs_load *l, const struct cs_yaml *node,
			  struct cs_span text, enum cs_load_domain domain,
			  struct cs_matcher *m)
{
	struct cs_error err = {0};
	struct cs_span octets;
	bool ok = true;

	m->kind = CS_MATCH_EXACT;
	m->text = text;
	if (domain == CS_LOAD_DNS) {
		/* As DNS_HOST, so that a requested wildcard is a set. */
		m->kind = CS_MATCH_DNS_HOST;
		return canonical_dns(l, node, text, &m->text);
	}
	if (domain == CS_LOAD_IP)
		ok = cs_name_ip_octets(text, l->arena, &octets, &err) &&
		     cs_name_ip_text(octets, l->arena, &m->text, &err);
	if (domain == CS_LOAD_URI)
		ok = cs_name_uri(text, l->arena, &m->text, &err);
	if (domain == CS_LOAD_EMAIL)
		ok = cs_name_email(text, l->arena, &m->text, &err);
	if (!ok)
		cs_load_error(l, node, "`%.*s`: %s", CS_SPAN_FMT(text),
			      err.text);
	return ok;
}

/* A matcher's kind is known: read its value. */
static bool value(struct cs_load *l, const struct cs_yaml *node,
		  enum cs_load_domain domain, struct cs_matcher *m)
{
	struct cs_span text;

	if (!cs_load_text(l, node, &text))
		return false;
	if (cs_span_equal_str(node->key, "dns"))
		return dns_matcher(l, node, text, m);
	if (cs_span_equal_str(node->key, "cidr"))
		return cidr_matcher(l, node, text, m);
	if (cs_span_equal_str(node->key, "exact"))
		return exact_matcher(l, node, text, domain, m);
	m->kind = CS_MATCH_IEXACT;
	m->text = text;
	return true;
}

/* {KIND: VALUE} */
static bool map_matcher(struct cs_load *l, const struct cs_yaml *node,
			enum cs_load_domain domain, struct cs_matcher *m)
{
	size_t before = l->report->errors;
	const struct cs_yaml *one = node->child;
	char name[16] = "";

	if (!cs_load_map(l, node, all_keys) || l->report->errors != before)
		return false;
	if (node->n != 1) {
		cs_load_error(l, node, "a matcher has exactly one key");
		return false;
	}
	memcpy(name, one->key.p, one->key.n);
	if (!fits(domain, name)) {
		cs_load_error_key(l, one, "`%s` cannot match in `%s`", name,
				  l->path);
		return false;
	}
	if (strcmp(name, "any") == 0) {
		cs_load_error_key(l, one, "write `any` alone, without a value");
		return false;
	}
	return value(l, one, domain, m);
}

/* One item of a list of matchers. */
static bool matcher(struct cs_load *l, const struct cs_yaml *node,
		    enum cs_load_domain domain, struct cs_matcher *m)
{
	if (node->kind == CS_YAML_MAP)
		return map_matcher(l, node, domain, m);
	if (node->kind == CS_YAML_TEXT &&
	    cs_span_equal_str(node->text, "any")) {
		m->kind = CS_MATCH_ANY;
		return true;
	}
	cs_load_error(l, node,
		      "a matcher is `any` or a map such as {exact: TEXT}");
	return false;
}

/* How an item looks in "expected", or in "is not ...". */
static struct cs_span shown(struct cs_load *l, const struct cs_matcher *m,
			    const struct cs_yaml *node, bool phrase)
{
	const struct cs_yaml *v =
		node->kind == CS_YAML_MAP ? node->child : node;
	const char *before = "";
	char *text;

	if (phrase && m->kind == CS_MATCH_DNS_ONE)
		before = "one label in front of ";
	if (phrase &&
	    (m->kind == CS_MATCH_DNS_BELOW || m->kind == CS_MATCH_DNS_WITHIN))
		before = "below ";
	if (phrase && m->kind == CS_MATCH_CIDR)
		before = "in ";
	if (before[0] == 'o')
		text = cs_arena_printf(l->arena, "%s%.*s", before,
				       CS_SPAN_FMT(m->text));
	else
		text = cs_arena_printf(l->arena, "%s%.*s", before,
				       CS_SPAN_FMT(v->text));
	if (text == NULL)
		cs_load_no_memory(l);
	return cs_span_str(text);
}

void cs_load_matchers(struct cs_load *l, const struct cs_yaml *node,
		      const char *path, enum cs_load_domain domain,
		      struct cs_matchers *matchers)
{
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);
	struct cs_matcher *items;
	struct cs_span *expect, *phrase;
	bool ok = true;

	if (n == 0)
		return;
	items = cs_arena_new_array(l->arena, n, sizeof(*items));
	expect = cs_arena_new_array(l->arena, n, sizeof(*expect));
	phrase = cs_arena_new_array(l->arena, n, sizeof(*phrase));
	if (items == NULL || expect == NULL || phrase == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (size_t i = 0; i < n; i++, item = item->next) {
		if (!matcher(l, item, domain, &items[i])) {
			ok = false;
			continue;
		}
		expect[i] = shown(l, &items[i], item, false);
		phrase[i] = shown(l, &items[i], item, true);
	}
	if (!ok)
		return;
	matchers->present = true;
	matchers->rule = cs_load_rule(l, path, node);
	matchers->items = items;
	matchers->n = n;
	matchers->expect = cs_load_join(l, expect, n);
	matchers->phrase = cs_load_join(l, phrase, n);
}
