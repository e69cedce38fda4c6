#include "kube/queue.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/random.h"

#define BUCKETS 4096
#define NOWHERE SIZE_MAX
/* After a failure: a second, doubled to 5 minutes. */
#define FIRST_MS 1000
#define MOST_MS	 300000

struct cs_queue {
	struct cs_kube_item *bucket[BUCKETS];
	struct cs_kube_item **heap; /* by due_ms */
	size_t heap_n, max;
	uint32_t seed;	  /* names come from strangers */
	unsigned list[2]; /* number of each kind's list */
	bool missed[2];	  /* dropped some since it began? */
	struct cs_queue_stats stats;
	void (*on_lost)(void *ctx, const struct cs_kube_item *item);
	void *ctx;
};

void cs_kube_issuer_key(bool cluster, const char *namespace, const char *name,
			struct cs_buf *out)
{
	cs_buf_addf(out, "%s/%s", cluster || namespace == NULL ? "" : namespace,
		    name);
}

/* -- the heap ----------------------------------------------------------------
 */

static void place(struct cs_queue *q, size_t at, struct cs_kube_item *item)
{
	q->heap[at] = item;
	item->at = at;
}

static void move_up(struct cs_queue *q, size_t at)
{
	struct cs_kube_item *item = q->heap[at];

	while (at > 0 && q->heap[(at - 1) / 2]->due_ms > item->due_ms) {
		place(q, at, q->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	place(q, at, item);
}

static void move_down(struct cs_queue *q, size_t at)
{
	struct cs_kube_item *item = q->heap[at];
	size_t child;

	while ((child = 2 * at + 1) < q->heap_n) {
		if (child + 1 < q->heap_n &&
		    q->heap[child + 1]->due_ms < q->heap[child]->due_ms)
			child++;
		if (q->heap[child]->due_ms >= item->due_ms)
			break;
		place(q, at, q->heap[child]);
		at = child;
	}
	place(q, at, item);
}

/* Take it out of the heap, if it is there. */
static void unschedule(struct cs_queue *q, struct cs_kube_item *item)
{
	size_t at = item->at;
	struct cs_kube_item *last;

	if (at == NOWHERE)
		return;
	last = q->heap[--q->heap_n];
	item->at = NOWHERE;
	if (last == item)
		return;
	place(q, at, last);
	move_up(q, at);
	move_down(q, last->at);
}

static void schedule(struct cs_queue *q, struct cs_kube_item *item,
		     int64_t due_ms)
{
	unschedule(q, item);
	item->due_ms = due_ms;
	place(q, q->heap_n++, item);
	move_up(q, item->at);
}

/* -- the table ----------------------------------------------------------------
 */

/* FNV-1a, from a seed that nobody outside knows. */
static struct cs_kube_item **bucket_of(struct cs_queue *q,
				       enum cs_kube_kind kind,
				       const char *namespace, const char *name)
{
	uint32_t h = (q->seed ^ (uint32_t)kind) * 16777619u;

	for (; *namespace != '\0'; namespace ++)
		h = (h ^ (uint8_t) * namespace) * 16777619u;
	h = (h ^ '/') * 16777619u;
	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return &q->bucket[(h ^ (h >> 16)) % BUCKETS];
}

/* Where the item is linked, or where it would be. */
static struct cs_kube_item **find(struct cs_queue *q,
				  const struct cs_kube_request *r)
{
	const char *namespace = r->namespace != NULL ? r->namespace : "";
	struct cs_kube_item **at = bucket_of(q, r->kind, namespace, r->name);

	while (*at != NULL &&
	       ((*at)->kind != r->kind || strcmp((*at)->name, r->name) != 0 ||
		strcmp((*at)->namespace, namespace) != 0))
		at = &(*at)->next;
	return at;
}

static void item_free(struct cs_kube_item *item)
{
	cs_mem_free(item->name);
	cs_mem_free(item->namespace);
	cs_mem_free(item->uid);
	cs_mem_free(item->issuer);
	cs_mem_free(item);
}

/* Unlink and release what nobody works on. */
static void discard(struct cs_queue *q, struct cs_kube_item **at)
{
	struct cs_kube_item *item = *at;

	unschedule(q, item);
	*at = item->next;
	q->stats.items--;
	item_free(item);
}

/* Gone: at once, or when its worker is done. */
static void lose(struct cs_queue *q, struct cs_kube_item **at)
{
	if ((*at)->busy) {
		(*at)->gone = true;
		return;
	}
	q->on_lost(q->ctx, *at);
	discard(q, at);
}

/* Keep whom it is to be signed by, and which object it is. */
static bool identify(struct cs_kube_item *item, const struct cs_kube_request *r)
{
	struct cs_buf key;
	char *uid = cs_mem_strdup(r->uid);
	char *issuer;

	cs_buf_init(&key, 2 * CS_MAX_URI);
	cs_kube_issuer_key(r->cluster_issuer, r->namespace, r->issuer, &key);
	issuer = cs_buf_ok(&key) ? cs_mem_strdup(cs_buf_str(&key)) : NULL;
	cs_buf_done(&key);
	if (uid == NULL || issuer == NULL) {
		cs_mem_free(uid);
		cs_mem_free(issuer);
		return false;
	}
	cs_mem_free(item->uid);
	cs_mem_free(item->issuer);
	item->uid = uid;
	item->issuer = issuer;
	item->serial[0] = '\0';
	item->told = 0;
	cs_wait_init(&item->wait, FIRST_MS, MOST_MS);
	return true;
}

/* It has an end, or is gone. If a certificate stands in it, it was taken. */
static void take_away(struct cs_queue *q, struct cs_kube_item **at,
		      const struct cs_kube_request *r)
{
	if (r->delivered)
		(*at)->serial[0] = '\0';
	lose(q, at);
}

/* Another one has its name now: what was issued for the old one is lost. */
static bool replace(struct cs_queue *q, struct cs_kube_item *item,
		    const struct cs_kube_request *r)
{
	q->on_lost(q->ctx, item);
	item->serial[0] = '\0';
	return identify(item, r);
}

/* A new one, linked at `at`. NULL: no room, the next list brings it again. */
static struct cs_kube_item *add(struct cs_queue *q, struct cs_kube_item **at,
				const struct cs_kube_request *r)
{
	struct cs_kube_item *item;

	if (q->stats.items == q->max) {
		q->stats.dropped++;
		q->missed[r->kind] = true;
		return NULL;
	}
	item = cs_mem_new(sizeof(*item));
	if (item == NULL)
		return NULL;
	item->kind = r->kind;
	item->at = NOWHERE;
	item->name = cs_mem_strdup(r->name);
	item->namespace =
		cs_mem_strdup(r->namespace != NULL ? r->namespace : "");
	if (item->name == NULL || item->namespace == NULL ||
	    !identify(item, r)) {
		item_free(item);
		return NULL;
	}
	*at = item;
	q->stats.items++;
	return item;
}

void cs_queue_put(struct cs_queue *q, const struct cs_kube_request *r,
		  int64_t now_ms)
{
	struct cs_kube_item **at = find(q, r);
	unsigned mark = cs_kube_request_mark(r);
	struct cs_kube_item *item = *at;
	bool other;

	if (mark == 0) {
		if (item != NULL)
			take_away(q, at, r);
		return;
	}
	if (item == NULL)
		item = add(q, at, r);
	if (item == NULL)
		return;
	item->seen = q->list[r->kind];
	item->gone = false;
	other = strcmp(item->uid, r->uid) != 0;
	if (!other && item->mark == mark)
		return;
	if (other && !replace(q, item, r))
		return;
	item->mark = mark;
	if (item->busy)
		item->dirty = true;
	else
		schedule(q, item, now_ms);
}

void cs_queue_forget(struct cs_queue *q, const struct cs_kube_request *r)
{
	struct cs_kube_item **at = find(q, r);

	if (*at != NULL && strcmp((*at)->uid, r->uid) == 0)
		take_away(q, at, r);
}

void cs_queue_listing(struct cs_queue *q, enum cs_kube_kind kind)
{
	q->list[kind]++;
	q->missed[kind] = false;
}

void cs_queue_listed(struct cs_queue *q, enum cs_kube_kind kind)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct cs_kube_item **at = &q->bucket[i];

		while (*at != NULL) {
			bool stays = (*at)->busy || (*at)->kind != kind ||
				     (*at)->seen == q->list[kind];

			if ((*at)->kind == kind && (*at)->seen != q->list[kind])
				lose(q, at);
			if (stays)
				at = &(*at)->next;
		}
	}
}

