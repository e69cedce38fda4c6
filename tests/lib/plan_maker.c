#include "tests/lib/test.h"

#include "tests/lib/plan_maker.h"

#include <string.h>

#include "base/der.h"
#include "base/time.h"
#include "issuer/oids.h"
#include "issuer/subject.h"

#define LOW   "abcdefghijklmnopqrstuvwxyz"
#define LATIN LOW "ABCDEFGH 0123456789-.'()+,/:=?"

unsigned plan_draw(struct plan_maker *m, unsigned below)
{
	m->state = m->state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(m->state >> 33) % below;
}

static struct cs_span draw_text(struct plan_maker *m, struct cs_arena *a,
				const char *alphabet, unsigned max)
{
	size_t n = 1 + plan_draw(m, max), k = strlen(alphabet);
	char *text = cs_arena_new(a, n + 1);

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		text[i] = alphabet[plan_draw(m, (unsigned)k)];
	return cs_span_make(text, n);
}

/* UTF-8 of one to four octets a character. */
static struct cs_span draw_utf8(struct plan_maker *m, struct cs_arena *a)
{
	static const char *const words[] = {
		"Z\xc3\xbcrich", "\xe6\x9d\xb1", "\xf0\x9f\x94\x91", "AG", " ",
		"\xce\xa9"};
	struct cs_buf out;
	struct cs_span copy;

	cs_buf_init(&out, 200);
	for (unsigned i = 0, n = 1 + plan_draw(m, 6); i < n; i++)
		cs_buf_add(&out, cs_span_str(words[plan_draw(m, 6)]));
	assert_true(cs_arena_dup(a, cs_buf_span(&out), &copy));
	cs_buf_done(&out);
	return copy;
}

static const struct cs_span attr_oids[] = {
	CS_SPAN_INIT(CS_OID_COMMON_NAME),
	CS_SPAN_INIT(CS_OID_SURNAME),
	CS_SPAN_INIT(CS_OID_SERIAL_NUMBER),
	CS_SPAN_INIT(CS_OID_LOCALITY),
	CS_SPAN_INIT(CS_OID_STATE),
	CS_SPAN_INIT(CS_OID_STREET),
	CS_SPAN_INIT(CS_OID_ORGANIZATION),
	CS_SPAN_INIT(CS_OID_ORGANIZATIONAL_UNIT),
	CS_SPAN_INIT(CS_OID_TITLE),
	CS_SPAN_INIT(CS_OID_GIVEN_NAME),
	CS_SPAN_INIT(CS_OID_DN_QUALIFIER),
	CS_SPAN_INIT(CS_OID_DOMAIN_COMPONENT),
	CS_SPAN_INIT(CS_OID_USER_ID),
	CS_SPAN_INIT(CS_OID_EMAIL_ADDRESS),
	CS_SPAN_INIT("\x2a\x03\x04\x05"),
};

static void draw_subject(struct plan_maker *m, struct cs_arena *a,
			 struct cs_plan *p)
{
	size_t n = plan_draw(m, 3) == 0 ? 0 : plan_draw(m, 8);

	p->subject = cs_arena_new_array(a, n + 1, sizeof(*p->subject));
	assert_non_null(p->subject);
	for (size_t i = 0; i < n; i++) {
		struct cs_plan_attr *at = &p->subject[i];

		at->oid = attr_oids[plan_draw(m, sizeof(attr_oids) /
							 sizeof(*attr_oids))];
		at->value = draw_text(m, a, LATIN, 40);
		if (cs_subject_attr_tag(at->oid) == CS_DER_UTF8_STRING &&
		    plan_draw(m, 4) == 0)
			at->value = draw_utf8(m, a);
	}
	p->subject_n = n;
	if (plan_draw(m, 4) == 0)
		p->subject[p->subject_n++] = (struct cs_plan_attr){
			.oid = CS_SPAN_LIT(CS_OID_COUNTRY),
			.value = CS_SPAN_LIT("CH")};
}

/* DER of one TLV around text, in the arena. */
static struct cs_span wrap(struct cs_arena *a, uint8_t tag, struct cs_span text)
{
	struct cs_span copy;
	struct cs_buf out;

	cs_buf_init(&out, 400);
	cs_der_write(&out, tag, text);
	assert_true(cs_arena_dup(a, cs_buf_span(&out), &copy));
	cs_buf_done(&out);
	return copy;
}

/* A Name of one common name. */
static struct cs_span draw_directory(struct plan_maker *m, struct cs_arena *a)
{
	struct cs_span copy;
	struct cs_buf out;
	size_t name, rdn, attr;

