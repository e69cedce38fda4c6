/*
 * Who is the peer that showed this certificate? One judgement for one
 * request, against the table and the wall clock of that moment.
 *
 * The certificate has to be valid now and, where it states extended key
 * usages, be for TLS clients. Then it is looked for, the narrower binding
 * before the wider, and the first kind that knows it decides:
 *
 *	fingerprint	it is this very certificate; who issued it is all the
 *			same
 *	san		one of its alternative names, exactly (a wildcard is
 *			a name like others), and its chain ends at the CA
 *			that stands beside the name
 *	issuer		its chain ends at the CA
 *
 * When two clients are meant by bindings of one kind, nobody is: that fails
 * closed like all else here.
 *
 * What it does not check: rights; the token beside it (api/auth.h).
 */
#ifndef CS_API_BY_CERT_H
#define CS_API_BY_CERT_H

#include "api/clients.h"
#include "api/peer_cert.h"
#include "api/problem.h"

/* Words for a state that is not GOOD, "it has expired". */
const char *cs_by_cert_says(enum cs_peer_cert_state state);

/* False: *ret_problem is BAD_CERTIFICATE and says why. */
bool cs_by_cert(const struct cs_clients *clients, struct cs_peer_cert *cert,
		int64_t wall_ms, struct cs_bound *ret_bound,
		struct cs_problem *ret_problem) CS_MUST_USE;

#endif
