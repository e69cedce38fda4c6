#include "kube/reflect.h"

#include <string.h>

#include "base/codec.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "kube/object.h"
#include "kube/wait.h"

/* Objects of a page, at first. */
#define PAGE_ITEMS 250
/* A list's answer may take its time. */
#define LIST_MS 60000
/* How much longer than was asked for a watch may last. */
#define WATCH_SLACK_S 20
/* A watch that lasted so long was a good one: no connect takes longer. */
#define GOOD_MS 12000
/* Without the head of an answer for so long, it is none. */
#define HEAD_MS 30000
/* Of what an event of type ERROR says, so much is told. */
#define TOLD_BYTES 400
/* One that ends well before, is begun again with a pause. */
#define SHORT_MS 1000

enum state {
	STOPPED,
	LISTING,
	WATCHING,
	WAITING
};

struct cs_reflect {
	struct cs_reflect_config c;
	struct cs_kube_call *call; /* under way; NULL: none */
	struct cs_timer *timer;
	struct cs_wait wait;
	enum state state;
	bool plain;   /* the selector is not known to the server */
	bool listed;  /* a list was complete */
	bool failing; /* the last try was a failure */
	bool relist;  /* after the wait, list */
	bool expired; /* the stream said so */
	bool broken;  /* the stream said that it failed */
	bool fed;     /* something came that was no error */
	unsigned page_items;
	char *token;	    /* metadata.continue; owned */
	char *version;	    /* resourceVersion; owned */
	struct cs_buf line; /* what came of the next event */
	bool skipping;	    /* to the line's end */
	int64_t since_ms;   /* of the watch */
	uint32_t retry_s;   /* the stream's own */
	struct cs_buf said; /* what it failed with */
	struct cs_reflect_stats stats;
};

static void list(struct cs_reflect *r);
static void watch(struct cs_reflect *r);

/* Keep a text in place of another; a failure keeps none. */
static void keep(char **at, const char *text)
{
	cs_mem_free(*at);
	*at = text != NULL && text[0] != '\0' ? cs_mem_strdup(text) : NULL;
}

/* Wait a while, then list or watch. */
static void wait_then(struct cs_reflect *r, bool relist, uint32_t least_s)
{
	r->state = WAITING;
	r->relist = relist;
	cs_timer_start(r->timer, cs_wait_next(&r->wait, least_s));
}

/* A failure: told, counted, and tried again later. */
static void fail_for(struct cs_reflect *r, const char *doing, const char *why,
		     bool relist, uint32_t least_s)
{
	r->stats.failures++;
	r->failing = true;
	cs_log_write(r->c.log, CS_LOG_WARNING, "kube.watch", "%s %s: %s", doing,
		     r->c.path, why);
	wait_then(r, relist, least_s);
}

static void fail(struct cs_reflect *r, const char *doing, bool relist,
		 const struct cs_fetch_result *result)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf why = {0};

	cs_buf_init(&why, CS_MAX_KUBE_MESSAGE);
	cs_kube_api_tell(result, &why);
	fail_for(r, doing, cs_buf_str(&why), relist, result->retry_s);
}

/* Things are as they should be: the next failure is a first one. */
static void good(struct cs_reflect *r)
{
	r->failing = false;
	cs_wait_reset(&r->wait);
}

/* A watch has lasted a while. Is there anybody at the other end? */
static void judge_watch(struct cs_reflect *r)
{
	int64_t ms = cs_clock_boot_ms(&r->c.clock) - r->since_ms;

	if (cs_kube_api_status(r->call) == 200) {
		good(r);
	} else if (ms < HEAD_MS) {
		cs_timer_start(r->timer, (uint32_t)(HEAD_MS - ms));
	} else {
		cs_kube_api_cancel(r->call);
		r->call = NULL;
		cs_buf_done(&r->line);
		fail_for(r, "watch", "there is no answer", false, 0);
	}
}

static void on_timer(void *ctx)
{
	struct cs_reflect *r = ctx;

	if (r->state == WATCHING)
		judge_watch(r);
	else if (r->relist || r->version == NULL)
		list(r);
	else
		watch(r);
}

/* Append NAME=VALUE, escaped. */
static void add_param(struct cs_buf *b, const char *name, const char *value)
{
	cs_buf_addf(b, "&%s=", name);
	cs_kube_put_escaped(b, value);
}

static void add_selector(const struct cs_reflect *r, struct cs_buf *b)
{
	if (r->c.selector != NULL && !r->plain)
		add_param(b, "fieldSelector", r->c.selector);
}

/* Start a call; without memory for it, wait. */
static void start(struct cs_reflect *r, struct cs_buf *path,
		  struct cs_kube_ask *ask)
{
	struct cs_error err = {0};

	ask->method = "GET";
	ask->path = cs_buf_str(path);
	ask->ctx = r;
	if (cs_buf_finish(path, "a path", &err))
		r->call = cs_kube_api_start(r->c.api, ask, &err);
	if (r->call != NULL)
		return;
	cs_log_error(r->c.log, "kube.watch", &err);
	wait_then(r, r->state == LISTING, 0);
}

