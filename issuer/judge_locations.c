#include "issuer/judge_parts.h"
#include "policy/codes.h"

/* The same items in the same order? */
static bool same(const struct cs_span *a, size_t a_n, const struct cs_span *b,
		 size_t b_n)
{
	if (a_n != b_n)
		return false;
	for (size_t i = 0; i < a_n; i++) {
		if (!cs_span_equal(a[i], b[i]))
			return false;
	}
	return true;
}

/* Note what differs. */
static bool check(bool ok, const char *field, struct cs_findings *findings,
		  struct cs_error *err)
{
	if (ok ||
	    cs_findings_builtin(findings, cs_code_name(CS_CODE_BUILD_CONFLICT),
				cs_span_str(field), (struct cs_span){0},
				"the certificate that was built has another "
				"value here"))
		return true;
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory for a finding");
}

bool cs_judge_locations(const struct cs_plan *plan,
			const struct cs_issuer_ca *ca,
			const struct cs_tbs_facts *tbs, struct cs_arena *arena,
			struct cs_findings *findings, struct cs_error *err)
{
	const struct cs_span *points = plan->crl_urls;
	size_t points_n = plan->crl_urls_n;
	struct cs_span shard = {0};
	size_t ocsp_n;
	const struct cs_span *ocsp = cs_issuer_ca_ocsp_urls(ca, plan, &ocsp_n);

	if (points_n == 0 && ca->crl_url.n > 0 && !plan->no_rev_avail) {
		if (!cs_issuer_ca_crl_url(ca, tbs->serial, arena, &shard, err))
			return false;
		points = &shard;
		points_n = 1;
	}
	return check(same(tbs->policies, tbs->policies_n, plan->policies,
			  plan->policies_n),
		     "extensions.policies", findings, err) &&
	       check(same(tbs->ocsp_urls, tbs->ocsp_urls_n, ocsp, ocsp_n) &&
			     same(tbs->ca_issuers_urls, tbs->ca_issuers_urls_n,
				  plan->ca_issuers_urls,
				  plan->ca_issuers_urls_n),
		     "extensions.aia", findings, err) &&
	       check(same(tbs->crl_urls, tbs->crl_urls_n, points, points_n),
		     "extensions.crl_dp", findings, err);
}
