#include "store/ocsp.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/x509.h"

/* One CA, as requests name it. */
struct issuer {
	const struct cs_ocsp_issuer *config;
	struct cs_ocsp_responder *responder; /* NULL: none yet */
	uint8_t spki_sha256[CS_SHA256_SIZE]; /* as the record names its key */
	uint8_t name_sha1[CS_SHA1_SIZE], key_sha1[CS_SHA1_SIZE];
	uint8_t name_sha256[CS_SHA256_SIZE], key_sha256[CS_SHA256_SIZE];
};

struct cs_ocsp {
	struct issuer issuers[CS_MAX_ISSUERS];
	size_t n;
	struct cs_clock clock;
};

void cs_ocsp_free(struct cs_ocsp *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->n; i++)
		cs_ocsp_responder_free(o->issuers[i].responder);
	cs_mem_free(o);
}

/*= RFC 6960 4.1.1: the hashes of the CA's name, and of its key's bits */
static bool hash_issuer(struct issuer *ret, struct cs_error *err)
{
	const struct cs_ocsp_issuer *c = ret->config;
	X509 *cert = cs_x509_decode(c->certificate, NULL);
	const X509_NAME *name =
		cert == NULL ? NULL : X509_get_subject_name(cert);
	bool ok;

	ok = cert != NULL &&
	     X509_NAME_digest(name, EVP_sha1(), ret->name_sha1, NULL) == 1 &&
	     X509_NAME_digest(name, EVP_sha256(), ret->name_sha256, NULL) ==
		     1 &&
	     X509_pubkey_digest(cert, EVP_sha1(), ret->key_sha1, NULL) == 1 &&
	     X509_pubkey_digest(cert, EVP_sha256(), ret->key_sha256, NULL) ==
		     1 &&
	     ASN1_item_digest(ASN1_ITEM_rptr(X509_PUBKEY), EVP_sha256(),
			      X509_get_X509_PUBKEY(cert), ret->spki_sha256,
			      NULL) == 1;
	X509_free(cert);
	ERR_clear_error();
	return ok || cs_error_set(err, CS_E_CRYPTO,
				  "issuer %s: OCSP: its CA's certificate "
				  "cannot be read",
				  c->name);
}

struct cs_ocsp *cs_ocsp_new(const struct cs_ocsp_issuer *issuers, size_t n,
			    const struct cs_clock *clock, struct cs_error *err)
{
	struct cs_ocsp *o = cs_mem_new(sizeof(*o));

	if (o == NULL || n > CS_MAX_ISSUERS) {
		cs_error_set(err, CS_E_NO_MEMORY, "OCSP: no memory");
		cs_mem_free(o);
		return NULL;
	}
	o->clock = *clock;
	for (size_t i = 0; i < n; i++) {
		o->issuers[o->n++].config = &issuers[i];
		if (!hash_issuer(&o->issuers[i], err)) {
			cs_ocsp_free(o);
			return NULL;
		}
	}
	return o;
}

bool cs_ocsp_take(struct cs_ocsp *o, struct cs_span issuer, int key_fd,
		  struct cs_span chain_pem, int64_t *ret_not_after_s,
		  struct cs_error *err)
{
	struct cs_ocsp_responder *fresh;
	struct cs_secret key = {0};
	struct issuer *is = NULL;

	for (size_t i = 0; i < o->n; i++)
		if (cs_span_equal_str(issuer, o->issuers[i].config->name))
			is = &o->issuers[i];
	if (is == NULL)
		return cs_error_set(err, CS_E_NOT_FOUND,
				    "issuer %.*s: OCSP is not switched on",
				    CS_SPAN_FMT(issuer));
	if (!cs_secret_read_file(key_fd, CS_MAX_PEM_FILE, &key, err))
		return false;
	fresh = cs_ocsp_responder_new(&key, chain_pem, is->config->certificate,
				      err);
	cs_secret_done(&key);
	if (fresh == NULL)
		return cs_error_prefix(err, "issuer %s", is->config->name);
	cs_ocsp_responder_free(is->responder);
	is->responder = fresh;
	*ret_not_after_s = cs_ocsp_responder_not_after(fresh);
	return true;
}

/* -- answers -------------------------------------------------------------- */

static bool is_named(const struct issuer *is, const struct cs_ocsp_asked *a)
{
	const bool sha1 = a->hash == CS_OCSP_SHA1;
	const size_t n = sha1 ? CS_SHA1_SIZE : CS_SHA256_SIZE;

	if (a->hash == CS_OCSP_OTHER_HASH)
		return false;
	return cs_span_equal(a->name_hash, cs_span_make(sha1 ? is->name_sha1
							     : is->name_sha256,
							n)) &&
	       cs_span_equal(
		       a->key_hash,
		       cs_span_make(sha1 ? is->key_sha1 : is->key_sha256, n));
}

/* The one issuer of all that is asked about; NULL: it is not ours alone. */
static struct issuer *find_issuer(struct cs_ocsp *o,
				  const struct cs_ocsp_request *r)
{
	struct issuer *is = NULL;

	for (size_t i = 0; is == NULL && i < o->n; i++)
		if (is_named(&o->issuers[i], &r->asked[0]))
			is = &o->issuers[i];
	for (size_t i = 1; is != NULL && i < r->asked_n; i++)
		if (!is_named(is, &r->asked[i]))
			is = NULL;
	return is;
}

