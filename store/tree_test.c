#include <tests/lib/test.h>

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "store/tree.h"

/* The inputs that RFC 6962's reference implementations test with. */
static const struct cs_span inputs[8] = {
	{(const uint8_t *)"", 0},
	{(const uint8_t *)"\x00", 1},
	{(const uint8_t *)"\x10", 1},
	{(const uint8_t *)"\x20\x21", 2},
	{(const uint8_t *)"\x30\x31", 2},
	{(const uint8_t *)"\x40\x41\x42\x43", 4},
	{(const uint8_t *)"PQRSTUVW", 8},
	{(const uint8_t *)"`abcdefghijklmno", 16},
};

/* Roots of the trees of the first 0, 1, ... 8 of them. */
static const char *const roots[9] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

#define LEAVES 70

struct fixture {
	struct cs_hash *hash;
	uint8_t leaf[LEAVES][CS_TREE_HASH];
};

static int set_up(void **state)
{
	static struct fixture f;

	f.hash = cs_hash_new(NULL);
	if (f.hash == NULL)
		return 1;
	for (uint8_t i = 0; i < LEAVES; i++) {
		if (!cs_tree_leaf_hash(f.hash, cs_span_make(&i, 1), f.leaf[i],
				       NULL))
			return 1;
	}
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cs_hash_free(f->hash);
	return 0;
}

/* RFC 6962 2.1, as it stands there: the reference. */
static void reference(struct fixture *f, unsigned from, unsigned to,
		      uint8_t out[CS_TREE_HASH])
{
	uint8_t left[CS_TREE_HASH];
	uint8_t right[CS_TREE_HASH];
	unsigned k = 1;

	if (to - from == 1) {
		memcpy(out, f->leaf[from], CS_TREE_HASH);
		return;
	}
	while (2 * k < to - from)
		k *= 2;
	reference(f, from, from + k, left);
	reference(f, from + k, to, right);
	assert_true(cs_tree_node_hash(f->hash, left, right, out, NULL));
}

/* The root of a range by appending, as callers find proof elements. */
static void range_root(struct fixture *f, struct cs_tree_range range,
		       uint8_t out[CS_TREE_HASH])
{
	struct cs_tree_edge e;

	cs_tree_edge_init(&e);
	for (uint64_t i = range.from; i < range.to; i++)
		assert_true(cs_tree_edge_append(f->hash, &e, f->leaf[i], NULL));
	assert_true(cs_tree_edge_root(f->hash, &e, out, NULL));
}

static void gives_the_known_roots_of_rfc_6962(void **state)
{
	struct fixture *f = *state;
	struct cs_tree_edge e;

	cs_tree_edge_init(&e);
	for (unsigned n = 0; n <= 8; n++) {
		uint8_t want[CS_TREE_HASH];
		uint8_t root[CS_TREE_HASH];
		uint8_t leaf[CS_TREE_HASH];

		assert_true(cs_codec_hex_fixed(cs_span_str(roots[n]), want,
					       sizeof(want)));
		assert_true(cs_tree_edge_root(f->hash, &e, root, NULL));
		assert_memory_equal(root, want, sizeof(want));
		if (n == 8)
			break;
		assert_true(cs_tree_leaf_hash(f->hash, inputs[n], leaf, NULL));
		assert_true(cs_tree_edge_append(f->hash, &e, leaf, NULL));
	}
}

static void agrees_with_the_recursive_definition(void **state)
{
	struct fixture *f = *state;

	for (unsigned n = 1; n <= LEAVES; n++) {
		uint8_t want[CS_TREE_HASH];
		uint8_t root[CS_TREE_HASH];

		reference(f, 0, n, want);
		range_root(f, (struct cs_tree_range){0, n}, root);
		assert_memory_equal(root, want, sizeof(want));
	}
}

static void keeps_its_edge_across_storage(void **state)
{
	struct fixture *f = *state;
	struct cs_tree_edge e;
	struct cs_tree_edge again;
	struct cs_error err;

	cs_tree_edge_init(&e);
	for (unsigned n = 0; n < LEAVES; n++) {
		assert_true(cs_tree_edge_read(n, cs_tree_edge_bytes(&e), &again,
					      NULL));
		assert_memory_equal(&again, &e, sizeof(e));
		assert_true(
			cs_tree_edge_append(f->hash, &again, f->leaf[n], NULL));
		e = (struct cs_tree_edge){.size = again.size, .n = again.n};
		memcpy(e.hash, again.hash, (size_t)again.n * CS_TREE_HASH);
	}
	assert_false(cs_tree_edge_read(LEAVES + 1, cs_tree_edge_bytes(&e),
				       &again, &err));
	assert_int_equal(err.code, CS_E_DB_CORRUPT);
}

