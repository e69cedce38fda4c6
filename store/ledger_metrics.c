#include "store/ledger_metrics.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/terms.h"
#include "store/ledger_room.h"
#include "store/schema.h"
#include "store/version.h"

/* Open requests are counted no further than this. */
#define OPEN_MAX 10000
/* And so often, in ticks: it looks at each of them. */
#define OPEN_TICKS 5

#define OTHER "_other"

/* -- counting ----------------------------------------------------------- */

/* A span as a string, cut at the end of the array. */
static void copy_text(char to[CS_MAX_NAME + 1], struct cs_span from)
{
	(void)snprintf(to, CS_MAX_NAME + 1, "%.*s", CS_SPAN_FMT(from));
}

/* The row of these labels, or the number of rows. */
static size_t find_decision(const struct cs_ledger_metrics *m,
			    enum cs_leaf_kind kind, struct cs_span issuer,
			    struct cs_span policy)
{
	const struct cs_ledger_decisions *d = m->decisions;
	size_t i = 0;

	while (i < m->decisions_n &&
	       (d[i].kind != kind || !cs_span_equal_str(policy, d[i].policy) ||
		!cs_span_equal_str(issuer, d[i].issuer)))
		i++;
	return i;
}

/* One more decision of this kind, issuer and policy. */
static void count_decision(struct cs_ledger_metrics *m, enum cs_leaf_kind kind,
			   struct cs_span issuer, struct cs_span policy)
{
	struct cs_ledger_decisions *d = m->decisions;
	size_t i = find_decision(m, kind, issuer, policy);

	/* The last rows are for the rest, one for each kind of decision. */
	if (i == m->decisions_n && i >= CS_MAX_METRIC_SERIES - 4) {
		issuer = policy = cs_span_str(OTHER);
		i = find_decision(m, kind, issuer, policy);
	}
	if (i == m->decisions_n) {
		m->decisions_n++;
		d[i].kind = kind;
		copy_text(d[i].issuer, issuer);
		copy_text(d[i].policy, policy);
	}
	d[i].n++;
}

/* One more refusal with this code. */
static void count_code(struct cs_ledger_metrics *m, struct cs_span code)
{
	size_t i = 0;

	while (i < m->codes_n && !cs_span_equal_str(code, m->codes[i].code))
		i++;
	if (i == CS_MAX_METRIC_SERIES)
		i--;
	else if (i == m->codes_n) {
		m->codes_n++;
		copy_text(m->codes[i].code, i + 1 == CS_MAX_METRIC_SERIES
						    ? cs_span_str(OTHER)
						    : code);
	}
	m->codes[i].n++;
}

/* The row of these labels, or the number of rows. */
static size_t find_revocation(const struct cs_ledger_metrics *m,
			      enum cs_reason reason, struct cs_span issuer)
{
	size_t i = 0;

	while (i < m->revocations_n &&
	       (m->revocations[i].reason != reason ||
		!cs_span_equal_str(issuer, m->revocations[i].issuer)))
		i++;
	return i;
}

/* Reasons that can be given: so many rows are left for the rest. */
#define REASONS 6

/* One more revocation of this issuer for this reason. */
static void count_revocation(struct cs_ledger_metrics *m, enum cs_reason reason,
			     struct cs_span issuer)
{
	size_t i = find_revocation(m, reason, issuer);

	if (i == m->revocations_n && i >= CS_MAX_METRIC_SERIES - REASONS) {
		issuer = cs_span_str(OTHER);
		i = find_revocation(m, reason, issuer);
	}
	if (i == m->revocations_n) {
		m->revocations_n++;
		m->revocations[i].reason = reason;
		copy_text(m->revocations[i].issuer, issuer);
	}
	m->revocations[i].n++;
}

