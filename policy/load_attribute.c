/* Attributes of a subject by what a policy calls them. */
#include "base/der.h"
#include "policy/attribute.h"
#include "policy/load.h"

/* A dotted OID as the name of an attribute. */
static bool oid_of(struct cs_load *l, const struct cs_yaml *node,
		   struct cs_span name, struct cs_span *ret_oid)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf oid;
	struct cs_error err = {0};
	const struct cs_attribute *known;

	cs_buf_init(&oid, CS_MAX_OID);
	if (!cs_der_oid_parse(name, &oid, &err) ||
	    !cs_buf_finish(&oid, "the OID", &err)) {
		cs_load_error_key(l, node, "%s", err.text);
		return false;
	}
	known = cs_attribute_by_oid(cs_buf_span(&oid));
	if (known != NULL) {
		cs_load_error_key(l, node, "write `%s` for %.*s", known->name,
				  CS_SPAN_FMT(name));
		return false;
	}
	if (!cs_arena_dup(l->arena, cs_buf_span(&oid), ret_oid)) {
		cs_load_no_memory(l);
		return false;
	}
	return true;
}

const char *cs_load_nearest_attribute(struct cs_span key)
{
	const struct cs_attribute *alias = cs_attribute_by_alias(key);
	struct cs_load_key keys[32] = {{NULL, false, NULL}};
	const struct cs_attribute *a;

	if (alias != NULL)
		return alias->name;
	for (size_t i = 0; i < 31 && (a = cs_attribute_at(i)) != NULL; i++)
		keys[i].name = a->name;
	return cs_load_nearest(key, keys);
}

bool cs_load_attribute(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_span name, struct cs_span *ret_oid)
{
	const struct cs_attribute *a = cs_attribute_by_name(name);
	const char *near;

	if (a != NULL) {
		*ret_oid = a->oid;
		return true;
	}
	if (name.n > 0 && name.p[0] >= '0' && name.p[0] <= '9')
		return oid_of(l, node, name, ret_oid);
	near = cs_load_nearest_attribute(name);
	if (near != NULL)
		cs_load_error_key(l, node,
				  "`subject.%.*s` is not known; did you mean "
				  "`%s`?",
				  CS_SPAN_FMT(name), near);
	else
		cs_load_error_key(l, node,
				  "`subject.%.*s` is not known; use an "
				  "attribute's name or its OID",
				  CS_SPAN_FMT(name));
	return false;
}
