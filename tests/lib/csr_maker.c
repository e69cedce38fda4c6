#include "tests/lib/test.h"

#include "tests/lib/csr_maker.h"

#include "base/der.h"
#include "issuer/oids.h"

void csr_ext(struct cs_buf *out, struct cs_span oid, bool critical,
	     struct cs_span value)
{
	size_t ext = cs_der_write_begin(out, CS_DER_SEQUENCE);

	cs_der_write(out, CS_DER_OID, oid);
	if (critical)
		cs_der_write_boolean_true(out);
	cs_der_write(out, CS_DER_OCTET_STRING, value);
	cs_der_write_end(out, ext);
}

void csr_ext_san(struct cs_buf *out, uint8_t tag, struct cs_span content)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf value;
	size_t seq;

	cs_buf_init(&value, 100000);
	seq = cs_der_write_begin(&value, CS_DER_SEQUENCE);
	cs_der_write(&value, tag, content);
	cs_der_write_end(&value, seq);
	csr_ext(out, CS_SPAN_LIT(CS_OID_SUBJECT_ALT_NAME), false,
		cs_buf_span(&value));
}

void csr_rdn(struct cs_buf *out, struct cs_span oid, uint8_t tag,
	     struct cs_span value)
{
	size_t rdn = cs_der_write_begin(out, CS_DER_SET);
	size_t attr = cs_der_write_begin(out, CS_DER_SEQUENCE);

	cs_der_write(out, CS_DER_OID, oid);
	cs_der_write(out, tag, value);
	cs_der_write_end(out, attr);
	cs_der_write_end(out, rdn);
}

void csr_name(struct cs_buf *out, struct cs_span rdns)
{
	cs_der_write(out, CS_DER_SEQUENCE, rdns);
}

void csr_attribute(struct cs_buf *out, struct cs_span oid, struct cs_span value)
{
	size_t attr = cs_der_write_begin(out, CS_DER_SEQUENCE);

	cs_der_write(out, CS_DER_OID, oid);
	cs_der_write(out, CS_DER_SET, value);
	cs_der_write_end(out, attr);
}

void csr_sequence(struct cs_buf *out, struct cs_span content)
{
	cs_der_write(out, CS_DER_SEQUENCE, content);
}

static void write_subject(const struct csr_maker *m, struct cs_buf *out)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf rdns;

	cs_buf_init(&rdns, 1000);
	if (m->subject.n > 0) {
		cs_der_write_raw(out, m->subject);
		return;
	}
	csr_rdn(&rdns, CS_SPAN_LIT(CS_OID_COMMON_NAME), CS_DER_UTF8_STRING,
		CS_SPAN_LIT("web.corp.example"));
	csr_name(out, cs_buf_span(&rdns));
}

static void write_attributes(const struct csr_maker *m, struct cs_buf *out)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf exts;
	CS_CLEANUP(cs_buf_done) struct cs_buf value;
	size_t list;

	cs_buf_init(&exts, 100000);
	cs_buf_init(&value, 100000);
	if (m->no_attributes)
		return;
	list = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));
	if (m->attributes.n > 0) {
		cs_der_write_raw(out, m->attributes);
	} else if (!m->no_extensions) {
		if (m->extensions.n > 0)
			cs_der_write_raw(&exts, m->extensions);
		else
			csr_ext_san(&exts, CS_DER_CONTEXT(2),
				    CS_SPAN_LIT("web.corp.example"));
		csr_sequence(&value, cs_buf_span(&exts));
		csr_attribute(out, CS_SPAN_LIT(CS_OID_EXTENSION_REQUEST),
			      cs_buf_span(&value));
	}
	cs_der_write_end(out, list);
}

void csr_make(const struct csr_maker *m, struct cs_buf *out)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf info;
	CS_CLEANUP(cs_buf_done) struct cs_buf signature;
	size_t seq;

	cs_buf_init(&info, 200000);
	cs_buf_init(&signature, 2000);
	seq = cs_der_write_begin(&info, CS_DER_SEQUENCE);
	cs_der_write(&info, CS_DER_INTEGER,
		     m->version.n > 0 ? m->version : CS_SPAN_LIT("\0"));
	write_subject(m, &info);
	if (m->spki.n > 0)
		cs_der_write_raw(&info, m->spki);
	else
		assert_true(cs_key_spki(m->key, &info, NULL));
	write_attributes(m, &info);
	cs_der_write_end(&info, seq);
	assert_true(cs_key_sign(m->key, m->alg, cs_buf_span(&info), &signature,
				NULL));
	if (m->break_signature)
		info.p[info.n / 2] ^= 1;

	cs_buf_reset(out);
	seq = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_der_write_raw(out, cs_buf_span(&info));
	cs_der_write_raw(out,
			 m->sig_alg.n > 0 ? m->sig_alg : cs_sigalg_der(m->alg));
	cs_der_write_bit_string_octets(out, cs_buf_span(&signature));
	cs_der_write_end(out, seq);
	assert_true(cs_buf_ok(out));
}
