#include "api/front_house_ask.h"

#include "api/front_flights.h"
#include "api/front_house_tell.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/submit.h"
#include "base/json.h"
#include "base/random.h"

/* What stands beside its CSR, and the house's own approval. */
static bool house_words(struct cs_front *f, struct cs_msg_request *m,
			struct cs_error *err)
{
	const struct cs_approval a = {
		.at_ms = m->received_ms,
		.by = m->client_name,
		.self = true,
		.uid = -1,
	};
	struct cs_buf *out = cs_front_out(f);
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_member_span(&j, "issuer", m->issuer);
	cs_json_member_span(&j, "requester", m->client_name);
	cs_json_end(&j);
	if (!cs_json_finish(&j, "the scalars", err))
		return false;
	if (!cs_arena_dup(&f->arena, cs_buf_span(out), &m->scalars))
		return cs_error_set(err, CS_E_NO_MEMORY, "out of memory");
	out = cs_front_out(f);
	if (!cs_approval_write(&a, out, err))
		return false;
	if (!cs_arena_dup(&f->arena, cs_buf_span(out), &m->approval))
		return cs_error_set(err, CS_E_NO_MEMORY, "out of memory");
	return true;
}

/* Its REQUEST: asked for and approved by the house itself. */
static bool house_request(struct cs_front *f, struct cs_msg_request *ret_m,
			  struct cs_error *err)
{
	const struct cs_client *house =
		cs_clients_by_id(f->clients, CS_CLIENT_HOUSE);
	struct cs_msg_request m = {
		.flags = CS_REQ_APPROVED | CS_REQ_SELF,
		.client = CS_CLIENT_HOUSE,
		.uid = -1,
		.client_name = CS_SPAN_LIT("_house"),
		.source = cs_buf_span(&f->house.source),
		.issuer = cs_buf_span(&f->house.issuer),
		.received_ms = cs_clock_wall_ms(&f->config.clock),
		.csr = cs_buf_span(&f->house.csr),
		.approver_client = CS_CLIENT_HOUSE,
	};
	struct cs_span parts[2];

	if (house != NULL && house->credentials_n > 0)
		m.credential = house->credentials[0].id;
	m.approver_credential = m.credential;
	if (!house_words(f, &m, err))
		return false;
	/* Nobody approves it by its hash, and it has no key to replay. */
	parts[0] = m.scalars;
	parts[1] = m.csr;
	if (!cs_random_public(m.id, sizeof(m.id), err) ||
	    !cs_hash_sha256_parts(f->hash, parts, 2, m.fingerprint, err))
		return false;
	*ret_m = m;
	return true;
}

void cs_front_house_try(void *front)
{
	struct cs_front *f = front;
	struct cs_msg_request m;
	struct cs_problem p;
	struct cs_error err;

	if (!f->house.wanted || f->life != CS_FRONT_SERVING ||
	    f->state.state != CS_LEDGER_ISSUING)
		return;
	cs_arena_reset(&f->arena);
	f->house.wanted = false;
	f->house.tries++;
	if (!house_request(f, &m, &err)) {
		cs_front_house_failed(f, cs_span_str(err.text));
		return;
	}
	if (!cs_front_launch(f, &m, CS_FLIGHT_HOUSE, f->house.ticket, &p)) {
		f->house.wanted = true;
		cs_timer_start(f->retry, CS_FRONT_HOUSE_RETRY_MS);
	}
}

bool cs_front_house_csr(struct cs_front *f, uint64_t ticket,
			const struct cs_msg_house_csr *m, struct cs_error *err)
{
	struct cs_front_house *l = &f->house;

	cs_buf_reset(&l->source);
	cs_buf_reset(&l->issuer);
	cs_buf_reset(&l->csr);
	cs_buf_add(&l->source, m->source);
	cs_buf_add(&l->issuer, m->issuer);
	cs_buf_add(&l->csr, m->csr);
	if (!cs_buf_finish(&l->source, "HOUSE_CSR", err) ||
	    !cs_buf_finish(&l->issuer, "HOUSE_CSR", err) ||
	    !cs_buf_finish(&l->csr, "HOUSE_CSR", err))
		return false;
	l->ticket = ticket;
	l->wanted = true;
	l->tries = 0;
	cs_front_house_try(f);
	return true;
}
