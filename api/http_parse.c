#include "api/http_parse.h"

/* What a byte may be part of. */
#define TOKEN  1u /* RFC 9110 5.6.2: tchar */
#define VALUE  2u /* visible ASCII, SP, HTAB */
#define TARGET 4u /* visible ASCII without '#' */
#define DIGIT  8u
#define HOST   16u /* of a registered name or an IPv4 address */
#define IPLIT  32u /* between the brackets of an IPv6 address */

/* Fields that we read. Those before ONCE may stand in a head once. */
enum field {
	F_HOST,
	F_AUTHORIZATION,
	F_CONTENT_TYPE,
	F_ACCEPT,
	F_IDEMPOTENCY_KEY,
	F_IF_NONE_MATCH,
	F_CONTENT_LENGTH,
	F_TRANSFER_ENCODING,
	F_EXPECT,
	F_ONCE,
	F_CONNECTION = F_ONCE,
	F_OTHER
};

static const struct {
	const char *name;
	enum field field;
} fields[] = {
	{"Host", F_HOST},
	{"Authorization", F_AUTHORIZATION},
	{"Content-Type", F_CONTENT_TYPE},
	{"Accept", F_ACCEPT},
	{"Idempotency-Key", F_IDEMPOTENCY_KEY},
	{"If-None-Match", F_IF_NONE_MATCH},
	{"Content-Length", F_CONTENT_LENGTH},
	{"Transfer-Encoding", F_TRANSFER_ENCODING},
	{"Expect", F_EXPECT},
	{"Connection", F_CONNECTION},
};

static const struct {
	const char *name;
	enum cs_http_method method;
} methods[] = {
	{"GET", CS_HTTP_GET},
	{"POST", CS_HTTP_POST},
	{"DELETE", CS_HTTP_DELETE},
	{"HEAD", CS_HTTP_HEAD},
};

/* The classes of a byte. Written for a compiler that makes a table of it. */
static unsigned classes(uint8_t c)
{
	unsigned k = 0;

	if (c >= '0' && c <= '9')
		return TOKEN | VALUE | TARGET | DIGIT | HOST | IPLIT;
	if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
		return TOKEN | VALUE | TARGET | HOST | IPLIT;
	if ((c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z'))
		return TOKEN | VALUE | TARGET | HOST;
	switch (c) {
	case ' ':
	case '\t':
		return VALUE;
	case '!':
	case '$':
	case '%':
	case '&':
	case '\'':
	case '*':
	case '+':
	case '^':
	case '`':
	case '|':
		return TOKEN | VALUE | TARGET;
	case '#':
		return TOKEN | VALUE;
	case '-':
	case '_':
	case '~':
		return TOKEN | VALUE | TARGET | HOST;
	case '.':
		return TOKEN | VALUE | TARGET | HOST | IPLIT;
	case ':':
		return VALUE | TARGET | IPLIT;
	default:
		if (c > 0x20 && c < 0x7F)
			k = VALUE | TARGET;
		return k;
	}
}

/* Is s not empty and all of class k? */
static bool all_of(struct cs_span s, unsigned k)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if ((classes(s.p[i]) & k) == 0)
			return false;
	}
	return s.n > 0;
}

/* Refuse. Returns false, so that a failing branch is one statement. */
static bool refuse(struct cs_http_parser *p, int status, const char *sentence)
{
	p->refusal.status = status;
	p->refusal.sentence = sentence;
	return false;
}