/* -- lists ------------------------------------------------------------------
 */

/* The objects of one page. They have no kind of their own. */
static void take_page(struct cs_reflect *r, const json_t *page)
{
	json_t *items = json_object_get(page, "items");
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item) if (json_is_object(item))
		r->c.on_object(r->c.ctx, item);
}

/* One page has come, whole. */
static void page_done(struct cs_reflect *r, const json_t *page)
{
	take_page(r, page);
	keep(&r->token, cs_kube_meta(page, "continue"));
	if (r->token != NULL) {
		list(r);
		return;
	}
	keep(&r->version, cs_kube_meta(page, "resourceVersion"));
	r->listed = true;
	r->failing = false;
	r->stats.lists++;
	r->page_items = PAGE_ITEMS;
	/* The wait stays: a list whose watch fails at once is no success. */
	r->c.on_listed(r->c.ctx);
	watch(r);
}

static void on_page(void *ctx, const struct cs_fetch_result *result)
{
	struct cs_reflect *r = ctx;
	json_t *page = NULL;

	r->call = NULL;
	if (result->code == CS_E_TOO_LARGE && r->page_items > 1) {
		r->page_items /= 2;
		list(r);
		return;
	}
	if (result->status == 400 && r->token == NULL &&
	    r->c.selector != NULL && !r->plain) {
		/* "field label not supported": cert-manager before 1.20. */
		r->plain = true;
		list(r);
		return;
	}
	if (result->status == 410)
		r->stats.expired++;
	/* A page that can never come: from the first one again. */
	if (result->status == 410 || result->status == 400)
		keep(&r->token, NULL);
	if (result->status == 200)
		page = cs_kube_json(result->body);
	if (json_is_array(json_object_get(page, "items")))
		page_done(r, page);
	else
		fail(r, "list", true, result);
	json_decref(page);
}

static void list(struct cs_reflect *r)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf path = {0};
	struct cs_kube_ask ask = {
		.timeout_ms = LIST_MS,
		.max_body = CS_MAX_KUBE_PAGE,
		.on_done = on_page,
	};

	if (r->token == NULL)
		r->c.on_listing(r->c.ctx);
	r->state = LISTING;
	cs_buf_init(&path, CS_MAX_URI);
	cs_buf_addf(&path, "%s?limit=%u", r->c.path, r->page_items);
	add_selector(r, &path);
	if (r->token != NULL)
		add_param(&path, "continue", r->token);
	start(r, &path, &ask);
}

/* -- the watch ----------------------------------------------------------------
 */

/* An event of type ERROR carries a Status. */
static void on_error_event(struct cs_reflect *r, const json_t *status)
{
	json_int_t code = json_integer_value(json_object_get(status, "code"));
	json_int_t retry_s = json_integer_value(json_object_get(
		json_object_get(status, "details"), "retryAfterSeconds"));
	const char *message = cs_kube_text(status, "message");

	r->expired = r->expired || code == 410;
	r->broken = r->broken || code != 410;
	cs_buf_reset(&r->said);
	cs_buf_addf(&r->said, "%d ", (int)code);
	if (message != NULL)
		cs_text_put(&r->said, cs_codec_utf8_cut(cs_span_str(message),
							TOLD_BYTES));
	if (retry_s > 0 && retry_s < CS_MAX_KUBE_RETRY_S)
		r->retry_s = (uint32_t)retry_s;
}

static void on_event(struct cs_reflect *r, json_t *event)
{
	const char *type = cs_kube_text(event, "type");
	json_t *object = json_object_get(event, "object");

	if (type == NULL || !json_is_object(object)) {
		r->stats.skipped++;
		return;
	}
	r->stats.events++;
	if (strcmp(type, "ERROR") == 0) {
		on_error_event(r, object);
		return;
	}
	r->fed = true;
	good(r);
	if (cs_kube_meta(object, "resourceVersion") != NULL)
		keep(&r->version, cs_kube_meta(object, "resourceVersion"));
	if (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0)
		r->c.on_object(r->c.ctx, object);
	else if (strcmp(type, "DELETED") == 0)
		r->c.on_gone(r->c.ctx, object);
}

/* One whole line. */
static void on_line(struct cs_reflect *r)
{
	json_t *event = NULL;

	if (r->skipping)
		r->stats.skipped++;
	else if (r->line.n > 0)
		event = cs_kube_json(cs_buf_span(&r->line));
	if (event != NULL) {
		on_event(r, event);
	} else if (!r->skipping && r->line.n > 0) {
		/* What is lost here, only a list finds again. */
		r->stats.skipped++;
		r->expired = true;
	}
	json_decref(event);
	r->skipping = false;
	cs_buf_reset(&r->line);
}

