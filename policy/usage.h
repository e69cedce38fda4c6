/*
 * Usages: cert-manager's words, what they stand for, and back.
 *
 * A usage is either one bit of key usage (RFC 5280 4.2.1.3) or the OID of an
 * extended key usage (4.2.1.12), given as a word ("digital signature",
 * "server auth") or, for the latter, in dotted form. OpenSSL's and Go's
 * spellings ("serverAuth", "digitalSignature") are errors with a hint.
 *
 * Plain values; OIDs of words are constants, others live in the arena.
 */
#ifndef CS_POLICY_USAGE_H
#define CS_POLICY_USAGE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"

struct cs_usage {
	unsigned key_usage; /* one CS_KU_* bit; 0: an extended key usage */
	struct cs_span oid; /* content octets of the extended key usage */
};

/* CS_E_FORMAT with a sentence, and a hint where one is near. */
bool cs_usage_parse(struct cs_span text, struct cs_arena *arena,
		    struct cs_usage *ret_usage,
		    struct cs_error *err) CS_MUST_USE;

/* The word of one key usage bit; "unknown bit" if there is none. */
struct cs_span cs_usage_bit_word(unsigned bit);

/* The word of an extended key usage, or its dotted form, in the arena. */
bool cs_usage_oid_word(struct cs_span oid, struct cs_arena *arena,
		       struct cs_span *ret_word) CS_MUST_USE;

/*
 * The CS_KU_* that an extended key usage has a use for, as RFC 5280 4.2.1.12
 * lists them; every bit for one of which it says nothing.
 */
unsigned cs_usage_oid_bits(struct cs_span oid);

/* "digital signature, key encipherment": a set of bits, in the arena. */
bool cs_usage_bits_text(unsigned bits, struct cs_arena *arena,
			struct cs_span *ret_text) CS_MUST_USE;

#endif
