#include <tests/lib/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show.h"

/* What `show` prints for this JSON. */
static char *shown(void (*show)(const json_t *, FILE *), const char *text)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	show(json, f);
	json_decref(json);
	fclose(f);
	return out;
}

static void shows_every_violation_with_its_rule_and_place(void **state)
{
	char *s = shown(
		cs_show_refusal,
		"{\"code\":\"REFUSED\",\"detail\":\"1 name: long\","
		"\"policy\":{\"name\":\"web\",\"sha256\":"
		"\"3f9a120000000000aa\"},\"log\":{\"index\":7},"
		"\"violations\":[{\"at\":\"web.yaml:21\",\"code\":"
		"\"SAN_DNS_NOT_ALLOWED\",\"expected\":\".shop.example\","
		"\"field\":\"san.dns[1]\",\"message\":\"not allowed\","
		"\"rule\":\"web/san.dns.allow\",\"value\":\"a\\u001b[2J\"}],"
		"\"not_reached\":[\"build\",\"limits\"],\"final\":true}");

	(void)state;
	assert_string_equal(
		s, "REFUSED  1 name   policy web (sha 3f9a12)   log #7\n"
		   "  \xe2\x9c\x97 san.dns[1]  a\\x1b[2J  SAN_DNS_NOT_ALLOWED"
		   "  expected .shop.example  web/san.dns.allow  "
		   "web.yaml:21\n"
		   "  not reached: build, lint, limits\n"
		   "  final for this request. Fix the CSR, or ask the "
		   "policy's owner; then: submit it again\n");
	free(s);
}

static void shows_what_was_changed_and_what_was_kept(void **state)
{
	char *s = shown(cs_show_issued,
			"{\"changed\":true,\"serial\":\"5b01\",\"diff\":[{"
			"\"asked\":null,\"at\":\"w.yaml:14\",\"disposition\":"
			"\"overridden\",\"field\":\"subject.organization[0]\","
			"\"given\":\"Example\",\"rule\":\"w/x.set\"}],"
			"\"kept\":[\"san.dns[0]\"]}");

	(void)state;
	assert_string_equal(
		s, "ISSUED, CHANGED  serial 5b01\n"
		   "  subject.organization[0]  asked \xe2\x80\x93  given "
		   "\"Example\"  overridden  w/x.set  w.yaml:14\n"
		   "  kept: san.dns[0]; added: SKI, AKI, "
		   "serial\n");
	free(s);
}

static void counts_what_is_wrong_in_the_first_line(void **state)
{
	char *s = shown(
		cs_show_refusal,
		"{\"code\":\"REFUSED\",\"names\":5,\"kept\":[\"san.dns[0]\","
		"\"san.dns[3]\",\"subject.commonName[0]\"],\"because\":["
		"\"issuer web\",\"namespace shop\"],\"others\":[{\"policy\":"
		"\"vm\",\"why\":\"is for other issuers than `web`\"}],"
		"\"request\":{\"source\":\"kubernetes\",\"namespace\":"
		"\"shop\",\"owner\":\"shop-tls\"},\"policy\":{\"name\":"
		"\"web\",\"sha256\":\"3f9a12aa\",\"source\":\"web.yaml\","
		"\"owner\":\"pki@x\"},\"violations\":["
		"{\"field\":\"san.dns[1]\",\"message\":\"a\"},"
		"{\"field\":\"san.dns[1]\",\"message\":\"b\"},"
		"{\"field\":\"san.dns[2]\",\"message\":\"c\"},"
		"{\"field\":\"key\",\"message\":\"d\"}],"
		"\"not_reached\":[\"build\"],\"final\":true}");

	(void)state;
	assert_ptr_equal(
		s, strstr(s, "REFUSED  2 of 5 names, and the key   policy web "
			     "(sha 3f9a12, web.yaml, owner pki@x)\n"
			     "  why this policy   issuer web, namespace shop\n"
			     "  not vm  is for other issuers than `web`\n"));
	assert_non_null(strstr(s, "  \xe2\x9c\x93 2 names, CN      not "
				  "reached: build, lint\n"));
	assert_non_null(strstr(s, "Fix the CSR, or ask the owner; then: cmctl "
				  "renew shop-tls -n shop\n"));
	free(s);
}

static void lists_members_of_members_and_alternatives(void **state)
{
	static const char *const header[] = {"A", "B"};
	static const char *const names[] = {"a.x", "b|c.y"};
	json_t *items = json_loads("[{\"a\":{\"x\":1},\"c\":{\"y\":[\"p\","
				   "\"q\"]}},{\"b\":true}]",
				   0, NULL);
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	(void)state;
	cs_show_list(items, header, names, 2, f);
	fclose(f);
	assert_string_equal(out, "A  B\n1  p, q\n-  true\n");
	json_decref(items);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_every_violation_with_its_rule_and_place),
		cmocka_unit_test(shows_what_was_changed_and_what_was_kept),
		cmocka_unit_test(counts_what_is_wrong_in_the_first_line),
		cmocka_unit_test(lists_members_of_members_and_alternatives),
	};

	return cs_test_run("cli/show", tests);
}
