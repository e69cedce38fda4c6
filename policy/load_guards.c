/* `kind: IssuanceGuards`: what nobody gets, by literal matchers. */
#include <string.h>

#include "policy/attribute.h"
#include "policy/load.h"

const struct cs_load_key cs_keys_guards_spec[] = {
	{"match", false, "guards_match"},
	{"guards", false, "guard+"},
	{"tests", false, "tests"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_guards_match[] = {
	{"issuer", false, "text+"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_guard[] = {
	{"id", false, "id"},	    {"deny", false, "deny"},
	{"message", false, "line"}, {"reject", true, NULL},
	{"require", true, NULL},    {NULL, false, NULL},
};

/* Keys of `deny`, besides `subject.ATTRIBUTE`. */
const struct cs_load_key cs_keys_guard_fields[] = {
	{"san.dns", false, "matcher_dns+"},
	{"san.ip", false, "matcher_ip+"},
	{"san.uri", false, "matcher_uri+"},
	{"san.email", false, "matcher_email+"},
	{"san.directory_name", false, "matcher_dn+"},
	{"san.registered_id", false, "matcher_oid+"},
	{"san.other_name", false, "matcher_text+"},
	{"subject", false, "any"},
	{NULL, false, NULL},
};

/* The kinds of names, in the order of the keys above. */
static const struct {
	enum cs_name_kind kind;
	enum cs_match_domain domain;
} kinds[] = {
	{CS_NAME_DNS, CS_DOMAIN_DNS},
	{CS_NAME_IP, CS_DOMAIN_IP},
	{CS_NAME_URI, CS_DOMAIN_URI},
	{CS_NAME_EMAIL, CS_DOMAIN_EMAIL},
	{CS_NAME_DIRECTORY, CS_DOMAIN_DN},
	{CS_NAME_REGISTERED_ID, CS_DOMAIN_OID},
	{CS_NAME_OTHER, CS_DOMAIN_TEXT},
};

#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))
#define SUBJECT "subject."

/* What a key of `deny` is about; false: reported. */
static bool load_what(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_guard_field *field,
		      enum cs_match_domain *ret_domain)
{
	const char *near;

	for (size_t i = 0; i < KINDS; i++) {
		if (!cs_span_equal_str(node->key, cs_keys_guard_fields[i].name))
			continue;
		field->is_name = true;
		field->kind = kinds[i].kind;
		*ret_domain = kinds[i].domain;
		return true;
	}
	if (cs_span_starts_with(node->key, CS_SPAN_LIT(SUBJECT))) {
		if (!cs_load_attribute(l, node,
				       cs_span_sub(node->key,
						   sizeof(SUBJECT) - 1,
						   SIZE_MAX),
				       &field->oid))
			return false;
		*ret_domain = cs_attribute_is_cn(field->oid) ? CS_DOMAIN_CN
							     : CS_DOMAIN_TEXT;
		return true;
	}
	near = cs_load_nearest(node->key, cs_keys_guard_fields);
	if (near != NULL && strcmp(near, "subject") != 0)
		cs_load_error_key(l, node,
				  "`deny.%.*s` is not known; did you mean "
				  "`%s`?",
				  CS_SPAN_FMT(node->key), near);
	else
		cs_load_error_key(l, node,
				  "`deny.%.*s` is not known; a guard denies "
				  "in san.dns, san.ip, san.uri, san.email, "
				  "san.directory_name, san.registered_id, "
				  "san.other_name and subject.ATTRIBUTE",
				  CS_SPAN_FMT(node->key));
	return false;
}

/* One field of `deny`. */
static void load_field(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_guard *guard)
{
	struct cs_guard_field *f = &guard->fields[guard->n];
	enum cs_match_domain domain = CS_DOMAIN_TEXT;

	if (!load_what(l, node, f, &domain))
		return;
	cs_load_matchers(l, node, "", domain, &f->deny);
	/* The guard itself is the rule that is told. */
	f->deny.rule = guard->rule;
	if (f->deny.sources != NULL)
		cs_load_warning(l, node,
				"a guard with {{path}} refuses every request "
				"that has no value for it, the certificates of "
				"the server itself too");
	guard->n++;
}

/* deny: {san.dns: [...], subject.organization: [...]} */
static void load_deny(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_guard *guard)
{
	if (node->kind != CS_YAML_MAP || node->n == 0 ||
	    node->n > CS_MAX_GUARD_FIELDS) {
		cs_load_error(l, node,
			      "`deny` wants 1 to %d fields with their "
			      "matchers, such as {san.dns: {dns: .example}}",
			      CS_MAX_GUARD_FIELDS);
		return;
	}
	guard->fields =
		cs_arena_new_array(l->arena, node->n, sizeof(*guard->fields));
	if (guard->fields == NULL) {
		cs_load_no_memory(l);
		return;
	}
	l->path = "deny";
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next)
		load_field(l, c, guard);
	l->path = "guards";
}

/* {id, deny, message} */
static void load_guard(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_policy *p)
{
	struct cs_guard *g = &p->guards[p->guards_n];
	const struct cs_yaml *deny = cs_yaml_get(node, "deny");
	const struct cs_yaml *message = cs_yaml_get(node, "message");
	size_t before = l->report->errors;

	if (!cs_load_map(l, node, cs_keys_guard) ||
	    l->report->errors != before || !cs_load_id(l, node, "", &g->rule))
		return;
	for (size_t i = 0; i < p->guards_n; i++) {
		if (cs_span_equal(p->guards[i].rule.id, g->rule.id))
			cs_load_error(l, node, "the id is there twice");
	}
	if (message != NULL && cs_load_template(l, message, &g->template)) {
		g->message = message->text;
		if (g->message.n > 256)
			cs_load_error(l, message, "longer than 256 bytes");
	}
	if (deny == NULL)
		cs_load_error(l, node, "a guard has `id` and `deny`");
	else
		load_deny(l, deny, g);
	p->guards_n++;
}

void cs_load_guards(struct cs_load *l, const struct cs_yaml *spec,
		    struct cs_policy *document)
{
	const struct cs_yaml *match = cs_yaml_get(spec, "match");
	const struct cs_yaml *list = cs_yaml_get(spec, "guards");
	const struct cs_yaml *item = NULL;
	size_t n;

	if (!cs_load_map(l, spec, cs_keys_guards_spec))
		return;
	l->policy = CS_SPAN_LIT("guards");
	l->path = "match";
	if (match != NULL && cs_load_map(l, match, cs_keys_guards_match)) {
		if (match->n == 0)
			cs_load_error(l, match,
				      "`match` is empty; leave it out to "
				      "match all");
		cs_load_globs(l, cs_yaml_get(match, "issuer"),
			      &document->match.issuer);
	}
	l->path = "guards";
	if (list == NULL)
		cs_load_error(l, spec, "`guards` is missing");
	n = cs_load_list(l, list, &item);
	if (n > CS_MAX_POLICY_GUARDS) {
		cs_load_error(l, list, "more than %d guards",
			      CS_MAX_POLICY_GUARDS);
		return;
	}
	document->guards =
		cs_arena_new_array(l->arena, n, sizeof(*document->guards));
	if (document->guards == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (size_t i = 0; i < n; i++, item = item->next)
		load_guard(l, item, document);
	cs_load_tests(l, cs_yaml_get(spec, "tests"), document);
}
