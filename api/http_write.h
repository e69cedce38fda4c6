/*
 * An HTTP/1.1 answer as bytes: status line, our fixed fields, the owner's
 * fields, Content-Length, body. A pure function, so that one buffer holds
 * the answer and one write sends it.
 *
 * What it does not check: that the body is what its media type says.
 */
#ifndef CS_API_HTTP_WRITE_H
#define CS_API_HTTP_WRITE_H

#include "api/http_call.h"
#include "base/attr.h"
#include "base/buf.h"

/* What the connection decides about an answer. */
struct cs_http_frame {
	enum cs_http_method method; /* HEAD: the body is left out */
	bool close;		    /* say "Connection: close" */
	const char *date;	    /* IMF-fixdate, see below */
};

/* Bytes of a date, NUL included. */
#define CS_HTTP_DATE 32

/* RFC 9110 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT". */
void cs_http_write_date(int64_t seconds, char ret_text[CS_HTTP_DATE]);

/*
 * Append the answer to out. Errors: ARGUMENT (a status outside 200..599, a
 * name or value that would break the head), TOO_LARGE (body above
 * CS_MAX_HTTP_ANSWER, fields above CS_MAX_HTTP_ANSWER_HEAD), NO_MEMORY. On
 * failure out is as long as before, or failed.
 */
bool cs_http_write_answer(const struct cs_http_answer *answer,
			  const struct cs_http_frame *frame, struct cs_buf *out,
			  struct cs_error *err) CS_MUST_USE;

#endif
