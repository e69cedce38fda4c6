#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "api/openapi.h"
#include "api/params.h"
#include "api/routes.h"
#include "base/json.h"

/* What `{}` is called in the description, by the last segment before it. */
#define MAX_TEXT 256

static json_t *document(void)
{
	struct cs_error err;
	json_t *root = cs_json_parse(cs_openapi(), "openapi.json", &err);

	if (root == NULL)
		fail_msg("%s", err.text);
	return root;
}

/* Follow "#/a/b" from the document's root; other objects are themselves. */
static const json_t *resolve(const json_t *root, const json_t *object)
{
	const char *ref = json_string_value(json_object_get(object, "$ref"));
	char text[MAX_TEXT], *rest = text;

	if (ref == NULL)
		return object;
	assert_int_equal(strncmp(ref, "#/", 2), 0);
	snprintf(text, sizeof(text), "%s", ref + 2);
	object = root;
	while (object != NULL && rest != NULL)
		object = json_object_get(object, strsep(&rest, "/"));
	if (object == NULL)
		fail_msg("%s leads nowhere", ref);
	return object;
}

/* Does the path of the description have the shape of the table's pattern? */
static bool same_path(const char *described, const char *pattern)
{
	while (*described != '\0' || *pattern != '\0') {
		if (*described == '{' && strncmp(pattern, "{}", 2) == 0) {
			described = strchr(described, '}') + 1;
			pattern += 2;
		} else if (*described == '{' && strcmp(pattern, "{*}") == 0) {
			return true;
		} else if (*described++ != *pattern++) {
			return false;
		}
	}
	return true;
}

static const char *method_name(enum cs_http_method method)
{
	return method == CS_HTTP_GET	? "get"
	       : method == CS_HTTP_POST ? "post"
					: "delete";
}

/* The description of a row of the table. */
static const json_t *operation(json_t *root, const struct cs_route_row *row)
{
	const char *path;
	json_t *item;

	json_object_foreach(json_object_get(root, "paths"), path, item)
	{
		const json_t *found =
			json_object_get(item, method_name(row->method));

		if (same_path(path, row->pattern) && found != NULL)
			return found;
	}
	fail_msg("%s %s is not in api/openapi.json", method_name(row->method),
		 row->pattern);
	return NULL;
}

/* Is the text one of the strings? */
static bool holds(const json_t *array, const char *text)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (strcmp(json_string_value(json_array_get(array, i)), text) ==
		    0)
			return true;
	return false;
}

static void every_route_is_described_and_nothing_else(CS_UNUSED void **state)
{
	json_t *root = document();
	size_t routes = 0, described = 0;
	const char *path;
	json_t *item;

	for (; cs_route_at(routes) != NULL; routes++)
		operation(root, cs_route_at(routes));
	json_object_foreach(json_object_get(root, "paths"), path, item)
		described += json_object_size(item);
	assert_int_equal(described, routes);
	json_decref(root);
}

static void who_may_use_a_route_is_as_the_table_says(CS_UNUSED void **state)
{
	static const char *const access[] = {
		[CS_ACCESS_PUBLIC] = "public",
		[CS_ACCESS_ANYBODY] = "anybody",
		[CS_ACCESS_CLIENT] = "client",
		[CS_ACCESS_LOCAL] = "local",
	};
	json_t *root = document();
	const struct cs_route_row *row;

	for (size_t n = 0; (row = cs_route_at(n)) != NULL; n++) {
		const json_t *op = operation(root, row);
		const json_t *rights = json_object_get(op, "x-rights");
		size_t wanted = 0;

		assert_string_equal(
			json_string_value(json_object_get(op, "x-access")),
			access[row->access]);
		assert_int_equal(json_is_array(json_object_get(op, "security")),
				 row->access == CS_ACCESS_PUBLIC ||
					 row->access == CS_ACCESS_ANYBODY);
		for (unsigned bit = 1; bit <= CS_RIGHT_ADMIN; bit <<= 1) {
			if ((row->rights & bit) == 0)
				continue;
			wanted++;
			if (!holds(rights, cs_right_name(bit)))
				fail_msg("%s: right %s is not described",
					 row->pattern, cs_right_name(bit));
		}
		assert_int_equal(json_array_size(rights), wanted);
	}
	json_decref(root);
}

/* Do the description's query parameters and the table have the same names? */
static void check_parameters(const json_t *root, const json_t *op,
			     const char *what, const struct cs_param *table)
{
	const json_t *list = json_object_get(op, "parameters");
	size_t wanted = 0, found = 0;

	for (; table[wanted].query != NULL; wanted++) {
		const json_t *schema = NULL;

		for (size_t i = 0; i < json_array_size(list); i++) {
			const json_t *p =
				resolve(root, json_array_get(list, i));
			const char *name =
				json_string_value(json_object_get(p, "name"));

			if (strcmp(name, table[wanted].query) == 0)
				schema = json_object_get(p, "schema");
		}
		if (schema == NULL)
			fail_msg("%s: %s is not described", what,
				 table[wanted].query);
		if ((table[wanted].kind == CS_PARAM_LIST) !=
		    (json_object_get(schema, "items") != NULL))
			fail_msg("%s: may %s be repeated?", what,
				 table[wanted].query);
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *p = resolve(root, json_array_get(list, i));

		found += strcmp(json_string_value(json_object_get(p, "in")),
				"query") == 0;
	}
	if (found != wanted)
		fail_msg("%s: %zu parameters are described, %zu are known",
			 what, found, wanted);
}

static void lists_take_the_parameters_that_are_described(CS_UNUSED void **state)
{
	static const struct {
		enum cs_route route;
		const struct cs_param *table;
	} lists[] = {
		{CS_ROUTE_AUDIT, cs_params_audit},
		{CS_ROUTE_HISTORY, cs_params_history},
		{CS_ROUTE_REQUESTS, cs_params_requests},
		{CS_ROUTE_CERTIFICATES, cs_params_certificates},
	};
	json_t *root = document();
	const struct cs_route_row *row;

	for (size_t n = 0; (row = cs_route_at(n)) != NULL; n++)
		for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
			if (row->route == lists[i].route)
				check_parameters(root, operation(root, row),
						 row->pattern, lists[i].table);
	json_decref(root);
}

/* Every reference of a value and of what is inside leads somewhere. */
static size_t check_references(const json_t *root, json_t *value)
{
	size_t n = 0, i;
	const char *key;
	json_t *inner;

	if (json_is_object(value) && resolve(root, value) != value)
		n++;
	json_object_foreach(value, key, inner) n +=
		check_references(root, inner);
	json_array_foreach(value, i, inner) n += check_references(root, inner);
	return n;
}

static void every_reference_leads_somewhere(CS_UNUSED void **state)
{
	json_t *root = document();

	assert_true(check_references(root, root) > 50);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_described_and_nothing_else),
		cmocka_unit_test(who_may_use_a_route_is_as_the_table_says),
		cmocka_unit_test(lists_take_the_parameters_that_are_described),
		cmocka_unit_test(every_reference_leads_somewhere),
	};

	return cs_test_run("api/openapi", tests);
}
