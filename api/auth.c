#include "api/auth.h"

#include <arpa/inet.h>
#include <string.h>

#include <openssl/crypto.h>

#include "api/by_cert.h"
#include "base/codec.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/revoke.h"

/* Addresses whose failures are remembered, and how many share a place. */
#define SLOTS 4096
#define WAYS  8
/* Failures older than this are forgiven. */
#define FORGIVE_MS 600000
/* "cs_", id, "_", secret. */
#define ID_AT	   3
#define ID_N	   16
#define SECRET_AT  (ID_AT + ID_N + 1)
#define SECRET_N   64
#define TOKEN_TEXT (SECRET_AT + SECRET_N)

struct slot {
	uint64_t key; /* of address and token id; 0: free */
	uint32_t failures;
	int64_t last_ms;
	int64_t barred_ms; /* until then */
};

struct cs_auth {
	struct cs_hash *hash;
	const uid_t *admin_uids;
	size_t admin_uids_n;
	const struct cs_revoked *revoked; /* borrowed; or NULL */
	uint64_t seed; /* so that nobody can choose who collides */
	struct slot slots[SLOTS];
	/* The bucket of refusals, in milliseconds. */
	int64_t bucket_ms;
	int64_t bucket_at_ms;
	uint64_t suppressed;
};

void cs_auth_free(struct cs_auth *a)
{
	cs_mem_free(a);
}

struct cs_auth *cs_auth_new(struct cs_hash *hash, const uid_t *admin_uids,
			    size_t admin_uids_n, struct cs_error *err)
{
	struct cs_auth *a = cs_mem_new(sizeof(*a));
	uint8_t seed[8];

	if (a == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "out of memory");
		return NULL;
	}
	if (!cs_random_public(seed, sizeof(seed), err)) {
		cs_mem_free(a);
		return NULL;
	}
	memcpy(&a->seed, seed, sizeof(a->seed));
	a->hash = hash;
	a->admin_uids = admin_uids;
	a->admin_uids_n = admin_uids_n;
	a->bucket_ms = (int64_t)CS_AUTH_REFUSAL_BURST * CS_AUTH_REFUSAL_MS;
	return a;
}

void cs_auth_revoked(struct cs_auth *a, const struct cs_revoked *r)
{
	a->revoked = r;
}

/* FNV-1a, from a seed of our own. */
static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	const uint8_t *bytes = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ bytes[i]) * 0x100000001b3;
	return h;
}

/* The address without its port; of IPv6 the /64, which is one customer. */
static uint64_t mix_address(uint64_t h, const struct cs_http_peer *peer)
{
	const char *colon = strrchr(peer->address, ':');
	char text[sizeof(peer->address)];
	struct in6_addr v6;
	size_t n;

	if (peer->is_local)
		return mix(h, &peer->uid, sizeof(peer->uid));
	n = colon == NULL ? strlen(peer->address)
			  : (size_t)(colon - peer->address);
	if (n < 2 || peer->address[0] != '[')
		return mix(h, peer->address, n);
	memcpy(text, peer->address + 1, n - 2);
	text[n - 2] = '\0';
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return mix(h, peer->address, n);
	return mix(h, v6.s6_addr, 8);
}

/*
 * The slot of an address and a token id; where there is none yet, the one of
 * their place that has been quiet for longest.
 */
static struct slot *slot_of(struct cs_auth *a, const struct cs_http_peer *peer,
			    struct cs_span token_id, uint64_t *ret_key)
{
	uint64_t key = mix_address(a->seed, peer);
	struct slot *oldest, *slot;

	key = mix(key, token_id.p, token_id.n) | 1;
	*ret_key = key;
	slot = &a->slots[(key >> 1) % (SLOTS / WAYS) * WAYS];
	oldest = slot;
	for (size_t i = 0; i < WAYS; i++, slot++) {
		if (slot->key == key)
			return slot;
		if (slot->key == 0 || slot->last_ms < oldest->last_ms)
			oldest = slot;
	}
	return oldest;
}

