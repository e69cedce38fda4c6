#include "api/http_write.h"

#include <stdio.h>
#include <string.h>

#include "api/http_body.h"
#include "base/limits.h"
#include "base/time.h"

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{411, "Length Required"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{422, "Unprocessable Content"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{505, "HTTP Version Not Supported"},
};

/* RFC 9112 4: the phrase may be empty, and means nothing. */
static const char *reason_of(int status)
{
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "";
}

void cs_http_write_date(int64_t seconds, char ret_text[CS_HTTP_DATE])
{
	static const char days[7][4] = {"Thu", "Fri", "Sat", "Sun",
					"Mon", "Tue", "Wed"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr",
					   "May", "Jun", "Jul", "Aug",
					   "Sep", "Oct", "Nov", "Dec"};
	struct cs_civil c;

	if (seconds < 0 || !cs_time_to_civil(seconds, &c)) {
		seconds = 0;
		c = (struct cs_civil){.year = 1970, .month = 1, .day = 1};
	}
	/* 1970-01-01 was a Thursday. The masks tell the compiler our ranges. */
	(void)snprintf(ret_text, CS_HTTP_DATE,
		       "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
		       days[seconds / 86400 % 7], (unsigned)c.day & 31u,
		       months[(c.month - 1) % 12], (unsigned)c.year % 10000u,
		       (unsigned)c.hour & 31u, (unsigned)c.minute & 63u,
		       (unsigned)c.second & 63u);
}

/* Visible ASCII, SP and HTAB: nothing that could end a field. */
static bool is_value(struct cs_span s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if ((s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] >= 0x7F)
			return false;
	}
	return true;
}

/* One field of the owner's. */
static bool add_field(struct cs_buf *out, const char *name,
		      struct cs_span value, struct cs_error *err)
{
	if (!is_value(cs_span_str(name)) || !is_value(value))
		return cs_error_set(err, CS_E_ARGUMENT,
				    "answer: a field holds a byte that is not "
				    "visible ASCII");
	cs_buf_add_str(out, name);
	cs_buf_add_str(out, ": ");
	cs_buf_add(out, value);
	cs_buf_add_str(out, "\r\n");
	return true;
}

/* Status line and the fields that every answer has. */
static void add_start(const struct cs_http_answer *a,
		      const struct cs_http_frame *f, struct cs_buf *out)
{
	char text[256];
	int n;

	n = snprintf(text, sizeof(text),
		     "HTTP/1.1 %d %s\r\nDate: %s\r\n"
		     "Cache-Control: %s\r\n"
		     "X-Content-Type-Options: nosniff\r\n",
		     a->status, reason_of(a->status), f->date,
		     a->cache_control == NULL ? "no-store" : a->cache_control);
	if (n > 0 && (size_t)n < sizeof(text))
		cs_buf_add(out, cs_span_make(text, (size_t)n));
	if (f->close)
		cs_buf_add_str(out, "Connection: close\r\n");
}

/* RFC 9110 8.6: no length with 204; none of ours with 304. */
static bool has_body(int status)
{
	return status != 204 && status != 304;
}

/* All of the head. */
static bool add_head(const struct cs_http_answer *a,
		     const struct cs_http_frame *f, struct cs_buf *out,
		     struct cs_error *err)
{
	char text[48];
	int n;
	size_t i;

	add_start(a, f, out);
	if (a->content_type != NULL &&
	    !add_field(out, "Content-Type", cs_span_str(a->content_type), err))
		return false;
	for (i = 0; i < a->headers_n; i++) {
		if (!add_field(out, a->headers[i].name, a->headers[i].value,
			       err))
			return false;
	}
	n = snprintf(text, sizeof(text), "Content-Length: %zu\r\n",
		     a->shared != NULL ? cs_http_body_span(a->shared).n
				       : a->body.n);
	if (has_body(a->status) && n > 0 && (size_t)n < sizeof(text))
		cs_buf_add(out, cs_span_make(text, (size_t)n));
	cs_buf_add_str(out, "\r\n");
	return true;
}

bool cs_http_write_answer(const struct cs_http_answer *answer,
			  const struct cs_http_frame *frame, struct cs_buf *out,
			  struct cs_error *err)
{
	size_t before = out->n;

	if (answer->status < 200 || answer->status > 599)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "answer: %d is not a final status",
				    answer->status);
	if (answer->body.n > CS_MAX_HTTP_ANSWER)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "answer: longer than %d bytes",
				    CS_MAX_HTTP_ANSWER);
	if (!add_head(answer, frame, out, err)) {
		cs_buf_truncate(out, before);
		return false;
	}
	if (out->n - before > CS_MAX_HTTP_ANSWER_HEAD) {
		cs_buf_truncate(out, before);
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "answer: its head is longer than %d bytes",
				    CS_MAX_HTTP_ANSWER_HEAD);
	}
	if (frame->method != CS_HTTP_HEAD && has_body(answer->status) &&
	    answer->shared == NULL)
		cs_buf_add(out, answer->body);
	return cs_buf_finish(out, "answer", err);
}
