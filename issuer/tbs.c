#include "issuer/tbs.h"

#include <string.h>

#include "base/der.h"
#include "base/random.h"
#include "issuer/oids.h"
#include "issuer/subject.h"
#include "issuer/tbs_parts.h"

bool cs_tbs_serial(int64_t now_s, uint8_t ret_serial[CS_SERIAL_SIZE],
		   struct cs_error *err)
{
	uint8_t random[CS_SERIAL_RANDOM];

	if (!cs_random_public(random, sizeof(random), err))
		return false;
	ret_serial[0] = CS_SERIAL_FIRST;
	for (int i = 0; i < CS_SERIAL_TIME; i++)
		ret_serial[1 + i] = (uint8_t)((uint64_t)now_s >>
					      (8 * (CS_SERIAL_TIME - 1 - i)));
	memcpy(ret_serial + 1 + CS_SERIAL_TIME, random, sizeof(random));
	return true;
}

/* RFC 7093 2, method 1. */
bool cs_tbs_key_id(struct cs_hash *hash, const struct cs_fact_key *key,
		   uint8_t ret_id[20], struct cs_error *err)
{
	uint8_t digest[CS_SHA256_SIZE];

	if (!cs_hash_sha256(hash, key->key, digest, err))
		return false;
	memcpy(ret_id, digest, 20);
	return true;
}

/* May the value be written in the string type of its attribute? */
static bool fits_tag(uint8_t tag, struct cs_span value)
{
	if (tag == CS_DER_PRINTABLE_STRING)
		return cs_subject_is_printable_string(value);
	if (tag == CS_DER_IA5_STRING)
		return cs_subject_is_ia5(value);
	return true;
}

bool cs_tbs_name(const struct cs_plan_attr *attrs, size_t n, struct cs_buf *out,
		 struct cs_error *err)
{
	size_t name = cs_der_write_begin(out, CS_DER_SEQUENCE), rdn, attr;

	for (size_t i = 0; i < n; i++) {
		uint8_t tag = cs_subject_attr_tag(attrs[i].oid);
		const char *word = cs_subject_attr_name(attrs[i].oid);

		if (!fits_tag(tag, attrs[i].value))
			return cs_error_set(
				err, CS_E_ARGUMENT,
				"RFC 5280 A.1: a value of %s has characters "
				"that its string type does not have",
				word != NULL ? word : "an attribute");
		rdn = cs_der_write_begin(out, CS_DER_SET);
		attr = cs_der_write_begin(out, CS_DER_SEQUENCE);
		cs_der_write(out, CS_DER_OID, attrs[i].oid);
		cs_der_write(out, tag, attrs[i].value);
		cs_der_write_end(out, attr);
		cs_der_write_end(out, rdn);
	}
	cs_der_write_end(out, name);
	return true;
}

struct cs_tbs_ext_marks cs_tbs_ext_begin(struct cs_buf *out, struct cs_span oid,
					 enum cs_tbs_critical critical)
{
	struct cs_tbs_ext_marks m;

	m.outer = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_der_write(out, CS_DER_OID, oid);
	if (critical == CS_TBS_CRITICAL)
		cs_der_write_boolean_true(out);
	m.value = cs_der_write_begin(out, CS_DER_OCTET_STRING);
	return m;
}

void cs_tbs_ext_end(struct cs_buf *out, struct cs_tbs_ext_marks m)
{
	cs_der_write_end(out, m.value);
	cs_der_write_end(out, m.outer);
}

static enum cs_tbs_critical critical_if(bool critical)
{
	return critical ? CS_TBS_CRITICAL : CS_TBS_NOT_CRITICAL;
}

void cs_tbs_ext_ski(struct cs_buf *out, struct cs_span id)
{
	struct cs_tbs_ext_marks m = cs_tbs_ext_begin(
		out, CS_SPAN_LIT(CS_OID_SUBJECT_KEY_ID), CS_TBS_NOT_CRITICAL);

	cs_der_write(out, CS_DER_OCTET_STRING, id);
	cs_tbs_ext_end(out, m);
}

void cs_tbs_ext_aki(struct cs_buf *out, struct cs_span id)
{
	struct cs_tbs_ext_marks m = cs_tbs_ext_begin(
		out, CS_SPAN_LIT(CS_OID_AUTHORITY_KEY_ID), CS_TBS_NOT_CRITICAL);
	size_t seq = cs_der_write_begin(out, CS_DER_SEQUENCE);

	cs_der_write(out, CS_DER_CONTEXT(0), id);
	cs_der_write_end(out, seq);
	cs_tbs_ext_end(out, m);
}

