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

/* A text; what is not UTF-8 is left out. */
static json_t *text(struct cs_span s)
{
	json_t *t = json_stringn(s.n > 0 ? (const char *)s.p : "", s.n);

	return t != NULL ? t : json_string("");
}

/* [{"at", "code", "expected", "field", "message", "rule", "value"}] */
static json_t *violations(const struct cs_fixed_finding *f)
{
	return json_pack("[{s:s, s:s, s:o, s:o, s:o, s:o, s:o}]", "at", "",
			 "code", f->code, "expected", text(f->expect), "field",
			 text(f->field), "message", text(f->message), "rule",
			 text(f->rule), "value", text(f->value));
}

/* What the verdict means for the members of a body that said yes. */
static bool overrule(json_t *body, const char *verdict,
		     const struct cs_fixed_finding *f, struct cs_span detail)
{
	bool refused = verdict[0] == 'r';
	bool ok =
		json_object_set_new(body, "code", json_string(f->code)) == 0 &&
		json_object_set_new(body, "detail", text(detail)) == 0 &&
		json_object_set_new(body, "verdict", json_string(verdict)) == 0;

	if (!refused) {
		(void)json_object_del(body, "final");
		return ok;
	}
	(void)json_object_del(body, "kept");
	(void)json_object_del(body, "warnings");
	return ok && json_object_set_new(body, "changed", json_false()) == 0 &&
	       json_object_set_new(body, "diff", json_array()) == 0 &&
	       json_object_set_new(body, "final", json_true()) == 0 &&
	       json_object_set_new(body, "not_reached", json_array()) == 0 &&
	       json_object_set_new(body, "violations", violations(f)) == 0;
}

bool cs_fixed_body_overruled(struct cs_span judged, const char *verdict,
			     const struct cs_fixed_finding *finding,
			     struct cs_span detail, struct cs_buf *out,
			     struct cs_error *err)
{
	json_t *body = cs_json_parse(judged, "the judgement", err);
	bool ok = body != NULL;

	if (ok && !overrule(body, verdict, finding, detail))
		ok = cs_error_set(err, CS_E_NO_MEMORY, "body");
	ok = ok && cs_json_canonical(body, out, err);
	json_decref(body);
	return ok;
}

/* Fields that hold for a request whatever became of it. */
static bool field_stays(uint8_t field, bool by_rule)
{
	switch (field) {
	case CS_TERM_POLICY:
		return by_rule;
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
			 struct cs_span rule, struct cs_arena *arena,
			 struct cs_buf *out, struct cs_error *err)
{
	struct cs_terms t;
	struct cs_span pending = r->pending_terms;
	struct cs_span value;
	uint8_t field;
	bool ok = true;

	cs_terms_init(&t, arena);
	while (ok && cs_terms_next(&pending, &field, &value, NULL))
		if (field_stays(field, rule.n > 0))
			ok = cs_terms_add(&t, (enum cs_term)field, value);
	ok = ok && cs_terms_add(&t, CS_TERM_CLIENT, r->client_name) &&
	     cs_terms_add(&t, CS_TERM_REALM, r->realm) &&
	     cs_terms_add(&t, CS_TERM_SOURCE, r->source) &&
	     cs_terms_add(&t, CS_TERM_ISSUER, r->issuer) &&
	     cs_terms_add(&t, CS_TERM_APPROVER, approver) &&
	     cs_terms_add(&t, CS_TERM_RULE, rule) &&
	     cs_terms_add(&t, CS_TERM_VERDICT, cs_span_str(verdict)) &&
	     cs_terms_add(&t, CS_TERM_CODE, cs_span_str(code));
	if (!ok)
		return cs_error_set(err, CS_E_NO_MEMORY, "search terms");
	cs_terms_encode(&t, out);
	return cs_buf_finish(out, "search terms", err);
}