void cs_ledger_metrics_leaf(struct cs_ledger_metrics *m,
			    const struct cs_leaf_record *rec)
{
	struct cs_span terms = rec->terms;
	struct cs_span policy = {0};
	struct cs_span value;
	uint8_t field;

	m->kinds[rec->kind]++;
	if (rec->kind == CS_LEAF_REVOKED)
		count_revocation(m, (enum cs_reason)rec->reason,
				 rec->issuer_name);
	if (!cs_leaf_kind_is_decision(rec->kind))
		return;
	while (cs_terms_next(&terms, &field, &value, NULL)) {
		/* A name that would be cut is counted as what it becomes. */
		value = cs_span_sub(value, 0, CS_MAX_NAME);
		if (field == CS_TERM_POLICY)
			policy = value;
		else if (field == CS_TERM_CODE && rec->kind != CS_LEAF_ISSUED)
			count_code(m, value);
	}
	count_decision(m, rec->kind,
		       cs_span_sub(rec->issuer_asked, 0, CS_MAX_NAME), policy);
}

/* -- looking ------------------------------------------------------------ */

/* A file's size; 0: there is none. */
static uint64_t size_of(struct cs_ledger *l, const char *name)
{
	char path[4096];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", l->config.dir, name);
	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* What is asked of the file system. */
static void look_at_files(struct cs_ledger *l)
{
	struct cs_ledger_metrics *m = l->metrics;
	struct statvfs fs;
	bool low;

	m->database_bytes = size_of(l, "ledger.db");
	m->wal_bytes = size_of(l, "ledger.db-wal");
	if (statvfs(l->config.dir, &fs) != 0)
		return;
	m->disk_free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	m->disk_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
	low = m->disk_free_bytes < CS_LEDGER_DISK_LOW;
	if (low != l->disk_low)
		cs_log_write(l->config.log, low ? CS_LOG_WARNING : CS_LOG_INFO,
			     low ? "disk.low" : "disk.enough",
			     "%llu MiB are left for the ledger",
			     (unsigned long long)m->disk_free_bytes / 1048576);
	l->disk_low = low;
}

/* Requests that wait for something, up to a maximum. */
static bool count_open(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_REQUEST_OPEN_STATES);
	bool row = false;

	cs_stmt_int(&s, OPEN_MAX);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row) {
		l->metrics->open_pending = (uint64_t)cs_stmt_col_int(&s, 0);
		l->metrics->open_approved = (uint64_t)cs_stmt_col_int(&s, 1);
	}
	cs_stmt_end(&s);
	return true;
}

/* -- writing ------------------------------------------------------------ */

/* Decisions, refusals, leaves. */
static void put_decisions(const struct cs_ledger_metrics *m, struct cs_buf *out)
{
	cs_metrics_family(out, "countersign_decisions_total", CS_METRIC_COUNTER,
			  "Terminal decisions by verdict, issuer and policy.");
	for (size_t i = 0; i < m->decisions_n; i++) {
		const struct cs_ledger_decisions *d = &m->decisions[i];
		const struct cs_metric_label labels[] = {
			{"verdict", cs_span_str(cs_leaf_kind_name(d->kind))},
			{"issuer", cs_span_str(d->issuer)},
			{"policy", cs_span_str(d->policy)},
		};

		cs_metrics_sample(out, "countersign_decisions_total", labels, 3,
				  d->n);
	}
	cs_metrics_family(out, "countersign_refusals_total", CS_METRIC_COUNTER,
			  "Refused requests by code; each counts once for "
			  "every code that it was refused with.");
	for (size_t i = 0; i < m->codes_n; i++) {
		const struct cs_metric_label label = {
			"code", cs_span_str(m->codes[i].code)};

		cs_metrics_sample(out, "countersign_refusals_total", &label, 1,
				  m->codes[i].n);
	}
	cs_metrics_family(out, "countersign_log_leaves_total",
			  CS_METRIC_COUNTER, "Leaves of the log by kind.");
	for (int k = 1; k <= CS_LEAF_LAST; k++) {
		const struct cs_metric_label label = {
			"kind", cs_span_str(cs_leaf_kind_name(k))};

		cs_metrics_sample(out, "countersign_log_leaves_total", &label,
				  1, m->kinds[k]);
	}
}

