#include "store/tree.h"

#include <inttypes.h>
#include <string.h>

bool cs_tree_leaf_hash(struct cs_hash *h, struct cs_span entry,
		       uint8_t ret_hash[CS_TREE_HASH], struct cs_error *err)
{
	const struct cs_span parts[] = {CS_SPAN_LIT("\x00"), entry};

	return cs_hash_sha256_parts(h, parts, 2, ret_hash, err);
}

bool cs_tree_node_hash(struct cs_hash *h, const uint8_t left[CS_TREE_HASH],
		       const uint8_t right[CS_TREE_HASH],
		       uint8_t ret_hash[CS_TREE_HASH], struct cs_error *err)
{
	const struct cs_span parts[] = {CS_SPAN_LIT("\x01"),
					cs_span_make(left, CS_TREE_HASH),
					cs_span_make(right, CS_TREE_HASH)};

	return cs_hash_sha256_parts(h, parts, 3, ret_hash, err);
}

void cs_tree_edge_init(struct cs_tree_edge *e)
{
	*e = (struct cs_tree_edge){.size = 0};
}

/* The number of one bits. */
static unsigned ones(uint64_t v)
{
	unsigned n = 0;

	for (; v != 0; v &= v - 1)
		n++;
	return n;
}

bool cs_tree_edge_append(struct cs_hash *h, struct cs_tree_edge *e,
			 const uint8_t leaf[CS_TREE_HASH], struct cs_error *err)
{
	uint8_t node[CS_TREE_HASH];

	if (e->size == UINT64_MAX)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "tree: no further leaf fits");
	memcpy(node, leaf, CS_TREE_HASH);
	/* Each trailing one bit is a subtree as large as the one in hand. */
	for (uint64_t bits = e->size; bits & 1; bits >>= 1) {
		if (!cs_tree_node_hash(h, e->hash[e->n - 1], node, node, err))
			return false;
		e->n--;
	}
	memcpy(e->hash[e->n++], node, CS_TREE_HASH);
	e->size++;
	return true;
}

bool cs_tree_edge_root(struct cs_hash *h, const struct cs_tree_edge *e,
		       uint8_t ret_root[CS_TREE_HASH], struct cs_error *err)
{
	uint8_t node[CS_TREE_HASH];

	if (e->n == 0)
		return cs_hash_sha256(h, cs_span_make(NULL, 0), ret_root, err);
	memcpy(node, e->hash[e->n - 1], CS_TREE_HASH);
	for (unsigned i = e->n - 1; i > 0; i--) {
		if (!cs_tree_node_hash(h, e->hash[i - 1], node, node, err))
			return false;
	}
	memcpy(ret_root, node, CS_TREE_HASH);
	return true;
}

struct cs_span cs_tree_edge_bytes(const struct cs_tree_edge *e)
{
	return cs_span_make(e->hash, (size_t)e->n * CS_TREE_HASH);
}

bool cs_tree_edge_read(uint64_t size, struct cs_span bytes,
		       struct cs_tree_edge *ret_edge, struct cs_error *err)
{
	unsigned n = ones(size);

	if (bytes.n != (size_t)n * CS_TREE_HASH)
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "right edge: %zu octets for a tree of "
				    "%" PRIu64 " leaves, want %u",
				    bytes.n, size, n * CS_TREE_HASH);
	cs_tree_edge_init(ret_edge);
	ret_edge->size = size;
	ret_edge->n = n;
	if (n > 0)
		memcpy(ret_edge->hash, bytes.p, bytes.n);
	return true;
}

/* The largest power of two that is smaller than n; n >= 2. */
static uint64_t split(uint64_t n)
{
	uint64_t k = 1;

	while (k < n - k)
		k <<= 1;
	return k;
}

/* Put ranges that were found from the top down lowest first. */
static void reverse(struct cs_tree_range *ranges, unsigned n)
{
	for (unsigned i = 0; i < n / 2; i++) {
		struct cs_tree_range swap = ranges[i];

		ranges[i] = ranges[n - 1 - i];
		ranges[n - 1 - i] = swap;
	}
}

unsigned cs_tree_inclusion_ranges(uint64_t index, uint64_t size,
				  struct cs_tree_range ret[CS_TREE_DEPTH])
{
	struct cs_tree_range in = {0, size};
	unsigned n = 0;

	if (index >= size)
		return 0;
	while (in.to - in.from > 1) {
		uint64_t middle = in.from + split(in.to - in.from);

		if (index < middle) {
			ret[n++] = (struct cs_tree_range){middle, in.to};
			in.to = middle;
		} else {
			ret[n++] = (struct cs_tree_range){in.from, middle};
			in.from = middle;
		}
	}
	reverse(ret, n);
	return n;
}

unsigned cs_tree_consistency_ranges(uint64_t from, uint64_t to,
				    struct cs_tree_range ret[CS_TREE_DEPTH + 1])
{
	struct cs_tree_range in = {0, to};
	unsigned n = 0;

