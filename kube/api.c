#include "kube/api.h"

#include <string.h>

#include "base/codec.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "kube/object.h"

#define REFRESH_MS 60000
#define TIMEOUT_MS 30000
/* Of a Status' message, what a line of the log has room for. */
#define TOLD_BYTES 400

struct cs_kube_call {
	struct cs_kube_api *api;
	char *method, *url; /* owned */
	struct cs_buf body;
	const char *content_type; /* literal */
	struct cs_kube_ask ask;	  /* without what is copied */
	struct cs_fetch_call *transfer;
	bool again; /* this is the second try */
	struct cs_kube_call *next, **at;
};

struct cs_kube_api {
	struct cs_kube_api_config c;
	int64_t refreshed_ms;
	struct cs_kube_api_stats stats;
	struct cs_kube_call *calls;
};

static void call_free(struct cs_kube_call *c)
{
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	cs_fetch_cancel(c->transfer);
	cs_mem_free(c->method);
	cs_mem_free(c->url);
	cs_buf_done(&c->body);
	cs_mem_free(c);
}

/* Read the files again; a failure is logged and leaves what was there. */
static void refresh(struct cs_kube_api *api)
{
	struct cs_error err;

	api->refreshed_ms = cs_clock_boot_ms(&api->c.clock);
	if (!cs_where_refresh(api->c.where, &err))
		cs_log_error(api->c.log, "kube.credentials", &err);
}

static bool send_call(struct cs_kube_call *c, struct cs_error *err);

/* Worth another try with what the files say now? */
static bool is_stale(const struct cs_fetch_result *r)
{
	return r->status == 401 || r->code == CS_E_TLS;
}

static void count(struct cs_kube_api *api, const struct cs_fetch_result *r)
{
	int class = r->status / 100;

	api->stats.by_class[class >= 0 && class < 6 ? class : 0]++;
	if (r->status == 401 || r->status == 403)
		api->stats.refused++;
}

static void on_done(void *ctx, const struct cs_fetch_result *r)
{
	struct cs_kube_call *c = ctx;
	struct cs_kube_ask ask = c->ask;

	c->transfer = NULL;
	count(c->api, r);
	if (is_stale(r) && !c->again) {
		c->again = true;
		refresh(c->api);
		if (send_call(c, NULL))
			return;
	}
	call_free(c);
	ask.on_done(ask.ctx, r);
}

/* on_data has a context of its own. */
static bool on_data(void *ctx, int status, struct cs_span data)
{
	struct cs_kube_call *c = ctx;

	return c->ask.on_data(c->ask.ctx, status, data);
}

static bool send_call(struct cs_kube_call *c, struct cs_error *err)
{
	const struct cs_fetch_peer peer = cs_where_peer(c->api->c.where);
	const struct cs_fetch_ask ask = {
		.method = c->method,
		.url = c->url,
		.peer = &peer,
		.body = cs_buf_span(&c->body),
		.content_type = c->content_type,
		.timeout_ms = c->ask.timeout_ms,
		.max_body = c->ask.max_body,
		.on_data = c->ask.on_data != NULL ? on_data : NULL,
		.on_done = on_done,
		.ctx = c,
	};

	c->transfer = cs_fetch_start(c->api->c.fetch, &ask, err);
	return c->transfer != NULL;
}

/* Keep what was borrowed. */
static bool keep(struct cs_kube_call *c, const struct cs_kube_ask *ask)
{
	struct cs_buf url;

	cs_buf_init(&url, 2 * CS_MAX_URI);
	cs_buf_addf(&url, "%s%s", c->api->c.where->server, ask->path);
	c->url = cs_buf_ok(&url) ? cs_mem_strdup(cs_buf_str(&url)) : NULL;
	cs_buf_done(&url);
	c->method = cs_mem_strdup(ask->method);
	cs_buf_init(&c->body, CS_MAX_KUBE_OBJECT);
	cs_buf_add(&c->body, ask->body);
	c->content_type = ask->content_type;
	c->ask = *ask;
	c->ask.path = c->ask.method = NULL;
	c->ask.body = cs_span_make(NULL, 0);
	if (c->ask.timeout_ms == 0)
		c->ask.timeout_ms = TIMEOUT_MS;
	if (c->ask.max_body == 0)
		c->ask.max_body = CS_MAX_KUBE_OBJECT;
	return c->url != NULL && c->method != NULL && cs_buf_ok(&c->body);
}

struct cs_kube_call *cs_kube_api_start(struct cs_kube_api *api,
				       const struct cs_kube_ask *ask,
				       struct cs_error *err)
{
	struct cs_kube_call *c = cs_mem_new(sizeof(*c));

	if (c == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for a call");
		return NULL;
	}
	c->api = api;
	c->next = api->calls;
	c->at = &api->calls;
	if (c->next != NULL)
		c->next->at = &c->next;
	api->calls = c;
	if (cs_clock_boot_ms(&api->c.clock) - api->refreshed_ms > REFRESH_MS)
		refresh(api);
	if (!keep(c, ask)) {
		call_free(c);
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for a call");
		return NULL;
	}
	if (send_call(c, err))
		return c;
	call_free(c);
	return NULL;
}

void cs_kube_api_cancel(struct cs_kube_call *call)
{
	if (call != NULL)
		call_free(call);
}

int cs_kube_api_status(const struct cs_kube_call *call)
{
	return call->transfer != NULL ? cs_fetch_status(call->transfer) : 0;
}

struct cs_kube_api_stats cs_kube_api_stats(const struct cs_kube_api *api)
{
	return api->stats;
}

void cs_kube_api_free(struct cs_kube_api *api)
{
	if (api == NULL)
		return;
	while (api->calls != NULL)
		call_free(api->calls);
	cs_mem_free(api);
}

struct cs_kube_api *cs_kube_api_new(const struct cs_kube_api_config *config,
				    struct cs_error *err)
{
	struct cs_kube_api *api = cs_mem_new(sizeof(*api));

	if (api == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for the client");
		return NULL;
	}
	api->c = *config;
	api->refreshed_ms = cs_clock_boot_ms(&config->clock);
	return api;
}

void cs_kube_api_tell(const struct cs_fetch_result *r, struct cs_buf *out)
{
	json_t *status;
	const char *message;

	if (r->status == 0) {
		cs_buf_add_str(out, r->why);
		return;
	}
	cs_buf_addf(out, "%d", r->status);
	status = cs_kube_json(r->body);
	message = cs_kube_text(status, "message");
	if (message == NULL) /* ours says it so */
		message = cs_kube_text(status, "detail");
	if (message != NULL) {
		cs_buf_add_str(out, " ");
		cs_text_put(out, cs_codec_utf8_cut(cs_span_str(message),
						   TOLD_BYTES));
	}
	json_decref(status);
}