void cs_tbs_ext_key_usage(struct cs_buf *out, unsigned bits,
			  enum cs_tbs_critical critical)
{
	struct cs_tbs_ext_marks m =
		cs_tbs_ext_begin(out, CS_SPAN_LIT(CS_OID_KEY_USAGE), critical);

	cs_der_write_named_bits(out, bits);
	cs_tbs_ext_end(out, m);
}

void cs_tbs_ext_constraints(struct cs_buf *out, const struct cs_plan *plan)
{
	struct cs_tbs_ext_marks m = cs_tbs_ext_begin(
		out, CS_SPAN_LIT(CS_OID_BASIC_CONSTRAINTS), CS_TBS_CRITICAL);
	size_t seq = cs_der_write_begin(out, CS_DER_SEQUENCE);

	if (plan->ca)
		cs_der_write_boolean_true(out);
	if (plan->ca && plan->has_path_len)
		cs_der_write_uint(out, plan->path_len);
	cs_der_write_end(out, seq);
	cs_tbs_ext_end(out, m);
}

static void write_ext_key_usage(const struct cs_plan *plan, struct cs_buf *out)
{
	struct cs_tbs_ext_marks m;
	size_t seq;

	if (plan->ext_key_usage_n == 0)
		return;
	m = cs_tbs_ext_begin(out, CS_SPAN_LIT(CS_OID_EXT_KEY_USAGE),
			     critical_if(plan->ext_key_usage_critical));
	seq = cs_der_write_begin(out, CS_DER_SEQUENCE);
	for (size_t i = 0; i < plan->ext_key_usage_n; i++)
		cs_der_write(out, CS_DER_OID, plan->ext_key_usage[i]);
	cs_der_write_end(out, seq);
	cs_tbs_ext_end(out, m);
}

/* One GeneralName (RFC 5280 4.2.1.6). */
static void write_general_name(const struct cs_plan_name *name,
			       struct cs_buf *out)
{
	static const uint8_t tags[CS_NAME_KINDS] = {
		[CS_NAME_DNS] = CS_DER_CONTEXT(2),
		[CS_NAME_IP] = CS_DER_CONTEXT(7),
		[CS_NAME_URI] = CS_DER_CONTEXT(6),
		[CS_NAME_EMAIL] = CS_DER_CONTEXT(1),
		[CS_NAME_OTHER] = CS_DER_CONTEXT_CONSTRUCTED(0),
		[CS_NAME_DIRECTORY] = CS_DER_CONTEXT_CONSTRUCTED(4),
		[CS_NAME_REGISTERED_ID] = CS_DER_CONTEXT(8),
	};
	size_t outer, value;

	if (name->kind != CS_NAME_OTHER) {
		cs_der_write(out, tags[name->kind], name->content);
		return;
	}
	outer = cs_der_write_begin(out, tags[name->kind]);
	cs_der_write(out, CS_DER_OID, name->oid);
	value = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));
	cs_der_write_raw(out, name->content);
	cs_der_write_end(out, value);
	cs_der_write_end(out, outer);
}

void cs_tbs_ext_names(struct cs_buf *out, const struct cs_plan *plan)
{
	struct cs_tbs_ext_marks m;
	size_t seq;

	if (plan->names_n == 0)
		return;
	/*= RFC 5280 4.2.1.6: critical when the subject is empty */
	m = cs_tbs_ext_begin(out, CS_SPAN_LIT(CS_OID_SUBJECT_ALT_NAME),
			     critical_if(plan->subject_n == 0));
	seq = cs_der_write_begin(out, CS_DER_SEQUENCE);
	for (size_t i = 0; i < plan->names_n; i++)
		write_general_name(&plan->names[i], out);
	cs_der_write_end(out, seq);
	cs_tbs_ext_end(out, m);
}

static void write_policies(const struct cs_plan *plan, struct cs_buf *out)
{
	struct cs_tbs_ext_marks m;
	size_t seq, one;

	if (plan->policies_n == 0)
		return;
	m = cs_tbs_ext_begin(out, CS_SPAN_LIT(CS_OID_POLICIES),
			     CS_TBS_NOT_CRITICAL);
	seq = cs_der_write_begin(out, CS_DER_SEQUENCE);
	for (size_t i = 0; i < plan->policies_n; i++) {
		one = cs_der_write_begin(out, CS_DER_SEQUENCE);
		cs_der_write(out, CS_DER_OID, plan->policies[i]);
		cs_der_write_end(out, one);
	}
	cs_der_write_end(out, seq);
	cs_tbs_ext_end(out, m);
}

