#include "issuer/ca.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/revoke.h"
#include "base/x509.h"
#include "issuer/oids.h"
#include "issuer/x509.h"
#include "policy/plan.h"

/* What one CA's values may take: a chain, twice as PEM. */
#define CA_ARENA ((size_t)(1024 * 1024))

/* A chain as it is read. */
struct chain {
	X509 *certs[CS_MAX_CHAIN]; /* owned */
	struct cs_span ders[CS_MAX_CHAIN];
	size_t n;
};

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory for a CA");
}

/* A sentence about one certificate of the chain; the first is number 1. */
static bool refuse(struct cs_error *err, size_t i, const char *why)
{
	ERR_clear_error();
	return cs_error_set(err, CS_E_CERT, "certificate %zu of the chain: %s",
			    i + 1, why);
}

static void chain_done(struct chain *chain)
{
	for (size_t i = 0; i < chain->n; i++)
		X509_free(chain->certs[i]);
	chain->n = 0;
}

/* Add one DER certificate, all of whose octets must be used. */
static bool chain_add(struct chain *chain, struct cs_span der,
		      struct cs_arena *arena, struct cs_error *err)
{
	struct cs_error why = {0};
	X509 *cert;

	if (chain->n == CS_MAX_CHAIN)
		return cs_error_set(err, CS_E_CERT,
				    "a chain of more than %d certificates",
				    CS_MAX_CHAIN);
	if (!cs_arena_dup(arena, der, &chain->ders[chain->n]))
		return no_memory(err);
	cert = cs_x509_decode(der, &why);
	if (cert == NULL)
		return refuse(err, chain->n, why.text);
	chain->certs[chain->n++] = cert;
	return true;
}

static bool chain_read(struct chain *chain, struct cs_span pem,
		       struct cs_arena *arena, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	bool found;

	cs_buf_init(&der, CS_MAX_PEM_FILE);
	for (;;) {
		if (!cs_codec_pem_next("CERTIFICATE", &pem, &der, &found, err))
			return false;
		if (!found)
			break;
		if (!chain_add(chain, cs_buf_span(&der), arena, err))
			return false;
	}
	if (chain->n == 0)
		return cs_error_set(err, CS_E_CERT,
				    "the chain file has no certificate");
	return true;
}

/* Is this one a CA as RFC 5280 has them, with nothing that we ignore? */
static bool check_one(const struct chain *chain, size_t i, struct cs_error *err)
{
	X509 *cert = chain->certs[i];
	uint32_t flags = X509_get_extension_flags(cert);
	long path_len;

	if (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL))
		return refuse(err, i,
			      "RFC 5280 4.2: an extension is malformed, or "
			      "critical and unknown");
	/*= RFC 5280 4.2.1.9 */
	if (!(flags & EXFLAG_BCONS) || !(flags & EXFLAG_CA))
		return refuse(err, i, "RFC 5280 4.2.1.9: it is not a CA's");
	/*= RFC 5280 4.2.1.3 */
	if (!(flags & EXFLAG_KUSAGE) ||
	    !(X509_get_key_usage(cert) & KU_KEY_CERT_SIGN))
		return refuse(err, i,
			      "RFC 5280 4.2.1.3: its key usage does not have "
			      "keyCertSign");
	path_len = X509_get_pathlen(cert);
	if (path_len >= 0 && (size_t)path_len < i)
		return refuse(err, i,
			      "RFC 5280 4.2.1.9: its path length does not "
			      "allow the CAs below it");
	return true;
}

/*
 * Is it signed by an algorithm of ours (issuer/sigalg.h)? Nobody looks at
 * what a root signed itself with.
 */
static bool check_algorithm(const struct chain *chain, size_t i,
			    struct cs_error *err)
{
	X509 *cert = chain->certs[i];
	const X509_ALGOR *alg = X509_get0_tbs_sigalg(cert);
	struct cs_error why = {0};
	enum cs_sig_alg known;
	unsigned char *der = NULL;
	struct cs_der r;
	bool ok;
	int n;

	if (i + 1 == chain->n)
		return true;
	n = i2d_X509_ALGOR(alg, &der);
	if (n <= 0)
		return no_memory(err);
	r = cs_der_reader(cs_span_make(der, (size_t)n));
	ok = cs_sigalg_read(&r, &known, &why);
	OPENSSL_free(der);
	return ok || refuse(err, i,
			    "RFC 5280 4.1.1.2: it is signed with an algorithm "
			    "that is not accepted here, as SHA-1");
}

