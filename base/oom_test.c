/*
 * Out of memory, at every allocation in turn.
 *
 * This program is linked with --wrap for malloc, calloc, realloc and free, so
 * that all of libcs_base.a allocates through the functions below; Jansson and
 * OpenSSL are given them too. A case runs again and again, the N-th
 * allocation failing the N-th time, until one run needs fewer than N. Each
 * run that fails must say CS_E_NO_MEMORY, and none may leave memory behind.
 */
#include <tests/lib/test.h>

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/codec.h"
#include "base/der.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/secret.h"
#include "base/terms.h"
#include "base/yaml.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

static struct {
	long countdown; /* the allocation that fails; 0: none does */
	long blocks;	/* that are not released */
	bool failed;
} heap;

/* Is it this allocation's turn? */
static bool fails(void)
{
	if (heap.countdown == 0 || --heap.countdown > 0)
		return false;
	heap.failed = true;
	return true;
}

void *__wrap_malloc(size_t n)
{
	void *p = fails() ? NULL : __real_malloc(n);

	heap.blocks += p != NULL;
	return p;
}

void *__wrap_calloc(size_t count, size_t size)
{
	void *p = fails() ? NULL : __real_calloc(count, size);

	heap.blocks += p != NULL;
	return p;
}

void *__wrap_realloc(void *old, size_t n)
{
	void *p = fails() ? NULL : __real_realloc(old, n);

	heap.blocks += p != NULL && old == NULL;
	return p;
}

void __wrap_free(void *p)
{
	heap.blocks -= p != NULL;
	__real_free(p);
}

/* OpenSSL's hooks, which name the caller. */
static void *openssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return n == 0 ? NULL : malloc(n);
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	if (n == 0) {
		free(p);
		return NULL;
	}
	return realloc(p, n);
}

static void openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

typedef bool case_fn(struct cs_error *err);

/* Run a case once for each allocation that it makes. */
static void sweep(case_fn *fn)
{
	struct cs_error err = {0};

	/* What is made once in a process is made now. */
	assert_true(fn(&err));
	for (long n = 1; n < 100000; n++) {
		long before = heap.blocks;
		bool ok;

		memset(&err, 0, sizeof(err));
		heap.countdown = n;
		heap.failed = false;
		ok = fn(&err);
		heap.countdown = 0;
		assert_int_equal(heap.blocks, before);
		assert_int_equal(ERR_peek_error(), 0);
		if (!heap.failed) {
			assert_true(ok);
			assert_true(n > 1);
			return;
		}
		/* A library may do without what it could not have. */
		if (!ok && err.code != CS_E_NO_MEMORY)
			fail_msg("allocation %ld: %s", n, err.text);
	}
	fail_msg("no end");
}

static bool buffer_case(struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b = {0};

	cs_buf_init(&b, 100000);
	for (int i = 0; i < 2000; i++)
		cs_buf_addf(&b, "%d", i);
	cs_buf_insert(&b, 3, CS_SPAN_LIT("abc"));
	cs_codec_base64(CS_SPAN_LIT("0123456789"), &b);
	cs_codec_hex(CS_SPAN_LIT("0123456789"), &b);
	return cs_buf_finish(&b, "buffer", err);
}

static void buffers_survive(void **state)
{
	(void)state;
	sweep(buffer_case);
}

/* Arena functions give NULL; the caller has the words. */
static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "out of memory");
}

static bool arena_case(struct cs_error *err)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena a = {0};
	struct cs_span copy = {0};

	cs_arena_init(&a, 1000000);
	for (int i = 0; i < 100; i++) {
		if (cs_arena_new(&a, 1000) == NULL ||
		    cs_arena_printf(&a, "%d", i) == NULL ||
		    !cs_arena_dup(&a, CS_SPAN_LIT("abc"), &copy))
			return no_memory(err);
	}
	cs_arena_reset(&a);
	if (cs_arena_str(&a, copy) == NULL)
		return no_memory(err);
	return cs_codec_hex_decode(CS_SPAN_LIT("0102"), &a, &copy, err);
}

static void arenas_survive(void **state)
{
	(void)state;
	sweep(arena_case);
}

static bool json_case(struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b = {0};
	json_t *v = cs_json_parse(
		CS_SPAN_LIT("{\"b\":[1,2,{\"c\":\"x\\n\",\"a\":null}],"
			    "\"a\":{\"z\":[],\"y\":{}},\"c\":true}"),
		"it", err);
	bool ok;

	/* See base/json.h: Jansson does not always say that it was memory. */
	if (v == NULL && err->code == CS_E_FORMAT)
		err->code = CS_E_NO_MEMORY;
	if (v == NULL)
		return false;
	cs_buf_init(&b, 100000);
	ok = cs_json_canonical(v, &b, err);
	json_decref(v);
	return ok;
}

