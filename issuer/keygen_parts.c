#include "issuer/keygen_parts.h"

#include <string.h>

#include "base/der.h"
#include "base/mem.h"
#include "issuer/x509.h"

bool cs_keygen_work_init(struct cs_keygen_work *w, struct cs_error *err)
{
	cs_arena_init(&w->arena, CS_MAX_REQUEST_ARENA);
	w->hash = cs_hash_new(err);
	return w->hash != NULL;
}

void cs_keygen_work_done(struct cs_keygen_work *w)
{
	cs_hash_free(w->hash);
	cs_arena_done(&w->arena);
}

bool cs_keygen_facts(struct cs_keygen_work *w, const struct cs_key *key,
		     struct cs_fact_key *ret_facts, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf spki;
	struct cs_findings findings;
	struct cs_x509 x = {&w->arena, &findings, w->hash};
	struct cs_span copy;

	cs_buf_init(&spki, CS_MAX_CERT);
	if (!cs_key_spki(key, &spki, err))
		return false;
	if (!cs_arena_dup(&w->arena, cs_buf_span(&spki), &copy))
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	cs_findings_init(&findings, &w->arena);
	if (!cs_spki_read(&x, copy, ret_facts, err))
		return false;
	if (findings.n > 0)
		return cs_error_set(err, CS_E_KEY, "%.*s",
				    CS_SPAN_FMT(findings.items[0].message));
	return true;
}

bool cs_keygen_key(struct cs_keygen_work *w, enum cs_key_kind kind,
		   struct cs_key **ret_key, struct cs_fact_key *ret_facts,
		   struct cs_error *err)
{
	struct cs_key *key = cs_key_generate(kind, err);

	if (key == NULL)
		return false;
	*ret_key = key;
	return cs_keygen_facts(w, key, ret_facts, err);
}

bool cs_keygen_sign(struct cs_key *key, enum cs_sig_alg alg, struct cs_span tbs,
		    struct cs_buf *out, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf signature;

	cs_buf_init(&signature, CS_MAX_SIGNATURE);
	if (!cs_key_sign(key, alg, tbs, &signature, err))
		return false;
	cs_der_write_signed(out, tbs, cs_sigalg_der(alg),
			    cs_buf_span(&signature));
	return cs_buf_finish(out, "certificate", err);
}

bool cs_keygen_passphrase(int fd, struct cs_secret *ret, struct cs_error *err)
{
	if (fd < 0)
		return true;
	if (!cs_key_passphrase(fd, ret, err))
		return false;
	if (ret->n == 0)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "the passphrase is empty");
	return true;
}

bool cs_keygen_is_encrypted(const struct cs_secret *pem)
{
	static const char mark[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
	size_t n = sizeof(mark) - 1;

	for (size_t i = 0; i + n <= pem->n; i++)
		if (memcmp(pem->p + i, mark, n) == 0)
			return true;
	return false;
}

bool cs_keygen_same_protection(int fd, const struct cs_secret *passphrase,
			       struct cs_error *err)
{
	struct cs_secret pem = {0};
	struct cs_key *key = NULL;
	bool ok;

	if (fd < 0)
		return true;
	ok = cs_key_read_file(fd, &pem, err);
	if (ok && cs_keygen_is_encrypted(&pem)) {
		if (passphrase->n > 0)
			key = cs_key_from_pem(&pem, passphrase, err);
		else
			cs_error_set(err, CS_E_KEY,
				     "it is encrypted, so the new key has to "
				     "be, too: say its passphrase "
				     "(--passphrase-fd)");
		ok = key != NULL;
	}
	cs_key_free(key);
	cs_secret_done(&pem);
	return ok;
}
