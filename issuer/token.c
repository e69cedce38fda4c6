#include "issuer/token.h"

#include "config.h"

#include "issuer/crypto.h"
#include "issuer/token_uri.h"

#ifdef HAVE_LIBP11

#include <string.h>

#include <libp11.h>
#include <openssl/err.h>

#include "base/mem.h"
#include "issuer/key_parts.h"

/* A library in use, with all that it listed. */
struct token {
	PKCS11_CTX *p11;
	bool is_loaded;
	PKCS11_SLOT *slots;
	unsigned slots_n;
};

/* What failed, with the library's reason; the queue is emptied. */
static bool fail(struct cs_error *err, enum cs_error_code code,
		 const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	cs_error_set(err, code, "PKCS#11: %s: %s", what,
		     reason != NULL ? reason : "no reason given");
	ERR_clear_error();
	return false;
}

static void token_free(void *ctx)
{
	struct token *t = ctx;

	if (t->slots != NULL)
		PKCS11_release_all_slots(t->p11, t->slots, t->slots_n);
	if (t->is_loaded)
		PKCS11_CTX_unload(t->p11);
	if (t->p11 != NULL)
		PKCS11_CTX_free(t->p11);
	cs_mem_free(t);
	ERR_clear_error();
}

static bool load(struct token *t, const struct cs_token_uri *uri,
		 struct cs_error *err)
{
	t->p11 = PKCS11_CTX_new();
	if (t->p11 == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (PKCS11_CTX_load(t->p11, uri->module_path) != 0)
		return fail(err, CS_E_UNREACHABLE, uri->module_path);
	t->is_loaded = true;
	if (PKCS11_enumerate_slots(t->p11, &t->slots, &t->slots_n) != 0)
		return fail(err, CS_E_UNREACHABLE, "listing the tokens");
	return true;
}

/* Does the token say this of itself, where the URI asks for it? */
static bool fits(const char *asked, const char *is)
{
	return asked == NULL || (is != NULL && strcmp(asked, is) == 0);
}

/* The one token that the URI names. */
static bool find_slot(const struct token *t, const struct cs_token_uri *uri,
		      PKCS11_SLOT **ret, struct cs_error *err)
{
	PKCS11_SLOT *found = NULL;

	for (unsigned i = 0; i < t->slots_n; i++) {
		const PKCS11_TOKEN *k = t->slots[i].token;

		if (k == NULL || !k->initialized ||
		    !fits(uri->token, k->label) ||
		    !fits(uri->serial, k->serialnr) ||
		    !fits(uri->manufacturer, k->manufacturer) ||
		    !fits(uri->model, k->model))
			continue;
		if (found != NULL)
			return cs_error_set(err, CS_E_KEY,
					    "PKCS#11: more than one token fits "
					    "the URI: say its serial");
		found = &t->slots[i];
	}
	if (found == NULL)
		return cs_error_set(err, CS_E_UNREACHABLE,
				    "PKCS#11: no token that is there fits the "
				    "URI");
	*ret = found;
	return true;
}

/* PINs are C strings to the library. */
static bool log_in(PKCS11_SLOT *slot, const struct cs_secret *pin,
		   struct cs_error *err)
{
	struct cs_secret text = {0};
	bool ok;

	if (!slot->token->loginRequired)
		return true;
	if (slot->token->userPinLocked)
		return cs_error_set(err, CS_E_KEY,
				    "PKCS#11: the token has locked its PIN");
	if (pin == NULL || pin->n == 0)
		return cs_error_set(err, CS_E_KEY,
				    "PKCS#11: the token wants a PIN, and no "
				    "passphrase was given");
	if (memchr(pin->p, 0, pin->n) != NULL)
		return cs_error_set(err, CS_E_KEY,
				    "PKCS#11: the PIN has a NUL in it");
	if (!cs_secret_new(pin->n + 1, &text, err))
		return false;
	memcpy(text.p, pin->p, pin->n);
	ok = PKCS11_login(slot, 0, (const char *)text.p) == 0;
	cs_secret_done(&text);
	return ok || fail(err, CS_E_KEY, "the PIN");
}

/* The one private key that the URI names. */
static bool find_key(PKCS11_SLOT *slot, const struct cs_token_uri *uri,
		     PKCS11_KEY **ret, struct cs_error *err)
{
	PKCS11_KEY *keys = NULL, *found = NULL;
	unsigned n = 0;

	if (PKCS11_enumerate_keys(slot->token, &keys, &n) != 0)
		return fail(err, CS_E_UNREACHABLE, "listing the keys");
	for (unsigned i = 0; i < n; i++) {
		struct cs_span id = cs_span_make(keys[i].id, keys[i].id_len);

		if (!keys[i].isPrivate || !fits(uri->object, keys[i].label) ||
		    (uri->id.n > 0 && !cs_span_equal(uri->id, id)))
			continue;
		if (found != NULL)
			return cs_error_set(err, CS_E_KEY,
					    "PKCS#11: more than one private "
					    "key fits the URI: say its id");
		found = &keys[i];
	}
	if (found == NULL)
		return cs_error_set(err, CS_E_KEY,
				    "PKCS#11: no private EC or RSA key of the "
				    "token fits the URI");
	*ret = found;
	return true;
}

/* Everything up to OpenSSL's view of the key. */
static bool open_key(struct token *t, const struct cs_token_uri *uri,
		     const struct cs_secret *pin, EVP_PKEY **ret,
		     struct cs_error *err)
{
	PKCS11_SLOT *slot;
	PKCS11_KEY *key;

