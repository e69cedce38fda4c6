/*
 * Which CRLs are due, and what stands on them (store/ledger_crl.h). The round
 * itself is ledger_crl_round.c.
 */
#include "store/ledger_crl.h"

#include <stdio.h>
#include <string.h>

#include "base/crl.h"
#include "base/mem.h"
#include "base/revoke.h"
#include "store/ledger_room.h"

/* Rows that one step of reading takes: about a millisecond. */
#define SLICE 1000
/* Octets of lists beyond which a round takes no further CRL. */
#define ROUND_BYTES ((size_t)256 * 1024)
/*
 * Between two CRLs of a shard, so that many revocations make few CRLs: this
 * long, and longer for a long one.
 */
#define PACE_MS		    3000
#define PACE_ENTRIES_PER_MS 10
/* After a failure. */
#define FAILED_MS    60000
#define TOO_LARGE_MS 3600000

/* -- issuers and shards --------------------------------------------------- */

/* How many CRLs an issuer has. */
static uint32_t shards_of(const struct cs_ledger_issuer_row *row)
{
	if (row->config->crl_base == NULL || row->config->crl_shards == 0)
		return 1;
	return row->config->crl_shards;
}

size_t cs_ledger_crl_rows(const struct cs_ledger *l)
{
	return l->issuers_n + l->older_n;
}

const struct cs_ledger_issuer_row *cs_ledger_crl_row(const struct cs_ledger *l,
						     size_t issuer)
{
	return issuer < l->issuers_n ? &l->issuers[issuer]
				     : &l->older[issuer - l->issuers_n];
}

const char *cs_ledger_crl_label(const struct cs_ledger *l, size_t issuer)
{
	const struct cs_ledger_issuer *c = cs_ledger_crl_row(l, issuer)->config;

	return c->label != NULL ? c->label : c->name;
}

struct cs_crl_shard *cs_ledger_crl_shard(struct cs_ledger *l, size_t issuer,
					 uint32_t shard)
{
	return &l->crl->issuers[issuer].shards[shard];
}

/* The issuer of a row; issuers_n: none that is configured. */
static size_t issuer_of_row(const struct cs_ledger *l, int64_t id)
{
	size_t i = 0;

	while (i < cs_ledger_crl_rows(l) && cs_ledger_crl_row(l, i)->id != id)
		i++;
	return i;
}

/* The source that is this row, among an issuer's; NULL: none. */
static const struct cs_crl_source *source_of(const struct cs_crl_issuer *issuer,
					     int64_t id)
{
	for (size_t i = 0; i < issuer->sources_n; i++)
		if (issuer->sources[i].id == id)
			return &issuer->sources[i];
	return NULL;
}

/* The CRL of an issuer on which a shard of the table stands; NULL: none. */
static struct cs_crl_shard *shard_of(const struct cs_ledger *l, size_t issuer,
				     uint32_t shard)
{
	struct cs_crl_issuer *is = &l->crl->issuers[issuer];

	if (cs_ledger_crl_row(l, issuer)->config->crl_base == NULL)
		return &is->shards[0];
	return shard < is->n ? &is->shards[shard] : NULL;
}

/* Something with this serial was revoked. */
static void stir(struct cs_ledger *l, int64_t row, struct cs_span serial,
		 uint64_t leaf)
{
	for (size_t i = 0; i < cs_ledger_crl_rows(l); i++) {
		const struct cs_crl_source *source =
			source_of(&l->crl->issuers[i], row);
		struct cs_crl_shard *shard =
			source == NULL
				? NULL
				: shard_of(l, i,
					   cs_revoke_shard(serial,
							   source->shards));

		if (shard == NULL || (shard->stored && leaf < shard->covers))
			continue;
		shard->dirty = true;
		l->crl->stirred = true;
	}
}

void cs_ledger_crl_leaf(struct cs_ledger *l, const struct cs_leaf_record *rec)
{
	if (l->crl == NULL)
		return;
	if (rec->kind == CS_LEAF_REVOKED)
		stir(l, (int64_t)rec->issuer, rec->serial, rec->index);
	/* Another time: what was not due may be. */
	if (rec->kind == CS_LEAF_CLOCK)
		l->crl->stirred = true;
}

/* -- the beginning -------------------------------------------------------- */

/* One more row of the CA; false: no memory. */
static bool source_add(struct cs_crl_issuer *issuer,
		       const struct cs_crl_source *source)
{
	struct cs_crl_source *more =
		cs_mem_resize(issuer->sources, issuer->sources_n + 1,
			      sizeof(*issuer->sources));

	if (more == NULL)
		return false;
	issuer->sources = more;
	more[issuer->sources_n++] = *source;
	return true;
}

