#include "issuer/cert_facts.h"

#include "issuer/oids.h"
#include "issuer/x509.h"

/* A reader of one TBS: where findings go, and what is filled. */
struct reader {
	struct cs_x509 x;
	struct cs_tbs_facts *facts;
};

/*= RFC 5280 4.2.1.2: SubjectKeyIdentifier ::= OCTET STRING */
static bool read_ski(struct reader *t, struct cs_span value,
		     struct cs_error *why)
{
	struct cs_der r = cs_der_reader(value);

	return cs_der_element(&r, CS_DER_OCTET_STRING, "subjectKeyIdentifier",
			      &t->facts->ski, NULL, why) &&
	       cs_der_end(&r, "subjectKeyIdentifier", why);
}

/*= RFC 5280 4.2.1.1: only the form with a key identifier */
static bool read_aki(struct reader *t, struct cs_span value,
		     struct cs_error *why)
{
	struct cs_der r = cs_der_reader(value), inner;

	return cs_der_enter(&r, CS_DER_SEQUENCE, "authorityKeyIdentifier",
			    &inner, why) &&
	       cs_der_end(&r, "authorityKeyIdentifier", why) &&
	       cs_der_element(&inner, CS_DER_CONTEXT(0), "keyIdentifier",
			      &t->facts->aki, NULL, why) &&
	       cs_der_end(&inner, "authorityKeyIdentifier", why);
}

/* Append to a list that has room for CS_MAX_URLS; it is made when needed. */
static bool append(struct reader *t, struct cs_span **list, size_t *n,
		   struct cs_span value, struct cs_error *why)
{
	if (*list == NULL)
		*list = cs_arena_new_array(t->x.arena, CS_MAX_URLS,
					   sizeof(**list));
	if (*list == NULL)
		return cs_error_set(why, CS_E_NO_MEMORY, "no memory for a URL");
	if (*n == CS_MAX_URLS)
		return cs_error_set(why, CS_E_CERT,
				    "more than %d entries in one extension",
				    CS_MAX_URLS);
	(*list)[(*n)++] = value;
	return true;
}

/*= RFC 5280 4.2.1.13: points that have a full name of URIs, no more */
static bool read_crl_points(struct reader *t, struct cs_span value,
			    struct cs_error *why)
{
	static const char what[] = "cRLDistributionPoints";
	struct cs_der r = cs_der_reader(value), list, point, name, full;
	struct cs_span url;

	if (!cs_der_enter(&r, CS_DER_SEQUENCE, what, &list, why) ||
	    !cs_der_end(&r, what, why))
		return false;
	while (!cs_der_at_end(&list)) {
		if (!cs_der_enter(&list, CS_DER_SEQUENCE, what, &point, why) ||
		    !cs_der_enter(&point, CS_DER_CONTEXT_CONSTRUCTED(0), what,
				  &name, why) ||
		    !cs_der_end(&point, what, why) ||
		    !cs_der_enter(&name, CS_DER_CONTEXT_CONSTRUCTED(0), what,
				  &full, why) ||
		    !cs_der_end(&name, what, why))
			return false;
		while (!cs_der_at_end(&full)) {
			if (!cs_der_element(&full, CS_DER_CONTEXT(6), what,
					    &url, NULL, why) ||
			    !append(t, &t->facts->crl_urls,
				    &t->facts->crl_urls_n, url, why))
				return false;
		}
	}
	return true;
}

/*= RFC 5280 4.2.1.4: policy identifiers without qualifiers */
static bool read_policies(struct reader *t, struct cs_span value,
			  struct cs_error *why)
{
	static const char what[] = "certificatePolicies";
	struct cs_der r = cs_der_reader(value), list, policy;
	struct cs_span oid;

	if (!cs_der_enter(&r, CS_DER_SEQUENCE, what, &list, why) ||
	    !cs_der_end(&r, what, why))
		return false;
	while (!cs_der_at_end(&list)) {
		if (!cs_der_enter(&list, CS_DER_SEQUENCE, what, &policy, why) ||
		    !cs_der_oid(&policy, what, &oid, why) ||
		    !cs_der_end(&policy, what, why) ||
		    !append(t, &t->facts->policies, &t->facts->policies_n, oid,
			    why))
			return false;
	}
	return true;
}

/* One AccessDescription: OCSP or caIssuers, by URI. */
static bool read_access(struct reader *t, struct cs_der *list,
			struct cs_error *why)
{
	static const char what[] = "authorityInfoAccess";
	struct cs_tbs_facts *f = t->facts;
	struct cs_span oid, url;
	struct cs_der one;

