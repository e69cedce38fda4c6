/*
 * The body of POST /v1/requests, read: every field with its type, bounds and
 * syntax checked, and what the conditions come to. Who may state what, and
 * what it means, is api/submit.h's.
 *
 * POST /v1/policies/evaluate has the same and two more, which are known only
 * there: `policies` (api/policy_body.h) and `realm`.
 *
 * Borrows from the JSON document.
 */
#ifndef CS_API_REQUEST_BODY_H
#define CS_API_REQUEST_BODY_H

#include "api/body.h"

enum cs_request_form {
	CS_REQUEST_SUBMIT,
	CS_REQUEST_EVALUATE
};

struct cs_request_body {
	struct cs_span csr;
	struct cs_span issuer;	 /* p NULL: not stated, as all below */
	struct cs_span duration; /* a duration, as sent */
	json_t *usages;		 /* strings; NULL: not stated, as all below */
	enum cs_tristate is_ca;
	struct cs_span uid;
	json_t *requester_value; /* what the field holds */
	struct cs_span requester;
	json_t *groups;
	json_t *extra;
	struct cs_span namespace;
	json_t *namespace_labels;
	struct cs_span owner;
	enum cs_tristate renewal;
	json_t *approval;
	struct cs_span claimed_by;
	json_t *attributes;
	json_t *conditions;
	struct cs_span source; /* "api", "kubernetes" */
	struct cs_span realm;  /* EVALUATE */

	bool approved;			/* condition Approved=True */
	bool denied;			/* condition Denied=True */
	struct cs_span reason, message; /* of the one that counts */
};

bool cs_request_body_read(json_t *root, enum cs_request_form form,
			  struct cs_request_body *ret_body,
			  struct cs_problem *p) CS_MUST_USE;

#endif
