/*
 * One API server: every call carries who we are. Files (token, CA, client
 * certificate) are read again once a minute, and at once when a call is
 * answered 401 or its TLS fails; such a call is sent once more.
 *
 * As with cs_fetch: on_done once, from the loop; on_data only looks. Borrowed
 * things are copied.
 */
#ifndef CS_KUBE_API_H
#define CS_KUBE_API_H

#include "base/clock.h"
#include "base/log.h"
#include "kube/where.h"

struct cs_kube_api;
struct cs_kube_call;

struct cs_kube_api_config {
	struct cs_loop *loop;
	struct cs_fetch *fetch;
	struct cs_where *where; /* borrowed */
	struct cs_clock clock;
	struct cs_log *log;
};

struct cs_kube_ask {
	const char *method; /* GET, POST, PUT, PATCH */
	const char *path;   /* "/apis/...?..." */
	struct cs_span body;
	const char *content_type;
	uint32_t timeout_ms; /* 0: 30 seconds */
	size_t max_body;     /* 0: CS_MAX_KUBE_OBJECT */
	bool (*on_data)(void *ctx, int status, struct cs_span data);
	void (*on_done)(void *ctx, const struct cs_fetch_result *result);
	void *ctx;
};

/* Calls so far, for the metrics: by the first digit of the status. */
struct cs_kube_api_stats {
	uint64_t by_class[6]; /* [0]: no answer */
	uint64_t refused;     /* 401 and 403 */
};

/* The config is copied, what it points to is borrowed. */
struct cs_kube_api *cs_kube_api_new(const struct cs_kube_api_config *config,
				    struct cs_error *err) CS_MUST_USE;
void cs_kube_api_free(struct cs_kube_api *api);

struct cs_kube_call *cs_kube_api_start(struct cs_kube_api *api,
				       const struct cs_kube_ask *ask,
				       struct cs_error *err) CS_MUST_USE;
void cs_kube_api_cancel(struct cs_kube_call *call);
/* The status of the answer that is coming; 0: there is no head of one yet. */
int cs_kube_api_status(const struct cs_kube_call *call);

struct cs_kube_api_stats cs_kube_api_stats(const struct cs_kube_api *api);

/*
 * "409 Conflict: the object has been modified", or what the transfer said: a
 * line for the log and for conditions. The message of a Status is cut.
 */
void cs_kube_api_tell(const struct cs_fetch_result *r, struct cs_buf *out);

#endif
