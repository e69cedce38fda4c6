#include "kube/fetch.h"

#include <string.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/version.h"

/* A dead network is noticed: a probe every so many seconds. */
#define KEEPALIVE_S 30L
#define CONNECT_MS  10000L
/* Connections that are kept for the next transfer. */
#define KEPT_CONNECTIONS 16L

/* What libcurl wants to know of one socket. */
struct sock {
	struct cs_fetch *f;
	curl_socket_t fd;
	struct cs_watch *readable, *writable;
	struct sock *next;
};

struct cs_fetch_call {
	struct cs_fetch *f;
	CURL *easy;
	struct curl_slist *headers;    /* owned */
	struct curl_slist *connect_to; /* owned */
	struct cs_buf body;	       /* the answer's */
	char error[CURL_ERROR_SIZE];
	bool too_large;
	bool dead; /* cancelled from inside of libcurl */
	bool (*on_data)(void *ctx, int status, struct cs_span data);
	void (*on_done)(void *ctx, const struct cs_fetch_result *result);
	void *ctx;
	struct cs_fetch_call *next, **at;
};

struct cs_fetch {
	struct cs_loop *loop;
	CURLM *multi;
	struct cs_timer *timer;
	struct sock *socks;
	struct cs_fetch_call *calls;
	bool inside; /* libcurl has called us, and takes no call itself */
	bool reap;   /* there are dead ones among the calls */
};

/* -- sockets and the timer ------------------------------------------------ */

static void finish_calls(struct cs_fetch *f);
static void reap(struct cs_fetch *f);

/* Let libcurl do what is to be done, then tell whose transfer has ended. */
static void act(struct cs_fetch *f, curl_socket_t fd, int events)
{
	int running;

	(void)curl_multi_socket_action(f->multi, fd, events, &running);
	reap(f);
	finish_calls(f);
}

static void on_readable(void *ctx)
{
	struct sock *s = ctx;

	act(s->f, s->fd, CURL_CSELECT_IN);
}

static void on_writable(void *ctx)
{
	struct sock *s = ctx;

	act(s->f, s->fd, CURL_CSELECT_OUT);
}

static void on_timer(void *ctx)
{
	act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static void sock_free(struct sock *s)
{
	struct sock **at = &s->f->socks;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	cs_watch_free(s->readable);
	cs_watch_free(s->writable);
	cs_mem_free(s);
}

/* Begin to watch a socket. */
static struct sock *sock_new(struct cs_fetch *f, curl_socket_t fd)
{
	struct sock *s = cs_mem_new(sizeof(*s));

	if (s == NULL)
		return NULL;
	s->f = f;
	s->fd = fd;
	s->next = f->socks;
	f->socks = s;
	s->readable = cs_watch_readable(f->loop, fd, on_readable, s, NULL);
	s->writable = cs_watch_writable(f->loop, fd, on_writable, s, NULL);
	if (s->readable != NULL && s->writable != NULL)
		return s;
	sock_free(s);
	return NULL;
}

/* libcurl says what it waits for. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx,
		     void *known)
{
	struct cs_fetch *f = ctx;
	struct sock *s = known;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s != NULL)
			sock_free(s);
		(void)curl_multi_assign(f->multi, fd, NULL);
		return 0;
	}
	if (s == NULL)
		s = sock_new(f, fd);
	if (s == NULL)
		return -1;
	(void)curl_multi_assign(f->multi, fd, s);
	if ((what & CURL_POLL_IN) != 0)
		cs_watch_enable(s->readable);
	else
		cs_watch_disable(s->readable);
	if ((what & CURL_POLL_OUT) != 0)
		cs_watch_enable(s->writable);
	else
		cs_watch_disable(s->writable);
	return 0;
}

/* libcurl wants to be called in so many milliseconds; -1: no more. */
static int on_timeout(CURLM *multi, long ms, void *ctx)
{
	struct cs_fetch *f = ctx;

	(void)multi;
	if (ms < 0)
		cs_timer_stop(f->timer);
	else
		cs_timer_start(f->timer, (uint32_t)ms);
	return 0;
}

/* -- a transfer's end ----------------------------------------------------- */

static void call_free(struct cs_fetch_call *c)
{
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	(void)curl_multi_remove_handle(c->f->multi, c->easy);
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	curl_slist_free_all(c->connect_to);
	cs_buf_done(&c->body);
	cs_mem_free(c);
}

/* Release what was cancelled while libcurl was at work. */
static void reap(struct cs_fetch *f)
{
	struct cs_fetch_call *c = f->calls;

	while (f->reap && c != NULL) {
		struct cs_fetch_call *next = c->next;

		if (c->dead)
			call_free(c);
		c = next;
	}
	f->reap = false;
}

/* What went wrong: the code, in words that do not change by the figure. */
static enum cs_error_code code_of(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return CS_E_NONE;
	case CURLE_OUT_OF_MEMORY:
		return CS_E_NO_MEMORY;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
		return CS_E_TLS;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
		return CS_E_UNREACHABLE;
	default:
		return CS_E_HTTP;
	}
}

