#include "policy/schema.h"

#include <stdio.h>
#include <string.h>

#include "policy/attribute.h"
#include "policy/load.h"

#define REF "#/definitions/"
/* A definition's name, or a shape. */
#define NAME_BYTES 64

/* Values that are no maps, or maps of any keys: as JSON. */
static const struct {
	const char *name, *json;
} values[] = {
	{"any", "{}"},
	{"text", "{\"type\": \"string\"}"},
	{"line", "{\"type\": \"string\", \"maxLength\": 256}"},
	{"name", "{\"type\": \"string\", \"pattern\": "
		 "\"^[a-z0-9_][a-z0-9._-]*$\"}"},
	{"id", "{\"type\": \"string\", \"pattern\": \"^[a-z0-9_-]+$\"}"},
	{"boolean", "{\"type\": \"boolean\"}"},
	{"integer", "{\"type\": \"integer\"}"},
	{"count", "{\"type\": \"integer\", \"minimum\": 0}"},
	{"duration", "{\"type\": \"string\", \"pattern\": \"^[0-9]\", "
		     "\"examples\": [\"90d\", \"24h\", \"30m\", \"15s\"]}"},
	{"rate", "{\"type\": \"string\", \"pattern\": \"^[0-9]+/\", "
		 "\"examples\": [\"6/1h\", \"100/24h\"]}"},
	{"apiVersion", "{\"const\": \"countersign.dev/v1\"}"},
	{"kind", "{\"enum\": [\"IssuancePolicy\", \"IssuanceGuards\"]}"},
	{"mode", "{\"enum\": [\"enforce\", \"warn\", \"shadow\"]}"},
	{"drop", "{\"enum\": [\"reject\", \"drop\"]}"},
	{"clamp", "{\"enum\": [\"reject\", \"clamp\"]}"},
	{"hold", "{\"enum\": [\"reject\", \"hold\"]}"},
	{"in_san", "{\"enum\": [\"require\", \"add\", \"ignore\"]}"},
	{"wildcard", "{\"enum\": [\"forbid\", \"leftmost\"]}"},
	{"utf8", "{\"enum\": [\"utf8\"]}"},
	{"weak", "{\"enum\": [\"roca\", \"fermat\", \"small-factors\", "
		 "\"blocklist\"]}"},
	{"reuse_rule", "{\"enum\": [\"allow\", \"reject\"]}"},
	{"alg_ec", "{\"const\": \"EC\"}"},
	{"alg_rsa", "{\"const\": \"RSA\"}"},
	{"alg_ed25519", "{\"const\": \"Ed25519\"}"},
	{"curve", "{\"enum\": [\"P-256\", \"P-384\", \"P-521\"]}"},
	{"bits", "{\"type\": [\"integer\", \"string\"], \"examples\": [3072, "
		 "\"3072..4096\"]}"},
	{"lint_level", "{\"enum\": [\"error\", \"warning\"]}"},
	{"verdict", "{\"enum\": [\"issued\", \"refused\", \"held\"]}"},
	{"request_key",
	 "{\"enum\": [\"EC P-256\", \"EC P-384\", \"EC P-521\", \"RSA 2048\", "
	 "\"RSA 3072\", \"RSA 4096\", \"Ed25519\"]}"},
	{"max_validity", "{\"anyOf\": [{\"$ref\": \"" REF "duration\"}, "
			 "{\"$ref\": \"" REF "max\"}]}"},
	{"key_spec",
	 "{\"anyOf\": [{\"$ref\": \"" REF "key_ec\"}, {\"$ref\": \"" REF
	 "key_rsa\"}, {\"$ref\": \"" REF "key_ed25519\"}]}"},
	{"tests",
	 "{\"type\": \"array\", \"items\": {\"$ref\": \"" REF "test\"}}"},
	{"texts_by_name", "{\"type\": \"object\", \"additionalProperties\": "
			  "{\"type\": \"string\"}}"},
	{"labels", "{\"type\": \"object\", \"minProperties\": 1, "
		   "\"additionalProperties\": {\"type\": \"string\"}}"},
	{"lists_by_name", "{\"type\": \"object\", \"additionalProperties\": "
			  "{\"$ref\": \"" REF "text_or_texts\"}}"},
	{"extra",
	 "{\"type\": \"object\", \"minProperties\": 1, "
	 "\"additionalProperties\": {\"$ref\": \"" REF "text_or_texts\"}}"},
	{"vars", "{\"$ref\": \"" REF "extra\"}"},
	{"tables",
	 "{\"type\": \"object\", \"additionalProperties\": {\"$ref\": "
	 "\"" REF "extra\"}}"},
	{"text_or_texts",
	 "{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"array\", "
	 "\"minItems\": 1, \"items\": {\"type\": \"string\"}}]}"},
};