/* Without SP and HTAB at both ends (RFC 9110 5.6.3: OWS). */
static struct cs_span trim(struct cs_span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* Remember s, a part of the head that begins at base. */
static struct cs_http_part part(const uint8_t *base, struct cs_span s)
{
	/* A head is at most CS_MAX_HTTP_HEAD long, so both fit. */
	return (struct cs_http_part){(uint16_t)(s.p - base), (uint16_t)s.n};
}

/* The bytes of a part; none if it is absent. */
static struct cs_span part_span(struct cs_http_part q, struct cs_span all)
{
	if (q.at == 0)
		return (struct cs_span){NULL, 0};
	return cs_span_sub(all, q.at, q.n);
}

/* RFC 9112 2.3: the version, "HTTP/1.1" or "HTTP/1.0". */
static bool read_version(struct cs_http_parser *p, struct cs_span s)
{
	if (s.n != 8 || !cs_span_starts_with(s, CS_SPAN_LIT("HTTP/")) ||
	    (classes(s.p[5]) & DIGIT) == 0 || s.p[6] != '.' ||
	    (classes(s.p[7]) & DIGIT) == 0)
		return refuse(p, 400,
			      "RFC 9112 2.3: the request line does not end "
			      "with a version.");
	if (s.p[5] != '1' || s.p[7] > '1')
		return refuse(p, 505,
			      "RFC 9112 2.3: this server speaks HTTP/1.1 "
			      "only.");
	p->minor = s.p[7] - '0';
	p->close = p->minor == 0;
	return true;
}

/* RFC 9110 9.1: methods are case-sensitive tokens. */
static bool read_method(struct cs_http_parser *p, struct cs_span s)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (cs_span_equal_str(s, methods[i].name)) {
			p->method = methods[i].method;
			return true;
		}
	}
	return refuse(p, 501, "RFC 9110 9.1: this method is not implemented.");
}

/* RFC 9112 3.2.1: origin-form only. */
static bool read_target(struct cs_http_parser *p, const uint8_t *base,
			struct cs_span s)
{
	struct cs_span path = s;
	size_t at;

	if (s.p[0] != '/')
		return refuse(p, 400,
			      "RFC 9112 3.2.1: the target is not in origin "
			      "form.");
	if (s.n > CS_MAX_HTTP_TARGET)
		return refuse(p, 414, "The target is too long.");
	if (cs_span_find(s, '?', &at)) {
		path = cs_span_sub(s, 0, at);
		p->query = part(base, cs_span_sub(s, at + 1, s.n));
	}
	if (path.n > CS_MAX_HTTP_PATH)
		return refuse(p, 414, "The path is too long.");
	/*
	 * Routes are matched as raw bytes, and none of ours has an escape; but
	 * Base64 behind /ocsp/ is escaped by half of the clients (RFC 6960
	 * A.1).
	 */
	if (cs_span_find(path, '%', NULL) &&
	    !cs_span_starts_with(path, CS_SPAN_LIT("/ocsp/")))
		return refuse(p, 404, "No route has an escaped byte.");
	p->path = part(base, path);
	return true;
}

/* RFC 9112 3: method SP target SP version. */
static bool read_request_line(struct cs_http_parser *p, const uint8_t *base,
			      struct cs_span line)
{
	struct cs_span method;
	struct cs_span target;
	struct cs_span rest;
	size_t at;

	if (line.n == 0)
		return refuse(p, 400,
			      "RFC 9112 2.2: an empty line stands before the "
			      "request line.");
	if (!cs_span_find(line, ' ', &at))
		return refuse(p, 400,
			      "RFC 9112 3: the request line has no target.");
	method = cs_span_sub(line, 0, at);
	rest = cs_span_sub(line, at + 1, line.n);
	if (!cs_span_find(rest, ' ', &at))
		return refuse(p, 400,
			      "RFC 9112 3: the request line has no version.");
	target = cs_span_sub(rest, 0, at);
	rest = cs_span_sub(rest, at + 1, rest.n);
	if (!all_of(method, TOKEN))
		return refuse(p, 400,
			      "RFC 9110 9.1: the method is not a token.");
	if (!all_of(target, TARGET))
		return refuse(p, 400,
			      "RFC 9112 3.2: the target is empty or holds a "
			      "byte that it may not hold.");
	return read_version(p, rest) && read_method(p, method) &&
	       read_target(p, base, target);
}

/* RFC 9110 7.2, RFC 3986 3.2.2: a host and perhaps a port, not empty. */
static bool is_host(struct cs_span s)
{
	size_t at;
	struct cs_span host = s;
	struct cs_span port = {NULL, 0};

	if (s.n > 0 && s.p[0] == '[') {
		if (!cs_span_find(s, ']', &at))
			return false;
		host = cs_span_sub(s, 1, at - 1);
		port = cs_span_sub(s, at + 1, s.n);
		if (!all_of(host, IPLIT))
			return false;
	} else {
		if (cs_span_find(s, ':', &at)) {
			host = cs_span_sub(s, 0, at);
			port = cs_span_sub(s, at, s.n);
		}
		if (!all_of(host, HOST))
			return false;
	}
	if (port.n == 0)
		return true;
	return port.p[0] == ':' && port.n <= 6 &&
	       all_of(cs_span_sub(port, 1, port.n), DIGIT);
}

