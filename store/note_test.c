#include <tests/lib/test.h>

#include <string.h>
#include <unistd.h>

#include "base/codec.h"
#include "store/note.h"
#include <tests/lib/vectors.h>

/* A signer from PEM text, through a descriptor as in the program. */
static struct cs_note_signer *signer_of(const char *pem, const char *name,
					struct cs_error *err)
{
	int ends[2];
	struct cs_note_signer *s;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], pem, strlen(pem)),
			 (int64_t)strlen(pem));
	close(ends[1]);
	s = cs_note_signer_new(ends[0], name, err);
	close(ends[0]);
	return s;
}

/* One string member, borrowed. */
static const char *string_of(json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	assert_non_null(s);
	return s;
}

/* One golden checkpoint: signed to the octet, opened, root and edge agree. */
static void check_vector(struct cs_hash *h, struct cs_note_signer *s,
			 json_t *vector)
{
	const char *note = string_of(vector, "note");
	uint64_t size = (uint64_t)json_integer_value(
		json_object_get(vector, "tree_size"));
	struct cs_arena arena;
	struct cs_tree_edge edge;
	struct cs_span bytes;
	struct cs_checkpoint c;
	uint8_t root[CS_TREE_HASH];
	CS_CLEANUP(cs_buf_done) struct cs_buf out;

	cs_arena_init(&arena, 1 << 16);
	cs_buf_init(&out, CS_MAX_NOTE);
	assert_true(cs_codec_hex_decode(cs_span_str(string_of(vector, "edge")),
					&arena, &bytes, NULL));
	assert_true(cs_tree_edge_read(size, bytes, &edge, NULL));
	assert_true(cs_tree_edge_root(h, &edge, root, NULL));
	assert_true(cs_note_checkpoint_sign(s, size, root, &out, NULL));
	assert_string_equal(cs_buf_str(&out), note);
	assert_true(cs_note_checkpoint_open(cs_note_signer_verifier(s),
					    cs_span_str(note), &c, NULL));
	assert_int_equal(c.size, size);
	assert_memory_equal(c.root, root, sizeof(root));
	cs_arena_done(&arena);
}

static void signs_every_golden_checkpoint_to_the_octet(void **state)
{
	json_t *file = cs_vectors_load("log/checkpoints.json");
	json_t *list = json_object_get(file, "checkpoints");
	struct cs_hash *h = cs_hash_new(NULL);
	struct cs_note_verifier v;
	struct cs_note_signer *s;
	CS_CLEANUP(cs_buf_done) struct cs_buf key;
	size_t i;
	json_t *vector;

	(void)state;
	cs_buf_init(&key, 1000);
	s = signer_of(string_of(file, "private_key"), string_of(file, "origin"),
		      NULL);
	assert_non_null(s);
	assert_true(json_array_size(list) >= 6);
	json_array_foreach(list, i, vector) check_vector(h, s, vector);
	cs_note_verifier_write(cs_note_signer_verifier(s), &key);
	assert_string_equal(cs_buf_str(&key), string_of(file, "verifier_key"));
	assert_true(cs_note_verifier_parse(cs_buf_span(&key), &v, NULL));
	assert_memory_equal(&v, cs_note_signer_verifier(s), sizeof(v));
	cs_note_signer_free(s);
	cs_hash_free(h);
	json_decref(file);
}

static void refuses_a_note_with_any_octet_changed(void **state)
{
	json_t *file = cs_vectors_load("log/checkpoints.json");
	json_t *last = json_array_get(json_object_get(file, "checkpoints"), 5);
	const char *note = string_of(last, "note");
	struct cs_note_verifier v;
	struct cs_checkpoint c;
	CS_CLEANUP(cs_buf_done) struct cs_buf copy;

	(void)state;
	cs_buf_init(&copy, CS_MAX_NOTE);
	assert_true(cs_note_verifier_parse(
		cs_span_str(string_of(file, "verifier_key")), &v, NULL));
	cs_buf_add_str(&copy, note);
	for (size_t i = 0; i < copy.n; i++) {
		copy.p[i] ^= 1;
		assert_false(cs_note_checkpoint_open(&v, cs_buf_span(&copy), &c,
						     NULL));
		copy.p[i] ^= 1;
		assert_false(cs_note_checkpoint_open(
			&v, cs_span_make(copy.p, i), &c, NULL));
	}
	json_decref(file);
}

