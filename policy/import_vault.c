/*
 * A role of Vault's PKI engine, or of OpenBao's: as `vault read -format=json
 * pki/roles/NAME` prints it, or the fields alone.
 *
 * A role judges the names of a CSR and gives the rest itself: subject and
 * usages are the role's, whatever was asked, and a lifetime that is too long
 * is shortened. A common name is a name like the others, and becomes one.
 */
#include "policy/import_vault.h"

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
