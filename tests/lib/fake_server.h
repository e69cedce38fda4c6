/*
 * An HTTP server (api/server.h) that only remembers: for tests of what stands
 * behind it. There is one, `fake`; it is made anew by each _new.
 */
#ifndef CS_TESTS_LIB_FAKE_SERVER_H
#define CS_TESTS_LIB_FAKE_SERVER_H

#include "api/server.h"

#define MAX_SEEN 256

struct reply {
	uint64_t ticket;
	int status;
	char body[8192];
	char headers[512]; /* "name: value\n" each */
};

struct cs_http_server {
	struct cs_http_server_config config;
	struct reply replies[MAX_SEEN];
	size_t n;
	unsigned drains;
	struct cs_http_peer peer; /* of every request; set by the test */
};

extern struct cs_http_server fake;

#endif
