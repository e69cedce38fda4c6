/* From a REQUEST message to facts: the CSR's octets, and the scalars. */
#include <string.h>

#include "base/codec.h"
#include "base/json.h"
#include "base/time.h"
#include "issuer/judge_parts.h"

bool cs_judge_csr_der(struct cs_span csr, struct cs_buf *scratch,
		      struct cs_span *ret_der, struct cs_error *err)
{
	static const char old_label[] = "-----BEGIN NEW CERTIFICATE REQUEST";
	const char *label = "CERTIFICATE REQUEST";

	/* A SEQUENCE begins with 0x30, which is the digit 0: never PEM. */
	if (csr.n > 0 && csr.p[0] == CS_DER_SEQUENCE) {
		*ret_der = csr;
		return true;
	}
	if (csr.n > CS_MAX_CSR_PEM)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "the CSR has %zu bytes of PEM, at most %d "
				    "are taken",
				    csr.n, CS_MAX_CSR_PEM);
	if (cs_span_starts_with(csr, cs_span_str(old_label)))
		label = "NEW CERTIFICATE REQUEST";
	cs_buf_reset(scratch);
	if (!cs_codec_pem_decode(label, csr, scratch, err))
		return false;
	*ret_der = cs_buf_span(scratch);
	return true;
}

/* Scalars under the reader's eye. */
struct scalars {
	const json_t *json;
	struct cs_arena *arena;
	struct cs_error *err;
};

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory for a request");
}

static bool bad(const struct scalars *s, const char *name)
{
	return cs_error_set(s->err, CS_E_PROTOCOL,
			    "REQUEST: the scalar `%s` is not what it should be",
			    name);
}

/* A JSON string's bytes, copied. */
static bool copy_text(const struct scalars *s, const json_t *v,
		      struct cs_span *ret_text)
{
	struct cs_span text =
		cs_span_make(json_string_value(v), json_string_length(v));

	if (!cs_arena_dup(s->arena, text, ret_text))
		return no_memory(s->err);
	return true;
}

/* An optional string; the empty span when it is absent. */
static bool get_text(const struct scalars *s, const char *name,
		     struct cs_span *ret_text)
{
	const json_t *v = json_object_get(s->json, name);

	*ret_text = (struct cs_span){0};
	if (v == NULL)
		return true;
	if (!json_is_string(v))
		return bad(s, name);
	return copy_text(s, v, ret_text);
}

/* An optional list of strings. */
static bool get_list(const struct scalars *s, const char *name,
		     struct cs_span **ret_items, size_t *ret_n, bool *ret_there)
{
	const json_t *v = json_object_get(s->json, name), *item;
	struct cs_span *items;
	size_t n, i;

	*ret_there = v != NULL;
	*ret_n = 0;
	if (v == NULL)
		return true;
	if (!json_is_array(v))
		return bad(s, name);
	n = json_array_size(v);
	items = cs_arena_new_array(s->arena, n, sizeof(*items));
	if (items == NULL)
		return no_memory(s->err);
	for (i = 0; i < n; i++) {
		item = json_array_get(v, i);
		if (!json_is_string(item))
			return bad(s, name);
		if (!copy_text(s, item, &items[i]))
			return false;
	}
	*ret_items = items;
	*ret_n = n;
	return true;
}

/* A JSON object's next key, copied. */
static bool copy_key(const struct scalars *s, const char *key,
		     struct cs_span *ret_key)
{
	if (!cs_arena_dup(s->arena, cs_span_str(key), ret_key))
		return no_memory(s->err);
	return true;
}

/* An optional object of strings. */
static bool get_pairs(const struct scalars *s, const char *name,
		      struct cs_fact_pair **ret_pairs, size_t *ret_n)
{
	json_t *v = json_object_get(s->json, name), *item;
	struct cs_fact_pair *pairs;
	const char *key;
	size_t n = 0;

	*ret_n = 0;
	if (v == NULL)
		return true;
	if (!json_is_object(v))
		return bad(s, name);
	pairs = cs_arena_new_array(s->arena, json_object_size(v),
				   sizeof(*pairs));
	if (pairs == NULL)
		return no_memory(s->err);
	json_object_foreach(v, key, item)
	{
		if (!json_is_string(item))
			return bad(s, name);
		if (!copy_key(s, key, &pairs[n].key) ||
		    !copy_text(s, item, &pairs[n].value))
			return false;
		n++;
	}
	*ret_pairs = pairs;
	*ret_n = n;
	return true;
}

