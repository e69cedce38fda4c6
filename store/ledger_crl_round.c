/*
 * A round of CRLs: numbers committed, lists to the signer, CRLs recorded
 * (store/ledger_crl.h).
 */
#include <stdio.h>

#include "base/failpoint.h"
#include "base/json.h"
#include "store/ledger_crl.h"
#include "store/ledger_room.h"
#include "store/rows.h"

/* -- asking --------------------------------------------------------------- */

/* The row that uses a number up. */
static bool ask_row(struct cs_ledger *l, struct cs_crl_job *job,
		    struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_CRL_ASK);
	uint8_t sha256[CS_SHA256_SIZE];

	if (!cs_hash_sha256(l->hash, cs_buf_span(&job->entries), sha256, err))
		return false;
	cs_stmt_int(&s, cs_ledger_crl_row(l, job->issuer)->id);
	cs_stmt_int(&s, job->shard);
	cs_stmt_int(&s, (int64_t)job->number);
	cs_stmt_int(&s, l->batch.now_ms);
	cs_stmt_blob(&s, cs_span_make(sha256, sizeof(sha256)));
	return cs_stmt_run(&s, err);
}

/* Numbers and times of the round. */
static bool ask_fill(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_ledger_crl *c = l->crl;
	int64_t now_s = l->batch.now_ms / 1000;

	for (size_t i = 0; i < c->jobs_n; i++) {
		struct cs_crl_job *job = &c->jobs[i];
		struct cs_crl_shard *shard =
			cs_ledger_crl_shard(l, job->issuer, job->shard);

		job->number = shard->number + 1;
		if (now_s > 0 && job->number < (uint64_t)now_s)
			job->number = (uint64_t)now_s;
		job->this_s = now_s;
		job->next_s = now_s + l->config.crl_validity_s;
		/* Its list is whole up to when it was begun. */
		job->regular_s = job->begun_s;
		if (shard->stored && shard->regular_s <= now_s &&
		    now_s - shard->regular_s < l->config.crl_refresh_s)
			job->regular_s = shard->regular_s;
		if (!ask_row(l, job, err))
			return false;
	}
	l->batch.wrote = true;
	return true;
}

/* One transaction of the round; false: it is not there. */
static bool commit(struct cs_ledger *l,
		   bool (*fill)(struct cs_ledger *, struct cs_error *))
{
	struct cs_error err = {0};

	if (cs_ledger_own_batch(l, fill, &err))
		return true;
	if (err.code == CS_E_DB_FULL)
		cs_ledger_is_full(l);
	else
		cs_ledger_fail(l, &err);
	return false;
}

/* The list to one of the signers. */
static void send(struct cs_ledger *l, size_t i)
{
	const struct cs_crl_job *job = &l->crl->jobs[i];
	const struct cs_msg_crl_sign m = {
		.issuer = cs_span_str(cs_ledger_crl_label(l, job->issuer)),
		.shard = job->shard,
		.number = job->number,
		.this_update_s = job->this_s,
		.next_update_s = job->next_s,
		.entries = cs_buf_span(&job->entries),
	};
	struct cs_link *signer =
		l->signers[(job->issuer + job->shard) % l->signers_n];
	struct cs_error err = {0};

	if (signer == NULL ||
	    !cs_link_send_crl_sign(signer, l->crl->rounds * CS_CRL_JOBS + i, &m,
				   &err))
		cs_ledger_link_failed(l, &err);
}

/* Nothing was asked: the same lists are due again. */
static void give_up(struct cs_ledger *l)
{
	struct cs_ledger_crl *c = l->crl;

	for (size_t i = 0; i < c->jobs_n; i++) {
		struct cs_crl_shard *shard = cs_ledger_crl_shard(
			l, c->jobs[i].issuer, c->jobs[i].shard);

		shard->dirty = true;
		shard->busy = false;
	}
	c->jobs_n = 0;
	c->phase = CS_CRL_REST;
	c->stirred = true;
}

void cs_ledger_crl_ask(struct cs_ledger *l)
{
	struct cs_ledger_crl *c = l->crl;

	if (!commit(l, ask_fill)) {
		give_up(l);
		return;
	}
	(void)cs_failpoint("ledger.before_crl_sign");
	c->phase = CS_CRL_SIGN;
	c->rounds++;
	for (size_t i = 0; i < c->jobs_n; i++) {
		cs_ledger_crl_shard(l, c->jobs[i].issuer, c->jobs[i].shard)
			->number = c->jobs[i].number;
		send(l, i);
	}
}

/* -- recording ------------------------------------------------------------ */

/* The row: the shard's last CRL. */
static bool put_row(struct cs_ledger *l, struct cs_crl_job *job, uint64_t leaf,
		    const uint8_t sha256[CS_SHA256_SIZE], struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_CRL_PUT);

	cs_stmt_int(&s, cs_ledger_crl_row(l, job->issuer)->id);
	cs_stmt_int(&s, job->shard);
	cs_stmt_int(&s, (int64_t)job->number);
	cs_stmt_int(&s, job->this_s);
	cs_stmt_int(&s, job->next_s);
	cs_stmt_int(&s, job->regular_s);
	cs_stmt_int(&s, (int64_t)job->covers);
	cs_stmt_int(&s, (int64_t)job->count);
	cs_stmt_int(&s, (int64_t)leaf);
	cs_stmt_blob(&s, cs_span_make(sha256, CS_SHA256_SIZE));
	cs_stmt_blob(&s, cs_buf_span(&job->der));
	if (!cs_stmt_run(&s, err))
		return false;
	s = cs_stmt(l->db, CS_SQL_CRL_ASK_END);
	cs_stmt_int(&s, cs_ledger_crl_row(l, job->issuer)->id);
	cs_stmt_int(&s, job->shard);
	return cs_stmt_run(&s, err);
}