/* One more failure: remember it and bar when there were too many. */
static void note_failure(struct slot *s, uint64_t key, int64_t boot_ms)
{
	int64_t bar = CS_AUTH_MAX_BAR_MS;

	if (s->key != key || boot_ms - s->last_ms > FORGIVE_MS)
		*s = (struct slot){.key = key};
	s->last_ms = boot_ms;
	if (s->failures < UINT32_MAX)
		s->failures++;
	if (s->failures <= CS_AUTH_FREE_FAILURES)
		return;
	if (s->failures - CS_AUTH_FREE_FAILURES < 7)
		bar = INT64_C(500) << (s->failures - CS_AUTH_FREE_FAILURES);
	s->barred_ms = boot_ms + bar;
}

/* "Bearer cs_..._..." (RFC 6750 2.1); false: no token of ours. */
static bool parse_bearer(struct cs_span header, struct cs_span *ret_text)
{
	static const struct cs_span scheme = {(const uint8_t *)"Bearer ", 7};
	struct cs_span text = cs_span_sub(header, scheme.n, SIZE_MAX);
	uint8_t bytes[SECRET_N / 2];
	bool ok;

	if (!cs_span_equal_icase(cs_span_sub(header, 0, scheme.n), scheme) ||
	    text.n != TOKEN_TEXT ||
	    !cs_span_starts_with(text, CS_SPAN_LIT("cs_")) ||
	    text.p[SECRET_AT - 1] != '_')
		return false;
	ok = cs_codec_hex_fixed(cs_span_sub(text, ID_AT, ID_N), bytes,
				ID_N / 2) &&
	     cs_codec_hex_fixed(cs_span_sub(text, SECRET_AT, SECRET_N), bytes,
				SECRET_N / 2);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	if (ok)
		*ret_text = text;
	return ok;
}

/*
 * Does the text prove this credential, now? What is compared are digests, so
 * that time could tell nothing about the secret even if it told something.
 */
static bool proves(struct cs_auth *a, const struct cs_credential *c,
		   struct cs_span text, int64_t wall_ms)
{
	uint8_t digest[CS_SHA256_SIZE];

	return cs_hash_sha256(a->hash, text, digest, NULL) &&
	       CRYPTO_memcmp(digest, c->digest, sizeof(digest)) == 0 &&
	       wall_ms < c->expires_ms;
}

/* By token. One sentence for every failure: nobody learns which it was. */
static bool by_token(struct cs_auth *a, const struct cs_clients *clients,
		     const struct cs_http_peer *peer, struct cs_span header,
		     int64_t wall_ms, int64_t boot_ms,
		     struct cs_principal *ret_principal,
		     struct cs_problem *ret_problem)
{
	const struct cs_credential *credential = NULL;
	const struct cs_client *client = NULL;
	struct cs_span text = {0};
	struct cs_span id = {0};
	struct slot *slot;
	uint64_t key;

	if (parse_bearer(header, &text))
		credential = cs_clients_token(
			clients, cs_span_sub(text, ID_AT, ID_N), &client);
	if (credential != NULL)
		id = cs_span_sub(text, ID_AT, ID_N);
	slot = slot_of(a, peer, id, &key);
	if (slot->key == key && boot_ms < slot->barred_ms) {
		cs_problem_set(ret_problem, CS_PROBLEM_SLOW_DOWN, "",
			       "Too many wrong tokens came from this address.");
		ret_problem->retry_s =
			(uint32_t)((slot->barred_ms - boot_ms + 999) / 1000);
		return false;
	}
	if (credential == NULL || !proves(a, credential, text, wall_ms)) {
		note_failure(slot, key, boot_ms);
		return cs_problem_set(ret_problem, CS_PROBLEM_UNAUTHENTICATED,
				      "",
				      "The token is not known, or its time is"
				      " over.");
	}
	*ret_principal = (struct cs_principal){
		.client = client,
		.credential = credential->id,
		.uid = peer->is_local ? (int64_t)peer->uid : -1,
		.is_local = peer->is_local,
	};
	return true;
}

