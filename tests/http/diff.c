/*
 * Random mutations of requests, read by our reader, llhttp and
 * picohttpparser. What any of them refuses, we refuse; what we accept has
 * their method, target, fields, length of body, and end.
 *
 *	diff MUTATIONS SEED [FILE EVERY]
 *
 * With FILE, every EVERYth request that we accept is written there for h11
 * (tests/http/h11_peer.py): our reading of it as text, then its bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "tests/http/readings.h"

CS_OWNS_BANNED

#define ROOM 16384

static const char *const seeds[] = {
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /v1/audit?since=7d&order=asc HTTP/1.1\r\nHost: ca.example:8443\r\n"
	"Accept: application/json\r\nAuthorization: Bearer cs_1_abc\r\n\r\n",
	"POST /v1/requests HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
	"hello",
	"POST /v1/requests?dry_run=true HTTP/1.1\r\nhost: [2001:db8::1]:1\r\n"
	"content-type: application/json\r\nIdempotency-Key: k 1\r\n"
	"Content-Length: 12\r\n\r\n{\"csr\": \"x\"}",
	"POST /b HTTP/1.1\r\nHost:a\r\nExpect: 100-continue\r\n"
	"Content-Length:\t10 \r\nUser-Agent: x (y; z) \"q\"\r\n\r\n0123456789",
	"DELETE /v1/clients/a HTTP/1.1\r\nHost: a\r\nConnection: close, x\r\n"
	"Cookie: a=b; c=d\r\n\r\n",
	"HEAD /healthz HTTP/1.0\r\nConnection: keep-alive\r\nX:\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
	"Upgrade: websocket\r\nX-Empty: \r\nX-Two: 1\r\nX-Two: 2\r\n\r\n",
	"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: a\r\n\r\n"
	"5\r\nhello\r\n0\r\n\r\n",
	"POST /d HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n"
	"X-Fold: a\r\n b\r\n\r\nhello world",
};

/* What a mutation may write over, into, or behind something. */
static const char *const words[] = {
	"\r\n",
	"\n",
	"\r",
	" ",
	"\t",
	":",
	": ",
	",",
	";",
	"\0",
	"\x0b",
	"\x0c",
	"\x7f",
	"\xc3\xa4",
	"%2e",
	"//",
	"?",
	"#",
	"*",
	"\r\n ",
	"\r\n\r\n",
	"HTTP/1.1",
	"HTTP/1.0",
	"HTTP/2.0",
	" HTTP/1.1\r\n",
	"GET ",
	"POST ",
	"HEAD ",
	"PUT ",
	"Host: b\r\n",
	"Host:",
	"Content-Length: 5\r\n",
	"Content-Length: 0\r\n",
	"Content-Length: 5, 5\r\n",
	"Content-Length: +5\r\n",
	"content-length : 3\r\n",
	"Content_Length: 4\r\n",
	"Transfer-Encoding: chunked\r\n",
	"Transfer-Encoding: identity\r\n",
	"Connection: close\r\n",
	"Connection: Upgrade\r\n",
	"Connection: keep-alive\r\n",
	"Upgrade: h2c\r\n",
	"Expect: 100-continue\r\n",
	"X-Y: z\r\n",
	"0",
	"9",
	"0x",
	"-",
	"+",
	"_",
	"\"",
	"{}",
	"@",
	"[::1]",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t state;
static bool silent; /* disagreements are expected: canaries */

/* A generator of our own, so that a run can be repeated. */
static uint32_t draw(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

/* Put n octets in place of `out` octets at `at`. */
static size_t splice(uint8_t *p, size_t have, size_t at, size_t out,
		     const void *with, size_t n)
{
	if (out > have - at)
		out = have - at;
	if (have - out + n > ROOM)
		return have;
	memmove(p + at + n, p + at + out, have - at - out);
	memcpy(p + at, with, n);
	return have - out + n;
}

/* Where a line begins, at random; where none does, anywhere. */
static size_t line_start(const uint8_t *p, size_t n)
{
	size_t at = draw((uint32_t)n);

	for (size_t i = at; i > 1; i--) {
		if (p[i - 1] == '\n')
			return i;
	}
	return at;
}

/* One change. */
static size_t mutate(uint8_t *p, size_t n)
{
	uint8_t copy[64];
	size_t at = draw((uint32_t)n);
	const char *word = words[draw(COUNT(words))];
	/* The empty word stands for NUL. */
	size_t word_n = word[0] == '\0' ? 1 : strlen(word);
	size_t len = 1 + draw(sizeof(copy));
	uint8_t byte = (uint8_t)draw(256);

	switch (draw(8)) {
	case 0:
		return splice(p, n, at, 1, &byte, 1);
	case 1:
		p[at] ^= (uint8_t)(1u << draw(8));
		return n;
	case 2:
		return splice(p, n, at, 1 + draw(8), "", 0);
	case 3:
		return splice(p, n, at, 0, word, word_n);
	case 4:
		return splice(p, n, at, word_n, word, word_n);
	case 5: /* a whole line more */
		return splice(p, n, line_start(p, n), 0, word, word_n);
	case 6: /* another case of a letter */
		if ((p[at] | 0x20) >= 'a' && (p[at] | 0x20) <= 'z')
			p[at] ^= 0x20;
		return n;
	default: /* something twice, elsewhere */
		if (len > n - at)
			len = n - at;
		memcpy(copy, p + at, len);
		return splice(p, n, draw((uint32_t)n), 0, copy, len);
	}
}

/* Text of untrusted bytes. */
static void show(const char *what, struct cs_span s)
{
	fprintf(stderr, "  %s \"", what);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 0x20 && s.p[i] < 0x7f)
			fputc(s.p[i], stderr);
		else
			fprintf(stderr, "\\x%02x", s.p[i]);
	}
	fprintf(stderr, "\"\n");
}

