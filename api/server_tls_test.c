#include <tests/lib/test.h>

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "api/http_body.h"
#include "api/peer_cert.h"
#include "api/tls.h"
#include "base/mem.h"
#include <tests/lib/http_peers.h>

#define H    "Host: localhost\r\n"
#define GET  "GET /a HTTP/1.1\r\n" H "\r\n"
#define POST "POST /b HTTP/1.1\r\n" H

/* A client that speaks exactly this version. */
static SSL_CTX *client_of(int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	assert_non_null(ctx);
	/* Old versions need old signatures, which level 0 lets through. */
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	return ctx;
}

/* The subject's CN of the server's certificate. */
static void assert_server_is(const struct peer *p, const char *name)
{
	X509 *cert = SSL_get1_peer_certificate(p->ssl);
	char text[64] = "";

	assert_non_null(cert);
	(void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
					NID_commonName, text, sizeof(text));
	assert_string_equal(text, name);
	X509_free(cert);
}

static void answers_over_tls_1_2_and_1_3(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct house h;
	struct peer p;
	size_t i;

	(void)state;
	house_open(&h, cs_http_limits_default());
	for (i = 0; i < 2; i++) {
		SSL_CTX *ctx = client_of(versions[i]);

		assert_true(peer_tls(&p, &h, ctx));
		assert_int_equal(SSL_version(p.ssl), versions[i]);
		peer_send(&p, &h, POST "Content-Length: 3\r\n\r\nabc");
		assert_int_equal(peer_answers(&p, &h, 1), 1);
		peer_send(&p, &h, GET);
		assert_int_equal(peer_answers(&p, &h, 2), 2);
		assert_true(peer_got(&p, "hello"));
		assert_false(h.peer.is_local);
		assert_int_equal(h.peer.uid, UINT32_MAX);
		assert_memory_equal(h.peer.address, "127.0.0.1:", 10);
		peer_close(&p);
		SSL_CTX_free(ctx);
	}
	house_turn_ms(&h, 10);
	assert_int_equal(cs_http_server_stats(h.server).open, 0);
	assert_int_equal(cs_http_server_stats(h.server).tls_failed, 0);
	house_close(&h);
}

static void refuses_older_versions(void **state)
{
	static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION};
	struct house h;
	struct peer p;
	size_t i;

	(void)state;
	house_open(&h, cs_http_limits_default());
	for (i = 0; i < 2; i++) {
		SSL_CTX *ctx = client_of(versions[i]);

		assert_false(peer_tls(&p, &h, ctx));
		peer_close(&p);
		SSL_CTX_free(ctx);
	}
	assert_int_equal(cs_http_server_stats(h.server).tls_failed, 2);
	house_close(&h);
}

static void refuses_ciphers_without_forward_secrecy_or_aead(void **state)
{
	static const char *const lists[] = {
		"AES128-GCM-SHA256",	     "ECDHE-ECDSA-AES128-SHA",
		"ECDHE-ECDSA-AES256-SHA384", "eNULL:aNULL@SECLEVEL=0",
		"DHE-RSA-AES128-GCM-SHA256",
	};
	struct house h;
	struct peer p;
	size_t i;

	(void)state;
	house_open(&h, cs_http_limits_default());
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		SSL_CTX *ctx = client_of(TLS1_2_VERSION);

		assert_int_equal(SSL_CTX_set_cipher_list(ctx, lists[i]), 1);
		assert_false(peer_tls(&p, &h, ctx));
		peer_close(&p);
		SSL_CTX_free(ctx);
	}
	house_close(&h);
}

/* RFC 7301 3.1, RFC 7301 3.2: one name, or the alert no_application_protocol.
 */