/* Is the Unix peer one of the administrators? */
static bool is_admin_uid(const struct cs_auth *a, uint32_t uid)
{
	for (size_t i = 0; i < a->admin_uids_n; i++) {
		if (a->admin_uids[i] == uid)
			return true;
	}
	return false;
}

/* The row of the credential that stands for a Unix peer; 0: none. */
static uint64_t peer_credential(const struct cs_client *c)
{
	for (size_t i = 0; i < c->credentials_n; i++) {
		if (c->credentials[i].kind == CS_CREDENTIAL_PEER)
			return c->credentials[i].id;
	}
	return 0;
}

/* By the Unix socket's other end. */
static bool by_peer(const struct cs_auth *a, const struct cs_clients *clients,
		    const struct cs_http_peer *peer,
		    struct cs_principal *ret_principal,
		    struct cs_problem *ret_problem)
{
	const struct cs_client *local =
		cs_clients_by_id(clients, CS_CLIENT_LOCAL);

	if (local == NULL || !is_admin_uid(a, peer->uid))
		return cs_problem_set(ret_problem, CS_PROBLEM_UNAUTHENTICATED,
				      "",
				      "User %u is not an administrator of this"
				      " installation (admin_uids).",
				      (unsigned)peer->uid);
	*ret_principal = (struct cs_principal){
		.client = local,
		.credential = peer_credential(local),
		.uid = peer->uid,
		.is_local = true,
	};
	return true;
}

/* Is the certificate none that the ledger has revoked? */
static bool stands(const struct cs_auth *a, const struct cs_peer_cert *cert,
		   struct cs_serial_key *ret_key,
		   struct cs_problem *ret_problem)
{
	cs_serial_key_set(ret_key, cs_peer_cert_serial(cert));
	if (a->revoked == NULL ||
	    !cs_revoked_holds(a->revoked, ret_key->octets))
		return true;
	return cs_problem_set(ret_problem, CS_PROBLEM_BAD_CERTIFICATE, "",
			      "The client certificate is refused: %s.",
			      cs_revoked_is_beyond(a->revoked)
				      ? "too many are revoked to know whether"
					" it is; come by token"
				      : "it is revoked");
}

/*
 * By the certificate, and by the token beside it if there is one: whoever
 * shows two proofs means one client with both.
 */
static bool by_certificate(struct cs_auth *a, const struct cs_clients *clients,
			   const struct cs_http_peer *peer,
			   struct cs_span header, int64_t wall_ms,
			   int64_t boot_ms, struct cs_principal *ret_principal,
			   struct cs_problem *ret_problem)
{
	struct cs_principal token = {0};
	struct cs_serial_key key;
	struct cs_bound bound;

	if (!stands(a, peer->cert, &key, ret_problem) ||
	    !cs_by_cert(clients, peer->cert, wall_ms, &bound, ret_problem))
		return false;
	if (header.p != NULL && !by_token(a, clients, peer, header, wall_ms,
					  boot_ms, &token, ret_problem))
		return false;
	if (header.p != NULL && token.client != bound.client)
		return cs_problem_set(ret_problem, CS_PROBLEM_BAD_CERTIFICATE,
				      "",
				      "The client certificate is refused: the"
				      " token beside it is another client's.");
	*ret_principal = (struct cs_principal){
		.client = bound.client,
		.credential = bound.credential->id,
		.uid = -1,
		.certificate = cs_peer_cert_fingerprint(peer->cert),
		.serial_key = key,
	};
	return true;
}