/* Fill a proof from its ranges. */
static void prove(struct fixture *f, const struct cs_tree_range *ranges,
		  unsigned n, uint8_t (*proof)[CS_TREE_HASH])
{
	for (unsigned i = 0; i < n; i++)
		range_root(f, ranges[i], proof[i]);
}

static void proves_each_leaf_and_refuses_each_changed_proof(void **state)
{
	struct fixture *f = *state;

	for (unsigned n = 1; n <= 40; n++) {
		uint8_t root[CS_TREE_HASH];

		reference(f, 0, n, root);
		for (unsigned i = 0; i < n; i++) {
			struct cs_tree_range ranges[CS_TREE_DEPTH];
			uint8_t proof[CS_TREE_DEPTH][CS_TREE_HASH];
			unsigned k = cs_tree_inclusion_ranges(i, n, ranges);

			prove(f, ranges, k, proof);
			assert_true(cs_tree_inclusion_verify(
				f->hash, i, n, f->leaf[i],
				(const uint8_t(*)[CS_TREE_HASH])proof, k, root,
				NULL));
			assert_false(cs_tree_inclusion_verify(
				f->hash, i, n, f->leaf[(i + 1) % LEAVES],
				(const uint8_t(*)[CS_TREE_HASH])proof, k, root,
				NULL));
			if (k == 0)
				continue;
			assert_false(cs_tree_inclusion_verify(
				f->hash, i, n, f->leaf[i],
				(const uint8_t(*)[CS_TREE_HASH])proof, k - 1,
				root, NULL));
			proof[k / 2][7] ^= 1;
			assert_false(cs_tree_inclusion_verify(
				f->hash, i, n, f->leaf[i],
				(const uint8_t(*)[CS_TREE_HASH])proof, k, root,
				NULL));
		}
	}
	assert_int_equal(cs_tree_inclusion_ranges(3, 3, NULL), 0);
}

static void proves_each_beginning_and_refuses_each_changed_proof(void **state)
{
	struct fixture *f = *state;

	for (unsigned to = 1; to <= 40; to++) {
		uint8_t new_root[CS_TREE_HASH];

		reference(f, 0, to, new_root);
		for (unsigned from = 1; from <= to; from++) {
			struct cs_tree_range ranges[CS_TREE_DEPTH + 1];
			uint8_t proof[CS_TREE_DEPTH + 1][CS_TREE_HASH];
			uint8_t old_root[CS_TREE_HASH];
			unsigned k =
				cs_tree_consistency_ranges(from, to, ranges);

			reference(f, 0, from, old_root);
			prove(f, ranges, k, proof);
			assert_true(cs_tree_consistency_verify(
				f->hash, from, to,
				(const uint8_t(*)[CS_TREE_HASH])proof, k,
				old_root, new_root, NULL));
			old_root[3] ^= 1;
			assert_false(cs_tree_consistency_verify(
				f->hash, from, to,
				(const uint8_t(*)[CS_TREE_HASH])proof, k,
				old_root, new_root, NULL));
			old_root[3] ^= 1;
			if (k == 0)
				continue;
			proof[k / 2][7] ^= 1;
			assert_false(cs_tree_consistency_verify(
				f->hash, from, to,
				(const uint8_t(*)[CS_TREE_HASH])proof, k,
				old_root, new_root, NULL));
		}
	}
	assert_false(cs_tree_consistency_verify(f->hash, 0, 1, NULL, 0,
						f->leaf[0], f->leaf[0], NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			gives_the_known_roots_of_rfc_6962, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			agrees_with_the_recursive_definition, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(keeps_its_edge_across_storage,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			proves_each_leaf_and_refuses_each_changed_proof, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			proves_each_beginning_and_refuses_each_changed_proof,
			set_up, tear_down),
	};

	return cs_test_run("store/tree", tests);
}
