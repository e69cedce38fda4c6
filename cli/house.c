#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/house_parts.h"
#include "cli/renew.h"

/* -- deaths and signals ------------------------------------------------- */

/* One more dead worker: too many in a minute? */
static bool dies_too_often(struct cs_house *h)
{
	int64_t now = cs_clock_boot_ms(&h->config->clock);
	int64_t *slot = &h->deaths[h->n_deaths % CS_MAX_WORKER_DEATHS];
	bool often = h->n_deaths >= CS_MAX_WORKER_DEATHS && now - *slot < 60000;

	*slot = now;
	h->n_deaths++;
	return often;
}

static bool replace_worker(struct cs_house *h, unsigned number,
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
		struct cs_house_proc *p = cs_house_find(h, told[i]);

		if (p != NULL && p->link != NULL &&
		    !cs_link_send_worker_gone(p->link, CS_HOUSE_NO_TICKET,
					      &gone, err))
			return false;
	}
	return cs_house_start_worker(h, number, err);
}

static void tell_death(struct cs_house *h, const struct cs_house_proc *p,
		       int status)
{
	char who[32];

	snprintf(who, sizeof(who), "%s", cs_house_room_name(p->room));
	if (p->room == CS_ROOM_W)
		snprintf(who, sizeof(who), "worker %u", p->number);
	if (WIFSIGNALED(status))
		cs_error_set(&h->why, CS_E_PEER_GONE,
			     "%s was killed by signal %d", who,
			     WTERMSIG(status));
	else
		cs_error_set(&h->why, CS_E_PEER_GONE, "%s ended with status %d",
			     who, WEXITSTATUS(status));
}

static void on_death(struct cs_house *h, struct cs_house_proc *p, int status)
{
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	p->pid = 0;
	if (h->phase == CS_HOUSE_PHASE_STOPPING) {
		if (!clean && h->status == 0) {
			tell_death(h, p, status);
			cs_log_error(h->config->log, "house.stop", &h->why);
			h->status = CS_EXIT_AGAIN;
		}
		cs_house_stop_on(h);
		return;
	}
	tell_death(h, p, status);
	/* What it could not use, another start cannot either. */
	if (h->phase == CS_HOUSE_PHASE_LEDGER && p->room == CS_ROOM_S &&
	    WIFEXITED(status) && WEXITSTATUS(status) == CS_EXIT_REFUSED) {
		cs_error_set(&h->why, CS_E_KEY,
			     "the signer cannot use a key; its reason stands "
			     "above");
		cs_house_end(h, CS_EXIT_REFUSED);
		return;
	}
	if (p->room != CS_ROOM_W || h->phase != CS_HOUSE_PHASE_RUNNING) {
		cs_house_fail(h);
		return;
	}
	cs_log_error(h->config->log, "house.worker", &h->why);
	if (!replace_worker(h, p->number, &h->why))
		cs_house_fail(h);
}

static void reap(struct cs_house *h)
{
	for (size_t i = 0; i < h->n_procs; i++) {
		struct cs_house_proc *p = &h->proc[i];
		int status;

		if (p->pid > 0 && waitpid(p->pid, &status, WNOHANG) == p->pid)
			on_death(h, p, status);
	}
}

