#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

#include "base/sources.h"
#include "base/terms.h"
#include "tests/lib/ledger_house.h"

/* What is asked of the ledger, as front and a worker send it. */

/* The REQUEST as front would write it. */
static void encode_request(struct cs_house *h, const struct cs_ask *a,
			   struct cs_buf *out)
{
	static const char said[] =
		"{\"at\":1700000000000,\"by\":\"gw\",\"reason\":\"Reviewed\"}";
	const char *name = a->name == NULL ? "www" : a->name;
	char scalars[CS_MAX_SCALARS];
	struct cs_msg_request m = {
		.flags = a->flags | (a->pending ? 0 : CS_REQ_APPROVED),
		.client = a->client == 0 ? 3 : a->client,
		.credential = a->credential == 0 ? 3 : a->credential,
		.uid = -1,
		.client_name = CS_SPAN_LIT("gw"),
		.realm = CS_SPAN_LIT("prod"),
		.source = CS_SPAN_LIT("https"),
		.issuer =
			cs_span_str(a->issuer == NULL ? "default" : a->issuer),
		.idem_key = cs_span_str(a->key),
		.received_ms = h->wall_ms,
		.csr = cs_span_str(name),
		.shown = a->shown,
	};

	(void)snprintf(scalars, sizeof(scalars),
		       "{\"issuer\":\"%s\",\"requester\":\"%s\"}",
		       a->issuer == NULL ? "default" : a->issuer,
		       a->words != NULL ? a->words : name);
	m.scalars = cs_span_str(scalars);
	if (a->flags & CS_REQ_DENIED)
		m.flags &= ~(unsigned)CS_REQ_APPROVED;
	if (a->id != NULL)
		memcpy(m.id, a->id, 16);
	else
		memcpy(m.id, &h->ticket, sizeof(h->ticket));
	assert_true(cs_hash_sha256(h->hash, cs_span_str(name), m.fingerprint,
				   NULL));
	if (!a->pending || a->approver != 0) {
		m.approval = cs_span_make(said, sizeof(said) - 1);
		m.approver_client = a->approver == 0 ? 3 : a->approver;
		m.approver_credential = a->approver_credential == 0
						? 3
						: a->approver_credential;
	}
	cs_msg_request_encode(&m, out);
	assert_true(cs_buf_ok(out));
}

/* Terms as a worker would write them. */
static void encode_terms(const char *name, const char *verdict,
			 struct cs_buf *out)
{
	struct cs_arena arena;
	struct cs_terms t;

	cs_arena_init(&arena, 65536);
	cs_terms_init(&t, &arena);
	assert_true(cs_terms_add_dns(&t, cs_span_str(name)) &&
		    cs_terms_add(&t, CS_TERM_VERDICT, cs_span_str(verdict)));
	cs_terms_encode(&t, out);
	cs_arena_done(&arena);
}

/* REFUSAL */
static void send_refusal(struct cs_house *h, const struct cs_ask *a,
			 struct cs_span request, struct cs_span terms,
			 uint64_t epoch)
{
	char body[128];
	struct cs_msg_refusal m = {
		.request = request,
		.csr = cs_span_str(a->name == NULL ? "www" : a->name),
		.now_ms = h->wall_ms + a->now_offset_ms,
		.epoch = epoch,
		.terms = terms,
		.inputs = CS_SPAN_LIT("{\"engine\":\"test\"}"),
	};

	(void)snprintf(body, sizeof(body),
		       "{\"changed\":false,\"code\":\"%s\",\"verdict\":"
		       "\"refused\"}",
		       a->code);
	m.body = cs_span_str(body);
	assert_true(cs_link_send_refusal(h->worker, h->ticket, &m, NULL));
}

/* INTENT */
static void send_intent(struct cs_house *h, const struct cs_ask *a,
			struct cs_span request, struct cs_span terms,
			uint64_t epoch)
{
	const char *name = a->name == NULL ? "www" : a->name;
	uint64_t number = a->serial == 0 ? ++h->next_serial : a->serial;
	uint8_t serial[17] = {0x5b};
	char tbs[64];
	struct cs_msg_intent m = {
		.request = request,
		.csr = cs_span_str(name),
		.now_ms = h->wall_ms + a->now_offset_ms,
		.epoch = epoch,
		.not_after_s = 1800000000,
		.body = CS_SPAN_LIT("{\"changed\":false,\"verdict\":"
				    "\"issued\"}"),
		.terms = terms,
		.inputs = CS_SPAN_LIT("{\"engine\":\"test\"}"),
		.limits = a->limits,
	};

	memcpy(serial + 1, &number, sizeof(number));
	m.serial = cs_span_make(serial, sizeof(serial));
	(void)snprintf(tbs, sizeof(tbs), "tbs of %s %llu", name,
		       (unsigned long long)number);
	m.tbs = cs_span_str(tbs);
	if (a->spki != 0)
		number = a->spki;
	memcpy(m.spki_sha256, &number, sizeof(number));
	m.subject_key[0] = a->subject;
	assert_true(cs_link_send_intent(h->worker, h->ticket, &m, NULL));
}

