#include <tests/lib/test.h>

#include "api/issuers.h"

static const struct cs_front_issuer issuers[] = {
	{.name = "a",
	 .about = CS_SPAN_INIT("{\"name\":\"a\",\"sha256\":\"01\"}")},
	{.name = "b",
	 .about = CS_SPAN_INIT("{\"name\":\"b\",\"sha256\":\"02\"}")},
};
/* An older generation of a, and a itself; b is not recorded yet. */
static const struct cs_span recorded = CS_SPAN_INIT(
	"{\"items\":[{\"created\":\"then\",\"generation\":1,\"name\":\"a\","
	"\"sha256\":\"00\"},{\"created\":\"now\",\"crl_base\":\"http://x/a@2\","
	"\"generation\":2,\"name\":\"a\",\"sha256\":\"01\"}],\"next\":null}");

#define A                                                                      \
	"{\"created\":\"now\",\"generation\":2,\"generations\":["              \
	"{\"created\":\"then\",\"generation\":1,\"sha256\":\"00\","            \
	"\"state\":\"superseded\"},"                                           \
	"{\"created\":\"now\",\"crl_url\":\"http://x/a@2\",\"generation\":2,"  \
	"\"sha256\":\"01\",\"state\":\"active\"}],"                            \
	"\"name\":\"a\",\"sha256\":\"01\",\"state\":\"active\"}"
#define B                                                                      \
	"{\"created\":null,\"generation\":null,\"generations\":[],"            \
	"\"name\":\"b\",\"sha256\":\"02\",\"state\":\"active\"}"

static void joins_by_the_certificate(void **state)
{
	struct cs_error err = {0};
	struct cs_buf out;

	(void)state;
	cs_buf_init(&out, 4096);
	assert_true(cs_issuers_write(issuers, 2, recorded, &out, &err));
	assert_string_equal(cs_buf_str(&out),
			    "{\"items\":[" A "," B "],\"next\":null}");
	cs_buf_reset(&out);
	assert_true(cs_issuers_write_one(&issuers[0], recorded, &out, &err));
	assert_string_equal(cs_buf_str(&out), A);
	cs_buf_done(&out);
}

static void fails_at_what_is_no_page(void **state)
{
	struct cs_error err = {0};
	struct cs_buf out;

	(void)state;
	cs_buf_init(&out, 4096);
	assert_false(
		cs_issuers_write(issuers, 2, CS_SPAN_LIT("{"), &out, &err));
	assert_int_equal(err.code, CS_E_FORMAT);
	cs_buf_done(&out);
	cs_buf_init(&out, 20);
	assert_false(cs_issuers_write_one(&issuers[0], recorded, &out, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
	cs_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_by_the_certificate),
		cmocka_unit_test(fails_at_what_is_no_page),
	};

	return cs_test_run("api/issuers", tests);
}
