/* Addresses, URIs and otherNames of a role, and what it puts into subjects. */
#include "policy/attribute.h"
#include "policy/import_vault.h"

/* -- names of other kinds ---------------------------------------------------
 */

/* allow_ip_sans; in OpenBao networks, too. */
static void addresses(struct cs_importing *i, const struct cs_vault *v)
{
	const struct cs_yaml *node = cs_yaml_get(v->role, "allow_ip_sans");
	const struct cs_yaml *nets =
		cs_yaml_get(v->role, "allowed_ip_sans_cidr");
	bool allowed = cs_vault_flag(i, v, "allow_ip_sans", true);
	struct cs_vault_list list;
	struct cs_span text;
	const char *field;
	json_t *ip = NULL;

	if (node != NULL)
		cs_import_tell(i, CS_IMPORT_EXACT, node, "allow_ip_sans",
			       "san.ip");
	cs_vault_list(i, v, "allowed_ip_sans_cidr", &list);
	if (allowed)
		ip = cs_import_field(i, "san", "ip");
	if (allowed && list.node == NULL)
		cs_import_add(i, ip, "allow", json_string("any"));
	while (cs_vault_next(i, &list, &text, &field)) {
		const char *why = "";
		json_t *m = NULL;
		bool made =
			cs_import_network(i, text, &m, &why) == CS_PATTERN_MADE;

		if (made && allowed)
			cs_import_add(i, ip, "allow", m);
		else
			json_decref(m);
		cs_import_tell(i, made ? CS_IMPORT_EXACT : CS_IMPORT_NARROWER,
			       nets, field,
			       made ? "san.ip.allow"
				    : "left "
				      "out: %s",
			       why);
	}
}

/* allowed_uri_sans: globs on all of a URI. */
static void uris(struct cs_importing *i, const struct cs_vault *v)
{
	const struct cs_yaml *node = cs_yaml_get(v->role, "allowed_uri_sans");
	const struct cs_yaml *flag =
		cs_yaml_get(v->role, "allowed_uri_sans_template");
	struct cs_vault_list list;
	struct cs_span text;
	const char *field;

	if (flag != NULL)
		cs_import_tell(i, CS_IMPORT_NOTE, flag,
			       "allowed_uri_sans_template",
			       "a URI with a template in it is left out");
	cs_vault_list(i, v, "allowed_uri_sans", &list);
	while (cs_vault_next(i, &list, &text, &field)) {
		bool template = cs_import_has_path(text);
		const char *why = "templates are not translated";
		enum cs_pattern made = CS_PATTERN_NOT;
		json_t *m = NULL;

		if (!template)
			made = cs_import_glob(i, CS_PATTERN_URI, text, &m,
					      &why);
		if (made == CS_PATTERN_MADE) {
			cs_import_add(i, cs_import_field(i, "san", "uri"),
				      "allow", m);
			cs_import_tell(i, CS_IMPORT_EXACT, node, field,
				       "san.uri.allow");
		} else {
			cs_import_tell(i,
				       made == CS_PATTERN_NEVER
					       ? CS_IMPORT_NOTE
					       : CS_IMPORT_NARROWER,
				       node, field, "left out: %s", why);
		}
	}
}

/* The rules of a type of otherName, made when it has none. */
static json_t *other_rules(struct cs_importing *i, struct cs_span oid)
{
	json_t *san = cs_import_section(i, "san");
	json_t *list = json_object_get(san, "other_name");
	json_t *rule;

	for (size_t k = 0; k < json_array_size(list); k++) {
		rule = json_array_get(list, k);
		if (cs_span_equal_str(oid, json_string_value(json_object_get(
						   rule, "oid"))))
			return rule;
	}
	rule = cs_import_matcher(i, "oid", oid);
	cs_import_set(i, rule, "type", json_string("utf8"));
	cs_import_add(i, san, "other_name", rule);
	list = json_object_get(san, "other_name");
	return json_array_get(list, json_array_size(list) - 1);
}

/* "OID;utf8:GLOB"; false: it is not so. */
static bool split_other(struct cs_importing *i, struct cs_span text,
			struct cs_span *ret_oid, struct cs_span *ret_glob)
{
	struct cs_span type, der;
	size_t semicolon, colon;

	if (!cs_span_find(text, ';', &semicolon))
		return false;
	*ret_oid = cs_span_sub(text, 0, semicolon);
	text = cs_span_sub(text, semicolon + 1, SIZE_MAX);
	if (!cs_span_find(text, ':', &colon))
		return false;
	type = cs_span_sub(text, 0, colon);
	*ret_glob = cs_span_sub(text, colon + 1, SIZE_MAX);
	return (cs_span_equal_icase(type, CS_SPAN_LIT("utf8")) ||
		cs_span_equal_icase(type, CS_SPAN_LIT("utf-8"))) &&
	       cs_import_oid(i, *ret_oid, &der);
}