/* Tell the end of one transfer. */
static void finish(struct cs_fetch_call *c, CURLcode code)
{
	struct cs_fetch_result r = {.why = ""};
	curl_off_t retry_s = 0;
	long status = 0;
	struct cs_fetch_call held;

	(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &retry_s);
	if (retry_s > 0)
		r.retry_s = retry_s < CS_MAX_KUBE_RETRY_S ? (uint32_t)retry_s
							  : CS_MAX_KUBE_RETRY_S;
	r.code = c->too_large ? CS_E_TOO_LARGE : code_of(code);
	if (r.code != CS_E_NONE)
		r.why = c->too_large ? "the answer is too large"
				     : curl_easy_strerror(code);
	else
		r.status = (int)status;
	if (cs_buf_ok(&c->body))
		r.body = cs_buf_span(&c->body);
	/* The buffer stays for the callback, the rest goes first. */
	held = *c;
	c->body = (struct cs_buf){0};
	call_free(c);
	held.on_done(held.ctx, &r);
	cs_buf_done(&held.body);
}

/* Every transfer that has ended. Callbacks may end others. */
static void finish_calls(struct cs_fetch *f)
{
	const CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(f->multi, &left)) != NULL) {
		struct cs_fetch_call *c = NULL;
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
		if (c != NULL)
			finish(c, code);
	}
}

/* Give it to who watches, for whom libcurl is out of reach meanwhile. */
static bool give(struct cs_fetch_call *c, struct cs_span s)
{
	bool more;

	c->f->inside = true;
	more = c->on_data(c->ctx, cs_fetch_status(c), s);
	c->f->inside = false;
	return more && !c->dead;
}

static size_t on_write(char *data, size_t size, size_t n, void *ctx)
{
	struct cs_fetch_call *c = ctx;
	struct cs_span s = cs_span_make(data, size * n);

	if (c->dead)
		return 0;
	if (c->on_data != NULL)
		return give(c, s) ? s.n : 0;
	c->too_large = !cs_buf_add(&c->body, s);
	return c->too_large ? 0 : s.n;
}

/* -- starting one --------------------------------------------------------- */

/* One more header line. */
static bool add_header(struct cs_fetch_call *c, const char *name,
		       const char *value)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf line = {0};
	struct curl_slist *list;

	cs_buf_init(&line, CS_MAX_HTTP_HEAD);
	cs_buf_addf(&line, "%s: %s", name, value);
	if (!cs_buf_ok(&line))
		return false;
	list = curl_slist_append(c->headers, cs_buf_str(&line));
	if (list != NULL)
		c->headers = list;
	return list != NULL;
}

/* A blob is copied by libcurl. */
static bool set_blob(CURL *e, CURLoption option, struct cs_span s)
{
	CS_CLEANUP(cs_mem_free_at) void *copy = NULL;
	struct curl_blob b = {.len = s.n, .flags = CURL_BLOB_COPY};

	if (s.n == 0)
		return true;
	copy = cs_mem_dup(s.p, s.n);
	b.data = copy;
	return copy != NULL && curl_easy_setopt(e, option, &b) == CURLE_OK;
}