/* A disagreement: shown, counted. */
static bool differs(const char *who, const char *what, struct cs_span all)
{
	if (silent)
		return false;
	fprintf(stderr, "%s: %s\n", who, what);
	show("request", all);
	return false;
}

/* Does the other's list hold exactly our values for our names? */
static bool same_fields(const struct reading *ours, const struct reading *o)
{
	for (size_t i = 0; i < ours->fields_n; i++) {
		const struct field *f = &ours->fields[i];
		size_t found = 0;

		for (size_t j = 0; j < o->fields_n; j++) {
			if (!cs_span_equal_icase(f->name, o->fields[j].name))
				continue;
			if (!cs_span_equal(f->value, o->fields[j].value))
				return false;
			found++;
		}
		if (found != 1)
			return false;
	}
	return true;
}

/* What we accepted, against what another reader says of it. */
static bool agrees(const char *who, const struct reading *ours,
		   const struct reading *o, struct cs_span all)
{
	if (o->refusal != NULL)
		return differs(who, o->refusal, all);
	if (!cs_span_equal(ours->method, o->method))
		return differs(who, "another method", all);
	if (!cs_span_equal(ours->target, o->target))
		return differs(who, "another target", all);
	if (ours->minor != o->minor)
		return differs(who, "another version", all);
	if (o->head_n != 0 && ours->head_n != o->head_n)
		return differs(who, "another end of the head", all);
	if (!same_fields(ours, o))
		return differs(who, "other fields", all);
	return true;
}

/* Both lists whole: not only the names that our server reads. */
static bool same_lists(const struct reading *a, const struct reading *b)
{
	if (a->fields_n != b->fields_n)
		return false;
	for (size_t i = 0; i < a->fields_n; i++) {
		if (!cs_span_equal(a->fields[i].name, b->fields[i].name) ||
		    !cs_span_equal(a->fields[i].value, b->fields[i].value))
			return false;
	}
	return true;
}

struct counts {
	uint64_t all, accepted, wrong, sampled;
	uint64_t llhttp, pico; /* they accept what we refuse */
};

/* For h11: one line of what we read, and the bytes. */
static void sample(FILE *f, const struct reading *r, struct cs_span whole)
{
	fprintf(f, "%zu %zu %zu %d %d ", whole.n, r->body_n, r->fields_n,
		r->minor, r->keep_alive);
	fprintf(f, "%.*s %.*s\n", (int)r->method.n, (const char *)r->method.p,
		(int)r->target.n, (const char *)r->target.p);
	for (size_t i = 0; i < r->fields_n; i++)
		fprintf(f, "%.*s:%.*s\n", (int)r->fields[i].name.n,
			(const char *)r->fields[i].name.p,
			(int)r->fields[i].value.n,
			(const char *)r->fields[i].value.p);
	fwrite(whole.p, 1, whole.n, f);
}

/* One mutation, by every reader. True: we accept it. */
static bool judge(uint8_t *p, size_t n, struct counts *c,
		  struct cs_span *ret_whole, struct reading *ours)
{
	static uint8_t room[ROOM + CS_MAX_HTTP_BODY];
	struct cs_span all = cs_span_make(p, n);
	struct reading llhttp, pico;