	if (from == 0 || from >= to)
		return 0;
	while (from != in.to) {
		uint64_t middle = in.from + split(in.to - in.from);

		if (from <= middle) {
			ret[n++] = (struct cs_tree_range){middle, in.to};
			in.to = middle;
		} else {
			ret[n++] = (struct cs_tree_range){in.from, middle};
			in.from = middle;
		}
	}
	/* A whole first tree is known to who asks; a part of it is not. */
	if (in.from != 0)
		ret[n++] = in;
	reverse(ret, n);
	return n;
}

bool cs_tree_inclusion_verify(struct cs_hash *h, uint64_t index, uint64_t size,
			      const uint8_t leaf[CS_TREE_HASH],
			      const uint8_t (*proof)[CS_TREE_HASH], unsigned n,
			      const uint8_t root[CS_TREE_HASH],
			      struct cs_error *err)
{
	uint64_t fn = index;
	uint64_t sn = size - 1;
	uint8_t r[CS_TREE_HASH];

	if (index >= size)
		return cs_error_set(err, CS_E_VERIFY,
				    "RFC 9162 2.1.3.2: leaf %" PRIu64
				    " is not in a tree of %" PRIu64,
				    index, size);
	memcpy(r, leaf, CS_TREE_HASH);
	for (unsigned i = 0; i < n; i++) {
		bool left = (fn & 1) != 0 || fn == sn;

		if (sn == 0)
			return cs_error_set(err, CS_E_VERIFY,
					    "RFC 9162 2.1.3.2: the proof is "
					    "too long");
		if (!cs_tree_node_hash(h, left ? proof[i] : r,
				       left ? r : proof[i], r, err))
			return false;
		while (left && (fn & 1) == 0 && fn != 0) {
			fn >>= 1;
			sn >>= 1;
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (sn != 0 || memcmp(r, root, CS_TREE_HASH) != 0)
		return cs_error_set(err, CS_E_VERIFY,
				    "RFC 9162 2.1.3.2: the proof of leaf "
				    "%" PRIu64 " does not lead to the root",
				    index);
	return true;
}

/* One step of RFC 9162 2.1.4.2, part 6: fold c into both roots. */
static bool consistency_step(struct cs_hash *h, uint64_t *fn, uint64_t *sn,
			     uint8_t fr[CS_TREE_HASH], uint8_t sr[CS_TREE_HASH],
			     const uint8_t c[CS_TREE_HASH],
			     struct cs_error *err)
{
	if ((*fn & 1) != 0 || *fn == *sn) {
		if (!cs_tree_node_hash(h, c, fr, fr, err) ||
		    !cs_tree_node_hash(h, c, sr, sr, err))
			return false;
		while ((*fn & 1) == 0 && *fn != 0) {
			*fn >>= 1;
			*sn >>= 1;
		}
	} else if (!cs_tree_node_hash(h, sr, c, sr, err)) {
		return false;
	}
	*fn >>= 1;
	*sn >>= 1;
	return true;
}

/* One sentence for every way a consistency proof can fail. */
static bool inconsistent(uint64_t from, uint64_t to, struct cs_error *err)
{
	return cs_error_set(err, CS_E_VERIFY,
			    "RFC 9162 2.1.4.2: the tree of %" PRIu64
			    " leaves is not shown to be the beginning of the "
			    "tree of %" PRIu64,
			    from, to);
}

bool cs_tree_consistency_verify(struct cs_hash *h, uint64_t from, uint64_t to,
				const uint8_t (*proof)[CS_TREE_HASH],
				unsigned n,
				const uint8_t from_root[CS_TREE_HASH],
				const uint8_t to_root[CS_TREE_HASH],
				struct cs_error *err)
{
	uint64_t fn = from - 1;
	uint64_t sn = to - 1;
	uint8_t fr[CS_TREE_HASH];
	uint8_t sr[CS_TREE_HASH];
	unsigned i = 0;

	if (from == 0 || from > to)
		return inconsistent(from, to, err);
	if (from == to)
		return (n == 0 &&
			memcmp(from_root, to_root, CS_TREE_HASH) == 0) ||
		       inconsistent(from, to, err);
	for (; (fn & 1) != 0; fn >>= 1)
		sn >>= 1;
	/* A first tree that is complete is itself the first element. */
	if ((from & (from - 1)) != 0) {
		if (n == 0)
			return inconsistent(from, to, err);
		memcpy(fr, proof[i++], CS_TREE_HASH);
	} else {
		memcpy(fr, from_root, CS_TREE_HASH);
	}
	memcpy(sr, fr, CS_TREE_HASH);
	for (; i < n; i++) {
		if (sn == 0)
			return inconsistent(from, to, err);
		if (!consistency_step(h, &fn, &sn, fr, sr, proof[i], err))
			return false;
	}
	if (sn != 0 || memcmp(fr, from_root, CS_TREE_HASH) != 0 ||
	    memcmp(sr, to_root, CS_TREE_HASH) != 0)
		return inconsistent(from, to, err);
	return true;
}