/* RFC 9112 6.3: the body's length; our subset of 1*DIGIT. */
static bool read_content_length(struct cs_http_parser *p, struct cs_span s)
{
	size_t n = 0;
	size_t i;

	if (!all_of(s, DIGIT) || (s.n > 1 && s.p[0] == '0'))
		return refuse(p, 400,
			      "RFC 9112 6.3: Content-Length is not a plain "
			      "decimal number.");
	if (s.n > 7)
		return refuse(p, 413, "The body is too large.");
	for (i = 0; i < s.n; i++)
		n = n * 10 + (size_t)(s.p[i] - '0');
	if (n > CS_MAX_HTTP_BODY)
		return refuse(p, 413, "The body is too large.");
	p->content_length = n;
	return true;
}

/* RFC 9110 10.1.1; a 1.0 client's is ignored. */
static bool read_expect(struct cs_http_parser *p, struct cs_span s)
{
	if (p->minor == 0)
		return true;
	if (!cs_span_equal_icase(s, CS_SPAN_LIT("100-continue")))
		return refuse(p, 417,
			      "RFC 9110 10.1.1: only 100-continue can be "
			      "expected.");
	p->expect_continue = true;
	return true;
}

/* RFC 9110 7.6.1: a list of options, of which "close" concerns us. */
static void read_connection(struct cs_http_parser *p, struct cs_span s)
{
	size_t at;

	while (cs_span_find(s, ',', &at)) {
		if (cs_span_equal_icase(trim(cs_span_sub(s, 0, at)),
					CS_SPAN_LIT("close")))
			p->close = true;
		s = cs_span_sub(s, at + 1, s.n);
	}
	if (cs_span_equal_icase(trim(s), CS_SPAN_LIT("close")))
		p->close = true;
}

/* Which field is it? */
static enum field find_field(struct cs_span name)
{
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (cs_span_equal_icase(name, cs_span_str(fields[i].name)))
			return fields[i].field;
	}
	return F_OTHER;
}

/* Take one field's value. */
static bool read_value(struct cs_http_parser *p, const uint8_t *base,
		       enum field field, struct cs_span value)
{
	switch (field) {
	case F_HOST:
		p->host = part(base, value);
		return is_host(value) ||
		       refuse(p, 400,
			      "RFC 9110 7.2: Host is not a host and port.");
	case F_AUTHORIZATION:
		p->authorization = part(base, value);
		return true;
	case F_CONTENT_TYPE:
		p->content_type = part(base, value);
		return true;
	case F_ACCEPT:
		p->accept = part(base, value);
		return true;
	case F_IDEMPOTENCY_KEY:
		p->idempotency_key = part(base, value);
		return true;
	case F_IF_NONE_MATCH:
		p->if_none_match = part(base, value);
		return true;
	case F_CONTENT_LENGTH:
		return read_content_length(p, value);
	case F_TRANSFER_ENCODING:
		return refuse(p, 501,
			      "RFC 9112 6.1: transfer codings are not "
			      "implemented.");
	case F_EXPECT:
		return read_expect(p, value);
	case F_CONNECTION:
		read_connection(p, value);
		return true;
	case F_OTHER:
		break;
	}
	return true;
}

/* RFC 9112 5: name ":" OWS value OWS, nothing folded. */
static bool read_field_line(struct cs_http_parser *p, const uint8_t *base,
			    struct cs_span line)
{
	struct cs_span name;
	enum field field;
	size_t at;

