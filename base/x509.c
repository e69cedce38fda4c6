#include "base/x509.h"

#include <openssl/err.h>

#include "base/time.h"

X509 *cs_x509_decode(struct cs_span der, struct cs_error *err)
{
	const unsigned char *p = der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.n);

	ERR_clear_error();
	if (cert == NULL) {
		cs_error_set(err, CS_E_CERT, "it cannot be read");
		return NULL;
	}
	if (p == der.p + der.n)
		return cert;
	X509_free(cert);
	cs_error_set(err, CS_E_CERT, "octets follow it");
	return NULL;
}

bool cs_x509_seconds(const ASN1_TIME *t, int64_t *ret_seconds)
{
	struct cs_civil c;
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1) {
		ERR_clear_error();
		return false;
	}
	c = (struct cs_civil){
		.year = tm.tm_year + 1900,
		.month = tm.tm_mon + 1,
		.day = tm.tm_mday,
		.hour = tm.tm_hour,
		.minute = tm.tm_min,
		.second = tm.tm_sec,
	};
	return cs_time_from_civil(&c, ret_seconds);
}