	if (!cs_der_enter(list, CS_DER_SEQUENCE, what, &one, why) ||
	    !cs_der_oid(&one, what, &oid, why) ||
	    !cs_der_element(&one, CS_DER_CONTEXT(6), what, &url, NULL, why) ||
	    !cs_der_end(&one, what, why))
		return false;
	if (cs_span_equal(oid, CS_SPAN_LIT(CS_OID_AD_OCSP)))
		return append(t, &f->ocsp_urls, &f->ocsp_urls_n, url, why);
	if (cs_span_equal(oid, CS_SPAN_LIT(CS_OID_AD_CA_ISSUERS)))
		return append(t, &f->ca_issuers_urls, &f->ca_issuers_urls_n,
			      url, why);
	return cs_error_set(why, CS_E_CERT,
			    "RFC 5280 4.2.2.1: an access method that is "
			    "neither OCSP nor caIssuers");
}

/*= RFC 5280 4.2.2.1 */
static bool read_authority_info(struct reader *t, struct cs_span value,
				struct cs_error *why)
{
	static const char what[] = "authorityInfoAccess";
	struct cs_der r = cs_der_reader(value), list;

	if (!cs_der_enter(&r, CS_DER_SEQUENCE, what, &list, why) ||
	    !cs_der_end(&r, what, why))
		return false;
	while (!cs_der_at_end(&list)) {
		if (!read_access(t, &list, why))
			return false;
	}
	return true;
}

static const struct {
	struct cs_span oid;
	bool (*read)(struct reader *t, struct cs_span value,
		     struct cs_error *why);
} issuer_extensions[] = {
	{CS_SPAN_INIT(CS_OID_SUBJECT_KEY_ID), read_ski},
	{CS_SPAN_INIT(CS_OID_AUTHORITY_KEY_ID), read_aki},
	{CS_SPAN_INIT(CS_OID_CRL_DP), read_crl_points},
	{CS_SPAN_INIT(CS_OID_POLICIES), read_policies},
	{CS_SPAN_INIT(CS_OID_AUTHORITY_INFO), read_authority_info},
};

#define ISSUER_EXTENSIONS                                                      \
	(sizeof(issuer_extensions) / sizeof(issuer_extensions[0]))

/* Read one if it has a field of ours. *ret_taken: it had. */
static bool take_extension(struct reader *t, const struct cs_fact_ext *ext,
			   bool *ret_taken, struct cs_error *why)
{
	*ret_taken = false;
	for (size_t i = 0; i < ISSUER_EXTENSIONS; i++) {
		if (!cs_span_equal(issuer_extensions[i].oid, ext->oid))
			continue;
		*ret_taken = true;
		if (ext->critical)
			return cs_error_set(why, CS_E_CERT,
					    "RFC 5280 4.2: an extension that "
					    "must not be critical is");
		return issuer_extensions[i].read(t, ext->value, why);
	}
	return true;
}

/* Move what the issuer adds out of the list of further extensions. */
static bool sort_extensions(struct reader *t, struct cs_error *why)
{
	struct cs_cert_facts *cert = &t->facts->cert;
	size_t left = 0;
	bool taken;

	for (size_t i = 0; i < cert->extensions_n; i++) {
		if (!take_extension(t, &cert->extensions[i], &taken, why))
			return false;
		if (!taken)
			cert->extensions[left++] = cert->extensions[i];
	}
	cert->extensions_n = left;
	return true;
}

/* [3] EXPLICIT Extensions, and nothing behind them. */
static bool read_extensions(struct reader *t, struct cs_der *r,
			    struct cs_error *why)
{
	struct cs_x509_ext *items;
	struct cs_der outer, list;
	bool there;
	size_t n;

	if (!cs_der_enter_optional(r, CS_DER_CONTEXT_CONSTRUCTED(3),
				   "extensions", &outer, &there, why) ||
	    !cs_der_end(r, "TBSCertificate", why))
		return false;
	if (!there)
		return true;
	return cs_der_enter(&outer, CS_DER_SEQUENCE, "extensions", &list,
			    why) &&
	       cs_der_end(&outer, "extensions", why) &&
	       cs_extensions_list(&t->x, list, &items, &n, why) &&
	       cs_extensions_facts(&t->x, items, n, &t->facts->cert, why) &&
	       sort_extensions(t, why);
}

/*= RFC 5280 4.1.2.1: v3, written as [0] EXPLICIT 2 */
static bool read_version(struct cs_der *r, struct cs_error *why)
{
	struct cs_der version;
	uint64_t v;

	if (!cs_der_enter(r, CS_DER_CONTEXT_CONSTRUCTED(0), "version", &version,
			  why) ||
	    !cs_der_uint(&version, "version", &v, why) ||
	    !cs_der_end(&version, "version", why))
		return false;
	if (v != 2)
		return cs_error_set(why, CS_E_CERT,
				    "RFC 5280 4.1.2.1: the version must be 3");
	return true;
}

static bool read_validity(struct cs_der *r, struct cs_tbs_facts *f,
			  struct cs_error *why)
{
	struct cs_der validity;

	return cs_der_enter(r, CS_DER_SEQUENCE, "validity", &validity, why) &&
	       cs_der_time(&validity, "notBefore", &f->not_before_s, why) &&
	       cs_der_time(&validity, "notAfter", &f->not_after_s, why) &&
	       cs_der_end(&validity, "validity", why);
}

