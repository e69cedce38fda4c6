/*
 * Which CRLs are due, and the reading of their lists (store/ledger_crl.h). The
 * round itself is ledger_crl_round.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/crl.h"
#include "store/ledger_crl.h"
#include "store/ledger_room.h"

/* Rows that one step of reading takes: about a millisecond. */
#define SLICE 1000
/* Octets of lists beyond which a round takes no further CRL. */
#define ROUND_BYTES ((size_t)256 * 1024)
/* After a list that was too long. */
#define TOO_LARGE_MS 3600000

/* -- what is due ---------------------------------------------------------- */

/* May anything be signed now? */
static bool is_open(const struct cs_ledger *l)
{
	enum cs_ledger_state state = cs_ledger_state(l);

	return state == CS_LEDGER_ISSUING || state == CS_LEDGER_NO_POLICY;
}

/* When a shard's next one is due, by the wall clock; INT64_MAX: never. */
static int64_t due_s(const struct cs_ledger *l, size_t issuer,
		     const struct cs_crl_shard *shard, int64_t now_s)
{
	if (shard->dirty || shard->wanted > shard->done)
		return INT64_MIN;
	/* One from the future: nobody takes it, and it ends too late. */
	if (shard->stored && shard->this_s > now_s)
		return INT64_MIN;
	if (shard->stored)
		return shard->this_s + l->config.crl_refresh_s;
	return cs_ledger_crl_row(l, issuer)->config->crl_base != NULL
		       ? INT64_MIN
		       : INT64_MAX;
}

/* Is it this one's turn? If not, when to look again. */
static bool is_due(struct cs_ledger *l, size_t issuer,
		   const struct cs_crl_shard *shard, int64_t now_s,
		   int64_t *earliest_s)
{
	int64_t due = due_s(l, issuer, shard, now_s);

	/* Who asks for it does not wait; all else does. */
	if (due <= now_s && shard->wanted <= shard->done &&
	    shard->rest_ms > cs_clock_boot_ms(&l->config.clock))
		due = now_s + 1;
	if (due > now_s && due < *earliest_s)
		*earliest_s = due;
	return due <= now_s && !shard->busy;
}

/* Begin to read what one source has for the list; false: there is none more. */
static bool source_begin(const struct cs_ledger *l, struct cs_crl_job *job,
			 size_t source)
{
	const struct cs_crl_issuer *is = &l->crl->issuers[job->issuer];
	const struct cs_crl_shard *shard = &is->shards[job->shard];

	if (source >= is->sources_n)
		return false;
	job->source = source;
	job->from_shard = job->shard;
	job->last_shard = job->shard;
	/* Without a URL, the one CRL is of all shards of the table. */
	if (cs_ledger_crl_row(l, job->issuer)->config->crl_base == NULL)
		job->last_shard = is->sources[source].shards - 1;
	/* The clock may have been ahead when that one was signed. */
	job->from_s = shard->regular_s < job->begun_s ? shard->regular_s
						      : job->begun_s;
	if (!shard->stored && source == 0)
		job->from_s = INT64_MIN;
	job->at_s = job->from_s;
	job->at_serial_n = 0;
	return true;
}

/* What this CRL is to be; its list is not read yet. */
static void job_begin(struct cs_ledger *l, size_t issuer, uint32_t n,
		      int64_t now_s)
{
	struct cs_ledger_crl *c = l->crl;
	struct cs_crl_shard *shard = cs_ledger_crl_shard(l, issuer, n);
	struct cs_crl_job *job = &c->jobs[c->jobs_n++];
	struct cs_buf entries = job->entries, der = job->der;

	cs_buf_reset(&entries);
	cs_buf_reset(&der);
	*job = (struct cs_crl_job){
		.issuer = issuer,
		.shard = n,
		.begun_s = now_s,
		.covers = l->edge.size,
		.wanted = shard->wanted,
		.entries = entries,
		.der = der,
	};
	(void)source_begin(l, job, 0);
	/* What comes from here on is for the next one. */
	shard->dirty = false;
	shard->busy = true;
}

/* Look for the next one that is due, from where the last search ended. */
static bool find_due(struct cs_ledger *l, int64_t now_s)
{
	struct cs_ledger_crl *c = l->crl;
	int64_t earliest = INT64_MAX;

	for (size_t i = 0; i <= cs_ledger_crl_rows(l); i++) {
		size_t at = (c->next_issuer + i) % cs_ledger_crl_rows(l);
		uint32_t n = i == 0 ? c->next_shard : 0;

		if (!cs_ledger_crl_is_valid(l, at))
			continue;
		for (; n < c->issuers[at].n; n++) {
			if (!is_due(l, at, cs_ledger_crl_shard(l, at, n), now_s,
				    &earliest))
				continue;
			c->next_issuer = at;
			c->next_shard = n + 1;
			job_begin(l, at, n, now_s);
			return true;
		}
	}
	c->earliest_s = earliest;
	c->stirred = false;
	c->next_issuer = 0;
	c->next_shard = 0;
	return false;
}