/* Is this the CA, whatever its certificate was then? */
static bool is_it(const struct issuer *is, struct cs_span spki_sha256,
		  struct cs_span name_sha256)
{
	return cs_span_equal(spki_sha256,
			     cs_span_make(is->spki_sha256, CS_SHA256_SIZE)) &&
	       cs_span_equal(name_sha256,
			     cs_span_make(is->name_sha256, CS_SHA256_SIZE));
}

/* What the record says of one certificate. */
static bool look_up(const struct issuer *is, struct cs_db *db,
		    const struct cs_ocsp_asked *a, struct cs_ocsp_single *one,
		    struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, CS_SQL_OCSP_STATUS);
	bool row = false;

	*one = (struct cs_ocsp_single){
		.id = a->id, .status = CS_OCSP_UNKNOWN, .reason = -1};
	cs_stmt_blob(&s, a->serial);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	row = row && is_it(is, cs_stmt_col(&s, 2), cs_stmt_col(&s, 3));
	if (row && cs_stmt_is_null(&s, 0)) {
		one->status = CS_OCSP_GOOD;
	} else if (row) {
		one->status = CS_OCSP_REVOKED;
		one->revoked_s = cs_stmt_col_int(&s, 0) / 1000;
		one->reason = (int)cs_stmt_col_int(&s, 1);
		/*= RFC 5280 5.3.1: unspecified is not said */
		if (one->reason == 0)
			one->reason = -1;
	}
	cs_stmt_end(&s);
	return true;
}

static bool look_up_all(const struct issuer *is, struct cs_db *db,
			const struct cs_ocsp_request *r,
			struct cs_ocsp_single *singles,
			struct cs_ocsp_result *result, struct cs_error *err)
{
	for (size_t i = 0; i < r->asked_n; i++) {
		if (!look_up(is, db, &r->asked[i], &singles[i], err))
			return false;
		result->good += singles[i].status == CS_OCSP_GOOD;
		result->revoked += singles[i].status == CS_OCSP_REVOKED;
		result->unknown += singles[i].status == CS_OCSP_UNKNOWN;
	}
	return true;
}

/* Say why there is no answer. */
static bool refuse(enum cs_ocsp_status status, struct cs_buf *out,
		   struct cs_ocsp_result *ret_result)
{
	*ret_result = (struct cs_ocsp_result){.status = status};
	cs_ocsp_response_refuse(status, out);
	return true;
}

/* A signed answer by this issuer's responder. */
static bool answer(struct issuer *is, struct cs_db *db, int64_t now_s,
		   const struct cs_ocsp_request *r, struct cs_buf *out,
		   struct cs_ocsp_result *ret_result, struct cs_error *err)
{
	struct cs_ocsp_single singles[CS_MAX_OCSP_SINGLES];
	struct cs_ocsp_answer a = {.singles = singles,
				   .singles_n = r->asked_n,
				   .produced_s = now_s,
				   .this_update_s = now_s,
				   .nonce = r->nonce};
	struct cs_ocsp_result result = {.status = CS_OCSP_SUCCESSFUL};
	int64_t end = cs_ocsp_responder_not_after(is->responder);

	a.next_update_s = now_s + is->config->validity_s;
	/* Behind its signer's end nobody would take it. */
	if (a.next_update_s > end)
		a.next_update_s = end;
	if (!look_up_all(is, db, r, singles, &result, err) ||
	    !cs_ocsp_response_write(&a, is->responder, out, err))
		return false;
	result.produced_s = now_s;
	if (r->nonce.n == 0)
		result.next_update_s = a.next_update_s;
	*ret_result = result;
	return true;
}

bool cs_ocsp_answer(struct cs_ocsp *o, struct cs_db *db, struct cs_span request,
		    struct cs_buf *out, struct cs_ocsp_result *ret_result,
		    struct cs_error *err)
{
	int64_t now_s = cs_clock_wall_ms(&o->clock) / 1000;
	size_t start = out->n;
	struct cs_ocsp_request r;
	struct issuer *is;

	if (!cs_ocsp_request_read(request, &r, NULL))
		return refuse(CS_OCSP_MALFORMED, out, ret_result);
	is = find_issuer(o, &r);
	if (is == NULL)
		return refuse(CS_OCSP_UNAUTHORIZED, out, ret_result);
	if (is->responder == NULL ||
	    now_s < cs_ocsp_responder_not_before(is->responder) ||
	    now_s >= cs_ocsp_responder_not_after(is->responder))
		return refuse(CS_OCSP_TRY_LATER, out, ret_result);
	if (answer(is, db, now_s, &r, out, ret_result, err))
		return true;
	if (cs_buf_ok(out))
		cs_buf_truncate(out, start);
	else
		cs_buf_reset(out);
	(void)refuse(CS_OCSP_INTERNAL, out, ret_result);
	return false;
}
