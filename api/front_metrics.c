#include "api/front_metrics.h"

#include <stdio.h>

#include "api/front_ocsp.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/params.h"
#include "base/version.h"

void cs_front_metrics_take(struct cs_front *f, struct cs_span text)
{
	cs_buf_reset(&f->metrics.ledger);
	cs_buf_add(&f->metrics.ledger, text);
	f->metrics.ledger_ms = cs_clock_boot_ms(&f->config.clock);
}

/* -- who may ------------------------------------------------------------ */

bool cs_front_may_scrape(const struct cs_front *f,
			 const struct cs_http_peer *peer)
{
	for (size_t i = 0; i < f->config.scrapers_n; i++)
		if (!peer->is_local &&
		    cs_net_holds(&f->config.scrapers[i], peer->address))
			return true;
	return false;
}

/* -- writing ------------------------------------------------------------ */

/* One counter of the server's. */
struct counter {
	const char *name, *help;
	uint64_t value;
};

/* Connections and what became of them. */
static void put_server(const struct cs_front *f, struct cs_buf *out)
{
	const struct cs_http_stats s = cs_http_server_stats(f->server);
	const struct counter counters[] = {
		{"countersign_http_connections_total",
		 "Connections that were accepted.", s.accepted},
		{"countersign_http_connections_refused_total",
		 "Connections beyond a maximum, in all or of one address.",
		 s.over_cap + s.over_address_cap},
		{"countersign_http_connections_dropped_total",
		 "Idle or slow connections that were closed to make room for "
		 "another.",
		 s.dropped},
		{"countersign_http_no_descriptor_total",
		 "Connections for which no descriptor was left.",
		 s.no_descriptor},
		{"countersign_tls_failed_total",
		 "TLS handshakes that failed or were late.", s.tls_failed},
		{"countersign_http_requests_total",
		 "Requests that were read whole.", s.requests},
		{"countersign_http_malformed_total",
		 "Requests that were answered and cut unread: malformed, too "
		 "large, late.",
		 s.refused},
		{"countersign_http_timed_out_total",
		 "Connections that were cut at a deadline.", s.timed_out},
		{"countersign_http_gone_total",
		 "Connections that ended before their answer.", s.gone},
	};

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		cs_metrics_counter(out, counters[i].name, counters[i].help,
				   counters[i].value);
	cs_metrics_gauge(out, "countersign_http_connections_open",
			 "Connections that are open.", s.open);
}

/* Answers by status. */
static void put_responses(const struct cs_front *f, struct cs_buf *out)
{
	cs_metrics_family(out, "countersign_http_responses_total",
			  CS_METRIC_COUNTER, "Answers by HTTP status.");
	for (unsigned i = 0; i < CS_FRONT_STATUSES; i++) {
		char code[16];
		struct cs_metric_label label = {.name = "code"};

		if (f->metrics.responses[i] == 0)
			continue;
		(void)snprintf(code, sizeof(code), "%u", i);
		label.value = cs_span_str(code);
		cs_metrics_sample(out, "countersign_http_responses_total",
				  &label, 1, f->metrics.responses[i]);
	}
}

/* Requests, workers, clients. */
static void put_work(const struct cs_front *f, struct cs_buf *out)
{
	cs_metrics_gauge(out, "countersign_requests_in_flight",
			 "Requests that wait for a worker or the ledger.",
			 cs_inflight_count(f->inflight));
	cs_metrics_gauge(out, "countersign_questions_in_flight",
			 "Questions and acts of administration under way.",
			 cs_waits_count(f->waits));
	cs_metrics_histogram(out, "countersign_reader_question_seconds",
			     "One question to the database, by the reader's "
			     "own clock; its count is of those answered.",
			     CS_HISTOGRAM_TIMES, &f->metrics.question_time);
	cs_metrics_counter(out, "countersign_reader_questions_failed_total",
			   "Questions that the reader could not answer: too "
			   "long, or the database did not read.",
			   f->metrics.questions_failed);
	cs_metrics_histogram(out, "countersign_request_seconds",
			     "From a request's arrival to its answer.",
			     CS_HISTOGRAM_TIMES, &f->metrics.request_time);
	cs_metrics_gauge(out, "countersign_workers", "Workers that live.",
			 cs_inflight_workers(f->inflight));
	cs_metrics_counter(out, "countersign_worker_deaths_total",
			   "Workers that died and were started again.",
			   f->metrics.worker_deaths);
	cs_metrics_counter(out, "countersign_auth_refusals_total",
			   "Requests refused for a credential or a right.",
			   f->metrics.auth_refusals);
	cs_metrics_gauge(out, "countersign_clients",
			 "Clients that are not removed.",
			 f->clients == NULL ? 0 : cs_clients_count(f->clients));
}

/* The house: version, listener, how old the rest is. */
static void put_house(const struct cs_front *f, struct cs_buf *out)
{
	const struct cs_metric_label info[] = {
		{"version", cs_span_str(cs_version())},
		{"openssl", cs_span_str(cs_version_openssl())},
	};

	cs_metrics_family(out, "countersign_build_info", CS_METRIC_GAUGE,
			  "1, with the versions that run.");
	cs_metrics_sample(out, "countersign_build_info", info, 2, 1);
	cs_metrics_gauge_milli(out, "countersign_start_timestamp_seconds",
			       "When this process began.", f->metrics.start_ms);
	if (f->metrics.listener_not_after_s != 0)
		cs_metrics_gauge(
			out, "countersign_listener_not_after_timestamp_seconds",
			"When the listener's own certificate expires.",
			(uint64_t)f->metrics.listener_not_after_s);
	cs_metrics_counter(out, "countersign_log_lines_dropped_total",
			   "Lines of the front's log that nobody took.",
			   f->config.log == NULL ? 0
						 : f->config.log->dropped_ever);
	cs_metrics_counter(
		out, "countersign_log_lines_suppressed_total",
		"Lines of the front's log beyond the limit of one event.",
		f->config.log == NULL ? 0 : f->config.log->suppressed_ever);
	cs_metrics_gauge_milli(
		out, "countersign_ledger_report_age_seconds",
		"Age of the ledger's numbers below; it sends them each second.",
		f->metrics.ledger_ms == 0 ? 0
					  : cs_clock_boot_ms(&f->config.clock) -
						    f->metrics.ledger_ms);
}

bool cs_front_get_metrics(struct cs_front *f, struct cs_call *c)
{
	const struct cs_reply r = {.status = 200,
				   .media_type = CS_METRICS_MEDIA_TYPE};
	struct cs_buf *out = cs_front_out(f);
	struct cs_error err;

	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	put_house(f, out);
	put_server(f, out);
	put_responses(f, out);
	put_work(f, out);
	cs_front_ocsp_metrics(f, out);
	cs_buf_add(out, cs_buf_span(&f->metrics.ledger));
	if (cs_buf_finish(out, "metrics", &err))
		cs_front_reply(f, c->ticket, &r, cs_buf_span(out));
	else
		cs_front_reply_error(f, c->ticket, &err);
	return true;
}