static void speaks_http_1_1_by_alpn_and_nothing_else(void **state)
{
	static const uint8_t both[] = "\x02h2\x08http/1.1";
	static const uint8_t h2[] = "\x02h2";
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	const uint8_t *chosen;
	struct house h;
	struct peer p;
	unsigned n;

	(void)state;
	house_open(&h, cs_http_limits_default());
	assert_int_equal(SSL_CTX_set_alpn_protos(ctx, both, sizeof(both) - 1),
			 0);
	assert_true(peer_tls(&p, &h, ctx));
	SSL_get0_alpn_selected(p.ssl, &chosen, &n);
	assert_int_equal(n, 8);
	assert_memory_equal(chosen, "http/1.1", 8);
	peer_close(&p);
	assert_int_equal(SSL_CTX_set_alpn_protos(ctx, h2, sizeof(h2) - 1), 0);
	assert_false(peer_tls(&p, &h, ctx));
	peer_close(&p);
	SSL_CTX_free(ctx);
	house_close(&h);
}

static void resumes_no_session(void **state)
{
	struct house h;
	struct peer p;
	SSL_SESSION *session;
	int version;

	(void)state;
	house_open(&h, cs_http_limits_default());
	for (version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		SSL_CTX *ctx = client_of(version);

		assert_true(peer_tls(&p, &h, ctx));
		peer_send(&p, &h, GET);
		assert_int_equal(peer_answers(&p, &h, 1), 1);
		session = SSL_get1_session(p.ssl);
		assert_int_equal(SSL_SESSION_has_ticket(session), 0);
		assert_int_equal(SSL_SESSION_is_resumable(session), 0);
		SSL_SESSION_free(session);
		peer_close(&p);
		SSL_CTX_free(ctx);
	}
	house_close(&h);
}

/* Give the client a certificate of its own; its SHA-256. */
static void certify(SSL_CTX *ctx, uint8_t sha256[32])
{
	CS_CLEANUP(cs_buf_done) struct cs_buf chain = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf key = {0};
	EVP_PKEY *pkey;
	BIO *bio;
	X509 *cert;

	cs_buf_init(&chain, 10000);
	cs_buf_init(&key, 10000);
	make_credential("who", &chain, &key);
	bio = BIO_new_mem_buf(chain.p, (int)chain.n);
	cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	bio = BIO_new_mem_buf(key.p, (int)key.n);
	pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, pkey), 1);
	assert_int_equal(X509_digest(cert, EVP_sha256(), sha256, NULL), 1);
	X509_free(cert);
	EVP_PKEY_free(pkey);
}

/* RFC 8446 4.3.2: it is asked for, whoever issued it, and may be left out. */
static void shows_the_owner_what_the_client_showed(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct house h;
	struct peer p;
	uint8_t sha256[32];

	(void)state;
	house_open(&h, cs_http_limits_default());
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *ctx = client_of(versions[i]);

		assert_true(peer_tls(&p, &h, ctx));
		peer_send(&p, &h, GET);
		assert_int_equal(peer_answers(&p, &h, 1), 1);
		assert_null(h.peer.cert);
		peer_close(&p);
		certify(ctx, sha256);
		assert_true(peer_tls(&p, &h, ctx));
		for (unsigned n = 1; n <= 2; n++) {
			peer_send(&p, &h, GET);
			assert_int_equal(peer_answers(&p, &h, n), n);
			/* The connection lives, and so does what it showed. */
			assert_non_null(h.peer.cert);
			assert_memory_equal(
				cs_peer_cert_fingerprint(h.peer.cert), sha256,
				sizeof(sha256));
		}
		peer_close(&p);
		SSL_CTX_free(ctx);
	}
	house_close(&h);
}

static void refuses_to_renegotiate(void **state)
{
	SSL_CTX *ctx = client_of(TLS1_2_VERSION);
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, cs_http_limits_default());
	assert_true(peer_tls(&p, &h, ctx));
	assert_int_equal(SSL_renegotiate(p.ssl), 1);
	(void)SSL_do_handshake(p.ssl);
	peer_await_end(&p, &h);
	assert_int_equal(h.requests, 0);
	ERR_clear_error();
	peer_close(&p);
	SSL_CTX_free(ctx);
	house_close(&h);
}