/* The name in the peer's certificate, and where it really is. */
static bool set_server_name(struct cs_fetch_call *c, CURLU *u, const char *name)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf to = {0};
	char *host = NULL;
	char *port = NULL;
	bool ok;

	if (name == NULL)
		return true;
	cs_buf_init(&to, CS_MAX_HTTP_HEAD);
	ok = curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	     curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
		     CURLUE_OK &&
	     cs_buf_addf(&to, "::%s:%s", host, port);
	if (ok)
		c->connect_to = curl_slist_append(NULL, cs_buf_str(&to));
	curl_free(host);
	curl_free(port);
	return ok && c->connect_to != NULL &&
	       curl_url_set(u, CURLUPART_HOST, name, 0) == CURLUE_OK &&
	       curl_easy_setopt(c->easy, CURLOPT_CONNECT_TO, c->connect_to) ==
		       CURLE_OK;
}

static bool set_url(struct cs_fetch_call *c, const struct cs_fetch_ask *ask)
{
	CURLU *u = curl_url();
	char *url = NULL;
	bool ok;

	ok = u != NULL &&
	     curl_url_set(u, CURLUPART_URL, ask->url, 0) == CURLUE_OK &&
	     set_server_name(c, u, ask->peer->server_name) &&
	     curl_url_get(u, CURLUPART_URL, &url, 0) == CURLUE_OK &&
	     curl_easy_setopt(c->easy, CURLOPT_URL, url) == CURLE_OK;
	curl_free(url);
	curl_url_cleanup(u);
	return ok;
}

#define SET(option, value)                                                     \
	(curl_easy_setopt(c->easy, CURLOPT_##option, (value)) == CURLE_OK)

/* Whom to trust, and who we are. */
static bool set_peer(struct cs_fetch_call *c, const struct cs_fetch_peer *p)
{
	/* The system's CAs are nobody here: CAPATH has a default. */
	bool ok = SET(CAINFO, NULL) && SET(CAPATH, NULL) &&
		  set_blob(c->easy, CURLOPT_CAINFO_BLOB, p->ca) &&
		  set_blob(c->easy, CURLOPT_SSLCERT_BLOB, p->cert) &&
		  set_blob(c->easy, CURLOPT_SSLKEY_BLOB, p->key) &&
		  SET(SSL_VERIFYPEER, p->insecure ? 0L : 1L) &&
		  SET(SSL_VERIFYHOST, p->insecure ? 0L : 2L) &&
		  SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);

	if (ok && p->bearer != NULL)
		ok = SET(XOAUTH2_BEARER, p->bearer) &&
		     SET(HTTPAUTH, (long)CURLAUTH_BEARER);
	return ok;
}

static bool set_body(struct cs_fetch_call *c, const struct cs_fetch_ask *ask)
{
	if (ask->content_type == NULL)
		return true;
	/* No 100-continue: our bodies are small. */
	return SET(POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.n) &&
	       SET(COPYPOSTFIELDS,
		   ask->body.n > 0 ? (const char *)ask->body.p : "") &&
	       add_header(c, "Content-Type", ask->content_type) &&
	       add_header(c, "Expect", "");
}

static bool set_all(struct cs_fetch_call *c, const struct cs_fetch_ask *ask)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf agent = {0};

	cs_buf_init(&agent, CS_MAX_NAME);
	cs_buf_addf(&agent, "countersign-kube/%s", cs_version());
	return set_url(c, ask) && SET(PROTOCOLS_STR, "https") &&
	       SET(FOLLOWLOCATION, 0L) && SET(PROXY, "") &&
	       SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       SET(NOSIGNAL, 1L) && SET(TCP_KEEPALIVE, 1L) &&
	       SET(TCP_KEEPIDLE, KEEPALIVE_S) &&
	       SET(TCP_KEEPINTVL, KEEPALIVE_S / 3) &&
	       SET(CONNECTTIMEOUT_MS, CONNECT_MS) &&
	       SET(TIMEOUT_MS, (long)ask->timeout_ms) &&
	       SET(ERRORBUFFER, c->error) && SET(PRIVATE, c) &&
	       SET(WRITEFUNCTION, on_write) && SET(WRITEDATA, c) &&
	       SET(USERAGENT, cs_buf_str(&agent)) && set_peer(c, ask->peer) &&
	       add_header(c, "Accept", "application/json") &&
	       set_body(c, ask) && SET(CUSTOMREQUEST, ask->method) &&
	       SET(HTTPHEADER, c->headers);
}

