#include <tests/lib/test.h>

#include <string.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/json.h"
#include "store/leaf.h"
#include "store/tree.h"
#include <tests/lib/vectors.h>

#define AT(field) offsetof(struct cs_leaf_record, field)
#define IN(field) offsetof(struct cs_leaf_approval, field)

enum type {
	OCTETS, /* hexadecimal into a span */
	FIXED,	/* hexadecimal into a pointer */
	TEXT,
	INT64,
	UINT32
};

struct column {
	const char *name;
	enum type type;
	size_t at;
};

/* Where each member of a vector's columns goes. */
static const struct column columns[] = {
	{"at", INT64, AT(at_ms)},
	{"body", OCTETS, AT(body)},
	{"certificate", OCTETS, AT(certificate)},
	{"client", TEXT, AT(client_name)},
	{"client_id", INT64, AT(client)},
	{"credential", INT64, AT(credential)},
	{"csr", OCTETS, AT(csr)},
	{"epoch", INT64, AT(epoch)},
	{"expires", INT64, AT(expires_ms)},
	{"fingerprint", FIXED, AT(fingerprint)},
	{"flags", UINT32, AT(flags)},
	{"generation", INT64, AT(generation)},
	{"hold", TEXT, AT(hold)},
	{"id", FIXED, AT(id)},
	{"idem_key", TEXT, AT(idem_key)},
	{"index", INT64, AT(index)},
	{"inputs", OCTETS, AT(inputs)},
	{"issuer", TEXT, AT(issuer_name)},
	{"issuer_asked", TEXT, AT(issuer_asked)},
	{"issuer_id", INT64, AT(issuer)},
	{"limits", OCTETS, AT(limits)},
	{"not_after", INT64, AT(not_after_s)},
	{"not_before", INT64, AT(not_before_ms)},
	{"now", INT64, AT(now_ms)},
	{"pending_body", OCTETS, AT(pending_body)},
	{"pending_terms", OCTETS, AT(pending_terms)},
	{"realm", TEXT, AT(realm)},
	{"reason", UINT32, AT(reason)},
	{"received", INT64, AT(received_ms)},
	{"rows", OCTETS, AT(rows)},
	{"scalars", OCTETS, AT(scalars)},
	{"seq", INT64, AT(seq)},
	{"serial", OCTETS, AT(serial)},
	{"set", FIXED, AT(set_sha256)},
	{"source", TEXT, AT(source)},
	{"spki", FIXED, AT(spki_sha256)},
	{"subject_key", FIXED, AT(subject_key)},
	{"tbs", OCTETS, AT(tbs)},
	{"terms", OCTETS, AT(terms)},
	{"uid", INT64, AT(uid)},
};

static const struct column approval_columns[] = {
	{"at", INT64, IN(at_ms)},
	{"binds", FIXED, IN(binds)},
	{"claimed_by", TEXT, IN(claimed_by)},
	{"client", TEXT, IN(client_name)},
	{"client_id", INT64, IN(client)},
	{"credential", INT64, IN(credential)},
	{"denies", UINT32, IN(denies)},
	{"message", TEXT, IN(message)},
	{"reason", TEXT, IN(reason)},
	{"self", UINT32, IN(self)},
	{"uid", INT64, IN(uid)},
};

/* The text of a JSON string, borrowed. */
static struct cs_span text_of(const json_t *value)
{
	return cs_span_make(json_string_value(value),
			    json_string_length(value));
}

/* Put one vector value into its field of a struct. */
static void put(struct cs_arena *arena, const struct column *c,
		const json_t *value, uint8_t *into)
{
	struct cs_span s = text_of(value);
	int64_t number = json_integer_value(value);
	uint32_t small = (uint32_t)number;

	if (c->type == OCTETS || c->type == FIXED)
		assert_true(cs_codec_hex_decode(s, arena, &s, NULL));
	if (c->type == INT64)
		memcpy(into + c->at, &number, sizeof(number));
	else if (c->type == UINT32)
		memcpy(into + c->at, &small, sizeof(small));
	else if (c->type == FIXED)
		memcpy(into + c->at, &s.p, sizeof(s.p));
	else
		memcpy(into + c->at, &s, sizeof(s));
}

/* Put every member of an object; unknown ones fail the test. */
static void put_all(struct cs_arena *arena, const struct column *table,
		    size_t n, json_t *object, uint8_t *into)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		size_t i = 0;

		if (strcmp(name, "kind") == 0 ||
		    strcmp(name, "approval") == 0 ||
		    strcmp(name, "answer_version") == 0)
			continue;
		while (i < n && strcmp(table[i].name, name) != 0)
			i++;
		assert_true(i < n);
		put(arena, &table[i], value, into);
	}
}

/* The record that a vector's columns describe. */
static void read_record(struct cs_arena *arena, json_t *object,
			struct cs_leaf_record *r)
{
	json_t *approval = json_object_get(object, "approval");
	enum cs_leaf_kind kind;

	assert_true(cs_leaf_kind_parse(text_of(json_object_get(object, "kind")),
				       &kind));
	cs_leaf_record_init(r, kind, 0, 0);
	put_all(arena, columns, sizeof(columns) / sizeof(columns[0]), object,
		(uint8_t *)r);
	if (approval != NULL)
		put_all(arena, approval_columns,
			sizeof(approval_columns) / sizeof(approval_columns[0]),
			approval, (uint8_t *)&r->approval);
}

