#include "base/hash.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/mem.h"

struct cs_hash {
	EVP_MD *sha256;
	EVP_MD *sha1;
	EVP_MD_CTX *ctx;
};

void cs_hash_free(struct cs_hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->sha1);
	EVP_MD_free(h->sha256);
	cs_mem_free(h);
}

struct cs_hash *cs_hash_new(struct cs_error *err)
{
	struct cs_hash *h = cs_mem_new(sizeof(*h));

	if (h == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "hash: out of memory");
		return NULL;
	}
	h->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	h->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	h->ctx = EVP_MD_CTX_new();
	if (h->sha256 == NULL || h->sha1 == NULL || h->ctx == NULL) {
		cs_hash_free(h);
		ERR_clear_error();
		cs_error_set(err, CS_E_CRYPTO,
			     "SHA-256 and SHA-1 are not available");
		return NULL;
	}
	return h;
}

/* One digest with either algorithm; the context is used again. */
static bool digest(struct cs_hash *h, const EVP_MD *md,
		   const struct cs_span *parts, size_t n, uint8_t *out,
		   struct cs_error *err)
{
	bool ok = EVP_DigestInit_ex2(h->ctx, md, NULL) == 1;

	for (size_t i = 0; ok && i < n; i++) {
		if (parts[i].n > 0)
			ok = EVP_DigestUpdate(h->ctx, parts[i].p, parts[i].n) ==
			     1;
	}
	if (ok && EVP_DigestFinal_ex(h->ctx, out, NULL) == 1)
		return true;
	ERR_clear_error();
	return cs_error_set(err, CS_E_CRYPTO, "%s failed",
			    EVP_MD_get0_name(md));
}

bool cs_hash_sha256(struct cs_hash *h, struct cs_span data,
		    uint8_t ret_digest[CS_SHA256_SIZE], struct cs_error *err)
{
	return digest(h, h->sha256, &data, 1, ret_digest, err);
}

bool cs_hash_sha256_parts(struct cs_hash *h, const struct cs_span *parts,
			  size_t n, uint8_t ret_digest[CS_SHA256_SIZE],
			  struct cs_error *err)
{
	return digest(h, h->sha256, parts, n, ret_digest, err);
}

bool cs_hash_sha1(struct cs_hash *h, struct cs_span data,
		  uint8_t ret_digest[CS_SHA1_SIZE], struct cs_error *err)
{
	return digest(h, h->sha1, &data, 1, ret_digest, err);
}
