#include "base/der.h"
#include "store/ocsp_der.h"

#define OID_SHA1   "\x2b\x0e\x03\x02\x1a"
#define OID_SHA256 "\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define OID_NONCE  "\x2b\x06\x01\x05\x05\x07\x30\x01\x02"

/*= RFC 9654 2.1: 1 to 128 octets, and the rest is refused */
#define MAX_NONCE 128

/* Octets of a digest by the hash that made it; 0: any. */
static size_t digest_size(enum cs_ocsp_hash hash)
{
	return hash == CS_OCSP_SHA1 ? 20 : hash == CS_OCSP_SHA256 ? 32 : 0;
}

/* AlgorithmIdentifier; no digest has parameters but NULL (RFC 4055 2.1). */
static bool read_hash(struct cs_der *r, enum cs_ocsp_hash *ret_hash,
		      struct cs_error *err)
{
	struct cs_der algorithm;
	struct cs_span oid, parameters;

	if (!cs_der_enter(r, CS_DER_SEQUENCE, "hashAlgorithm", &algorithm,
			  err) ||
	    !cs_der_oid(&algorithm, "hashAlgorithm", &oid, err))
		return false;
	*ret_hash = cs_span_equal(oid, CS_SPAN_LIT(OID_SHA1)) ? CS_OCSP_SHA1
		    : cs_span_equal(oid, CS_SPAN_LIT(OID_SHA256))
			    ? CS_OCSP_SHA256
			    : CS_OCSP_OTHER_HASH;
	if (cs_der_at_end(&algorithm))
		return true;
	if (!cs_der_element(&algorithm, CS_DER_NULL, "hashAlgorithm",
			    &parameters, NULL, err))
		return false;
	if (parameters.n != 0)
		return cs_error_set(err, CS_E_DER,
				    "X.690 8.8.2: a NULL with content");
	return cs_der_end(&algorithm, "hashAlgorithm", err);
}

/*= RFC 6960 4.1.1: CertID */
static bool read_id(struct cs_der *r, struct cs_ocsp_asked *one,
		    struct cs_error *err)
{
	struct cs_der id;
	size_t size;

	if (!cs_der_element(r, CS_DER_SEQUENCE, "reqCert", &id.rest, &one->id,
			    err))
		return false;
	if (!read_hash(&id, &one->hash, err) ||
	    !cs_der_element(&id, CS_DER_OCTET_STRING, "issuerNameHash",
			    &one->name_hash, NULL, err) ||
	    !cs_der_element(&id, CS_DER_OCTET_STRING, "issuerKeyHash",
			    &one->key_hash, NULL, err) ||
	    !cs_der_integer(&id, "serialNumber", &one->serial, err) ||
	    !cs_der_end(&id, "reqCert", err))
		return false;
	size = digest_size(one->hash);
	if (size != 0 && (one->name_hash.n != size || one->key_hash.n != size))
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 6960 4.1.1: the issuer's hashes do "
				    "not have the algorithm's length");
	if (one->id.n > CS_MAX_OCSP_CERT_ID)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 6960 4.1.1: a CertID of %zu octets",
				    one->id.n);
	return true;
}

/*= RFC 9654 2.1: Nonce ::= OCTET STRING(SIZE(1..128)) */
static bool read_nonce(struct cs_span value, struct cs_ocsp_request *request,
		       struct cs_error *err)
{
	struct cs_der r = cs_der_reader(value);
	struct cs_span nonce;

	if (request->nonce.n != 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 4.2: two nonces");
	if (!cs_der_element(&r, CS_DER_OCTET_STRING, "Nonce", &nonce, NULL,
			    err) ||
	    !cs_der_end(&r, "Nonce", err))
		return false;
	if (nonce.n == 0 || nonce.n > MAX_NONCE)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 9654 2.1: a nonce of %zu octets",
				    nonce.n);
	request->nonce = nonce;
	return true;
}

/* One Extension (RFC 5280 4.1). The nonce goes to `request`; NULL: nowhere. */
static bool read_extension(struct cs_der *r, struct cs_ocsp_request *request,
			   struct cs_error *err)
{
	struct cs_der extension;
	struct cs_span oid, value;
	bool critical = false;
	bool known;

	if (!cs_der_enter(r, CS_DER_SEQUENCE, "Extension", &extension, err) ||
	    !cs_der_oid(&extension, "extnID", &oid, err))
		return false;
	if (cs_der_next_is(&extension, CS_DER_BOOLEAN)) {
		if (!cs_der_boolean(&extension, "critical", &critical, err))
			return false;
		if (!critical)
			return cs_error_set(err, CS_E_DER,
					    "X.690 11.5: critical has its "
					    "default value");
	}
	if (!cs_der_element(&extension, CS_DER_OCTET_STRING, "extnValue",
			    &value, NULL, err) ||
	    !cs_der_end(&extension, "Extension", err))
		return false;
	known = request != NULL && cs_span_equal(oid, CS_SPAN_LIT(OID_NONCE));
	if (known)
		return read_nonce(value, request, err);
	/*= RFC 6960 4.4 */
	if (critical)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 6960 4.4: a critical extension that "
				    "is not known here");
	return true;
}