/*
 * The issuer's Name by its shape only: it is the CA's subject, which may hold
 * string types that a subject of ours may not. Callers compare its octets.
 */
static bool check_issuer(struct cs_span content, struct cs_error *why)
{
	struct cs_der name = cs_der_reader(content), rdn, attr;
	struct cs_span oid, value;
	uint8_t tag;

	while (!cs_der_at_end(&name)) {
		if (!cs_der_enter(&name, CS_DER_SET, "issuer", &rdn, why))
			return false;
		do {
			if (!cs_der_enter(&rdn, CS_DER_SEQUENCE, "issuer",
					  &attr, why) ||
			    !cs_der_oid(&attr, "issuer", &oid, why) ||
			    !cs_der_any(&attr, &tag, &value, NULL, why) ||
			    !cs_der_end(&attr, "issuer", why))
				return false;
		} while (!cs_der_at_end(&rdn));
	}
	return true;
}

/* The fields before the extensions, in order. */
static bool read_fields(struct reader *t, struct cs_der *r,
			struct cs_error *why)
{
	struct cs_tbs_facts *f = t->facts;
	struct cs_span content, spki;
	struct cs_der alg;

	if (!read_version(r, why) ||
	    !cs_der_integer(r, "serialNumber", &f->serial, why) ||
	    !cs_der_element(r, CS_DER_SEQUENCE, "signature", &content,
			    &f->sig_alg, why))
		return false;
	alg = cs_der_reader(f->sig_alg);
	return cs_sigalg_read(&alg, &f->alg, why) &&
	       cs_der_element(r, CS_DER_SEQUENCE, "issuer", &content,
			      &f->issuer, why) &&
	       check_issuer(content, why) && read_validity(r, f, why) &&
	       cs_der_element(r, CS_DER_SEQUENCE, "subject", &content,
			      &f->subject, why) &&
	       cs_subject_read(&t->x, cs_der_reader(content), &f->cert, why) &&
	       cs_der_element(r, CS_DER_SEQUENCE, "subjectPublicKeyInfo",
			      &content, &spki, why) &&
	       cs_spki_read(&t->x, spki, &f->cert.key, why);
}

/* The first finding as an error, if there is any. */
static bool raise_first(const struct cs_findings *findings,
			struct cs_error *err)
{
	if (findings->n == 0)
		return true;
	return cs_error_set(err, CS_E_CERT, "%.*s",
			    CS_SPAN_FMT(findings->items[0].message));
}

bool cs_tbs_facts_read(struct cs_hash *hash, struct cs_span tbs,
		       struct cs_arena *arena, struct cs_tbs_facts *ret_facts,
		       struct cs_error *err)
{
	struct cs_tbs_facts facts = {.tbs = tbs};
	struct cs_findings findings;
	struct reader t = {.x = {arena, &findings, hash}, .facts = &facts};
	struct cs_der outer = cs_der_reader(tbs), r;

	cs_findings_init(&findings, arena);
	if (tbs.n > CS_MAX_TBS)
		return cs_error_set(err, CS_E_CERT,
				    "a TBS of %zu octets, at most %d are "
				    "taken",
				    tbs.n, CS_MAX_TBS);
	if (!cs_der_enter(&outer, CS_DER_SEQUENCE, "TBSCertificate", &r, err) ||
	    !cs_der_end(&outer, "TBSCertificate", err) ||
	    !read_fields(&t, &r, err) || !read_extensions(&t, &r, err) ||
	    !raise_first(&findings, err))
		return false;
	*ret_facts = facts;
	return true;
}

bool cs_cert_facts_read(struct cs_hash *hash, struct cs_span certificate,
			struct cs_arena *arena, struct cs_tbs_facts *ret_facts,
			struct cs_error *err)
{
	struct cs_der outer = cs_der_reader(certificate), r;
	struct cs_span content, tbs, alg, signature;
	struct cs_tbs_facts facts;

	if (!cs_der_enter(&outer, CS_DER_SEQUENCE, "Certificate", &r, err) ||
	    !cs_der_end(&outer, "Certificate", err) ||
	    !cs_der_element(&r, CS_DER_SEQUENCE, "TBSCertificate", &content,
			    &tbs, err) ||
	    !cs_der_element(&r, CS_DER_SEQUENCE, "signatureAlgorithm", &content,
			    &alg, err) ||
	    !cs_der_bit_string_octets(&r, "signature", &signature, err) ||
	    !cs_der_end(&r, "Certificate", err) ||
	    !cs_tbs_facts_read(hash, tbs, arena, &facts, err))
		return false;
	if (!cs_span_equal(alg, facts.sig_alg))
		return cs_error_set(err, CS_E_CERT,
				    "RFC 5280 4.1.1.2: the two signature "
				    "algorithms differ");
	facts.signature = signature;
	*ret_facts = facts;
	return true;
}
