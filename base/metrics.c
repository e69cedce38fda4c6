#include "base/metrics.h"

#include "base/codec.h"

static const char *const type_names[] = {"counter", "gauge", "histogram"};

/* Upper bounds, in the unit in which values are added. */
static const uint64_t times_us[] = {
	100,   250,    500,    1000,   2500,	5000,	 10000,	  25000,
	50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
};
static const uint64_t sizes[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};

/* The bounds of a scale, and how many. */
static const uint64_t *bounds(enum cs_histogram_scale scale, size_t *ret_n)
{
	if (scale == CS_HISTOGRAM_SIZES) {
		*ret_n = sizeof(sizes) / sizeof(sizes[0]);
		return sizes;
	}
	*ret_n = sizeof(times_us) / sizeof(times_us[0]);
	return times_us;
}

void cs_metrics_family(struct cs_buf *out, const char *name,
		       enum cs_metric_type type, const char *help)
{
	cs_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		    type_names[type]);
}

/* A label's value: `\`, `"` and line feeds are escaped, not UTF-8 is `?`. */
static void put_value(struct cs_buf *out, struct cs_span v)
{
	bool utf8 = cs_codec_is_utf8(v);

	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];

		if (c == '\n')
			cs_buf_add_str(out, "\\n");
		else if (c == '\\' || c == '"')
			cs_buf_addf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8))
			cs_buf_add_byte(out, '?');
		else
			cs_buf_add_byte(out, c);
	}
}

/* name{a="b",...} and a space. */
static void put_name(struct cs_buf *out, const char *name,
		     const struct cs_metric_label *labels, size_t n)
{
	cs_buf_add_str(out, name);
	for (size_t i = 0; i < n; i++) {
		cs_buf_addf(out, "%c%s=\"", i == 0 ? '{' : ',', labels[i].name);
		put_value(out, labels[i].value);
		cs_buf_add_byte(out, '"');
	}
	cs_buf_add_str(out, n > 0 ? "} " : " ");
}

void cs_metrics_sample(struct cs_buf *out, const char *name,
		       const struct cs_metric_label *labels, size_t n,
		       uint64_t value)
{
	put_name(out, name, labels, n);
	cs_buf_addf(out, "%llu\n", (unsigned long long)value);
}

void cs_metrics_sample_milli(struct cs_buf *out, const char *name,
			     const struct cs_metric_label *labels, size_t n,
			     int64_t thousandths)
{
	uint64_t v = thousandths < 0 ? 0 - (uint64_t)thousandths
				     : (uint64_t)thousandths;

	put_name(out, name, labels, n);
	cs_buf_addf(out, "%s%llu.%03llu\n", thousandths < 0 ? "-" : "",
		    (unsigned long long)(v / 1000),
		    (unsigned long long)(v % 1000));
}

void cs_metrics_counter(struct cs_buf *out, const char *name, const char *help,
			uint64_t value)
{
	cs_metrics_family(out, name, CS_METRIC_COUNTER, help);
	cs_metrics_sample(out, name, NULL, 0, value);
}

void cs_metrics_gauge(struct cs_buf *out, const char *name, const char *help,
		      uint64_t value)
{
	cs_metrics_family(out, name, CS_METRIC_GAUGE, help);
	cs_metrics_sample(out, name, NULL, 0, value);
}

void cs_metrics_gauge_milli(struct cs_buf *out, const char *name,
			    const char *help, int64_t thousandths)
{
	cs_metrics_family(out, name, CS_METRIC_GAUGE, help);
	cs_metrics_sample_milli(out, name, NULL, 0, thousandths);
}

void cs_histogram_add(struct cs_histogram *h, enum cs_histogram_scale scale,
		      uint64_t value)
{
	size_t n;
	const uint64_t *upper = bounds(scale, &n);
	size_t i = 0;

	while (i < n && value > upper[i])
		i++;
	h->bucket[i]++;
	h->sum += value;
}

/* Microseconds in seconds, without zeros at the end. */
static void put_seconds(struct cs_buf *out, uint64_t us)
{
	uint64_t rest = us % 1000000;
	int digits = 6;

	cs_buf_addf(out, "%llu", (unsigned long long)(us / 1000000));
	if (rest == 0)
		return;
	for (; rest % 10 == 0; rest /= 10)
		digits--;
	cs_buf_addf(out, ".%0*llu", digits, (unsigned long long)rest);
}

/* A bound or a sum in the unit of the outside. */
static void put_number(struct cs_buf *out, enum cs_histogram_scale scale,
		       uint64_t v)
{
	if (scale == CS_HISTOGRAM_SIZES)
		cs_buf_addf(out, "%llu", (unsigned long long)v);
	else
		put_seconds(out, v);
}

void cs_metrics_histogram(struct cs_buf *out, const char *name,
			  const char *help, enum cs_histogram_scale scale,
			  const struct cs_histogram *h)
{
	size_t n;
	const uint64_t *upper = bounds(scale, &n);
	uint64_t count = 0;

	cs_metrics_family(out, name, CS_METRIC_HISTOGRAM, help);
	for (size_t i = 0; i < n; i++) {
		count += h->bucket[i];
		cs_buf_addf(out, "%s_bucket{le=\"", name);
		put_number(out, scale, upper[i]);
		cs_buf_addf(out, "\"} %llu\n", (unsigned long long)count);
	}
	count += h->bucket[n];
	cs_buf_addf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum ", name,
		    (unsigned long long)count, name);
	put_number(out, scale, h->sum);
	cs_buf_addf(out, "\n%s_count %llu\n", name, (unsigned long long)count);
}
