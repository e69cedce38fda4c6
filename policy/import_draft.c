/* Native documents in the making. */
#include <string.h>

#include "base/time.h"
#include "policy/import_parts.h"

/* May the byte stand in a policy's name? */
static bool is_name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.' || c == '_';
}

/* Has another draft this name? */
static bool is_taken(const struct cs_importing *i, const char *name)
{
	for (const struct cs_draft *d = i->drafts; d != NULL; d = d->next) {
		if (cs_span_equal_str(d->policy->name, name))
			return true;
	}
	return false;
}

/* A name that policies may have, as near to the foreign one as can be. */
static bool native_name(struct cs_importing *i, struct cs_span foreign,
			char ret_name[CS_MAX_NAME + 1])
{
	/* Room for "-9999". */
	size_t n = 0, max = CS_MAX_NAME - 5;

	for (size_t k = 0; k < foreign.n && n < max; k++) {
		uint8_t c = foreign.p[k];

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 32);
		if (!is_name_byte(c))
			c = '-';
		if (n > 0 || (c != '-' && c != '.' && c != '_'))
			ret_name[n++] = (char)c;
	}
	ret_name[n] = '\0';
	if (n == 0 || strcmp(ret_name, "guards") == 0 ||
	    strcmp(ret_name, "built-in") == 0) {
		memcpy(ret_name, "imported", 9);
		n = 8;
	}
	for (unsigned k = 2; is_taken(i, ret_name); k++) {
		if (k > 9999)
			return false;
		(void)snprintf(ret_name + n, 6, "-%u", k);
	}
	return true;
}

bool cs_import_begin(struct cs_importing *i, const struct cs_yaml *at,
		     struct cs_span foreign_name)
{
	struct cs_draft *d = cs_arena_new(i->arena, sizeof(*d));
	struct cs_import_policy *p = cs_arena_new(i->arena, sizeof(*p));
	char name[CS_MAX_NAME + 1];

	if (d == NULL || p == NULL) {
		i->no_memory = true;
		return false;
	}
	if (i->drafts_n++ >= CS_MAX_POLICIES ||
	    !native_name(i, foreign_name, name)) {
		cs_import_fail(i, at, "", "more than %d policies",
			       CS_MAX_POLICIES);
		return false;
	}
	d->policy = p;
	d->last = &p->lines;
	d->spec = json_object();
	p->source = i->source;
	p->line = at->line;
	if (d->spec == NULL ||
	    !cs_arena_dup(i->arena, cs_span_str(name), &p->name)) {
		json_decref(d->spec);
		i->no_memory = true;
		return false;
	}
	*i->last_draft = d;
	i->last_draft = &d->next;
	i->draft = d;
	if (!cs_span_equal_str(foreign_name, name))
		cs_import_tell(i, CS_IMPORT_NOTE, at, "name",
			       "`%.*s` is called `%s` here",
			       CS_SPAN_FMT(cs_span_sub(foreign_name, 0, 256)),
			       name);
	return true;
}

void cs_import_set(struct cs_importing *i, json_t *object, const char *name,
		   json_t *value)
{
	if (json_object_set_new(object, name, value) != 0)
		i->no_memory = true;
}

/* Text of a YAML tree, which is UTF-8. */
static json_t *text_json(struct cs_span text)
{
	return json_stringn(text.n > 0 ? (const char *)text.p : "", text.n);
}

void cs_import_set_text(struct cs_importing *i, json_t *object,
			const char *name, struct cs_span text)
{
	cs_import_set(i, object, name, text_json(text));
}

/* The member, made when it is absent. */
static json_t *member(struct cs_importing *i, json_t *object, const char *name,
		      json_t *(*make)(void))
{
	if (json_object_get(object, name) == NULL)
		cs_import_set(i, object, name, make());
	return json_object_get(object, name);
}

void cs_import_add(struct cs_importing *i, json_t *object, const char *name,
		   json_t *value)
{
	json_t *list = member(i, object, name, json_array);

	if (json_array_append_new(list, value) != 0)
		i->no_memory = true;
}

void cs_import_add_text(struct cs_importing *i, json_t *object,
			const char *name, struct cs_span text)
{
	cs_import_add(i, object, name, text_json(text));
}

json_t *cs_import_section(struct cs_importing *i, const char *name)
{
	return member(i, i->draft->spec, name, json_object);
}

json_t *cs_import_field(struct cs_importing *i, const char *section,
			const char *name)
{
	return member(i, cs_import_section(i, section), name, json_object);
}

void cs_import_match_options(struct cs_importing *i)
{
	const struct cs_import_options *o = i->options;
	json_t *match = cs_import_section(i, "match");

	if (o->issuer.n > 0)
		cs_import_add_text(i, match, "issuer", o->issuer);
	if (o->users_n == 0 ||
	    (o->users_n == 1 && cs_span_equal_str(o->users[0], "*")))
		return;
	match = cs_import_field(i, "match", "requester");
	for (size_t k = 0; k < o->users_n; k++)
		cs_import_add_text(i, match, "users", o->users[k]);
}

void cs_import_key_reject(struct cs_importing *i)
{
	json_t *key = cs_import_section(i, "key");

	cs_import_add_text(i, key, "reject", CS_SPAN_LIT("roca"));
	cs_import_add_text(i, key, "reject", CS_SPAN_LIT("fermat"));
	cs_import_add_text(i, key, "reject", CS_SPAN_LIT("small-factors"));
}

void cs_import_set_seconds(struct cs_importing *i, json_t *object,
			   const char *name, int64_t seconds)
{
	char text[CS_TIME_TEXT];

	cs_time_duration(seconds, text);
	cs_import_set_text(i, object, name, cs_span_str(text));
}

json_t *cs_import_matcher(struct cs_importing *i, const char *key,
			  struct cs_span text)
{
	json_t *m = json_object();

	cs_import_set_text(i, m, key, text);
	return m;
}
