#include "cli/house_parts.h"

#include "base/fd.h"
#include "cli/command.h"
#include "cli/files.h"
#include "cli/policies.h"
#include "cli/renew.h"

/* How often the house's own certificates are looked at: an hour. */
#define RENEW_MS 3600000
/* How soon it is tried again when one could not be renewed. */
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

bool cs_house_send_csr(struct cs_link *front, const struct cs_renew *r,
		       struct cs_span csr, struct cs_error *err)
{
	const struct cs_msg_house_csr m = {
		.source = cs_span_str(r->source),
		.issuer = cs_span_str(r->issuer),
		.csr = csr,
	};

	return cs_link_send_house_csr(front, CS_HOUSE_NO_TICKET, &m, err);
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

/* OCSP_KEY to the reader: the files as they are now. */
static bool send_ocsp_key(struct cs_house *h, const struct cs_renew *r,
			  struct cs_error *err)
{
	struct cs_house_proc *reader = cs_house_find(h, CS_ROOM_R);
	CS_CLEANUP(cs_buf_done) struct cs_buf chain;
	struct cs_msg_ocsp_key m = {.issuer = cs_span_str(r->issuer)};
	int key = -1, file = -1;
	struct cs_buf *b;
	bool ok;

	cs_buf_init(&chain, CS_MAX_PEM_FILE);
	if (reader == NULL || reader->link == NULL)
		return cs_error_set(err, CS_E_PEER_GONE, "reader has gone");
	if (!cs_renew_open(h->config->install, r, &key, &file, err))
		return false;
	ok = cs_fd_read(file, r->folder, &chain, err);
	m.chain = cs_buf_span(&chain);
	b = cs_link_scratch(reader->link);
	cs_msg_ocsp_key_encode(&m, b);
	ok = ok && cs_buf_finish(b, "OCSP_KEY", err) &&
	     cs_link_send(reader->link, CS_MSG_OCSP_KEY, CS_HOUSE_NO_TICKET,
			  cs_buf_span(b), key, err);
	close(key);
	close(file);
	return ok;
}

/* Whoever uses it has the new one from now on. */
static bool hand_on(struct cs_house *h, struct cs_link *front,
		    const struct cs_renew *r, struct cs_error *err)
{
	return cs_renew_is_listener(r) ? send_listener_key(h, front, err)
				       : send_ocsp_key(h, r, err);
}

/* A renewed certificate: into its place, and to whoever uses it. */
static void take_renewed(struct cs_house *h, struct cs_link *front,
			 const struct cs_msg_house_cert *m)
{
	const struct cs_install *in = h->config->install;
	struct cs_error err = {0};
	struct cs_renew r;

	h->renewing = false;
	if (!cs_renew_at(in, h->renew_next, &r))
		return; /* cannot be: it was asked for */
	if (!m->ok)
		cs_error_set(&err, CS_E_CERT, "%s has no new certificate: %.*s",
			     r.what, CS_SPAN_FMT(m->detail));
	if (m->ok && cs_renew_finish(in, &r, m->chain, &err) &&
	    hand_on(h, front, &r, &err)) {
		cs_log_write(h->config->log, CS_LOG_INFO, "house.renewed",
			     "%s has a new certificate", r.what);
	} else {
		cs_log_error(h->config->log, "house.renew", &err);
		/* What the gate refused is recorded: not every few minutes. */
		h->renew_failed |= m->ok || cs_renew_is_listener(&r);
	}
	h->renew_next++;
	cs_timer_start(h->renew_timer, 1);
}

/* `init`: the listener's certificate has come, or not. */
static void take_first(struct cs_house *h, const struct cs_msg_house_cert *m)
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
	struct cs_msg_house_cert m;

	if (!cs_msg_house_cert_decode(body, &m, err))
		return false;
	if (h->phase == CS_HOUSE_PHASE_STOPPING)
		return true;
	if (h->renewing)
		take_renewed(h, front, &m);
	else if (h->config->purpose == CS_HOUSE_INIT)
		take_first(h, &m);
	else
		return cs_error_set(err, CS_E_PROTOCOL,
				    "a certificate was not asked for");
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

/* Is it due? Then begin: its certificate is awaited. */
static bool renew_one(struct cs_house *h, struct cs_link *front,
		      const struct cs_renew *r, struct cs_error *err)
{
	const struct cs_install *in = h->config->install;
	int64_t now_s = cs_clock_wall_ms(&h->config->clock) / 1000;
	CS_CLEANUP(cs_buf_done) struct cs_buf csr;
	bool due = false;

	cs_buf_init(&csr, CS_MAX_CSR_DER);
	if (!cs_renew_is_due(in, r, now_s, &due, err))
		return false;
	if (!due)
		return true;
	if (!cs_renew_begin(in, r, &csr, err) ||
	    !cs_house_send_csr(front, r, cs_buf_span(&csr), err))
		return false;
	h->renewing = true;
	return true;
}

/*
 * One after another, from the one that is next; then a pause. One that fails
 * keeps no other from its turn.
 */
void cs_house_renew(void *ctx)
{
	struct cs_house *h = ctx;
	const struct cs_install *in = h->config->install;
	struct cs_house_proc *front = cs_house_find(h, CS_ROOM_F);

	cs_timer_start(h->renew_timer, RENEW_MS);
	if (h->phase != CS_HOUSE_PHASE_RUNNING || h->renewing ||
	    front == NULL || front->link == NULL)
		return;
	for (; h->renew_next < cs_renew_count(in); h->renew_next++) {
		struct cs_error err = {0};
		struct cs_renew r;

		if (!cs_renew_at(in, h->renew_next, &r))
			continue;
		if (!renew_one(h, front->link, &r, &err)) {
			cs_log_error(h->config->log, "house.renew", &err);
			h->renew_failed = true;
		}
		if (h->renewing)
			return;
	}
	if (h->renew_failed)
		cs_timer_start(h->renew_timer, RETRY_MS);
	h->renew_next = 0;
	h->renew_failed = false;
}
