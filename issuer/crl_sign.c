#include "issuer/crl_sign.h"

#include "base/der.h"
#include "base/failpoint.h"
#include "base/limits.h"
#include "base/mem.h"

void cs_crl_signer_done(struct cs_crl_signer *s)
{
	cs_mem_free(s->last);
	s->last = NULL;
}

/* Each number once, and only upwards. */
static bool take_number(struct cs_crl_signer *s, const struct cs_crl *crl,
			struct cs_error *err)
{
	uint32_t shards = cs_crl_shards(s->ca);

	if (crl->shard >= shards)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "CRL: the issuer has no shard %u",
				    (unsigned)crl->shard);
	if (s->last == NULL)
		s->last = cs_mem_new_array(shards, sizeof(*s->last));
	if (s->last == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "CRL numbers");
	if (crl->number <= s->last[crl->shard])
		return cs_error_set(err, CS_E_EXISTS,
				    "RFC 5280 5.2.3: number %llu of shard %u "
				    "is not above %llu",
				    (unsigned long long)crl->number,
				    (unsigned)crl->shard,
				    (unsigned long long)s->last[crl->shard]);
	s->last[crl->shard] = crl->number;
	return true;
}

/* The times, by our own clock. */
static bool check_times(const struct cs_issuer_ca *ca, const struct cs_crl *crl,
			int64_t now_s, struct cs_error *err)
{
	const int64_t longest = INT64_C(86400) * CS_MAX_CRL_DAYS;

	if (now_s < ca->not_before_s || now_s > ca->not_after_s)
		return cs_error_set(err, CS_E_CEILING,
				    "RFC 5280 6.1.3: the CA is not valid now");
	if (crl->this_update_s < now_s - CS_CRL_TOLERANCE_S ||
	    crl->this_update_s > now_s + CS_CRL_TOLERANCE_S)
		return cs_error_set(err, CS_E_CEILING,
				    "RFC 5280 5.1.2.4: thisUpdate is not now");
	if (crl->next_update_s <= crl->this_update_s ||
	    crl->next_update_s > crl->this_update_s + longest)
		return cs_error_set(err, CS_E_CEILING,
				    "RFC 5280 5.1.2.5: nextUpdate is not "
				    "within %d days",
				    CS_MAX_CRL_DAYS);
	return true;
}

bool cs_crl_signer_sign(struct cs_crl_signer *s, const struct cs_crl *crl,
			int64_t now_s, struct cs_buf *out, size_t *ret_n,
			struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf tbs = {0}, signature = {0};
	size_t n = 0;

	cs_buf_init(&tbs, CS_MAX_CRL);
	cs_buf_init(&signature, CS_MAX_SIGNATURE);
	if (!take_number(s, crl, err))
		return false;
	if (!s->ca->signs_crls)
		return cs_error_set(err, CS_E_KEY,
				    "RFC 5280 4.2.1.3: the CA's key usage "
				    "does not have cRLSign");
	if (!check_times(s->ca, crl, now_s, err) ||
	    !cs_crl_tbs_write(s->ca, crl, &tbs, &n, err))
		return false;
	if (cs_failpoint("signer.before_crl"))
		return cs_error_set(err, CS_E_CRYPTO, "signer.before_crl");
	if (!cs_key_sign(s->key, s->ca->alg, cs_buf_span(&tbs), &signature,
			 err) ||
	    !cs_verifier_check(s->verifier, cs_buf_span(&tbs),
			       cs_buf_span(&signature), err))
		return false;
	cs_der_write_signed(out, cs_buf_span(&tbs), s->ca->sig_alg,
			    cs_buf_span(&signature));
	if (!cs_buf_finish(out, "CRL", err))
		return false;
	*ret_n = n;
	return true;
}
