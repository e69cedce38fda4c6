#include <tests/lib/test.h>

#include <string.h>

#include "issuer/token_uri.h"

#define REST "?module-path=/usr/lib/p.so"

struct parsed {
	struct cs_arena arena;
	struct cs_token_uri uri;
	struct cs_error err;
	bool ok;
};

static void parse(struct parsed *p, const char *text)
{
	*p = (struct parsed){.ok = false};
	cs_arena_init(&p->arena, 65536);
	p->ok = cs_token_uri_parse(cs_span_str(text), &p->arena, &p->uri,
				   &p->err);
}

/* It must be refused with these words. */
static void refused(const char *text, const char *says)
{
	struct parsed p;

	parse(&p, text);
	if (p.ok || strstr(p.err.text, says) == NULL)
		fail_msg("%s: %s", text, p.ok ? "taken" : p.err.text);
	assert_int_equal(p.err.code, CS_E_KEY);
	cs_arena_done(&p.arena);
}

static void a_uri_names_token_key_and_library(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "pkcs11:token=My%20Token;serial=0a1;manufacturer=M;model=v2;"
		  "object=web%3bca;id=%00%fF;type=private" REST "\n");
	assert_true(p.ok);
	assert_string_equal(p.uri.token, "My Token");
	assert_string_equal(p.uri.serial, "0a1");
	assert_string_equal(p.uri.manufacturer, "M");
	assert_string_equal(p.uri.model, "v2");
	assert_string_equal(p.uri.object, "web;ca");
	assert_int_equal(p.uri.id.n, 2);
	assert_memory_equal(p.uri.id.p, "\x00\xff", 2);
	assert_string_equal(p.uri.module_path, "/usr/lib/p.so");
	cs_arena_done(&p.arena);
}

static void what_is_not_said_stays_unsaid(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "pkcs11:serial=1;id=%01" REST);
	assert_true(p.ok);
	assert_null(p.uri.token);
	assert_null(p.uri.object);
	assert_null(p.uri.model);
	cs_arena_done(&p.arena);
}

static void a_uri_that_names_too_little_is_refused(void **state)
{
	(void)state;
	refused("pkcs11:" REST, "names no token");
	refused("pkcs11:object=a" REST, "names no token");
	refused("pkcs11:token=t" REST, "names no key");
	refused("pkcs11:token=t;object=o", "names no library");
	refused("pkcs11:token=t;object=o?module-path=p.so", "names no library");
	refused("", "pkcs11:");
	refused("-----BEGIN PRIVATE KEY-----", "pkcs11:");
	refused("PKCS12:token=t", "pkcs11:");
}

static void a_pin_in_a_uri_is_refused_and_not_repeated(void **state)
{
	struct parsed p;

	(void)state;
	refused("pkcs11:token=t;object=o" REST "&pin-value=1234", "pin-value");
	refused("pkcs11:token=t;object=o" REST "&pin-source=file:/p",
		"passphrase_file");
	refused("pkcs11:token=t;object=o;pin-value=1234" REST, "pin-value");
	parse(&p, "pkcs11:token=t;object=o" REST "&pin-value=12%3");
	assert_false(p.ok);
	assert_null(strstr(p.err.text, "12%3"));
	cs_arena_done(&p.arena);
}

static void what_would_be_passed_over_is_refused_by_name(void **state)
{
	(void)state;
	refused("pkcs11:token=t;object=o;x-a=1" REST, "`x-a`");
	refused("pkcs11:token=t;object=o;slot-id=1" REST, "slot-id");
	refused("pkcs11:token=t;object=o;type=public" REST, "private");
	refused("pkcs11:token=t;object=o" REST "&module-name=p", "module-name");
	refused("pkcs11:token=t;object=o" REST "&id=%01", "`id`");
	refused("pkcs11:token=t;object=o;module-path=/a" REST, "`module-path`");
}

static void the_same_attribute_twice_is_refused(void **state)
{
	(void)state;
	refused("pkcs11:token=t;token=u;object=o" REST, "twice");
	refused("pkcs11:token=t;id=%01;id=%02" REST, "twice");
	refused("pkcs11:token=t;object=o" REST "&module-path=/b", "twice");
}

static void text_that_is_no_uri_is_refused(void **state)
{
	(void)state;
	refused("pkcs11:token=a b;object=o" REST, "percent-encoded");
	refused("pkcs11:token=t%2;object=o" REST, "3986");
	refused("pkcs11:token=t%zz;object=o" REST, "3986");
	refused("pkcs11:token=t%00u;object=o" REST, "NUL");
	refused("pkcs11:token=;object=o" REST, "empty");
	refused("pkcs11:id=;token=t" REST, "empty");
	refused("pkcs11:token;object=o" REST, "without a value");
	refused("pkcs11:token=t;;object=o" REST, "without a value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_uri_names_token_key_and_library),
		cmocka_unit_test(what_is_not_said_stays_unsaid),
		cmocka_unit_test(a_uri_that_names_too_little_is_refused),
		cmocka_unit_test(a_pin_in_a_uri_is_refused_and_not_repeated),
		cmocka_unit_test(what_would_be_passed_over_is_refused_by_name),
		cmocka_unit_test(the_same_attribute_twice_is_refused),
		cmocka_unit_test(text_that_is_no_uri_is_refused),
	};

	return cs_test_run("issuer/token_uri", tests);
}