static void closes_on_plain_http(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, cs_http_limits_default());
	peer_tcp(&p, &h);
	peer_send(&p, &h, GET);
	peer_await_end(&p, &h);
	assert_false(peer_got(&p, "HTTP/1.1"));
	assert_int_equal(h.requests, 0);
	assert_int_equal(cs_http_server_stats(h.server).tls_failed, 1);
	peer_close(&p);
	house_close(&h);
}

static void cuts_a_handshake_that_takes_too_long(void **state)
{
	struct house h;
	struct peer p;
	int i;

	(void)state;
	house_open(&h, quick_limits());
	peer_tcp(&p, &h);
	peer_send_bytes(&p, &h, CS_SPAN_LIT("\x16\x03\x01\x01\x00\x01"));
	for (i = 0; i < 12 && peer_send_bytes(&p, &h, CS_SPAN_LIT("\x00")); i++)
		house_turn_ms(&h, 30);
	peer_await_end(&p, &h);
	assert_int_equal(cs_http_server_stats(h.server).timed_out, 1);
	peer_close(&p);
	house_close(&h);
}

static void cuts_a_slow_head_over_tls(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, quick_limits());
	assert_true(peer_tls(&p, &h, NULL));
	peer_send(&p, &h, "GET / HTTP/1.1\r\n");
	peer_await_end(&p, &h);
	assert_true(p.proper);
	assert_true(peer_got(&p, "HTTP/1.1 408 "));
	peer_close(&p);
	house_close(&h);
}

/* RFC 8446 6.1: an end without close_notify may be somebody else's. */
static void takes_a_truncated_body_for_an_abort(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, cs_http_limits_default());
	assert_true(peer_tls(&p, &h, NULL));
	peer_send(&p, &h, POST "Content-Length: 5\r\n\r\nhell");
	/* FIN without close_notify. */
	assert_int_equal(shutdown(p.fd, SHUT_WR), 0);
	house_turn_ms(&h, 20);
	assert_int_equal(h.requests, 0);
	assert_int_equal(cs_http_server_stats(h.server).open, 0);
	peer_close(&p);
	house_close(&h);
}

static void tells_the_owner_when_a_tls_peer_is_gone(void **state)
{
	struct house h;
	struct peer p;
	int how;

	(void)state;
	house_open(&h, cs_http_limits_default());
	h.holds = true;
	for (how = 0; how < 2; how++) {
		assert_true(peer_tls(&p, &h, NULL));
		peer_send(&p, &h, GET);
		await_requests(&h, (unsigned)how + 1);
		if (how == 0)
			(void)SSL_shutdown(p.ssl);
		peer_close(&p);
		house_turn_ms(&h, 20);
		assert_int_equal(h.gone, how + 1);
		house_reply(&h, h.held[how], "to nobody");
	}
	house_close(&h);
}

static void goes_on_with_what_tls_has_buffered(void **state)
{
	struct house h;
	struct peer p;
	char *large = cs_mem_new(20001);

	(void)state;
	house_open(&h, cs_http_limits_default());
	h.holds = true;
	assert_true(peer_tls(&p, &h, NULL));
	/* One record, three requests; the socket will say nothing more. */
	peer_send(&p, &h, GET GET GET);
	await_requests(&h, 1);
	house_turn_ms(&h, 10);
	house_reply(&h, h.held[0], "one");
	await_requests(&h, 2);
	house_reply(&h, h.held[1], "two");
	await_requests(&h, 3);
	/* Arrives while the third is in flight, in several records. */
	memset(large, 'x', 20000);
	peer_send(&p, &h, POST "Content-Length: 20000\r\n\r\n");
	peer_send(&p, &h, large);
	peer_send(&p, &h, GET);
	house_turn_ms(&h, 10);
	assert_int_equal(h.requests, 3);
	house_reply(&h, h.held[2], "three");
	await_requests(&h, 4);
	assert_int_equal(h.body_seen.n, 20000);
	house_reply(&h, h.held[3], "four");
	await_requests(&h, 5);
	house_reply(&h, h.held[4], "five");
	assert_int_equal(peer_answers(&p, &h, 5), 5);
	peer_close(&p);
	house_close(&h);
	cs_mem_free(large);
}

