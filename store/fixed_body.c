#include "store/fixed_body.h"

#include "base/json.h"
#include "base/terms.h"

bool cs_fixed_body_write(const char *verdict, const char *code,
			 struct cs_span detail, struct cs_buf *out,
			 struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_name(&j, "changed");
	cs_json_bool(&j, false);
	cs_json_member_str(&j, "code", code);
	cs_json_name(&j, "detail");
	cs_json_text(&j, detail);
	cs_json_name(&j, "diff");
	cs_json_array(&j);
	cs_json_end(&j);
	cs_json_name(&j, "final");
	cs_json_bool(&j, true);
	cs_json_name(&j, "not_reached");
	cs_json_array(&j);
	cs_json_end(&j);
	cs_json_name(&j, "policy");
	cs_json_null(&j);
	cs_json_name(&j, "set_sha256");
	cs_json_null(&j);
	cs_json_member_str(&j, "verdict", verdict);
	cs_json_name(&j, "violations");
	cs_json_array(&j);
	cs_json_end(&j);
	cs_json_end(&j);
	return cs_json_finish(&j, "body", err);
}

/* Fields that hold for a request whatever became of it. */
static bool field_stays(uint8_t field)
{
	switch (field) {
	case CS_TERM_DNS:
	case CS_TERM_IP:
	case CS_TERM_URI:
	case CS_TERM_EMAIL:
	case CS_TERM_CN:
	case CS_TERM_REQUESTER:
	case CS_TERM_NAMESPACE:
	case CS_TERM_SPKI:
		return true;
	default:
		return false;
	}
}

bool cs_fixed_body_terms(const struct cs_stored *r, struct cs_span approver,
			 const char *verdict, const char *code,
			 struct cs_arena *arena, struct cs_buf *out,
			 struct cs_error *err)
{
	struct cs_terms t;
	struct cs_span pending = r->pending_terms;
	struct cs_span value;
	uint8_t field;
	bool ok = true;

	cs_terms_init(&t, arena);
	while (ok && cs_terms_next(&pending, &field, &value, NULL))
		if (field_stays(field))
			ok = cs_terms_add(&t, (enum cs_term)field, value);
	ok = ok && cs_terms_add(&t, CS_TERM_CLIENT, r->client_name) &&
	     cs_terms_add(&t, CS_TERM_REALM, r->realm) &&
	     cs_terms_add(&t, CS_TERM_SOURCE, r->source) &&
	     cs_terms_add(&t, CS_TERM_ISSUER, r->issuer) &&
	     cs_terms_add(&t, CS_TERM_APPROVER, approver) &&
	     cs_terms_add(&t, CS_TERM_VERDICT, cs_span_str(verdict)) &&
	     cs_terms_add(&t, CS_TERM_CODE, cs_span_str(code));
	if (!ok)
		return cs_error_set(err, CS_E_NO_MEMORY, "search terms");
	cs_terms_encode(&t, out);
	return cs_buf_finish(out, "search terms", err);
}
