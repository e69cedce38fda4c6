/*
 * RSA moduli that are known to be easy to factor: facts about a key that
 * policy judges (`key: {reject: [...]}`), not reasons to refuse it as a key.
 *
 *   small factors  a prime below 2^16 divides it
 *   Fermat         its primes are so close that 110 steps of Fermat's method
 *                  find them (CVE-2022-26320)
 *   ROCA           it has the fingerprint of Infineon's library: modulo each
 *                  of the first 39 primes it is a power of 65537
 *                  (CVE-2017-15361; Nemec et al., CCS 2017, section 4.3)
 *
 * One object a process, made at start; it holds tables, and room that a check
 * uses. A check takes less than a fifth of a millisecond for 2048 bits.
 *
 * What it does not look for: keys that are known by name (Debian's, those of
 * published source code): policy's blocklist has their hashes. Keys of other
 * kinds.
 */
#ifndef CS_ISSUER_WEAK_KEY_H
#define CS_ISSUER_WEAK_KEY_H

#include "base/error.h"
#include "base/span.h"

struct cs_weak_keys;

void cs_weak_keys_free(struct cs_weak_keys *w);
struct cs_weak_keys *cs_weak_keys_new(struct cs_error *err) CS_MUST_USE;

/*
 * Which of CS_WEAK_* (policy/facts.h) hold for a modulus: big-endian, odd,
 * without leading zero octets, at most 512 of them. CS_E_CRYPTO: OpenSSL could
 * not calculate, which means that memory ran out.
 */
bool cs_weak_keys_check(struct cs_weak_keys *w, struct cs_span modulus,
			unsigned *ret_weak, struct cs_error *err) CS_MUST_USE;

#endif
