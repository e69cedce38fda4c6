#include "cli/roots.h"

#include "base/codec.h"
#include "base/limits.h"
#include "cli/files.h"

void cs_roots_done(struct cs_roots *r)
{
	for (size_t i = 0; i < r->n; i++)
		cs_issuer_ca_free(r->ca[i]);
	r->n = 0;
}

/* One certificate of the file. */
static bool load_one(struct cs_roots *r, struct cs_span der,
		     struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf pem;
	struct cs_issuer_ca_source source = {.name = CS_SPAN_LIT("root")};

	cs_buf_init(&pem, CS_MAX_PEM_FILE);
	if (r->n == CS_MAX_ISSUERS)
		return cs_error_set(err, CS_E_TOO_LARGE, "more than %d roots",
				    CS_MAX_ISSUERS);
	cs_codec_pem("CERTIFICATE", der, &pem);
	if (!cs_buf_finish(&pem, "root", err))
		return false;
	source.chain_pem = cs_buf_span(&pem);
	r->ca[r->n] = cs_issuer_ca_new(&source, err);
	if (r->ca[r->n] == NULL)
		return false;
	r->n++;
	return true;
}

bool cs_roots_load(const char *dir, struct cs_roots *r, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text, der;
	struct cs_span rest;
	bool found = true;

	cs_buf_init(&text, CS_MAX_PEM_FILE);
	cs_buf_init(&der, CS_MAX_PEM_FILE);
	*r = (struct cs_roots){0};
	if (!cs_files_read(dir, CS_ROOTS_FILE, &text, err))
		return false;
	rest = cs_buf_span(&text);
	while (found) {
		if (cs_codec_pem_next("CERTIFICATE", &rest, &der, &found,
				      err) &&
		    (!found || load_one(r, cs_buf_span(&der), err)))
			continue;
		cs_roots_done(r);
		return cs_error_prefix(err, CS_ROOTS_FILE);
	}
	return true;
}

bool cs_roots_add(const char *dir, const struct cs_issuer_ca *ca,
		  bool *ret_added, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_roots have;
	bool there = false;
	size_t n;

	cs_buf_init(&text, CS_MAX_PEM_FILE);
	if (!cs_roots_load(dir, &have, err))
		return false;
	for (size_t i = 0; i < have.n; i++)
		there = there ||
			cs_span_equal(have.ca[i]->full_pem, ca->root_pem);
	n = have.n;
	cs_roots_done(&have);
	*ret_added = !there;
	if (there)
		return true;
	/* One more could not be read again. */
	if (n == CS_MAX_ISSUERS)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    CS_ROOTS_FILE
				    ": it has %d roots, the most there can "
				    "be: take those out that nothing needs",
				    CS_MAX_ISSUERS);
	if (!cs_files_read(dir, CS_ROOTS_FILE, &text, err))
		return false;
	if (text.n > 0 && text.p[text.n - 1] != '\n')
		cs_buf_add_byte(&text, '\n');
	cs_buf_add(&text, ca->root_pem);
	return cs_buf_finish(&text, CS_ROOTS_FILE, err) &&
	       cs_files_replace(dir, CS_ROOTS_FILE, cs_buf_span(&text), err);
}