/* -- work ---------------------------------------------------------------------
 */

struct cs_kube_item *cs_queue_take(struct cs_queue *q, int64_t now_ms)
{
	struct cs_kube_item *item = q->heap_n > 0 ? q->heap[0] : NULL;

	if (item == NULL || item->due_ms > now_ms)
		return NULL;
	unschedule(q, item);
	item->busy = true;
	item->dirty = false;
	q->stats.busy++;
	return item;
}

int64_t cs_queue_wait(const struct cs_queue *q, int64_t now_ms)
{
	if (q->heap_n == 0)
		return -1;
	return q->heap[0]->due_ms > now_ms ? q->heap[0]->due_ms - now_ms : 0;
}

void cs_queue_done(struct cs_queue *q, struct cs_kube_item *item,
		   enum cs_queue_next next, int64_t due_ms)
{
	struct cs_kube_item **at;

	item->busy = false;
	q->stats.busy--;
	if (item->gone || (next == CS_QUEUE_DROP && !item->dirty)) {
		at = bucket_of(q, item->kind, item->namespace, item->name);
		while (*at != item)
			at = &(*at)->next;
		discard(q, at);
		return;
	}
	if (item->dirty)
		schedule(q, item, 0);
	else if (next == CS_QUEUE_AT)
		schedule(q, item, due_ms);
}