/* Does certificate i come from certificate `by`? */
static bool check_link(const struct chain *chain, size_t i, size_t by,
		       struct cs_error *err)
{
	X509 *cert = chain->certs[i], *issuer = chain->certs[by];
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	if (X509_check_issued(issuer, cert) != X509_V_OK)
		return refuse(err, i,
			      by == i ? "the last one must be self-signed (the "
					"root)"
				      : "RFC 5280 6.1.3: the next one is not "
					"its issuer");
	if (key == NULL || X509_verify(cert, key) != 1)
		return refuse(err, i,
			      "RFC 5280 6.1.3: its signature does not verify");
	return true;
}

static bool check_chain(const struct chain *chain, struct cs_error *err)
{
	for (size_t i = 0; i < chain->n; i++) {
		size_t by = i + 1 < chain->n ? i + 1 : i;

		if (!check_one(chain, i, err) ||
		    !check_algorithm(chain, i, err) ||
		    !check_link(chain, i, by, err))
			return false;
	}
	return true;
}

/* The latest begin and the earliest end of the chain. */
static bool take_dates(struct cs_issuer_ca *ca, const struct chain *chain,
		       struct cs_error *err)
{
	int64_t from, to;

	for (size_t i = 0; i < chain->n; i++) {
		if (!cs_x509_seconds(X509_get0_notBefore(chain->certs[i]),
				     &from) ||
		    !cs_x509_seconds(X509_get0_notAfter(chain->certs[i]), &to))
			return refuse(err, i,
				      "RFC 5280 4.1.2.5: its dates cannot be "
				      "read");
		if (i == 0 || from > ca->not_before_s)
			ca->not_before_s = from;
		if (i == 0 || to < ca->not_after_s)
			ca->not_after_s = to;
	}
	return true;
}

/* The key, by the same strict reader as everybody's. */
static bool take_key(struct cs_issuer_ca *ca, X509 *cert, struct cs_error *err)
{
	unsigned char *spki = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
	struct cs_findings findings;
	struct cs_hash *hash;
	struct cs_span copy;
	bool ok;

	if (n <= 0)
		return refuse(err, 0, "its key cannot be read");
	ok = cs_arena_dup(&ca->arena, cs_span_make(spki, (size_t)n), &copy);
	OPENSSL_free(spki);
	if (!ok)
		return no_memory(err);
	hash = cs_hash_new(err);
	if (hash == NULL)
		return false;
	cs_findings_init(&findings, &ca->arena);
	ok = cs_spki_read(&(struct cs_x509){&ca->arena, &findings, hash}, copy,
			  &ca->key, err);
	cs_hash_free(hash);
	if (!ok)
		return false;
	if (findings.n > 0)
		return cs_error_set(err, CS_E_CERT, "the CA's key: %.*s",
				    CS_SPAN_FMT(findings.items[0].message));
	ca->alg = cs_sigalg_for_key(&ca->key);
	ca->sig_alg = cs_sigalg_der(ca->alg);
	return true;
}

/* Subject, serial and key identifier of the issuing CA. */
static bool take_identity(struct cs_issuer_ca *ca, X509 *cert,
			  struct cs_error *err)
{
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(cert);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	const unsigned char *name;
	unsigned char *der = NULL;
	size_t name_n;
	int n;
	bool ok;

	/*= RFC 5280 4.2.1.2 */
	if (ski == NULL || ASN1_STRING_length(ski) == 0)
		return refuse(err, 0,
			      "RFC 5280 4.2.1.2: it has no subject key "
			      "identifier");
	n = i2d_ASN1_INTEGER(serial, &der);
	if (n < 3 || X509_NAME_get0_der(X509_get_subject_name(cert), &name,
					&name_n) != 1) {
		OPENSSL_free(der);
		return refuse(err, 0, "its subject or serial cannot be read");
	}
	/* At most 20 octets of content: identifier and length take two. */
	ok = cs_arena_dup(&ca->arena, cs_span_make(der + 2, (size_t)n - 2),
			  &ca->serial) &&
	     cs_arena_dup(&ca->arena, cs_span_make(name, name_n),
			  &ca->subject) &&
	     cs_arena_dup(&ca->arena,
			  cs_span_make(ASN1_STRING_get0_data(ski),
				       (size_t)ASN1_STRING_length(ski)),
			  &ca->ski);
	OPENSSL_free(der);
	if (!ok)
		return no_memory(err);
	return true;
}

