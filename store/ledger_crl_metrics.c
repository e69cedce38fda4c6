/* CRLs in /metrics: by CA certificate, of those that can have any. */
#include "store/ledger_crl.h"
#include "store/ledger_room.h"

/* What is told of one: of all its shards. */
struct summary {
	uint64_t stored, waiting, entries; /* entries: of the longest */
	int64_t this_s, next_s;		   /* the earliest of each */
};

static struct summary summary_of(const struct cs_crl_issuer *issuer)
{
	struct summary sum = {.this_s = INT64_MAX, .next_s = INT64_MAX};

	for (uint32_t i = 0; i < issuer->n; i++) {
		const struct cs_crl_shard *shard = &issuer->shards[i];

		sum.waiting += shard->dirty || shard->busy;
		if (!shard->stored)
			continue;
		sum.stored++;
		if (shard->count > sum.entries)
			sum.entries = shard->count;
		if (shard->this_s < sum.this_s)
			sum.this_s = shard->this_s;
		if (shard->next_s < sum.next_s)
			sum.next_s = shard->next_s;
	}
	return sum;
}

static const struct {
	const char *name, *help;
	enum cs_metric_type type;
} families[] = {
	{"countersign_crl_this_update_timestamp_seconds",
	 "When the oldest of an issuer's CRLs was signed.", CS_METRIC_GAUGE},
	{"countersign_crl_next_update_timestamp_seconds",
	 "When the first of an issuer's CRLs ends.", CS_METRIC_GAUGE},
	{"countersign_crl_entries",
	 "Entries of the longest of an issuer's CRLs; 130000 are the most.",
	 CS_METRIC_GAUGE},
	{"countersign_crl_waiting", "CRLs of an issuer that lack a revocation.",
	 CS_METRIC_GAUGE},
	{"countersign_crl_failures_total",
	 "CRLs of an issuer that could not be signed.", CS_METRIC_COUNTER},
};

/* The value of a family. */
static uint64_t value_of(size_t family, const struct cs_crl_issuer *issuer,
			 const struct summary *sum)
{
	switch (family) {
	case 0:
		return (uint64_t)sum->this_s;
	case 1:
		return (uint64_t)sum->next_s;
	case 2:
		return sum->entries;
	case 3:
		return sum->waiting;
	default:
		return issuer->failures;
	}
}

void cs_ledger_crl_metrics(const struct cs_ledger *l, struct cs_buf *out)
{
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		cs_metrics_family(out, families[f].name, families[f].type,
				  families[f].help);
		for (size_t i = 0; l->crl != NULL && i < cs_ledger_crl_rows(l);
		     i++) {
			const struct cs_crl_issuer *issuer =
				&l->crl->issuers[i];
			const struct cs_metric_label label = {
				"issuer",
				cs_span_str(cs_ledger_crl_label(l, i))};
			const struct summary sum = summary_of(issuer);

			/* Times of what there is; what is wrong always. */
			if (cs_ledger_crl_is_valid(l, i) &&
			    (f >= 3 || sum.stored > 0))
				cs_metrics_sample(out, families[f].name, &label,
						  1, value_of(f, issuer, &sum));
		}
	}
}