static void on_signal(void *ctx)
{
	struct cs_house *h = ctx;
	struct signalfd_siginfo si;

	while (read(h->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			reap(h);
		else if (si.ssi_signo == SIGHUP)
			cs_house_reload(h);
		else
			cs_house_stop(h, CS_EXIT_DONE);
	}
}

/* -- the life of it ----------------------------------------------------- */

/* Signals come by a descriptor, so that no handler is inherited. */
static bool watch_signals(struct cs_house *h, struct cs_error *err)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t set;

	/* Whoever read the ready line may be gone. */
	if (sigaction(SIGPIPE, &ignore, NULL) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "sigaction");
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

/*
 * A CA that is not valid yet means that the clock is wrong. One that has
 * expired still has a past that is asked about: the house starts, and says
 * that nothing is issued.
 */
static bool check_dates(const struct cs_house *h, struct cs_error *err)
{
	const struct cs_install *in = h->config->install;
	const struct cs_config_issuer *listener = cs_install_listener(in);
	int64_t now = cs_clock_wall_ms(&h->config->clock) / 1000;
	char date[CS_TIME_TEXT], today[CS_TIME_TEXT];

	if (cs_renew_is_ours(in) && cs_install_is_retired(in, listener->name))
		return cs_error_set(err, CS_E_CONFIG,
				    "issuer %s is retired, and is to certify "
				    "the listener: name another one "
				    "(tls.issuer)",
				    listener->name);
	for (size_t i = 0; i < in->waiting_n; i++)
		cs_log_write(h->config->log, CS_LOG_WARNING, "ca.waiting",
			     "issuer %s waits for its certificate (`ca import "
			     "%s --chain FILE`)",
			     in->waiting[i].config->name,
			     in->waiting[i].config->name);
	cs_time_rfc3339(now, today);
	for (size_t i = 0; i < in->config.n_issuers; i++) {
		const char *name = in->config.issuers[i].name;

		cs_time_rfc3339(in->ca[i]->not_before_s, date);
		if (now < in->ca[i]->not_before_s)
			return cs_error_set(err, CS_E_CLOCK,
					    "issuer %s: its CA is valid from "
					    "%s only, and the clock says %s",
					    name, date, today);
		cs_time_rfc3339(in->ca[i]->not_after_s, date);
		if (now > in->ca[i]->not_after_s && !in->state[i].is_retired)
			cs_log_write(h->config->log, CS_LOG_ERROR, "ca.expired",
				     "issuer %s: its CA expired at %s: it "
				     "issues nothing",
				     name, date);
	}
	return true;
}

static bool open_house(struct cs_house *h, struct cs_error *err)
{
	if (!check_dates(h, err))
		return false;
	h->loop = cs_loop_new(err);
	if (h->loop == NULL || !watch_signals(h, err))
		return false;
	h->timer = cs_timer_new(h->loop, cs_house_too_slow, h, err);
	h->renew_timer = cs_timer_new(h->loop, cs_house_renew, h, err);
	if (h->timer == NULL || h->renew_timer == NULL)
		return false;
	if (h->config->purpose == CS_HOUSE_INIT)
		cs_timer_start(h->timer, CS_HOUSE_INIT_MS);
	return cs_house_open(h, err);
}

static void close_house(struct cs_house *h)
{
	struct cs_house_pair *pairs[] = {&h->front_ledger, &h->front_reader,
					 &h->ledger_reader};

	for (size_t i = 0; i < h->n_procs; i++)
		cs_link_free(h->proc[i].link);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (int e = 0; e < 2; e++)
			cs_house_close_fd(&pairs[i]->end[e]);
	for (size_t i = 0; i < CS_MAX_SIGNERS; i++)
		for (int e = 0; e < 2; e++)
			cs_house_close_fd(&h->ledger_signer[i].end[e]);
	for (size_t i = 0; i < h->rooms.listens_n; i++)
		cs_house_close_fd(&h->listens[i].fd);
	cs_house_close_fd(&h->rooms.passphrase_fd);
	cs_timer_free(h->timer);
	cs_timer_free(h->renew_timer);
	cs_watch_free(h->signals);
	cs_house_close_fd(&h->signal_fd);
	cs_loop_free(h->loop);
	if (h->local_bound)
		cs_listen_local_remove(h->config->install->dir);
	(void)sigprocmask(SIG_SETMASK, &h->old_mask, NULL);
}

int cs_house_run(const struct cs_house_config *config, struct cs_error *err)
{
	const struct cs_house_pair closed = {{-1, -1}};
	struct cs_house *h = cs_mem_new(sizeof(*h));
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
	h->ledger_reader = closed;
	for (size_t i = 0; i < CS_MAX_SIGNERS; i++)
		h->ledger_signer[i] = closed;
	h->n_workers = worker_count(&config->install->config);
	sigprocmask(SIG_SETMASK, NULL, &h->old_mask);
	if (open_house(h, &h->why)) {
		status = cs_loop_run(h->loop);
	} else {
		status = cs_exit_of_error(&h->why);
		if (h->loop != NULL)
			cs_house_end(h, status);
	}
	if (status != 0 && err != NULL)
		*err = h->why;
	close_house(h);
	cs_mem_free(h);
	return status;
}
