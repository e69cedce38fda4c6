#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "tests/lib/fake_server.h"

struct cs_http_server fake;

struct cs_http_limits cs_http_limits_default(void)
{
	return (struct cs_http_limits){0};
}

struct cs_http_server *cs_http_server_new(
	const struct cs_http_server_config *config, struct cs_error *err)
{
	(void)err;
	memset(&fake, 0, sizeof(fake));
	fake.config = *config;
	return &fake;
}

void cs_http_server_free(struct cs_http_server *server)
{
	(void)server;
}

void cs_http_server_set_tls(struct cs_http_server *server, struct cs_tls *tls)
{
	(void)server;
	(void)tls;
}

void cs_http_server_drain(struct cs_http_server *server)
{
	server->drains++;
}

const struct cs_http_peer *cs_http_server_peer(
	const struct cs_http_server *server, uint64_t ticket)
{
	return ticket == 0 ? NULL : &server->peer;
}

struct cs_http_stats cs_http_server_stats(const struct cs_http_server *server)
{
	return (struct cs_http_stats){.requests = server->n};
}

void cs_http_reply(struct cs_http_server *server, uint64_t ticket,
		   const struct cs_http_answer *answer)
{
	struct reply *r = &server->replies[server->n++];

	assert_true(server->n <= MAX_SEEN);
	r->ticket = ticket;
	r->status = answer->status;
	(void)snprintf(r->body, sizeof(r->body), "%.*s",
		       CS_SPAN_FMT(answer->body));
	if (answer->cache_control != NULL)
		(void)snprintf(r->headers, sizeof(r->headers),
			       "Cache-Control: %s\n", answer->cache_control);
	for (size_t i = 0; i < answer->headers_n; i++) {
		size_t n = strlen(r->headers);

		(void)snprintf(r->headers + n, sizeof(r->headers) - n,
			       "%s: %.*s\n", answer->headers[i].name,
			       CS_SPAN_FMT(answer->headers[i].value));
	}
}
