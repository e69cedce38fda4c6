#include "cli/house.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/ipc.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/files.h"
#include "cli/listen.h"
#include "cli/notify.h"
#include "cli/policies.h"
#include "cli/renew.h"

/* How long a room may take to finish what is under way, and to go. */
#define DRAIN_MS 10000
#define STOP_MS	 15000
/* `init` answers within this, or something is wrong. */
#define INIT_MS 60000
/* How often the listener's certificate is looked at: an hour. */
#define RENEW_MS 3600000
/* Sent with what belongs to no request of front's. */
#define NO_TICKET 0
/* Rooms beside the workers: front, ledger, reader, signer. */
#define FIXED_ROOMS 4

struct house;

/* One child. */
struct proc {
	struct house *house;
	enum cs_room room;
	unsigned number; /* a worker's */
	pid_t pid;	 /* 0: not running */
	struct cs_link *link;
	bool ready;
};

enum phase {
	PHASE_LEDGER, /* signer and ledger start */
	PHASE_ROOMS,  /* the others start */
	PHASE_RUNNING,
	PHASE_STOPPING
};

/* Rooms stop in this order; those of one stage together. */
static const enum cs_room stop_order[] = {CS_ROOM_F, CS_ROOM_W, CS_ROOM_R,
					  CS_ROOM_L, CS_ROOM_S};
#define STOP_STAGES (sizeof(stop_order) / sizeof(stop_order[0]))

/* The two ends of a link; -1 when closed. */
struct pair {
	int end[2];
};

struct house {
	const struct cs_house_config *config;
	struct cs_rooms rooms;
	struct cs_loop *loop;
	struct cs_watch *signals;
	struct cs_timer *timer;
	struct cs_timer *renew_timer;
	bool renewing; /* a LISTENER_CERT is awaited */
	sigset_t old_mask;
	int signal_fd;
	enum phase phase;
	size_t stop_stage;
	int status;
	struct cs_error why; /* of a status that is not 0 */
	struct pair front_ledger, front_reader, ledger_reader, ledger_signer;
	struct cs_rooms_listen listens[CS_MAX_CONFIG_LIST + 1];
	char addresses[CS_MAX_CONFIG_LIST][CS_LISTEN_TEXT];
	size_t n_addresses;
	bool local_bound;
	unsigned n_workers;
	int64_t deaths[CS_MAX_WORKER_DEATHS]; /* of workers, boot ms, a ring */
	size_t n_deaths;
	struct proc proc[FIXED_ROOMS + CS_MAX_WORKERS];
	size_t n_procs;
};

static void advance(struct house *h);
static void next_stop_stage(struct house *h);