static void skips_signatures_of_others_and_wants_its_own(void **state)
{
	json_t *file = cs_vectors_load("log/checkpoints.json");
	json_t *first = json_array_get(json_object_get(file, "checkpoints"), 0);
	static const char other[] =
		"\xe2\x80\x94 witness.example/w1 AAAAAAAAAAAA\n";
	struct cs_note_verifier v;
	struct cs_checkpoint c;
	CS_CLEANUP(cs_buf_done) struct cs_buf note;
	struct cs_error err;

	(void)state;
	cs_buf_init(&note, CS_MAX_NOTE);
	assert_true(cs_note_verifier_parse(
		cs_span_str(string_of(file, "verifier_key")), &v, NULL));
	cs_buf_add_str(&note, string_of(first, "note"));
	cs_buf_add_str(&note, other);
	assert_true(cs_note_checkpoint_open(&v, cs_buf_span(&note), &c, NULL));
	cs_buf_reset(&note);
	cs_buf_addf(&note, "%s\n0\n%s\n\n%s", v.name,
		    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", other);
	assert_false(cs_note_checkpoint_open(&v, cs_buf_span(&note), &c, &err));
	assert_int_equal(err.code, CS_E_VERIFY);
	json_decref(file);
}

static void reads_checkpoints_strictly(void **state)
{
	static const char root[] =
		"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
	static const struct {
		const char *size;
		const char *rest;
		int good;
	} cases[] = {
		{"0", "\n", 1},	  {"18446744073709551615", "\n", 1},
		{"00", "\n", 0},  {"18446744073709551616", "\n", 0},
		{"-1", "\n", 0},  {"1 ", "\n", 0},
		{"", "\n", 0},	  {"1", "", 0},
		{"1", "\n\n", 0}, {"1", "\nextension\n", 0},
	};
	struct cs_checkpoint c;
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	(void)state;
	cs_buf_init(&text, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cs_buf_reset(&text);
		cs_buf_addf(&text, "ca.example/x\n%s\n%s%s", cases[i].size,
			    root, cases[i].rest);
		assert_int_equal(
			cs_checkpoint_parse(cs_buf_span(&text), &c, NULL),
			cases[i].good);
	}
}

static void makes_a_key_that_it_can_read_again(void **state)
{
	char pem[200] = "";
	int ends[2];
	struct cs_note_signer *s;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(cs_note_key_create(ends[1], NULL));
	assert_int_equal(read(ends[0], pem, sizeof(pem) - 1), 119);
	close(ends[0]);
	close(ends[1]);
	s = signer_of(pem, "ca.example/countersign/00000000", NULL);
	assert_non_null(s);
	cs_note_signer_free(s);
}

static void takes_no_other_key_or_name(void **state)
{
	static const char *const names[] = {"", "a b", "a+b", "\xc3\xa4"};
	json_t *file = cs_vectors_load("log/checkpoints.json");
	const char *pem = string_of(file, "private_key");
	CS_CLEANUP(cs_buf_done) struct cs_buf bad;
	struct cs_error err;

	(void)state;
	cs_buf_init(&bad, 1000);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(signer_of(pem, names[i], NULL));
	assert_null(signer_of("", "x", &err));
	assert_int_equal(err.code, CS_E_KEY);
	for (size_t i = 0; i < 60; i++) {
		cs_buf_reset(&bad);
		cs_buf_add_str(&bad, pem);
		/* The 32 octets of the seed begin behind the 16th. */
		bad.p[i < 28 ? i : i + 64] ^= 1;
		if (i + 64 < strlen(pem) && (i >= 28 || i < 27))
			assert_null(signer_of(cs_buf_str(&bad), "x", NULL));
	}
	json_decref(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_every_golden_checkpoint_to_the_octet),
		cmocka_unit_test(refuses_a_note_with_any_octet_changed),
		cmocka_unit_test(skips_signatures_of_others_and_wants_its_own),
		cmocka_unit_test(reads_checkpoints_strictly),
		cmocka_unit_test(makes_a_key_that_it_can_read_again),
		cmocka_unit_test(takes_no_other_key_or_name),
	};

	return cs_test_run("store/note", tests);
}