/* Are the names of the CAs below what certificate i leaves to them? */
static bool check_below(const struct chain *chain, size_t i,
			struct cs_error *err)
{
	NAME_CONSTRAINTS *nc = X509_get_ext_d2i(
		chain->certs[i], NID_name_constraints, NULL, NULL);
	size_t bad = i;

	for (size_t k = 0; nc != NULL && bad == i && k < i; k++) {
		X509 *cert = chain->certs[k];
		bool self = X509_get_extension_flags(cert) & EXFLAG_SI;

		/* RFC 5280 6.1.3 (b): not for self-issued ones between. */
		if (!self && NAME_CONSTRAINTS_check(cert, nc) != X509_V_OK)
			bad = k;
	}
	NAME_CONSTRAINTS_free(nc);
	if (bad == i)
		return true;
	return refuse(err, bad,
		      "RFC 5280 4.2.1.10: its names are outside of the name "
		      "constraints of a CA above it");
}

/*= RFC 5280 4.2.1.10 */
static bool take_constraints(struct cs_issuer_ca *ca, const struct chain *chain,
			     struct cs_error *err)
{
	ca->constraints = cs_arena_new_array(&ca->arena, chain->n,
					     sizeof(*ca->constraints));
	if (ca->constraints == NULL)
		return no_memory(err);
	for (size_t i = 0; i < chain->n; i++) {
		struct cs_constraints *set =
			&ca->constraints[ca->constraints_n];
		int at = X509_get_ext_by_NID(chain->certs[i],
					     NID_name_constraints, -1);
		const ASN1_OCTET_STRING *s;
		struct cs_span value;

		if (at < 0)
			continue;
		s = X509_EXTENSION_get_data(X509_get_ext(chain->certs[i], at));
		if (!cs_arena_dup(&ca->arena,
				  cs_span_make(ASN1_STRING_get0_data(s),
					       (size_t)ASN1_STRING_length(s)),
				  &value))
			return no_memory(err);
		if (!cs_constraints_read(value, &ca->arena, set, err))
			return cs_error_prefix(
				err, "certificate %zu of the chain", i + 1);
		set->number = (unsigned)i + 1;
		ca->constraints_n++;
		if (!check_below(chain, i, err))
			return false;
	}
	return true;
}

/*
 * How many CAs the chain lets stand below: each one's path length counts
 * those between it and us (RFC 5280 6.1.4; check_one() saw that it can).
 */
static void take_path_len(struct cs_issuer_ca *ca, const struct chain *chain)
{
	for (size_t i = 0; i < chain->n; i++) {
		long own = X509_get_pathlen(chain->certs[i]);
		unsigned left = own < 0 ? 0 : (unsigned)own - (unsigned)i;

		if (own < 0 || (ca->has_path_len && left >= ca->path_len))
			continue;
		ca->has_path_len = true;
		ca->path_len = left;
	}
}

