#include "issuer/lint.h"

#include "issuer/oids.h"
#include "policy/codes.h"
#include "policy/name.h"

static bool has_purpose(const struct cs_tbs_facts *t, const char *oid, size_t n)
{
	struct cs_span wanted = cs_span_make(oid, n);

	for (size_t i = 0; i < t->cert.ext_key_usage_n; i++) {
		if (cs_span_equal(t->cert.ext_key_usage[i], wanted))
			return true;
	}
	return false;
}

static bool is_for_servers(const struct cs_tbs_facts *t)
{
	return has_purpose(t, CS_OID_SERVER_AUTH,
			   sizeof(CS_OID_SERVER_AUTH) - 1);
}

static bool validity_is_in_order(const struct cs_tbs_facts *t)
{
	return t->not_before_s <= t->not_after_s;
}

static bool serial_is_positive(const struct cs_tbs_facts *t)
{
	return t->serial.n > 0 && t->serial.n <= CS_MAX_SERIAL &&
	       (t->serial.p[0] & 0x80) == 0 &&
	       (t->serial.n > 1 || t->serial.p[0] != 0);
}

static bool has_a_name(const struct cs_tbs_facts *t)
{
	return t->cert.subject_n > 0 || t->cert.names_n > 0;
}

static bool server_has_san(const struct cs_tbs_facts *t)
{
	return !is_for_servers(t) || t->cert.names_n > 0;
}

static bool san_criticality_fits(const struct cs_tbs_facts *t)
{
	return t->cert.names_n == 0 ||
	       t->cert.san_critical == (t->cert.subject_n == 0);
}

/* Is the text one of the names, as their kinds compare? */
static bool is_among_names(const struct cs_tbs_facts *t, struct cs_span text)
{
	for (size_t i = 0; i < t->cert.names_n; i++) {
		if (cs_span_equal_icase(t->cert.names[i].canonical, text))
			return true;
	}
	return false;
}

static bool common_names_are_in_san(const struct cs_tbs_facts *t)
{
	if (!is_for_servers(t))
		return true;
	for (size_t i = 0; i < t->cert.subject_n; i++) {
		const struct cs_fact_attr *a = &t->cert.subject[i];

		if (cs_span_equal(a->oid, CS_SPAN_LIT(CS_OID_COMMON_NAME)) &&
		    !is_among_names(t, a->value))
			return false;
	}
	return true;
}

static bool country_is_two_letters(const struct cs_tbs_facts *t)
{
	for (size_t i = 0; i < t->cert.subject_n; i++) {
		const struct cs_fact_attr *a = &t->cert.subject[i];

		if (!cs_span_equal(a->oid, CS_SPAN_LIT(CS_OID_COUNTRY)))
			continue;
		if (a->value.n != 2 || a->value.p[0] < 'A' ||
		    a->value.p[0] > 'Z' || a->value.p[1] < 'A' ||
		    a->value.p[1] > 'Z')
			return false;
	}
	return true;
}

static bool ec_usage_fits(const struct cs_tbs_facts *t)
{
	const unsigned barred =
		CS_KU_KEY_ENCIPHERMENT | CS_KU_DATA_ENCIPHERMENT;

	return t->cert.key.alg != CS_KEY_EC ||
	       (t->cert.key_usage & barred) == 0;
}

static bool ed25519_usage_fits(const struct cs_tbs_facts *t)
{
	const unsigned allowed = CS_KU_DIGITAL_SIGNATURE |
				 CS_KU_CONTENT_COMMITMENT | CS_KU_CERT_SIGN |
				 CS_KU_CRL_SIGN;

	return t->cert.key.alg != CS_KEY_ED25519 ||
	       (t->cert.key_usage & ~allowed) == 0;
}

static bool rsa_usage_fits(const struct cs_tbs_facts *t)
{
	const unsigned barred =
		CS_KU_KEY_AGREEMENT | CS_KU_ENCIPHER_ONLY | CS_KU_DECIPHER_ONLY;

	return t->cert.key.alg != CS_KEY_RSA ||
	       (t->cert.key_usage & barred) == 0;
}

static bool only_usage_fits(const struct cs_tbs_facts *t)
{
	const unsigned only = CS_KU_ENCIPHER_ONLY | CS_KU_DECIPHER_ONLY;

	return (t->cert.key_usage & only) == 0 ||
	       (t->cert.key_usage & CS_KU_KEY_AGREEMENT) != 0;
}

static bool any_purpose_is_not_critical(const struct cs_tbs_facts *t)
{
	return !t->cert.ext_key_usage_critical ||
	       !has_purpose(t, CS_OID_ANY_EKU, sizeof(CS_OID_ANY_EKU) - 1);
}

