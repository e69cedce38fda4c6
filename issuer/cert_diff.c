#include "issuer/cert_diff.h"

#include "base/codec.h"
#include "base/der.h"
#include "base/limits.h"
#include "base/time.h"
#include "issuer/subject.h"
#include "policy/name.h"
#include "policy/usage.h"

/* One comparison under way. */
struct comparing {
	const struct cs_tbs_facts *facts[2]; /* was, now */
	struct cs_arena *arena;
	struct cs_buf text[2];
	struct cs_cert_diff *diff;
	bool no_memory;
};

/* Writes what one of the two says of a field. */
typedef void write_fn(struct comparing *c, const struct cs_tbs_facts *f,
		      struct cs_buf *out);

/* ", " between the items of a list. */
static void put_comma(struct cs_buf *out)
{
	if (out->n > 0)
		cs_buf_add_str(out, ", ");
}

static void put_oid(struct cs_span oid, struct cs_buf *out)
{
	put_comma(out);
	cs_der_oid_text(oid, out);
}

static void put_critical(bool critical, struct cs_buf *out)
{
	if (critical)
		cs_buf_add_str(out, " (critical)");
}

static void write_subject(CS_UNUSED struct comparing *c,
			  const struct cs_tbs_facts *f, struct cs_buf *out)
{
	for (size_t i = 0; i < f->cert.subject_n; i++) {
		const struct cs_fact_attr *a = &f->cert.subject[i];
		const char *name = cs_subject_attr_name(a->oid);

		put_comma(out);
		if (name != NULL)
			cs_buf_add_str(out, name);
		else
			cs_der_oid_text(a->oid, out);
		cs_buf_add_byte(out, '=');
		cs_buf_add(out, a->value);
	}
}

/* The names of one kind. */
static void write_names(const struct cs_tbs_facts *f, enum cs_name_kind kind,
			struct cs_buf *out)
{
	for (size_t i = 0; i < f->cert.names_n; i++) {
		const struct cs_fact_name *name = &f->cert.names[i];

		if (name->kind != kind)
			continue;
		put_comma(out);
		if (name->canonical.n > 0 && kind != CS_NAME_OTHER) {
			cs_buf_add(out, name->canonical);
			continue;
		}
		if (kind == CS_NAME_OTHER) {
			cs_der_oid_text(name->oid, out);
			cs_buf_add_byte(out, '=');
		}
		cs_codec_hex(name->content, out);
	}
}

#define NAMES(word, KIND)                                                      \
	static void write_##word(CS_UNUSED struct comparing *c,                \
				 const struct cs_tbs_facts *f,                 \
				 struct cs_buf *out)                           \
	{                                                                      \
		write_names(f, CS_NAME_##KIND, out);                           \
	}
NAMES(dns, DNS)
NAMES(ip, IP)
NAMES(uri, URI)
NAMES(email, EMAIL)
NAMES(directory_name, DIRECTORY)
NAMES(registered_id, REGISTERED_ID)
NAMES(other_name, OTHER)
#undef NAMES

static void write_validity(CS_UNUSED struct comparing *c,
			   const struct cs_tbs_facts *f, struct cs_buf *out)
{
	char text[CS_TIME_TEXT];

	cs_time_rfc3339(f->not_before_s, text);
	cs_buf_addf(out, "%s to ", text);
	cs_time_rfc3339(f->not_after_s, text);
	cs_buf_add_str(out, text);
}

static void write_key_usage(struct comparing *c, const struct cs_tbs_facts *f,
			    struct cs_buf *out)
{
	struct cs_span text;

	if (!f->cert.has_key_usage)
		return;
	if (!cs_usage_bits_text(f->cert.key_usage, c->arena, &text)) {
		c->no_memory = true;
		return;
	}
	cs_buf_add(out, text);
	put_critical(f->cert.key_usage_critical, out);
}

static void write_ext_key_usage(struct comparing *c,
				const struct cs_tbs_facts *f,
				struct cs_buf *out)
{
	struct cs_span word;

	for (size_t i = 0; i < f->cert.ext_key_usage_n; i++) {
		if (!cs_usage_oid_word(f->cert.ext_key_usage[i], c->arena,
				       &word)) {
			c->no_memory = true;
			return;
		}
		put_comma(out);
		cs_buf_add(out, word);
	}
	put_critical(f->cert.ext_key_usage_critical, out);
}

static void write_constraints(CS_UNUSED struct comparing *c,
			      const struct cs_tbs_facts *f, struct cs_buf *out)
{
	if (!f->cert.has_basic_constraints)
		return;
	cs_buf_add_str(out, f->cert.ca ? "CA" : "no CA");
	if (f->cert.has_path_len)
		cs_buf_addf(out, ", path length %u", f->cert.path_len);
	put_critical(f->cert.basic_constraints_critical, out);
}

static void write_policies(CS_UNUSED struct comparing *c,
			   const struct cs_tbs_facts *f, struct cs_buf *out)
{
	for (size_t i = 0; i < f->policies_n; i++)
		put_oid(f->policies[i], out);
}

static void put_urls(const struct cs_span *urls, size_t n, struct cs_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		put_comma(out);
		cs_buf_add(out, urls[i]);
	}
}

