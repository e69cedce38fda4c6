/*
 * Who a requester's user name says that it is.
 *
 * Kubernetes names the users of service accounts
 * "system:serviceaccount:NAMESPACE:NAME". The facts requester.namespace and
 * requester.service_account come from there and from nowhere else: no client
 * can state them. Internal to policy/.
 */
#ifndef CS_POLICY_REQUESTER_H
#define CS_POLICY_REQUESTER_H

#include <stdbool.h>

#include "base/span.h"

/*
 * The namespace and the name of a service account. False, and both outputs
 * untouched, for every other user name. Names are those of Kubernetes: lower
 * case letters, digits, `-` and `.`, not empty.
 */
bool cs_requester_service_account(struct cs_span user,
				  struct cs_span *ret_namespace,
				  struct cs_span *ret_name);

#endif