static bool has_key_ids(const struct cs_tbs_facts *t)
{
	return t->ski.n > 0 && t->aki.n > 0;
}

static bool constraints_are_critical(const struct cs_tbs_facts *t)
{
	return !t->cert.ca || t->cert.basic_constraints_critical;
}

/* Every rule, once. */
static const struct {
	struct cs_span rule;
	struct cs_span field;
	bool (*holds)(const struct cs_tbs_facts *t);
	const char *sentence;
} rules[] = {
	{CS_SPAN_INIT("lint/validity-order"), CS_SPAN_INIT("validity"),
	 validity_is_in_order,
	 "RFC 5280 4.1.2.5: the validity ends before it begins"},
	{CS_SPAN_INIT("lint/serial"), CS_SPAN_INIT("serial"),
	 serial_is_positive,
	 "RFC 5280 4.1.2.2: the serial must be positive and have at most 20 "
	 "octets"},
	{CS_SPAN_INIT("lint/no-name"), CS_SPAN_INIT("subject"), has_a_name,
	 "RFC 5280 4.1.2.6: without a subject there must be a subject "
	 "alternative name"},
	{CS_SPAN_INIT("lint/server-san"), CS_SPAN_INIT("san"), server_has_san,
	 "RFC 9525 2: a server's certificate must have a subject alternative "
	 "name"},
	{CS_SPAN_INIT("lint/san-critical"), CS_SPAN_INIT("san"),
	 san_criticality_fits,
	 "RFC 5280 4.2.1.6: subjectAltName is critical when, and only when, "
	 "the subject is empty"},
	{CS_SPAN_INIT("lint/cn-in-san"), CS_SPAN_INIT("subject.commonName[0]"),
	 common_names_are_in_san,
	 "CA/Browser Forum BR 7.1.4.3: a server's common name must be one of "
	 "its subject alternative names"},
	{CS_SPAN_INIT("lint/country"), CS_SPAN_INIT("subject.country[0]"),
	 country_is_two_letters,
	 "RFC 5280 A.1: countryName is two letters (ISO 3166)"},
	{CS_SPAN_INIT("lint/ec-key-usage"),
	 CS_SPAN_INIT("extensions.key_usage"), ec_usage_fits,
	 "RFC 8813 3: an EC key must not have keyEncipherment or "
	 "dataEncipherment"},
	{CS_SPAN_INIT("lint/ed25519-key-usage"),
	 CS_SPAN_INIT("extensions.key_usage"), ed25519_usage_fits,
	 "RFC 8410 5: an Ed25519 key only signs"},
	{CS_SPAN_INIT("lint/rsa-key-usage"),
	 CS_SPAN_INIT("extensions.key_usage"), rsa_usage_fits,
	 "RFC 3279 2.3.1: an RSA key must not have keyAgreement, "
	 "encipherOnly or decipherOnly"},
	{CS_SPAN_INIT("lint/only-key-usage"),
	 CS_SPAN_INIT("extensions.key_usage"), only_usage_fits,
	 "RFC 5280 4.2.1.3: encipherOnly and decipherOnly have no meaning "
	 "without keyAgreement"},
	{CS_SPAN_INIT("lint/any-purpose"),
	 CS_SPAN_INIT("extensions.ext_key_usage"), any_purpose_is_not_critical,
	 "RFC 5280 4.2.1.12: with anyExtendedKeyUsage the extension should "
	 "not be critical"},
	{CS_SPAN_INIT("lint/key-ids"), CS_SPAN_INIT(""), has_key_ids,
	 "RFC 5280 4.2.1.1 and 4.2.1.2: both key identifiers must be there"},
	{CS_SPAN_INIT("lint/constraints-critical"),
	 CS_SPAN_INIT("extensions.basic_constraints"), constraints_are_critical,
	 "RFC 5280 4.2.1.9: a CA's basicConstraints must be critical"},
};

bool cs_lint_check(const struct cs_tbs_facts *tbs, struct cs_findings *findings,
		   struct cs_error *err)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct cs_finding f = {
			.code = cs_code_name(CS_CODE_LINT),
			.field = rules[i].field,
			.rule = rules[i].rule,
			.message = cs_span_str(rules[i].sentence),
		};

		if (rules[i].holds(tbs))
			continue;
		if (!cs_findings_add(findings, &f))
			return cs_error_set(err, CS_E_NO_MEMORY,
					    "no memory for a finding");
	}
	return true;
}
