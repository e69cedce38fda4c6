/*
 * OCSP requests: whatever our strict reader accepts, OpenSSL accepts too, and
 * writes back to the same octets, with as many certificates asked about.
 */
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "store/ocsp_der.h"
#include "tests/fuzz/fuzz.h"

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
