/* YAML: a tree's JSON form, read as YAML again, is the same tree. */
#include "base/json.h"
#include "base/limits.h"
#include "base/yaml.h"
#include "tests/fuzz/fuzz.h"

/* Canonical JSON of the first document; false: it has none. */
static bool to_json(struct cs_span text, struct cs_buf *out)
{
	struct cs_arena arena;
	struct cs_yaml *tree;
	json_t *value = NULL;
	bool ok = false;

	cs_arena_init(&arena, CS_MAX_REQUEST_ARENA);
	tree = cs_yaml_parse(text, "input", &arena, NULL);
	if (tree != NULL)
		value = cs_yaml_to_json(tree);
	if (value != NULL)
		ok = cs_json_canonical(value, out, NULL);
	json_decref(value);
	cs_arena_done(&arena);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cs_buf once, twice;

	cs_buf_init(&once, CS_MAX_MESSAGE);
	cs_buf_init(&twice, CS_MAX_MESSAGE);
	if (to_json(cs_span_make(data, size), &once) &&
	    to_json(cs_buf_span(&once), &twice))
		FUZZ_CHECK(
			cs_span_equal(cs_buf_span(&once), cs_buf_span(&twice)));
	cs_buf_done(&once);
	cs_buf_done(&twice);
	return 0;
}
