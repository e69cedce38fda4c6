#include "api/front_issuers.h"

#include "api/front_ask.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/issuers.h"
#include "api/params.h"
#include "api/submit.h"

static const struct cs_front_issuer *find(const struct cs_front *f,
					  struct cs_span name)
{
	return cs_submit_issuer(f->config.issuers, f->config.issuers_n, name);
}

/* Ask the reader what is recorded of them; `name` is empty for all. */
static bool ask(struct cs_front *f, struct cs_call *c, struct cs_span name)
{
	const struct cs_msg_query m = {
		.kind = CS_QUERY_ISSUERS,
		.params = CS_SPAN_LIT("{}"),
	};
	struct cs_error err;
	struct cs_wait *w;

	if (!cs_params_none(c->request->head->query, c->p) ||
	    !cs_front_wait(f, c, CS_WAIT_ISSUERS, &w))
		return false;
	if (!cs_arena_dup(&w->arena, name, &w->name))
		cs_error_set(&err, CS_E_NO_MEMORY, "no memory");
	else if (cs_link_send_query(f->reader, w->ticket, &m, &err))
		return true;
	cs_waits_end(f->waits, w);
	return cs_problem_set(c->p, cs_problem_of_error(err.code), "", "%s",
			      err.text);
}

bool cs_front_list_issuers(struct cs_front *f, struct cs_call *c)
{
	return ask(f, c, CS_SPAN_LIT(""));
}

bool cs_front_get_issuer(struct cs_front *f, struct cs_call *c)
{
	if (find(f, c->arg) == NULL)
		return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
				      "There is no such issuer.");
	return ask(f, c, c->arg);
}

void cs_front_reply_issuers(struct cs_front *f, const struct cs_wait *w,
			    struct cs_span recorded)
{
	struct cs_buf *out = cs_front_out(f);
	struct cs_error err;
	bool ok;

	if (w->name.n > 0)
		ok = cs_issuers_write_one(find(f, w->name), recorded, out,
					  &err);
	else
		ok = cs_issuers_write(f->config.issuers, f->config.issuers_n,
				      recorded, out, &err);
	if (ok)
		cs_front_reply_json(f, w->http, 200, cs_buf_span(out));
	else
		cs_front_reply_error(f, w->http, &err);
}

bool cs_front_get_chain(struct cs_front *f, struct cs_call *c)
{
	const struct cs_reply r = {
		.status = 200,
		.media_type = "application/pem-certificate-chain",
	};
	const struct cs_front_issuer *is = find(f, c->arg);

	if (is == NULL)
		return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
				      "There is no such issuer.");
	/* A root that issues itself has nothing between. */
	cs_front_reply(f, c->ticket, &r, is->chain.n > 0 ? is->chain : is->ca);
	return true;
}