	cs_buf_init(&out, 400);
	name = cs_der_write_begin(&out, CS_DER_SEQUENCE);
	rdn = cs_der_write_begin(&out, CS_DER_SET);
	attr = cs_der_write_begin(&out, CS_DER_SEQUENCE);
	cs_der_write(&out, CS_DER_OID, CS_SPAN_LIT(CS_OID_COMMON_NAME));
	cs_der_write(&out, CS_DER_UTF8_STRING, draw_text(m, a, LOW, 40));
	cs_der_write_end(&out, attr);
	cs_der_write_end(&out, rdn);
	cs_der_write_end(&out, name);
	assert_true(cs_arena_dup(a, cs_buf_span(&out), &copy));
	cs_buf_done(&out);
	return copy;
}

/* Octets of an address that no other name of this plan has. */
static struct cs_span draw_address(struct plan_maker *m, struct cs_arena *a,
				   size_t i)
{
	size_t n = plan_draw(m, 2) ? 4 : 16;
	uint8_t *octets = cs_arena_new(a, n);

	assert_non_null(octets);
	for (size_t k = 0; k < n; k++)
		octets[k] = (uint8_t)plan_draw(m, 256);
	octets[0] = 0x20;
	octets[n - 1] = (uint8_t)i;
	return cs_span_make(octets, n);
}

/* The i-th name: of any kind, and not the same as another. */
static void draw_name(struct plan_maker *m, struct cs_arena *a, size_t i,
		      struct cs_plan_name *n)
{
	static const enum cs_name_kind kinds[] = {
		CS_NAME_DNS,	       CS_NAME_DNS,
		CS_NAME_DNS,	       CS_NAME_IP,
		CS_NAME_URI,	       CS_NAME_EMAIL,
		CS_NAME_OTHER,	       CS_NAME_IP,
		CS_NAME_DNS,	       CS_NAME_URI,
		CS_NAME_REGISTERED_ID, CS_NAME_DIRECTORY};
	struct cs_span word = draw_text(m, a, LOW, 40);
	const char *text = NULL;

	n->kind = kinds[plan_draw(m, sizeof(kinds) / sizeof(*kinds))];
	switch (n->kind) {
	case CS_NAME_DNS:
		text = cs_arena_printf(a, "%s%.*s.%zu.example",
				       plan_draw(m, 6) == 0 ? "*." : "",
				       CS_SPAN_FMT(word), i);
		break;
	case CS_NAME_URI:
		text = cs_arena_printf(a, "spiffe://%zu.example/%.*s", i,
				       CS_SPAN_FMT(word));
		break;
	case CS_NAME_EMAIL:
		text = cs_arena_printf(a, "%.*s@%zu.example", CS_SPAN_FMT(word),
				       i);
		break;
	case CS_NAME_IP:
		n->content = draw_address(m, a, i);
		return;
	case CS_NAME_OTHER:
		n->oid =
			CS_SPAN_LIT("\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03");
		n->content = wrap(a, CS_DER_UTF8_STRING, word);
		return;
	case CS_NAME_REGISTERED_ID:
		text = cs_arena_printf(a, "\x2a\x03%c", (int)(1 + i));
		break;
	default:
		n->content = draw_directory(m, a);
		return;
	}
	assert_non_null(text);
	n->content = cs_span_str(text);
}

static bool is_there(const struct cs_plan *p, const struct cs_plan_name *name)
{
	for (size_t i = 0; i < p->names_n; i++) {
		if (p->names[i].kind == name->kind &&
		    cs_span_equal(p->names[i].content, name->content))
			return true;
	}
	return false;
}

static void draw_names(struct plan_maker *m, struct cs_arena *a,
		       struct cs_plan *p)
{
	size_t n = plan_draw(m, 20) == 0 ? 60 : plan_draw(m, 9);

	if (p->subject_n == 0 && n == 0)
		n = 1;
	p->names = cs_arena_new_array(a, n, sizeof(*p->names));
	assert_non_null(p->names);
	for (size_t i = 0; i < n; i++) {
		struct cs_plan_name name = {0};

		draw_name(m, a, i, &name);
		if (!is_there(p, &name))
			p->names[p->names_n++] = name;
	}
}

/* Up to three of a kind of URL. */
static size_t draw_urls(struct plan_maker *m, struct cs_arena *a,
			const char *kind, struct cs_span **ret_urls)
{
	size_t n = plan_draw(m, 4);
	struct cs_span *urls = cs_arena_new_array(a, 3, sizeof(*urls));

	assert_non_null(urls);
	for (size_t i = 0; i < n; i++) {
		struct cs_span word = draw_text(m, a, LOW, 30);
		const char *text = cs_arena_printf(a, "http://%s.example/%.*s",
						   kind, CS_SPAN_FMT(word));

		assert_non_null(text);
		urls[i] = cs_span_str(text);
	}
	*ret_urls = urls;
	return n;
}

