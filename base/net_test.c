#include <tests/lib/test.h>

#include "base/net.h"

static void addresses_and_networks_are_read(void **state)
{
	static const char *const good[] = {"192.0.2.1",	    "10.0.0.0/8",
					   "0.0.0.0/0",	    "::1",
					   "2001:db8::/32", "192.0.2.1/32"};
	static const char *const bad[] = {
		"",	    "host",	    "10.0.0.0/",   "10.0.0.0/33",
		"10.0.0/8", "::1/129",	    "10.0.0.0/-1", "10.0.0.0/8 ",
		"/8",	    "10.0.0.0/0008"};
	struct cs_net net;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(cs_net_parse(good[i], &net));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(cs_net_parse(bad[i], &net));
}

static void a_network_holds_what_shares_its_bits(void **state)
{
	struct cs_net net;

	(void)state;
	assert_true(cs_net_parse("10.1.0.0/15", &net));
	assert_true(cs_net_holds(&net, "10.1.255.9:80"));
	assert_true(cs_net_holds(&net, "10.0.0.1:4711"));
	assert_false(cs_net_holds(&net, "10.2.0.1:80"));
	assert_false(cs_net_holds(&net, "[::1]:80"));
	assert_false(cs_net_holds(&net, "local"));
	assert_false(cs_net_holds(&net, ""));
	assert_true(cs_net_parse("2001:db8::/33", &net));
	assert_true(cs_net_holds(&net, "[2001:db8:7fff::1]:443"));
	assert_false(cs_net_holds(&net, "[2001:db8:8000::1]:443"));
	assert_true(cs_net_parse("0.0.0.0/0", &net));
	assert_true(cs_net_holds(&net, "203.0.113.9:1"));
	assert_false(cs_net_holds(&net, "[::1]:1"));
	assert_true(cs_net_parse("127.0.0.1", &net));
	assert_false(cs_net_holds(&net, "127.0.0.2:1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_networks_are_read),
		cmocka_unit_test(a_network_holds_what_shares_its_bits),
	};

	return cs_test_run("base/net", tests);
}
