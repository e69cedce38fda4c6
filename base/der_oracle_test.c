/*
 * Strict DER against OpenSSL's reader, over random cases from a fixed seed.
 *
 * Two questions: does OpenSSL read what our writer writes, with the same
 * values; and when bytes are changed at random, does our reader take exactly
 * those that OpenSSL reads and writes back unchanged (which is what DER
 * means), and never more?
 */
#include <tests/lib/test.h>

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "base/der.h"
#include "base/limits.h"

#define CASES 4000

/* xorshift64*; the same cases each time. */
static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t below(uint64_t *seed, uint64_t n)
{
	return next(seed) % n;
}

static size_t fill(uint64_t *seed, uint8_t *p, size_t max)
{
	size_t n = below(seed, max + 1);

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)next(seed);
	return n;
}

/* Append one random leaf. */
static void write_leaf(uint64_t *seed, struct cs_buf *out)
{
	uint8_t bytes[300];
	size_t n = fill(seed, bytes, below(seed, 2) ? 300 : 20);

	switch (below(seed, 7)) {
	case 0:
		cs_der_write_uint(out, next(seed) >> below(seed, 64));
		break;
	case 1:
		cs_der_write_uint_octets(out, cs_span_make(bytes, n));
		break;
	case 2:
		cs_der_write_bit_string_octets(out, cs_span_make(bytes, n));
		break;
	case 3:
		cs_der_write_named_bits(out, (uint32_t)next(seed));
		break;
	case 4:
		cs_der_write_time(out, (int64_t)below(seed, 253402300799));
		break;
	case 5:
		cs_der_write_boolean_true(out);
		break;
	default:
		cs_der_write(out, CS_DER_OCTET_STRING, cs_span_make(bytes, n));
	}
}

/* A random tree: some levels open, leaves, some levels close, and so on. */
static void write_tree(uint64_t *seed, struct cs_buf *out)
{
	size_t marks[8];
	size_t depth = 0;

	marks[depth++] = cs_der_write_begin(out, CS_DER_SEQUENCE);
	for (uint64_t steps = below(seed, 40); steps > 0; steps--) {
		uint64_t what = below(seed, 4);

		if (what == 0 && depth < 8)
			marks[depth++] = cs_der_write_begin(
				out, below(seed, 2)
					     ? CS_DER_SEQUENCE
					     : CS_DER_CONTEXT_CONSTRUCTED(
						       below(seed, 31)));
		else if (what == 1 && depth > 1)
			cs_der_write_end(out, marks[--depth]);
		else
			write_leaf(seed, out);
	}
	while (depth > 0)
		cs_der_write_end(out, marks[--depth]);
}

/* Both readers walk the tree side by side. */
static void walk(struct cs_span der)
{
	struct cs_der stack[9] = {{der}};
	size_t depth = 1;

	while (depth > 0) {
		struct cs_der *r = &stack[depth - 1];
		const unsigned char *p = r->rest.p;
		struct cs_span content = {0}, whole = {0};
		uint8_t tag = 0;
		long length;
		int number, class, answer;

		if (cs_der_at_end(r)) {
			depth--;
			continue;
		}
		answer = ASN1_get_object(&p, &length, &number, &class,
					 (long)r->rest.n);
		assert_int_equal(answer & ~V_ASN1_CONSTRUCTED, 0);
		assert_true(cs_der_any(r, &tag, &content, &whole, NULL));
		assert_int_equal(tag, class | number |
					      (answer & V_ASN1_CONSTRUCTED));
		assert_ptr_equal(content.p, p);
		assert_int_equal(content.n, length);
		if ((tag & V_ASN1_CONSTRUCTED) != 0) {
			assert_true(depth < 9);
			stack[depth++] = cs_der_reader(content);
		}
	}
}

static void OpenSSL_walks_the_trees_that_we_write(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < CASES; i++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf out;
		const unsigned char *p;
		ASN1_TYPE *any;

		cs_buf_init(&out, 1000000);
		write_tree(&seed, &out);
		assert_true(cs_buf_ok(&out));
		walk(cs_buf_span(&out));
		p = out.p;
		any = d2i_ASN1_TYPE(NULL, &p, (long)out.n);
		assert_non_null(any);
		assert_ptr_equal(p, out.p + out.n);
		ASN1_TYPE_free(any);
	}
	assert_int_equal(ERR_peek_error(), 0);
}

static void OpenSSL_reads_our_numbers_bits_and_times(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	uint64_t seed = 2;

	(void)state;
	cs_buf_init(&out, 1000);
	for (int i = 0; i < CASES; i++) {
		uint64_t v = next(&seed) >> below(&seed, 64), back = 0;
		uint32_t bits = (uint32_t)next(&seed) >> below(&seed, 32);
		int64_t s = (int64_t)below(&seed, 253402300799);
		const unsigned char *p;
		ASN1_INTEGER *number;
		ASN1_BIT_STRING *set;
		ASN1_TIME *when, *expected;

		cs_buf_reset(&out);
		cs_der_write_uint(&out, v);
		p = out.p;
		number = d2i_ASN1_INTEGER(NULL, &p, (long)out.n);
		assert_non_null(number);
		assert_int_equal(ASN1_INTEGER_get_uint64(&back, number), 1);
		assert_true(back == v);
		ASN1_INTEGER_free(number);

		cs_buf_reset(&out);
		cs_der_write_named_bits(&out, bits);
		p = out.p;
		set = d2i_ASN1_BIT_STRING(NULL, &p, (long)out.n);
		assert_non_null(set);
		for (int b = 0; b < 32; b++)
			assert_int_equal(ASN1_BIT_STRING_get_bit(set, b),
					 bits >> b & 1);
		ASN1_BIT_STRING_free(set);

		cs_buf_reset(&out);
		cs_der_write_time(&out, s);
		p = out.p;
		when = d2i_ASN1_TIME(NULL, &p, (long)out.n);
		expected = ASN1_TIME_set(NULL, (time_t)s);
		assert_non_null(when);
		assert_non_null(expected);
		assert_int_equal(ASN1_STRING_cmp(when, expected), 0);
		ASN1_TIME_free(when);
		ASN1_TIME_free(expected);
	}
	assert_int_equal(ERR_peek_error(), 0);
}

