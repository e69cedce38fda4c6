/*
 * DER: whatever the reader accepts it has read whole, the writer writes the
 * same bytes again, and OpenSSL's reader agrees on tag and length.
 */
#include <openssl/asn1.h>
#include <openssl/err.h>

#include "base/der.h"
#include "base/limits.h"
#include "tests/fuzz/fuzz.h"

/* OpenSSL reads the same element at p. */
static void compare(struct cs_span whole, struct cs_span content)
{
	const unsigned char *p = whole.p;
	long length;
	int tag, class;

	FUZZ_CHECK((ASN1_get_object(&p, &length, &tag, &class, (long)whole.n) &
		    0x80) == 0);
	FUZZ_CHECK(p == content.p && (size_t)length == content.n);
	ERR_clear_error();
}

/* Every typed reader on the element at the front of r. */
static void typed(struct cs_der r)
{
	struct cs_der again = r;
	struct cs_span s;
	uint64_t u;
	int64_t t;
	uint32_t bits;
	bool b;
	struct cs_buf out;

	if (cs_der_boolean(&again, "x", &b, NULL))
		FUZZ_CHECK(r.rest.n - again.rest.n == 3);
	again = r;
	cs_buf_init(&out, 1024);
	if (cs_der_uint(&again, "x", &u, NULL)) {
		cs_der_write_uint(&out, u);
		FUZZ_CHECK(out.n == r.rest.n - again.rest.n);
	}
	again = r;
	cs_buf_reset(&out);
	if (cs_der_oid(&again, "x", &s, NULL)) {
		cs_der_oid_text(s, &out);
		FUZZ_CHECK(cs_buf_ok(&out));
	}
	again = r;
	cs_buf_reset(&out);
	if (cs_der_named_bits(&again, "x", &bits, NULL)) {
		cs_der_write_named_bits(&out, bits);
		FUZZ_CHECK(cs_span_equal(
			cs_buf_span(&out),
			cs_span_make(r.rest.p, r.rest.n - again.rest.n)));
	}
	again = r;
	cs_buf_reset(&out);
	if (cs_der_time(&again, "x", &t, NULL)) {
		cs_der_write_time(&out, t);
		FUZZ_CHECK(cs_span_equal(
			cs_buf_span(&out),
			cs_span_make(r.rest.p, r.rest.n - again.rest.n)));
	}
	cs_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cs_der stack[CS_MAX_DER_DEPTH];
	unsigned depth = 1;

	stack[0] = cs_der_reader(cs_span_make(data, size));
	while (depth > 0) {
		struct cs_der *r = &stack[depth - 1];
		struct cs_der before = *r;
		struct cs_span content, whole;
		uint8_t tag;

		if (cs_der_at_end(r)) {
			depth--;
			continue;
		}
		typed(*r);
		if (!cs_der_any(r, &tag, &content, &whole, NULL)) {
			FUZZ_CHECK(r->rest.p == before.rest.p &&
				   r->rest.n == before.rest.n);
			return 0;
		}
		compare(whole, content);
		if ((tag & 0x20) != 0 && depth < CS_MAX_DER_DEPTH)
			stack[depth++] = cs_der_reader(content);
	}
	return 0;
}
