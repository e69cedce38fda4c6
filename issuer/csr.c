#include "issuer/csr.h"

#include "issuer/oids.h"
#include "issuer/x509.h"

/* The parts of a CertificationRequest (RFC 2986 4.2), not yet looked into. */
struct parts {
	struct cs_span info;	  /* CertificationRequestInfo, whole */
	struct cs_span alg;	  /* AlgorithmIdentifier, whole */
	struct cs_span signature; /* octets */
	struct cs_der inside;	  /* the content of info */
};

/* What is known about one request while it is read. */
struct csr {
	struct cs_x509 x;
	struct cs_crypto *crypto;
	struct cs_cert_facts *facts;
	struct parts parts;
	bool key_stands; /* the key was read without a finding */
};

static bool split(struct cs_span der, struct parts *parts, struct cs_error *why)
{
	struct cs_der outer = cs_der_reader(der), r;
	struct cs_span content;

	if (!cs_der_enter(&outer, CS_DER_SEQUENCE, "CertificationRequest", &r,
			  why) ||
	    !cs_der_end(&outer, "CertificationRequest", why) ||
	    !cs_der_element(&r, CS_DER_SEQUENCE, "CertificationRequestInfo",
			    &content, &parts->info, why))
		return false;
	parts->inside = cs_der_reader(content);
	return cs_der_element(&r, CS_DER_SEQUENCE, "signatureAlgorithm",
			      &content, &parts->alg, why) &&
	       cs_der_bit_string_octets(&r, "signature", &parts->signature,
					why) &&
	       cs_der_end(&r, "CertificationRequest", why);
}

/*= RFC 2986 4.1: version is 0 */
static bool read_version(struct csr *c, struct cs_der *r, bool *ret_end,
			 struct cs_error *err)
{
	struct cs_error why;
	struct cs_span v;

	if (!cs_der_integer(r, "version", &v, &why)) {
		*ret_end = true;
		return cs_x509_finding_error(&c->x, CS_CODE_CSR_MALFORMED, NULL,
					     &why, err);
	}
	if (v.n == 1 && v.p[0] == 0)
		return true;
	return cs_x509_finding(&c->x, CS_CODE_CSR_MALFORMED, NULL, v, err,
			       "RFC 2986 4.1: the version must be 0");
}

static bool read_subject_and_key(struct csr *c, struct cs_der *r, bool *ret_end,
				 struct cs_error *err)
{
	struct cs_span content, spki;
	struct cs_der name;
	struct cs_error why;
	size_t before;

	if (!cs_der_enter(r, CS_DER_SEQUENCE, "subject", &name, &why)) {
		*ret_end = true;
		return cs_x509_finding_error(&c->x, CS_CODE_CSR_MALFORMED,
					     "subject", &why, err);
	}
	if (!cs_subject_read(&c->x, name, c->facts, err))
		return false;
	if (!cs_der_element(r, CS_DER_SEQUENCE, "subjectPKInfo", &content,
			    &spki, &why)) {
		*ret_end = true;
		return cs_x509_finding_error(&c->x, CS_CODE_CSR_MALFORMED,
					     "key", &why, err);
	}
	before = c->x.findings->n;
	if (!cs_spki_read(&c->x, spki, &c->facts->key, err))
		return false;
	c->key_stands = c->x.findings->n == before;
	return true;
}

/* The one value of an extensionRequest (RFC 2985 5.4.2). */
static bool read_extension_request(struct csr *c, struct cs_der values,
				   struct cs_error *err)
{
	struct cs_x509_ext *items;
	struct cs_der list;
	struct cs_error why;
	size_t n;

	if (!cs_der_enter(&values, CS_DER_SEQUENCE, "extensionRequest", &list,
			  &why) ||
	    !cs_der_end(&values, "extensionRequest", &why))
		return cs_x509_finding_error(&c->x, CS_CODE_CSR_EXTENSION,
					     "extensions", &why, err);
	return cs_extensions_list(&c->x, list, &items, &n, err) &&
	       cs_extensions_facts(&c->x, items, n, c->facts, err);
}

/* An attribute that is refused for what it is. */
static bool refuse_attribute(struct csr *c, struct cs_span oid,
			     struct cs_error *err)
{
	struct cs_buf text;
	bool ok;

	if (cs_span_equal(oid, CS_SPAN_LIT(CS_OID_CHALLENGE_PASSWORD)))
		return cs_x509_finding(
			&c->x, CS_CODE_CSR_ATTRIBUTE, "attributes",
			(struct cs_span){0}, err,
			"RFC 2985 5.4.1: a challengePassword has no use here "
			"and would be stored: make the CSR without one");
	if (cs_span_equal(oid, CS_SPAN_LIT(CS_OID_MS_EXTENSION_REQUEST)))
		return cs_x509_finding(
			&c->x, CS_CODE_CSR_ATTRIBUTE, "attributes",
			(struct cs_span){0}, err,
			"RFC 2985 5.4.2: extensions are taken from "
			"extensionRequest only, not from Microsoft's "
			"1.3.6.1.4.1.311.2.1.14");
	cs_buf_init(&text, 512);
	if (oid.n <= CS_MAX_OID)
		cs_der_oid_text(oid, &text);
	ok = cs_x509_finding(&c->x, CS_CODE_CSR_ATTRIBUTE, "attributes",
			     cs_buf_span(&text), err,
			     "RFC 2986 4.1: the attribute %s is unknown; only "
			     "extensionRequest is taken",
			     text.n > 0 ? cs_buf_str(&text) : "(a long OID)");
	cs_buf_done(&text);
	return ok;
}