void cs_queue_wake(struct cs_queue *q, const char *issuer, int64_t now_ms)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct cs_kube_item *item = q->bucket[i]; item != NULL;
		     item = item->next) {
			if (strcmp(item->issuer, issuer) != 0)
				continue;
			cs_wait_reset(&item->wait);
			if (item->busy)
				item->dirty = true;
			else
				schedule(q, item, now_ms);
		}
}

bool cs_queue_wants_list(const struct cs_queue *q, enum cs_kube_kind kind)
{
	return q->missed[kind] && q->stats.items <= q->max / 2;
}

struct cs_queue_stats cs_queue_stats(const struct cs_queue *q)
{
	struct cs_queue_stats s = q->stats;

	s.parked = s.items - s.busy - q->heap_n;
	return s;
}

void cs_queue_free(struct cs_queue *q)
{
	if (q == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (q->bucket[i] != NULL) {
			struct cs_kube_item *item = q->bucket[i];

			q->bucket[i] = item->next;
			item_free(item);
		}
	cs_mem_free(q->heap);
	cs_mem_free(q);
}

struct cs_queue *cs_queue_new(size_t max,
			      void (*on_lost)(void *ctx,
					      const struct cs_kube_item *item),
			      void *ctx, struct cs_error *err)
{
	struct cs_queue *q = cs_mem_new(sizeof(*q));

	if (q != NULL)
		q->heap = cs_mem_new_array(max, sizeof(struct cs_kube_item *));
	if (q == NULL || q->heap == NULL) {
		cs_queue_free(q);
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for a queue");
		return NULL;
	}
	q->max = max;
	q->on_lost = on_lost;
	q->ctx = ctx;
	q->seed = cs_wait_chance(UINT32_MAX);
	return q;
}