bool cs_auth_identify(struct cs_auth *a, const struct cs_clients *clients,
		      const struct cs_http_peer *peer,
		      struct cs_span authorization, int64_t wall_ms,
		      int64_t boot_ms, struct cs_principal *ret_principal,
		      bool *ret_presented, struct cs_problem *ret_problem)
{
	*ret_presented =
		authorization.p != NULL || peer->is_local || peer->cert != NULL;
	if (peer->cert != NULL)
		return by_certificate(a, clients, peer, authorization, wall_ms,
				      boot_ms, ret_principal, ret_problem);
	if (authorization.p != NULL)
		return by_token(a, clients, peer, authorization, wall_ms,
				boot_ms, ret_principal, ret_problem);
	if (peer->is_local)
		return by_peer(a, clients, peer, ret_principal, ret_problem);
	return cs_problem_set(ret_problem, CS_PROBLEM_UNAUTHENTICATED, "",
			      "A bearer token is needed (Authorization: Bearer"
			      " cs_...), or a client certificate.");
}

/* Does a token's text begin here? */
static bool is_token_at(struct cs_span s, size_t at)
{
	struct cs_span text = cs_span_sub(s, at, TOKEN_TEXT);
	uint8_t bytes[SECRET_N / 2];
	bool ok;

	ok = text.n == TOKEN_TEXT &&
	     cs_span_starts_with(text, CS_SPAN_LIT("cs_")) &&
	     text.p[SECRET_AT - 1] == '_' &&
	     cs_codec_hex_fixed(cs_span_sub(text, SECRET_AT, SECRET_N), bytes,
				SECRET_N / 2);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return ok;
}

bool cs_auth_holds_token(struct cs_span text)
{
	for (size_t i = 0; i + TOKEN_TEXT <= text.n; i++) {
		if (text.p[i] == 'c' && is_token_at(text, i))
			return true;
	}
	return false;
}

bool cs_auth_refusal(struct cs_auth *a, int64_t boot_ms,
		     uint64_t *ret_suppressed)
{
	const int64_t full =
		(int64_t)CS_AUTH_REFUSAL_BURST * CS_AUTH_REFUSAL_MS;

	if (a->bucket_at_ms != 0 && boot_ms > a->bucket_at_ms)
		a->bucket_ms += boot_ms - a->bucket_at_ms;
	a->bucket_at_ms = boot_ms;
	if (a->bucket_ms > full)
		a->bucket_ms = full;
	if (a->bucket_ms < CS_AUTH_REFUSAL_MS) {
		a->suppressed++;
		return false;
	}
	a->bucket_ms -= CS_AUTH_REFUSAL_MS;
	*ret_suppressed = a->suppressed;
	a->suppressed = 0;
	return true;
}

/* Lower-case hexadecimal; out has room for 2 n characters. */
static void put_hex(const uint8_t *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
}

bool cs_auth_token_new(struct cs_auth *a, struct cs_auth_token *ret_token,
		       struct cs_error *err)
{
	struct cs_auth_token t = {0};
	uint8_t id[ID_N / 2];
	uint8_t secret[SECRET_N / 2];

	if (!cs_random_public(id, sizeof(id), err) ||
	    !cs_random_private(secret, sizeof(secret), err))
		return false;
	memcpy(t.text, "cs_", ID_AT);
	put_hex(id, sizeof(id), t.text + ID_AT);
	t.text[SECRET_AT - 1] = '_';
	put_hex(secret, sizeof(secret), t.text + SECRET_AT);
	OPENSSL_cleanse(secret, sizeof(secret));
	memcpy(t.id, t.text + ID_AT, ID_N);
	if (!cs_hash_sha256(a->hash, cs_span_make(t.text, TOKEN_TEXT), t.digest,
			    err)) {
		cs_auth_token_done(&t);
		return false;
	}
	*ret_token = t;
	cs_auth_token_done(&t);
	return true;
}

void cs_auth_token_done(struct cs_auth_token *t)
{
	OPENSSL_cleanse(t, sizeof(*t));
}