static void sends_an_answer_of_many_records(void **state)
{
	struct house h;
	struct peer p;
	void *body = cs_mem_new(CS_MAX_HTTP_ANSWER);

	(void)state;
	memset(body, 'x', CS_MAX_HTTP_ANSWER);
	house_open(&h, cs_http_limits_default());
	h.answer.body = cs_span_make(body, CS_MAX_HTTP_ANSWER);
	assert_true(peer_tls(&p, &h, NULL));
	peer_send(&p, &h, GET);
	assert_int_equal(peer_answers(&p, &h, 1), 1);
	peer_send(&p, &h, GET);
	assert_int_equal(peer_answers(&p, &h, 2), 2);
	peer_close(&p);
	house_close(&h);
	cs_mem_free(body);
}

static void takes_a_new_credential_for_new_connections(void **state)
{
	struct house h;
	struct peer old;
	struct peer new;

	(void)state;
	house_open(&h, cs_http_limits_default());
	assert_true(peer_tls(&old, &h, NULL));
	cs_http_server_set_tls(h.server, make_tls("renewed"));
	assert_true(peer_tls(&new, &h, NULL));
	assert_server_is(&old, "house");
	assert_server_is(&new, "renewed");
	peer_send(&old, &h, GET);
	assert_int_equal(peer_answers(&old, &h, 1), 1);
	peer_send(&new, &h, GET);
	assert_int_equal(peer_answers(&new, &h, 1), 1);
	peer_close(&old);
	peer_close(&new);
	house_close(&h);
}

/* Try a chain and a key; expect this error and a clean queue. */
static void expect_error(struct cs_span chain, struct cs_span key,
			 enum cs_error_code code)
{
	struct cs_error err = {0};

	assert_null(cs_tls_new(chain, key, &err));
	assert_int_equal(err.code, code);
	assert_int_equal(ERR_peek_error(), 0);
}

static void refuses_credentials_that_do_not_fit(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf chain;
	CS_CLEANUP(cs_buf_done) struct cs_buf key;
	CS_CLEANUP(cs_buf_done) struct cs_buf chain2;
	CS_CLEANUP(cs_buf_done) struct cs_buf key2;
	struct cs_span empty = {NULL, 0};

	(void)state;
	make_credential("a", &chain, &key);
	make_credential("b", &chain2, &key2);
	expect_error(cs_buf_span(&chain), cs_buf_span(&key2), CS_E_KEY);
	expect_error(cs_buf_span(&chain), CS_SPAN_LIT("x"), CS_E_KEY);
	expect_error(cs_buf_span(&chain), empty, CS_E_KEY);
	expect_error(cs_buf_span(&chain), cs_buf_span(&chain), CS_E_KEY);
	expect_error(CS_SPAN_LIT("x"), cs_buf_span(&key), CS_E_FORMAT);
	expect_error(empty, cs_buf_span(&key), CS_E_FORMAT);
	/* A second block that is broken is not left out silently. */
	cs_buf_add_str(&chain, "-----BEGIN CERTIFICATE-----\nAAAA\n"
			       "-----END CERTIFICATE-----\n");
	expect_error(cs_buf_span(&chain), cs_buf_span(&key), CS_E_FORMAT);
}

