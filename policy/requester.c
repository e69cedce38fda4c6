#include "policy/requester.h"

/* A name that Kubernetes gives to namespaces and service accounts. */
static bool is_name(struct cs_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '.'))
			return false;
	}
	return s.n > 0;
}

bool cs_requester_service_account(struct cs_span user,
				  struct cs_span *ret_namespace,
				  struct cs_span *ret_name)
{
	const struct cs_span prefix = CS_SPAN_LIT("system:serviceaccount:");
	struct cs_span rest, namespace, name;
	size_t colon;

	if (!cs_span_starts_with(user, prefix))
		return false;
	rest = cs_span_sub(user, prefix.n, SIZE_MAX);
	if (!cs_span_find(rest, ':', &colon))
		return false;
	namespace = cs_span_sub(rest, 0, colon);
	name = cs_span_sub(rest, colon + 1, SIZE_MAX);
	if (!is_name(namespace) || !is_name(name))
		return false;
	*ret_namespace = namespace;
	*ret_name = name;
	return true;
}