static const char *room_name(enum cs_room room)
{
	static const char *const names[] = {
		[CS_ROOM_ANY] = "room", [CS_ROOM_P] = "parent",
		[CS_ROOM_F] = "front",	[CS_ROOM_W] = "worker",
		[CS_ROOM_L] = "ledger", [CS_ROOM_R] = "reader",
		[CS_ROOM_S] = "signer",
	};

	return names[room];
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* -- the end ------------------------------------------------------------ */

/* Kill what still lives, and end the loop with this status. */
static void end_house(struct house *h, int status)
{
	for (size_t i = 0; i < h->n_procs; i++)
		if (h->proc[i].pid > 0)
			(void)kill(h->proc[i].pid, SIGKILL);
	for (size_t i = 0; i < h->n_procs; i++) {
		struct proc *p = &h->proc[i];

		while (p->pid > 0 && waitpid(p->pid, NULL, 0) < 0 &&
		       errno == EINTR)
			;
		p->pid = 0;
	}
	if (h->status == 0)
		h->status = status;
	cs_loop_stop(h->loop, h->status);
}

/* The same because of h->why. */
static void fail_house(struct house *h)
{
	cs_log_error(h->config->log, "house.ends", &h->why);
	end_house(h, CS_EXIT_AGAIN);
}

static void begin_stop(struct house *h, int status)
{
	if (h->phase == PHASE_STOPPING)
		return;
	if (h->status == 0)
		h->status = status;
	h->phase = PHASE_STOPPING;
	h->stop_stage = 0;
	cs_notify("STOPPING=1");
	cs_log_write(h->config->log, CS_LOG_INFO, "house.stops",
		     "stopping, room by room");
	next_stop_stage(h);
}

static bool room_lives(const struct house *h, enum cs_room room)
{
	for (size_t i = 0; i < h->n_procs; i++)
		if (h->proc[i].room == room && h->proc[i].pid > 0)
			return true;
	return false;
}

/* Tell the rooms of the first stage that has living ones to stop. */
static void next_stop_stage(struct house *h)
{
	const struct cs_msg_stop stop = {.drain_ms = DRAIN_MS};

	while (h->stop_stage < STOP_STAGES &&
	       !room_lives(h, stop_order[h->stop_stage]))
		h->stop_stage++;
	if (h->stop_stage == STOP_STAGES) {
		cs_loop_stop(h->loop, h->status);
		return;
	}
	for (size_t i = 0; i < h->n_procs; i++) {
		struct proc *p = &h->proc[i];

		if (p->room != stop_order[h->stop_stage] || p->pid == 0)
			continue;
		if (p->link == NULL ||
		    !cs_link_send_stop(p->link, NO_TICKET, &stop, NULL))
			(void)kill(p->pid, SIGKILL);
	}
	cs_timer_start(h->timer, STOP_MS);
}

/* -- links -------------------------------------------------------------- */

/* POLICY_FILES to front: the directory as it is now, or why it is not. */
static bool send_policy_files(struct house *h, struct cs_link *front,
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

static bool send_listener_csr(struct house *h, struct cs_link *front,
			      struct cs_span csr, struct cs_error *err)
{
	const struct cs_msg_listener_csr m = {
		.issuer =
			cs_span_str(h->config->install->config.issuers[0].name),
		.csr = csr,
	};

	return cs_link_send_listener_csr(front, NO_TICKET, &m, err);
}

/* LISTENER_KEY to front: the files as they are now. */
static bool send_listener_key(struct house *h, struct cs_link *front,
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
	     cs_link_send(front, CS_MSG_LISTENER_KEY, NO_TICKET, cs_buf_span(b),
			  fd, err);
	close(fd);
	return ok;
}

/* A renewed certificate: into its place, and to front. */
static void take_renewed(struct house *h, struct cs_link *front,
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
	else
		cs_log_error(h->config->log, "house.renew", &err);
}

/* `init`: the listener's certificate has come, or not. */
static void take_first(struct house *h, const struct cs_msg_listener_cert *m)
{
	const struct cs_install *in = h->config->install;

	if (m->ok && cs_files_write(in->dir, in->config.tls_chain, m->chain,
				    0644, &h->why)) {
		begin_stop(h, CS_EXIT_DONE);
		return;
	}
	if (!m->ok)
		cs_error_set(&h->why, CS_E_CERT,
			     "the listener's certificate was not issued: %.*s",
			     CS_SPAN_FMT(m->detail));
	begin_stop(h, CS_EXIT_REFUSED);
}

static bool take_listener_cert(struct house *h, struct cs_link *front,
			       struct cs_span body, struct cs_error *err)
{
	struct cs_msg_listener_cert m;

	if (!cs_msg_listener_cert_decode(body, &m, err))
		return false;
	if (h->phase == PHASE_STOPPING)
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

static bool on_message(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	struct proc *p = ctx;
	struct house *h = p->house;
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
		return send_policy_files(h, link, ticket, err);
	case CS_MSG_LISTENER_CERT:
		return take_listener_cert(h, link, body, err);
	default:
		return cs_error_set(err, CS_E_PROTOCOL, "unexpected %s",
				    cs_msg_name(number));
	}
}

/* The child is about to die, or has lost its mind: SIGCHLD tells the rest. */
static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct proc *p = ctx;

	if (why->code != CS_E_PEER_GONE) {
		cs_log_error(p->house->config->log, "house.link", why);
		if (p->pid > 0)
			(void)kill(p->pid, SIGKILL);
	}
	cs_link_free(link);
	p->link = NULL;
}

/* Our end of a new child's link, and its end. */
static bool link_proc(struct house *h, struct proc *p, int *ret_child_end,
		      struct cs_error *err)
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
static struct proc *new_proc(struct house *h, enum cs_room room,
			     unsigned number)
{
	struct proc *p = NULL;

	for (size_t i = 0; i < h->n_procs; i++)
		if (h->proc[i].room == room && h->proc[i].number == number)
			p = &h->proc[i];
	if (p == NULL)
		p = &h->proc[h->n_procs++];
	if (p->link != NULL)
		cs_link_free(p->link);
	*p = (struct proc){.house = h, .room = room, .number = number};
	return p;
}

static struct proc *find_proc(struct house *h, enum cs_room room)
{
	for (size_t i = 0; i < h->n_procs; i++)
		if (h->proc[i].room == room && h->proc[i].pid > 0)
			return &h->proc[i];
	return NULL;
}

/* -- starting ----------------------------------------------------------- */

static bool start_signer(struct house *h, struct cs_error *err)
{
	struct proc *p = new_proc(h, CS_ROOM_S, 0);
	int end = -1;
	bool ok;

	ok = link_proc(h, p, &end, err) &&
	     cs_rooms_start_signer(&h->rooms, end, h->ledger_signer.end[1],
				   &p->pid, err);
	close_fd(&end);
	close_fd(&h->ledger_signer.end[1]);
	close_fd(&h->rooms.passphrase_fd);
	return ok;
}

static bool start_ledger(struct house *h, struct cs_error *err)
{
	struct proc *p = new_proc(h, CS_ROOM_L, 0);
	struct cs_rooms_ledger_links links = {
		.front_fd = h->front_ledger.end[1],
		.reader_fd = h->ledger_reader.end[0],
		.signer_fd = h->ledger_signer.end[0],
	};
	int end = -1;
	bool ok = link_proc(h, p, &end, err);

	links.parent_fd = end;
	ok = ok && cs_rooms_start_ledger(&h->rooms, &links, &p->pid, err);
	close_fd(&end);
	close_fd(&h->front_ledger.end[1]);
	close_fd(&h->ledger_reader.end[0]);
	close_fd(&h->ledger_signer.end[0]);
	return ok;
}

static bool start_reader(struct house *h, struct cs_error *err)
{
	struct proc *p = new_proc(h, CS_ROOM_R, 0);
	int end = -1;
	bool ok;

	ok = link_proc(h, p, &end, err) &&
	     cs_rooms_start_reader(&h->rooms, end, h->front_reader.end[1],
				   h->ledger_reader.end[1], &p->pid, err);
	close_fd(&end);
	close_fd(&h->front_reader.end[1]);
	close_fd(&h->ledger_reader.end[1]);
	return ok;
}

static bool start_front(struct house *h, struct cs_error *err)
{
	struct proc *p = new_proc(h, CS_ROOM_F, 0);
	int end = -1;
	bool ok;

	ok = link_proc(h, p, &end, err) &&
	     cs_rooms_start_front(&h->rooms, end, h->front_ledger.end[0],
				  h->front_reader.end[0], &p->pid, err);
	close_fd(&end);
	close_fd(&h->front_ledger.end[0]);
	close_fd(&h->front_reader.end[0]);
	for (size_t i = 0; i < h->rooms.listens_n; i++)
		close_fd(&h->listens[i].fd);
	h->rooms.listens_n = 0;
	return ok;
}

/* Give a room its end of a link to a worker. */
static bool send_worker_link(struct house *h, enum cs_room room,
			     unsigned worker, int fd, struct cs_error *err)
{
	const struct cs_msg_worker_link m = {.worker = worker};
	struct proc *p = find_proc(h, room);
	struct cs_buf *b;

	if (p == NULL || p->link == NULL)
		return cs_error_set(err, CS_E_PEER_GONE, "%s has gone",
				    room_name(room));
	b = cs_link_scratch(p->link);
	cs_msg_worker_link_encode(&m, b);
	return cs_buf_finish(b, "WORKER_LINK", err) &&
	       cs_link_send(p->link, CS_MSG_WORKER_LINK, NO_TICKET,
			    cs_buf_span(b), fd, err);
}

static bool start_worker(struct house *h, unsigned number, struct cs_error *err)
{
	struct proc *p = new_proc(h, CS_ROOM_W, number);
	struct pair front = {{-1, -1}}, ledger = {{-1, -1}};
	int end = -1;
	bool ok;

	ok = cs_link_pair(front.end, err) && cs_link_pair(ledger.end, err) &&
	     link_proc(h, p, &end, err) &&
	     cs_rooms_start_worker(&h->rooms, number, end, front.end[1],
				   ledger.end[1], &p->pid, err) &&
	     send_worker_link(h, CS_ROOM_F, number, front.end[0], err) &&
	     send_worker_link(h, CS_ROOM_L, number, ledger.end[0], err);
	close_fd(&end);
	for (int i = 0; i < 2; i++) {
		close_fd(&front.end[i]);
		close_fd(&ledger.end[i]);
	}
	return ok;
}

static bool bind_tcp(struct house *h, struct cs_error *err)
{
	const struct cs_config_list *list =
		h->config->listen != NULL ? h->config->listen
					  : &h->config->install->config.listen;

	if (h->config->purpose == CS_HOUSE_INIT)
		return true;
	for (size_t i = 0; i < list->n; i++) {
		if (!cs_listen_tcp(list->item[i],
				   &h->listens[h->rooms.listens_n].fd,
				   h->addresses[i], err))
			return false;
		h->rooms.listens_n++;
		h->n_addresses++;
	}
	return true;
}

static bool bind_local(struct house *h, struct cs_error *err)
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
static bool start_rooms(struct house *h, struct cs_error *err)
{
	h->phase = PHASE_ROOMS;
	if (!bind_local(h, err) || !start_reader(h, err) ||
	    !start_front(h, err))
		return false;
	for (unsigned i = 0; i < h->n_workers; i++)
		if (!start_worker(h, i, err))
			return false;
	return true;
}

/* Everybody is ready. */
static bool announce(struct house *h, struct cs_error *err)
{
	struct proc *front = find_proc(h, CS_ROOM_F);

	h->phase = PHASE_RUNNING;
	if (h->config->purpose == CS_HOUSE_INIT)
		return front != NULL && front->link != NULL &&
		       send_policy_files(h, front->link, NO_TICKET, err) &&
		       send_listener_csr(h, front->link,
					 h->config->listener_csr, err);
	cs_timer_start(h->renew_timer, 1);
	for (size_t i = 0; i < h->n_addresses; i++)
		fprintf(h->config->out, "ready https://%s\n", h->addresses[i]);
	fflush(h->config->out);
	cs_notify("READY=1");
	cs_log_write(h->config->log, CS_LOG_INFO, "house.ready",
		     "serving %s with %u workers", h->config->install->dir,
		     h->n_workers);
	return true;
}

/* A child became ready: is it time for the next phase? */
static void advance(struct house *h)
{
	bool ok = true;

	for (size_t i = 0; i < h->n_procs; i++)
		if (!h->proc[i].ready)
			return;
	if (h->phase == PHASE_LEDGER)
		ok = start_rooms(h, &h->why);
	else if (h->phase == PHASE_ROOMS)
		ok = announce(h, &h->why);
	if (!ok)
		fail_house(h);
}

/* -- deaths and signals ------------------------------------------------- */

/* One more dead worker: too many in a minute? */
static bool dies_too_often(struct house *h)
{
	int64_t now = cs_clock_boot_ms(&h->config->clock);
	int64_t *slot = &h->deaths[h->n_deaths % CS_MAX_WORKER_DEATHS];
	bool often = h->n_deaths >= CS_MAX_WORKER_DEATHS && now - *slot < 60000;

	*slot = now;
	h->n_deaths++;
	return often;
}

static bool replace_worker(struct house *h, unsigned number,
			   struct cs_error *err)
{
	static const enum cs_room told[] = {CS_ROOM_F, CS_ROOM_L};
	const struct cs_msg_worker_gone gone = {.worker = number};

	if (dies_too_often(h))
		return cs_error_set(err, CS_E_INTERNAL,
				    "more than %d workers died within a "
				    "minute",
				    CS_MAX_WORKER_DEATHS);
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		struct proc *p = find_proc(h, told[i]);

		if (p != NULL && p->link != NULL &&
		    !cs_link_send_worker_gone(p->link, NO_TICKET, &gone, err))
			return false;
	}
	return start_worker(h, number, err);
}

