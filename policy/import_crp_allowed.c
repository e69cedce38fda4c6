/* spec.allowed of a CertificateRequestPolicy. */
#include "policy/attribute.h"
#include "policy/import_crp.h"
#include "policy/usage.h"

/* The kinds of names that have rules of one shape. */
static const struct {
	const char *name, *native;
	struct cs_crp_target target;
} kinds[] = {
	{"dnsNames", "dns", {"san.dns", CS_PATTERN_DNS, false}},
	{"ipAddresses", "ip", {"san.ip", CS_PATTERN_IP, false}},
	{"uris", "uri", {"san.uri", CS_PATTERN_URI, false}},
	{"emailAddresses", "email", {"san.email", CS_PATTERN_EMAIL, false}},
};

/* Attributes of the subject; otherAttributes aside. */
static const struct {
	const char *name, *native;
	struct cs_crp_target target;
} attributes[] = {
	{"organizations",
	 "organization",
	 {"subject.organization", CS_PATTERN_TEXT, false}},
	{"countries", "country", {"subject.country", CS_PATTERN_TEXT, false}},
	{"organizationalUnits",
	 "organizationalUnit",
	 {"subject.organizationalUnit", CS_PATTERN_TEXT, false}},
	{"localities",
	 "locality",
	 {"subject.locality", CS_PATTERN_TEXT, false}},
	{"provinces",
	 "stateOrProvince",
	 {"subject.stateOrProvince", CS_PATTERN_TEXT, false}},
	{"streetAddresses",
	 "streetAddress",
	 {"subject.streetAddress", CS_PATTERN_TEXT, false}},
	{"postalCodes",
	 "postalCode",
	 {"subject.postalCode", CS_PATTERN_TEXT, false}},
	{"serialNumber",
	 "serialNumber",
	 {"subject.serialNumber", CS_PATTERN_TEXT, true}},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Does a list of globs say that a name may begin with any characters? */
static bool begins_with_star(const struct cs_yaml *rule)
{
	const struct cs_yaml *values = cs_yaml_get(rule, "values");

	for (const struct cs_yaml *c = values != NULL ? values->child : NULL;
	     c != NULL; c = c->next) {
		if (c->kind == CS_YAML_TEXT && c->text.n > 0 &&
		    c->text.p[0] == '*')
			return true;
	}
	return false;
}

/* dnsNames and the other three. */
static void names(struct cs_importing *i, const struct cs_yaml *allowed)
{
	for (size_t k = 0; k < COUNT(kinds) && !i->failed; k++) {
		const struct cs_yaml *rule =
			cs_yaml_get(allowed, kinds[k].name);
		const char *path =
			cs_import_path(i, "spec.allowed", kinds[k].name);
		json_t *kind;

		if (!cs_import_is_map(i, rule, path))
			continue;
		kind = cs_import_field(i, "san", kinds[k].native);
		cs_crp_rule(i, rule, path, &kinds[k].target, kind);
		if (k > 0 || !begins_with_star(rule) ||
		    json_object_get(kind, "allow") == NULL ||
		    json_object_get(kind, "wildcard") != NULL)
			continue;
		cs_import_set(i, kind, "wildcard", json_string("leftmost"));
		cs_import_tell(i, CS_IMPORT_NOTE, rule, path,
			       "a `*` takes wildcard names, too, so "
			       "san.dns.wildcard is `leftmost`; take that out "
			       "if it was not meant");
	}
}

/* A list of {oid, ...}; false: this one has no OID. */
static bool rule_oid(struct cs_importing *i, const struct cs_yaml *rule,
		     const char *path, struct cs_span *ret_oid,
		     struct cs_span *ret_der)
{
	const char *field = cs_import_path(i, path, "oid");

	if (!cs_import_is_map(i, rule, path) ||
	    !cs_import_text(i, cs_yaml_get(rule, "oid"), field, ret_oid)) {
		cs_import_fail(i, rule, field, "an OID is wanted");
		return false;
	}
	if (cs_import_oid(i, *ret_oid, ret_der))
		return true;
	if (!i->no_memory)
		cs_import_fail(i, rule, field, "`%.*s` is no OID",
			       CS_SPAN_FMT(cs_span_sub(*ret_oid, 0, 64)));
	return false;
}

/* otherNames: those that are UTF8Strings. */
static void other_names(struct cs_importing *i, const struct cs_yaml *list)
{
	const struct cs_crp_target target = {"san.other_name", CS_PATTERN_TEXT,
					     false};
	const char *path = "spec.allowed.otherNames";
	const struct cs_yaml *c;
	size_t n = 0;

	if (!cs_import_is_list(i, list, path))
		return;
	for (c = list->child; c != NULL && !i->failed; c = c->next) {
		const char *field = cs_import_item(i, path, n++);
		struct cs_span oid = {0}, der = {0};
		json_t *rule;

		if (!rule_oid(i, c, field, &oid, &der))
			return;
		rule = json_object();
		cs_import_set_text(i, rule, "oid", oid);
		cs_import_set(i, rule, "type", json_string("utf8"));
		cs_crp_rule(i, c, field, &target, rule);
		cs_import_add(i, cs_import_section(i, "san"), "other_name",
			      rule);
		cs_import_tell(i, CS_IMPORT_NARROWER, c, field,
			       "only UTF8Strings pass; the issuer's ceiling "
			       "must list `other_name` in `permitted_kinds`");
	}
}

/* subject.otherAttributes: by their OIDs. */
static void other_attributes(struct cs_importing *i, const struct cs_yaml *list)
{
	const char *path = "spec.allowed.subject.otherAttributes";
	const struct cs_yaml *c;
	size_t n = 0;

	if (!cs_import_is_list(i, list, path))
		return;
	for (c = list->child; c != NULL && !i->failed; c = c->next) {
		const char *field = cs_import_item(i, path, n++);
		struct cs_crp_target target = {"", CS_PATTERN_TEXT, false};
		const struct cs_attribute *known;
		struct cs_span oid = {0}, der = {0};
		const char *name;

		if (!rule_oid(i, c, field, &oid, &der))
			return;
		known = cs_attribute_by_oid(der);
		name = known != NULL ? known->name
				     : cs_arena_str(i->arena, oid);
		if (name == NULL) {
			i->no_memory = true;
			return;
		}
		target.native = cs_import_path(i, "subject", name);
		cs_crp_rule(i, c, field, &target,
			    cs_import_field(i, "subject", name));
	}
}

/* commonName and the rest of the subject. */
static void subject(struct cs_importing *i, const struct cs_yaml *allowed)
{
	static const struct cs_crp_target cn = {"subject.commonName",
						CS_PATTERN_TEXT, true};
	const struct cs_yaml *node = cs_yaml_get(allowed, "subject");
	const struct cs_yaml *rule = cs_yaml_get(allowed, "commonName");
	const char *path = "spec.allowed.commonName";
	struct cs_import_key keys[COUNT(attributes) + 2] = {
		{"otherAttributes", NULL}};
	json_t *object;

	if (cs_import_is_map(i, rule, path)) {
		object = cs_import_field(i, "subject", "commonName");
		cs_crp_rule(i, rule, path, &cn, object);
		cs_import_set(i, object, "in_san", json_string("ignore"));
	}
	if (!cs_import_is_map(i, node, "spec.allowed.subject"))
		return;
	for (size_t k = 0; k < COUNT(attributes) && !i->failed; k++) {
		keys[k + 1].name = attributes[k].name;
		rule = cs_yaml_get(node, attributes[k].name);
		path = cs_import_path(i, "spec.allowed.subject",
				      attributes[k].name);
		if (cs_import_is_map(i, rule, path))
			cs_crp_rule(i, rule, path, &attributes[k].target,
				    cs_import_field(i, "subject",
						    attributes[k].native));
	}
	cs_import_known(i, node, "spec.allowed.subject", keys);
	if (!i->failed)
		other_attributes(i, cs_yaml_get(node, "otherAttributes"));
}

/* cert-manager's words. */
static const char *const words[] = {
	"signing",
	"digital signature",
	"content commitment",
	"key encipherment",
	"key agreement",
	"data encipherment",
	"cert sign",
	"crl sign",
	"encipher only",
	"decipher only",
	"any",
	"server auth",
	"client auth",
	"code signing",
	"email protection",
	"s/mime",
	"ipsec end system",
	"ipsec tunnel",
	"ipsec user",
	"timestamping",
	"ocsp signing",
	"microsoft sgc",
	"netscape sgc",
};

/* Those that mean the same as the one before, in the native language. */
static bool is_second(const char *word)
{
	return cs_span_equal_str(cs_span_str(word), "digital signature") ||
	       cs_span_equal_str(cs_span_str(word), "s/mime");
}

/* One word that a glob takes, into the list of its extension. */
static void usage(struct cs_importing *i, const struct cs_yaml *at,
		  const char *field, size_t k, const bool *taken)
{
	struct cs_usage u = {0};
	struct cs_span word = cs_span_str(words[k]);
	bool pair = is_second(words[k]) ||
		    (k + 1 < COUNT(words) && is_second(words[k + 1]));
	size_t other = is_second(words[k]) ? k - 1 : k + 1;

	if (!cs_usage_parse(word, i->arena, &u, NULL)) {
		i->no_memory = true;
		return;
	}
	if (cs_span_equal_str(word, "any"))
		word = CS_SPAN_LIT("2.5.29.37.0");
	if (pair && !taken[other])
		cs_import_tell(i, CS_IMPORT_NOTE, at, field,
			       "`%s` and `%s` are the same in a certificate, "
			       "and both pass",
			       words[k], words[other]);
	if (pair && is_second(words[k]) && taken[other])
		return;
	cs_import_add_text(i,
			   cs_import_field(i, "extensions",
					   u.key_usage != 0 ? "key_usage"
							    : "ext_key_usage"),
			   "allow", word);
}

/* usages: globs on cert-manager's words, which are all that there are. */
static void usages(struct cs_importing *i, const struct cs_yaml *list)
{
	const char *path = "spec.allowed.usages";
	bool taken[COUNT(words)] = {false};
	const struct cs_yaml *c;
	size_t n = 0;

	(void)cs_import_field(i, "extensions", "key_usage");
	(void)cs_import_field(i, "extensions", "ext_key_usage");
	if (!cs_import_is_list(i, list, path))
		return;
	for (c = list->child; c != NULL; c = c->next) {
		const char *field = cs_import_item(i, path, n++);
		struct cs_span glob = {0};
		bool any = false;

		if (!cs_import_text(i, c, field, &glob)) {
			cs_import_fail(i, c, field, "a text is wanted");
			return;
		}
		for (size_t k = 0; k < COUNT(words); k++) {
			if (!cs_import_glob_takes(glob, cs_span_str(words[k])))
				continue;
			taken[k] = true;
			any = true;
		}
		cs_import_tell(i, any ? CS_IMPORT_EXACT : CS_IMPORT_NOTE, c,
			       field,
			       any ? "extensions.key_usage.allow, "
				     "extensions.ext_key_usage.allow"
				   : "left out: it is no usage of "
				     "cert-manager's");
	}
	for (size_t k = 0; k < COUNT(words); k++) {
		if (taken[k])
			usage(i, list, path, k, taken);
	}
}

static void is_ca(struct cs_importing *i, const struct cs_yaml *node)
{
	const char *field = "spec.allowed.isCA";
	bool ca = false;

	if (cs_import_bool(i, node, field, &ca))
		cs_import_tell(i, CS_IMPORT_EXACT, node, field,
			       "extensions.basic_constraints.ca%s",
			       ca ? "; only an issuer whose ceiling says `ca: "
				    "true` certifies CAs"
				  : "");
	cs_import_set(i, cs_import_field(i, "extensions", "basic_constraints"),
		      "ca", json_boolean(ca));
}

void cs_crp_allowed(struct cs_importing *i, const struct cs_yaml *allowed)
{
	static const struct cs_import_key keys[] = {
		{"commonName", NULL},	  {"dnsNames", NULL},
		{"ipAddresses", NULL},	  {"uris", NULL},
		{"emailAddresses", NULL}, {"otherNames", NULL},
		{"isCA", NULL},		  {"usages", NULL},
		{"subject", NULL},	  {NULL, NULL}};

	if (cs_import_is_map(i, allowed, "spec.allowed"))
		cs_import_known(i, allowed, "spec.allowed", keys);
	if (i->failed)
		return;
	if (allowed != NULL && allowed->kind == CS_YAML_MAP) {
		subject(i, allowed);
		if (!i->failed)
			names(i, allowed);
		if (!i->failed)
			other_names(i, cs_yaml_get(allowed, "otherNames"));
	}
	/* What is not mentioned is allowed no more than what is empty. */
	if (!i->failed)
		usages(i, cs_yaml_get(allowed, "usages"));
	if (!i->failed)
		is_ca(i, cs_yaml_get(allowed, "isCA"));
}
