#include "issuer/feasible.h"

#include "base/time.h"
#include "issuer/oids.h"
#include "policy/codes.h"

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory for a finding");
}

/*= RFC 5280 6.1.3: every certificate of a path must be valid */
static bool check_dates(const struct cs_issuer_ca *ca,
			const struct cs_tbs_facts *tbs, int64_t now_s,
			struct cs_findings *findings, struct cs_error *err)
{
	const struct cs_span field = CS_SPAN_LIT("validity"), none = {0};
	const char *code = cs_code_name(CS_CODE_CA_EXPIRY);
	char ends[CS_TIME_TEXT];

	cs_time_rfc3339(ca->not_after_s, ends);
	if (now_s > ca->not_after_s &&
	    !cs_findings_builtin(findings, code, field, none,
				 "RFC 5280 6.1.3: the issuer's CA expired at "
				 "%s",
				 ends))
		return no_memory(err);
	if (tbs->not_after_s > ca->not_after_s && now_s <= ca->not_after_s &&
	    !cs_findings_builtin(findings, code, field, none,
				 "RFC 5280 6.1.3: the certificate would "
				 "outlive its CA, which ends at %s",
				 ends))
		return no_memory(err);
	cs_time_rfc3339(ca->not_before_s, ends);
	if (now_s < ca->not_before_s &&
	    !cs_findings_builtin(findings, code, field, none,
				 "RFC 5280 6.1.3: the issuer's CA is valid "
				 "from %s only",
				 ends))
		return no_memory(err);
	return true;
}

/* Does the CA's own list have the purpose? */
static bool has_purpose(const struct cs_issuer_ca *ca, struct cs_span oid)
{
	for (size_t i = 0; i < ca->ext_key_usage_n; i++) {
		if (cs_span_equal(ca->ext_key_usage[i], oid) ||
		    cs_span_equal(ca->ext_key_usage[i],
				  CS_SPAN_LIT(CS_OID_ANY_EKU)))
			return true;
	}
	return false;
}

/* A CA's extKeyUsage limits those below it, as verifiers have it. */
static bool check_purposes(const struct cs_issuer_ca *ca,
			   const struct cs_tbs_facts *tbs,
			   struct cs_findings *findings, struct cs_error *err)
{
	const struct cs_span field = CS_SPAN_LIT("extensions.ext_key_usage");
	const struct cs_span none = {0};
	bool all = true;

	if (ca->ext_key_usage_n == 0)
		return true;
	for (size_t i = 0; i < tbs->cert.ext_key_usage_n; i++)
		all = all && has_purpose(ca, tbs->cert.ext_key_usage[i]);
	if (all)
		return true;
	if (!cs_findings_builtin(findings, cs_code_name(CS_CODE_CA_USAGE),
				 field, none,
				 "RFC 5280 4.2.1.12: the CA's own certificate "
				 "does not allow all of these purposes"))
		return no_memory(err);
	return true;
}

/* RFC 5280 6.1.4, (l) to (n): as many CAs below as the CA's says. */
static bool check_path_len(const struct cs_issuer_ca *ca,
			   const struct cs_tbs_facts *tbs,
			   struct cs_findings *findings, struct cs_error *err)
{
	const struct cs_span field =
		CS_SPAN_LIT("extensions.basic_constraints");

	const char *code = cs_code_name(CS_CODE_CA_USAGE);
	const struct cs_span none = {0};
	bool ok = true;

	if (!tbs->cert.ca || !ca->has_path_len)
		return true;
	if (ca->path_len == 0)
		ok = cs_findings_builtin(
			findings, code, field, none,
			"RFC 5280 6.1.4: the path length of the CA's chain is "
			"used up: no CA may stand below it");
	else if (tbs->cert.has_path_len && tbs->cert.path_len >= ca->path_len)
		ok = cs_findings_builtin(
			findings, code, field, none,
			"RFC 5280 6.1.4: a pathLenConstraint of %u promises "
			"more than the CA's chain, which leaves %u",
			tbs->cert.path_len, ca->path_len - 1);
	return ok || no_memory(err);
}

bool cs_feasible_check(const struct cs_issuer_ca *ca,
		       const struct cs_tbs_facts *tbs, int64_t now_s,
		       struct cs_findings *findings, struct cs_error *err)
{
	return check_dates(ca, tbs, now_s, findings, err) &&
	       check_purposes(ca, tbs, findings, err) &&
	       check_path_len(ca, tbs, findings, err) &&
	       cs_constraints_check(ca->constraints, ca->constraints_n,
				    &tbs->cert, findings, err);
}
