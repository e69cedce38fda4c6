#include "cli/house_parts.h"

#include <signal.h>
#include <unistd.h>

#include "cli/notify.h"

static void advance(struct cs_house *h);

/* -- links -------------------------------------------------------------- */

/* Handlers of the links to the rooms; ctx is a struct cs_house_proc. */
static bool on_message(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	struct cs_house_proc *p = ctx;
	struct cs_house *h = p->house;
	struct cs_msg_ready ready;

	if (fd >= 0)
		close(fd);
	switch (number) {
	case CS_MSG_READY:
		if (!cs_msg_ready_decode(body, &ready, err))
			return false;
		p->ready = true;
		advance(h);
		return true;
	case CS_MSG_STATE:
		return true;
	case CS_MSG_POLICY_READ:
		return cs_house_send_policies(h, link, ticket, err);
	case CS_MSG_HOUSE_CERT:
		return cs_house_take_cert(h, link, body, err);
	default:
		return cs_error_set(err, CS_E_PROTOCOL, "unexpected %s",
				    cs_msg_name(number));
	}
}

/* The child is about to die, or has lost its mind: SIGCHLD tells the rest. */
static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct cs_house_proc *p = ctx;

	if (why->code != CS_E_PEER_GONE) {
		cs_log_error(p->house->config->log, "house.link", why);
		if (p->pid > 0)
			(void)kill(p->pid, SIGKILL);
	}
	cs_link_free(link);
	p->link = NULL;
}

/* Our end of a new child's link, and its end. */
static bool link_proc(struct cs_house *h, struct cs_house_proc *p,
		      int *ret_child_end, struct cs_error *err)
{
	int end[2];

	if (!cs_link_pair(end, err))
		return false;
	p->link = cs_link_new(h->loop, end[0], CS_ROOM_P, p->room, on_message,
			      on_gone, p, err);
	if (p->link == NULL) {
		close(end[1]);
		return false;
	}
	*ret_child_end = end[1];
	return true;
}

/* A slot for a child; a worker's is used again. */
static struct cs_house_proc *new_proc(struct cs_house *h, enum cs_room room,
				      unsigned number)
{
	struct cs_house_proc *p = NULL;

	for (size_t i = 0; i < h->n_procs; i++)
		if (h->proc[i].room == room && h->proc[i].number == number)
			p = &h->proc[i];
	if (p == NULL)
		p = &h->proc[h->n_procs++];
	if (p->link != NULL)
		cs_link_free(p->link);
	*p = (struct cs_house_proc){.house = h, .room = room, .number = number};
	return p;
}

/* -- starting ----------------------------------------------------------- */

static bool start_signer(struct cs_house *h, unsigned number,
			 struct cs_error *err)
{
	struct cs_house_proc *p = new_proc(h, CS_ROOM_S, number);
	struct cs_house_pair *pair = &h->ledger_signer[number];
	int end = -1;
	bool ok;

	ok = cs_link_pair(pair->end, err) && link_proc(h, p, &end, err) &&
	     cs_rooms_start_signer(&h->rooms, number, end, pair->end[1],
				   &p->pid, err);
	cs_house_close_fd(&end);
	cs_house_close_fd(&pair->end[1]);
	return ok;
}

static bool start_signers(struct cs_house *h, struct cs_error *err)
{
	bool ok = true;

	for (unsigned i = 0; ok && i < h->config->install->config.signers; i++)
		ok = start_signer(h, i, err);
	cs_house_close_fd(&h->rooms.passphrase_fd);
	return ok;
}

