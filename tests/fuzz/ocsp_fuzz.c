/*
 * OCSP requests: whatever our strict reader accepts, OpenSSL accepts too, and
 * writes back to the same octets, with as many certificates asked about. But
 * the name and the signature of whoever asks are not ours to judge.
 */
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "base/der.h"
#include "store/ocsp_der.h"
#include "tests/fuzz/fuzz.h"

/* Is it said who asks, or proved? */
static int is_somebodys(struct cs_span der)
{
	struct cs_der all = cs_der_reader(der), outer, tbs;

	FUZZ_CHECK(cs_der_enter(&all, CS_DER_SEQUENCE, "", &outer, NULL));
	FUZZ_CHECK(cs_der_enter(&outer, CS_DER_SEQUENCE, "", &tbs, NULL));
	return !cs_der_at_end(&outer) ||
	       cs_der_next_is(&tbs, CS_DER_CONTEXT_CONSTRUCTED(1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cs_span der = cs_span_make(data, size);
	const unsigned char *p = data;
	struct cs_ocsp_request request;
	unsigned char *again = NULL;
	OCSP_REQUEST *theirs;
	int n;

	if (!cs_ocsp_request_read(der, &request, NULL))
		return 0;
	FUZZ_CHECK(ERR_peek_error() == 0);
	FUZZ_CHECK(request.asked_n > 0 && request.nonce.n <= 128);
	if (is_somebodys(der))
		return 0;
	theirs = d2i_OCSP_REQUEST(NULL, &p, (long)size);
	FUZZ_CHECK(theirs != NULL && p == data + size);
	FUZZ_CHECK((size_t)OCSP_request_onereq_count(theirs) ==
		   request.asked_n);
	n = i2d_OCSP_REQUEST(theirs, &again);
	FUZZ_CHECK(cs_span_equal(der, cs_span_make(again, (size_t)n)));
	OPENSSL_free(again);
	OCSP_REQUEST_free(theirs);
	ERR_clear_error();
	return 0;
}