/* Maps of the language, and what their matchers are about. */
static const struct {
	const char *name;
	const struct cs_load_key *keys;
	enum cs_match_domain domain;
	const char *required; /* one key, or NULL */
} maps[] = {
	{"metadata", cs_keys_metadata, 0, "name"},
	{"spec", cs_keys_spec, 0, NULL},
	{"match", cs_keys_match, 0, NULL},
	{"requester", cs_keys_requester, 0, NULL},
	{"attr", cs_keys_attr, CS_DOMAIN_TEXT, NULL},
	{"common_name", cs_keys_common_name, CS_DOMAIN_CN, NULL},
	{"san", cs_keys_san, 0, NULL},
	{"san_dns", cs_keys_san_dns, CS_DOMAIN_DNS, NULL},
	{"san_ip", cs_keys_san_kind, CS_DOMAIN_IP, NULL},
	{"san_uri", cs_keys_san_kind, CS_DOMAIN_URI, NULL},
	{"san_email", cs_keys_san_kind, CS_DOMAIN_EMAIL, NULL},
	{"san_directory", cs_keys_san_kind, CS_DOMAIN_DN, NULL},
	{"san_registered", cs_keys_san_kind, CS_DOMAIN_OID, NULL},
	{"san_other", cs_keys_san_other, CS_DOMAIN_TEXT, "oid"},
	{"uri", cs_keys_uri, 0, NULL},
	{"email", cs_keys_email, 0, "domain"},
	{"key", cs_keys_key, 0, "allow"},
	{"reuse", cs_keys_reuse, 0, NULL},
	{"key_ec", cs_keys_key_ec, 0, "alg"},
	{"key_rsa", cs_keys_key_rsa, 0, "alg"},
	{"key_ed25519", cs_keys_key_ed25519, 0, "alg"},
	{"validity", cs_keys_validity, 0, NULL},
	{"max", cs_keys_max, 0, "value"},
	{"extensions", cs_keys_extensions, 0, NULL},
	{"usages", cs_keys_usages, 0, NULL},
	{"constraints", cs_keys_constraints, 0, NULL},
	{"policies", cs_keys_policies, 0, "set"},
	{"aia", cs_keys_aia, 0, NULL},
	{"pass", cs_keys_pass, 0, "oid"},
	{"add", cs_keys_add, 0, "oid"},
	{"limit", cs_keys_limit, 0, "id"},
	{"window", cs_keys_window, 0, "id"},
	{"lint", cs_keys_lint, 0, "fail"},
	{"test", cs_keys_test, 0, "name"},
	{"expect", cs_keys_expect, 0, NULL},
	{"request", cs_keys_request, 0, NULL},
	{"request_requester", cs_keys_request_requester, 0, NULL},
	{"request_other", cs_keys_request_other, 0, NULL},
	{"guards_spec", cs_keys_guards_spec, 0, "guards"},
	{"guards_match", cs_keys_guards_match, 0, NULL},
	{"guard", cs_keys_guard, 0, "id"},
};

