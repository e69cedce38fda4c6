#include "api/front_ocsp.h"

#include "api/front_life.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/params.h"
#include "base/codec.h"

#define MEDIA_TYPE "application/ocsp-response"

/* OCSPResponseStatus (RFC 6960 4.2.1), as answers are counted by it. */
static const char *const statuses[CS_FRONT_OCSP_STATUSES] = {
	"successful", "malformedRequest", "internalError", "tryLater",
	NULL,	      "sigRequired",	  "unauthorized"};

enum {
	MALFORMED = 1,
	TRY_LATER = 3
};

/* An answer of ours: an OCSPResponse of nothing but a status. */
static bool refuse(struct cs_front *f, uint64_t http, uint8_t status)
{
	const uint8_t der[] = {0x30, 0x03, 0x0a, 0x01, status};
	const struct cs_reply r = {.status = 200, .media_type = MEDIA_TYPE};

	f->metrics.ocsp_responses[status]++;
	cs_front_reply(f, http, &r, cs_span_make(der, sizeof(der)));
	return true;
}

/* Hand it on; `by` says whether a cache may keep the answer. */
static bool ask(struct cs_front *f, struct cs_call *c, struct cs_span request,
		enum cs_http_method by)
{
	const struct cs_msg_ocsp m = {.request = request};
	struct cs_wait *w = NULL;
	struct cs_error err;

	if (request.n == 0 || request.n > CS_MAX_OCSP_REQUEST)
		return refuse(f, c->ticket, MALFORMED);
	if (cs_waits_of(f->waits, CS_WAIT_OCSP) < CS_MAX_OCSP_WAITS)
		w = cs_waits_add(f->waits, CS_WAIT_OCSP, c->ticket);
	if (w == NULL)
		return refuse(f, c->ticket, TRY_LATER);
	w->method = by;
	if (cs_link_send_ocsp(f->reader, w->ticket, &m, &err))
		return true;
	cs_waits_end(f->waits, w);
	return refuse(f, c->ticket, TRY_LATER);
}

bool cs_front_post_ocsp(struct cs_front *f, struct cs_call *c)
{
	return cs_params_none(c->request->head->query, c->p) &&
	       ask(f, c, c->request->body, CS_HTTP_POST);
}

/* One character of the path, "%2B" being one; false: it is none. */
static bool next(struct cs_span *s, uint8_t *ret)
{
	uint8_t c = s->p[0];
	size_t n = 1;

	if (c == '%') {
		if (s->n < 3 ||
		    !cs_codec_hex_fixed(cs_span_sub(*s, 1, 2), &c, 1))
			return false;
		n = 3;
	}
	*s = cs_span_sub(*s, n, s->n);
	*ret = c;
	return true;
}

/*
 * RFC 6960 A.1: the path is the request in Base64, which may be escaped. Some
 * clients leave the padding out; what is missing is put in.
 */
static bool decode(struct cs_span path, struct cs_buf *text, struct cs_buf *der)
{
	uint8_t c;

	while (path.n > 0) {
		if (!next(&path, &c))
			return false;
		cs_buf_add_byte(text, c);
	}
	while (text->n % 4 != 0)
		cs_buf_add_byte(text, '=');
	return cs_codec_base64_decode(cs_buf_span(text), der, NULL);
}

bool cs_front_get_ocsp(struct cs_front *f, struct cs_call *c)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	CS_CLEANUP(cs_buf_done) struct cs_buf der;

	cs_buf_init(&text, CS_MAX_HTTP_PATH);
	cs_buf_init(&der, CS_MAX_HTTP_PATH);
	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	if (!decode(c->arg, &text, &der))
		return refuse(f, c->ticket, MALFORMED);
	return ask(f, c, cs_buf_span(&der), CS_HTTP_GET);
}

void cs_front_ocsp_answer(struct cs_front *f, uint64_t ticket,
			  const struct cs_msg_ocsp_answer *m)
{
	struct cs_wait *w = cs_waits_find(f->waits, ticket);
	struct cs_reply r = {.status = 200, .media_type = MEDIA_TYPE};

	if (m->status < CS_FRONT_OCSP_STATUSES)
		f->metrics.ocsp_responses[m->status]++;
	f->metrics.ocsp_good += m->good;
	f->metrics.ocsp_revoked += m->revoked;
	f->metrics.ocsp_unknown += m->unknown;
	if (w == NULL)
		return;
	/*= RFC 5019 6.2: what was asked for by GET may be kept by caches */
	if (w->method == CS_HTTP_GET && m->next_update_s > 0) {
		r.modified_s = m->produced_s;
		r.expires_s = m->next_update_s;
	}
	cs_front_reply(f, w->http, &r, m->response);
	cs_waits_end(f->waits, w);
	cs_front_check_stop(f);
}

void cs_front_ocsp_responder(struct cs_front *f,
			     const struct cs_msg_ocsp_responder *m)
{
	for (size_t i = 0; i < f->config.issuers_n; i++)
		if (cs_span_equal_str(m->issuer, f->config.issuers[i].name))
			f->responder_not_after_s[i] = m->not_after_s;
}

/* -- what is told about it ------------------------------------------------ */

/* One sample with one label. */
static void put_sample(struct cs_buf *out, const char *family,
		       const char *label, const char *value, uint64_t n)
{
	const struct cs_metric_label l = {label, cs_span_str(value)};

	cs_metrics_sample(out, family, &l, 1, n);
}

/* When each responder ends; one that is missing has ended. */
static void put_responders(const struct cs_front *f, struct cs_buf *out)
{
	static const char family[] =
		"countersign_ocsp_responder_not_after_timestamp_seconds";

	cs_metrics_family(out, family, CS_METRIC_GAUGE,
			  "When the certificate of an issuer's OCSP responder "
			  "expires; 0: it has none.");
	for (size_t i = 0; i < f->config.issuers_n; i++)
		if (f->config.issuers[i].ocsp)
			put_sample(out, family, "issuer",
				   f->config.issuers[i].name,
				   (uint64_t)f->responder_not_after_s[i]);
}

void cs_front_ocsp_metrics(const struct cs_front *f, struct cs_buf *out)
{
	static const char responses[] = "countersign_ocsp_responses_total";
	static const char certs[] = "countersign_ocsp_certificates_total";

	cs_metrics_family(out, responses, CS_METRIC_COUNTER,
			  "Answers to OCSP requests, by their status.");
	for (size_t i = 0; i < CS_FRONT_OCSP_STATUSES; i++)
		if (statuses[i] != NULL)
			put_sample(out, responses, "status", statuses[i],
				   f->metrics.ocsp_responses[i]);
	cs_metrics_family(out, certs, CS_METRIC_COUNTER,
			  "Certificates that were asked about by OCSP, by what "
			  "was said of them.");
	put_sample(out, certs, "status", "good", f->metrics.ocsp_good);
	put_sample(out, certs, "status", "revoked", f->metrics.ocsp_revoked);
	put_sample(out, certs, "status", "unknown", f->metrics.ocsp_unknown);
	put_responders(f, out);
}
