#include "api/issuers.h"

#include <string.h>

#include "base/json.h"

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory for the issuers");
}

/* The ledger's row of the certificate with this hash; NULL: none. */
static const json_t *find_row(const json_t *rows, const json_t *sha256)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (json_equal(json_object_get(row, "sha256"), sha256))
			return row;
	}
	return NULL;
}

/* A member of the row, or null. */
static json_t *from_row(const json_t *row, const char *name)
{
	json_t *v = json_object_get(row, name);

	return v != NULL ? json_incref(v) : json_null();
}

/* One recorded generation, as it is shown. */
static bool put_generation(json_t *list, const json_t *row, const json_t *shown)
{
	const char *state = json_object_get(row, "retired") != NULL ? "retired"
			    : row == shown			    ? "active"
					   : "superseded";
	json_t *g = json_deep_copy(row);

	json_object_del(g, "name");
	if (json_object_get(row, "crl_base") != NULL) {
		json_object_set(g, "crl_url", json_object_get(row, "crl_base"));
		json_object_del(g, "crl_base");
	}
	return json_object_set_new(g, "state", json_string(state)) == 0 &&
	       json_array_append_new(list, g) == 0;
}

/* All that are recorded under this name. NULL: no memory. */
static json_t *generations(const json_t *rows, const json_t *name,
			   const json_t *shown)
{
	json_t *list = json_array();
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (!json_equal(json_object_get(row, "name"), name))
			continue;
		if (put_generation(list, row, shown))
			continue;
		json_decref(list);
		return NULL;
	}
	return list;
}

/* What is known of one issuer, as an object. */
static json_t *join(const struct cs_front_issuer *issuer, const json_t *rows,
		    struct cs_error *err)
{
	json_t *about = cs_json_parse(issuer->about, "an issuer", err);
	const json_t *row = find_row(rows, json_object_get(about, "sha256"));

	if (about == NULL)
		return NULL;
	if (json_object_set_new(about, "created", from_row(row, "created")) ==
		    0 &&
	    json_object_set_new(about, "generation",
				from_row(row, "generation")) == 0 &&
	    json_object_set_new(
		    about, "generations",
		    generations(rows, json_object_get(about, "name"), row)) ==
		    0 &&
	    json_object_set_new(
		    about, "state",
		    json_string(issuer->is_retired ? "retired" : "active")) ==
		    0)
		return about;
	json_decref(about);
	no_memory(err);
	return NULL;
}

bool cs_issuers_write(const struct cs_front_issuer *issuers, size_t n,
		      struct cs_span recorded, struct cs_buf *out,
		      struct cs_error *err)
{
	json_t *page = cs_json_parse(recorded, "the reader's page", err);
	json_t *list = json_pack("{s:[],s:n}", "items", "next");
	bool ok = page != NULL && (list != NULL || no_memory(err));

	for (size_t i = 0; ok && i < n; i++) {
		json_t *one =
			join(&issuers[i], json_object_get(page, "items"), err);

		ok = one != NULL &&
		     (json_array_append_new(json_object_get(list, "items"),
					    one) == 0 ||
		      no_memory(err));
	}
	ok = ok && cs_json_canonical(list, out, err);
	json_decref(list);
	json_decref(page);
	return ok;
}

bool cs_issuers_write_one(const struct cs_front_issuer *issuer,
			  struct cs_span recorded, struct cs_buf *out,
			  struct cs_error *err)
{
	json_t *page = cs_json_parse(recorded, "the reader's page", err);
	json_t *one =
		page != NULL ? join(issuer, json_object_get(page, "items"), err)
			     : NULL;
	bool ok = one != NULL && cs_json_canonical(one, out, err);

	json_decref(one);
	json_decref(page);
	return ok;
}