static void tell_death(struct house *h, const struct proc *p, int status)
{
	if (WIFSIGNALED(status))
		cs_error_set(&h->why, CS_E_PEER_GONE,
			     "%s %u was killed by signal %d",
			     room_name(p->room), p->number, WTERMSIG(status));
	else
		cs_error_set(&h->why, CS_E_PEER_GONE,
			     "%s %u ended with status %d", room_name(p->room),
			     p->number, WEXITSTATUS(status));
}

static void on_death(struct house *h, struct proc *p, int status)
{
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	p->pid = 0;
	if (h->phase == PHASE_STOPPING) {
		if (!clean && h->status == 0) {
			tell_death(h, p, status);
			cs_log_error(h->config->log, "house.stop", &h->why);
			h->status = CS_EXIT_AGAIN;
		}
		if (!room_lives(h, stop_order[h->stop_stage]))
			next_stop_stage(h);
		return;
	}
	tell_death(h, p, status);
	if (p->room != CS_ROOM_W || h->phase != PHASE_RUNNING) {
		fail_house(h);
		return;
	}
	cs_log_error(h->config->log, "house.worker", &h->why);
	if (!replace_worker(h, p->number, &h->why))
		fail_house(h);
}

static void reap(struct house *h)
{
	for (size_t i = 0; i < h->n_procs; i++) {
		struct proc *p = &h->proc[i];
		int status;

		if (p->pid > 0 && waitpid(p->pid, &status, WNOHANG) == p->pid)
			on_death(h, p, status);
	}
}