/* requester_extra: an optional object of lists of strings. */
static bool get_extra(const struct scalars *s, struct cs_request_facts *f)
{
	static const char name[] = "requester_extra";
	json_t *v = json_object_get(s->json, name), *item;
	struct scalars inner = *s;
	const char *key;
	bool there;

	if (v == NULL)
		return true;
	if (!json_is_object(v))
		return bad(s, name);
	f->extra = cs_arena_new_array(s->arena, json_object_size(v),
				      sizeof(*f->extra));
	if (f->extra == NULL)
		return no_memory(s->err);
	inner.json = v;
	json_object_foreach(v, key, item)
	{
		struct cs_fact_extra *e = &f->extra[f->extra_n++];

		if (!copy_key(s, key, &e->key) ||
		    !get_list(&inner, key, &e->values, &e->n, &there))
			return false;
	}
	return true;
}

/* An optional boolean. */
static bool get_bool(const struct scalars *s, const char *name, bool *ret_value,
		     bool *ret_there)
{
	const json_t *v = json_object_get(s->json, name);

	*ret_there = v != NULL;
	*ret_value = json_is_true(v);
	return v == NULL || json_is_boolean(v) || bad(s, name);
}

static bool get_duration(const struct scalars *s, struct cs_request_facts *f)
{
	struct cs_span text;

	if (!get_text(s, "duration", &text))
		return false;
	f->has_duration = text.n > 0;
	return text.n == 0 ||
	       cs_time_parse_duration(text, &f->duration_s, NULL) ||
	       bad(s, "duration");
}

/* The members that facts have a field for. */
static bool read_scalars(const struct scalars *s, struct cs_request_facts *f)
{
	bool there;

	return get_text(s, "namespace", &f->namespace) &&
	       get_text(s, "owner", &f->owner) &&
	       get_text(s, "requester", &f->requester) &&
	       get_pairs(s, "namespace_labels", &f->labels, &f->labels_n) &&
	       get_pairs(s, "attributes", &f->attributes, &f->attributes_n) &&
	       get_extra(s, f) &&
	       get_list(s, "groups", &f->groups, &f->groups_n, &there) &&
	       get_list(s, "usages", &f->usages, &f->usages_n,
			&f->has_usages) &&
	       get_bool(s, "isCA", &f->is_ca, &f->has_is_ca) &&
	       get_bool(s, "renewal", &f->renewal, &there) &&
	       get_duration(s, f);
}

/* The request's id, 32 hexadecimal digits. */
static bool write_id(const uint8_t id[16], struct cs_arena *arena,
		     struct cs_span *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	char *text = cs_arena_new(arena, 33);

	if (text == NULL)
		return false;
	for (size_t i = 0; i < 16; i++) {
		text[2 * i] = digits[id[i] >> 4];
		text[2 * i + 1] = digits[id[i] & 15];
	}
	*ret_text = cs_span_make(text, 32);
	return true;
}

bool cs_judge_request_facts(const struct cs_msg_request *request,
			    int64_t now_ms, struct cs_arena *arena,
			    struct cs_request_facts *ret_facts,
			    struct cs_error *err)
{
	struct cs_request_facts f = {
		.issuer = request->issuer,
		.source = request->source,
		.client = request->client_name,
		.realm = request->realm,
		.now_s = now_ms / 1000,
	};
	struct scalars s = {.arena = arena, .err = err};
	json_t *json;
	bool ok;

	if (request->scalars.n > CS_MAX_SCALARS)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "REQUEST: scalars of %zu bytes",
				    request->scalars.n);
	json = cs_json_parse(request->scalars, "scalars", err);
	if (json == NULL) {
		if (err != NULL && err->code != CS_E_NO_MEMORY)
			err->code = CS_E_PROTOCOL;
		return false;
	}
	s.json = json;
	ok = write_id(request->id, arena, &f.id) ? read_scalars(&s, &f)
						 : no_memory(err);
	json_decref(json);
	if (!ok)
		return false;
	if (f.requester.n == 0)
		f.requester = request->client_name;
	*ret_facts = f;
	return true;
}