/* One golden vector: entry, hash, and the entry taken apart again. */
static void check_vector(struct cs_hash *h, json_t *vector)
{
	struct cs_arena arena;
	struct cs_leaf_record r;
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_span decision = text_of(json_object_get(vector, "decision"));
	struct cs_span entry = text_of(json_object_get(vector, "entry"));
	struct cs_span record;
	uint8_t want[32];
	uint8_t hash[32];
	struct cs_error err = {0};

	cs_arena_init(&arena, 1 << 20);
	cs_buf_init(&out, CS_MAX_LEAF);
	read_record(&arena, json_object_get(vector, "columns"), &r);
	if (!cs_leaf_entry_write(h, decision, &r, &out, &err))
		fail_msg("%s", err.text);
	assert_int_equal(cs_buf_span(&out).n, entry.n);
	assert_memory_equal(cs_buf_span(&out).p, entry.p, entry.n);
	assert_true(cs_tree_leaf_hash(h, entry, hash, NULL));
	assert_true(cs_codec_hex_fixed(
		text_of(json_object_get(vector, "leaf_hash")), want, 32));
	assert_memory_equal(hash, want, 32);
	assert_true(cs_leaf_entry_split(entry, &decision, &record, NULL));
	cs_buf_reset(&out);
	assert_true(cs_leaf_record_write(h, &r, &out, NULL));
	assert_true(cs_span_equal(cs_buf_span(&out), record));
	cs_arena_done(&arena);
}

static void writes_every_golden_vector_to_the_octet(void **state)
{
	struct cs_hash *h = cs_hash_new(NULL);
	json_t *file = cs_vectors_load("log/leaves.json");
	json_t *leaves = json_object_get(file, "leaves");
	size_t i;
	json_t *vector;

	(void)state;
	assert_non_null(h);
	assert_true(json_array_size(leaves) >= 10);
	json_array_foreach(leaves, i, vector) check_vector(h, vector);
	json_decref(file);
	cs_hash_free(h);
}

static void refuses_text_that_is_not_utf_8(void **state)
{
	struct cs_hash *h = cs_hash_new(NULL);
	struct cs_leaf_record r;
	CS_CLEANUP(cs_buf_done) struct cs_buf out;

	(void)state;
	cs_buf_init(&out, CS_MAX_LEAF);
	cs_leaf_record_init(&r, CS_LEAF_START, 0, 0);
	r.realm = CS_SPAN_LIT("\xff");
	assert_false(cs_leaf_record_write(h, &r, &out, NULL));
	cs_hash_free(h);
}

static void refuses_numbers_that_json_cannot_carry(void **state)
{
	struct cs_hash *h = cs_hash_new(NULL);
	struct cs_leaf_record r;
	CS_CLEANUP(cs_buf_done) struct cs_buf out;

	(void)state;
	cs_buf_init(&out, CS_MAX_LEAF);
	cs_leaf_record_init(&r, CS_LEAF_START, UINT64_MAX, 0);
	assert_false(cs_leaf_record_write(h, &r, &out, NULL));
	cs_hash_free(h);
}

static void takes_no_other_entry_apart(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"{\"decision\":{},\"record\":{},\"v\":2}",
		"{\"decision\":{},\"record\":{},\"v\":1} ",
		"{\"decision\":[],\"record\":{},\"v\":1}",
		"{\"decision\":{\"a\":\"},\"record\":{},\"v\":1}",
		"{\"decision\":{,\"record\":{},\"v\":1}",
	};
	struct cs_span d;
	struct cs_span r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(
			cs_leaf_entry_split(cs_span_str(bad[i]), &d, &r, NULL));
	assert_true(cs_leaf_entry_split(
		cs_span_str("{\"decision\":{\"a\":\"}\\\"{\"},\"record\":"
			    "{\"b\":{}},\"v\":1}"),
		&d, &r, NULL));
	assert_true(cs_span_equal_str(d, "{\"a\":\"}\\\"{\"}"));
	assert_true(cs_span_equal_str(r, "{\"b\":{}}"));
}

static void names_every_kind_of_the_closed_list(void **state)
{
	(void)state;
	for (int i = CS_LEAF_ISSUED; i <= CS_LEAF_LAST; i++) {
		const char *name = cs_leaf_kind_name((enum cs_leaf_kind)i);
		enum cs_leaf_kind kind;

		assert_non_null(name);
		assert_true(cs_leaf_kind_parse(cs_span_str(name), &kind));
		assert_int_equal(kind, i);
	}
	assert_null(cs_leaf_kind_name((enum cs_leaf_kind)0));
	assert_null(cs_leaf_kind_name((enum cs_leaf_kind)(CS_LEAF_LAST + 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_every_golden_vector_to_the_octet),
		cmocka_unit_test(refuses_text_that_is_not_utf_8),
		cmocka_unit_test(refuses_numbers_that_json_cannot_carry),
		cmocka_unit_test(takes_no_other_entry_apart),
		cmocka_unit_test(names_every_kind_of_the_closed_list),
	};

	return cs_test_run("store/leaf", tests);
}
