/* Who waits for CRLs, and what they are told (store/ledger_crl.h). */
#include <stdio.h>

#include "base/json.h"
#include "base/time.h"
#include "store/ledger_crl.h"
#include "store/ledger_room.h"

/* The same for one that waits, who does so no more. */
static void end_waiter(struct cs_ledger *l, size_t i, uint8_t ok,
		       const char *code, const char *detail,
		       struct cs_span body)
{
	struct cs_ledger_crl *c = l->crl;
	uint64_t ticket = c->waiters[i].ticket;

	c->waiters[i] = c->waiters[--c->waiters_n];
	cs_ledger_send_done(l, ticket, ok, code, detail, body);
}

/* Does this name mean that CA certificate? All of a name, or one label. */
static bool is_named(const struct cs_ledger *l, struct cs_span name, size_t i)
{
	return name.n == 0 ||
	       cs_span_equal_str(name, cs_ledger_crl_label(l, i)) ||
	       cs_span_equal_str(name, cs_ledger_crl_row(l, i)->config->name);
}

/* Is this publication about that CA certificate? */
static bool concerns(const struct cs_ledger *l, const struct cs_crl_waiter *w,
		     size_t i)
{
	return is_named(l, cs_span_str(w->name), i);
}

/* Has everything been signed that this one waits for? */
static bool is_done(const struct cs_ledger *l, const struct cs_crl_waiter *w)
{
	const struct cs_ledger_crl *c = l->crl;

	for (size_t i = 0; i < cs_ledger_crl_rows(l); i++) {
		if (!concerns(l, w, i) || !cs_ledger_crl_is_valid(l, i))
			continue;
		for (uint32_t n = 0; n < c->issuers[i].n; n++)
			if (c->issuers[i].shards[n].done < w->publication)
				return false;
	}
	return true;
}

/* One CRL of the answer. */
static void put_item(struct cs_json *j, const struct cs_ledger_issuer_row *is,
		     uint32_t n, const struct cs_crl_shard *shard)
{
	char text[CS_TIME_TEXT];

	cs_json_object(j);
	cs_json_member_int(j, "entries", shard->count);
	cs_json_member_int(j, "generation", (int64_t)is->generation);
	cs_json_member_str(j, "issuer", is->config->name);
	cs_time_rfc3339(shard->next_s, text);
	cs_json_member_str(j, "next_update", text);
	cs_json_member_int(j, "number", (int64_t)shard->signed_number);
	cs_json_member_int(j, "shard", n);
	cs_time_rfc3339(shard->this_s, text);
	cs_json_member_str(j, "this_update", text);
	cs_json_end(j);
}

/* {"items":[...],"total":n} into l->json. */
static bool put_items(struct cs_ledger *l, const struct cs_crl_waiter *w,
		      struct cs_error *err)
{
	struct cs_json j;
	int64_t total = 0;

	cs_ledger_act_begin(l, &j);
	cs_json_name(&j, "items");
	cs_json_array(&j);
	for (size_t i = 0; i < cs_ledger_crl_rows(l); i++) {
		const struct cs_crl_issuer *is = &l->crl->issuers[i];

		for (uint32_t n = 0; concerns(l, w, i) && n < is->n; n++)
			if (is->shards[n].done >= w->publication &&
			    ++total <= CS_MAX_CRL_REPORT)
				put_item(&j, cs_ledger_crl_row(l, i), n,
					 &is->shards[n]);
	}
	cs_json_end(&j);
	cs_json_member_int(&j, "total", total);
	cs_json_end(&j);
	return cs_json_finish(&j, "CRLs", err);
}

void cs_ledger_crl_tell(struct cs_ledger *l)
{
	struct cs_ledger_crl *c = l->crl;
	struct cs_error err = {0};

	for (size_t i = c->waiters_n; i-- > 0;) {
		if (!is_done(l, &c->waiters[i]))
			continue;
		if (put_items(l, &c->waiters[i], &err))
			end_waiter(l, i, 1, "", "", cs_buf_span(&l->json));
		else
			end_waiter(l, i, 0, "INTERNAL", err.text,
				   cs_span_str(""));
	}
}

void cs_ledger_crl_tell_failed(struct cs_ledger *l,
			       const struct cs_crl_job *job)
{
	struct cs_ledger_crl *c = l->crl;

	for (size_t i = c->waiters_n; i-- > 0;)
		if (concerns(l, &c->waiters[i], job->issuer) &&
		    c->waiters[i].publication <= job->wanted)
			end_waiter(l, i, 0, job->code,
				   c->issuers[job->issuer].trouble,
				   cs_span_str(""));
}

void cs_ledger_crl_abort(struct cs_ledger *l, const char *code)
{
	struct cs_ledger_crl *c = l->crl;

	while (c->waiters_n > 0)
		end_waiter(l, 0, 0, code == NULL ? "BUSY" : code,
			   "no CRL is signed now", cs_span_str(""));
}

void cs_ledger_crl_publish(struct cs_ledger *l, const struct cs_work *w)
{
	struct cs_ledger_crl *c = l->crl;
	struct cs_span name = w->m.crl_publish.issuer;
	struct cs_crl_waiter waiter = {w->ticket, ++c->publications, ""};

	if (c->waiters_n == CS_CRL_WAITERS) {
		cs_ledger_send_done(l, w->ticket, 0, "BUSY",
				    "others wait for CRLs already",
				    cs_span_str(""));
		return;
	}
	(void)snprintf(waiter.name, sizeof(waiter.name), "%.*s",
		       CS_SPAN_FMT(name));
	for (size_t i = 0; i < cs_ledger_crl_rows(l); i++)
		for (uint32_t n = 0;
		     is_named(l, name, i) && n < c->issuers[i].n; n++)
			c->issuers[i].shards[n].wanted = waiter.publication;
	c->waiters[c->waiters_n++] = waiter;
	c->stirred = true;
	cs_idle_request(c->idle);
}

bool cs_ledger_do_crl_publish(struct cs_ledger *l, struct cs_work *w)
{
	struct cs_span name = w->m.crl_publish.issuer;
	const char *closed = cs_ledger_closed_code(l);
	bool known = false;
	bool valid = false;

	for (size_t i = 0; i < cs_ledger_crl_rows(l); i++) {
		if (!is_named(l, name, i))
			continue;
		known = true;
		valid = valid || cs_ledger_crl_is_valid(l, i);
	}
	if (closed != NULL && cs_ledger_state(l) != CS_LEDGER_NO_POLICY)
		cs_ledger_act_done(w, 0, closed, "no CRL is signed now");
	else if (!known)
		cs_ledger_act_done(w, 0, "NOT_FOUND",
				   "there is no issuer of this name");
	else if (!valid)
		cs_ledger_act_done(
			w, 0, "CONFLICT",
			"the CA is not valid now, or its key is gone");
	else
		w->end = CS_END_CRL;
	return true;
}