uint64_t cs_house_ask(struct cs_house *h, const struct cs_ask *ask)
{
	struct cs_buf request, terms;
	uint64_t epoch = ask->epoch == 0 ? h->ledger->epoch : ask->epoch;

	h->ticket++;
	cs_buf_init(&request, 65536);
	cs_buf_init(&terms, 65536);
	encode_request(h, ask, &request);
	encode_terms(ask->name == NULL ? "www" : ask->name,
		     ask->code == NULL ? "issued" : "refused", &terms);
	if (ask->code != NULL)
		send_refusal(h, ask, cs_buf_span(&request), cs_buf_span(&terms),
			     epoch);
	else
		send_intent(h, ask, cs_buf_span(&request), cs_buf_span(&terms),
			    epoch);
	cs_buf_done(&request);
	cs_buf_done(&terms);
	return h->ticket;
}

const struct cs_got *cs_house_answer(struct cs_house *h, uint64_t ticket,
				     size_t n, struct cs_msg_answer *ret)
{
	for (size_t i = 0; i < h->front_n; i++) {
		struct cs_got *g = &h->front_got[i];

		if (g->number != CS_MSG_ANSWER || g->ticket != ticket ||
		    n-- > 0)
			continue;
		assert_true(cs_msg_answer_decode(cs_span_make(g->body, g->n),
						 ret, NULL));
		return g;
	}
	return NULL;
}

enum cs_answer cs_house_ask_wait(struct cs_house *h, const struct cs_ask *ask,
				 struct cs_msg_answer *ret)
{
	size_t before = cs_house_count(h, CS_MSG_ANSWER);
	uint64_t ticket = cs_house_ask(h, ask);

	assert_true(cs_house_wait(h, CS_MSG_ANSWER, before + 1));
	assert_non_null(cs_house_answer(h, ticket, 0, ret));
	return (enum cs_answer)ret->outcome;
}

/* The ADMIN_DONE that came. */
static void admin_done(struct cs_house *h, size_t before,
		       struct cs_msg_admin_done *ret)
{
	const struct cs_got *g;

	assert_true(cs_house_wait(h, CS_MSG_ADMIN_DONE, before + 1));
	g = cs_house_last(h, CS_MSG_ADMIN_DONE);
	assert_true(cs_msg_admin_done_decode(cs_span_make(g->body, g->n), ret,
					     NULL));
}

void cs_house_change(struct cs_house *h, const char *json,
		     struct cs_msg_admin_done *ret)
{
	size_t before = cs_house_count(h, CS_MSG_ADMIN_DONE);
	struct cs_msg_client_change m = {
		.change = cs_span_str(json), .credential = 1, .uid = 0};

	assert_true(
		cs_link_send_client_change(h->front, ++h->ticket, &m, NULL));
	admin_done(h, before, ret);
}

void cs_house_apply(struct cs_house *h, const char *rules,
		    struct cs_msg_admin_done *ret)
{
	size_t before = cs_house_count(h, CS_MSG_ADMIN_DONE);
	struct cs_source source = {CS_SPAN_LIT("default.yaml"),
				   cs_span_str(rules)};
	struct cs_sources sources = {&source, 1};
	struct cs_msg_apply m = {.ok = 1,
				 .engine = CS_SPAN_LIT("countersign test"),
				 .credential = 1,
				 .uid = 0};
	struct cs_buf files;

	cs_buf_init(&files, 65536);
	cs_sources_encode(&sources, &files);
	m.files = cs_buf_span(&files);
	assert_true(cs_hash_sha256(h->hash, m.files, m.set_sha256, NULL));
	assert_true(cs_link_send_apply(h->worker, ++h->ticket, &m, NULL));
	cs_buf_done(&files);
	admin_done(h, before, ret);
}
