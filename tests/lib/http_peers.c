#include "tests/lib/http_peers.h"

#include "tests/lib/test.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/tls.h"
#include "base/clock.h"
#include "base/mem.h"

/* Nothing in a test takes longer than this. */
#define PATIENCE_MS 5000

/* Milliseconds now. */
static int64_t now_ms(void)
{
	struct cs_clock clock = cs_clock_system();

	return cs_clock_boot_ms(&clock);
}

struct cs_http_limits quick_limits(void)
{
	struct cs_http_limits l = cs_http_limits_default();

	l.handshake_ms = l.head_ms = l.reply_ms = l.idle_ms = 200;
	l.body_ms = 400;
	l.linger_ms = 100;
	l.drain_ms = 300;
	l.grace_ms = 50;
	return l;
}

/* The owner: keeps or answers, and remembers. */
static void on_request(void *ctx, const struct cs_http_request *r)
{
	struct house *h = ctx;

	assert_false(h->replying);
	h->held[h->requests++ % HELD_MAX] = r->ticket;
	h->connection = r->connection;
	h->peer = *r->peer;
	h->method = r->head->method;
	cs_buf_add_byte(&h->path_seen, ' ');
	cs_buf_add(&h->path_seen, r->head->path);
	cs_buf_reset(&h->body_seen);
	cs_buf_add(&h->body_seen, r->body);
	if (!h->holds)
		cs_http_reply(h->server, r->ticket, &h->answer);
}

/* The owner hears that nobody waits any more. */
static void on_gone(void *ctx, uint64_t ticket)
{
	struct house *h = ctx;

	h->gone++;
	h->last_gone = ticket;
}

/* The owner hears that the drain is over. */
static void on_drained(void *ctx)
{
	struct house *h = ctx;

	h->drained++;
}

/* A listening TCP socket on a port of the kernel's choice. */
static int listen_tcp(uint16_t *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 128), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

/* The address of the house's Unix socket. */
static struct sockaddr_un local_address(const struct house *h)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	memcpy(a.sun_path, h->path, strlen(h->path));
	return a;
}

/* A listening Unix socket. */
static int listen_local(struct house *h)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(h->path, sizeof(h->path), "/tmp/cs-http-test-%ld.sock",
		       (long)getpid());
	(void)unlink(h->path);
	a = local_address(h);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 128), 0);
	return fd;
}

/* The PEM text in a memory BIO. */
static void take_bio(BIO *bio, struct cs_buf *out)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);

	assert_true(n > 0);
	cs_buf_init(out, 65536);
	cs_buf_add(out, cs_span_make(p, (size_t)n));
	BIO_free(bio);
}

void make_credential(const char *name, struct cs_buf *chain, struct cs_buf *key)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	BIO *cert_bio = BIO_new(BIO_s_mem());
	BIO *key_bio = BIO_new(BIO_s_mem());

	assert_non_null(pkey);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, pkey);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
				   MBSTRING_ASC, (const uint8_t *)name, -1, -1,
				   0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	assert_true(X509_sign(cert, pkey, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(cert_bio, cert), 1);
	assert_int_equal(PEM_write_bio_PrivateKey(key_bio, pkey, NULL, NULL, 0,
						  NULL, NULL),
			 1);
	take_bio(cert_bio, chain);
	take_bio(key_bio, key);
	X509_free(cert);
	EVP_PKEY_free(pkey);
}

struct cs_tls *make_tls(const char *name)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf chain;
	CS_CLEANUP(cs_buf_done) struct cs_buf key;
	struct cs_error err = {0};
	struct cs_tls *tls;

	make_credential(name, &chain, &key);
	tls = cs_tls_new(cs_buf_span(&chain), cs_buf_span(&key), &err);
	assert_string_equal(err.text, "");
	assert_non_null(tls);
	return tls;
}

