/* Directory names, as the text that RFC 4514 makes of them. */
#include <string.h>

#include "base/codec.h"
#include "base/der.h"
#include "base/limits.h"
#include "policy/attribute.h"
#include "policy/name.h"

/* What must be escaped in a value (RFC 4514 2.4). */
#define SPECIAL "\"+,;<>\\"

/*= RFC 4514 3: the types that every reader must know */
static const struct {
	const char *name;
	struct cs_span oid;
} types[] = {
	{"CN", CS_SPAN_INIT("\x55\x04\x03")},
	{"L", CS_SPAN_INIT("\x55\x04\x07")},
	{"ST", CS_SPAN_INIT("\x55\x04\x08")},
	{"O", CS_SPAN_INIT("\x55\x04\x0a")},
	{"OU", CS_SPAN_INIT("\x55\x04\x0b")},
	{"C", CS_SPAN_INIT("\x55\x04\x06")},
	{"STREET", CS_SPAN_INIT("\x55\x04\x09")},
	{"DC", CS_SPAN_INIT("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19")},
	{"UID", CS_SPAN_INIT("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01")},
};

#define TYPES (sizeof(types) / sizeof(types[0]))

/* A name taken apart; RDNs in the order of their text, that is from the end. */
struct dn {
	struct {
		struct cs_span oid, value;
	} rdns[CS_MAX_RDNS];
	size_t n;
};

/* -- writing -------------------------------------------------------------- */

/* The value that is compared: ASCII in lower case, one space for several. */
static void fold(struct cs_span value, struct cs_buf *out)
{
	bool space = false;

	for (size_t i = 0; i < value.n; i++) {
		uint8_t c = value.p[i];

		if (c == ' ') {
			space = out->n > 0;
			continue;
		}
		if (space)
			cs_buf_add_byte(out, ' ');
		space = false;
		cs_buf_add_byte(out,
				c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c);
	}
}

/*= RFC 4514 2.4: what would be read as something else */
static void write_escaped(struct cs_span value, struct cs_buf *out)
{
	for (size_t i = 0; i < value.n; i++) {
		uint8_t c = value.p[i];

		if (strchr(SPECIAL, c) != NULL || (i == 0 && c == '#'))
			cs_buf_add_byte(out, '\\');
		cs_buf_add_byte(out, c);
	}
}

/* TYPE=VALUE */
static bool write_rdn(struct cs_span oid, struct cs_span value,
		      struct cs_buf *out, struct cs_error *err)
{
	const struct cs_attribute *known = cs_attribute_by_oid(oid);
	CS_CLEANUP(cs_buf_done) struct cs_buf folded;
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	const char *name = known != NULL ? known->name : NULL;

	cs_buf_init(&folded, CS_MAX_ATTRIBUTE);
	cs_buf_init(&der, CS_MAX_ATTRIBUTE + 8);
	for (size_t i = 0; i < TYPES; i++) {
		if (cs_span_equal(types[i].oid, oid))
			name = types[i].name;
	}
	fold(value, &folded);
	if (!cs_buf_finish(&folded, "a name's value", err))
		return false;
	if (folded.n == 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 A.1: an empty value");
	if (name != NULL) {
		cs_buf_addf(out, "%s=", name);
		write_escaped(cs_buf_span(&folded), out);
		return true;
	}
	/*= RFC 4514 2.4: a type without a name has its value in hexadecimal */
	cs_der_oid_text(oid, out);
	cs_buf_add_str(out, "=#");
	cs_der_write(&der, CS_DER_UTF8_STRING, cs_buf_span(&folded));
	cs_codec_hex(cs_buf_span(&der), out);
	return cs_buf_finish(&der, "a name's value", err);
}

/* The whole, from the last RDN to the first. */
static bool write_dn(const struct dn *dn, struct cs_arena *arena,
		     struct cs_span *ret_canonical, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;

	cs_buf_init(&out, CS_MAX_DN);
	for (size_t i = 0; i < dn->n; i++) {
		if (i > 0)
			cs_buf_add_byte(&out, ',');
		if (!write_rdn(dn->rdns[i].oid, dn->rdns[i].value, &out, err))
			return false;
	}
	if (!cs_buf_finish(&out, "a directory name", err))
		return false;
	if (!cs_arena_dup(arena, cs_buf_span(&out), ret_canonical))
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for a directory name");
	return true;
}

/* -- from DER -------------------------------------------------------------- */

/* Text of one line, of a string type that is text. */
static bool check_value(uint8_t tag, struct cs_span value, struct cs_error *err)
{
	if (tag != CS_DER_UTF8_STRING && tag != CS_DER_PRINTABLE_STRING &&
	    tag != CS_DER_IA5_STRING)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 4.1.2.4: string type 0x%02x is "
				    "not UTF8String or PrintableString",
				    tag);
	if (value.n > CS_MAX_ATTRIBUTE)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 A.1: a value of %zu octets",
				    value.n);
	for (size_t i = 0; i < value.n; i++) {
		if (tag != CS_DER_UTF8_STRING && value.p[i] > 0x7f)
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 5280 4.1.2.4: octets that its "
					    "string type does not have");
	}
	if (!cs_codec_is_utf8(value) || cs_name_has_control(value))
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 4.1.2.4: octets that are no "
				    "text of one line");
	return true;
}