static void draw_usages(struct plan_maker *m, struct cs_arena *a,
			struct cs_plan *p)
{
	static const struct cs_span purposes[] = {
		CS_SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x03\x01"),
		CS_SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x03\x02"),
		CS_SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x03\x04"),
		CS_SPAN_INIT("\x55\x1d\x25\x00"),
		CS_SPAN_INIT("\x2a\x03\x04\x05\x06\x07"),
		CS_SPAN_INIT("\x2b\x06\x01\x04\x01\x83\x8d\x1f\x01"),
	};
	size_t first = plan_draw(m, 6);

	p->key_usage = plan_draw(m, 3) == 0 ? 0 : plan_draw(m, 512);
	p->key_usage_critical = plan_draw(m, 4) != 0;
	p->ext_key_usage_n = plan_draw(m, 7);
	p->ext_key_usage_critical = plan_draw(m, 2);
	p->ext_key_usage = cs_arena_new_array(a, 6, sizeof(struct cs_span));
	assert_non_null(p->ext_key_usage);
	for (size_t i = 0; i < p->ext_key_usage_n; i++)
		p->ext_key_usage[i] = purposes[(first + i) % 6];
	p->ca = plan_draw(m, 5) == 0;
	p->has_path_len = p->ca && plan_draw(m, 2);
	p->path_len = p->has_path_len ? plan_draw(m, 256) : 0;
}

static void draw_lists(struct plan_maker *m, struct cs_arena *a,
		       struct cs_plan *p)
{
	static struct cs_span oids[] = {
		CS_SPAN_INIT("\x67\x81\x0c\x01\x02\x01"),
		CS_SPAN_INIT("\x2a\x03\x04\x05\x06"),
		CS_SPAN_INIT("\x2b\x06\x01\x04\x01\x83\x8d\x1f\x02\x7f"),
	};

	p->policies = oids;
	p->policies_n = plan_draw(m, 4);
	p->ocsp_urls_n = draw_urls(m, a, "ocsp", &p->ocsp_urls);
	p->ca_issuers_urls_n = draw_urls(m, a, "ca", &p->ca_issuers_urls);
	p->crl_urls_n = draw_urls(m, a, "crl", &p->crl_urls);
}

/* TLS feature, noRevAvail, and one that nobody knows. */
static void draw_extensions(struct plan_maker *m, struct cs_arena *a,
			    struct cs_plan *p)
{
	p->extensions = cs_arena_new_array(a, 3, sizeof(*p->extensions));
	assert_non_null(p->extensions);
	if (plan_draw(m, 3) == 0)
		p->extensions[p->extensions_n++] = (struct cs_plan_ext){
			.oid = CS_SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x01\x18"),
			.value = CS_SPAN_LIT("\x30\x03\x02\x01\x05")};
	if (plan_draw(m, 6) == 0) {
		p->no_rev_avail = true;
		p->extensions[p->extensions_n++] = (struct cs_plan_ext){
			.oid = CS_SPAN_LIT(CS_OID_NO_REV_AVAIL),
			.value = CS_SPAN_LIT("\x05\x00")};
	}
	if (plan_draw(m, 3) == 0)
		p->extensions[p->extensions_n++] = (struct cs_plan_ext){
			.oid = CS_SPAN_LIT("\x2a\x03\x04\x63"),
			.value = wrap(a, CS_DER_OCTET_STRING,
				      draw_text(m, a, LATIN, 200)),
			.critical = plan_draw(m, 2)};
}

void plan_make(struct plan_maker *m, struct cs_arena *a, struct cs_plan *ret)
{
	*ret = (struct cs_plan){0};
	draw_subject(m, a, ret);
	draw_names(m, a, ret);
	ret->not_before_s = plan_draw(m, 4) == 0
				    ? (int64_t)plan_draw(m, 2000000000) * 2
				    : 1790000000 + plan_draw(m, 10000000);
	ret->not_after_s = ret->not_before_s + plan_draw(m, 1000000000);
	if (plan_draw(m, 16) == 0)
		ret->not_after_s = INT64_C(253402300799) - plan_draw(m, 99);
	draw_usages(m, a, ret);
	draw_lists(m, a, ret);
	draw_extensions(m, a, ret);
}