static bool json_writer_case(struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b = {0};
	struct cs_json j;

	cs_buf_init(&b, 100000);
	cs_json_begin(&j, &b);
	cs_json_object(&j);
	for (char name[] = "a"; name[0] <= 'z'; name[0]++) {
		cs_json_name(&j, name);
		cs_json_array(&j);
		for (int i = 0; i < 30; i++)
			cs_json_text(&j, CS_SPAN_LIT("a\n\"\xff"));
		cs_json_end(&j);
	}
	cs_json_end(&j);
	return cs_json_finish(&j, "it", err);
}

static void JSON_survives(void **state)
{
	(void)state;
	sweep(json_case);
	sweep(json_writer_case);
}

static bool message_case(struct cs_error *err)
{
	static uint8_t tbs[3000];
	CS_CLEANUP(cs_buf_done) struct cs_buf b = {0};
	struct cs_msg_intent m = {.tbs = cs_span_make(tbs, sizeof(tbs))};
	struct cs_msg_intent back = {0};

	cs_buf_init(&b, 100000);
	cs_msg_intent_encode(&m, &b);
	return cs_buf_finish(&b, "INTENT", err) &&
	       cs_msg_intent_decode(cs_buf_span(&b), &back, err);
}

static void messages_survive(void **state)
{
	(void)state;
	sweep(message_case);
}

static bool terms_case(struct cs_error *err)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena a = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf b = {0};
	struct cs_terms t;

	cs_arena_init(&a, 1000000);
	cs_buf_init(&b, 100000);
	cs_terms_init(&t, &a);
	for (uint8_t i = 0; i < 200; i++) {
		if (!cs_terms_add(&t, CS_TERM_CN, cs_span_make(&i, 1)) ||
		    !cs_terms_add_dns(&t, CS_SPAN_LIT("www.example.com")))
			return no_memory(err);
	}
	cs_terms_encode(&t, &b);
	return cs_buf_finish(&b, "terms", err);
}

static void terms_survive(void **state)
{
	(void)state;
	sweep(terms_case);
}

static bool der_case(struct cs_error *err)
{
	static uint8_t octets[700];
	CS_CLEANUP(cs_buf_done) struct cs_buf b = {0};
	size_t outer, inner;

	cs_buf_init(&b, 100000);
	outer = cs_der_write_begin(&b, CS_DER_SEQUENCE);
	inner = cs_der_write_begin(&b, CS_DER_SEQUENCE);
	cs_der_write_time(&b, 0);
	cs_der_write_named_bits(&b, 5);
	cs_der_write_bit_string_octets(&b,
				       cs_span_make(octets, sizeof(octets)));
	cs_der_write_end(&b, inner);
	cs_der_write_end(&b, outer);
	return cs_buf_finish(&b, "DER", err) &&
	       cs_der_oid_parse(CS_SPAN_LIT("2.5.29.17"), &b, err);
}

static void DER_survives(void **state)
{
	(void)state;
	sweep(der_case);
}

static bool yaml_case(struct cs_error *err)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena a = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf b = {0};
	struct cs_yaml *y;
	json_t *v;
	bool ok;

	cs_arena_init(&a, 1000000);
	y = cs_yaml_parse(CS_SPAN_LIT("a: 1\nb: [x, {c: 'd'}]\n"), "a.yaml", &a,
			  err);
	if (y == NULL)
		return false;
	v = cs_yaml_to_json(y);
	if (v == NULL)
		return no_memory(err);
	cs_buf_init(&b, 100000);
	ok = cs_json_canonical(v, &b, err);
	json_decref(v);
	return ok;
}

static void YAML_survives(void **state)
{
	(void)state;
	sweep(yaml_case);
}

static bool secret_case(struct cs_error *err)
{
	struct cs_secret s = {0};

	if (!cs_secret_new(10, &s, err))
		return false;
	cs_secret_done(&s);
	return true;
}

static bool hash_case(struct cs_error *err)
{
	struct cs_hash *h = cs_hash_new(err);
	uint8_t digest[CS_SHA256_SIZE];
	bool ok;

	/* OpenSSL does not always say that it was memory. */
	if (h == NULL && err->code == CS_E_CRYPTO)
		err->code = CS_E_NO_MEMORY;
	if (h == NULL)
		return false;
	ok = cs_hash_sha256(h, CS_SPAN_LIT("abc"), digest, err);
	if (!ok && err->code == CS_E_CRYPTO)
		err->code = CS_E_NO_MEMORY;
	cs_hash_free(h);
	return ok;
}

static void OpenSSL_survives(void **state)
{
	(void)state;
	sweep(secret_case);
	sweep(hash_case);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_survive),
		cmocka_unit_test(arenas_survive),
		cmocka_unit_test(JSON_survives),
		cmocka_unit_test(messages_survive),
		cmocka_unit_test(terms_survive),
		cmocka_unit_test(DER_survives),
		cmocka_unit_test(YAML_survives),
		cmocka_unit_test(OpenSSL_survives),
	};

	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc,
				     openssl_free) != 1)
		return 1;
	json_set_alloc_funcs(malloc, free);
	return cs_test_run("base/oom", tests);
}
