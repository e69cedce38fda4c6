/*
 * JSON: what our strict parser accepts, its canonical form is accepted too
 * and is its own canonical form.
 */
#include "base/json.h"
#include "base/limits.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cs_buf once, twice;
	json_t *v = cs_json_parse(cs_span_make(data, size), "input", NULL);

	if (v == NULL)
		return 0;
	cs_buf_init(&once, CS_MAX_MESSAGE);
	cs_buf_init(&twice, CS_MAX_MESSAGE);
	if (cs_json_canonical(v, &once, NULL)) {
		json_t *w = cs_json_parse(cs_buf_span(&once), "input", NULL);

		FUZZ_CHECK(w != NULL);
		FUZZ_CHECK(cs_json_canonical(w, &twice, NULL));
		FUZZ_CHECK(
			cs_span_equal(cs_buf_span(&once), cs_buf_span(&twice)));
		json_decref(w);
	}
	cs_buf_done(&once);
	cs_buf_done(&twice);
	json_decref(v);
	return 0;
}