/* One Attribute. *seen counts extensionRequests. */
static bool read_attribute(struct csr *c, struct cs_der *r, unsigned *seen,
			   bool *ret_end, struct cs_error *err)
{
	struct cs_der attr, values;
	struct cs_error why;
	struct cs_span oid;

	if (!cs_der_enter(r, CS_DER_SEQUENCE, "Attribute", &attr, &why) ||
	    !cs_der_oid(&attr, "attribute type", &oid, &why) ||
	    !cs_der_enter(&attr, CS_DER_SET, "attribute values", &values,
			  &why) ||
	    !cs_der_end(&attr, "Attribute", &why)) {
		*ret_end = true;
		return cs_x509_finding_error(&c->x, CS_CODE_CSR_MALFORMED,
					     "attributes", &why, err);
	}
	if (!cs_span_equal(oid, CS_SPAN_LIT(CS_OID_EXTENSION_REQUEST)))
		return refuse_attribute(c, oid, err);
	if (++*seen > 1)
		return cs_x509_finding(&c->x, CS_CODE_CSR_DUPLICATE,
				       "attributes", (struct cs_span){0}, err,
				       "RFC 2985 5.4.2: extensionRequest is "
				       "there twice");
	return read_extension_request(c, values, err);
}

/*= RFC 2986 4.1: attributes [0], which may be empty but not absent */
static bool read_attributes(struct csr *c, struct cs_der *r,
			    struct cs_error *err)
{
	const struct cs_span none = {0};
	unsigned seen = 0, n = 0;
	struct cs_der list;
	struct cs_error why;
	bool there, end = false;

	if (!cs_der_enter_optional(r, CS_DER_CONTEXT_CONSTRUCTED(0),
				   "attributes", &list, &there, &why))
		return cs_x509_finding_error(&c->x, CS_CODE_CSR_MALFORMED,
					     "attributes", &why, err);
	if (there && !cs_der_end(r, "CertificationRequestInfo", &why))
		return cs_x509_finding_error(&c->x, CS_CODE_CSR_MALFORMED, NULL,
					     &why, err);
	if (!there)
		return cs_x509_finding(&c->x, CS_CODE_CSR_MALFORMED,
				       "attributes", none, err,
				       "RFC 2986 4.1: attributes [0] must be "
				       "there, if only empty");
	while (!end && !cs_der_at_end(&list)) {
		if (n++ == CS_MAX_CSR_ATTRIBUTES)
			return cs_x509_finding(&c->x, CS_CODE_CSR_MALFORMED,
					       "attributes", none, err,
					       "more than %d attributes",
					       CS_MAX_CSR_ATTRIBUTES);
		if (!read_attribute(c, &list, &seen, &end, err))
			return false;
	}
	return true;
}

/* The algorithm, and with a good key the signature itself. */
static bool check_signature(struct csr *c, struct cs_error *err)
{
	struct cs_der r = cs_der_reader(c->parts.alg);
	const struct cs_span none = {0};
	struct cs_error why;
	enum cs_sig_alg alg;

	if (!cs_sigalg_read(&r, &alg, &why))
		return cs_x509_finding_error(&c->x, CS_CODE_CSR_ALGORITHM,
					     "signature", &why, err);
	if (!c->key_stands)
		return true;
	if (cs_crypto_verify(c->crypto, &c->facts->key, alg, c->parts.info,
			     c->parts.signature, &why))
		return cs_crypto_weakness(c->crypto, &c->facts->key,
					  &c->facts->key.weak, err);
	if (why.code == CS_E_KEY)
		return cs_x509_finding(&c->x, CS_CODE_CSR_KEY, "key", none, err,
				       "%s", why.text);
	if (why.code == CS_E_ARGUMENT)
		return cs_x509_finding(&c->x, CS_CODE_CSR_ALGORITHM,
				       "signature", none, err, "%s", why.text);
	if (why.code == CS_E_VERIFY)
		return cs_x509_finding(&c->x, CS_CODE_CSR_SIGNATURE,
				       "signature", none, err,
				       "RFC 2986 3: the signature is not one "
				       "of the key in the request");
	if (err != NULL)
		*err = why;
	return false;
}

static bool read_info(struct csr *c, struct cs_error *err)
{
	struct cs_der *r = &c->parts.inside;
	bool end = false;

	if (!read_version(c, r, &end, err))
		return false;
	if (!end && !read_subject_and_key(c, r, &end, err))
		return false;
	return end || read_attributes(c, r, err);
}

bool cs_csr_read(struct cs_crypto *crypto, struct cs_span der,
		 struct cs_arena *arena, struct cs_cert_facts *ret_facts,
		 struct cs_findings *findings, struct cs_error *err)
{
	struct cs_cert_facts facts = {0};
	struct csr c = {.x = {arena, findings, cs_crypto_hash(crypto)},
			.crypto = crypto,
			.facts = &facts};
	struct cs_error why;
	bool ok;

	if (der.n > CS_MAX_CSR_DER)
		ok = cs_x509_finding(&c.x, CS_CODE_CSR_TOO_LARGE, NULL,
				     (struct cs_span){0}, err,
				     "the CSR has %zu octets, at most %d are "
				     "taken",
				     der.n, CS_MAX_CSR_DER);
	else if (!split(der, &c.parts, &why))
		ok = cs_x509_finding_error(&c.x, CS_CODE_CSR_MALFORMED, NULL,
					   &why, err);
	else
		ok = read_info(&c, err) && check_signature(&c, err);
	if (ok)
		*ret_facts = facts;
	return ok;
}