/* The row as canonical JSON, for the record. */
static bool put_rows(struct cs_ledger *l, const struct cs_crl_job *job,
		     struct cs_draft *d, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_CRL_ID);
	uint64_t id;
	bool row = false;

	cs_stmt_int(&s, cs_ledger_crl_row(l, job->issuer)->id);
	cs_stmt_int(&s, job->shard);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	id = row ? (uint64_t)cs_stmt_col_int(&s, 0) : 0;
	cs_stmt_end(&s);
	cs_buf_reset(&l->json);
	return cs_rows_crl(l->db, l->hash, id, &l->json, err) &&
	       cs_ledger_act_keep(l, NULL, &d->rec.rows, err);
}

/* What the leaf says. */
static void put_decision(const struct cs_crl_job *job,
			 const struct cs_ledger_issuer_row *issuer,
			 const uint8_t sha256[CS_SHA256_SIZE],
			 struct cs_json *j)
{
	cs_json_member_int(j, "covers", (int64_t)job->covers);
	cs_json_member_int(j, "entries", (int64_t)job->count);
	cs_json_member_int(j, "generation", (int64_t)issuer->generation);
	cs_json_member_str(j, "issuer", issuer->config->name);
	cs_json_member_int(j, "next_update", job->next_s);
	cs_json_member_int(j, "number", (int64_t)job->number);
	cs_json_member_hex(j, "sha256", cs_span_make(sha256, CS_SHA256_SIZE));
	cs_json_member_int(j, "shard", job->shard);
	cs_json_member_int(j, "this_update", job->this_s);
	cs_json_end(j);
}

/* Leaf and rows of one. */
static bool record(struct cs_ledger *l, struct cs_crl_job *job,
		   struct cs_error *err)
{
	const struct cs_ledger_issuer_row *issuer =
		cs_ledger_crl_row(l, job->issuer);
	struct cs_draft *d = cs_ledger_draft(l, CS_LEAF_CRL_SIGNED, err);
	uint8_t sha256[CS_SHA256_SIZE];
	struct cs_json j;

	if (d == NULL ||
	    !cs_hash_sha256(l->hash, cs_buf_span(&job->der), sha256, err) ||
	    !put_row(l, job, d->rec.index, sha256, err) ||
	    !put_rows(l, job, d, err))
		return false;
	d->rec.issuer = (uint64_t)issuer->id;
	d->rec.issuer_name = cs_span_str(issuer->config->name);
	d->rec.generation = issuer->generation;
	cs_ledger_act_begin(l, &j);
	put_decision(job, issuer, sha256, &j);
	return cs_ledger_act_keep(l, &j, &d->decision, err);
}

static bool record_fill(struct cs_ledger *l, struct cs_error *err)
{
	for (size_t i = 0; i < l->crl->jobs_n; i++)
		if (l->crl->jobs[i].good && !record(l, &l->crl->jobs[i], err))
			return false;
	return true;
}

void cs_ledger_crl_record(struct cs_ledger *l)
{
	struct cs_ledger_crl *c = l->crl;

	c->phase = CS_CRL_RECORD;
	(void)cs_failpoint("ledger.before_crl_record");
	if (!commit(l, record_fill))
		return; /* no space: the tick tries again */
	(void)cs_failpoint("ledger.after_crl_record");
	c->phase = CS_CRL_REST;
	for (size_t i = 0; i < c->jobs_n; i++) {
		if (c->jobs[i].good) {
			cs_ledger_crl_recorded(l, &c->jobs[i]);
			continue;
		}
		cs_ledger_crl_failed(l, &c->jobs[i], 0);
		cs_ledger_crl_tell_failed(l, &c->jobs[i]);
	}
	c->jobs_n = 0;
	cs_ledger_crl_tell(l);
	cs_idle_request(c->idle);
}

bool cs_ledger_crl_signed(struct cs_ledger *l, uint64_t ticket,
			  const struct cs_msg_crl_signed *m,
			  struct cs_error *err)
{
	struct cs_ledger_crl *c = l->crl;
	size_t i = ticket % CS_CRL_JOBS;
	struct cs_crl_job *job = &c->jobs[i];
	size_t left = 0;

	if (c->phase != CS_CRL_SIGN || ticket / CS_CRL_JOBS != c->rounds ||
	    i >= c->jobs_n || job->answered)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "CRL_SIGNED: it was not asked for");
	if (m->ok != 0 && (m->crl.n == 0 || m->count != job->count))
		return cs_error_set(err, CS_E_PROTOCOL,
				    "CRL_SIGNED: %u entries instead of %zu",
				    (unsigned)m->count, job->count);
	job->answered = true;
	job->good = m->ok != 0 && cs_buf_add(&job->der, m->crl);
	(void)snprintf(job->code, sizeof(job->code), "%s",
		       m->ok != 0 ? "CRL_TOO_LARGE" : "CRL_REFUSED");
	(void)snprintf(job->why, sizeof(job->why), "%.*s",
		       (int)(m->detail.n > 200 ? 200 : m->detail.n),
		       (const char *)m->detail.p);
	for (i = 0; i < c->jobs_n; i++)
		left += !c->jobs[i].answered;
	if (left == 0)
		cs_ledger_crl_record(l);
	return true;
}