	c->all++;
	read_ours(all, ours);
	read_pico(all, &pico);
	if (ours->refusal != NULL) {
		read_llhttp(all, &llhttp);
		c->llhttp += llhttp.refusal == NULL;
		c->pico += pico.refusal == NULL;
		return false;
	}
	c->accepted++;
	/* Exactly one request: a body as long as we say. */
	memcpy(room, p, n);
	memset(room + n, 'b', sizeof(room) - n);
	*ret_whole = cs_span_make(room, ours->head_n + ours->body_n);
	read_ours(*ret_whole, ours);
	read_llhttp(*ret_whole, &llhttp);
	read_pico(*ret_whole, &pico);
	if (!agrees("llhttp", ours, &llhttp, *ret_whole) ||
	    !agrees("picohttpparser", ours, &pico, *ret_whole))
		c->wrong++;
	else if (!same_lists(&llhttp, &pico))
		c->wrong += !differs("llhttp, picohttpparser",
				     "their fields differ", *ret_whole);
	else if (llhttp.body_n != ours->body_n)
		c->wrong += !differs("llhttp", "another body", *ret_whole);
	else if (ours->keep_alive && !llhttp.keep_alive)
		c->wrong += !differs("llhttp", "the last one", *ret_whole);
	return true;
}

/*
 * Would a disagreement be seen? Forged readings of ours: one of a request
 * that others refuse, and some that differ in one thing each.
 */
static bool canaries_sing(void)
{
	static const char good[] = "POST /a?b HTTP/1.1\r\nHost: a\r\n"
				   "Content-Length: 5\r\n\r\nhello";
	static const char bad[] = "POST /a?b HTTP/1.1\r\nHost: a\r\n"
				  "Content-Length: +5\r\n\r\nhello";
	struct cs_span all = cs_span_make(good, sizeof(good) - 1);
	struct reading ours, llhttp, forged[5];
	bool sing = true;

	read_ours(all, &ours);
	read_llhttp(all, &llhttp);
	if (!agrees("llhttp", &ours, &llhttp, all))
		return false;
	silent = true;
	for (size_t i = 0; i < COUNT(forged); i++)
		forged[i] = ours;
	forged[0].method = CS_SPAN_LIT("GET");
	forged[1].target = CS_SPAN_LIT("/a");
	forged[2].minor = 0;
	forged[3].fields[0].value = CS_SPAN_LIT("b");
	forged[4].fields[0].name = CS_SPAN_LIT("Accept");
	for (size_t i = 0; i < COUNT(forged); i++)
		sing = sing && !agrees("llhttp", &forged[i], &llhttp, all);
	read_llhttp(cs_span_make(bad, sizeof(bad) - 1), &llhttp);
	sing = sing && !agrees("llhttp", &ours, &llhttp, all);
	/* One octet more or less than the body that ours made out. */
	read_llhttp(cs_span_make(good, sizeof(good) - 2), &llhttp);
	sing = sing && llhttp.refusal != NULL;
	silent = false;
	return sing;
}

int main(int argc, char **argv)
{
	static uint8_t bytes[ROOM];
	struct counts c = {0};
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
	uint64_t every = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
	FILE *f = argc > 4 ? fopen(argv[3], "wbe") : NULL;

	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	if (n == 0 || every == 0 || (argc > 4 && f == NULL)) {
		fprintf(stderr, "usage: diff MUTATIONS SEED [FILE EVERY]\n");
		return 2;
	}
	if (!canaries_sing()) {
		fprintf(stderr, "a planted disagreement was not seen\n");
		return 1;
	}
	for (uint64_t i = 0; i < n && c.wrong < 20; i++) {
		const char *seed = seeds[draw(COUNT(seeds))];
		size_t len = strlen(seed);
		struct cs_span whole;
		struct reading ours;

		memcpy(bytes, seed, len);
		for (uint32_t k = 1 + draw(3); k > 0 && len > 0; k--)
			len = mutate(bytes, len);
		if (len == 0 || !judge(bytes, len, &c, &whole, &ours))
			continue;
		if (f != NULL && c.accepted % every == 0) {
			sample(f, &ours, whole);
			c.sampled++;
		}
	}
	if (f != NULL && fclose(f) != 0)
		return 1;
	printf("%" PRIu64 " mutations: %" PRIu64 " accepted, %" PRIu64
	       " otherwise than llhttp and picohttpparser; of the refused ones "
	       "llhttp accepts %" PRIu64 ", picohttpparser %" PRIu64
	       "; %" PRIu64 " sampled for h11\n",
	       c.all, c.accepted, c.wrong, c.llhttp, c.pico, c.sampled);
	/* A comparison that compares nothing holds nothing. */
	return c.wrong > 0 || c.accepted < n / 20;
}