	if (!load(t, uri, err) || !find_slot(t, uri, &slot, err) ||
	    !log_in(slot, pin, err) || !find_key(slot, uri, &key, err))
		return false;
	*ret = PKCS11_get_private_key(key);
	return *ret != NULL || fail(err, CS_E_KEY, "using the key");
}

/* A key that does what it can, whoever's it is. */
static struct cs_key *make_key(const struct cs_token_uri *uri,
			       const struct cs_secret *pin,
			       struct cs_error *err)
{
	struct token *t = cs_mem_new(sizeof(*t));
	struct cs_key *key = NULL;
	EVP_PKEY *pkey = NULL;

	if (t == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for a token");
		return NULL;
	}
	if (open_key(t, uri, pin, &pkey, err))
		key = cs_key_wrap(pkey, token_free, t, err);
	if (key == NULL)
		token_free(t);
	ERR_clear_error();
	return key;
}

#else

/* Built without libp11. */
static struct cs_key *make_key(const struct cs_token_uri *uri,
			       const struct cs_secret *pin,
			       struct cs_error *err)
{
	(void)uri;
	(void)pin;
	cs_error_set(err, CS_E_KEY,
		     "this program was built without PKCS#11 (libp11)");
	return NULL;
}

#endif

/* Is the key the certificate's? It signs, and the certificate verifies. */
static bool try_key(struct cs_key *key, const struct cs_issuer_ca *ca,
		    struct cs_error *err)
{
	const struct cs_span text =
		CS_SPAN_LIT("countersign: does this key sign?");
	CS_CLEANUP(cs_buf_done) struct cs_buf signature;
	struct cs_crypto *crypto = cs_crypto_new(err);
	struct cs_error why = {0};
	bool ok;

	cs_buf_init(&signature, CS_MAX_SIGNATURE);
	ok = crypto != NULL &&
	     cs_key_sign(key, ca->alg, text, &signature, &why);
	if (crypto != NULL && !ok)
		cs_error_set(err, CS_E_KEY, "the token's key does not sign: %s",
			     why.text);
	if (ok && !cs_crypto_verify(crypto, &ca->key, ca->alg, text,
				    cs_buf_span(&signature), &why))
		ok = cs_error_set(err, CS_E_KEY,
				  "the token's key is not that of the CA's "
				  "certificate");
	cs_crypto_free(crypto);
	return ok;
}

struct cs_key *cs_token_key(struct cs_span text, const struct cs_secret *pin,
			    const struct cs_issuer_ca *ca, struct cs_error *err)
{
	struct cs_token_uri uri;
	struct cs_key *key = NULL;
	struct cs_arena arena;

	cs_arena_init(&arena, 4 * CS_MAX_TOKEN_URI);
	if (!cs_token_uri_parse(text, &arena, &uri, err)) {
		/* what was said stands in err */
	} else if (ca->alg == CS_SIG_ED25519) {
		cs_error_set(err, CS_E_KEY,
			     "an Ed25519 key in a token is not supported: EC "
			     "or RSA");
	} else {
		key = make_key(&uri, pin, err);
	}
	cs_arena_done(&arena);
	if (key != NULL && !try_key(key, ca, err)) {
		cs_key_free(key);
		return NULL;
	}
	return key;
}

struct cs_key *cs_token_key_read(int fd, const struct cs_secret *pin,
				 const struct cs_issuer_ca *ca,
				 struct cs_error *err)
{
	struct cs_secret text = {0};
	struct cs_key *key = NULL;

	if (cs_secret_read_file(fd, CS_MAX_TOKEN_URI, &text, err))
		key = cs_token_key(cs_span_make(text.p, text.n), pin, ca, err);
	cs_secret_done(&text);
	return key;
}
