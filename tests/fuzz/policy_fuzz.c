/*
 * Policy: a document either loads, or is refused with an error that names its
 * source; one that loads has a hash that does not depend on how it is
 * written, and judges a request by the wildcard rule: where "*.ZONE" is
 * issued, no host of the zone is denied.
 */
#include "base/limits.h"
#include "policy/testing.h"
#include "tests/fuzz/fuzz.h"

/* Is a request for this one name issued? */
static bool issues(struct cs_testing *t, const char *name)
{
	static struct cs_fact_pair labels[] = {
		{CS_SPAN_INIT("tier"), CS_SPAN_INIT("web")},
		{CS_SPAN_INIT("team"), CS_SPAN_INIT("shop")},
	};

	cs_testing_request(t);
	cs_testing_group(t, "web-admins");
	t->facts.request.namespace = CS_SPAN_LIT("ingress-shop");
	t->facts.request.requester =
		CS_SPAN_LIT("system:serviceaccount:shop:cart");
	t->facts.request.labels = labels;
	t->facts.request.labels_n = 2;
	cs_testing_name(t, CS_NAME_URI, "spiffe://corp.example/ns/shop/sa/x");
	cs_testing_dns(t, name);
	return cs_testing_judge(t);
}

/* The relation that must hold for whatever set was loaded. */
static void check_wildcard(struct cs_testing *t)
{
	if (!issues(t, "*.corp.example"))
		return;
	FUZZ_CHECK(issues(t, "a.corp.example") ||
		   !cs_testing_found(t, "SAN_DNS_DENIED", NULL));
	FUZZ_CHECK(issues(t, "secret.corp.example") ||
		   !cs_testing_found(t, "SAN_DNS_DENIED", NULL));
}

/*
 * Where the canonical form of a policy is YAML of ours, it is the same
 * policy. (It may hold characters that YAML wants escaped.)
 */
static void check_hash(struct cs_testing *t, struct cs_testing *again)
{
	const struct cs_policy_info *info = cs_policy_set_at(t->set, 0);
	struct cs_source one = {CS_SPAN_LIT("web.yaml"), info->json};

	cs_testing_load_sources(again, &one, 1);
	FUZZ_CHECK(again->set == NULL ||
		   cs_span_equal(info->sha256_text,
				 cs_policy_set_at(again->set, 0)->sha256_text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cs_source one = {CS_SPAN_LIT("web.yaml"),
				cs_span_make(data, size)};
	struct cs_testing t, again;

	cs_testing_init(&t);
	cs_testing_init(&again);
	cs_testing_load_sources(&t, &one, 1);
	FUZZ_CHECK((t.set == NULL) == (t.report.errors > 0));
	if (t.set != NULL) {
		check_wildcard(&t);
		if (cs_policy_set_count(t.set) == 1)
			check_hash(&t, &again);
	}
	cs_testing_done(&again);
	cs_testing_done(&t);
	return 0;
}
