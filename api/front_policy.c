#include "api/front_policy.h"

#include "api/front_ask.h"
#include "api/front_checks.h"
#include "api/front_house_tell.h"
#include "api/front_life.h"
#include "api/front_refusal.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/params.h"
#include "api/policy_body.h"

/* DIR/policies: parent reads it, and only on the server itself is it asked. */
static bool apply_files(struct cs_front *f, struct cs_call *c, bool dry_run)
{
	const struct cs_msg_policy_read m = {0};
	struct cs_error err;
	struct cs_wait *w;

	if (!c->who.is_local)
		return cs_problem_set(c->p, CS_PROBLEM_LOCAL_ONLY, "",
				      "The policy files are applied over the"
				      " Unix socket, on the server itself.");
	if (f->config.policy_by_api && !dry_run)
		return cs_problem_set(c->p, CS_PROBLEM_CONFLICT, "",
				      "countersign.yaml says policy_source:"
				      " api, so the files in policies/ are not"
				      " applied: POST /v1/policies with"
				      " {\"sources\": [{\"name\", \"text\"}]}"
				      " replaces the set.");
	if (!cs_front_wait(f, c, CS_WAIT_SOURCES, &w))
		return false;
	w->apply = dry_run ? 0 : 1;
	if (cs_link_send_policy_read(f->parent, w->ticket, &m, &err))
		return true;
	cs_waits_end(f->waits, w);
	return cs_problem_set(c->p, cs_problem_of_error(err.code), "", "%s",
			      err.text);
}

/* What came with the call, to a worker. */
static bool apply_body(struct cs_front *f, struct cs_call *c, bool dry_run)
{
	struct cs_wait *w;

	if (!cs_front_wait(f, c, CS_WAIT_CHECK, &w))
		return false;
	w->apply = dry_run ? 0 : 1;
	cs_buf_init(&w->sources, CS_MAX_MESSAGE);
	if (!cs_policy_body_read(c->request->body, &w->arena, &w->sources,
				 c->p)) {
		cs_waits_end(f->waits, w);
		return false;
	}
	if (!f->config.policy_by_api && !dry_run) {
		cs_waits_end(f->waits, w);
		return cs_problem_set(c->p, CS_PROBLEM_CONFLICT, "",
				      "countersign.yaml says policy_source:"
				      " files, so a set cannot come with the"
				      " call: change the files in policies/,"
				      " then `countersign policy apply`.");
	}
	cs_front_pump_checks(f);
	return true;
}

bool cs_front_apply_policies(struct cs_front *f, struct cs_call *c)
{
	bool dry_run;

	if (!cs_params_flag("dry_run", c->request->head->query, &f->arena,
			    &dry_run, c->p))
		return false;
	/* One set is for all issuers. */
	if (!c->who.client->all_issuers) {
		cs_problem_set(c->p, CS_PROBLEM_FORBIDDEN, "",
			       "The client %.*s administers some issuers only;"
			       " a policy set is for all of them.",
			       CS_SPAN_FMT(c->who.client->name));
		cs_front_note_refusal(f, c);
		return false;
	}
	return c->request->body.n == 0 ? apply_files(f, c, dry_run)
				       : apply_body(f, c, dry_run);
}

/* SIGHUP and init: nobody waits, the house itself asks. */
static struct cs_wait *house_wait(struct cs_front *f)
{
	const struct cs_client *house =
		f->clients == NULL
			? NULL
			: cs_clients_by_id(f->clients, CS_CLIENT_HOUSE);
	struct cs_wait *w = cs_waits_add(f->waits, CS_WAIT_SOURCES, 0);

	if (w == NULL) {
		cs_log_write(f->config.log, CS_LOG_WARNING, "policy.rejected",
			     "too much is under way to look at the policy"
			     " files; ask again");
		return NULL;
	}
	w->asker = (struct cs_asker){.client = CS_CLIENT_HOUSE, .uid = -1};
	if (house != NULL && house->credentials_n > 0)
		w->asker.credential = house->credentials[0].id;
	w->apply = 1;
	return w;
}

bool cs_front_policy_files(struct cs_front *f, uint64_t ticket,
			   const struct cs_msg_policy_files *m,
			   struct cs_error *err)
{
	struct cs_wait *w =
		ticket == 0 ? house_wait(f) : cs_waits_find(f->waits, ticket);

	if (w == NULL || w->kind != CS_WAIT_SOURCES)
		return true;
	if (m->ok == 0) {
		cs_front_check_refused(f, w, CS_PROBLEM_POLICY_INVALID,
				       m->detail);
		cs_waits_end(f->waits, w);
		return true;
	}
	cs_buf_init(&w->sources, CS_MAX_MESSAGE);
	if (!cs_buf_add(&w->sources, m->files))
		return cs_buf_finish(&w->sources, "POLICY_FILES", err);
	w->kind = CS_WAIT_CHECK;
	cs_front_pump_checks(f);
	return true;
}

void cs_front_checked(struct cs_front *f, uint64_t ticket,
		      const struct cs_msg_checked *m)
{
	struct cs_wait *w = cs_waits_find(f->waits, ticket);

	if (w == NULL || w->kind != CS_WAIT_CHECK)
		return;
	if (m->ok != 0)
		cs_front_reply_json(f, w->http, 200, m->report);
	else
		cs_front_reply_report(
			f, w, CS_SPAN_LIT("The policy set does not load."),
			m->report);
	cs_waits_end(f->waits, w);
	cs_front_check_stop(f);
}

void cs_front_policy_done(struct cs_front *f, struct cs_wait *w,
			  const struct cs_msg_admin_done *m)
{
	if (m->ok != 0) {
		cs_log_write(f->config.log, CS_LOG_INFO, "policy.applied",
			     "a policy set was applied");
		cs_front_reply_json(f, w->http, 200,
				    m->body.n > 0 ? m->body
						  : CS_SPAN_LIT("{}"));
		return;
	}
	if (m->body.n == 0) {
		cs_front_reply_foreign(f, w->http, m->code, m->detail);
	} else {
		cs_front_reply_report(f, w, m->detail, m->body);
	}
	if (w->http == 0)
		cs_log_write(f->config.log, CS_LOG_WARNING, "policy.rejected",
			     "%.*s", CS_SPAN_FMT(m->detail));
	if (f->house.wanted && f->state.state == CS_LEDGER_NO_POLICY)
		cs_front_house_failed(f, m->detail.n > 0 ? m->detail : m->body);
}