static bool start_ledger(struct cs_house *h, struct cs_error *err)
{
	struct cs_house_proc *p = new_proc(h, CS_ROOM_L, 0);
	struct cs_rooms_ledger_links links = {
		.front_fd = h->front_ledger.end[1],
		.reader_fd = h->ledger_reader.end[0],
	};
	int end = -1;
	bool ok = link_proc(h, p, &end, err);

	links.parent_fd = end;
	for (size_t i = 0; i < CS_MAX_SIGNERS; i++)
		links.signer_fds[i] = h->ledger_signer[i].end[0];
	ok = ok && cs_rooms_start_ledger(&h->rooms, &links, &p->pid, err);
	cs_house_close_fd(&end);
	cs_house_close_fd(&h->front_ledger.end[1]);
	cs_house_close_fd(&h->ledger_reader.end[0]);
	for (size_t i = 0; i < CS_MAX_SIGNERS; i++)
		cs_house_close_fd(&h->ledger_signer[i].end[0]);
	return ok;
}

static bool start_reader(struct cs_house *h, struct cs_error *err)
{
	struct cs_house_proc *p = new_proc(h, CS_ROOM_R, 0);
	int end = -1;
	bool ok;

	ok = link_proc(h, p, &end, err) &&
	     cs_rooms_start_reader(&h->rooms, end, h->front_reader.end[1],
				   h->ledger_reader.end[1], &p->pid, err);
	cs_house_close_fd(&end);
	cs_house_close_fd(&h->front_reader.end[1]);
	cs_house_close_fd(&h->ledger_reader.end[1]);
	return ok;
}

static bool start_front(struct cs_house *h, struct cs_error *err)
{
	struct cs_house_proc *p = new_proc(h, CS_ROOM_F, 0);
	int end = -1;
	bool ok;

	ok = link_proc(h, p, &end, err) &&
	     cs_rooms_start_front(&h->rooms, end, h->front_ledger.end[0],
				  h->front_reader.end[0], &p->pid, err);
	cs_house_close_fd(&end);
	cs_house_close_fd(&h->front_ledger.end[0]);
	cs_house_close_fd(&h->front_reader.end[0]);
	for (size_t i = 0; i < h->rooms.listens_n; i++)
		cs_house_close_fd(&h->listens[i].fd);
	h->rooms.listens_n = 0;
	return ok;
}

/* Give a room its end of a link to a worker. */
static bool send_worker_link(struct cs_house *h, enum cs_room room,
			     unsigned worker, int fd, struct cs_error *err)
{
	const struct cs_msg_worker_link m = {.worker = worker};
	struct cs_house_proc *p = cs_house_find(h, room);
	struct cs_buf *b;

	if (p == NULL || p->link == NULL)
		return cs_error_set(err, CS_E_PEER_GONE, "%s has gone",
				    cs_house_room_name(room));
	b = cs_link_scratch(p->link);
	cs_msg_worker_link_encode(&m, b);
	return cs_buf_finish(b, "WORKER_LINK", err) &&
	       cs_link_send(p->link, CS_MSG_WORKER_LINK, CS_HOUSE_NO_TICKET,
			    cs_buf_span(b), fd, err);
}

bool cs_house_start_worker(struct cs_house *h, unsigned number,
			   struct cs_error *err)
{
	struct cs_house_proc *p = new_proc(h, CS_ROOM_W, number);
	struct cs_house_pair front = {{-1, -1}}, ledger = {{-1, -1}};
	int end = -1;
	bool ok;

	ok = cs_link_pair(front.end, err) && cs_link_pair(ledger.end, err) &&
	     link_proc(h, p, &end, err) &&
	     cs_rooms_start_worker(&h->rooms, number, end, front.end[1],
				   ledger.end[1], &p->pid, err) &&
	     send_worker_link(h, CS_ROOM_F, number, front.end[0], err) &&
	     send_worker_link(h, CS_ROOM_L, number, ledger.end[0], err);
	cs_house_close_fd(&end);
	for (int i = 0; i < 2; i++) {
		cs_house_close_fd(&front.end[i]);
		cs_house_close_fd(&ledger.end[i]);
	}
	return ok;
}

/* The addresses of one list, to be listened at with TLS or without. */
static bool bind_list(struct cs_house *h, const struct cs_config_list *list,
		      struct cs_rooms_listen kind, struct cs_error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!cs_listen_tcp(list->item[i], &kind.fd,
				   h->addresses[h->n_addresses], err))
			return false;
		h->listens[h->rooms.listens_n++] = kind;
		h->n_addresses++;
	}
	return true;
}

