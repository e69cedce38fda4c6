/*
 * What rooms tell each other of a CRL: the list of what is revoked, as data.
 * The ledger puts it together, the signer makes a CRL of it (issuer/crl.h).
 *
 * Encoding, one entry behind the other (base/wire.h): the serial behind a u32
 * length, u64 second of revocation, u8 reason. In any order.
 */
#ifndef CS_BASE_CRL_H
#define CS_BASE_CRL_H

#include "base/buf.h"

struct cs_crl_entry {
	struct cs_span serial; /* content octets of the INTEGER */
	int64_t revoked_s;     /* since 1970 */
	unsigned reason;       /* RFC 5280 5.3.1; 0: none is said */
};

/* Octets of an encoded entry, at most: what a list needs is counted by it. */
#define CS_CRL_ENTRY_MAX (4 + 20 + 8 + 1)

void cs_crl_entry_put(struct cs_buf *out, const struct cs_crl_entry *entry);

/*
 * The next entry of an encoded list: *list moves behind it, the serial is
 * borrowed from it. *ret_there is false at the end. CS_E_PROTOCOL: malformed,
 * a serial that is none (RFC 5280 4.1.2.2), a reason that there is not.
 */
bool cs_crl_entry_next(struct cs_span *list, struct cs_crl_entry *ret_entry,
		       bool *ret_there, struct cs_error *err) CS_MUST_USE;

#endif
