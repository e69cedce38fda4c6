/* The house's own certificates. */
#include <tests/lib/test.h>

#include "api/clients.h"
#include "tests/lib/front_room.h"

static void the_listeners_certificate_takes_the_same_way(CS_UNUSED void **state)
{
	const struct cs_msg_house_csr csr = {.source = CS_SPAN_LIT("listener"),
					     .issuer = CS_SPAN_LIT("default"),
					     .csr = CS_SPAN_LIT("der")};
	struct cs_msg_house_cert cert;
	struct cs_msg_request m;
	uint64_t ticket;

	open_house();
	add_worker(0);
	tell_clients();
	tell_state(CS_LEDGER_NO_POLICY);
	assert_true(cs_link_send_house_csr(house.parent.link, 77, &csr, NULL));
	turn();
	assert_int_equal(house.worker[0].n, 0);
	tell_state(CS_LEDGER_ISSUING);
	assert_true(cs_msg_request_decode(
		last(&house.worker[0], CS_MSG_REQUEST, &ticket), &m, NULL));
	assert_int_equal(m.client, CS_CLIENT_HOUSE);
	assert_int_equal(m.credential, 2);
	assert_true(cs_span_equal_str(m.source, "listener"));
	assert_int_equal(m.idem_key.n, 0);
	assert_int_equal(m.flags, CS_REQ_APPROVED | CS_REQ_SELF);
	answer(ticket, CS_ANSWER_ISSUED, "");
	assert_true(cs_msg_house_cert_decode(
		last(&house.parent, CS_MSG_HOUSE_CERT, &ticket), &cert, NULL));
	assert_int_equal(ticket, 77);
	assert_int_equal(cert.ok, 1);
	assert_true(cs_span_starts_with(cert.chain,
					CS_SPAN_LIT("-----BEGIN CERT")));
	close_house();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_listeners_certificate_takes_the_same_way),
	};

	return cs_test_run("api/front_house_ask", tests);
}