void house_open(struct house *h, struct cs_http_limits limits)
{
	struct cs_http_listen listens[3];
	struct cs_http_server_config config = {
		.clock = cs_clock_system(),
		.listens = listens,
		.listens_n = 3,
		.limits = limits,
		.on_request = on_request,
		.on_gone = on_gone,
		.on_drained = on_drained,
		.ctx = h,
	};
	struct cs_error err = {0};

	*h = (struct house){.answer = {.status = 200,
				       .content_type = "text/plain",
				       .body = CS_SPAN_LIT("hello")}};
	cs_buf_init(&h->path_seen, 65536);
	cs_buf_init(&h->body_seen, 65536);
	h->loop = cs_loop_new(&err);
	assert_non_null(h->loop);
	config.loop = h->loop;
	config.tls = make_tls("house");
	listens[0] = (struct cs_http_listen){listen_tcp(&h->port),
					     CS_HTTP_LISTEN_TLS};
	listens[1] =
		(struct cs_http_listen){listen_local(h), CS_HTTP_LISTEN_LOCAL};
	listens[2] = (struct cs_http_listen){listen_tcp(&h->plain_port),
					     CS_HTTP_LISTEN_PLAIN};
	h->server = cs_http_server_new(&config, &err);
	assert_string_equal(err.text, "");
	assert_non_null(h->server);
}

void house_close(struct house *h)
{
	cs_http_server_free(h->server);
	cs_loop_free(h->loop);
	cs_buf_done(&h->path_seen);
	cs_buf_done(&h->body_seen);
	(void)unlink(h->path);
}

void house_turn(struct house *h)
{
	(void)event_base_loop(cs_loop_base(h->loop), EVLOOP_NONBLOCK);
}

void house_turn_ms(struct house *h, int64_t ms)
{
	int64_t end = now_ms() + ms;

	while (now_ms() < end) {
		house_turn(h);
		(void)poll(NULL, 0, 1);
	}
}

void house_reply(struct house *h, uint64_t ticket, const char *text)
{
	struct cs_http_answer answer = {.status = 200,
					.content_type = "text/plain",
					.body = cs_span_str(text)};

	h->replying = true;
	cs_http_reply(h->server, ticket, &answer);
	h->replying = false;
}

void await_requests(struct house *h, unsigned n)
{
	int64_t end = now_ms() + PATIENCE_MS;

	while (h->requests < n && now_ms() < end)
		house_turn(h);
	assert_int_equal(h->requests, n);
}

/* A connected, non-blocking socket. */
static void connect_to(struct peer *p, struct house *h, int family,
		       const void *address, socklen_t n)
{
	*p = (struct peer){.fd = socket(family, SOCK_STREAM, 0)};
	cs_buf_init(&p->got, 4 * 1024 * 1024);
	assert_true(p->fd >= 0);
	assert_int_equal(connect(p->fd, address, n), 0);
	assert_int_equal(fcntl(p->fd, F_SETFL, O_NONBLOCK), 0);
	house_turn(h);
}

void peer_local(struct peer *p, struct house *h)
{
	struct sockaddr_un a = local_address(h);

	connect_to(p, h, AF_UNIX, &a, sizeof(a));
}

static void connect_to_port(struct peer *p, struct house *h, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				.sin_port = htons(port)};

	connect_to(p, h, AF_INET, &a, sizeof(a));
}

void peer_tcp(struct peer *p, struct house *h)
{
	connect_to_port(p, h, h->port);
}

void peer_plain(struct peer *p, struct house *h)
{
	connect_to_port(p, h, h->plain_port);
}

bool peer_tls(struct peer *p, struct house *h, SSL_CTX *ctx)
{
	SSL_CTX *mine = ctx == NULL ? SSL_CTX_new(TLS_client_method()) : ctx;
	int64_t end = now_ms() + PATIENCE_MS;
	int n = -1;

	peer_tcp(p, h);
	p->ssl = SSL_new(mine);
	SSL_set_fd(p->ssl, p->fd);
	while (n != 1 && now_ms() < end) {
		n = SSL_connect(p->ssl);
		if (n != 1 && SSL_get_error(p->ssl, n) != SSL_ERROR_WANT_READ)
			break;
		house_turn(h);
	}
	if (ctx == NULL)
		SSL_CTX_free(mine);
	return n == 1;
}