/* What a list of matchers may be about, and its definition's name. */
static const struct {
	enum cs_match_domain domain;
	const char *name;
} matchers[] = {
	{CS_DOMAIN_TEXT, "matcher_text"}, {CS_DOMAIN_CN, "matcher_cn"},
	{CS_DOMAIN_DNS, "matcher_dns"},	  {CS_DOMAIN_IP, "matcher_ip"},
	{CS_DOMAIN_URI, "matcher_uri"},	  {CS_DOMAIN_EMAIL, "matcher_email"},
	{CS_DOMAIN_DN, "matcher_dn"},	  {CS_DOMAIN_OID, "matcher_oid"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static json_t *ref(const char *name)
{
	return json_pack("{s:o}", "$ref", json_sprintf(REF "%s", name));
}

static const char *matcher_name(enum cs_match_domain domain)
{
	size_t i = 0;

	while (matchers[i].domain != domain)
		i++;
	return matchers[i].name;
}

/* What a shape stands for, in a map about `domain`. */
static json_t *shape(const char *text, enum cs_match_domain domain)
{
	size_t n = strlen(text);
	char name[NAME_BYTES];
	char last = text[n - 1];
	json_t *list;

	if (last != '+' && last != '*')
		return ref(text);
	if (text[0] == '@')
		(void)snprintf(name, sizeof(name), "%s", matcher_name(domain));
	else
		(void)snprintf(name, sizeof(name), "%.*s", (int)(n - 1), text);
	list = json_pack("{s:s, s:o}", "type", "array", "items", ref(name));
	if (last == '+')
		json_object_set_new(list, "minItems", json_integer(1));
	return json_pack("{s:[o, o]}", "anyOf", ref(name), list);
}

/* A map that has these properties and no others. */
static json_t *closed(json_t *properties)
{
	return json_pack("{s:s, s:o, s:b}", "type", "object", "properties",
			 properties, "additionalProperties", 0);
}

/* The properties that a table of keys makes. */
static json_t *properties_of(const struct cs_load_key *keys,
			     enum cs_match_domain domain)
{
	json_t *properties = json_object();

	for (; keys->name != NULL; keys++) {
		if (!keys->later)
			json_object_set_new(properties, keys->name,
					    shape(keys->shape, domain));
	}
	return properties;
}

/* `any`, or a map of exactly one of the matchers that fit. */
static json_t *matcher(enum cs_match_domain domain)
{
	json_t *properties = json_object();
	json_t *map;

	for (const struct cs_load_key *k = cs_keys_matcher; k->name != NULL;
	     k++) {
		if (!k->later && strcmp(k->name, "any") != 0 &&
		    cs_load_matcher_fits(domain, k->name))
			json_object_set_new(properties, k->name,
					    shape(k->shape, domain));
	}
	map = closed(properties);
	json_object_set_new(map, "minProperties", json_integer(1));
	json_object_set_new(map, "maxProperties", json_integer(1));
	return json_pack("{s:[{s:s}, o]}", "anyOf", "const", "any", map);
}

/* A property for each attribute that has a name. */
static void add_attributes(json_t *properties, const char *prefix,
			   const char *common_name, const char *other)
{
	const struct cs_attribute *a;
	char key[NAME_BYTES];

	for (size_t i = 0; (a = cs_attribute_at(i)) != NULL; i++) {
		(void)snprintf(key, sizeof(key), "%s%s", prefix, a->name);
		json_object_set_new(
			properties, key,
			shape(cs_attribute_is_cn(a->oid) ? common_name : other,
			      CS_DOMAIN_TEXT));
	}
}

/* Attributes by their names or OIDs. */
static json_t *subject(void)
{
	json_t *properties = json_object();
	json_t *map;

	json_object_set_new(properties, "unlisted", ref("drop"));
	add_attributes(properties, "", "common_name", "attr");
	map = closed(properties);
	json_object_set_new(
		map, "patternProperties",
		json_pack("{s:o}", "^[0-9]+(\\.[0-9]+)+$", ref("attr")));
	return map;
}

/* Attributes of a test's request. */
static json_t *request_subject(void)
{
	json_t *properties = json_object();

	add_attributes(properties, "", "text+", "text+");
	return closed(properties);
}

/* What a guard denies; `subject` stands for its attributes. */
static json_t *deny(void)
{
	json_t *properties =
		properties_of(cs_keys_guard_fields, CS_DOMAIN_TEXT);
	json_t *map;

	json_object_del(properties, "subject");
	add_attributes(properties, "subject.", "matcher_cn+", "matcher_text+");
	map = closed(properties);
	json_object_set_new(map, "minProperties", json_integer(1));
	json_object_set_new(map, "patternProperties",
			    json_pack("{s:o}", "^subject\\.[0-9]+(\\.[0-9]+)+$",
				      shape("matcher_text+", CS_DOMAIN_TEXT)));
	return map;
}

static json_t *definitions(void)
{
	json_t *d = json_object();
	json_t *map;

	for (size_t i = 0; i < COUNT(values); i++)
		json_object_set_new(d, values[i].name,
				    json_loads(values[i].json, 0, NULL));
	for (size_t i = 0; i < COUNT(matchers); i++)
		json_object_set_new(d, matchers[i].name,
				    matcher(matchers[i].domain));
	for (size_t i = 0; i < COUNT(maps); i++) {
		map = closed(properties_of(maps[i].keys, maps[i].domain));
		if (maps[i].required != NULL)
			json_object_set_new(map, "required",
					    json_pack("[s]", maps[i].required));
		json_object_set_new(d, maps[i].name, map);
	}
	json_object_set_new(d, "subject", subject());
	json_object_set_new(d, "request_subject", request_subject());
	json_object_set_new(d, "deny", deny());
	return d;
}

/* The document: which spec it has is a matter of its kind. */
json_t *cs_policy_schema(void)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:[s, s, s, s], s:b,"
			 " s:{s:{s:{s:s}}}, s:{s:{s:o}}, s:{s:{s:o}}, s:o}",
			 "$schema", "http://json-schema.org/draft-07/schema#",
			 "title", "Countersign issuance policy", "type",
			 "object", "properties",
			 properties_of(cs_keys_document, CS_DOMAIN_TEXT),
			 "required", "apiVersion", "kind", "metadata", "spec",
			 "additionalProperties", 0, "if", "properties", "kind",
			 "const", "IssuanceGuards", "then", "properties",
			 "spec", ref("guards_spec"), "else", "properties",
			 "spec", ref("spec"), "definitions", definitions());
}