/* Begin to read the next list, if there is one and the round has room. */
static bool next_job(struct cs_ledger *l)
{
	struct cs_ledger_crl *c = l->crl;
	size_t bytes = 0;

	for (size_t i = 0; i < c->jobs_n; i++)
		bytes += c->jobs[i].entries.n;
	return c->jobs_n < CS_CRL_JOBS && bytes < ROUND_BYTES &&
	       cs_ledger_crl_rows(l) > 0 &&
	       find_due(l, cs_ledger_now(l) / 1000);
}

void cs_ledger_crl_tick(struct cs_ledger *l)
{
	struct cs_ledger_crl *c = l->crl;

	if (!is_open(l)) {
		cs_ledger_crl_abort(l, cs_ledger_closed_code(l));
		return;
	}
	if (c->phase == CS_CRL_RECORD)
		cs_ledger_crl_record(l);
	if (c->phase == CS_CRL_COLLECT)
		cs_idle_request(c->idle);
	if (c->phase != CS_CRL_REST ||
	    (!c->stirred && cs_ledger_now(l) / 1000 < c->earliest_s))
		return;
	c->stirred = true;
	cs_idle_request(c->idle);
}

/* -- reading -------------------------------------------------------------- */

/* One row of the list. */
static void put_row(struct cs_crl_job *job, struct cs_stmt *s)
{
	struct cs_crl_entry entry = {
		.serial = cs_stmt_col(s, 1),
		.revoked_s = cs_stmt_col_int(s, 2) / 1000,
		.reason = (unsigned)cs_stmt_col_int(s, 3),
	};

	cs_crl_entry_put(&job->entries, &entry);
	job->count++;
	job->at_s = cs_stmt_col_int(s, 0);
	job->at_serial_n = entry.serial.n > sizeof(job->at_serial)
				   ? sizeof(job->at_serial)
				   : entry.serial.n;
	memcpy(job->at_serial, entry.serial.p, job->at_serial_n);
}

/* The next shard of the table, or source; false: all are read. */
static bool next_part(const struct cs_ledger *l, struct cs_crl_job *job)
{
	if (job->from_shard == job->last_shard)
		return source_begin(l, job, job->source + 1);
	job->from_shard++;
	job->at_s = job->from_s;
	job->at_serial_n = 0;
	return true;
}

/* Some rows more; *ret_all: these were the last. */
static bool read_slice(struct cs_ledger *l, struct cs_crl_job *job,
		       bool *ret_all, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_CRL_ENTRIES);
	size_t before = job->count;
	bool row = false;
	bool ok;

	cs_stmt_int(&s, l->crl->issuers[job->issuer].sources[job->source].id);
	cs_stmt_int(&s, job->from_shard);
	cs_stmt_int(&s, job->at_s);
	cs_stmt_blob(&s, cs_span_make(job->at_serial, job->at_serial_n));
	cs_stmt_int(&s, SLICE);
	while ((ok = cs_stmt_step(&s, &row, err)) && row &&
	       job->count < CS_MAX_CRL_ENTRIES + 1)
		put_row(job, &s);
	cs_stmt_end(&s);
	if (!ok)
		return false;
	*ret_all = job->count - before < SLICE && !next_part(l, job);
	return true;
}

/* The list is longer than a CRL may be. It is tried again, and told. */
static void job_too_large(struct cs_ledger *l, struct cs_crl_job *job)
{
	(void)snprintf(job->code, sizeof(job->code), "CRL_TOO_LARGE");
	(void)snprintf(job->why, sizeof(job->why),
		       "more than %d entries: an issuer with more crl_shards "
		       "has to take over",
		       CS_MAX_CRL_ENTRIES);
	cs_ledger_crl_failed(l, job, TOO_LARGE_MS);
	cs_ledger_crl_tell_failed(l, job);
	l->crl->jobs_n--;
}

void cs_ledger_crl_slice(void *ctx)
{
	struct cs_ledger *l = ctx;
	struct cs_ledger_crl *c = l->crl;
	struct cs_error err = {0};
	bool all = false;

	if (l->over || !is_open(l))
		return;
	if (c->phase == CS_CRL_REST) {
		c->jobs_n = 0;
		if (!next_job(l))
			return;
		c->phase = CS_CRL_COLLECT;
	}
	if (c->phase != CS_CRL_COLLECT)
		return;
	if (!read_slice(l, &c->jobs[c->jobs_n - 1], &all, &err)) {
		cs_ledger_fail(l, &err);
		return;
	}
	if (c->jobs[c->jobs_n - 1].count > CS_MAX_CRL_ENTRIES) {
		job_too_large(l, &c->jobs[c->jobs_n - 1]);
		all = true;
	}
	if (!all || next_job(l))
		cs_idle_request(c->idle);
	else if (c->jobs_n > 0)
		cs_ledger_crl_ask(l);
	else
		c->phase = CS_CRL_REST;
}

/* -- the beginning -------------------------------------------------------- */

bool cs_ledger_crl_start(struct cs_ledger *l, struct cs_error *err)
{
	if (!cs_ledger_crl_load(l, err))
		return false;
	l->crl->idle = cs_idle_new(l->loop, cs_ledger_crl_slice, l, err);
	return l->crl->idle != NULL;
}