/* SIGHUP: what can be reloaded is read and handed on. */
static void reload(struct house *h)
{
	struct proc *front = find_proc(h, CS_ROOM_F);
	struct cs_error err = {0};

	if (h->phase != PHASE_RUNNING || front == NULL || front->link == NULL)
		return;
	cs_log_write(h->config->log, CS_LOG_INFO, "house.reload",
		     "reading policy files and the listener's key again");
	if (!send_listener_key(h, front->link, &err))
		cs_log_error(h->config->log, "house.reload", &err);
	if (!send_policy_files(h, front->link, NO_TICKET, &h->why))
		fail_house(h);
}

/* Is the listener's certificate to be renewed? */
static void on_renew(void *ctx)
{
	struct house *h = ctx;
	struct proc *front = find_proc(h, CS_ROOM_F);
	CS_CLEANUP(cs_buf_done) struct cs_buf csr;
	struct cs_error err = {0};
	bool due = false;

	cs_buf_init(&csr, CS_MAX_CSR_DER);
	cs_timer_start(h->renew_timer, RENEW_MS);
	if (h->phase != PHASE_RUNNING || front == NULL || front->link == NULL)
		return;
	if (!cs_renew_is_due(h->config->install,
			     cs_clock_wall_ms(&h->config->clock) / 1000, &due,
			     &err) ||
	    (due && !cs_renew_begin(h->config->install, &csr, &err)) ||
	    (due &&
	     !send_listener_csr(h, front->link, cs_buf_span(&csr), &err)))
		cs_log_error(h->config->log, "house.renew", &err);
	else if (due)
		h->renewing = true;
}

