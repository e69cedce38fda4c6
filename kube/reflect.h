/*
 * One kind of object, kept in view: a list, page by page, and then a watch
 * that begins where the list ended.
 *
 * For every object that a list or a watch brings, on_object is called (with
 * the object borrowed for the call), for one that is gone on_gone. Between
 * on_listing and on_listed stand all objects of one complete list, and perhaps
 * some of them twice: what was there before and did not come is gone. Both
 * callbacks only look and keep: on_object may run inside libcurl.
 *
 * A resource version that has expired (410, as a status or as an event), ends
 * the watch and begins a list; so does a failure that the same version may
 * meet for ever, while a cut, a 429 or an ordinary end begins a watch at the
 * last version. Failures wait 0.8 s and more, to 30 s, doubled by chance,
 * longer where the server says so, and until a watch has brought an event, has
 * lasted or has come to its end each wait is longer than the one before: a list
 * alone is no success. A page that is too large is asked for in halves;
 * an event that is too large is passed over, and counted. A server that does
 * not know the field selector gets none.
 */
#ifndef CS_KUBE_REFLECT_H
#define CS_KUBE_REFLECT_H

#include <jansson.h>

#include "kube/api.h"

struct cs_reflect;

struct cs_reflect_config {
	struct cs_kube_api *api;
	struct cs_loop *loop;
	struct cs_clock clock;
	struct cs_log *log;
	const char *path;     /* "/apis/GROUP/VERSION/PLURAL" */
	const char *selector; /* "spec.issuerRef.group=x", or NULL */
	uint32_t watch_s;     /* how long one watch is asked for, at least */
	void (*on_listing)(void *ctx);
	void (*on_object)(void *ctx, json_t *object);
	void (*on_gone)(void *ctx, json_t *object);
	void (*on_listed)(void *ctx);
	void *ctx;
};

struct cs_reflect_stats {
	uint64_t lists;	  /* complete ones */
	uint64_t watches; /* begun */
	uint64_t events;
	uint64_t expired;  /* 410, of either kind */
	uint64_t failures; /* of lists and watches */
	uint64_t skipped;  /* events too large, or no JSON */
};

/* The config is copied; its texts are literals. */
struct cs_reflect *cs_reflect_new(const struct cs_reflect_config *config,
				  struct cs_error *err) CS_MUST_USE;
void cs_reflect_free(struct cs_reflect *r);

/* Begin with a list. */
void cs_reflect_start(struct cs_reflect *r);

/* Not all that was told could be kept: list anew, soon. Not from a callback. */
void cs_reflect_again(struct cs_reflect *r);

/* Was there a complete list, and is the last try not a failure? */
bool cs_reflect_is_good(const struct cs_reflect *r);
struct cs_reflect_stats cs_reflect_stats(const struct cs_reflect *r);

#endif
