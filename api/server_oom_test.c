/*
 * Out of memory in the HTTP server, at every allocation in turn.
 *
 * Linked with --wrap for malloc, calloc and realloc, so that what our own
 * code allocates can fail. A peer talks to the server while the N-th
 * allocation fails, until a whole conversation needs fewer than N. Whatever
 * it gets, the next peer is served; sanitizers look for what is left behind.
 */
#include <tests/lib/test.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include <tests/lib/http_peers.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t n);

static struct {
	bool armed;
	long countdown;
	bool failed;
} heap;

/* Is it this allocation's turn? */
static bool fails(void)
{
	if (!heap.armed || heap.countdown == 0 || --heap.countdown > 0)
		return false;
	heap.failed = true;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

/* Let the server do what it has to. */
static void turn(struct house *h)
{
	int i;

	for (i = 0; i < 20; i++)
		house_turn(h);
}

/* A conversation in which the server may fail at any point. */
static void talk(struct house *h, struct peer *p, bool tls)
{
	static const char head[] =
		"POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n"
		"Expect: 100-continue\r\n\r\n";
	char body[3001];

	memset(body, 'b', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	heap.armed = true;
	if (tls)
		(void)peer_tls(p, h, NULL);
	else
		peer_local(p, h);
	turn(h);
	(void)peer_send(p, h, head);
	turn(h);
	(void)peer_send(p, h, body);
	turn(h);
	(void)peer_send(p, h, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
	turn(h);
	(void)peer_send(p, h, "GET /%\r\n\r\n");
	turn(h);
	peer_close(p);
	turn(h);
	heap.armed = false;
}

/* Every allocation of a conversation, one after the other. */
static void sweep(bool tls)
{
	struct house h;
	struct peer p;
	long n = 0;

	house_open(&h, cs_http_limits_default());
	do {
		n++;
		heap.countdown = n;
		heap.failed = false;
		talk(&h, &p, tls);
		heap.countdown = 0;
		house_turn_ms(&h, 1);
		assert_int_equal(cs_http_server_stats(h.server).open, 0);

		peer_local(&p, &h);
		peer_send(&p, &h, "GET /good HTTP/1.1\r\nHost: a\r\n\r\n");
		assert_int_equal(peer_answers(&p, &h, 1), 1);
		assert_true(peer_got(&p, "HTTP/1.1 200 "));
		peer_close(&p);
		house_turn_ms(&h, 1);
	} while (heap.failed);
	/* Connection, watch, what comes in, what goes out. */
	assert_true(n > 4);
	house_close(&h);
}

static void serves_the_next_local_peer(void **state)
{
	(void)state;
	sweep(false);
}

static void serves_the_next_tls_peer(void **state)
{
	(void)state;
	sweep(true);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(serves_the_next_local_peer),
		cmocka_unit_test(serves_the_next_tls_peer),
	};

	return cs_test_run("api/server_oom", tests);
}