/* Revocations. */
static void put_revocations(const struct cs_ledger_metrics *m,
			    struct cs_buf *out)
{
	cs_metrics_family(out, "countersign_revocations_total",
			  CS_METRIC_COUNTER,
			  "Revoked certificates by issuer and reason.");
	for (size_t i = 0; i < m->revocations_n; i++) {
		const struct cs_ledger_revocations *r = &m->revocations[i];
		const struct cs_metric_label labels[] = {
			{"issuer", cs_span_str(r->issuer)},
			{"reason", cs_span_str(cs_reason_name(r->reason))},
		};

		cs_metrics_sample(out, "countersign_revocations_total", labels,
				  2, r->n);
	}
}

/* Batches, and how long things take. */
static void put_batches(const struct cs_ledger_metrics *m, struct cs_buf *out)
{
	cs_metrics_counter(out, "countersign_ledger_batches_total",
			   "Transactions that were committed.", m->batches);
	cs_metrics_counter(out, "countersign_ledger_batches_undone_total",
			   "Transactions that were rolled back.", m->undone);
	cs_metrics_counter(out, "countersign_ledger_full_total",
			   "Transactions for which no space was left.",
			   m->full);
	cs_metrics_histogram(out, "countersign_ledger_batch_size",
			     "Pieces of work in one transaction.",
			     CS_HISTOGRAM_SIZES, &m->batch_size);
	cs_metrics_histogram(
		out, "countersign_ledger_batch_seconds",
		"One transaction, from BEGIN to the end of COMMIT.",
		CS_HISTOGRAM_TIMES, &m->batch_time);
	cs_metrics_histogram(out, "countersign_ledger_commit_seconds",
			     "COMMIT alone: writing the WAL, its sync, and "
			     "now and then a checkpoint of it.",
			     CS_HISTOGRAM_TIMES, &m->commit_time);
	cs_metrics_histogram(out, "countersign_ledger_fsync_seconds",
			     "One sync of a file of the ledger by the disk.",
			     CS_HISTOGRAM_TIMES, &m->sync_time);
	cs_metrics_histogram(out, "countersign_sign_seconds",
			     "From a TBS that was recorded to its signature.",
			     CS_HISTOGRAM_TIMES, &m->sign_time);
}

/* What is under way, and what lags. */
static void put_present(const struct cs_ledger *l, struct cs_buf *out)
{
	const struct cs_ledger_metrics *m = l->metrics;
	int64_t boot = cs_clock_boot_ms(&l->config.clock);
	size_t attempts = 0;

	for (const struct cs_attempt *a = l->attempts; a != NULL; a = a->next)
		attempts++;
	cs_metrics_gauge(out, "countersign_ledger_queue",
			 "Pieces of work that wait for a transaction.",
			 l->queued);
	cs_metrics_gauge(out, "countersign_attempts_unresolved",
			 "Recorded intents without an outcome.", attempts);
	cs_metrics_family(out, "countersign_requests_open", CS_METRIC_GAUGE,
			  "Requests that wait for an approval (pending) or for "
			  "their time (approved); counted up to 10000.");
	for (int i = 0; i < 2; i++) {
		const struct cs_metric_label label = {
			"state", cs_span_str(i == 0 ? "pending" : "approved")};

		cs_metrics_sample(out, "countersign_requests_open", &label, 1,
				  i == 0 ? m->open_pending : m->open_approved);
	}
	cs_metrics_gauge(out, "countersign_log_size", "Leaves of the log.",
			 l->edge.size);
	cs_metrics_gauge(out, "countersign_terms_lag",
			 "Leaves whose search terms are not filed yet.",
			 l->edge.size - l->terms_done);
	cs_metrics_gauge_milli(out, "countersign_checkpoint_timestamp_seconds",
			       "When the newest checkpoint was signed.",
			       m->checkpoint_ms);
	cs_metrics_gauge_milli(
		out, "countersign_checkpoint_outside_age_seconds",
		"For how long the checkpoint outside has been behind the log; "
		"0 when it is not.",
		l->note_unwritten && l->note_written_boot_ms > 0
			? boot - l->note_written_boot_ms
			: 0);
	cs_metrics_gauge_milli(out, "countersign_backup_timestamp_seconds",
			       "When the last backup was made; 0: never.",
			       m->backup_ms);
}

