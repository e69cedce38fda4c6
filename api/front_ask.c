#include "api/front_ask.h"

#include "api/front_reply.h"
#include "api/front_room.h"
#include "base/codec.h"
#include "base/json.h"

/* Who asked, as ids. */
static struct cs_asker asker_of(const struct cs_call *c)
{
	if (c->who.client == NULL) /* of a route for anybody */
		return (struct cs_asker){.uid = -1};
	return (struct cs_asker){
		.client = c->who.client->id,
		.credential = c->who.credential,
		.uid = c->who.uid,
		.by_certificate = c->who.certificate != NULL,
		.serial_key = c->who.serial_key,
	};
}

bool cs_front_find_asker(const struct cs_front *f, const struct cs_asker *a,
			 struct cs_principal *ret_who)
{
	const struct cs_client *client =
		cs_clients_by_id(f->clients, a->client);

	if (client == NULL ||
	    (a->by_certificate &&
	     cs_revoked_holds(f->revoked, a->serial_key.octets)))
		return false;
	for (size_t i = 0; i < client->credentials_n; i++) {
		if (client->credentials[i].id != a->credential)
			continue;
		if (cs_clock_wall_ms(&f->config.clock) >=
		    client->credentials[i].expires_ms)
			return false;
		*ret_who = (struct cs_principal){
			.client = client,
			.credential = a->credential,
			.uid = a->uid,
			.serial_key = a->serial_key,
		};
		return true;
	}
	return false;
}

/*
 * Is there a place for one more question? Polls that wait, OCSP and strangers
 * take none from clients' questions, nor these from strangers.
 */
static bool has_place(const struct cs_front *f, bool is_stranger)
{
	size_t strangers = cs_waits_strangers(f->waits);
	size_t beside = strangers + cs_waits_polls(f->waits) +
			cs_waits_of(f->waits, CS_WAIT_OCSP);

	if (is_stranger)
		return strangers < CS_MAX_STRANGERS;
	return cs_waits_count(f->waits) - beside < CS_MAX_QUESTIONS;
}

bool cs_front_wait(struct cs_front *f, struct cs_call *c,
		   enum cs_wait_kind kind, struct cs_wait **ret_wait)
{
	bool is_stranger = c->who.client == NULL;
	struct cs_wait *w = NULL;

	if (has_place(f, is_stranger))
		w = cs_waits_add(f->waits, kind, c->ticket);
	if (w == NULL)
		return cs_problem_set(c->p, CS_PROBLEM_BUSY, "",
				      "Too many questions are under way.");
	w->asker = asker_of(c);
	w->of_stranger = is_stranger;
	*ret_wait = w;
	return true;
}

struct cs_front_view cs_front_view(struct cs_front *f,
				   const struct cs_client *c, unsigned rights)
{
	struct cs_front_view view = {.client = c->id};
	struct cs_json j;

	if ((c->rights & rights) == 0)
		return view;
	if (c->all_issuers) {
		view.client = 0;
		return view;
	}
	cs_buf_reset(&f->view);
	cs_json_begin(&j, &f->view);
	cs_json_array(&j);
	for (size_t i = 0; i < c->issuers_n; i++)
		cs_json_string(&j, c->issuers[i]);
	cs_json_end(&j);
	/* Without the list, it sees its own alone. */
	if (cs_json_finish(&j, "a client's issuers", NULL))
		view.issuers = cs_buf_span(&f->view);
	return view;
}

const struct cs_front_view cs_front_everything = {0};

bool cs_front_ask(struct cs_front *f, struct cs_call *c, struct cs_wait *w,
		  enum cs_query kind, const struct cs_front_view *view,
		  struct cs_span params)
{
	const struct cs_msg_query m = {kind, view->client, view->issuers,
				       params};
	struct cs_error err;

	if (cs_link_send_query(f->reader, w->ticket, &m, &err))
		return true;
	return cs_problem_set(c->p, cs_problem_of_error(err.code), "", "%s",
			      err.text);
}

bool cs_front_ask_new(struct cs_front *f, struct cs_call *c,
		      enum cs_wait_kind wait, enum cs_query kind,
		      const struct cs_front_view *view, struct cs_span params)
{
	struct cs_wait *w;

	if (!cs_front_wait(f, c, wait, &w))
		return false;
	if (cs_front_ask(f, c, w, kind, view, params))
		return true;
	cs_waits_end(f->waits, w);
	return false;
}

bool cs_front_hex_params(struct cs_front *f, struct cs_call *c,
			 const char *name, size_t max,
			 struct cs_span *ret_params)
{
	struct cs_buf *out = cs_front_out(f);
	struct cs_error err;
	struct cs_span bytes;
	struct cs_json j;

	if (c->arg.n > 2 * max ||
	    !cs_codec_hex_decode(c->arg, &f->arena, &bytes, &err))
		return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
				      "This is no %s: expected hexadecimal"
				      " digits.",
				      name);
	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_member_hex(&j, name, bytes);
	cs_json_end(&j);
	if (!cs_json_finish(&j, "the question", &err))
		return cs_problem_set(c->p, cs_problem_of_error(err.code), "",
				      "%s", err.text);
	*ret_params = cs_buf_span(out);
	return true;
}