/* Whose certificates stand on each one's CRLs. */
static bool load_sources(struct cs_ledger *l, struct cs_error *err)
{
	bool row = false;
	bool ok = true;

	for (size_t i = 0; ok && i < cs_ledger_crl_rows(l); i++) {
		struct cs_stmt s = cs_stmt(l->db, CS_SQL_CRL_SOURCES);

		cs_stmt_int(&s, cs_ledger_crl_row(l, i)->id);
		while ((ok = cs_stmt_step(&s, &row, err)) && row) {
			const struct cs_crl_source source = {
				.id = cs_stmt_col_int(&s, 0),
				.shards = (uint32_t)cs_stmt_col_int(&s, 1)};

			ok = source_add(&l->crl->issuers[i], &source) ||
			     cs_error_set(err, CS_E_NO_MEMORY, "CRLs");
			if (!ok)
				break;
		}
		cs_stmt_end(&s);
	}
	return ok;
}

/* What another certificate of the CA had: until when its list was whole. */
static void inherit(struct cs_ledger *l, int64_t row, uint32_t n,
		    int64_t regular_s)
{
	for (size_t i = 0; i < cs_ledger_crl_rows(l); i++) {
		struct cs_crl_shard *shard =
			source_of(&l->crl->issuers[i], row) == NULL
				? NULL
				: shard_of(l, i, n);

		if (shard != NULL && !shard->stored &&
		    regular_s > shard->regular_s)
			shard->regular_s = regular_s;
	}
}

/* What was recorded last, of the shards that there are. */
static bool load_recorded(struct cs_ledger *l, uint64_t *ret_covers,
			  struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_CRL_ALL);
	bool row = false;
	bool ok;

	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		int64_t id = cs_stmt_col_int(&s, 0);
		size_t i = issuer_of_row(l, id);
		uint32_t n = (uint32_t)cs_stmt_col_int(&s, 1);
		struct cs_crl_shard *shard;

		inherit(l, id, n, cs_stmt_col_int(&s, 5));
		if (i == cs_ledger_crl_rows(l) || n >= l->crl->issuers[i].n)
			continue;
		shard = cs_ledger_crl_shard(l, i, n);
		shard->stored = true;
		shard->number = (uint64_t)cs_stmt_col_int(&s, 2);
		shard->signed_number = shard->number;
		shard->this_s = cs_stmt_col_int(&s, 3);
		shard->next_s = cs_stmt_col_int(&s, 4);
		shard->regular_s = cs_stmt_col_int(&s, 5);
		shard->covers = (uint64_t)cs_stmt_col_int(&s, 6);
		shard->count = (uint32_t)cs_stmt_col_int(&s, 7);
		if (shard->covers < *ret_covers)
			*ret_covers = shard->covers;
	}
	cs_stmt_end(&s);
	return ok;
}

/* Numbers that a crash burnt. */
static bool load_asked(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_CRL_ASKED_ALL);
	bool row = false;
	bool ok;

	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		size_t i = issuer_of_row(l, cs_stmt_col_int(&s, 0));
		uint32_t n = (uint32_t)cs_stmt_col_int(&s, 1);
		uint64_t number = (uint64_t)cs_stmt_col_int(&s, 2);
		struct cs_crl_shard *shard;

		if (i == cs_ledger_crl_rows(l) || n >= l->crl->issuers[i].n)
			continue;
		shard = cs_ledger_crl_shard(l, i, n);
		if (number > shard->number)
			shard->number = number;
	}
	cs_stmt_end(&s);
	return ok;
}

/* What was revoked since the oldest of the recorded ones. */
static bool load_revoked(struct cs_ledger *l, uint64_t covers,
			 struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_CRL_REVOKED_SINCE);
	bool row = false;
	bool ok = true;

	if (covers != UINT64_MAX) {
		cs_stmt_int(&s, (int64_t)covers);
		while ((ok = cs_stmt_step(&s, &row, err)) && row)
			stir(l, cs_stmt_col_int(&s, 0), cs_stmt_col(&s, 1),
			     (uint64_t)cs_stmt_col_int(&s, 2));
		cs_stmt_end(&s);
	}
	/* An issuer without a URL has its first one when it needs it. */
	for (size_t i = 0; ok && i < cs_ledger_crl_rows(l); i++) {
		struct cs_crl_shard *first = cs_ledger_crl_shard(l, i, 0);

		if (first->stored ||
		    cs_ledger_crl_row(l, i)->config->crl_base != NULL)
			continue;
		for (size_t n = 0; ok && n < l->crl->issuers[i].sources_n;
		     n++) {
			s = cs_stmt(l->db, CS_SQL_CRL_REVOKED_ANY);
			cs_stmt_int(&s, l->crl->issuers[i].sources[n].id);
			ok = cs_stmt_step(&s, &row, err);
			first->dirty = first->dirty || (ok && row);
			cs_stmt_end(&s);
		}
	}
	return ok;
}

