#include <tests/lib/test.h>

#include <string.h>

#include "issuer/cert_diff.h"
#include "issuer/tbs.h"
#include <tests/lib/ca_maker.h>
#include <tests/lib/plan_maker.h>

#define SERIAL CS_SPAN_LIT("\x5b\x01\x02\x03")

struct fixture {
	struct ca_maker maker;
	struct cs_hash *hash;
	struct cs_arena arena;
	struct cs_plan plan;
	struct cs_buf tbs[2];
	struct cs_tbs_facts facts[2];
	struct cs_cert_diff diff;
};

static int set_up(void **state)
{
	static struct fixture f;

	ca_make(&f.maker, CS_KEY_KIND_EC_P256, CS_KEYGEN_TWO_TIERS);
	f.hash = cs_hash_new(NULL);
	assert_non_null(f.hash);
	cs_arena_init(&f.arena, 1 << 20);
	cs_buf_init(&f.tbs[0], CS_MAX_TBS);
	cs_buf_init(&f.tbs[1], CS_MAX_TBS);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cs_buf_done(&f->tbs[0]);
	cs_buf_done(&f->tbs[1]);
	cs_arena_done(&f->arena);
	cs_hash_free(f->hash);
	ca_done(&f->maker);
	return 0;
}

/* The plan as certificate number i, under a serial. */
static void build_as(struct fixture *f, size_t i, struct cs_span serial)
{
	struct cs_error err = {0};

	cs_buf_reset(&f->tbs[i]);
	if (!cs_tbs_write(&f->plan, &f->maker.ca->key, f->maker.ca, serial,
			  f->hash, &f->arena, &f->tbs[i], &err) ||
	    !cs_tbs_facts_read(f->hash, cs_buf_span(&f->tbs[i]), &f->arena,
			       &f->facts[i], &err))
		fail_msg("%s", err.text);
}

static void build(struct fixture *f, size_t i)
{
	build_as(f, i, SERIAL);
}

/* A plan to change, built as it is. */
static void start(struct fixture *f)
{
	cs_arena_reset(&f->arena);
	f->plan = (struct cs_plan){
		.not_before_s = CA_MAKER_NOW,
		.not_after_s = CA_MAKER_NOW + 3600,
		.key_usage = CS_KU_DIGITAL_SIGNATURE,
	};
	build(f, 0);
}

static void compare(struct fixture *f)
{
	assert_true(cs_cert_diff_make(&f->facts[0], &f->facts[1], &f->arena,
				      &f->diff, NULL));
}

/* The one field that is different, and what it was and is. */
static void expect_one(struct fixture *f, const char *field, const char *was,
		       const char *now)
{
	build(f, 1);
	compare(f);
	assert_int_equal(f->diff.n, 1);
	assert_string_equal(f->diff.items[0].field, field);
	if (!cs_span_equal_str(f->diff.items[0].was, was) ||
	    !cs_span_equal_str(f->diff.items[0].now, now))
		fail_msg("%s: `%.*s` `%.*s`", field,
			 CS_SPAN_FMT(f->diff.items[0].was),
			 CS_SPAN_FMT(f->diff.items[0].now));
}

static void the_same_octets_have_no_difference(void **state)
{
	struct fixture *f = *state;
	struct plan_maker maker = {.state = 7};

	for (size_t i = 0; i < 50; i++) {
		cs_arena_reset(&f->arena);
		plan_make(&maker, &f->arena, &f->plan);
		build(f, 0);
		build(f, 1);
		compare(f);
		assert_int_equal(f->diff.n, 0);
	}
}

static void other_octets_are_some_field(void **state)
{
	struct fixture *f = *state;
	struct plan_maker maker = {.state = 11};
	size_t several = 0;

	cs_arena_reset(&f->arena);
	plan_make(&maker, &f->arena, &f->plan);
	build(f, 0);
	for (size_t i = 0; i < 20; i++) {
		plan_make(&maker, &f->arena, &f->plan);
		build(f, 1);
		compare(f);
		assert_in_range(f->diff.n, 1, CS_MAX_CERT_CHANGES);
		several += f->diff.n > 3;
	}
	assert_true(several > 10);
}

static void each_field_is_told_by_its_word(void **state)
{
	struct cs_plan_attr cn = {.oid = CS_SPAN_LIT("\x55\x04\x03"),
				  .value = CS_SPAN_LIT("www")};
	struct cs_span eku[] = {
		CS_SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x03\x01"),
		CS_SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x03\x02")};
	struct fixture *f = *state;

	start(f);
	f->plan.subject = &cn;
	f->plan.subject_n = 1;
	expect_one(f, "subject", "", "commonName=www");
	start(f);
	f->plan.not_after_s -= 60;
	expect_one(f, "validity",
		   "2026-11-24T12:00:00Z to 2026-11-24T13:00:00Z",
		   "2026-11-24T12:00:00Z to 2026-11-24T12:59:00Z");
	start(f);
	f->plan.key_usage |= CS_KU_KEY_ENCIPHERMENT;
	f->plan.key_usage_critical = true;
	expect_one(f, "key_usage", "digital signature",
		   "digital signature, key encipherment (critical)");
	start(f);
	f->plan.ext_key_usage = eku;
	f->plan.ext_key_usage_n = 2;
	expect_one(f, "ext_key_usage", "", "server auth, client auth");
}

static void what_the_issuer_adds_is_told_too(void **state)
{
	struct fixture *f = *state;

	start(f);
	build_as(f, 1, CS_SPAN_LIT("\x5b\x04"));
	compare(f);
	/* The serial says which list its revocation would stand in. */
	assert_int_equal(f->diff.n, 2);
	assert_string_equal(f->diff.items[0].field, "crl_urls");
	assert_string_equal(f->diff.items[1].field, "serial");
	assert_true(cs_span_equal_str(f->diff.items[1].was, "5b010203"));
	assert_true(cs_span_equal_str(f->diff.items[1].now, "5b04"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_same_octets_have_no_difference, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_octets_are_some_field,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_field_is_told_by_its_word,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_the_issuer_adds_is_told_too, set_up, tear_down),
	};

	return cs_test_run("issuer/cert_diff", tests);
}