static void write_crl(CS_UNUSED struct comparing *c,
		      const struct cs_tbs_facts *f, struct cs_buf *out)
{
	put_urls(f->crl_urls, f->crl_urls_n, out);
}

static void write_ocsp(CS_UNUSED struct comparing *c,
		       const struct cs_tbs_facts *f, struct cs_buf *out)
{
	put_urls(f->ocsp_urls, f->ocsp_urls_n, out);
}

static void write_ca_issuers(CS_UNUSED struct comparing *c,
			     const struct cs_tbs_facts *f, struct cs_buf *out)
{
	put_urls(f->ca_issuers_urls, f->ca_issuers_urls_n, out);
}

static void write_extensions(CS_UNUSED struct comparing *c,
			     const struct cs_tbs_facts *f, struct cs_buf *out)
{
	for (size_t i = 0; i < f->cert.extensions_n; i++) {
		const struct cs_fact_ext *e = &f->cert.extensions[i];

		put_oid(e->oid, out);
		cs_buf_add_byte(out, '=');
		cs_codec_hex(e->value, out);
		put_critical(e->critical, out);
	}
}

/* Of the key, its hash is what people can compare. */
static void write_key(CS_UNUSED struct comparing *c,
		      const struct cs_tbs_facts *f, struct cs_buf *out)
{
	cs_codec_hex(cs_span_make(f->cert.key.spki_sha256, 32), out);
}

static void write_serial(CS_UNUSED struct comparing *c,
			 const struct cs_tbs_facts *f, struct cs_buf *out)
{
	cs_codec_hex(f->serial, out);
}

static void write_issuer(struct comparing *c, const struct cs_tbs_facts *f,
			 struct cs_buf *out)
{
	struct cs_span text;

	if (cs_name_dn(f->issuer, c->arena, &text, NULL))
		cs_buf_add(out, text);
	else
		cs_codec_hex(f->issuer, out);
	cs_buf_add_str(out, ", key ");
	cs_codec_hex(f->aki, out);
	cs_buf_addf(out, ", algorithm %d", (int)f->alg);
}

static const struct {
	const char *field;
	write_fn *write;
} fields[] = {
	{"subject", write_subject},
	{"san.dns", write_dns},
	{"san.ip", write_ip},
	{"san.uri", write_uri},
	{"san.email", write_email},
	{"san.directory_name", write_directory_name},
	{"san.registered_id", write_registered_id},
	{"san.other_name", write_other_name},
	{"validity", write_validity},
	{"key_usage", write_key_usage},
	{"ext_key_usage", write_ext_key_usage},
	{"basic_constraints", write_constraints},
	{"certificate_policies", write_policies},
	{"crl_urls", write_crl},
	{"ocsp_urls", write_ocsp},
	{"ca_issuers_urls", write_ca_issuers},
	{"extensions", write_extensions},
	{"key", write_key},
	{"serial", write_serial},
	{"issuer", write_issuer},
};

#define FIELDS_N (sizeof(fields) / sizeof(fields[0]))

/* Add a field, with copies of both texts. */
static void add(struct comparing *c, const char *field)
{
	struct cs_cert_change *change = &c->diff->items[c->diff->n];

	if (!cs_buf_ok(&c->text[0]) || !cs_buf_ok(&c->text[1]) ||
	    !cs_arena_dup(c->arena, cs_buf_span(&c->text[0]), &change->was) ||
	    !cs_arena_dup(c->arena, cs_buf_span(&c->text[1]), &change->now)) {
		c->no_memory = true;
		return;
	}
	change->field = field;
	c->diff->n++;
}

static void compare(struct comparing *c)
{
	for (size_t i = 0; i < FIELDS_N && !c->no_memory; i++) {
		for (size_t k = 0; k < 2; k++) {
			cs_buf_reset(&c->text[k]);
			fields[i].write(c, c->facts[k], &c->text[k]);
		}
		if (!cs_span_equal(cs_buf_span(&c->text[0]),
				   cs_buf_span(&c->text[1])))
			add(c, fields[i].field);
	}
	if (c->diff->n > 0 || c->no_memory)
		return;
	cs_buf_reset(&c->text[0]);
	cs_buf_reset(&c->text[1]);
	add(c, "encoding");
}

bool cs_cert_diff_make(const struct cs_tbs_facts *was,
		       const struct cs_tbs_facts *now, struct cs_arena *arena,
		       struct cs_cert_diff *ret_diff, struct cs_error *err)
{
	struct cs_cert_diff diff = {.n = 0};
	struct comparing c = {
		.facts = {was, now}, .arena = arena, .diff = &diff};

	if (!cs_span_equal(was->tbs, now->tbs)) {
		for (size_t k = 0; k < 2; k++)
			cs_buf_init(&c.text[k], 4 * CS_MAX_TBS);
		compare(&c);
		for (size_t k = 0; k < 2; k++)
			cs_buf_done(&c.text[k]);
	}
	if (c.no_memory)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory to compare certificates");
	*ret_diff = diff;
	return true;
}
