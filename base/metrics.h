/*
 * Numbers about a running house, in Prometheus's text format 0.0.4.
 *
 * A room keeps plain counters and histograms, and writes them as text when
 * it is asked or once a second; front puts the texts of all rooms together
 * (api/front_metrics.c). Writing checks nothing but what a label's value may
 * not hold: the caller writes each family once, HELP and TYPE before its
 * samples, and bounds how many label values there are.
 *
 * Names are `countersign_THING_UNIT`, counters end in `_total`, times are in
 * seconds, sizes in bytes.
 */
#ifndef CS_BASE_METRICS_H
#define CS_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define CS_METRICS_MEDIA_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum cs_metric_type {
	CS_METRIC_COUNTER,
	CS_METRIC_GAUGE,
	CS_METRIC_HISTOGRAM
};

struct cs_metric_label {
	const char *name;
	struct cs_span value; /* any bytes; what is not UTF-8 is replaced */
};

/* # HELP and # TYPE. `help` is one line without a backslash. */
void cs_metrics_family(struct cs_buf *out, const char *name,
		       enum cs_metric_type type, const char *help);

/* One sample of the family before. */
void cs_metrics_sample(struct cs_buf *out, const char *name,
		       const struct cs_metric_label *labels, size_t n,
		       uint64_t value);
/* The same, in thousandths: 1500 is written 1.500. */
void cs_metrics_sample_milli(struct cs_buf *out, const char *name,
			     const struct cs_metric_label *labels, size_t n,
			     int64_t thousandths);

/* A family of one sample without labels. */
void cs_metrics_counter(struct cs_buf *out, const char *name, const char *help,
			uint64_t value);
void cs_metrics_gauge(struct cs_buf *out, const char *name, const char *help,
		      uint64_t value);
void cs_metrics_gauge_milli(struct cs_buf *out, const char *name,
			    const char *help, int64_t thousandths);

/* -- histograms --------------------------------------------------------- */

/* Upper bounds of one histogram, not counting +Inf. */
#define CS_HISTOGRAM_BUCKETS 16

enum cs_histogram_scale {
	CS_HISTOGRAM_TIMES, /* microseconds, 0.1 ms to 10 s */
	CS_HISTOGRAM_SIZES  /* counts, 1 to 256 */
};

/* Zeroed memory is an empty histogram. */
struct cs_histogram {
	uint64_t bucket[CS_HISTOGRAM_BUCKETS + 1]; /* not cumulated */
	uint64_t sum;
};

void cs_histogram_add(struct cs_histogram *h, enum cs_histogram_scale scale,
		      uint64_t value);

/* Its family, whole. */
void cs_metrics_histogram(struct cs_buf *out, const char *name,
			  const char *help, enum cs_histogram_scale scale,
			  const struct cs_histogram *h);

#endif
