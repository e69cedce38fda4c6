#include <tests/lib/test.h>

#include <string.h>

#include "policy/load.h"
#include "policy/schema.h"

#define MAX_DEPTH 32

/* Every reference below a value must lead to a definition. */
static void check_references(json_t *value, json_t *definitions)
{
	json_t *stack[1024];
	size_t n = 1;

	stack[0] = value;
	while (n > 0) {
		json_t *at = stack[--n], *child;
		const char *key;
		size_t i;

		json_object_foreach(at, key, child)
		{
			if (strcmp(key, "$ref") == 0 &&
			    json_object_get(definitions,
					    json_string_value(child) +
						    strlen("#/definitions/")) ==
				    NULL)
				fail_msg("%s", json_string_value(child));
			assert_in_range(n, 0, 1000);
			stack[n++] = child;
		}
		json_array_foreach(at, i, child)
		{
			assert_in_range(n, 0, 1000);
			stack[n++] = child;
		}
	}
}

static void every_reference_leads_somewhere(void **state)
{
	json_t *schema = cs_policy_schema();

	(void)state;
	assert_non_null(schema);
	check_references(schema, json_object_get(schema, "definitions"));
	json_decref(schema);
}

/* Each key that is ours must be a property, and no other. */
static void check_table(json_t *schema, const char *name,
			const struct cs_load_key *keys)
{
	json_t *map =
		json_object_get(json_object_get(schema, "definitions"), name);
	json_t *properties = json_object_get(map, "properties");
	size_t n = 0;

	for (; keys->name != NULL; keys++) {
		bool there = json_object_get(properties, keys->name) != NULL;

		if (there == keys->later)
			fail_msg("%s of %s", keys->name, name);
		n += there;
	}
	assert_int_equal(n, json_object_size(properties));
	assert_true(
		json_is_false(json_object_get(map, "additionalProperties")));
}

static void the_keys_of_the_loader_are_the_properties(void **state)
{
	static const struct {
		const char *name;
		const struct cs_load_key *keys;
	} tables[] = {
		{"metadata", cs_keys_metadata},
		{"spec", cs_keys_spec},
		{"match", cs_keys_match},
		{"requester", cs_keys_requester},
		{"attr", cs_keys_attr},
		{"common_name", cs_keys_common_name},
		{"san", cs_keys_san},
		{"san_dns", cs_keys_san_dns},
		{"san_uri", cs_keys_san_kind},
		{"san_other", cs_keys_san_other},
		{"uri", cs_keys_uri},
		{"email", cs_keys_email},
		{"key", cs_keys_key},
		{"validity", cs_keys_validity},
		{"extensions", cs_keys_extensions},
		{"usages", cs_keys_usages},
		{"limit", cs_keys_limit},
		{"window", cs_keys_window},
		{"request", cs_keys_request},
		{"expect", cs_keys_expect},
		{"guards_spec", cs_keys_guards_spec},
		{"guard", cs_keys_guard},
	};
	json_t *schema = cs_policy_schema();

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		check_table(schema, tables[i].name, tables[i].keys);
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reference_leads_somewhere),
		cmocka_unit_test(the_keys_of_the_loader_are_the_properties),
	};

	return cs_test_run("policy/schema", tests);
}
