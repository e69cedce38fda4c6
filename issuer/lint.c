#include "issuer/lint.h"

#include "issuer/oids.h"
#include "policy/codes.h"
#include "policy/name.h"
#include "policy/usage.h"

static bool has_purpose(const struct cs_tbs_facts *t, const char *oid, size_t n)
{
	struct cs_span wanted = cs_span_make(oid, n);

	for (size_t i = 0; i < t->cert.ext_key_usage_n; i++) {
		if (cs_span_equal(t->cert.ext_key_usage[i], wanted))
			return true;
	}
	return false;
}

/* A CA's purposes are those of the certificates below it. */
static bool is_for_servers(const struct cs_tbs_facts *t)
{
	return !t->cert.ca && has_purpose(t, CS_OID_SERVER_AUTH,
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

/* -- certificates of CAs ----------------------------------------------------
 */

static bool ca_may_sign(const struct cs_tbs_facts *t)
{
	return !t->cert.ca || (t->cert.key_usage & CS_KU_CERT_SIGN) != 0;
}

static bool only_cas_sign(const struct cs_tbs_facts *t)
{
	return t->cert.ca || (t->cert.key_usage & CS_KU_CERT_SIGN) == 0;
}

static bool path_len_is_of_a_ca(const struct cs_tbs_facts *t)
{
	return !t->cert.has_path_len || t->cert.ca;
}

static bool ca_has_a_subject(const struct cs_tbs_facts *t)
{
	return !t->cert.ca || t->cert.subject_n > 0;
}

/* -- extensions -------------------------------------------------------------
 */

/* One that has no field of its own. */
static bool has_extension(const struct cs_tbs_facts *t, struct cs_span oid)
{
	for (size_t i = 0; i < t->cert.extensions_n; i++) {
		if (cs_span_equal(t->cert.extensions[i].oid, oid))
			return true;
	}
	return false;
}

static bool no_rev_avail_is_alone(const struct cs_tbs_facts *t)
{
	if (!has_extension(t, CS_SPAN_LIT(CS_OID_NO_REV_AVAIL)))
		return true;
	return t->crl_urls_n == 0 && t->ocsp_urls_n == 0 &&
	       !has_extension(t, CS_SPAN_LIT(CS_OID_FRESHEST_CRL));
}

static bool no_rev_avail_is_not_a_cas(const struct cs_tbs_facts *t)
{
	return !t->cert.ca ||
	       !has_extension(t, CS_SPAN_LIT(CS_OID_NO_REV_AVAIL));
}

static bool no_rev_avail_is_null(const struct cs_tbs_facts *t)
{
	for (size_t i = 0; i < t->cert.extensions_n; i++) {
		const struct cs_fact_ext *e = &t->cert.extensions[i];

		if (cs_span_equal(e->oid, CS_SPAN_LIT(CS_OID_NO_REV_AVAIL)) &&
		    (e->critical ||
		     !cs_span_equal(e->value, CS_SPAN_LIT("\x05\x00"))))
			return false;
	}
	return true;
}

static bool nothing_unknown_is_critical(const struct cs_tbs_facts *t)
{
	for (size_t i = 0; i < t->cert.extensions_n; i++) {
		if (t->cert.extensions[i].critical)
			return false;
	}
	return true;
}

/* Do none of these URLs begin with https? */
static bool are_plain(const struct cs_span *urls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (cs_span_starts_with(urls[i], CS_SPAN_LIT("https:")))
			return false;
	}
	return true;
}

static bool locations_are_plain(const struct cs_tbs_facts *t)
{
	return are_plain(t->crl_urls, t->crl_urls_n) &&
	       are_plain(t->ocsp_urls, t->ocsp_urls_n) &&
	       are_plain(t->ca_issuers_urls, t->ca_issuers_urls_n);
}

static bool key_usage_is_critical(const struct cs_tbs_facts *t)
{
	return !t->cert.has_key_usage || t->cert.key_usage_critical;
}

/* The key usages that the purposes, if there are any, have a use for. */
static unsigned purposes_bits(const struct cs_tbs_facts *t)
{
	unsigned bits = t->cert.ext_key_usage_n == 0 ? ~0u : 0;

	for (size_t i = 0; i < t->cert.ext_key_usage_n; i++)
		bits |= cs_usage_oid_bits(t->cert.ext_key_usage[i]);
	return bits;
}

static bool a_usage_has_a_purpose(const struct cs_tbs_facts *t)
{
	unsigned cas = CS_KU_CERT_SIGN | CS_KU_CRL_SIGN;

	return !t->cert.has_key_usage || t->cert.ca ||
	       (t->cert.key_usage & (cas | purposes_bits(t))) != 0;
}

static bool usages_have_a_purpose(const struct cs_tbs_facts *t)
{
	unsigned cas = CS_KU_CERT_SIGN | CS_KU_CRL_SIGN;

	return !t->cert.has_key_usage || t->cert.ca ||
	       (t->cert.key_usage & ~cas & ~purposes_bits(t)) == 0;
}

/* -- what servers and mail need ---------------------------------------------
 */

static bool server_signs(const struct cs_tbs_facts *t)
{
	return !is_for_servers(t) || !t->cert.has_key_usage ||
	       (t->cert.key_usage & CS_KU_DIGITAL_SIGNATURE) != 0;
}

static bool server_life_is_short(const struct cs_tbs_facts *t)
{
	const int64_t longest = (int64_t)825 * 86400;

	return !is_for_servers(t) ||
	       t->not_after_s - t->not_before_s + 1 <= longest;
}

/* How many attributes of the subject have this type? */
static size_t count_attributes(const struct cs_tbs_facts *t, struct cs_span oid)
{
	size_t n = 0;

	for (size_t i = 0; i < t->cert.subject_n; i++)
		n += cs_span_equal(t->cert.subject[i].oid, oid);
	return n;
}

static bool has_one_common_name(const struct cs_tbs_facts *t)
{
	return !is_for_servers(t) ||
	       count_attributes(t, CS_SPAN_LIT(CS_OID_COMMON_NAME)) <= 1;
}

static bool email_is_in_san(const struct cs_tbs_facts *t)
{
	return count_attributes(t, CS_SPAN_LIT(CS_OID_EMAIL_ADDRESS)) == 0;
}

/* "*.example": everybody's names below one label. */
static bool wildcards_have_two_labels(const struct cs_tbs_facts *t)
{
	for (size_t i = 0; i < t->cert.names_n; i++) {
		struct cs_span name = t->cert.names[i].canonical;

		if (t->cert.names[i].kind == CS_NAME_DNS &&
		    cs_name_dns_is_wildcard(name) &&
		    !cs_span_find(cs_span_sub(name, 2, name.n), '.', NULL))
			return false;
	}
	return true;
}

static bool mail_has_an_address(const struct cs_tbs_facts *t)
{
	if (!has_purpose(t, CS_OID_EMAIL_PROTECTION,
			 sizeof(CS_OID_EMAIL_PROTECTION) - 1))
		return true;
	for (size_t i = 0; i < t->cert.names_n; i++) {
		if (t->cert.names[i].kind == CS_NAME_EMAIL)
			return true;
	}
	return false;
}

static bool any_purpose_is_not_a_servers(const struct cs_tbs_facts *t)
{
	return !is_for_servers(t) ||
	       !has_purpose(t, CS_OID_ANY_EKU, sizeof(CS_OID_ANY_EKU) - 1);
}

/* Every rule, once. */
static const struct {
	struct cs_span rule;
	struct cs_span field;
	bool (*holds)(const struct cs_tbs_facts *t);
	const char *sentence;
	bool warning;
} rules[] = {
	{CS_SPAN_INIT("lint/validity-order"), CS_SPAN_INIT("validity"),
	 validity_is_in_order,
	 "RFC 5280 4.1.2.5: the validity ends before it begins", false},
	{CS_SPAN_INIT("lint/serial"), CS_SPAN_INIT("serial"),
	 serial_is_positive,
	 "RFC 5280 4.1.2.2: the serial must be positive and have at most 20 "
	 "octets",
	 false},
	{CS_SPAN_INIT("lint/no-name"), CS_SPAN_INIT("subject"), has_a_name,
	 "RFC 5280 4.1.2.6: without a subject there must be a subject "
	 "alternative name",
	 false},
	{CS_SPAN_INIT("lint/server-san"), CS_SPAN_INIT("san"), server_has_san,
	 "RFC 9525 2: a server's certificate must have a subject alternative "
	 "name",
	 false},
	{CS_SPAN_INIT("lint/san-critical"), CS_SPAN_INIT("san"),
	 san_criticality_fits,
	 "RFC 5280 4.2.1.6: subjectAltName is critical when, and only when, "
	 "the subject is empty",
	 false},
	{CS_SPAN_INIT("lint/cn-in-san"), CS_SPAN_INIT("subject.commonName[0]"),
	 common_names_are_in_san,
	 "CA/Browser Forum BR 7.1.4.3: a server's common name must be one of "
	 "its subject alternative names",
	 false},
	{CS_SPAN_INIT("lint/country"), CS_SPAN_INIT("subject.country[0]"),
	 country_is_two_letters,
	 "RFC 5280 A.1: countryName is two letters (ISO 3166)", false},
	{CS_SPAN_INIT("lint/ec-key-usage"),
	 CS_SPAN_INIT("extensions.key_usage"), ec_usage_fits,
	 "RFC 8813 3: an EC key must not have keyEncipherment or "
	 "dataEncipherment",
	 false},
	{CS_SPAN_INIT("lint/ed25519-key-usage"),
	 CS_SPAN_INIT("extensions.key_usage"), ed25519_usage_fits,
	 "RFC 8410 5: an Ed25519 key only signs", false},
	{CS_SPAN_INIT("lint/rsa-key-usage"),
	 CS_SPAN_INIT("extensions.key_usage"), rsa_usage_fits,
	 "RFC 3279 2.3.1: an RSA key must not have keyAgreement, "
	 "encipherOnly or decipherOnly",
	 false},
	{CS_SPAN_INIT("lint/only-key-usage"),
	 CS_SPAN_INIT("extensions.key_usage"), only_usage_fits,
	 "RFC 5280 4.2.1.3: encipherOnly and decipherOnly have no meaning "
	 "without keyAgreement",
	 false},
	{CS_SPAN_INIT("lint/no-use"), CS_SPAN_INIT("extensions.key_usage"),
	 a_usage_has_a_purpose,
	 "RFC 5280 4.2.1.12: no key usage is consistent with any of the "
	 "extended ones: the certificate must not be used at all",
	 false},
	{CS_SPAN_INIT("lint/any-purpose"),
	 CS_SPAN_INIT("extensions.ext_key_usage"), any_purpose_is_not_critical,
	 "RFC 5280 4.2.1.12: with anyExtendedKeyUsage the extension should "
	 "not be critical",
	 false},
	{CS_SPAN_INIT("lint/key-ids"), CS_SPAN_INIT(""), has_key_ids,
	 "RFC 5280 4.2.1.1 and 4.2.1.2: both key identifiers must be there",
	 false},
	{CS_SPAN_INIT("lint/constraints-critical"),
	 CS_SPAN_INIT("extensions.basic_constraints"), constraints_are_critical,
	 "RFC 5280 4.2.1.9: a CA's basicConstraints must be critical", false},
	{CS_SPAN_INIT("lint/ca-key-usage"),
	 CS_SPAN_INIT("extensions.key_usage"), ca_may_sign,
	 "RFC 5280 4.2.1.3: a CA's keyUsage must have keyCertSign", false},
	{CS_SPAN_INIT("lint/cert-sign"), CS_SPAN_INIT("extensions.key_usage"),
	 only_cas_sign,
	 "RFC 5280 4.2.1.9: keyCertSign must not be there without CA:TRUE",
	 false},
	{CS_SPAN_INIT("lint/path-len"),
	 CS_SPAN_INIT("extensions.basic_constraints"), path_len_is_of_a_ca,
	 "RFC 5280 4.2.1.9: pathLenConstraint must not be there without "
	 "CA:TRUE",
	 false},
	{CS_SPAN_INIT("lint/ca-subject"), CS_SPAN_INIT("subject"),
	 ca_has_a_subject, "RFC 5280 4.1.2.6: a CA must have a subject", false},
	{CS_SPAN_INIT("lint/no-rev-avail"),
	 CS_SPAN_INIT("extensions.no_rev_avail"), no_rev_avail_is_alone,
	 "RFC 9608 3: with noRevAvail there must be no CRL distribution "
	 "point, freshest CRL or OCSP location",
	 false},
	{CS_SPAN_INIT("lint/no-rev-avail-ca"),
	 CS_SPAN_INIT("extensions.no_rev_avail"), no_rev_avail_is_not_a_cas,
	 "RFC 9608 2: noRevAvail must not be in a CA's certificate", false},
	{CS_SPAN_INIT("lint/no-rev-avail-form"),
	 CS_SPAN_INIT("extensions.no_rev_avail"), no_rev_avail_is_null,
	 "RFC 9608 2: noRevAvail is NULL and not critical", false},
	{CS_SPAN_INIT("lint/critical-unknown"), CS_SPAN_INIT("extensions"),
	 nothing_unknown_is_critical,
	 "RFC 5280 4.2: an uncommon extension is critical: who does not know "
	 "it must reject the certificate",
	 true},
	{CS_SPAN_INIT("lint/https-location"), CS_SPAN_INIT("extensions"),
	 locations_are_plain,
	 "RFC 5280 8: a location of CRL, OCSP or CA certificate should not "
	 "be https, which may need what it fetches",
	 true},
	{CS_SPAN_INIT("lint/key-usage-critical"),
	 CS_SPAN_INIT("extensions.key_usage"), key_usage_is_critical,
	 "RFC 5280 4.2.1.3: keyUsage should be critical", true},
	{CS_SPAN_INIT("lint/idle-usage"), CS_SPAN_INIT("extensions.key_usage"),
	 usages_have_a_purpose,
	 "RFC 5280 4.2.1.12: a key usage is consistent with none of the "
	 "extended ones",
	 true},
	{CS_SPAN_INIT("lint/server-signature"),
	 CS_SPAN_INIT("extensions.key_usage"), server_signs,
	 "RFC 8446 4.4.2.2: without digitalSignature the certificate does not "
	 "serve TLS 1.3",
	 true},
	{CS_SPAN_INIT("lint/server-validity"), CS_SPAN_INIT("validity"),
	 server_life_is_short,
	 "CA/Browser Forum BR 6.3.2: more than 825 days: Apple's systems take "
	 "no such server certificate, of whatever CA",
	 true},
	{CS_SPAN_INIT("lint/one-common-name"),
	 CS_SPAN_INIT("subject.commonName"), has_one_common_name,
	 "CA/Browser Forum BR 7.1.4.3: more than one common name", true},
	{CS_SPAN_INIT("lint/email-in-subject"),
	 CS_SPAN_INIT("subject.emailAddress[0]"), email_is_in_san,
	 "RFC 5280 4.1.2.6: emailAddress in a subject is deprecated; addresses "
	 "belong to the subject alternative names",
	 true},
	{CS_SPAN_INIT("lint/wide-wildcard"), CS_SPAN_INIT("san.dns"),
	 wildcards_have_two_labels,
	 "CA/Browser Forum BR 3.2.2.6: a wildcard right below a single label",
	 true},
	{CS_SPAN_INIT("lint/mail-address"), CS_SPAN_INIT("san.email"),
	 mail_has_an_address,
	 "RFC 8550 3: a certificate for e-mail protection should have an "
	 "address among its names",
	 true},
	{CS_SPAN_INIT("lint/server-any-purpose"),
	 CS_SPAN_INIT("extensions.ext_key_usage"), any_purpose_is_not_a_servers,
	 "CA/Browser Forum BR 7.1.2.7.10: a server's certificate must not have "
	 "anyExtendedKeyUsage",
	 true},
};

bool cs_lint_check(const struct cs_tbs_facts *tbs, enum cs_lint_fail fail,
		   struct cs_findings *findings, struct cs_findings *warnings,
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
		if (!cs_findings_add(rules[i].warning &&
						     fail == CS_LINT_FAIL_ERRORS
					     ? warnings
					     : findings,
				     &f))
			return cs_error_set(err, CS_E_NO_MEMORY,
					    "no memory for a finding");
	}
	return true;
}
