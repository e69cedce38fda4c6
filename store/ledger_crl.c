/*
 * The CRLs that there are, of which issuer and how each stands
 * (store/ledger_crl.h): loaded at the start, kept up with what is revoked,
 * recorded and failed.
 */
#include "store/ledger_crl.h"

#include <stdio.h>

#include "base/crl.h"
#include "base/mem.h"
#include "base/revoke.h"
#include "store/ledger_room.h"

/*
 * Between two CRLs of a shard, so that many revocations make few CRLs: this
 * long, and longer for a long one.
 */
#define PACE_MS		    3000
#define PACE_ENTRIES_PER_MS 10
/* After a failure. */
#define FAILED_MS 60000

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

bool cs_ledger_crl_is_valid(const struct cs_ledger *l, size_t issuer)
{
	const struct cs_ledger_issuer *c = cs_ledger_crl_row(l, issuer)->config;
	int64_t now_s = cs_ledger_now(l) / 1000;

	if (c->key_is_gone)
		return false;
	return (c->not_before_s == 0 && c->not_after_s == 0) ||
	       (now_s >= c->not_before_s && now_s <= c->not_after_s);
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

bool cs_ledger_crl_load(struct cs_ledger *l, struct cs_error *err)
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
