"""The cases of Http11Probe (commit 95bc6a9), as a table of our own.

Each row: the case's name there; what that list allows; what this server does;
the bytes, in one or more steps of one connection; and, where the two differ,
why. Requests to `/` there are requests to /healthz here, which exists and
takes GET. An outcome is a sequence of statuses, each with `+` (the connection
goes on) or `-` (it is closed); `-` alone is an end without an answer, and the
peer of such a row closes its sending side so that nobody waits.
"""

END = b"\r\n"
HOST = b"Host: localhost\r\n"
GET = b"GET /healthz HTTP/1.1\r\n"
POST = b"POST /healthz HTTP/1.1\r\n" + HOST
TE = b"Transfer-Encoding: chunked\r\n"
CHUNKED = POST + TE + END
NEXT = GET + HOST + END


def cl(n, body=b"", more=b""):
    """A POST with this length, whatever it is."""
    return (POST + b"Content-Length: " + str(n).encode() + END + more + END +
            body)


def te(value, body=b"hello", name=b"Transfer-Encoding: "):
    """A POST with a transfer coding and a length of 5."""
    return (POST + name + value + b"\r\nContent-Length: 5\r\n\r\n" + body)


def hidden(before, inner=NEXT):
    """A POST whose two framings disagree about a request within."""
    body = b"0\r\n\r\n" + inner
    return POST + before.replace(b"N", b"%d" % len(body)) + END + body