/* A descriptor that reads as these bytes. */
static int file_of(const struct cs_buf *b)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, b->p, b->n), b->n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void reads_a_credential_from_descriptors(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf chain;
	CS_CLEANUP(cs_buf_done) struct cs_buf key;
	struct cs_error err = {0};
	struct cs_tls *tls;
	int chain_fd;
	int key_fd;

	(void)state;
	make_credential("a", &chain, &key);
	chain_fd = file_of(&chain);
	key_fd = file_of(&key);
	tls = cs_tls_new_from_fds(chain_fd, key_fd, &err);
	assert_non_null(tls);
	cs_tls_free(tls);
	/* Nothing is left to read: not a key, and said so. */
	assert_null(cs_tls_new_from_fds(chain_fd, key_fd, &err));
	assert_null(cs_tls_new_from_fds(-1, -1, &err));
	close(chain_fd);
	close(key_fd);
}

/* Octets of a shared body that is larger than an answer may be. */
#define LARGE ((size_t)3 * 1024 * 1024)

static void sends_one_copy_of_a_large_body_to_many(void **state)
{
	struct house h;
	struct peer p[3];
	uint8_t *bytes = cs_mem_new(LARGE);
	struct cs_http_body *body;

	(void)state;
	assert_true(LARGE > CS_MAX_HTTP_ANSWER);
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (uint8_t)(i * 31 >> 5);
	body = cs_http_body_new(cs_span_make(bytes, LARGE));
	house_open(&h, cs_http_limits_default());
	h.answer.shared = body;
	h.answer.body = (struct cs_span){0};
	for (int i = 0; i < 3; i++) {
		if (i == 0)
			assert_true(peer_tls(&p[i], &h, NULL));
		else
			peer_local(&p[i], &h);
		p[i].got.max = LARGE + 4096;
		peer_send(&p[i], &h,
			  i < 2 ? GET
				: "HEAD /a HTTP/1.1\r\n"
				  "Host: a\r\n"
				  "Connection: close\r\n\r\n");
	}
	await_requests(&h, 3);
	/* The connections have their references; ours may go. */
	h.answer.shared = NULL;
	cs_http_body_drop(body);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(peer_answers(&p[i], &h, 1), 1);
		assert_true(peer_got(&p[i], "Content-Length: 3145728\r\n"));
		assert_true(p[i].got.n > LARGE);
		assert_memory_equal(p[i].got.p + p[i].got.n - LARGE, bytes,
				    LARGE);
	}
	peer_await_end(&p[2], &h);
	assert_true(peer_got(&p[2], "Content-Length: 3145728\r\n"));
	assert_true(p[2].got.n < 1000);
	for (int i = 0; i < 3; i++)
		peer_close(&p[i]);
	house_close(&h);
	cs_mem_free(bytes);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_one_copy_of_a_large_body_to_many),
		cmocka_unit_test(answers_over_tls_1_2_and_1_3),
		cmocka_unit_test(refuses_older_versions),
		cmocka_unit_test(
			refuses_ciphers_without_forward_secrecy_or_aead),
		cmocka_unit_test(speaks_http_1_1_by_alpn_and_nothing_else),
		cmocka_unit_test(resumes_no_session),
		cmocka_unit_test(shows_the_owner_what_the_client_showed),
		cmocka_unit_test(refuses_to_renegotiate),
		cmocka_unit_test(closes_on_plain_http),
		cmocka_unit_test(cuts_a_handshake_that_takes_too_long),
		cmocka_unit_test(cuts_a_slow_head_over_tls),
		cmocka_unit_test(takes_a_truncated_body_for_an_abort),
		cmocka_unit_test(tells_the_owner_when_a_tls_peer_is_gone),
		cmocka_unit_test(goes_on_with_what_tls_has_buffered),
		cmocka_unit_test(sends_an_answer_of_many_records),
		cmocka_unit_test(takes_a_new_credential_for_new_connections),
		cmocka_unit_test(refuses_credentials_that_do_not_fit),
		cmocka_unit_test(reads_a_credential_from_descriptors),
	};

	return cs_test_run("api/server_tls", tests);
}