static void on_signal(void *ctx)
{
	struct house *h = ctx;
	struct signalfd_siginfo si;

	while (read(h->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			reap(h);
		else if (si.ssi_signo == SIGHUP)
			reload(h);
		else
			begin_stop(h, CS_EXIT_DONE);
	}
}

/* Too slow: to start (`init`), or to stop. */
static void on_timer(void *ctx)
{
	struct house *h = ctx;

	if (h->phase == PHASE_STOPPING)
		cs_error_set(&h->why, CS_E_INTERNAL, "%s did not stop in %d s",
			     room_name(stop_order[h->stop_stage]),
			     STOP_MS / 1000);
	else
		cs_error_set(&h->why, CS_E_INTERNAL,
			     "the house was not ready in %d s", INIT_MS / 1000);
	fail_house(h);
}

/* -- the life of it ----------------------------------------------------- */

/* Signals come by a descriptor, so that no handler is inherited. */
static bool watch_signals(struct house *h, struct cs_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, &h->old_mask) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "sigprocmask");
	h->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (h->signal_fd < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "signalfd");
	h->signals =
		cs_watch_readable(h->loop, h->signal_fd, on_signal, h, err);
	return h->signals != NULL;
}

static unsigned worker_count(const struct cs_config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (config->workers != 0)
		return config->workers;
	if (cores < 1)
		return 1;
	return cores > CS_MAX_WORKERS ? CS_MAX_WORKERS : (unsigned)cores;
}