/* Files and disk. */
static void put_files(const struct cs_ledger_metrics *m, struct cs_buf *out)
{
	cs_metrics_gauge(out, "countersign_database_bytes",
			 "Size of ledger.db.", m->database_bytes);
	cs_metrics_gauge(out, "countersign_wal_bytes", "Size of its WAL.",
			 m->wal_bytes);
	cs_metrics_gauge(out, "countersign_disk_free_bytes",
			 "Space that is left for the ledger.",
			 m->disk_free_bytes);
	cs_metrics_gauge(out, "countersign_disk_bytes",
			 "Size of the file system that the ledger is on.",
			 m->disk_bytes);
}

/* Issuers, and which state the ledger is in. */
static void put_state(const struct cs_ledger *l, struct cs_buf *out)
{
	static const char *const names[] = {
		[CS_LEDGER_ISSUING] = "issuing",
		[CS_LEDGER_CLOCK] = "clock",
		[CS_LEDGER_FULL] = "full",
		[CS_LEDGER_SPLIT] = "split_view",
		[CS_LEDGER_NO_POLICY] = "no_policy",
		[CS_LEDGER_STOPPING] = "stopping",
	};
	const struct cs_metric_label info[] = {
		{"sqlite", cs_span_str(cs_version_sqlite())},
		{"engine", cs_span_str(l->config.engine)},
	};

	cs_metrics_family(out, "countersign_ledger_state", CS_METRIC_GAUGE,
			  "1 for the state that the ledger is in; it decides "
			  "in state issuing only.");
	for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct cs_metric_label label = {"state",
						      cs_span_str(names[i])};

		cs_metrics_sample(out, "countersign_ledger_state", &label, 1,
				  cs_ledger_state(l) == i);
	}
	cs_metrics_gauge(out, "countersign_policy_epoch",
			 "Number of the policy set in force.", l->epoch);
	cs_metrics_family(out, "countersign_ca_not_after_timestamp_seconds",
			  CS_METRIC_GAUGE,
			  "When the certificate of an issuer that issues "
			  "expires.");
	for (size_t i = 0; i < l->issuers_n; i++) {
		const struct cs_metric_label label = {
			"issuer", cs_span_str(l->issuers[i].config->name)};

		/* Who issues nothing any more alarms nobody. */
		if (l->issuers[i].config->is_retired)
			continue;
		cs_metrics_sample(
			out, "countersign_ca_not_after_timestamp_seconds",
			&label, 1, (uint64_t)l->issuers[i].not_after_s);
	}
	cs_metrics_family(out, "countersign_ledger_info", CS_METRIC_GAUGE,
			  "1, with what the ledger runs on.");
	cs_metrics_sample(out, "countersign_ledger_info", info, 2, 1);
}

void cs_ledger_metrics_send(struct cs_ledger *l)
{
	struct cs_buf *out = &l->metrics->text;
	struct cs_msg_metrics m;
	struct cs_error err = {0};

	if (l->front == NULL)
		return;
	look_at_files(l);
	if (l->ticks % OPEN_TICKS == 0 && !count_open(l, &err)) {
		cs_ledger_fail(l, &err);
		return;
	}
	cs_buf_reset(out);
	put_decisions(l->metrics, out);
	put_revocations(l->metrics, out);
	put_batches(l->metrics, out);
	put_present(l, out);
	put_files(l->metrics, out);
	put_state(l, out);
	cs_ledger_crl_metrics(l, out);
	m.text = cs_buf_span(out);
	if (!cs_buf_finish(out, "metrics", &err) ||
	    !cs_link_send_metrics(l->front, 0, &m, &err))
		cs_ledger_link_failed(l, &err);
}

bool cs_ledger_metrics_start(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_LEAF_LAST_OF_KIND);
	bool row = false;

	cs_stmt_int(&s, CS_LEAF_BACKUP);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row)
		l->metrics->backup_ms = cs_stmt_col_int(&s, 0);
	cs_stmt_end(&s);
	return true;
}