/* The subject as RFC 4514 spells it, in UTF-8. */
static bool take_subject_text(struct cs_issuer_ca *ca, X509 *cert,
			      struct cs_error *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n = 0;
	bool ok;

	if (bio != NULL &&
	    X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0,
			       XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		n = BIO_get_mem_data(bio, &text);
	ok = n > 0 && cs_arena_dup(&ca->arena, cs_span_make(text, (size_t)n),
				   &ca->subject_text);
	BIO_free(bio);
	return ok || refuse(err, 0, "its subject cannot be written");
}

/* Keep of the CA's purposes those that `more` has too. */
static bool narrow(struct cs_issuer_ca *ca, const EXTENDED_KEY_USAGE *more,
		   bool *had, struct cs_error *err)
{
	const struct cs_span any = CS_SPAN_LIT(CS_OID_ANY_EKU);
	int n = sk_ASN1_OBJECT_num(more);
	struct cs_span *oids;
	size_t left = 0;

	oids = cs_arena_new_array(&ca->arena, (size_t)n, sizeof(*oids));
	if (oids == NULL)
		return no_memory(err);
	for (int i = 0; i < n; i++) {
		const ASN1_OBJECT *o = sk_ASN1_OBJECT_value(more, i);
		struct cs_span oid =
			cs_span_make(OBJ_get0_data(o), OBJ_length(o));
		bool keep = !*had;

		if (cs_span_equal(oid, any))
			return true;
		for (size_t k = 0; !keep && k < ca->ext_key_usage_n; k++)
			keep = cs_span_equal(oid, ca->ext_key_usage[k]);
		if (keep && !cs_arena_dup(&ca->arena, oid, &oids[left++]))
			return no_memory(err);
	}
	*had = true;
	ca->ext_key_usage = oids;
	ca->ext_key_usage_n = left;
	return true;
}

/*
 * The purposes that the chain leaves us. Verifiers apply a CA's extKeyUsage
 * to everything below it, the root's too.
 */
static bool take_purposes(struct cs_issuer_ca *ca, const struct chain *chain,
			  struct cs_error *err)
{
	bool ok = true, had = false;

	for (size_t i = 0; ok && i < chain->n; i++) {
		EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(
			chain->certs[i], NID_ext_key_usage, NULL, NULL);

		if (eku != NULL)
			ok = narrow(ca, eku, &had, err);
		EXTENDED_KEY_USAGE_free(eku);
	}
	if (ok && had && ca->ext_key_usage_n == 0)
		return cs_error_set(err, CS_E_CERT,
				    "RFC 5280 4.2.1.12: the extended key "
				    "usages of the chain leave no purpose");
	return ok;
}

/* Certificates from..to-1 as PEM. */
static bool write_pem(struct cs_issuer_ca *ca, const struct chain *chain,
		      size_t from, size_t to, struct cs_span *ret_pem,
		      struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf pem;

	cs_buf_init(&pem, CS_MAX_PEM_FILE);
	for (size_t i = from; i < to; i++)
		cs_codec_pem("CERTIFICATE", chain->ders[i], &pem);
	if (!cs_buf_finish(&pem, "chain", err))
		return false;
	if (!cs_arena_dup(&ca->arena, cs_buf_span(&pem), ret_pem))
		return no_memory(err);
	return true;
}

static bool take_chain(struct cs_issuer_ca *ca, const struct chain *chain,
		       struct cs_error *err)
{
	size_t n = chain->n;

	ca->signs_crls =
		(X509_get_key_usage(chain->certs[0]) & KU_CRL_SIGN) != 0;

	ca->certificate = chain->ders[0];
	take_path_len(ca, chain);
	return take_dates(ca, chain, err) &&
	       take_identity(ca, chain->certs[0], err) &&
	       take_subject_text(ca, chain->certs[0], err) &&
	       take_key(ca, chain->certs[0], err) &&
	       take_purposes(ca, chain, err) &&
	       take_constraints(ca, chain, err) &&
	       write_pem(ca, chain, 0, n - 1, &ca->chain_pem, err) &&
	       write_pem(ca, chain, n - 1, n, &ca->root_pem, err) &&
	       write_pem(ca, chain, 0, n, &ca->full_pem, err);
}

/* A text that was made; false: there was no memory. */
static bool keep(char *text, struct cs_span *ret)
{
	if (text == NULL)
		return false;
	*ret = cs_span_str(text);
	return true;
}

/*
 * The label, and the URL that it makes. A URL without a path has its
 * authority last: the label comes behind that, never into it.
 */
static bool take_generation(struct cs_issuer_ca *ca,
			    const struct cs_issuer_ca_source *source)
{
	struct cs_span base = source->crl_url;
	size_t name = ca->name.n;

	ca->generation = source->generation == 0 ? 1 : source->generation;
	ca->label = ca->name;
	if (ca->generation > 1 &&
	    !keep(cs_arena_printf(&ca->arena, "%.*s@%u", CS_SPAN_FMT(ca->name),
				  ca->generation),
		  &ca->label))
		return false;
	if (ca->generation == 1 || source->crl_url_is_whole)
		return cs_arena_dup(&ca->arena, base, &ca->crl_url);
	if (base.n == 0)
		return true;
	if (base.p[base.n - 1] == '/')
		base.n--;
	if (base.n > name + 1 && base.p[base.n - name - 1] == '/' &&
	    base.p[base.n - name - 2] != '/' &&
	    cs_span_equal(cs_span_sub(base, base.n - name, base.n), ca->name))
		base.n -= name + 1;
	return keep(cs_arena_printf(&ca->arena, "%.*s/%.*s", CS_SPAN_FMT(base),
				    CS_SPAN_FMT(ca->label)),
		    &ca->crl_url);
}

/* What the configuration says beside the chain. */
static bool take_source(struct cs_issuer_ca *ca,
			const struct cs_issuer_ca_source *source,
			struct cs_error *err)
{
	unsigned shards = source->crl_shards == 0 ? 1 : source->crl_shards;

	if (source->name.n == 0 || source->name.n > CS_MAX_NAME)
		return cs_error_set(err, CS_E_CONFIG,
				    "an issuer's name has 1 to %d bytes",
				    CS_MAX_NAME);
	if (shards > CS_MAX_CRL_SHARDS)
		return cs_error_set(err, CS_E_CONFIG,
				    "crl_shards is at most %d",
				    CS_MAX_CRL_SHARDS);
	ca->crl_shards = shards;
	if (!cs_arena_dup(&ca->arena, source->name, &ca->name) ||
	    !cs_arena_dup(&ca->arena, source->ocsp_url, &ca->ocsp_url) ||
	    !take_generation(ca, source))
		return no_memory(err);
	if (ca->crl_url.n > CS_MAX_URI || ca->ocsp_url.n > CS_MAX_URI)
		return cs_error_set(
			err, CS_E_CONFIG, "%s is longer than %d bytes",
			ca->crl_url.n > CS_MAX_URI ? "crl_url" : "ocsp_url",
			CS_MAX_URI);
	return true;
}

void cs_issuer_ca_free(struct cs_issuer_ca *ca)
{
	if (ca == NULL)
		return;
	cs_arena_done(&ca->arena);
	cs_mem_free(ca);
}

struct cs_issuer_ca *cs_issuer_ca_new(const struct cs_issuer_ca_source *source,
				      struct cs_error *err)
{
	struct cs_issuer_ca *ca = cs_mem_new(sizeof(*ca));
	struct chain chain = {.n = 0};
	bool ok;

	if (ca == NULL) {
		no_memory(err);
		return NULL;
	}
	cs_arena_init(&ca->arena, CA_ARENA);
	ok = take_source(ca, source, err) &&
	     chain_read(&chain, source->chain_pem, &ca->arena, err) &&
	     check_chain(&chain, err) && take_chain(ca, &chain, err);
	chain_done(&chain);
	ERR_clear_error();
	if (!ok) {
		cs_issuer_ca_free(ca);
		return NULL;
	}
	return ca;
}

bool cs_issuer_ca_shard_url(const struct cs_issuer_ca *ca, uint32_t shard,
			    struct cs_arena *arena, struct cs_span *ret_url,
			    struct cs_error *err)
{
	struct cs_span base = ca->crl_url;
	char *text;

	if (base.n > 0 && base.p[base.n - 1] == '/')
		base.n--;
	text = cs_arena_printf(arena, "%.*s/%u.crl", CS_SPAN_FMT(base),
			       (unsigned)shard);
	if (text == NULL)
		return no_memory(err);
	*ret_url = cs_span_str(text);
	return true;
}

bool cs_issuer_ca_crl_url(const struct cs_issuer_ca *ca, struct cs_span serial,
			  struct cs_arena *arena, struct cs_span *ret_url,
			  struct cs_error *err)
{
	return cs_issuer_ca_shard_url(ca,
				      cs_revoke_shard(serial, ca->crl_shards),
				      arena, ret_url, err);
}

const struct cs_span *cs_issuer_ca_ocsp_urls(const struct cs_issuer_ca *ca,
					     const struct cs_plan *plan,
					     size_t *ret_n)
{
	if (plan->ocsp_urls_n > 0 || ca->ocsp_url.n == 0 ||
	    plan->no_rev_avail) {
		*ret_n = plan->ocsp_urls_n;
		return plan->ocsp_urls;
	}
	*ret_n = 1;
	return &ca->ocsp_url;
}