CODING = "no transfer coding is implemented (RFC 9112 6.1): 501 at the field"
OPTIONS = "OPTIONS is not implemented (RFC 9110 9.1): 501"
ROUTE = "the framing is taken; the route has no POST: 405 with Allow"
LENGTH = "a POST states its length (RFC 9110 15.5.12): 411"
LIMIT = "a request line has at most 2,080 octets: 414"
BIG = "the number is one; it is larger than a body may be: 413"
UPGRADE = (b"Upgrade: websocket\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
BAD = "400|close"
MAY = "400|2xx|close"
SAFE = "400|2xx close|close"
CUT = "400|close|wait"

# name, allowed there, ours, steps, reason
PROBES = [
    # -- compliance ---------------------------------------------------------
    ("COMP-BASELINE", "2xx", "200+", [NEXT]),
    ("RFC9112-2.2-BARE-LF-REQUEST-LINE", MAY, "400-",
     [b"GET /healthz HTTP/1.1\n" + HOST + END]),
    ("RFC9112-2.2-BARE-LF-HEADER", MAY, "400-",
     [GET + b"Host: localhost\nX-Test: value\r\n\r\n"]),
    ("RFC9112-5.1-OBS-FOLD", "400", "400-",
     [GET + HOST + b"X-Test: value\r\n continued\r\n\r\n"]),
    ("RFC9110-5.6.2-SP-BEFORE-COLON", "400", "400-",
     [GET + HOST + b"X-Test : value\r\n\r\n"]),
    ("RFC9112-3-MULTI-SP-REQUEST-LINE", MAY, "400-",
     [b"GET  /healthz HTTP/1.1\r\n" + HOST + END]),
    ("RFC9112-7.1-MISSING-HOST", "400", "400-", [GET + END]),
    ("RFC9112-2.3-INVALID-VERSION", "400|505|close", "505-",
     [b"GET /healthz HTTP/9.9\r\n" + HOST + END]),
    ("RFC9112-5-EMPTY-HEADER-NAME", BAD, "400-",
     [GET + HOST + b": empty-name\r\n\r\n"]),
    ("RFC9112-3-CR-ONLY-LINE-ENDING", "400", "400-",
     [b"GET /healthz HTTP/1.1\r" + HOST + END]),
    ("RFC9112-3-MISSING-TARGET", BAD, "400-",
     [b"GET HTTP/1.1\r\n" + HOST + END]),
    ("RFC9112-3.2-FRAGMENT-IN-TARGET", MAY, "400-",
     [b"GET /path#frag HTTP/1.1\r\n" + HOST + END]),
    ("RFC9112-2.3-HTTP09-REQUEST", CUT, "400-", [b"GET /\r\n"]),
    ("RFC9112-5-INVALID-HEADER-NAME", BAD, "400-",
     [GET + HOST + b"Bad[Name: value\r\n\r\n"]),
    ("RFC9112-5-HEADER-NO-COLON", BAD, "400-",
     [GET + HOST + b"NoColonHere\r\n\r\n"]),
    ("RFC9110-5.4-DUPLICATE-HOST", "400", "400-",
     [GET + HOST + b"Host: other.example.com\r\n\r\n"]),
    ("RFC9112-6.1-CL-NON-NUMERIC", BAD, "400-", [cl("abc")]),
    ("RFC9112-6.1-CL-PLUS-SIGN", BAD, "400-", [cl("+5", b"hello")]),
    ("COMP-WHITESPACE-BEFORE-HEADERS", BAD, "400-",
     [GET + b" \r\n" + HOST + END]),
    ("COMP-DUPLICATE-HOST-SAME", "400", "400-", [GET + HOST + HOST + END]),
    ("COMP-HOST-WITH-USERINFO", BAD, "400-",
     [GET + b"Host: user@localhost\r\n\r\n"]),
    ("COMP-HOST-WITH-PATH", BAD, "400-",
     [GET + b"Host: localhost/path\r\n\r\n"]),
    ("COMP-ASTERISK-WITH-GET", BAD, "400-",
     [b"GET * HTTP/1.1\r\n" + HOST + END]),
    ("COMP-OPTIONS-STAR", "2xx", "501-",
     [b"OPTIONS * HTTP/1.1\r\n" + HOST + END], OPTIONS),
    ("COMP-UNKNOWN-TE-501", "400|501|close", "501-",
     [POST + b"Transfer-Encoding: gzip\r\n\r\n"]),
    ("COMP-LEADING-CRLF", MAY, "400-", [b"\r\n\r\n" + NEXT]),
    ("COMP-ABSOLUTE-FORM", MAY, "400-",
     [b"GET http://localhost/ HTTP/1.1\r\n" + HOST + END]),
    ("COMP-METHOD-CASE", "400|405|501|2xx|close", "501-",
     [b"get /healthz HTTP/1.1\r\n" + HOST + END]),
    ("COMP-POST-CL-BODY", "2xx", "405+", [cl(5, b"hello")], ROUTE),
    ("COMP-POST-CL-ZERO", "2xx|close", "405+", [cl(0)], ROUTE),
    ("COMP-POST-NO-CL-NO-TE", "2xx|close", "411-", [POST + END], LENGTH),
    ("COMP-POST-CL-UNDERSEND", CUT, "-", [cl(10, b"hello")]),
    ("COMP-CHUNKED-BODY", "2xx", "501-", [CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"],
     CODING),
    ("COMP-CHUNKED-MULTI", "2xx", "501-",
     [CHUNKED + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"], CODING),
    ("COMP-CHUNKED-EMPTY", "2xx|close", "501-", [CHUNKED + b"0\r\n\r\n"],
     CODING),
    ("COMP-CHUNKED-NO-FINAL", CUT, "501-", [CHUNKED + b"5\r\nhello\r\n"],
     CODING),
    ("COMP-UPGRADE-POST", "not 101", "411-",
     [POST + b"Connection: Upgrade\r\n" + UPGRADE +
      b"Sec-WebSocket-Version: 13\r\n\r\n"]),
    ("COMP-UPGRADE-MISSING-CONN", "not 101", "200+",
     [GET + HOST + UPGRADE + b"Sec-WebSocket-Version: 13\r\n\r\n"]),
    ("COMP-UPGRADE-UNKNOWN", "not 101", "200+",
     [GET + HOST + b"Connection: Upgrade\r\nUpgrade: made-up/1.0\r\n\r\n"]),
    ("COMP-METHOD-CONNECT", "400|405|501|close", "501-",
     [b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"]),
    ("COMP-EXPECT-UNKNOWN", "417|2xx|close", "417-",
     [GET + HOST + b"Expect: 200-ok\r\n\r\n"]),
    ("COMP-GET-WITH-CL-BODY", MAY, "400-",
     [GET + HOST + b"Content-Length: 5\r\n\r\nhello"]),
    ("COMP-CHUNKED-EXTENSION", MAY, "501-",
     [CHUNKED + b"5;ext=value\r\nhello\r\n0\r\n\r\n"], CODING),
    ("COMP-UPGRADE-INVALID-VER", "not 101", "200+",
     [GET + HOST + b"Connection: Upgrade\r\n" + UPGRADE +
      b"Sec-WebSocket-Version: 99\r\n\r\n"]),
    ("COMP-METHOD-TRACE", "405|501|2xx|close", "501-",
     [b"TRACE /healthz HTTP/1.1\r\n" + HOST + END]),
    ("COMP-HOST-EMPTY-VALUE", BAD, "400-", [GET + b"Host: \r\n\r\n"]),
    ("COMP-REQUEST-LINE-TAB", MAY, "400-",
     [b"GET\t/healthz HTTP/1.1\r\n" + HOST + END]),
    ("COMP-VERSION-MISSING-MINOR", BAD, "400-",
     [b"GET /healthz HTTP/1\r\n" + HOST + END]),
    ("COMP-VERSION-LEADING-ZEROS", BAD, "400-",
     [b"GET /healthz HTTP/01.01\r\n" + HOST + END]),
    ("COMP-VERSION-WHITESPACE", BAD, "400-",
     [b"GET /healthz HTTP/ 1.1\r\n" + HOST + END]),
    ("COMP-CONNECTION-CLOSE", "2xx close", "200-",
     [GET + HOST + b"Connection: close\r\n\r\n"]),
    ("COMP-HTTP10-DEFAULT-CLOSE", "2xx close", "200-",
     [b"GET /healthz HTTP/1.0\r\n" + HOST + END]),
    ("COMP-HTTP10-NO-HOST", "2xx|400|close", "200-",
     [b"GET /healthz HTTP/1.0\r\n\r\n"]),
    ("COMP-HTTP12-VERSION", "2xx|505|close", "505-",
     [b"GET /healthz HTTP/1.2\r\n" + HOST + END]),
    ("COMP-TRACE-WITH-BODY", "400|405|501|2xx|close", "501-",
     [b"TRACE /healthz HTTP/1.1\r\n" + HOST +
      b"Content-Length: 5\r\n\r\nhello"]),
    ("COMP-CHUNKED-TRAILER-VALID", "2xx", "501-",
     [CHUNKED + b"5\r\nhello\r\n0\r\nX-Checksum: abc\r\n\r\n"], CODING),
    ("COMP-CHUNKED-HEX-UPPERCASE", "2xx", "501-",
     [CHUNKED + b"A\r\nhelloworld\r\n0\r\n\r\n"], CODING),
    ("COMP-RANGE-POST", "2xx", "405+",
     [cl(5, b"hello", b"Range: bytes=0-10\r\n")], ROUTE),
    ("COMP-UPGRADE-HTTP10", "not 101", "200-",
     [b"GET /healthz HTTP/1.0\r\n" + HOST + b"Connection: Upgrade\r\n" +
      UPGRADE + b"Sec-WebSocket-Version: 13\r\n\r\n"]),
    ("COMP-HEAD-NO-BODY", "2xx", "200+",
     [b"HEAD /healthz HTTP/1.1\r\n" + HOST + END]),
    ("COMP-UNKNOWN-METHOD", "501|405|400|close", "501-",
     [b"FOOBAR /healthz HTTP/1.1\r\n" + HOST + END]),
    ("COMP-405-ALLOW", "405", "405+",
     [b"DELETE /healthz HTTP/1.1\r\n" + HOST + END]),
    ("COMP-DATE-HEADER", "2xx", "200+", [NEXT]),
    ("COMP-DATE-FORMAT", "2xx", "200+", [NEXT]),
    ("COMP-NO-1XX-HTTP10", "not 1xx", "405-",
     [b"POST /healthz HTTP/1.0\r\n" + HOST + b"Expect: 100-continue\r\n"
      b"Content-Length: 5\r\n\r\nhello"]),
    ("COMP-NO-CL-IN-204", "2xx|4xx|501", "501-",
     [b"OPTIONS /healthz HTTP/1.1\r\n" + HOST + END]),
    ("COMP-OPTIONS-ALLOW", "2xx", "501-",
     [b"OPTIONS /healthz HTTP/1.1\r\n" + HOST + END], OPTIONS),
    ("COMP-CONTENT-TYPE", "2xx", "200+", [NEXT]),
    ("COMP-VERSION-CASE", BAD, "400-",
     [b"GET /healthz http/1.1\r\n" + HOST + END]),
    ("COMP-LONG-URL-OK", "not 414", "414-",
     [b"GET /" + b"a" * 7900 + b" HTTP/1.1\r\n" + HOST + END], LIMIT),
    ("COMP-SPACE-IN-TARGET", BAD, "400-",
     [b"GET /pa th HTTP/1.1\r\n" + HOST + END]),
    ("COMP-DUPLICATE-CT", MAY, "400-",
     [cl(5, b"hello",
         b"Content-Type: text/plain\r\nContent-Type: text/html\r\n")]),
    ("COMP-TRACE-SENSITIVE", "405|501|2xx|close", "501-",
     [b"TRACE /healthz HTTP/1.1\r\n" + HOST +
      b"Authorization: Bearer secret-token-123\r\n\r\n"]),
    ("COMP-RANGE-INVALID", "2xx|416|close", "200+",
     [GET + HOST + b"Range: bytes=abc-xyz\r\n\r\n"]),
    ("COMP-ACCEPT-NONSENSE", "406|2xx|close", "200+",
     [GET + HOST + b"Accept: application/x-nonsense\r\n\r\n"]),
    ("COMP-POST-UNSUPPORTED-CT", "415|2xx|4xx|close", "405+",
     [cl(5, b"hello", b"Content-Type: application/x-nonsense\r\n")]),

    # -- smuggling, one step ------------------------------------------------
    ("SMUG-CL-TE-BOTH", MAY, "501-",
     [POST + b"Content-Length: 23\r\n" + TE + END +
      b"D\r\nhello-bananas\r\n0\r\n\r\n"], CODING),
    ("SMUG-DUPLICATE-CL", BAD, "400-",
     [cl(5, b"helloworld", b"Content-Length: 10\r\n")]),
    ("SMUG-CL-LEADING-ZEROS", MAY, "400-", [cl("005", b"hello")]),
    ("SMUG-TE-XCHUNKED", "400|501|close", "501-", [te(b"xchunked")]),
    ("SMUG-TE-TRAILING-SPACE", "400|501|2xx close|close", "501-",
     [te(b"chunked ")]),
    ("SMUG-TE-SP-BEFORE-COLON", BAD, "400-",
     [te(b"chunked", name=b"Transfer-Encoding : ")]),
    ("SMUG-CL-NEGATIVE", BAD, "400-", [cl("-1")]),
    ("SMUG-CLTE-PIPELINE", MAY, "501-", [cl(4, b"0\r\n\r\n", TE)], CODING),
    ("SMUG-TECL-PIPELINE", MAY, "501-",
     [POST + TE + b"Content-Length: 30\r\n\r\n0\r\n\r\n"], CODING),
    ("SMUG-CL-TRAILING-SPACE", "400|2xx|4xx|close", "405+",
     [cl("5 ", b"hello")]),
    ("SMUG-TE-DOUBLE-CHUNKED", MAY, "501-", [te(b"chunked, chunked")], CODING),
    ("SMUG-CL-EXTRA-LEADING-SP", "400|2xx|4xx|close", "405+",
     [cl(" 5", b"hello")]),
    ("SMUG-TE-CASE-MISMATCH", MAY, "501-", [te(b"Chunked")], CODING),
    ("SMUG-CL-COMMA-DIFFERENT", BAD, "400-", [cl("5, 10", b"hello")]),
    ("SMUG-TE-NOT-FINAL-CHUNKED", BAD, "501-",
     [POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"], CODING),
    ("SMUG-TE-HTTP10", BAD, "501-",
     [b"POST /healthz HTTP/1.0\r\n" + HOST + TE +
      b"Content-Length: 5\r\n\r\nhello"], CODING),
    ("SMUG-CHUNK-BARE-SEMICOLON", BAD, "501-",
     [CHUNKED + b"5;\r\nhello\r\n0\r\n\r\n"], CODING),
    ("SMUG-CHUNK-EXT-INVALID-TOKEN", BAD, "501-",
     [CHUNKED + b"5;bad[=x\r\nhello\r\n0\r\n\r\n"], CODING),
    ("SMUG-BARE-CR-HEADER-VALUE", BAD, "400-",
     [cl(5, b"hello", b"X-Test: val\rue\r\n")]),
    ("SMUG-CL-OCTAL", BAD, "400-", [cl("0o5", b"hello")]),
    ("SMUG-CHUNK-UNDERSCORE", BAD, "501-",
     [CHUNKED + b"1_0\r\nhello world!!!!!\r\n0\r\n\r\n"], CODING),
    ("SMUG-TE-EMPTY-VALUE", BAD, "501-", [te(b"")], CODING),
    ("SMUG-TE-LEADING-COMMA", MAY, "501-", [te(b", chunked")], CODING),
    ("SMUG-TE-DUPLICATE-HEADERS", BAD, "501-",
     [te(b"chunked\r\nTransfer-Encoding: identity")], CODING),
    ("SMUG-CHUNK-HEX-PREFIX", BAD, "501-",
     [CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n"], CODING),
    ("SMUG-CHUNK-SIZE-PLUS", BAD, "501-",
     [CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n"], CODING),
    ("SMUG-CHUNK-SIZE-TRAILING-OWS", BAD, "501-",
     [CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n"], CODING),
    ("SMUG-CL-HEX-PREFIX", BAD, "400-", [cl("0x5", b"hello")]),
    ("SMUG-CL-INTERNAL-SPACE", BAD, "400-", [cl("1 0", b"hello12345")]),
    ("SMUG-CHUNK-LEADING-SP", BAD, "501-",
     [CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n"], CODING),
    ("SMUG-CHUNK-MISSING-TRAILING-CRLF", BAD, "501-",
     [CHUNKED + b"5\r\nhello0\r\n\r\n"], CODING),
    ("SMUG-CHUNK-EXT-LF", MAY, "501-",
     [CHUNKED + b"5;\nhello\r\n0\r\n\r\n"], CODING),
    ("SMUG-CHUNK-SPILL", BAD, "501-",
     [CHUNKED + b"5\r\nhello!!\r\n0\r\n\r\n"], CODING),
    ("SMUG-CHUNK-LF-TERM", MAY, "501-",
     [CHUNKED + b"5\r\nhello\n0\r\n\r\n"], CODING),
    ("SMUG-CHUNK-EXT-CTRL", BAD, "501-",
     [CHUNKED + b"5;\0ext\r\nhello\r\n0\r\n\r\n"], CODING),
    ("SMUG-CHUNK-EXT-CR", BAD, "501-",
     [CHUNKED + b"5;a\rX\r\nhello\r\n0\r\n\r\n"], CODING),
    ("SMUG-TE-VTAB", BAD, "400-", [te(b"\x0bchunked")]),
    ("SMUG-TE-FORMFEED", BAD, "400-", [te(b"\x0cchunked")]),
    ("SMUG-TE-NULL", BAD, "400-", [te(b"chunked\0")]),
    ("SMUG-CHUNK-LF-TRAILER", MAY, "501-",
     [CHUNKED + b"5\r\nhello\r\n0\r\n\n"], CODING),
    ("SMUG-TE-IDENTITY", "400|501|close", "501-", [te(b"identity")]),
    ("SMUG-CHUNK-NEGATIVE", BAD, "501-",
     [CHUNKED + b"-1\r\nhello\r\n0\r\n\r\n"], CODING),
    ("SMUG-TRANSFER_ENCODING", "400|2xx|4xx|close", "405+",
     [te(b"chunked", name=b"Transfer_Encoding: ")]),
    ("SMUG-CL-COMMA-SAME", MAY, "400-", [cl("5, 5", b"hello")]),
    ("SMUG-CL-COMMA-TRIPLE", MAY, "400-", [cl("5, 5, 5", b"hello")]),
    ("SMUG-CHUNKED-WITH-PARAMS", MAY, "501-", [te(b"chunked;ext=val")],
     CODING),
    ("SMUG-EXPECT-100-CL", "400|2xx|4xx|close", "405+",
     [cl(5, b"hello", b"Expect: 100-continue\r\n")]),
    ("SMUG-TRAILER-CL", MAY, "501-",
     [CHUNKED + b"5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n"], CODING),
    ("SMUG-TRAILER-TE", MAY, "501-",
     [CHUNKED + b"5\r\nhello\r\n0\r\n" + TE + END], CODING),
    ("SMUG-TRAILER-HOST", MAY, "501-",
     [CHUNKED + b"5\r\nhello\r\n0\r\nHost: evil.example.com\r\n\r\n"], CODING),
    ("SMUG-TRAILER-AUTH", MAY, "501-",
     [CHUNKED + b"5\r\nhello\r\n0\r\nAuthorization: Bearer evil\r\n\r\n"],
     CODING),
    ("SMUG-TRAILER-CONTENT-TYPE", MAY, "501-",
     [CHUNKED + b"5\r\nhello\r\n0\r\nContent-Type: text/evil\r\n\r\n"],
     CODING),
    ("SMUG-HEAD-CL-BODY", MAY, "400-",
     [b"HEAD /healthz HTTP/1.1\r\n" + HOST +
      b"Content-Length: 5\r\n\r\nhello"]),
    ("SMUG-OPTIONS-CL-BODY", "400|2xx|501|close", "501-",
     [b"OPTIONS /healthz HTTP/1.1\r\n" + HOST +
      b"Content-Length: 5\r\n\r\nhello"]),
    ("SMUG-CL-UNDERSCORE", BAD, "400-", [cl("1_0", b"helloworld")]),
    ("SMUG-CL-NEGATIVE-ZERO", BAD, "400-", [cl("-0")]),
    ("SMUG-CL-DOUBLE-ZERO", MAY, "400-", [cl("00")]),
    ("SMUG-CL-LEADING-ZEROS-OCTAL", MAY, "400-", [cl("0200", b"A" * 200)]),
    ("SMUG-TE-OBS-FOLD", "400|501|2xx close|close", "501-",
     [te(b"\r\n chunked", name=b"Transfer-Encoding:")]),
    ("SMUG-TE-TRAILING-COMMA", MAY, "501-", [te(b"chunked,")], CODING),
    ("SMUG-TE-TAB-BEFORE-VALUE", MAY, "501-",
     [te(b"chunked", name=b"Transfer-Encoding:\t")], CODING),
    ("SMUG-ABSOLUTE-URI-HOST-MISMATCH", MAY, "400-",
     [b"GET http://other.example.com/ HTTP/1.1\r\n" + HOST + END]),
    ("SMUG-MULTIPLE-HOST-COMMA", BAD, "400-",
     [GET + b"Host: localhost, other.example.com\r\n\r\n"]),
    ("SMUG-CHUNK-BARE-CR-TERM", BAD, "501-",
     [CHUNKED + b"5\rhello\r\n0\r\n\r\n"], CODING),

    # -- smuggling, a request behind or within ------------------------------
    ("SMUG-CLTE-CONN-CLOSE", SAFE, "501-", [cl(5, b"0\r\n\r\n", TE), NEXT],
     CODING),
    ("SMUG-TECL-CONN-CLOSE", SAFE, "501-",
     [POST + TE + b"Content-Length: 5\r\n\r\n0\r\n\r\n", NEXT], CODING),
    ("SMUG-CLTE-DESYNC", BAD, "501-", [cl(6, b"0\r\n\r\nX", TE), NEXT],
     CODING),
    ("SMUG-CLTE-SMUGGLED-GET", BAD, "501-",
     [hidden(b"Content-Length: N\r\n" + TE)], CODING),
    ("SMUG-CLTE-SMUGGLED-GET-CL-PLUS", BAD, "400-",
     [hidden(b"Content-Length: +N\r\n" + TE)]),
    ("SMUG-CLTE-SMUGGLED-GET-CL-NON-NUMERIC", BAD, "400-",
     [hidden(b"Content-Length: Nx\r\n" + TE)]),
    ("SMUG-CLTE-SMUGGLED-GET-TE-OBS-FOLD", BAD, "501-",
     [hidden(b"Transfer-Encoding:\r\n chunked\r\nContent-Length: N\r\n")],
     CODING),
    ("SMUG-CLTE-SMUGGLED-HEAD", BAD, "501-",
     [hidden(b"Content-Length: N\r\n" + TE,
             b"HEAD /healthz HTTP/1.1\r\n" + HOST + END)], CODING),
    ("SMUG-CLTE-SMUGGLED-GET-TE-TRAILING-SPACE", BAD, "501-",
     [hidden(b"Content-Length: N\r\nTransfer-Encoding: chunked \r\n")],
     CODING),
    ("SMUG-CLTE-SMUGGLED-GET-TE-LEADING-COMMA", BAD, "501-",
     [hidden(b"Content-Length: N\r\nTransfer-Encoding: , chunked\r\n")],
     CODING),
    ("SMUG-CLTE-SMUGGLED-GET-TE-CASE-MISMATCH", BAD, "501-",
     [hidden(b"Content-Length: N\r\nTransfer-Encoding: Chunked\r\n")],
     CODING),
    ("SMUG-TE-DUPLICATE-HEADERS-SMUGGLED-GET", BAD, "501-",
     [hidden(TE + b"Transfer-Encoding: identity\r\nContent-Length: N\r\n")],
     CODING),
    ("SMUG-TECL-SMUGGLED-GET", BAD, "501-",
     [POST + TE + b"Content-Length: 4\r\n\r\n3e\r\n" + GET + HOST +
      b"Content-Length: 7\r\n\r\n\r\n0\r\n\r\n"], CODING),
    ("SMUG-DUPLICATE-CL-SMUGGLED-GET", BAD, "400-",
     [cl(4, b"PING" + NEXT,
         b"Content-Length: %d\r\n" % len(b"PING" + NEXT))]),
    ("SMUG-GET-CL-PREFIX-DESYNC", SAFE, "400-",
     [GET + HOST + b"Content-Length: %d\r\n\r\n" % len(GET + HOST) + GET +
      HOST, END + NEXT]),
    ("SMUG-TECL-DESYNC", BAD, "501-",
     [POST + TE + b"Content-Length: 30\r\n\r\n0\r\n\r\nX", NEXT], CODING),
    ("SMUG-CL0-BODY-POISON", "400|2xx|4xx|501|close", "405+ 501-",
     [cl(0, b"X"), NEXT]),
    ("SMUG-GET-CL-BODY-DESYNC", MAY, "400-",
     [GET + HOST + b"Content-Length: 5\r\n\r\nhello", NEXT]),
    ("SMUG-OPTIONS-CL-BODY-DESYNC", "400|2xx|501|close", "501-",
     [b"OPTIONS /healthz HTTP/1.1\r\n" + HOST +
      b"Content-Length: 5\r\n\r\nhello", NEXT]),
    ("SMUG-EXPECT-100-CL-DESYNC", "417|400|2xx|4xx|close", "405+ 200+",
     [cl(5, b"hello", b"Expect: 100-continue\r\n"), NEXT]),
    ("SMUG-OPTIONS-TE-OBS-FOLD", "400|501|2xx close|close", "501-",
     [b"OPTIONS /healthz HTTP/1.1\r\n" + HOST +
      b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\nhello",
      NEXT]),
    ("SMUG-CHUNK-INVALID-SIZE-DESYNC", BAD, "501-",
     [CHUNKED + b"+0\r\n\r\nX", NEXT], CODING),
    ("SMUG-PIPELINE-SAFE", "2xx", "200+ 200+", [NEXT, NEXT]),

    # -- malformed ----------------------------------------------------------
    ("MAL-BINARY-GARBAGE", CUT, "400-",
     [bytes((i * 167 + 13) % 256 for i in range(256))]),
    ("MAL-LONG-URL", "400|414|431|close", "414-",
     [b"GET /" + b"A" * 100000 + b" HTTP/1.1\r\n" + HOST + END]),
    ("MAL-LONG-HEADER-VALUE", "400|431|close", "431-",
     [GET + HOST + b"X-Big: " + b"B" * 100000 + b"\r\n\r\n"]),
    ("MAL-MANY-HEADERS", "400|431|close", "431-",
     [GET + HOST + b"".join(b"X-H-%d: value\r\n" % i for i in range(10000)) +
      END]),
    ("MAL-NUL-IN-URL", BAD, "400-",
     [b"GET /\0test HTTP/1.1\r\n" + HOST + END]),
    ("MAL-CONTROL-CHARS-HEADER", BAD, "400-",
     [GET + HOST + b"X-Test: abc\x07\x08\x0bdef\r\n\r\n"]),
    ("MAL-INCOMPLETE-REQUEST", CUT, "-", [GET + HOST + b"X-Test: value"]),
    ("MAL-EMPTY-REQUEST", CUT, "-", [b""]),
    ("MAL-LONG-HEADER-NAME", "400|431|close", "431-",
     [GET + HOST + b"A" * 100000 + b": val\r\n\r\n"]),
    ("MAL-LONG-METHOD", "400|414|431|501|close", "414-",
     [b"A" * 100000 + b" / HTTP/1.1\r\n" + HOST + END]),
    ("MAL-NON-ASCII-HEADER-NAME", BAD, "400-",
     [GET + HOST + b"X-T\xc3\xabst: value\r\n\r\n"]),
    ("MAL-NON-ASCII-URL", BAD, "400-",
     [b"GET /caf\xc3\xa9 HTTP/1.1\r\n" + HOST + END]),
    ("MAL-CL-OVERFLOW", BAD, "413-", [cl("9" * 20)], BIG),
    ("MAL-WHITESPACE-ONLY-LINE", CUT, "400-", [b"   \r\n\r\n"]),
    ("MAL-NUL-IN-HEADER-VALUE", BAD, "400-",
     [GET + HOST + b"X-Test: val\0ue\r\n\r\n"]),
    ("MAL-CHUNK-SIZE-OVERFLOW", BAD, "501-",
     [CHUNKED + b"FFFFFFFFFFFFFFFF0\r\nhello\r\n0\r\n\r\n"], CODING),
    ("MAL-H2-PREFACE", "400|505|close|wait", "505-",
     [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]),
    ("MAL-CL-EMPTY", BAD, "400-", [cl("")]),
    ("MAL-CL-TAB-BEFORE-VALUE", "400|2xx|4xx|close", "405+",
     [POST + b"Content-Length:\t5\r\n\r\nhello"]),
    ("MAL-URL-BACKSLASH", "400|2xx|404|close", "404+",
     [b"GET /path\\file HTTP/1.1\r\n" + HOST + END]),
    ("MAL-URL-OVERLONG-UTF8", BAD, "400-",
     [b"GET /\xc0\xaf HTTP/1.1\r\n" + HOST + END]),
    ("MAL-URL-PERCENT-NULL", "400|2xx|404|close", "404-",
     [b"GET /path%00.html HTTP/1.1\r\n" + HOST + END]),
    ("MAL-URL-PERCENT-CRLF", "400|2xx|404|close", "404-",
     [b"GET /path%0d%0aX-Injected:%20true HTTP/1.1\r\n" + HOST + END]),
    ("MAL-CHUNK-EXT-64K", MAY, "501-",
     [CHUNKED + b"5;ext=" + b"a" * 65536 + b"\r\nhello\r\n0\r\n\r\n"],
     CODING),
    ("MAL-RANGE-OVERLAPPING", "2xx|400|416|431|close", "200+",
     [GET + HOST + b"Range: bytes=" + b",".join([b"0-"] * 1000) +
      b"\r\n\r\n"]),
    ("MAL-POST-CL-HUGE-NO-BODY", "400|413|close|wait", "413-",
     [cl(999999999)]),

    # -- normalization ------------------------------------------------------
    ("NORM-UNDERSCORE-CL", "400|2xx|4xx|close", "405+",
     [cl(11, b"hello world", b"Content_Length: 99\r\n")]),
    ("NORM-SP-BEFORE-COLON-CL", BAD, "400-",
     [cl(11, b"hello world", b"Content-Length : 5\r\n")]),
    ("NORM-TAB-IN-NAME", BAD, "400-",
     [cl(11, b"hello world", b"Content\tLength: 99\r\n")]),
    ("NORM-CASE-TE", MAY, "501-",
     [cl(11, b"hello world", b"TRANSFER-ENCODING: chunked\r\n")], CODING),
    ("NORM-UNDERSCORE-TE", "400|2xx|4xx|close", "405+",
     [cl(11, b"hello world", b"Transfer_Encoding: chunked\r\n")]),

    # -- cookies, which mean nothing here, and conditions -------------------
    ("COOK-ECHO", "2xx", "200+", [GET + HOST + b"Cookie: foo=bar\r\n\r\n"]),
    ("COOK-OVERSIZED", "400|431|2xx", "431-",
     [GET + HOST + b"Cookie: big=" + b"A" * 65536 + b"\r\n\r\n"]),
    ("COOK-EMPTY", MAY, "200+", [GET + HOST + b"Cookie: \r\n\r\n"]),
    ("COOK-NUL", "400|2xx", "400-",
     [GET + HOST + b"Cookie: foo=\0bar\r\n\r\n"]),
    ("COOK-CONTROL-CHARS", "400|2xx", "400-",
     [GET + HOST + b"Cookie: foo=\x01\x02\x03\r\n\r\n"]),
    ("COOK-MANY-PAIRS", "400|431|2xx", "431-",
     [GET + HOST + b"Cookie: " +
      b"; ".join(b"k%d=v%d" % (i, i) for i in range(1000)) + b"\r\n\r\n"]),
    ("COOK-MALFORMED", MAY, "200+", [GET + HOST + b"Cookie: ===;;;\r\n\r\n"]),
    ("COOK-MULTI-HEADER", "2xx", "200+",
     [GET + HOST + b"Cookie: a=1\r\nCookie: b=2\r\n\r\n"]),
    ("COOK-PARSED-BASIC", "2xx", "200+",
     [GET + HOST + b"Cookie: foo=bar\r\n\r\n"]),
    ("COOK-PARSED-MULTI", "2xx", "200+",
     [GET + HOST + b"Cookie: a=1; b=2; c=3\r\n\r\n"]),
    ("COOK-PARSED-EMPTY-VAL", "2xx", "200+",
     [GET + HOST + b"Cookie: foo=\r\n\r\n"]),
    ("COOK-PARSED-SPECIAL", "2xx", "200+",
     [GET + HOST + b"Cookie: a=hello world; b=x=y\r\n\r\n"]),
]

# Nothing here has an ETag or a date of change: a condition is not looked at.
PROBES += [
    (name, "2xx", "200+ 200+", [NEXT, GET + HOST + field + b"\r\n\r\n"])
    for name, field in (
        ("CAP-ETAG-304", b'If-None-Match: "no-etag"'),
        ("CAP-LAST-MODIFIED-304",
         b"If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT"),
        ("CAP-ETAG-IN-304", b'If-None-Match: "no-etag"'),
        ("CAP-INM-PRECEDENCE",
         b'If-None-Match: "no-etag"\r\n'
         b"If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT"),
        ("CAP-INM-WILDCARD", b"If-None-Match: *"),
        ("CAP-IMS-FUTURE",
         b"If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT"),
        ("CAP-IMS-INVALID", b"If-Modified-Since: not-a-date"),
        ("CAP-INM-UNQUOTED", b"If-None-Match: no-etag"),
        ("CAP-ETAG-WEAK", b'If-None-Match: W/"no-etag"'),
    )
]


def allows(allowed, outcome):
    """Is this outcome one that the list allows?"""
    if allowed.startswith("not "):
        return not any(fits(allowed[4:], o) for o in outcome.split())
    if outcome == "-":
        return "close" in allowed.split("|") or "wait" in allowed.split("|")
    return all(any(fits(a, o) for a in allowed.split("|"))
               for o in outcome.split())


def fits(allowed, one):
    """One answer against one alternative: `400`, `2xx`, `2xx close`."""
    status, _, end = allowed.partition(" ")
    if end == "close" and not one.endswith("-"):
        return False
    return one[:3] == status or status == one[0] + "xx"