	if (++p->fields > CS_MAX_HTTP_HEADERS)
		return refuse(p, 431, "The head has too many fields.");
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return refuse(p, 400,
			      "RFC 9112 5.2: a field is folded over lines.");
	if (!cs_span_find(line, ':', &at))
		return refuse(p, 400, "RFC 9112 5: a field has no colon.");
	name = cs_span_sub(line, 0, at);
	/* Also catches white space before the colon (RFC 9112 5.1). */
	if (!all_of(name, TOKEN))
		return refuse(p, 400,
			      "RFC 9112 5.1: a field's name is not a token.");
	field = find_field(name);
	if (field < F_ONCE) {
		if (p->singletons & 1u << field)
			return refuse(p, 400,
				      "RFC 9110 5.3: a field that may stand "
				      "once is repeated.");
		p->singletons |= 1u << field;
	}
	return read_value(p, base, field,
			  trim(cs_span_sub(line, at + 1, line.n)));
}

/* The empty line: is the head whole? */
static bool check_whole(struct cs_http_parser *p)
{
	bool has_length = (p->singletons & 1u << F_CONTENT_LENGTH) != 0;

	if (p->minor == 1 && (p->singletons & 1u << F_HOST) == 0)
		return refuse(p, 400, "RFC 9112 3.2: Host is missing.");
	if (p->method == CS_HTTP_POST && !has_length)
		return refuse(p, 411,
			      "RFC 9110 15.5.12: Content-Length is missing.");
	if (p->method != CS_HTTP_POST && p->content_length > 0)
		return refuse(p, 400,
			      "RFC 9110 9.3.1: only POST has a body here.");
	return true;
}

/*
 * The byte at p->seen: may it stand there? LF only behind CR, CR only before
 * LF, and nothing beyond the limits.
 */
static bool check_byte(struct cs_http_parser *p, struct cs_span all)
{
	uint8_t c = all.p[p->seen];
	bool after_cr = p->seen > p->line && all.p[p->seen - 1] == '\r';

	if (p->seen >= CS_MAX_HTTP_HEAD)
		return refuse(p, 431, "The head is too large.");
	if (p->line == 0 && p->seen >= CS_MAX_HTTP_REQUEST_LINE)
		return refuse(p, 414, "The request line is too long.");
	if (after_cr)
		return c == '\n' ||
		       refuse(p, 400, "RFC 9112 2.2: CR stands without LF.");
	if (c == '\n')
		return refuse(p, 400, "RFC 9112 2.2: LF stands without CR.");
	if (c != '\r' && (classes(c) & VALUE) == 0)
		return refuse(p, 400,
			      "RFC 9110 5.5: the head holds a byte that is "
			      "not visible ASCII.");
	return true;
}

void cs_http_parser_init(struct cs_http_parser *p)
{
	*p = (struct cs_http_parser){0};
}

void cs_http_parser_head(const struct cs_http_parser *p, struct cs_span all,
			 struct cs_http_head *ret_head)
{
	*ret_head = (struct cs_http_head){
		.method = p->method,
		.minor = p->minor,
		.path = part_span(p->path, all),
		.query = part_span(p->query, all),
		.host = part_span(p->host, all),
		.authorization = part_span(p->authorization, all),
		.content_type = part_span(p->content_type, all),
		.accept = part_span(p->accept, all),
		.idempotency_key = part_span(p->idempotency_key, all),
		.if_none_match = part_span(p->if_none_match, all),
		.content_length = p->content_length,
		.close = p->close,
		.expect_continue = p->expect_continue,
		.size = p->seen,
	};
}

enum cs_http_progress cs_http_parse(struct cs_http_parser *p,
				    struct cs_span all,
				    struct cs_http_head *ret_head,
				    struct cs_http_refusal *ret_refusal)
{
	struct cs_span line;
	bool fine;

	while (p->refusal.status == 0 && p->seen < all.n) {
		if (!check_byte(p, all))
			break;
		if (all.p[p->seen++] != '\n')
			continue;
		line = cs_span_sub(all, p->line, p->seen - 2 - p->line);
		if (p->line == 0)
			fine = read_request_line(p, all.p, line);
		else if (line.n > 0)
			fine = read_field_line(p, all.p, line);
		else if (check_whole(p)) {
			cs_http_parser_head(p, all, ret_head);
			return CS_HTTP_DONE;
		} else
			break;
		if (!fine)
			break;
		p->line = p->seen;
	}
	if (p->refusal.status == 0)
		return CS_HTTP_MORE;
	*ret_refusal = p->refusal;
	return CS_HTTP_REFUSED;
}