/* Everything up to the first two rooms. */
static bool open_house(struct house *h, struct cs_error *err)
{
	h->loop = cs_loop_new(err);
	if (h->loop == NULL || !watch_signals(h, err))
		return false;
	h->timer = cs_timer_new(h->loop, on_timer, h, err);
	h->renew_timer = cs_timer_new(h->loop, on_renew, h, err);
	if (h->timer == NULL || h->renew_timer == NULL || !bind_tcp(h, err) ||
	    !cs_link_pair(h->front_ledger.end, err) ||
	    !cs_link_pair(h->front_reader.end, err) ||
	    !cs_link_pair(h->ledger_reader.end, err) ||
	    !cs_link_pair(h->ledger_signer.end, err))
		return false;
	if (h->config->purpose == CS_HOUSE_INIT)
		cs_timer_start(h->timer, INIT_MS);
	return start_signer(h, err) && start_ledger(h, err);
}

static void close_house(struct house *h)
{
	struct pair *pairs[] = {&h->front_ledger, &h->front_reader,
				&h->ledger_reader, &h->ledger_signer};

	for (size_t i = 0; i < h->n_procs; i++)
		cs_link_free(h->proc[i].link);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (int e = 0; e < 2; e++)
			close_fd(&pairs[i]->end[e]);
	for (size_t i = 0; i < h->rooms.listens_n; i++)
		close_fd(&h->listens[i].fd);
	close_fd(&h->rooms.passphrase_fd);
	cs_timer_free(h->timer);
	cs_timer_free(h->renew_timer);
	cs_watch_free(h->signals);
	close_fd(&h->signal_fd);
	cs_loop_free(h->loop);
	if (h->local_bound)
		cs_listen_local_remove(h->config->install->dir);
	(void)sigprocmask(SIG_SETMASK, &h->old_mask, NULL);
}

int cs_house_run(const struct cs_house_config *config, struct cs_error *err)
{
	const struct pair closed = {{-1, -1}};
	struct house *h = cs_mem_new(sizeof(*h));
	int status;

	if (h == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for the house");
		return CS_EXIT_AGAIN;
	}
	h->config = config;
	h->rooms = (struct cs_rooms){.install = config->install,
				     .clock = config->clock,
				     .log = config->log,
				     .passphrase_fd = config->passphrase_fd,
				     .listens = h->listens};
	h->signal_fd = -1;
	h->front_ledger = h->front_reader = closed;
	h->ledger_reader = h->ledger_signer = closed;
	h->n_workers = worker_count(&config->install->config);
	sigprocmask(SIG_SETMASK, NULL, &h->old_mask);
	if (open_house(h, &h->why)) {
		status = cs_loop_run(h->loop);
	} else {
		status = cs_exit_of_error(&h->why);
		if (h->loop != NULL)
			end_house(h, status);
	}
	if (status != 0 && err != NULL)
		*err = h->why;
	close_house(h);
	cs_mem_free(h);
	return status;
}
