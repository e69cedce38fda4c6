#include "base/der.h"
#include "store/ocsp_der.h"

#define OID_BASIC "\x2b\x06\x01\x05\x05\x07\x30\x01\x01"
#define OID_NONCE "\x2b\x06\x01\x05\x05\x07\x30\x01\x02"

/* ResponseData: names and numbers of 16 certificates, times, a nonce. */
#define MAX_DATA (CS_MAX_OCSP_SINGLES * (CS_MAX_OCSP_CERT_ID + 64) + 512)

/*= RFC 6960 4.2.1: CertStatus */
static void write_status(const struct cs_ocsp_single *one, struct cs_buf *out)
{
	const uint8_t reason = (uint8_t)one->reason;
	size_t revoked, explicit;

	if (one->status != CS_OCSP_REVOKED) {
		cs_der_write(
			out,
			CS_DER_CONTEXT(one->status == CS_OCSP_GOOD ? 0 : 2),
			(struct cs_span){0});
		return;
	}
	revoked = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(1));
	cs_der_write_generalized_time(out, one->revoked_s);
	if (one->reason >= 0) {
		explicit =
			cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));
		cs_der_write(out, CS_DER_ENUMERATED, cs_span_make(&reason, 1));
		cs_der_write_end(out, explicit);
	}
	cs_der_write_end(out, revoked);
}

/*= RFC 6960 4.2.1: SingleResponse */
static void write_single(const struct cs_ocsp_answer *answer,
			 const struct cs_ocsp_single *one, struct cs_buf *out)
{
	size_t single = cs_der_write_begin(out, CS_DER_SEQUENCE);
	size_t next;

	cs_der_write_raw(out, one->id);
	write_status(one, out);
	cs_der_write_generalized_time(out, answer->this_update_s);
	next = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));
	cs_der_write_generalized_time(out, answer->next_update_s);
	cs_der_write_end(out, next);
	cs_der_write_end(out, single);
}

/*= RFC 6960 4.4.1: the request's nonce comes back */
static void write_nonce(struct cs_span nonce, struct cs_buf *out)
{
	size_t explicit, list, extension, value;

	explicit = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(1));
	list = cs_der_write_begin(out, CS_DER_SEQUENCE);
	extension = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_der_write(out, CS_DER_OID, CS_SPAN_LIT(OID_NONCE));
	value = cs_der_write_begin(out, CS_DER_OCTET_STRING);
	cs_der_write(out, CS_DER_OCTET_STRING, nonce);
	cs_der_write_end(out, value);
	cs_der_write_end(out, extension);
	cs_der_write_end(out, list);
	cs_der_write_end(out, explicit);
}

/*= RFC 6960 4.2.1: ResponseData */
static void write_data(const struct cs_ocsp_answer *answer,
		       const struct cs_ocsp_responder *responder,
		       struct cs_buf *out)
{
	size_t data = cs_der_write_begin(out, CS_DER_SEQUENCE);
	size_t by_key, list;

	by_key = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(2));
	cs_der_write(out, CS_DER_OCTET_STRING,
		     cs_ocsp_responder_key_hash(responder));
	cs_der_write_end(out, by_key);
	cs_der_write_generalized_time(out, answer->produced_s);
	list = cs_der_write_begin(out, CS_DER_SEQUENCE);
	for (size_t i = 0; i < answer->singles_n; i++)
		write_single(answer, &answer->singles[i], out);
	cs_der_write_end(out, list);
	if (answer->nonce.n > 0)
		write_nonce(answer->nonce, out);
	cs_der_write_end(out, data);
}

/*= RFC 6960 4.2.1: BasicOCSPResponse */
static bool write_basic(struct cs_span data,
			struct cs_ocsp_responder *responder, struct cs_buf *out,
			struct cs_error *err)
{
	size_t basic = cs_der_write_begin(out, CS_DER_SEQUENCE);
	size_t explicit, certs;

	cs_der_write_raw(out, data);
	if (!cs_ocsp_responder_sign(responder, data, out, err))
		return false;
	explicit = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));
	certs = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_der_write_raw(out, cs_ocsp_responder_certificate(responder));
	cs_der_write_end(out, certs);
	cs_der_write_end(out, explicit);
	cs_der_write_end(out, basic);
	return true;
}

bool cs_ocsp_response_write(const struct cs_ocsp_answer *answer,
			    struct cs_ocsp_responder *responder,
			    struct cs_buf *out, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf data;
	const uint8_t successful = CS_OCSP_SUCCESSFUL;
	size_t response, explicit, bytes, octets;

	cs_buf_init(&data, MAX_DATA);
	write_data(answer, responder, &data);
	if (!cs_buf_finish(&data, "an OCSP response", err))
		return false;
	response = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_der_write(out, CS_DER_ENUMERATED, cs_span_make(&successful, 1));
	explicit = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));
	bytes = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_der_write(out, CS_DER_OID, CS_SPAN_LIT(OID_BASIC));
	octets = cs_der_write_begin(out, CS_DER_OCTET_STRING);
	if (!write_basic(cs_buf_span(&data), responder, out, err))
		return false;
	cs_der_write_end(out, octets);
	cs_der_write_end(out, bytes);
	cs_der_write_end(out, explicit);
	cs_der_write_end(out, response);
	return cs_buf_finish(out, "an OCSP response", err);
}

void cs_ocsp_response_refuse(enum cs_ocsp_status status, struct cs_buf *out)
{
	const uint8_t octet = (uint8_t)status;
	size_t response = cs_der_write_begin(out, CS_DER_SEQUENCE);

	cs_der_write(out, CS_DER_ENUMERATED, cs_span_make(&octet, 1));
	cs_der_write_end(out, response);
}
