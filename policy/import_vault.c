/*
 * A role of Vault's PKI engine, or of OpenBao's: as `vault read -format=json
 * pki/roles/NAME` prints it, or the fields alone.
 *
 * A role judges the names of a CSR and gives the rest itself: subject and
 * usages are the role's, whatever was asked, and a lifetime that is too long
 * is shortened. A common name is a name like the others, and becomes one.
 */
#include "policy/import_vault.h"

bool cs_vault_flag(struct cs_importing *i, const struct cs_vault *v,
		   const char *name, bool fallback)
{
	(void)cs_import_bool(i, cs_yaml_get(v->role, name), name, &fallback);
	return fallback;
}

void cs_vault_list(struct cs_importing *i, const struct cs_vault *v,
		   const char *name, struct cs_vault_list *ret_list)
{
	const struct cs_yaml *node = cs_yaml_get(v->role, name);

	*ret_list = (struct cs_vault_list){0};
	if (!cs_import_has(node))
		return;
	if (node->kind == CS_YAML_TEXT) {
		ret_list->node = node;
		ret_list->rest = node->text;
	} else if (cs_import_is_list(i, node, name)) {
		ret_list->node = node;
		ret_list->item = node->child;
	}
}

/* Without blanks at its ends. */
static struct cs_span trim(struct cs_span s)
{
	while (s.n > 0 && s.p[0] == ' ')
		s = cs_span_sub(s, 1, SIZE_MAX);
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

bool cs_vault_next(struct cs_importing *i, struct cs_vault_list *list,
		   struct cs_span *ret_text, const char **ret_field)
{
	while (list->node != NULL && !i->failed) {
		char *key = cs_arena_str(i->arena, list->node->key);
		size_t comma = list->rest.n;

		if (key == NULL) {
			i->no_memory = true;
			return false;
		}
		*ret_field = cs_import_item(i, key, list->n++);
		if (list->node->kind == CS_YAML_LIST) {
			const struct cs_yaml *item = list->item;

			if (item == NULL)
				return false;
			list->item = item->next;
			if (!cs_import_text(i, item, *ret_field, ret_text)) {
				cs_import_fail(i, item, *ret_field,
					       "a text is wanted");
				return false;
			}
		} else {
			if (list->rest.n == 0)
				return false;
			(void)cs_span_find(list->rest, ',', &comma);
			*ret_text = cs_span_sub(list->rest, 0, comma);
			list->rest =
				cs_span_sub(list->rest, comma + 1, SIZE_MAX);
		}
		*ret_text = trim(*ret_text);
		if (ret_text->n > 0)
			return true;
	}
	return false;
}

/* issuer_ref: which of Vault's issuers signs. */
static void issuer(struct cs_importing *i, const struct cs_vault *v)
{
	const struct cs_yaml *node = cs_yaml_get(v->role, "issuer_ref");
	struct cs_span name = CS_SPAN_LIT("default");

	(void)cs_import_text(i, node, "issuer_ref", &name);
	if (i->options->issuer.n > 0) {
		if (cs_import_has(node))
			cs_import_tell(i, CS_IMPORT_EXACT, node, "issuer_ref",
				       "match.issuer, as --issuer says");
	} else if (cs_span_equal_str(name, "default")) {
		cs_import_add_text(i, cs_import_section(i, "match"), "issuer",
				   name);
		cs_import_tell(i, CS_IMPORT_NOTE, node, "issuer_ref",
			       "match.issuer is `default`, the issuer of this "
			       "installation that is called so");
	} else {
		cs_import_shadow(i, node, "issuer_ref",
				 "which issuer of Countersign stands for "
				 "`%.*s` is not in the role: say it with "
				 "--issuer",
				 CS_SPAN_FMT(cs_span_sub(name, 0, 128)));
	}
}

/* The fields of a role, and what is told of those that decide nothing here. */
static void known(struct cs_importing *i, const struct cs_yaml *role)
{
	static const struct cs_import_key keys[] = {
		{"allow_any_name", NULL},
		{"allow_bare_domains", NULL},
		{"allow_glob_domains", NULL},
		{"allow_globs_in_identity_templates", "no template is "
						      "translated"},
		{"allow_ip_sans", NULL},
		{"allow_localhost", NULL},
		{"allow_subdomains", NULL},
		{"allow_token_displayname", NULL},
		{"allow_wildcard_certificates", NULL},
		{"allowed_domains", NULL},
		{"allowed_domains_template", NULL},
		{"allowed_ip_sans_cidr", NULL},
		{"allowed_other_sans", NULL},
		{"allowed_serial_numbers", NULL},
		{"allowed_uri_sans", NULL},
		{"allowed_uri_sans_template", NULL},
		{"allowed_user_ids", NULL},
		{"basic_constraints_valid_for_non_ca",
		 "every certificate has basicConstraints here"},
		{"client_flag", NULL},
		{"cn_validations", NULL},
		{"code_signing_flag", NULL},
		{"country", NULL},
		{"email_protection_flag", NULL},
		{"enforce_hostnames",
		 "DNS names are always such names, and others never are"},
		{"ext_key_usage", NULL},
		{"ext_key_usage_oids", NULL},
		{"generate_lease", "there are no leases here"},
		{"issuer_ref", NULL},
		{"key_bits", NULL},
		{"key_type", NULL},
		{"key_usage", NULL},
		{"locality", NULL},
		{"max_path_length", "is about CAs, which roles do not issue"},
		{"max_ttl", NULL},
		{"name", NULL},
		{"no_store", "every certificate is recorded here"},
		{"no_store_metadata", "there is no such thing here"},
		{"not_after", NULL},
		{"not_after_bound", "a request does not state dates here"},
		{"not_before", NULL},
		{"not_before_bound", "a request does not state dates here"},
		{"not_before_duration", NULL},
		{"organization", NULL},
		{"ou", NULL},
		{"policy_identifiers", NULL},
		{"postal_code", NULL},
		{"province", NULL},
		{"require_cn", NULL},
		{"serial_number_source", NULL},
		{"server_flag", NULL},
		{"signature_bits", "the CA's key decides how it signs"},
		{"street_address", NULL},
		{"ttl", NULL},
		{"use_csr_common_name", NULL},
		{"use_csr_sans", NULL},
		{"use_pss", "the CA's key decides how it signs"},
		{NULL, NULL}};

	cs_import_known(i, role, "", keys);
}

/* What stands around a role in an answer of Vault's. */
static void around(struct cs_importing *i, const struct cs_yaml *doc)
{
	for (const struct cs_yaml *c = doc->child; c != NULL; c = c->next) {
		if (!cs_span_equal_str(c->key, "data"))
			cs_import_tell(i, CS_IMPORT_NOTE, c,
				       cs_import_key(i, "", c),
				       "is of Vault's answer, not of the role");
	}
}

void cs_import_vault(struct cs_importing *i, const struct cs_yaml *doc)
{
	const struct cs_yaml *data = cs_yaml_get(doc, "data");
	struct cs_vault v = {.role = doc};
	struct cs_span name = cs_import_stem(i);

	if (data != NULL && cs_import_is_map(i, data, "data"))
		v.role = data;
	(void)cs_import_text(i, cs_yaml_get(v.role, "name"), "name", &name);
	if (i->failed || !cs_import_begin(i, doc, name))
		return;
	cs_import_always(i, doc);
	if (v.role == data)
		around(i, doc);
	known(i, v.role);
	cs_import_match_options(i);
	issuer(i, &v);
	/* What a CSR asks for beside names is not read. */
	cs_import_set(i, cs_import_section(i, "subject"), "unlisted",
		      json_string("drop"));
	cs_import_set(i, cs_import_section(i, "extensions"), "unlisted",
		      json_string("drop"));
	cs_import_tell(i, CS_IMPORT_NOTE, doc, "",
		       "attributes and extensions of a CSR are left out, as "
		       "Vault does; a CSR that asks for a CA, or for a "
		       "directory name, is refused");
	if (!i->failed)
		cs_vault_names(i, &v);
	if (!i->failed)
		cs_vault_others(i, &v);
	if (!i->failed)
		cs_vault_subject(i, &v);
	if (!i->failed)
		cs_vault_rest(i, &v);
}