/* One DistributionPoint that has a full name of one URI. */
static void write_crl_point(struct cs_span url, struct cs_buf *out)
{
	size_t point = cs_der_write_begin(out, CS_DER_SEQUENCE);
	size_t name = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));
	size_t full = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));

	cs_der_write(out, CS_DER_CONTEXT(6), url);
	cs_der_write_end(out, full);
	cs_der_write_end(out, name);
	cs_der_write_end(out, point);
}

/* The plan's points; where it has none, the issuer's shard. */
static bool write_crl_points(const struct cs_plan *plan,
			     const struct cs_issuer_ca *ca,
			     struct cs_span serial, struct cs_arena *arena,
			     struct cs_buf *out, struct cs_error *err)
{
	struct cs_tbs_ext_marks m;
	struct cs_span url = {0};
	size_t seq;

	if (plan->crl_urls_n == 0 && (ca->crl_url.n == 0 || plan->no_rev_avail))
		return true;
	if (plan->crl_urls_n == 0 &&
	    !cs_issuer_ca_crl_url(ca, serial, arena, &url, err))
		return false;
	m = cs_tbs_ext_begin(out, CS_SPAN_LIT(CS_OID_CRL_DP),
			     CS_TBS_NOT_CRITICAL);
	seq = cs_der_write_begin(out, CS_DER_SEQUENCE);
	if (plan->crl_urls_n == 0)
		write_crl_point(url, out);
	for (size_t i = 0; i < plan->crl_urls_n; i++)
		write_crl_point(plan->crl_urls[i], out);
	cs_der_write_end(out, seq);
	cs_tbs_ext_end(out, m);
	return true;
}

/* AccessDescriptions of one method. */
static void write_access(struct cs_span method, const struct cs_span *urls,
			 size_t n, struct cs_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		size_t one = cs_der_write_begin(out, CS_DER_SEQUENCE);

		cs_der_write(out, CS_DER_OID, method);
		cs_der_write(out, CS_DER_CONTEXT(6), urls[i]);
		cs_der_write_end(out, one);
	}
}

static void write_authority_info(const struct cs_plan *plan,
				 const struct cs_issuer_ca *ca,
				 struct cs_buf *out)
{
	size_t ocsp_n;
	const struct cs_span *ocsp = cs_issuer_ca_ocsp_urls(ca, plan, &ocsp_n);
	struct cs_tbs_ext_marks m;
	size_t seq;

	if (ocsp_n == 0 && plan->ca_issuers_urls_n == 0)
		return;
	m = cs_tbs_ext_begin(out, CS_SPAN_LIT(CS_OID_AUTHORITY_INFO),
			     CS_TBS_NOT_CRITICAL);
	seq = cs_der_write_begin(out, CS_DER_SEQUENCE);
	write_access(CS_SPAN_LIT(CS_OID_AD_OCSP), ocsp, ocsp_n, out);
	write_access(CS_SPAN_LIT(CS_OID_AD_CA_ISSUERS), plan->ca_issuers_urls,
		     plan->ca_issuers_urls_n, out);
	cs_der_write_end(out, seq);
	cs_tbs_ext_end(out, m);
}

/* Is this an extension that the writer makes itself? */
static bool is_reserved(struct cs_span oid)
{
	static const struct cs_span reserved[] = {
		CS_SPAN_INIT(CS_OID_SUBJECT_KEY_ID),
		CS_SPAN_INIT(CS_OID_AUTHORITY_KEY_ID),
		CS_SPAN_INIT(CS_OID_KEY_USAGE),
		CS_SPAN_INIT(CS_OID_BASIC_CONSTRAINTS),
		CS_SPAN_INIT(CS_OID_EXT_KEY_USAGE),
		CS_SPAN_INIT(CS_OID_SUBJECT_ALT_NAME),
		CS_SPAN_INIT(CS_OID_POLICIES),
		CS_SPAN_INIT(CS_OID_CRL_DP),
		CS_SPAN_INIT(CS_OID_AUTHORITY_INFO),
		CS_SPAN_INIT(CS_OID_NAME_CONSTRAINTS),
	};

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (cs_span_equal(reserved[i], oid))
			return true;
	}
	return false;
}

