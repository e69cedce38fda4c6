#include "cli/house_parts.h"

#include "cli/command.h"
#include "cli/files.h"
#include "cli/policies.h"
#include "cli/renew.h"

/* How often the listener's certificate is looked at: an hour. */
#define RENEW_MS 3600000
/* How soon it is tried again when it could not be renewed. */
#define RETRY_MS 300000

bool cs_house_send_policies(struct cs_house *h, struct cs_link *front,
			    uint64_t ticket, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf files;
	struct cs_error why = {0};
	struct cs_msg_policy_files m = {.ok = 1};

	cs_buf_init(&files, CS_MAX_MESSAGE);
	if (cs_policies_read_dir(h->config->install->dir, &files, &why)) {
		m.files = cs_buf_span(&files);
	} else {
		m.ok = 0;
		m.detail = cs_span_str(why.text);
	}
	return cs_link_send_policy_files(front, ticket, &m, err);
}

bool cs_house_send_csr(struct cs_house *h, struct cs_link *front,
		       struct cs_span csr, struct cs_error *err)
{
	const struct cs_msg_listener_csr m = {
		.issuer =
			cs_span_str(h->config->install->config.issuers[0].name),
		.csr = csr,
	};

	return cs_link_send_listener_csr(front, CS_HOUSE_NO_TICKET, &m, err);
}

/* LISTENER_KEY to front: the files as they are now. */
static bool send_listener_key(struct cs_house *h, struct cs_link *front,
			      struct cs_error *err)
{
	const struct cs_install *in = h->config->install;
	CS_CLEANUP(cs_buf_done) struct cs_buf chain;
	struct cs_msg_listener_key m;
	struct cs_buf *b;
	bool ok;
	int fd;

	cs_buf_init(&chain, CS_MAX_PEM_FILE);
	if (!cs_files_read(in->dir, in->config.tls_chain, &chain, err) ||
	    !cs_files_open_secret(in->dir, in->config.tls_key, &fd, err))
		return false;
	m.chain = cs_buf_span(&chain);
	b = cs_link_scratch(front);
	cs_msg_listener_key_encode(&m, b);
	ok = cs_buf_finish(b, "LISTENER_KEY", err) &&
	     cs_link_send(front, CS_MSG_LISTENER_KEY, CS_HOUSE_NO_TICKET,
			  cs_buf_span(b), fd, err);
	close(fd);
	return ok;
}

/* A renewed certificate: into its place, and to front. */
static void take_renewed(struct cs_house *h, struct cs_link *front,
			 const struct cs_msg_listener_cert *m)
{
	struct cs_error err = {0};

	h->renewing = false;
	if (!m->ok)
		cs_error_set(&err, CS_E_CERT,
			     "the listener's certificate was not renewed: %.*s",
			     CS_SPAN_FMT(m->detail));
	if (m->ok && cs_renew_finish(h->config->install, m->chain, &err) &&
	    send_listener_key(h, front, &err))
		cs_log_write(h->config->log, CS_LOG_INFO, "house.renewed",
			     "the listener has a new certificate");
	else {
		cs_log_error(h->config->log, "house.renew", &err);
		cs_timer_start(h->renew_timer, RETRY_MS);
	}
}

/* `init`: the listener's certificate has come, or not. */
static void take_first(struct cs_house *h, const struct cs_msg_listener_cert *m)
{
	const struct cs_install *in = h->config->install;

	if (m->ok && cs_files_write(in->dir, in->config.tls_chain, m->chain,
				    0644, &h->why)) {
		cs_house_stop(h, CS_EXIT_DONE);
		return;
	}
	if (!m->ok)
		cs_error_set(&h->why, CS_E_CERT,
			     "the listener's certificate was not issued: %.*s",
			     CS_SPAN_FMT(m->detail));
	cs_house_stop(h, CS_EXIT_REFUSED);
}

bool cs_house_take_cert(struct cs_house *h, struct cs_link *front,
			struct cs_span body, struct cs_error *err)
{
	struct cs_msg_listener_cert m;

	if (!cs_msg_listener_cert_decode(body, &m, err))
		return false;
	if (h->phase == CS_HOUSE_PHASE_STOPPING)
		return true;
	if (h->renewing)
		take_renewed(h, front, &m);
	else if (h->config->purpose == CS_HOUSE_INIT)
		take_first(h, &m);
	else
		return cs_error_set(err, CS_E_PROTOCOL,
				    "a listener's certificate was not asked "
				    "for");
	return true;
}

/* SIGHUP: what can be reloaded is read and handed on. */
void cs_house_reload(struct cs_house *h)
{
	struct cs_house_proc *front = cs_house_find(h, CS_ROOM_F);
	bool by_api = h->config->install->config.policy_by_api;
	struct cs_error err = {0};

	if (h->phase != CS_HOUSE_PHASE_RUNNING || front == NULL ||
	    front->link == NULL)
		return;
	cs_log_write(h->config->log, CS_LOG_INFO, "house.reload",
		     by_api ? "reading the listener's key again; policy comes "
			      "with POST /v1/policies"
			    : "reading policy files and the listener's key "
			      "again");
	if (!send_listener_key(h, front->link, &err))
		cs_log_error(h->config->log, "house.reload", &err);
	cs_timer_start(h->renew_timer, 1);
	if (!by_api && !cs_house_send_policies(h, front->link,
					       CS_HOUSE_NO_TICKET, &h->why))
		cs_house_fail(h);
}

/* Is the listener's certificate to be renewed? */
void cs_house_renew(void *ctx)
{
	struct cs_house *h = ctx;
	struct cs_house_proc *front = cs_house_find(h, CS_ROOM_F);
	CS_CLEANUP(cs_buf_done) struct cs_buf csr;
	struct cs_error err = {0};
	bool due = false;

	cs_buf_init(&csr, CS_MAX_CSR_DER);
	cs_timer_start(h->renew_timer, RENEW_MS);
	if (h->phase != CS_HOUSE_PHASE_RUNNING || h->renewing ||
	    front == NULL || front->link == NULL)
		return;
	if (!cs_renew_is_due(h->config->install,
			     cs_clock_wall_ms(&h->config->clock) / 1000, &due,
			     &err) ||
	    (due && !cs_renew_begin(h->config->install, &csr, &err)) ||
	    (due &&
	     !cs_house_send_csr(h, front->link, cs_buf_span(&csr), &err)))
		cs_log_error(h->config->log, "house.renew", &err);
	else
		h->renewing = due;
	if (err.code != CS_E_NONE)
		cs_timer_start(h->renew_timer, RETRY_MS);
}