/* One RDN of exactly one attribute. */
static bool read_rdn(struct cs_der *name, struct cs_span *ret_oid,
		     struct cs_span *ret_value, struct cs_error *err)
{
	struct cs_der rdn, attr;
	uint8_t tag;

	return cs_der_enter(name, CS_DER_SET, "RelativeDistinguishedName", &rdn,
			    err) &&
	       cs_der_enter(&rdn, CS_DER_SEQUENCE, "AttributeTypeAndValue",
			    &attr, err) &&
	       /* More than one has no order that all readers agree on. */
	       cs_der_end(&rdn, "RelativeDistinguishedName", err) &&
	       cs_der_oid(&attr, "attribute type", ret_oid, err) &&
	       cs_der_any(&attr, &tag, ret_value, NULL, err) &&
	       cs_der_end(&attr, "AttributeTypeAndValue", err) &&
	       check_value(tag, *ret_value, err);
}

bool cs_name_dn(struct cs_span der, struct cs_arena *arena,
		struct cs_span *ret_canonical, struct cs_error *err)
{
	struct cs_der r = cs_der_reader(der), name;
	struct cs_span oid[CS_MAX_RDNS], value[CS_MAX_RDNS];
	struct dn dn = {.n = 0};
	size_t n = 0;

	if (!cs_der_enter(&r, CS_DER_SEQUENCE, "directoryName", &name, err) ||
	    !cs_der_end(&r, "directoryName", err))
		return false;
	for (; !cs_der_at_end(&name); n++) {
		if (n == CS_MAX_RDNS)
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 5280 4.1.2.6: more than %d "
					    "relative names",
					    CS_MAX_RDNS);
		if (!read_rdn(&name, &oid[n], &value[n], err))
			return false;
		if (oid[n].n > CS_MAX_OID)
			return cs_error_set(err, CS_E_FORMAT,
					    "an attribute type of %zu octets",
					    oid[n].n);
	}
	if (n == 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 4.2.1.6: an empty directory "
				    "name");
	/*= RFC 4514 2.1: beginning with the last */
	for (; dn.n < n; dn.n++) {
		dn.rdns[dn.n].oid = oid[n - 1 - dn.n];
		dn.rdns[dn.n].value = value[n - 1 - dn.n];
	}
	return write_dn(&dn, arena, ret_canonical, err);
}

/* -- from text ------------------------------------------------------------- */

/* A text under the eye. */
struct reader {
	struct cs_span text;
	const uint8_t *foreign; /* NULL: nothing is */
	size_t at;
	struct cs_arena *arena;
};

/* Is the byte the author's own, and this one? */
static bool is_own(const struct reader *r, size_t at, uint8_t c)
{
	return at < r->text.n && r->text.p[at] == c &&
	       (r->foreign == NULL || r->foreign[at] == 0);
}

/* The OID that a type means. */
static bool read_type(struct reader *r, struct cs_span *ret_oid,
		      struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf oid;
	const struct cs_attribute *known;
	struct cs_error why = {0};
	struct cs_span name;
	size_t start;

	cs_buf_init(&oid, CS_MAX_OID);
	while (is_own(r, r->at, ' '))
		r->at++;
	start = r->at;
	while (r->at < r->text.n && !is_own(r, r->at, '=') &&
	       (r->foreign == NULL || r->foreign[r->at] == 0))
		r->at++;
	name = cs_span_sub(r->text, start, r->at - start);
	if (name.n == 0 || !is_own(r, r->at, '='))
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 4514 3: TYPE=VALUE is wanted, such "
				    "as CN=www,O=Example Corp");
	r->at++;
	for (size_t i = 0; i < TYPES; i++) {
		if (cs_span_equal_icase(name, cs_span_str(types[i].name))) {
			*ret_oid = types[i].oid;
			return true;
		}
	}
	known = cs_attribute_by_name(name);
	if (known == NULL)
		known = cs_attribute_by_alias(name);
	if (known != NULL) {
		*ret_oid = known->oid;
		return true;
	}
	if (!cs_der_oid_parse(name, &oid, &why))
		return cs_error_set(err, CS_E_FORMAT,
				    "`%.*s` is no attribute's name and no OID",
				    CS_SPAN_FMT(name));
	if (!cs_buf_finish(&oid, "the OID", err))
		return false;
	if (!cs_arena_dup(r->arena, cs_buf_span(&oid), ret_oid))
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return true;
}