/* The plan's further extensions. */
static bool write_further(const struct cs_plan *plan, struct cs_buf *out,
			  struct cs_error *err)
{
	for (size_t i = 0; i < plan->extensions_n; i++) {
		const struct cs_plan_ext *ext = &plan->extensions[i];
		struct cs_tbs_ext_marks m;

		if (is_reserved(ext->oid))
			return cs_error_set(err, CS_E_ARGUMENT,
					    "RFC 5280 4.2: a plan's own "
					    "extension is one that the issuer "
					    "writes itself");
		m = cs_tbs_ext_begin(out, ext->oid, critical_if(ext->critical));
		cs_der_write_raw(out, ext->value);
		cs_tbs_ext_end(out, m);
	}
	return true;
}

/* [3] EXPLICIT Extensions. */
static bool write_extensions(const struct cs_plan *plan,
			     const struct cs_issuer_ca *ca,
			     struct cs_span serial, struct cs_span ski,
			     struct cs_arena *arena, struct cs_buf *out,
			     struct cs_error *err)
{
	size_t outer = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(3));
	size_t list = cs_der_write_begin(out, CS_DER_SEQUENCE);

	cs_tbs_ext_aki(out, ca->ski);
	cs_tbs_ext_ski(out, ski);
	if (plan->key_usage != 0)
		cs_tbs_ext_key_usage(out, plan->key_usage,
				     critical_if(plan->key_usage_critical));
	cs_tbs_ext_constraints(out, plan);
	write_ext_key_usage(plan, out);
	cs_tbs_ext_names(out, plan);
	write_policies(plan, out);
	if (!write_crl_points(plan, ca, serial, arena, out, err))
		return false;
	write_authority_info(plan, ca, out);
	if (!write_further(plan, out, err))
		return false;
	cs_der_write_end(out, list);
	cs_der_write_end(out, outer);
	return true;
}

void cs_tbs_request_begin(struct cs_buf *out, struct cs_tbs_request_marks *m)
{
	m->outer[0] = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_der_write_uint(out, 0);
}

void cs_tbs_request_extensions(struct cs_buf *out, struct cs_span spki,
			       struct cs_tbs_request_marks *m)
{
	cs_der_write_raw(out, spki);
	m->outer[1] = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));
	m->outer[2] = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_der_write(out, CS_DER_OID, CS_SPAN_LIT(CS_OID_EXTENSION_REQUEST));
	m->outer[3] = cs_der_write_begin(out, CS_DER_SET);
	m->outer[4] = cs_der_write_begin(out, CS_DER_SEQUENCE);
}

void cs_tbs_request_end(struct cs_buf *out,
			const struct cs_tbs_request_marks *m)
{
	for (size_t i = 5; i-- > 0;)
		cs_der_write_end(out, m->outer[i]);
}

void cs_tbs_version_and_serial(struct cs_buf *out, struct cs_span serial)
{
	size_t version = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));

	cs_der_write_uint(out, 2);
	cs_der_write_end(out, version);
	cs_der_write_uint_octets(out, serial);
}

bool cs_tbs_validity(struct cs_buf *out, int64_t not_before_s,
		     int64_t not_after_s, struct cs_error *err)
{
	/* 9999-12-31T23:59:59Z, the last time that has a form. */
	const int64_t last = INT64_C(253402300799);
	size_t validity;

	if (not_before_s < 0 || not_after_s > last ||
	    not_before_s > not_after_s)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "RFC 5280 4.1.2.5: the validity does not "
				    "end after its begin, between 1970 and "
				    "9999");
	validity = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_der_write_time(out, not_before_s);
	cs_der_write_time(out, not_after_s);
	cs_der_write_end(out, validity);
	return true;
}

bool cs_tbs_write(const struct cs_plan *plan, const struct cs_fact_key *key,
		  const struct cs_issuer_ca *ca, struct cs_span serial,
		  struct cs_hash *hash, struct cs_arena *arena,
		  struct cs_buf *out, struct cs_error *err)
{
	uint8_t ski[20];
	size_t tbs;

	if (!cs_tbs_key_id(hash, key, ski, err))
		return false;
	tbs = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_tbs_version_and_serial(out, serial);
	cs_der_write_raw(out, ca->sig_alg);
	cs_der_write_raw(out, ca->subject);
	if (!cs_tbs_validity(out, plan->not_before_s, plan->not_after_s, err) ||
	    !cs_tbs_name(plan->subject, plan->subject_n, out, err))
		return false;
	cs_der_write_raw(out, key->spki);
	if (!write_extensions(plan, ca, serial, cs_span_make(ski, sizeof(ski)),
			      arena, out, err))
		return false;
	cs_der_write_end(out, tbs);
	return cs_buf_finish(out, "TBS", err);
}