void peer_close(struct peer *p)
{
	SSL_free(p->ssl);
	if (p->fd >= 0)
		(void)close(p->fd);
	cs_buf_done(&p->got);
	p->ssl = NULL;
	p->fd = -1;
}

/* Take what is there. Returns whether there was anything. */
static bool peer_read(struct peer *p)
{
	uint8_t bytes[16384];
	ssize_t n;

	if (p->ended)
		return false;
	if (p->ssl != NULL) {
		n = SSL_read(p->ssl, bytes, sizeof(bytes));
		if (n <= 0) {
			int why = SSL_get_error(p->ssl, (int)n);

			p->ended = why != SSL_ERROR_WANT_READ &&
				   why != SSL_ERROR_WANT_WRITE;
			p->proper = why == SSL_ERROR_ZERO_RETURN;
		}
	} else {
		n = recv(p->fd, bytes, sizeof(bytes), 0);
		p->ended = n == 0 || (n < 0 && errno != EAGAIN);
		p->proper = n == 0;
	}
	if (n > 0)
		cs_buf_add(&p->got, cs_span_make(bytes, (size_t)n));
	return n > 0;
}

bool peer_send_bytes(struct peer *p, struct house *h, struct cs_span bytes)
{
	int64_t end = now_ms() + PATIENCE_MS;
	size_t at = 0;
	ssize_t n;

	while (at < bytes.n && now_ms() < end) {
		if (p->ssl != NULL) {
			n = SSL_write(p->ssl, bytes.p + at,
				      (int)(bytes.n - at));
			if (n <= 0 && SSL_get_error(p->ssl, (int)n) !=
					      SSL_ERROR_WANT_WRITE)
				return false;
		} else {
			n = send(p->fd, bytes.p + at, bytes.n - at,
				 MSG_NOSIGNAL);
			if (n < 0 && errno != EAGAIN)
				return false;
		}
		at += n > 0 ? (size_t)n : 0;
		house_turn(h);
	}
	return at == bytes.n;
}

bool peer_send(struct peer *p, struct house *h, const char *text)
{
	return peer_send_bytes(p, h, cs_span_str(text));
}

/* Where the final answer at s ends; 0: it is not complete. */
static size_t answer_end(struct cs_span s)
{
	static const char field[] = "Content-Length: ";
	char *text = cs_mem_strndup((const char *)s.p, s.n);
	char *end = strstr(text, "\r\n\r\n");
	char *length;
	size_t n = 0;

	if (end != NULL) {
		n = (size_t)(end - text) + 4;
		length = strstr(text, field);
		if (strncmp(text, "HTTP/1.1 1", 10) != 0 && length != NULL &&
		    length < end)
			n += strtoul(length + sizeof(field) - 1, NULL, 10);
	}
	cs_mem_free(text);
	return n <= s.n ? n : 0;
}

/* Complete final answers so far. */
static unsigned count_answers(const struct peer *p)
{
	struct cs_span rest = cs_buf_span(&p->got);
	unsigned n = 0;
	size_t end;

	while (rest.n > 0 && (end = answer_end(rest)) > 0) {
		if (!cs_span_starts_with(rest, CS_SPAN_LIT("HTTP/1.1 100")))
			n++;
		rest = cs_span_sub(rest, end, rest.n);
	}
	return n;
}

unsigned peer_answers(struct peer *p, struct house *h, unsigned n)
{
	int64_t end = now_ms() + PATIENCE_MS;

	while (count_answers(p) < n && now_ms() < end) {
		house_turn(h);
		if (!peer_read(p) && p->ended)
			break;
	}
	return count_answers(p);
}

void peer_await_end(struct peer *p, struct house *h)
{
	int64_t end = now_ms() + PATIENCE_MS;

	while (!p->ended && now_ms() < end) {
		house_turn(h);
		(void)peer_read(p);
	}
	assert_true(p->ended);
}

bool peer_got(struct peer *p, const char *text)
{
	return strstr(cs_buf_str(&p->got), text) != NULL;
}