static bool bind_tcp(struct cs_house *h, struct cs_error *err)
{
	const struct cs_house_config *c = h->config;
	const struct cs_config *config = &c->install->config;

	if (c->purpose == CS_HOUSE_INIT)
		return true;
	if (!bind_list(h, c->listen != NULL ? c->listen : &config->listen,
		       (struct cs_rooms_listen){.fd = -1}, err))
		return false;
	h->n_tls_addresses = h->n_addresses;
	return bind_list(h,
			 c->public_listen != NULL ? c->public_listen
						  : &config->public_listen,
			 (struct cs_rooms_listen){.fd = -1, .is_plain = true},
			 err);
}

static bool bind_local(struct cs_house *h, struct cs_error *err)
{
	const struct cs_install *in = h->config->install;
	struct cs_rooms_listen *l = &h->listens[h->rooms.listens_n];
	enum cs_listen_access access = CS_LISTEN_OWNER;

	if (h->config->purpose == CS_HOUSE_INIT)
		return true;
	for (size_t i = 0; i < in->config.n_admin_uids; i++)
		if (in->config.admin_uids[i] != 0 &&
		    in->config.admin_uids[i] != (int64_t)geteuid())
			access = CS_LISTEN_ANYBODY;
	if (!cs_listen_local(in->dir, access, &l->fd, err))
		return false;
	l->is_local = true;
	h->rooms.listens_n++;
	h->local_bound = true;
	return true;
}

/* The ledger is ready: start everybody else. */
static bool start_rooms(struct cs_house *h, struct cs_error *err)
{
	h->phase = CS_HOUSE_PHASE_ROOMS;
	if (!bind_local(h, err) || !start_reader(h, err) ||
	    !start_front(h, err))
		return false;
	for (unsigned i = 0; i < h->n_workers; i++)
		if (!cs_house_start_worker(h, i, err))
			return false;
	return true;
}

/* Everybody is ready. */
static bool announce(struct cs_house *h, struct cs_error *err)
{
	struct cs_house_proc *front = cs_house_find(h, CS_ROOM_F);
	struct cs_renew listener;

	h->phase = CS_HOUSE_PHASE_RUNNING;
	if (h->config->purpose == CS_HOUSE_INIT)
		return front != NULL && front->link != NULL &&
		       cs_renew_at(h->config->install, 0, &listener) &&
		       cs_house_send_policies(h, front->link,
					      CS_HOUSE_NO_TICKET, err) &&
		       cs_house_send_csr(front->link, &listener,
					 h->config->listener_csr, err);
	cs_timer_start(h->renew_timer, 1);
	for (size_t i = 0; i < h->n_addresses; i++)
		fprintf(h->config->out, "ready %s://%s\n",
			i < h->n_tls_addresses ? "https" : "http",
			h->addresses[i]);
	fflush(h->config->out);
	cs_notify("READY=1");
	cs_log_write(h->config->log, CS_LOG_INFO, "house.ready",
		     "serving %s with %u workers", h->config->install->dir,
		     h->n_workers);
	return true;
}

/* A child became ready: is it time for the next phase? */
static void advance(struct cs_house *h)
{
	bool ok = true;

	for (size_t i = 0; i < h->n_procs; i++)
		if (!h->proc[i].ready)
			return;
	if (h->phase == CS_HOUSE_PHASE_LEDGER)
		ok = start_rooms(h, &h->why);
	else if (h->phase == CS_HOUSE_PHASE_ROOMS)
		ok = announce(h, &h->why);
	if (!ok)
		cs_house_fail(h);
}

bool cs_house_open(struct cs_house *h, struct cs_error *err)
{
	return bind_tcp(h, err) && cs_link_pair(h->front_ledger.end, err) &&
	       cs_link_pair(h->front_reader.end, err) &&
	       cs_link_pair(h->ledger_reader.end, err) &&
	       start_signers(h, err) && start_ledger(h, err);
}