/* #HEX: the DER of a value. */
static bool read_hex(struct reader *r, struct cs_span *ret_value,
		     struct cs_error *err)
{
	struct cs_error why = {0};
	struct cs_span der;
	struct cs_der one;
	size_t start = ++r->at;
	uint8_t tag;

	while (r->at < r->text.n && !is_own(r, r->at, ','))
		r->at++;
	if (!cs_codec_hex_decode(cs_span_sub(r->text, start, r->at - start),
				 r->arena, &der, &why))
		return cs_error_set(err, why.code, "RFC 4514 2.4: %s",
				    why.text);
	one = cs_der_reader(der);
	return cs_der_any(&one, &tag, ret_value, NULL, err) &&
	       cs_der_end(&one, "the value", err) &&
	       check_value(tag, *ret_value, err);
}

/* Behind a backslash: one of the specials, or two hexadecimal digits. */
static bool read_escape(struct reader *r, struct cs_buf *out,
			struct cs_error *err)
{
	struct cs_span pair = cs_span_sub(r->text, r->at + 1, 2);
	uint8_t octet;

	if (pair.n > 0 && strchr(SPECIAL " #=", pair.p[0]) != NULL &&
	    pair.p[0] != '\0') {
		cs_buf_add_byte(out, pair.p[0]);
		r->at += 2;
		return true;
	}
	if (cs_codec_hex_fixed(pair, &octet, 1)) {
		cs_buf_add_byte(out, octet);
		r->at += 3;
		return true;
	}
	return cs_error_set(err, CS_E_FORMAT,
			    "RFC 4514 2.4: `\\` stands before %s or two "
			    "hexadecimal digits",
			    SPECIAL);
}

/* A value, up to its comma. What is interpolated is never special. */
static bool read_value(struct reader *r, struct cs_span *ret_value,
		       struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;

	cs_buf_init(&out, CS_MAX_ATTRIBUTE);
	if (is_own(r, r->at, '#'))
		return read_hex(r, ret_value, err);
	while (r->at < r->text.n && !is_own(r, r->at, ',')) {
		uint8_t c = r->text.p[r->at];

		if (is_own(r, r->at, '\\')) {
			if (!read_escape(r, &out, err))
				return false;
			continue;
		}
		if (strchr(SPECIAL, c) != NULL && c != '\0' &&
		    is_own(r, r->at, c))
			return cs_error_set(
				err, CS_E_FORMAT,
				c == '+' ? "RFC 4514 2.2: a relative name of "
					   "one attribute is wanted; write "
					   "`\\+` for the sign"
					 : "RFC 4514 2.4: a `\\` is missing "
					   "before `%c`",
				c);
		cs_buf_add_byte(&out, c);
		r->at++;
	}
	if (!cs_buf_finish(&out, "a name's value", err) ||
	    !check_value(CS_DER_UTF8_STRING, cs_buf_span(&out), err))
		return false;
	if (!cs_arena_dup(r->arena, cs_buf_span(&out), ret_value))
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return true;
}

bool cs_name_dn_text(struct cs_span text, const uint8_t *foreign,
		     struct cs_arena *arena, struct cs_span *ret_canonical,
		     struct cs_error *err)
{
	struct reader r = {.text = text, .foreign = foreign, .arena = arena};
	struct dn dn = {.n = 0};

	do {
		if (dn.n == CS_MAX_RDNS)
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 5280 4.1.2.6: more than %d "
					    "relative names",
					    CS_MAX_RDNS);
		if (dn.n > 0)
			r.at++;
		if (!read_type(&r, &dn.rdns[dn.n].oid, err) ||
		    !read_value(&r, &dn.rdns[dn.n].value, err))
			return false;
		dn.n++;
	} while (r.at < text.n);
	return write_dn(&dn, arena, ret_canonical, err);
}

bool cs_name_oid(struct cs_span content, struct cs_arena *arena,
		 struct cs_span *ret_canonical, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_span oid;
	struct cs_der r;

	cs_buf_init(&der, CS_MAX_OID + 8);
	cs_buf_init(&text, CS_MAX_DN);
	if (content.n > CS_MAX_OID)
		return cs_error_set(err, CS_E_FORMAT, "an OID of %zu octets",
				    content.n);
	/* Read as an element of its own, which checks its arcs. */
	cs_der_write(&der, CS_DER_OID, content);
	r = cs_der_reader(cs_buf_span(&der));
	if (!cs_buf_finish(&der, "an OID", err) ||
	    !cs_der_oid(&r, "an OID", &oid, err))
		return false;
	cs_der_oid_text(content, &text);
	if (!cs_buf_finish(&text, "an OID", err))
		return false;
	if (!cs_arena_dup(arena, cs_buf_span(&text), ret_canonical))
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return true;
}