/* [tag] EXPLICIT Extensions OPTIONAL. */
static bool read_extensions(struct cs_der *r, uint8_t tag,
			    struct cs_ocsp_request *request,
			    struct cs_error *err)
{
	struct cs_der explicit, list;
	bool there;

	if (!cs_der_enter_optional(r, tag, "Extensions", &explicit, &there,
				   err))
		return false;
	if (!there)
		return true;
	if (!cs_der_enter(&explicit, CS_DER_SEQUENCE, "Extensions", &list,
			  err) ||
	    !cs_der_end(&explicit, "Extensions", err))
		return false;
	do {
		if (!read_extension(&list, request, err))
			return false;
	} while (!cs_der_at_end(&list));
	return true;
}

/*= RFC 6960 4.1.1: requestList */
static bool read_list(struct cs_der *r, struct cs_ocsp_request *request,
		      struct cs_error *err)
{
	struct cs_der list, one;

	if (!cs_der_enter(r, CS_DER_SEQUENCE, "requestList", &list, err))
		return false;
	do {
		if (request->asked_n == CS_MAX_OCSP_SINGLES)
			return cs_error_set(err, CS_E_TOO_LARGE,
					    "more than %d certificates are "
					    "asked about",
					    CS_MAX_OCSP_SINGLES);
		if (!cs_der_enter(&list, CS_DER_SEQUENCE, "Request", &one,
				  err) ||
		    !read_id(&one, &request->asked[request->asked_n], err) ||
		    !read_extensions(&one, CS_DER_CONTEXT_CONSTRUCTED(0), NULL,
				     err) ||
		    !cs_der_end(&one, "Request", err))
			return false;
		request->asked_n++;
	} while (!cs_der_at_end(&list));
	return true;
}

/* TBSRequest: who asks may be said, and is not looked at. */
static bool read_tbs(struct cs_der *r, struct cs_ocsp_request *request,
		     struct cs_error *err)
{
	struct cs_der tbs, name;
	bool there;

	if (!cs_der_enter(r, CS_DER_SEQUENCE, "tbsRequest", &tbs, err))
		return false;
	/*= RFC 6960 4.1.1: version DEFAULT v1, and no other is known */
	if (cs_der_next_is(&tbs, CS_DER_CONTEXT_CONSTRUCTED(0)))
		return cs_error_set(err, CS_E_DER,
				    "X.690 11.5: a version other than v1, or "
				    "v1 written out");
	if (!cs_der_enter_optional(&tbs, CS_DER_CONTEXT_CONSTRUCTED(1),
				   "requestorName", &name, &there, err) ||
	    !read_list(&tbs, request, err) ||
	    !read_extensions(&tbs, CS_DER_CONTEXT_CONSTRUCTED(2), request, err))
		return false;
	return cs_der_end(&tbs, "tbsRequest", err);
}

/*
 * [0] EXPLICIT Signature OPTIONAL: its form, as far as that is ours to judge.
 * RFC 6960 4.1.2 leaves it to us whether to verify it; nobody is known here.
 */
static bool read_signature(struct cs_der *r, struct cs_error *err)
{
	static const char what[] = "optionalSignature";
	struct cs_der explicit, signature, algorithm, certs;
	struct cs_span bits;
	bool there;

	if (!cs_der_enter_optional(r, CS_DER_CONTEXT_CONSTRUCTED(0), what,
				   &explicit, &there, err))
		return false;
	if (!there)
		return true;
	return cs_der_enter(&explicit, CS_DER_SEQUENCE, what, &signature,
			    err) &&
	       cs_der_end(&explicit, what, err) &&
	       cs_der_enter(&signature, CS_DER_SEQUENCE, what, &algorithm,
			    err) &&
	       cs_der_element(&signature, CS_DER_BIT_STRING, what, &bits, NULL,
			      err) &&
	       cs_der_enter_optional(&signature, CS_DER_CONTEXT_CONSTRUCTED(0),
				     what, &certs, &there, err) &&
	       cs_der_end(&signature, what, err);
}

bool cs_ocsp_request_read(struct cs_span der,
			  struct cs_ocsp_request *ret_request,
			  struct cs_error *err)
{
	struct cs_ocsp_request request = {.asked_n = 0};
	struct cs_der all = cs_der_reader(der);
	struct cs_der outer;

	if (der.n > CS_MAX_OCSP_REQUEST)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "an OCSP request of %zu octets", der.n);
	if (!cs_der_check(der, "OCSPRequest", err) ||
	    !cs_der_enter(&all, CS_DER_SEQUENCE, "OCSPRequest", &outer, err) ||
	    !read_tbs(&outer, &request, err) || !read_signature(&outer, err) ||
	    !cs_der_end(&outer, "OCSPRequest", err))
		return false;
	*ret_request = request;
	return true;
}