static void OpenSSL_names_object_identifiers_as_we_do(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	uint64_t seed = 3;

	(void)state;
	cs_buf_init(&out, 1000);
	cs_buf_init(&text, 1000);
	for (int i = 0; i < CASES; i++) {
		uint8_t content[12];
		size_t n = fill(&seed, content, sizeof(content));
		char theirs[200] = "";
		const unsigned char *p;
		struct cs_span oid = {0};
		struct cs_der r;
		ASN1_OBJECT *object;
		bool ours;

		/* Mostly ends of arcs, so that some are well-formed. */
		if (n > 0)
			content[n - 1] &= 0x7f;
		cs_buf_reset(&out);
		cs_buf_reset(&text);
		cs_der_write(&out, CS_DER_OID, cs_span_make(content, n));
		r = cs_der_reader(cs_buf_span(&out));
		ours = cs_der_oid(&r, "oid", &oid, NULL);
		p = out.p;
		object = d2i_ASN1_OBJECT(NULL, &p, (long)out.n);
		assert_int_equal(ours, object != NULL);
		ERR_clear_error();
		if (object == NULL)
			continue;
		assert_true(OBJ_obj2txt(theirs, sizeof(theirs), object, 1) > 0);
		cs_der_oid_text(oid, &text);
		assert_string_equal(cs_buf_str(&text), theirs);
		cs_buf_reset(&out);
		assert_true(cs_der_oid_parse(cs_buf_span(&text), &out, NULL));
		assert_true(cs_span_equal(cs_buf_span(&out),
					  cs_span_make(content, n)));
		ASN1_OBJECT_free(object);
	}
}

/* Does OpenSSL read this INTEGER and write the same bytes? */
static bool integer_survives(struct cs_span der)
{
	const unsigned char *p = der.p;
	ASN1_INTEGER *v = d2i_ASN1_INTEGER(NULL, &p, (long)der.n);
	unsigned char *back = NULL;
	int n = v == NULL ? -1 : i2d_ASN1_INTEGER(v, &back);
	bool same = n >= 0 && cs_span_equal(cs_span_make(back, (size_t)n),
					    cs_span_sub(der, 0, (size_t)n));

	OPENSSL_free(back);
	ASN1_INTEGER_free(v);
	ERR_clear_error();
	return same;
}

static void takes_the_integers_that_OpenSSL_writes_back_unchanged(void **state)
{
	uint64_t seed = 4;

	(void)state;
	for (int i = 0; i < 10 * CASES; i++) {
		uint8_t bytes[8] = {CS_DER_INTEGER, (uint8_t)below(&seed, 5)};
		struct cs_der r;
		struct cs_span content = {0};

		for (size_t k = 2; k < sizeof(bytes); k++)
			bytes[k] = below(&seed, 2)   ? (uint8_t)next(&seed)
				   : below(&seed, 2) ? 0xff
						     : 0x00;
		if (below(&seed, 8) == 0)
			bytes[1] = (uint8_t)next(&seed);
		r = cs_der_reader(cs_span_make(bytes, sizeof(bytes)));
		assert_int_equal(
			cs_der_integer(&r, "i", &content, NULL),
			integer_survives(cs_span_make(bytes, sizeof(bytes))));
	}
}

static void never_takes_more_than_OpenSSL_after_a_change(void **state)
{
	uint64_t seed = 5;
	int taken = 0;

	(void)state;
	for (int i = 0; i < CASES; i++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf out;
		CS_CLEANUP(cs_buf_done) struct cs_buf again;
		struct cs_span content = {0}, whole = {0};
		const unsigned char *p;
		struct cs_der r;
		uint8_t tag = 0;
		long length;
		int number, class, answer;

		cs_buf_init(&again, 100000);
		cs_buf_init(&out, 100000);
		write_leaf(&seed, &out);
		out.p[below(&seed, out.n < 6 ? out.n : 6)] =
			(uint8_t)next(&seed);
		r = cs_der_reader(cs_buf_span(&out));
		if (!cs_der_any(&r, &tag, &content, &whole, NULL))
			continue;
		taken++;
		p = out.p;
		answer = ASN1_get_object(&p, &length, &number, &class,
					 (long)out.n);
		assert_int_equal(answer & 0x81, 0);
		assert_ptr_equal(content.p, p);
		assert_int_equal(content.n, length);
		/* Minimal is what writing it again gives. */
		cs_der_write(&again, tag, content);
		assert_true(cs_span_equal(cs_buf_span(&again), whole));
	}
	assert_true(taken > CASES / 10);
	ERR_clear_error();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(OpenSSL_walks_the_trees_that_we_write),
		cmocka_unit_test(OpenSSL_reads_our_numbers_bits_and_times),
		cmocka_unit_test(OpenSSL_names_object_identifiers_as_we_do),
		cmocka_unit_test(
			takes_the_integers_that_OpenSSL_writes_back_unchanged),
		cmocka_unit_test(never_takes_more_than_OpenSSL_after_a_change),
	};

	return cs_test_run("base/der_oracle", tests);
}