struct cs_fetch_call *cs_fetch_start(struct cs_fetch *f,
				     const struct cs_fetch_ask *ask,
				     struct cs_error *err)
{
	struct cs_fetch_call *c = cs_mem_new(sizeof(*c));

	if (c != NULL)
		c->easy = curl_easy_init();
	if (c == NULL || c->easy == NULL) {
		cs_mem_free(c);
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for a transfer");
		return NULL;
	}
	c->f = f;
	c->on_data = ask->on_data;
	c->on_done = ask->on_done;
	c->ctx = ask->ctx;
	cs_buf_init(&c->body, ask->max_body);
	c->next = f->calls;
	c->at = &f->calls;
	if (c->next != NULL)
		c->next->at = &c->next;
	f->calls = c;
	if (set_all(c, ask) &&
	    curl_multi_add_handle(f->multi, c->easy) == CURLM_OK)
		return c;
	call_free(c);
	cs_error_set(err, CS_E_ARGUMENT, "%s cannot be asked", ask->url);
	return NULL;
}

void cs_fetch_cancel(struct cs_fetch_call *call)
{
	if (call == NULL)
		return;
	/* libcurl refuses to let go of one while it works on another. */
	if (call->f->inside) {
		call->dead = true;
		call->f->reap = true;
		return;
	}
	call_free(call);
}

int cs_fetch_status(const struct cs_fetch_call *call)
{
	long status = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

bool cs_fetch_is_base(const char *url)
{
	CURLU *u = curl_url();
	char *part = NULL;
	bool ok;

	if (u == NULL)
		return false;
	ok = strlen(url) <= CS_MAX_URI && url[strcspn(url, "?#")] == '\0' &&
	     curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER) ==
		     CURLUE_OK &&
	     curl_url_get(u, CURLUPART_SCHEME, &part, 0) == CURLUE_OK &&
	     strcmp(part, "https") == 0;
	curl_free(part);
	curl_url_cleanup(u);
	return ok;
}

/* -- the whole ------------------------------------------------------------ */

void cs_fetch_free(struct cs_fetch *f)
{
	if (f == NULL)
		return;
	while (f->calls != NULL)
		call_free(f->calls);
	if (f->multi != NULL)
		(void)curl_multi_cleanup(f->multi);
	while (f->socks != NULL)
		sock_free(f->socks);
	cs_timer_free(f->timer);
	cs_mem_free(f);
	curl_global_cleanup();
}

struct cs_fetch *cs_fetch_new(struct cs_loop *loop, struct cs_error *err)
{
	struct cs_fetch *f;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		cs_error_set(err, CS_E_NO_MEMORY, "libcurl does not start");
		return NULL;
	}
	f = cs_mem_new(sizeof(*f));
	if (f == NULL) {
		curl_global_cleanup();
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for transfers");
		return NULL;
	}
	f->loop = loop;
	f->timer = cs_timer_new(loop, on_timer, f, err);
	f->multi = curl_multi_init();
	if (f->timer != NULL && f->multi != NULL &&
	    curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, on_socket) ==
		    CURLM_OK &&
	    curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f) == CURLM_OK &&
	    curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_timeout) ==
		    CURLM_OK &&
	    curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f) == CURLM_OK &&
	    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS,
			      KEPT_CONNECTIONS) == CURLM_OK)
		return f;
	cs_fetch_free(f);
	cs_error_set(err, CS_E_NO_MEMORY, "libcurl: no memory");
	return NULL;
}
