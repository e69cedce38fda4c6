/*
 * Which certificates of ours are revoked, as front knows it for those that
 * clients show: a set of keys of serials (base/revoke.h), filled by the
 * ledger's REVOKED messages, at the start with all that have not ended and
 * then with each one before its revocation is answered. A client's
 * certificate is held against it with every request, so that a connection
 * that was open before is worth nothing more.
 *
 * Serials are compared whoever issued the certificate. Ours are random, so
 * that another's is the same by intent alone, and then is refused.
 *
 * Bounded: CS_MAX_REVOKED_KEYS, in a table that grows to 16 MiB. Beyond that,
 * or when the ledger says that there are more, or when memory runs out, every
 * certificate counts as revoked, until a start finds fewer that have not
 * ended: who comes by certificate comes by token then, or not at all.
 *
 * What it does not know: revocation by foreign CAs.
 */
#ifndef CS_API_REVOKED_H
#define CS_API_REVOKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/msg.h"

struct cs_revoked;

/*
 * A certificate's serial: what it is known by (cs_revoked_key), and the whole
 * of it for the ledger, which looks once more when it records.
 */
struct cs_serial_key {
	uint8_t octets[8];
	uint8_t whole[CS_MAX_SERIAL];
	uint8_t whole_n; /* 0: no certificate, or a longer one than ours have */
};

void cs_serial_key_set(struct cs_serial_key *k, struct cs_span serial);
/* The whole serial, borrowed; empty: see above. */
struct cs_span cs_serial_key_whole(const struct cs_serial_key *k);

void cs_revoked_free(struct cs_revoked *r);
/* Empty; holds `max` keys. */
struct cs_revoked *cs_revoked_new(size_t max, struct cs_error *err) CS_MUST_USE;

/* One REVOKED. CS_E_PROTOCOL: its octets are no keys. */
bool cs_revoked_take(struct cs_revoked *r, const struct cs_msg_revoked *m,
		     struct cs_error *err) CS_MUST_USE;

/* Is it revoked, or not known any more whether it is? */
bool cs_revoked_holds(const struct cs_revoked *r, const uint8_t key[8]);

/* Is that because there are too many to know? */
bool cs_revoked_is_beyond(const struct cs_revoked *r);

#endif
