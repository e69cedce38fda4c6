/*
 * The requests that are open, each once, by kind, namespace and name: when to
 * look at it next, whether somebody is at it, and what it looked like last.
 *
 * An object is not kept, only its names: whoever works on an item reads it
 * anew. What an event changes is told by a mark (kube/request.h); an event
 * that changes neither mark nor uid, such as the one that our own writing
 * causes, wakes nobody. Another uid under the same name is another request:
 * it begins from the start, and what is under way for the old one is done
 * again afterwards.
 *
 * An item that is worked on is never released under its worker: it is marked
 * as gone, and goes with cs_queue_done().
 */
#ifndef CS_KUBE_QUEUE_H
#define CS_KUBE_QUEUE_H

#include "kube/request.h"
#include "kube/wait.h"

struct cs_queue;

struct cs_kube_item {
	enum cs_kube_kind kind;
	char *name, *namespace; /* "" for what is in none */
	char *uid;
	char *issuer; /* see cs_kube_issuer_key() */
	struct cs_wait wait;
	/* Issued, by that serial, and perhaps not delivered yet; else "". */
	char serial[64];
	uint32_t told; /* what an event said last, as a number; 0: nothing */
	/* the queue's own */
	unsigned mark, seen;
	bool busy, gone, dirty;
	int64_t due_ms;
	size_t at; /* in the heap; SIZE_MAX: it waits for its issuer */
	struct cs_kube_item *next;
};

struct cs_queue_stats {
	size_t items, busy, parked;
	uint64_t dropped; /* beyond the maximum */
};

/*
 * on_lost is told of an item that an event or a list takes away while nobody
 * works on it, and of one that another object of its name is about to replace.
 */
struct cs_queue *cs_queue_new(size_t max,
			      void (*on_lost)(void *ctx,
					      const struct cs_kube_item *item),
			      void *ctx, struct cs_error *err) CS_MUST_USE;
void cs_queue_free(struct cs_queue *q);

/* What an event or a list brought; one without a mark is forgotten. */
void cs_queue_put(struct cs_queue *q, const struct cs_kube_request *r,
		  int64_t now_ms);
void cs_queue_forget(struct cs_queue *q, const struct cs_kube_request *r);

/* A list of this kind begins, and is complete: what was not put is gone. */
void cs_queue_listing(struct cs_queue *q, enum cs_kube_kind kind);
void cs_queue_listed(struct cs_queue *q, enum cs_kube_kind kind);

/* The next that is due, busy from now on; NULL: none is. */
struct cs_kube_item *cs_queue_take(struct cs_queue *q, int64_t now_ms);
/* Milliseconds until one is due; -1: none will be. */
int64_t cs_queue_wait(const struct cs_queue *q, int64_t now_ms);

enum cs_queue_next {
	CS_QUEUE_DROP, /* nothing to do any more */
	CS_QUEUE_AT,   /* again at due_ms */
	CS_QUEUE_PARK  /* again when its issuer changes */
};

/* The worker is done. What has come meanwhile goes first. */
void cs_queue_done(struct cs_queue *q, struct cs_kube_item *item,
		   enum cs_queue_next next, int64_t due_ms);

/* Something about this issuer has changed: due now, from the start. */
void cs_queue_wake(struct cs_queue *q, const char *issuer, int64_t now_ms);

/*
 * Were some of this kind dropped since its list began, and is half of the room
 * free again? Then it is time for another list.
 */
bool cs_queue_wants_list(const struct cs_queue *q, enum cs_kube_kind kind);

struct cs_queue_stats cs_queue_stats(const struct cs_queue *q);

/* "NAMESPACE/NAME", or "/NAME" for a cluster issuer. */
void cs_kube_issuer_key(bool cluster, const char *namespace, const char *name,
			struct cs_buf *out);

#endif
