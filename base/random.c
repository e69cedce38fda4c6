#include "base/random.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/rand.h>

/* What both functions make of OpenSSL's answer. */
static bool checked(int answer, struct cs_error *err)
{
	if (answer == 1)
		return true;
	ERR_clear_error();
	return cs_error_set(err, CS_E_CRYPTO, "no randomness is available");
}

bool cs_random_public(uint8_t *out, size_t n, struct cs_error *err)
{
	return checked(n > INT_MAX ? 0 : RAND_bytes(out, (int)n), err);
}

bool cs_random_private(uint8_t *out, size_t n, struct cs_error *err)
{
	return checked(n > INT_MAX ? 0 : RAND_priv_bytes(out, (int)n), err);
}