/* allowed_other_sans */
static void other_names(struct cs_importing *i, const struct cs_vault *v)
{
	const struct cs_yaml *node = cs_yaml_get(v->role, "allowed_other_sans");
	struct cs_vault_list list;
	struct cs_span text;
	const char *field;

	cs_vault_list(i, v, "allowed_other_sans", &list);
	while (cs_vault_next(i, &list, &text, &field)) {
		struct cs_span oid = {0}, glob = {0};
		const char *why = "write the types that are meant, by OID";
		enum cs_pattern made = CS_PATTERN_NOT;
		json_t *m = NULL;

		if (split_other(i, text, &oid, &glob))
			made = cs_import_glob(i, CS_PATTERN_TEXT, glob, &m,
					      &why);
		if (made == CS_PATTERN_MADE) {
			cs_import_add(i, other_rules(i, oid), "allow", m);
			cs_import_tell(i, CS_IMPORT_EXACT, node, field,
				       "san.other_name; the issuer's ceiling "
				       "must list `other_name` in "
				       "`permitted_kinds`");
		} else {
			cs_import_tell(i, CS_IMPORT_NARROWER, node, field,
				       "left out: %s", why);
		}
	}
}

void cs_vault_others(struct cs_importing *i, const struct cs_vault *v)
{
	addresses(i, v);
	if (!i->failed)
		uris(i, v);
	if (!i->failed)
		other_names(i, v);
}

/* -- the subject ------------------------------------------------------------
 */

/* One attribute that the role gives, whatever was asked. */
static void set_attribute(struct cs_importing *i, const struct cs_vault *v,
			  const char *name, const char *native)
{
	const struct cs_attribute *a =
		cs_attribute_by_name(cs_span_str(native));
	const struct cs_yaml *node = cs_yaml_get(v->role, name);
	struct cs_vault_list list;
	struct cs_span text;
	const char *field;

	cs_vault_list(i, v, name, &list);
	while (cs_vault_next(i, &list, &text, &field)) {
		struct cs_error err = {0};

		if (cs_import_has_path(text)) {
			cs_import_tell(i, CS_IMPORT_BY_HAND, node, field,
				       "left out: `{{` begins a path in the "
				       "native language");
		} else if (!cs_attribute_check(a->oid, text, &err)) {
			cs_import_tell(i, CS_IMPORT_BY_HAND, node, field,
				       "left out: %s", err.text);
		} else {
			cs_import_add_text(
				i, cs_import_field(i, "subject", native), "set",
				text);
			cs_import_tell(i, CS_IMPORT_EXACT, node, field,
				       "subject.%s.set", native);
		}
	}
}

/* allowed_serial_numbers; those of a CSR count unless the role says else. */
static void serial_number(struct cs_importing *i, const struct cs_vault *v)
{
	const struct cs_yaml *node =
		cs_yaml_get(v->role, "allowed_serial_numbers");
	const struct cs_yaml *source =
		cs_yaml_get(v->role, "serial_number_source");
	struct cs_span from = CS_SPAN_LIT("json-csr"), text;
	struct cs_vault_list list;
	const char *field;
	json_t *rule;

	if (cs_import_text(i, source, "serial_number_source", &from))
		cs_import_tell(i, CS_IMPORT_EXACT, source,
			       "serial_number_source", "subject.serialNumber");
	if (!cs_span_equal_str(from, "json-csr")) {
		if (cs_import_has(node) && node->n > 0)
			cs_import_tell(i, CS_IMPORT_NARROWER, node,
				       "allowed_serial_numbers",
				       "left out: they are a parameter of the "
				       "request, which there is not here");
		return;
	}
	rule = cs_import_field(i, "subject", "serialNumber");
	cs_vault_list(i, v, "allowed_serial_numbers", &list);
	while (cs_vault_next(i, &list, &text, &field)) {
		const char *why = "";
		json_t *m = NULL;

		if (cs_import_glob(i, CS_PATTERN_TEXT, text, &m, &why) ==
		    CS_PATTERN_MADE) {
			cs_import_add(i, rule, "allow", m);
			cs_import_tell(i, CS_IMPORT_EXACT, node, field,
				       "subject.serialNumber.allow");
		} else {
			cs_import_tell(i, CS_IMPORT_NARROWER, node, field,
				       "left out: %s", why);
		}
	}
}

void cs_vault_subject(struct cs_importing *i, const struct cs_vault *v)
{
	static const char *const attributes[][2] = {
		{"country", "country"},
		{"organization", "organization"},
		{"ou", "organizationalUnit"},
		{"locality", "locality"},
		{"province", "stateOrProvince"},
		{"street_address", "streetAddress"},
		{"postal_code", "postalCode"},
	};
	const struct cs_yaml *ids = cs_yaml_get(v->role, "allowed_user_ids");

	for (size_t k = 0;
	     k < sizeof(attributes) / sizeof(attributes[0]) && !i->failed; k++)
		set_attribute(i, v, attributes[k][0], attributes[k][1]);
	if (!i->failed)
		serial_number(i, v);
	if (cs_import_has(ids) && ids->n > 0)
		cs_import_tell(i, CS_IMPORT_NARROWER, ids, "allowed_user_ids",
			       "left out: they are a parameter of the request, "
			       "which there is not here");
}