static bool on_stream(void *ctx, int status, struct cs_span data)
{
	struct cs_reflect *r = ctx;

	if (status != 200)
		return data.n <= CS_MAX_KUBE_OBJECT;
	for (size_t at = 0; at < data.n && !r->expired && !r->broken;) {
		struct cs_span rest = cs_span_sub(data, at, SIZE_MAX);
		size_t n = rest.n;
		bool whole = cs_span_find(rest, '\n', &n);

		/* A line too long is one object: what follows is good. */
		if (!r->skipping &&
		    !cs_buf_add(&r->line, cs_span_sub(rest, 0, n)))
			r->skipping = true;
		at += n + (whole ? 1 : 0);
		if (whole)
			on_line(r);
	}
	return !r->expired && !r->broken;
}

/* The stream's end brings no more of this version: begin again, with a list. */
static void on_expired(struct cs_reflect *r)
{
	r->stats.expired++;
	keep(&r->token, NULL);
	keep(&r->version, NULL);
	/* Not at once: a server that says so for ever is waited for. */
	wait_then(r, true, r->retry_s);
}

/* An answer that the same question may get for ever: then list. */
static bool is_lasting(int status)
{
	return status >= 400 && status != 401 && status != 403 && status != 429;
}

static void on_stream_end(void *ctx, const struct cs_fetch_result *result)
{
	struct cs_reflect *r = ctx;
	int64_t ms = cs_clock_boot_ms(&r->c.clock) - r->since_ms;
	bool torn = result->status == 200 && (r->line.n > 0 || r->skipping);

	r->call = NULL;
	cs_timer_stop(r->timer);
	cs_buf_done(&r->line);
	if (r->expired || result->status == 410)
		on_expired(r);
	else if (r->broken)
		fail_for(r, "watch", cs_buf_str(&r->said), true, r->retry_s);
	else if (torn)
		fail_for(r, "watch", "it ended within an event", true, 0);
	else if (result->status == 200 && ms > SHORT_MS) {
		/* An end that was to come: its time was up. */
		good(r);
		watch(r);
	} else if (result->status == 200 ||
		   (result->status == 0 && (r->fed || ms >= GOOD_MS)))
		wait_then(r, false, 0);
	else
		fail(r, "watch", is_lasting(result->status), result);
}

static void watch(struct cs_reflect *r)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf path = {0};
	struct cs_kube_ask ask = {
		.max_body = CS_MAX_KUBE_PAGE,
		.on_data = on_stream,
		.on_done = on_stream_end,
	};
	uint32_t s = r->c.watch_s + cs_wait_chance(r->c.watch_s);

	r->state = WATCHING;
	r->since_ms = cs_clock_boot_ms(&r->c.clock);
	r->expired = r->broken = r->skipping = r->fed = false;
	r->retry_s = 0;
	cs_buf_init(&r->line, CS_MAX_KUBE_PAGE);
	cs_buf_done(&r->said);
	cs_buf_init(&r->said, CS_MAX_KUBE_MESSAGE);
	r->stats.watches++;
	cs_buf_init(&path, CS_MAX_URI);
	cs_buf_addf(&path, "%s?watch=1&allowWatchBookmarks=true", r->c.path);
	cs_buf_addf(&path, "&timeoutSeconds=%u", s);
	add_selector(r, &path);
	if (r->version != NULL)
		add_param(&path, "resourceVersion", r->version);
	/* Silence: the server ends it by itself, or we do, a little later. */
	ask.timeout_ms = (s + WATCH_SLACK_S) * 1000;
	cs_timer_start(r->timer, GOOD_MS);
	start(r, &path, &ask);
}

/* -- the whole ------------------------------------------------------------ */

void cs_reflect_start(struct cs_reflect *r)
{
	if (r->state == STOPPED)
		list(r);
}

void cs_reflect_again(struct cs_reflect *r)
{
	if (r->state == WAITING)
		r->relist = true;
	if (r->state != WATCHING)
		return;
	cs_kube_api_cancel(r->call);
	r->call = NULL;
	cs_buf_done(&r->line);
	wait_then(r, true, 0);
}

bool cs_reflect_is_good(const struct cs_reflect *r)
{
	return r->listed && !r->failing;
}

struct cs_reflect_stats cs_reflect_stats(const struct cs_reflect *r)
{
	return r->stats;
}

void cs_reflect_free(struct cs_reflect *r)
{
	if (r == NULL)
		return;
	cs_kube_api_cancel(r->call);
	cs_timer_free(r->timer);
	cs_buf_done(&r->line);
	cs_buf_done(&r->said);
	cs_mem_free(r->token);
	cs_mem_free(r->version);
	cs_mem_free(r);
}

struct cs_reflect *cs_reflect_new(const struct cs_reflect_config *config,
				  struct cs_error *err)
{
	struct cs_reflect *r = cs_mem_new(sizeof(*r));

	if (r == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for a watch");
		return NULL;
	}
	r->c = *config;
	r->page_items = PAGE_ITEMS;
	cs_wait_init(&r->wait, 800, 30000);
	r->timer = cs_timer_new(config->loop, on_timer, r, err);
	if (r->timer != NULL)
		return r;
	cs_reflect_free(r);
	return NULL;
}
