#include <tests/lib/test.h>

#include <string.h>

#include "base/crl.h"
#include "base/wire.h"

static const struct cs_crl_entry one = {CS_SPAN_INIT("\x5b\x01"), 1795521600,
					1};
static const struct cs_crl_entry two = {CS_SPAN_INIT("\x00\x80"), -1, 0};

static void reads_what_it_wrote(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_crl_entry got;
	struct cs_span list;
	bool there = false;

	(void)state;
	cs_buf_init(&b, 1000);
	cs_crl_entry_put(&b, &one);
	cs_crl_entry_put(&b, &two);
	list = cs_buf_span(&b);
	assert_true(cs_crl_entry_next(&list, &got, &there, NULL));
	assert_true(there);
	assert_true(cs_span_equal(got.serial, one.serial));
	assert_int_equal(got.revoked_s, one.revoked_s);
	assert_int_equal(got.reason, one.reason);
	assert_true(cs_crl_entry_next(&list, &got, &there, NULL));
	assert_true(there);
	assert_true(cs_span_equal(got.serial, two.serial));
	assert_int_equal(got.revoked_s, -1);
	assert_true(cs_crl_entry_next(&list, &got, &there, NULL));
	assert_false(there);
}

static void an_entry_is_as_long_as_is_said(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_crl_entry e = one;

	(void)state;
	e.serial = CS_SPAN_LIT("\x7f"
			       "2345678901234567890");
	cs_buf_init(&b, 1000);
	cs_crl_entry_put(&b, &e);
	assert_int_equal(e.serial.n, 20);
	assert_int_equal(b.n, CS_CRL_ENTRY_MAX);
}

static void a_list_that_is_cut_off_is_refused(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_crl_entry got;
	bool there;

	(void)state;
	cs_buf_init(&b, 1000);
	cs_crl_entry_put(&b, &one);
	for (size_t n = 1; n < b.n; n++) {
		struct cs_span list = cs_span_make(b.p, n);
		struct cs_error err = {0};

		assert_false(cs_crl_entry_next(&list, &got, &there, &err));
		assert_int_equal(err.code, CS_E_PROTOCOL);
	}
}

/* RFC 5280 4.1.2.2 */
static void what_is_no_serial_is_refused(void **state)
{
	static const struct cs_span bad[] = {
		CS_SPAN_INIT(""),	  CS_SPAN_INIT("\x00"),
		CS_SPAN_INIT("\x80"),	  CS_SPAN_INIT("\xff\x01"),
		CS_SPAN_INIT("\x00\x7f"), CS_SPAN_INIT("123456789012345678901"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf b;
		struct cs_crl_entry e = one, got;
		struct cs_span list;
		bool there;

		e.serial = bad[i];
		cs_buf_init(&b, 1000);
		cs_crl_entry_put(&b, &e);
		list = cs_buf_span(&b);
		assert_false(cs_crl_entry_next(&list, &got, &there, NULL));
	}
}

/* RFC 5280 5.3.1 */
static void reasons_are_those_that_there_are(void **state)
{
	(void)state;
	for (unsigned reason = 0; reason < 256; reason++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf b;
		struct cs_crl_entry e = one, got;
		struct cs_span list;
		bool there, good;

		e.reason = reason;
		cs_buf_init(&b, 1000);
		cs_crl_entry_put(&b, &e);
		list = cs_buf_span(&b);
		good = reason <= 10 && reason != 7 && reason != 8;
		assert_int_equal(cs_crl_entry_next(&list, &got, &there, NULL),
				 good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_wrote),
		cmocka_unit_test(an_entry_is_as_long_as_is_said),
		cmocka_unit_test(a_list_that_is_cut_off_is_refused),
		cmocka_unit_test(what_is_no_serial_is_refused),
		cmocka_unit_test(reasons_are_those_that_there_are),
	};

	return cs_test_run("base/crl", tests);
}
