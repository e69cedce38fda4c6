/*
 * Wycheproof's signature vectors before the verification that CSRs get: keys
 * are read by cs_spki_read(), signatures by cs_crypto_verify().
 *
 *     signatures ALGORITHM FILE.json
 *
 * Valid ones must be accepted, except where the key itself is refused, which
 * is told; invalid ones must be refused. Exit 1: one was not; 2: a file that
 * cannot be read or has no vector.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/codec.h"
#include "issuer/crypto.h"
#include "issuer/x509.h"

#define LONGEST (1024 * 1024)

/* What came of the vectors of a file. */
struct counts {
	unsigned long valid, invalid, acceptable, accepted, key_refused, wrong;
};

struct run {
	struct cs_crypto *crypto;
	struct cs_arena keys, vector; /* of one group, of one vector */
	enum cs_sig_alg alg;
	struct counts counts;
};

/* Hexadecimal text of a member, as octets. */
static bool get(const json_t *object, const char *name, struct cs_arena *arena,
		struct cs_span *ret_octets)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL &&
	       cs_codec_hex_decode(cs_span_str(text), arena, ret_octets, NULL);
}

/* The group's key; false, with a line about it, when it is refused. */
static bool read_key(struct run *r, const json_t *group,
		     struct cs_fact_key *key)
{
	struct cs_findings findings;
	struct cs_x509 x = {&r->keys, &findings, cs_crypto_hash(r->crypto)};
	struct cs_error err = {0};
	struct cs_span spki;

	cs_findings_init(&findings, &r->keys);
	if (!get(group, "publicKeyDer", &r->keys, &spki) ||
	    !cs_spki_read(&x, spki, key, &err)) {
		printf("a key cannot be read: %s\n", err.text);
		r->counts.wrong++;
		return false;
	}
	if (findings.n == 0)
		return true;
	printf("  key refused: %.*s\n", CS_SPAN_FMT(findings.items[0].message));
	return false;
}

/* One vector; a line about it when it went wrong. */
static void judge(struct run *r, const struct cs_fact_key *key,
		  const json_t *test)
{
	const char *result = json_string_value(json_object_get(test, "result"));
	struct cs_span message, signature;
	struct cs_error err = {0};
	bool ok;

	cs_arena_reset(&r->vector);
	if (result == NULL || !get(test, "msg", &r->vector, &message) ||
	    !get(test, "sig", &r->vector, &signature)) {
		r->counts.wrong++;
		return;
	}
	ok = key != NULL &&
	     cs_crypto_verify(r->crypto, key, r->alg, message, signature, &err);
	if (key != NULL && !ok && err.code != CS_E_VERIFY &&
	    err.code != CS_E_KEY) {
		printf("  tcId %lld is not judged: %s\n",
		       json_integer_value(json_object_get(test, "tcId")),
		       err.text);
		r->counts.wrong++;
	}
	r->counts.valid += strcmp(result, "valid") == 0;
	r->counts.invalid += strcmp(result, "invalid") == 0;
	r->counts.acceptable += strcmp(result, "acceptable") == 0;
	r->counts.accepted += ok;
	r->counts.key_refused += key == NULL && strcmp(result, "valid") == 0;
	if ((strcmp(result, "valid") == 0 && !ok && key != NULL) ||
	    (strcmp(result, "invalid") == 0 && ok)) {
		printf("  tcId %lld, %s, is %s: %s\n",
		       json_integer_value(json_object_get(test, "tcId")),
		       result, ok ? "accepted" : "refused",
		       json_string_value(json_object_get(test, "comment")));
		r->counts.wrong++;
	}
}

static void judge_group(struct run *r, const json_t *group)
{
	struct cs_fact_key key;
	const json_t *test;
	bool good;
	size_t i;

	cs_arena_reset(&r->keys);
	good = read_key(r, group, &key);
	json_array_foreach(json_object_get(group, "tests"), i, test)
		judge(r, good ? &key : NULL, test);
}

/* "ecdsa-with-SHA256" */
static bool find_alg(const char *name, enum cs_sig_alg *ret_alg)
{
	for (int i = 0; i < CS_SIG_ALGS; i++) {
		*ret_alg = (enum cs_sig_alg)i;
		if (strcmp(cs_sigalg_name(*ret_alg), name) == 0)
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct run r = {.crypto = cs_crypto_new(NULL)};
	const struct counts *c = &r.counts;
	json_t *file = argc == 3 ? json_load_file(argv[2], 0, NULL) : NULL;
	const json_t *group;
	size_t i;

	cs_arena_init(&r.keys, LONGEST);
	cs_arena_init(&r.vector, LONGEST);
	if (r.crypto == NULL || file == NULL || !find_alg(argv[1], &r.alg)) {
		fprintf(stderr, "signatures: ALGORITHM FILE.json\n");
		return 2;
	}
	json_array_foreach(json_object_get(file, "testGroups"), i, group)
		judge_group(&r, group);
	printf("%lu valid (%lu of them with a key that is refused), %lu "
	       "invalid, %lu acceptable; %lu accepted; %lu wrong\n",
	       c->valid, c->key_refused, c->invalid, c->acceptable, c->accepted,
	       c->wrong);
	json_decref(file);
	cs_arena_done(&r.keys);
	cs_arena_done(&r.vector);
	cs_crypto_free(r.crypto);
	if (c->wrong > 0)
		return 1;
	return c->valid + c->invalid == 0 ? 2 : 0;
}