void cs_ledger_crl_free(struct cs_ledger_crl *c)
{
	if (c == NULL)
		return;
	cs_idle_free(c->idle);
	for (size_t i = 0; i < CS_CRL_ISSUERS; i++) {
		cs_mem_free(c->issuers[i].shards);
		cs_mem_free(c->issuers[i].sources);
	}
	for (size_t i = 0; i < CS_CRL_JOBS; i++) {
		cs_buf_done(&c->jobs[i].entries);
		cs_buf_done(&c->jobs[i].der);
	}
	cs_mem_free(c);
}

bool cs_ledger_crl_start(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_ledger_crl *c = cs_mem_new(sizeof(*c));
	uint64_t covers = UINT64_MAX;

	l->crl = c;
	if (c == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "CRLs");
	for (size_t i = 0; i < CS_CRL_JOBS; i++) {
		cs_buf_init(&c->jobs[i].entries,
			    (size_t)CS_MAX_CRL_ENTRIES * CS_CRL_ENTRY_MAX);
		cs_buf_init(&c->jobs[i].der, CS_MAX_CRL);
	}
	c->idle = cs_idle_new(l->loop, cs_ledger_crl_slice, l, err);
	if (c->idle == NULL)
		return false;
	for (size_t i = 0; i < cs_ledger_crl_rows(l); i++) {
		c->issuers[i].n = shards_of(cs_ledger_crl_row(l, i));
		c->issuers[i].shards = cs_mem_new_array(
			c->issuers[i].n, sizeof(struct cs_crl_shard));
		if (c->issuers[i].shards == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY, "CRLs");
	}
	c->stirred = true;
	return load_sources(l, err) && load_recorded(l, &covers, err) &&
	       load_asked(l, err) && load_revoked(l, covers, err);
}

/* -- what is due ---------------------------------------------------------- */

/* May anything be signed now? */
static bool is_open(const struct cs_ledger *l)
{
	enum cs_ledger_state state = cs_ledger_state(l);

	return state == CS_LEDGER_ISSUING || state == CS_LEDGER_NO_POLICY;
}

bool cs_ledger_crl_is_valid(const struct cs_ledger *l, size_t issuer)
{
	const struct cs_ledger_issuer *c = cs_ledger_crl_row(l, issuer)->config;
	int64_t now_s = cs_ledger_now(l) / 1000;

	if (c->key_is_gone)
		return false;
	return (c->not_before_s == 0 && c->not_after_s == 0) ||
	       (now_s >= c->not_before_s && now_s <= c->not_after_s);
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

/* -- ends ----------------------------------------------------------------- */

void cs_ledger_crl_failed(struct cs_ledger *l, const struct cs_crl_job *job,
			  int64_t rest_ms)
{
	struct cs_crl_issuer *issuer = &l->crl->issuers[job->issuer];
	struct cs_crl_shard *shard = &issuer->shards[job->shard];

	if (rest_ms == 0)
		rest_ms = FAILED_MS;
	shard->dirty = true;
	shard->busy = false;
	shard->done = job->wanted;
	shard->rest_ms = cs_clock_boot_ms(&l->config.clock) + rest_ms;
	issuer->failures++;
	(void)snprintf(issuer->trouble, sizeof(issuer->trouble),
		       "CRL %u of issuer %s: %.400s", (unsigned)job->shard,
		       cs_ledger_crl_label(l, job->issuer), job->why);
	cs_log_write(l->config.log, CS_LOG_ERROR, "crl.failed", "%s",
		     issuer->trouble);
	l->crl->stirred = true;
	cs_ledger_crl_tell_failed(l, job);
}

void cs_ledger_crl_recorded(struct cs_ledger *l, const struct cs_crl_job *job)
{
	struct cs_crl_issuer *issuer = &l->crl->issuers[job->issuer];
	struct cs_crl_shard *shard = &issuer->shards[job->shard];

	shard->stored = true;
	shard->busy = false;
	shard->signed_number = job->number;
	shard->this_s = job->this_s;
	shard->next_s = job->next_s;
	shard->regular_s = job->regular_s;
	shard->covers = job->covers;
	shard->count = (uint32_t)job->count;
	shard->done = job->wanted;
	shard->rest_ms = cs_clock_boot_ms(&l->config.clock) + PACE_MS +
			 (int64_t)job->count / PACE_ENTRIES_PER_MS;
	issuer->trouble[0] = '\0';
	l->crl->stirred = true;
}

const char *cs_ledger_crl_trouble(const struct cs_ledger *l)
{
	for (size_t i = 0; l->crl != NULL && i < cs_ledger_crl_rows(l); i++)
		if (l->crl->issuers[i].trouble[0] != '\0')
			return l->crl->issuers[i].trouble;
	return "";
}
