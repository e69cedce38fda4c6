#include <tests/lib/test.h>

#include <string.h>
#include <strings.h>

#include "api/http_parse.h"
#include "base/attr.h"
#include "base/mem.h"

#define H    "Host: a\r\n"
#define GET  "GET / HTTP/1.1\r\n"
#define PUSH "POST /v1/requests HTTP/1.1\r\n" H

/*
 * One request: `first`, then `times` x `again`, then `last`. Status 0: it is
 * accepted; MORE: it is not complete.
 */
#define MORE -1
struct request {
	const char *name;
	int status;
	const char *clause; /* that the refusal cites; NULL: a limit of ours */
	struct cs_span first;
	const char *again;
	size_t times;
	const char *last;
};

#define ONE(name, status, clause, bytes)                                       \
	{                                                                      \
		name, status, clause,                                          \
			{(const uint8_t *)(bytes), sizeof(bytes) - 1}, NULL,   \
			0, ""                                                  \
	}
#define MANY(name, status, clause, first, again, times, last)                  \
	{                                                                      \
		name, status, clause,                                          \
			{(const uint8_t *)(first), sizeof(first) - 1}, again,  \
			times, last                                            \
	}

static const struct request requests[] = {
	/* what must work */
	ONE("accepts: the smallest request", 0, NULL, GET H "\r\n"),
	ONE("accepts: a query", 0, NULL,
	    "GET /a?b=c%20d HTTP/1.1\r\n" H "\r\n"),
	ONE("accepts: escapes behind /ocsp/", 0, NULL,
	    "GET /ocsp/a%2Fb%3D HTTP/1.1\r\n" H "\r\n"),
	ONE("accepts: HEAD", 0, NULL, "HEAD / HTTP/1.1\r\n" H "\r\n"),
	ONE("accepts: DELETE without a length", 0, NULL,
	    "DELETE /v1/clients/a HTTP/1.1\r\n" H "\r\n"),
	ONE("accepts: POST with a length", 0, NULL,
	    PUSH "Content-Length: 5\r\n\r\nhello"),
	ONE("accepts: POST with an empty body", 0, NULL,
	    PUSH "Content-Length: 0\r\n\r\n"),
	ONE("accepts: GET that says its body is empty", 0, NULL,
	    GET H "Content-Length: 0\r\n\r\n"),
	ONE("accepts: HTTP/1.0 without Host", 0, NULL,
	    "GET / HTTP/1.0\r\n\r\n"),
	ONE("accepts: names in any case", 0, NULL,
	    "POST / HTTP/1.1\r\nhOST: a\r\nCONTENT-LENGTH: 1\r\n\r\nx"),
	ONE("accepts: no space behind the colon", 0, NULL,
	    GET "Host:a\r\n\r\n"),
	/* RFC 9110 5.6.3: optional white space is SP and HTAB */
	ONE("accepts: tabs and spaces around a value", 0, NULL,
	    GET "Host: \t a \t\r\n\r\n"),
	ONE("accepts: an empty value", 0, NULL, GET H "X:\r\n\r\n"),
	ONE("accepts: a host with a port", 0, NULL,
	    GET "Host: a.example:8443\r\n\r\n"),
	ONE("accepts: an IPv6 host", 0, NULL,
	    GET "Host: [2001:db8::1]:443\r\n\r\n"),
	ONE("accepts: Expect in another case", 0, NULL,
	    PUSH "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n"),
	ONE("accepts: other fields twice", 0, NULL,
	    GET H "X: 1\r\nX: 2\r\n\r\n"),
	ONE("accepts: what follows the head is not looked at", 0, NULL,
	    GET H "\r\n\0\n\xFF"),
	ONE("accepts: an unwanted Upgrade, which is ignored", 0, NULL,
	    GET H "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
		  "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n"),
	MANY("accepts: 32 fields", 0, NULL, GET H, "X: 1\r\n", 31, "\r\n"),
	MANY("accepts: a head of 8192 bytes", 0, NULL, GET H "X: ", "x", 8160,
	     "\r\n\r\n"),
	MANY("accepts: a path of 512 bytes", 0, NULL, "GET /", "p", 511,
	     " HTTP/1.1\r\n" H "\r\n"),
	MANY("accepts: a target of 2048 bytes", 0, NULL, "GET /?", "q", 2046,
	     " HTTP/1.1\r\n" H "\r\n"),
	MANY("accepts: a body of the maximum", 0, NULL,
	     PUSH "Content-Length: 65536\r\n\r\n", "", 0, ""),
	ONE("waits: nothing yet", MORE, NULL, ""),
	ONE("waits: half a method", MORE, NULL, "GE"),
	ONE("waits: no empty line yet", MORE, NULL, GET H),
	ONE("waits: CR of the empty line", MORE, NULL, GET H "\r"),

	/* H01 to H05: framing */
	ONE("H01 refuses: a length and chunked", 501, "RFC 9112 6.1",
	    PUSH "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
	ONE("H01 refuses: chunked and a length", 501, "RFC 9112 6.1",
	    PUSH "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
	ONE("H02 refuses: two equal lengths", 400, "RFC 9110 5.3",
	    PUSH "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
	ONE("H02 refuses: two different lengths", 400, "RFC 9110 5.3",
	    PUSH "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
	ONE("H02 refuses: two lengths in different case", 400, "RFC 9110 5.3",
	    PUSH "Content-Length: 5\r\ncontent-length: 6\r\n\r\nhello"),
	ONE("H03 refuses: a list of lengths", 400, "RFC 9112 6.3",
	    PUSH "Content-Length: 5, 5\r\n\r\nhello"),
	ONE("H03 refuses: a list of lengths without spaces", 400,
	    "RFC 9112 6.3", PUSH "Content-Length: 5,6\r\n\r\nhello"),
	ONE("H04 refuses: length +5", 400, "RFC 9112 6.3",
	    PUSH "Content-Length: +5\r\n\r\n"),
	ONE("H04 refuses: length -0", 400, "RFC 9112 6.3",
	    PUSH "Content-Length: -0\r\n\r\n"),
	ONE("H04 refuses: length 0x5", 400, "RFC 9112 6.3",
	    PUSH "Content-Length: 0x5\r\n\r\n"),
	ONE("H04 refuses: length 5_", 400, "RFC 9112 6.3",
	    PUSH "Content-Length: 5_\r\n\r\n"),
	ONE("H04 refuses: length 05", 400, "RFC 9112 6.3",
	    PUSH "Content-Length: 05\r\n\r\n"),
	ONE("H04 refuses: an empty length", 400, "RFC 9112 6.3",
	    PUSH "Content-Length: \r\n\r\n"),
	ONE("H04 refuses: length 1 2", 400, "RFC 9112 6.3",
	    PUSH "Content-Length: 1 2\r\n\r\n"),
	ONE("H04 refuses: length 1e1", 400, "RFC 9112 6.3",
	    PUSH "Content-Length: 1e1\r\n\r\n"),
	ONE("H04 refuses: length \"5\"", 400, "RFC 9112 6.3",
	    PUSH "Content-Length: \"5\"\r\n\r\n"),
	ONE("H04 refuses: a length of 20 digits", 413, NULL,
	    PUSH "Content-Length: 18446744073709551621\r\n\r\n"),
	ONE("H05 refuses: Transfer-Encoding identity", 501, "RFC 9112 6.1",
	    PUSH "Transfer-Encoding: identity\r\n\r\n"),
	ONE("H05 refuses: Transfer-Encoding gzip, chunked", 501, "RFC 9112 6.1",
	    PUSH "Transfer-Encoding: gzip, chunked\r\n\r\n"),
	ONE("H05 refuses: an obscured chunked", 501, "RFC 9112 6.1",
	    PUSH "Transfer-Encoding: xchunked\r\n\r\n"),
	ONE("H05 refuses: an empty Transfer-Encoding", 501, "RFC 9112 6.1",
	    PUSH "Transfer-Encoding:\r\n\r\n"),
	ONE("H05 refuses: Transfer-Encoding in HTTP/1.0", 501, "RFC 9112 6.1",
	    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
	ONE("refuses: POST without a length", 411, "RFC 9110 15.5.12",
	    PUSH "\r\n"),
	ONE("refuses: HTTP/1.0 POST without a length", 411, "RFC 9110 15.5.12",
	    "POST / HTTP/1.0\r\n\r\nhello"),
	ONE("refuses: GET with a body", 400, "RFC 9110 9.3.1",
	    GET H "Content-Length: 5\r\n\r\nhello"),
	ONE("refuses: HEAD with a body", 400, "RFC 9110 9.3.1",
	    "HEAD / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nh"),
	ONE("refuses: DELETE with a body", 400, "RFC 9110 9.3.1",
	    "DELETE / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nh"),

	/* H06 to H09: lines and bytes */
	ONE("H06 refuses: a space before the colon", 400, "RFC 9112 5.1",
	    GET "Host : a\r\n\r\n"),
	ONE("H06 refuses: a tab before the colon", 400, "RFC 9112 5.1",
	    PUSH "Content-Length\t: 5\r\n\r\nhello"),
	ONE("H06 refuses: Transfer-Encoding with a space before the colon", 400,
	    "RFC 9112 5.1", PUSH "Transfer-Encoding : chunked\r\n\r\n"),
	ONE("H07 refuses: bare LF behind the request line", 400, "RFC 9112 2.2",
	    "GET / HTTP/1.1\n" H "\r\n"),
	ONE("H07 refuses: bare LF behind a field", 400, "RFC 9112 2.2",
	    GET "Host: a\nX: b\r\n\r\n"),
	ONE("H07 refuses: bare LF as the empty line", 400, "RFC 9112 2.2",
	    GET H "\n"),
	ONE("H07 refuses: a lone CR in a value", 400, "RFC 9112 2.2",
	    GET H "X: a\rb\r\n\r\n"),
	ONE("H07 refuses: a lone CR in a name", 400, "RFC 9112 2.2",
	    GET H "X\rY: a\r\n\r\n"),
	ONE("H07 refuses: a lone CR in the request line", 400, "RFC 9112 2.2",
	    "GET /\rHTTP/1.1\r\n" H "\r\n"),
	ONE("H07 refuses: CR CR LF", 400, "RFC 9112 2.2",
	    GET "Host: a\r\r\n\r\n"),
	ONE("H07 refuses: CR as white space before Transfer-Encoding", 400,
	    "RFC 9112 2.2", GET H "X: y\r\rTransfer-Encoding: chunked\r\n\r\n"),
	ONE("H08 refuses: NUL in a name", 400, "RFC 9110 5.5",
	    GET H "X\0Y: a\r\n\r\n"),
	ONE("H08 refuses: NUL in a value", 400, "RFC 9110 5.5",
	    GET H "X: a\0b\r\n\r\n"),
	ONE("H08 refuses: NUL in the target", 400, "RFC 9110 5.5",
	    "GET /a\0b HTTP/1.1\r\n" H "\r\n"),
	ONE("H08 refuses: NUL in the method", 400, "RFC 9110 5.5",
	    "GE\0T / HTTP/1.1\r\n" H "\r\n"),
	ONE("H08 refuses: NUL behind the length", 400, "RFC 9110 5.5",
	    PUSH "Content-Length: 5\0\r\n\r\nhello"),
	ONE("H09 refuses: a folded value", 400, "RFC 9112 5.2",
	    GET H "X: a\r\n b\r\n\r\n"),
	ONE("H09 refuses: a value folded by a tab", 400, "RFC 9112 5.2",
	    GET H "X: a\r\n\tb\r\n\r\n"),
	ONE("H09 refuses: a folded first field", 400, "RFC 9112 5.2",
	    GET " " H "\r\n"),
	ONE("H09 refuses: a folded length", 400, "RFC 9112 6.3",
	    PUSH "Content-Length:\r\n 5\r\n\r\nhello"),
	ONE("H09 refuses: a fold that hides a field", 400, "RFC 9112 5.2",
	    GET H "X: a\r\n Transfer-Encoding: chunked\r\n\r\n"),

	/* H10, H11: Host (RFC 3986 3.2.2) and names (RFC 9110 5.6.2) */
	ONE("H10 refuses: no Host", 400, "RFC 9112 3.2", GET "\r\n"),
	ONE("H10 refuses: two Hosts", 400, "RFC 9110 5.3", GET H H "\r\n"),
	ONE("H10 refuses: two Hosts in HTTP/1.0", 400, "RFC 9110 5.3",
	    "GET / HTTP/1.0\r\n" H H "\r\n"),
	ONE("H10 refuses: an empty Host", 400, "RFC 9110 7.2",
	    GET "Host:\r\n\r\n"),
	ONE("H10 refuses: a Host with a user", 400, "RFC 9110 7.2",
	    GET "Host: a@b\r\n\r\n"),
	ONE("H10 refuses: a Host with a path", 400, "RFC 9110 7.2",
	    GET "Host: a/b\r\n\r\n"),
	ONE("H10 refuses: a list of Hosts", 400, "RFC 9110 7.2",
	    GET "Host: a, b\r\n\r\n"),
	ONE("H10 refuses: a Host with a space", 400, "RFC 9110 7.2",
	    GET "Host: a b\r\n\r\n"),
	ONE("H10 refuses: a Host with a bad port", 400, "RFC 9110 7.2",
	    GET "Host: a:80x\r\n\r\n"),
	ONE("H10 refuses: a Host with an empty port", 400, "RFC 9110 7.2",
	    GET "Host: a:\r\n\r\n"),
	ONE("H10 refuses: a Host of a port only", 400, "RFC 9110 7.2",
	    GET "Host: :80\r\n\r\n"),
	ONE("H10 refuses: a Host with an open bracket", 400, "RFC 9110 7.2",
	    GET "Host: [::1\r\n\r\n"),
	ONE("H10 refuses: a Host with bytes behind the bracket", 400,
	    "RFC 9110 7.2", GET "Host: [::1]x\r\n\r\n"),
	ONE("H10 refuses: a Host with an escape", 400, "RFC 9110 7.2",
	    GET "Host: a%2eb\r\n\r\n"),
	ONE("H11 refuses: an empty name", 400, "RFC 9112 5.1",
	    GET H ": a\r\n\r\n"),
	ONE("H11 refuses: a name with a bracket", 400, "RFC 9112 5.1",
	    GET H "X[]: a\r\n\r\n"),
	ONE("H11 refuses: a name with a space", 400, "RFC 9112 5.1",
	    GET H "X Y: a\r\n\r\n"),
	ONE("H11 refuses: a name above 0x7F", 400, "RFC 9110 5.5",
	    GET H "X\xC3: a\r\n\r\n"),
	ONE("H11 refuses: a value above 0x7F", 400, "RFC 9110 5.5",
	    GET H "X: \xC3\r\n\r\n"),
	ONE("H11 refuses: a value with DEL", 400, "RFC 9110 5.5",
	    GET H "X: \x7F\r\n\r\n"),
	ONE("H11 refuses: a value with ESC", 400, "RFC 9110 5.5",
	    GET H "X: \x1B[2J\r\n\r\n"),
	ONE("H11 refuses: a line without a colon", 400, "RFC 9112 5",
	    GET H "X\r\n\r\n"),
	ONE("refuses: Content-Type twice", 400, "RFC 9110 5.3",
	    PUSH "Content-Type: a/b\r\nContent-Type: c/d\r\n"
		 "Content-Length: 0\r\n\r\n"),
	ONE("refuses: Authorization twice", 400, "RFC 9110 5.3",
	    GET H "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n"),
	ONE("refuses: Idempotency-Key twice", 400, "RFC 9110 5.3",
	    GET H "Idempotency-Key: a\r\nidempotency-key: a\r\n\r\n"),
	ONE("refuses: Accept twice", 400, "RFC 9110 5.3",
	    GET H "Accept: a/b\r\nAccept: c/d\r\n\r\n"),
	ONE("refuses: Expect twice", 400, "RFC 9110 5.3",
	    PUSH "Expect: 100-continue\r\nExpect: 100-continue\r\n"
		 "Content-Length: 0\r\n\r\n"),

	/* H12: sizes; H25: no end */
	MANY("H12 refuses: 33 fields", 431, NULL, GET H, "X: 1\r\n", 32,
	     "\r\n"),
	MANY("H12 refuses: a head of 8193 bytes", 431, NULL, GET H "X: ", "x",
	     8161, "\r\n\r\n"),
	MANY("H12 refuses: a path of 513 bytes", 414, NULL, "GET /", "p", 512,
	     " HTTP/1.1\r\n" H "\r\n"),
	MANY("H12 refuses: a target of 2049 bytes", 414, NULL, "GET /?", "q",
	     2047, " HTTP/1.1\r\n" H "\r\n"),
	MANY("H25 refuses: a request line without an end", 414, NULL, "GET /",
	     "a", 9000, ""),
	MANY("H25 refuses: a field without an end", 431, NULL, GET "X: ", "a",
	     9000, ""),
	MANY("H25 refuses: a method without an end", 414, NULL, "", "A", 9000,
	     ""),
	MANY("H25 refuses: spaces without an end", 414, NULL, "GET ", " ", 9000,
	     ""),

	/* H13 to H15: request lines */
	ONE("H13 refuses: HTTP/0.9", 400, "RFC 9112 3", "GET /\r\n"),
	ONE("H13 refuses: HTTP/0.9 by name", 505, "RFC 9112 2.3",
	    "GET / HTTP/0.9\r\n" H "\r\n"),
	ONE("H13 refuses: HTTP/1.9", 505, "RFC 9112 2.3",
	    "GET / HTTP/1.9\r\n" H "\r\n"),
	ONE("H13 refuses: HTTP/1.2", 505, "RFC 9112 2.3",
	    "GET / HTTP/1.2\r\n" H "\r\n"),
	ONE("H13 refuses: HTTP/2.0", 505, "RFC 9112 2.3",
	    "GET / HTTP/2.0\r\n" H "\r\n"),
	ONE("H13 refuses: HTTP/-1.1", 400, "RFC 9112 2.3",
	    "GET / HTTP/-1.1\r\n" H "\r\n"),
	ONE("H13 refuses: a space behind the version", 400, "RFC 9112 2.3",
	    "GET / HTTP/1.1 \r\n" H "\r\n"),
	ONE("H13 refuses: HTTP/1.10", 400, "RFC 9112 2.3",
	    "GET / HTTP/1.10\r\n" H "\r\n"),
	ONE("H13 refuses: HTTP/01.1", 400, "RFC 9112 2.3",
	    "GET / HTTP/01.1\r\n" H "\r\n"),
	ONE("H13 refuses: http/1.1", 400, "RFC 9112 2.3",
	    "GET / http/1.1\r\n" H "\r\n"),
	ONE("H13 refuses: HTTP/1,1", 400, "RFC 9112 2.3",
	    "GET / HTTP/1,1\r\n" H "\r\n"),
	ONE("H13 refuses: HTTP/1", 400, "RFC 9112 2.3",
	    "GET / HTTP/1\r\n" H "\r\n"),
	ONE("H13 refuses: HTTPS/1.1", 400, "RFC 9112 2.3",
	    "GET / HTTPS/1.1\r\n" H "\r\n"),
	ONE("H14 refuses: the HTTP/2 preface", 505, "RFC 9112 2.3",
	    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	ONE("H15 refuses: absolute form", 400, "RFC 9112 3.2.1",
	    "GET http://a/ HTTP/1.1\r\n" H "\r\n"),
	ONE("H15 refuses: authority form", 400, "RFC 9112 3.2.1",
	    "GET a:443 HTTP/1.1\r\n" H "\r\n"),
	ONE("H15 refuses: asterisk form", 400, "RFC 9112 3.2.1",
	    "GET * HTTP/1.1\r\n" H "\r\n"),
	ONE("H15 refuses: CONNECT", 501, "RFC 9110 9.1",
	    "CONNECT a:443 HTTP/1.1\r\n" H "\r\n"),
	ONE("refuses: two spaces before the target", 400, "RFC 9112 3.2",
	    "GET  / HTTP/1.1\r\n" H "\r\n"),
	ONE("refuses: two spaces before the version", 400, "RFC 9112 2.3",
	    "GET /  HTTP/1.1\r\n" H "\r\n"),
	ONE("refuses: a tab for a space", 400, "RFC 9112 3",
	    "GET\t/ HTTP/1.1\r\n" H "\r\n"),
	ONE("refuses: a space before the method", 400, "RFC 9110 9.1",
	    " GET / HTTP/1.1\r\n" H "\r\n"),
	ONE("refuses: a space in the target", 400, "RFC 9112 2.3",
	    "GET /a b HTTP/1.1\r\n" H "\r\n"),
	ONE("refuses: no target", 400, "RFC 9112 3",
	    "GET HTTP/1.1\r\n" H "\r\n"),
	ONE("refuses: a second request line", 400, "RFC 9112 5",
	    GET "GET /b HTTP/1.1\r\n" H "\r\n"),

	/* H16: paths */
	ONE("H16 refuses: %2e%2e", 404, NULL,
	    "GET /a/%2e%2e/b HTTP/1.1\r\n" H "\r\n"),
	ONE("H16 refuses: %00", 404, NULL, "GET /%00 HTTP/1.1\r\n" H "\r\n"),
	ONE("H16 refuses: a lone %", 404, NULL, "GET /% HTTP/1.1\r\n" H "\r\n"),
	ONE("H16 refuses: an escape in /ocsp", 404, NULL,
	    "GET /ocsp%2F HTTP/1.1\r\n" H "\r\n"),
	ONE("H16 refuses: an escape behind /OCSP/", 404, NULL,
	    "GET /OCSP/%2F HTTP/1.1\r\n" H "\r\n"),
	ONE("H16 refuses: a path that is not ASCII", 400, "RFC 9110 5.5",
	    "GET /\xC3\xA4 HTTP/1.1\r\n" H "\r\n"),
	ONE("H16 refuses: a fragment", 400, "RFC 9112 3.2",
	    "GET /a#b HTTP/1.1\r\n" H "\r\n"),
	ONE("H16 refuses: a fragment in the query", 400, "RFC 9112 3.2",
	    "GET /a?b#c HTTP/1.1\r\n" H "\r\n"),

	/* H17, H19, H20, H22 */
	ONE("H17 refuses: an empty line first", 400, "RFC 9112 2.2",
	    "\r\n" GET H "\r\n"),
	ONE("H17 refuses: LF first", 400, "RFC 9112 2.2", "\n" GET H "\r\n"),
	ONE("H17 refuses: a space first", 400, "RFC 9112 3",
	    " \r\n" GET H "\r\n"),
	ONE("H19 refuses: a lower-case method", 501, "RFC 9110 9.1",
	    "get / HTTP/1.1\r\n" H "\r\n"),
	ONE("H19 refuses: an unknown method", 501, "RFC 9110 9.1",
	    "BREW / HTTP/1.1\r\n" H "\r\n"),
	ONE("H19 refuses: TRACE", 501, "RFC 9110 9.1",
	    "TRACE / HTTP/1.1\r\n" H "\r\n"),
	ONE("H19 refuses: OPTIONS", 501, "RFC 9110 9.1",
	    "OPTIONS / HTTP/1.1\r\n" H "\r\n"),
	ONE("H19 refuses: a method that is a prefix", 501, "RFC 9110 9.1",
	    "GETS / HTTP/1.1\r\n" H "\r\n"),
	ONE("H19 refuses: a method that is no token", 400, "RFC 9110 9.1",
	    "G(T / HTTP/1.1\r\n" H "\r\n"),
	ONE("H20 refuses: a body above the maximum", 413, NULL,
	    PUSH "Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n"),
	ONE("H20 refuses: another expectation", 417, "RFC 9110 10.1.1",
	    PUSH "Expect: 200-ok\r\nContent-Length: 1\r\n\r\n"),
	ONE("H20 refuses: a list of expectations", 417, "RFC 9110 10.1.1",
	    PUSH "Expect: 100-continue, x\r\nContent-Length: 1\r\n\r\n"),
	ONE("H21 refuses: a body of 9999999", 413, NULL,
	    PUSH "Content-Length: 9999999\r\n\r\n"),
	ONE("H22 refuses: a TLS ClientHello", 400, "RFC 9110 5.5",
	    "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"),
	ONE("H22 refuses: an SSH banner", 400, "RFC 9112 3",
	    "SSH-2.0-OpenSSH_9.2\r\n"),
};

#define COUNT (sizeof(requests) / sizeof(requests[0]))

/* What one run of the parser came to. */
struct outcome {
	enum cs_http_progress progress;
	struct cs_http_head head;
	struct cs_http_refusal refusal;
};

/* The request's bytes in a block of exactly their size. */
static uint8_t *bytes_of(const struct request *r, size_t *ret_n)
{
	size_t n = r->first.n;
	size_t again = r->again == NULL ? 0 : strlen(r->again);
	size_t last = strlen(r->last);
	uint8_t *p = cs_mem_new(n + again * r->times + last);
	size_t i;

	assert_non_null(p);
	memcpy(p, r->first.p, n);
	for (i = 0; i < r->times && again > 0; i++, n += again)
		memcpy(p + n, r->again, again);
	memcpy(p + n, r->last, last);
	*ret_n = n + last;
	return p;
}

/* One more step, from a block that is gone afterwards. */
static void step(struct cs_http_parser *p, const uint8_t *bytes, size_t n,
		 struct outcome *o)
{
	uint8_t *copy = cs_mem_new(n);

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	o->progress =
		cs_http_parse(p, cs_span_make(copy, n), &o->head, &o->refusal);
	cs_mem_free(copy);
}

/* Do two runs agree? Spans by length: their blocks differ. */
static void assert_same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->progress, b->progress);
	assert_int_equal(a->refusal.status, b->refusal.status);
	assert_ptr_equal(a->refusal.sentence, b->refusal.sentence);
	assert_int_equal(a->head.method, b->head.method);
	assert_int_equal(a->head.minor, b->head.minor);
	assert_int_equal(a->head.path.n, b->head.path.n);
	assert_int_equal(a->head.query.n, b->head.query.n);
	assert_int_equal(a->head.host.n, b->head.host.n);
	assert_int_equal(a->head.content_length, b->head.content_length);
	assert_int_equal(a->head.close, b->head.close);
	assert_int_equal(a->head.expect_continue, b->head.expect_continue);
	assert_int_equal(a->head.size, b->head.size);
}

/* Does the sentence begin with this clause and a colon, or with none? */
static bool cites(const char *sentence, const char *clause)
{
	size_t n = clause == NULL ? 0 : strlen(clause);

	if (clause == NULL)
		return strncmp(sentence, "RFC ", 4) != 0;
	return strncmp(sentence, clause, n) == 0 && sentence[n] == ':';
}

/* Whole, cut once at every place, and byte by byte: one answer. */
static void answers_whatever_the_cuts(void **state)
{
	const struct request *r = *state;
	struct outcome whole = {0};
	struct cs_http_parser p;
	size_t cut;
	size_t n;
	CS_CLEANUP(cs_mem_free_at) uint8_t *bytes = bytes_of(r, &n);

	cs_http_parser_init(&p);
	step(&p, bytes, n, &whole);
	if (r->status == MORE)
		assert_int_equal(whole.progress, CS_HTTP_MORE);
	else if (r->status == 0)
		assert_int_equal(whole.progress, CS_HTTP_DONE);
	else
		assert_int_equal(whole.progress, CS_HTTP_REFUSED);
	if (r->status > 0) {
		assert_int_equal(whole.refusal.status, r->status);
		assert_true(cites(whole.refusal.sentence, r->clause));
	}

	for (cut = 0; cut <= n; cut += 1 + cut / 512) {
		struct outcome o = {0};

		cs_http_parser_init(&p);
		step(&p, bytes, cut, &o);
		if (o.progress == CS_HTTP_MORE)
			step(&p, bytes, n, &o);
		assert_same(&whole, &o);
	}
	if (n < 1024) {
		struct outcome o = {0};

		cs_http_parser_init(&p);
		for (cut = 1; cut <= n && o.progress == CS_HTTP_MORE; cut++)
			step(&p, bytes, cut, &o);
		assert_same(&whole, &o);
	}
}

/* Parse a literal that must be accepted. */
static struct cs_http_head parsed(const char *text)
{
	struct cs_http_parser p;
	struct cs_http_head head = {0};
	struct cs_http_refusal refusal = {0};

	cs_http_parser_init(&p);
	assert_int_equal(cs_http_parse(&p, cs_span_str(text), &head, &refusal),
			 CS_HTTP_DONE);
	return head;
}

static void assert_text(struct cs_span s, const char *text)
{
	assert_true(cs_span_equal_str(s, text));
	assert_non_null(s.p);
}

static void gives_every_part_of_a_head(void **state)
{
	const char *text = "POST /v1/requests?dry_run=true&a=/b?c HTTP/1.1\r\n"
			   "Host:  ca.example:8443\t\r\n"
			   "User-Agent: x\r\n"
			   "authorization: Bearer cs_1_abc \r\n"
			   "Content-Type: application/json\r\n"
			   "Accept: */*\r\n"
			   "Idempotency-Key:\tk 1\r\n"
			   "Expect: 100-continue\r\n"
			   "Connection: keep-alive , Close\r\n"
			   "Content-Length: 65536\r\n\r\nbody";
	struct cs_http_head h = parsed(text);

	(void)state;
	assert_int_equal(h.method, CS_HTTP_POST);
	assert_int_equal(h.minor, 1);
	assert_text(h.path, "/v1/requests");
	assert_text(h.query, "dry_run=true&a=/b?c");
	assert_text(h.host, "ca.example:8443");
	assert_text(h.authorization, "Bearer cs_1_abc");
	assert_text(h.content_type, "application/json");
	assert_text(h.accept, "*/*");
	assert_text(h.idempotency_key, "k 1");
	assert_int_equal(h.content_length, 65536);
	assert_true(h.expect_continue);
	assert_true(h.close);
	assert_int_equal(h.size, strlen(text) - 4);
}

static void tells_absent_from_empty(void **state)
{
	struct cs_http_head h = parsed(GET H "\r\n");

	(void)state;
	assert_null(h.query.p);
	assert_null(h.authorization.p);
	assert_null(h.accept.p);
	h = parsed("GET /? HTTP/1.1\r\n" H "Accept:\r\n\r\n");
	assert_text(h.query, "");
	assert_text(h.accept, "");
}

/* RFC 9110 7.6.1: a list of options; "close" is one of them. */
static void closes_for_http_1_0_and_when_asked(void **state)
{
	(void)state;
	assert_true(parsed("GET / HTTP/1.0\r\n\r\n").close);
	assert_true(parsed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
			    .close);
	assert_false(parsed(GET H "\r\n").close);
	assert_false(parsed(GET H "Connection: closed\r\n\r\n").close);
	assert_true(parsed(GET H "Connection: x\r\nConnection: close\r\n\r\n")
			    .close);
}

static void ignores_expect_of_http_1_0(void **state)
{
	(void)state;
	assert_false(
		parsed("GET / HTTP/1.0\r\nExpect: x\r\n\r\n").expect_continue);
}

/* A small generator of our own, so that a failure can be repeated. */
static uint32_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

/* Does line i..j begin with name, case ignored? */
static bool line_is(const uint8_t *p, size_t n, const char *name)
{
	size_t m = strlen(name);

	return n >= m && strncasecmp((const char *)p, name, m) == 0;
}

/*
 * Written without looking at the parser: what no accepted head may be. Goes
 * by lines, twice as slow and half as clever.
 */
static void recheck(const uint8_t *p, const struct cs_http_head *h)
{
	size_t n = h->size;
	size_t hosts = 0, lengths = 0, lines = 0;
	size_t i, from;

	assert_true(n >= 4 && n <= 8192);
	assert_memory_equal(p + n - 4, "\r\n\r\n", 4);
	for (i = from = 0; i < n; i++) {
		assert_true(p[i] < 0x7F && p[i] != 0);
		assert_true(p[i] >= 0x20 || p[i] == '\r' || p[i] == '\n' ||
			    p[i] == '\t');
		if (p[i] == '\r')
			assert_int_equal(p[i + 1], '\n');
		if (p[i] != '\n')
			continue;
		assert_true(i > 0 && p[i - 1] == '\r');
		assert_true(i - from > 1 || i + 1 == n);
		assert_true(p[from] != ' ' && p[from] != '\t');
		hosts += line_is(p + from, i - from, "host:");
		lengths += line_is(p + from, i - from, "content-length:");
		assert_false(line_is(p + from, i - from, "transfer-encoding:"));
		lines++;
		from = i + 1;
	}
	assert_true(lines >= 2 && lines <= 34);
	assert_true(hosts == 1 || (hosts == 0 && h->minor == 0));
	assert_true(lengths == 1 || (lengths == 0 && h->content_length == 0));
	assert_true(h->content_length <= 65536);
	assert_true(h->path.n >= 1 && h->path.n <= 512);
	assert_int_equal(h->path.p[0], '/');
	if (!cs_span_starts_with(h->path, CS_SPAN_LIT("/ocsp/")))
		assert_null(memchr(h->path.p, '%', h->path.n));
	assert_null(memchr(h->path.p, ' ', h->path.n));
}

/* Change one seed in place, one to four times. Returns the new length. */
static size_t mutate(uint8_t *p, size_t n, size_t room, uint64_t *seed)
{
	static const char bits[] = "\r\n\r\n : \t\0,;%/?#5x\xFFHC\x7F";
	unsigned times = 1 + draw(seed) % 4;
	size_t at, len;

	while (times-- > 0 && n > 8) {
		at = draw(seed) % n;
		switch (draw(seed) % 4) {
		case 0:
			p[at] = (uint8_t)bits[draw(seed) % sizeof(bits)];
			break;
		case 1:
			p[at] ^= (uint8_t)(1u << draw(seed) % 8);
			break;
		case 2: /* drop some */
			len = 1 + draw(seed) % 8;
			len = len > n - at ? n - at : len;
			memmove(p + at, p + at + len, n - at - len);
			n -= len;
			break;
		default: /* say some twice */
			len = 1 + draw(seed) % 24;
			len = len > n - at ? n - at : len;
			if (n + len > room)
				break;
			memmove(p + at + len, p + at, n - at);
			n += len;
			break;
		}
	}
	return n;
}

/* A seed: every second one of those that are accepted as they are. */
static const struct request *choose(uint64_t *seed)
{
	const struct request *r = &requests[draw(seed) % COUNT];

	while (draw(seed) % 2 == 0 && r->status != 0)
		r = &requests[draw(seed) % COUNT];
	return r;
}

static void never_accepts_what_a_second_look_refuses(void **state)
{
	uint8_t bytes[16384];
	uint64_t seed = 20240731;
	unsigned accepted = 0;
	unsigned round;

	(void)state;
	for (round = 0; round < 600000; round++) {
		const struct request *r = choose(&seed);
		struct cs_http_parser p;
		struct cs_http_head head = {0};
		struct cs_http_refusal refusal = {0};
		enum cs_http_progress progress;
		size_t n = r->first.n;

		if (r->times > 0 || n == 0)
			continue;
		memcpy(bytes, r->first.p, n);
		n = mutate(bytes, n, sizeof(bytes), &seed);
		cs_http_parser_init(&p);
		progress = cs_http_parse(&p, cs_span_make(bytes, n), &head,
					 &refusal);
		if (progress == CS_HTTP_DONE) {
			recheck(bytes, &head);
			accepted++;
		} else if (progress == CS_HTTP_REFUSED) {
			assert_true(refusal.status >= 400);
			assert_non_null(refusal.sentence);
		}
	}
	/* A check that never looks at anything is none. */
	assert_true(accepted > 10000);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(gives_every_part_of_a_head),
		cmocka_unit_test(tells_absent_from_empty),
		cmocka_unit_test(closes_for_http_1_0_and_when_asked),
		cmocka_unit_test(ignores_expect_of_http_1_0),
		cmocka_unit_test(never_accepts_what_a_second_look_refuses),
	};
	struct CMUnitTest tests[COUNT + sizeof(others) / sizeof(others[0])];
	union {
		const struct request *r;
		void *p;
	} state; /* cmocka hands states over without const */
	size_t i;

	for (i = 0; i < COUNT; i++) {
		state.r = &requests[i];
		tests[i] = (struct CMUnitTest){
			.name = requests[i].name,
			.test_func = answers_whatever_the_cuts,
			.initial_state = state.p};
	}
	memcpy(tests + COUNT, others, sizeof(others));
	return cs_test_run("api/http_parse", tests);
}
