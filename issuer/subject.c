#include "issuer/x509.h"

#include <stdio.h>

#include "base/codec.h"
#include "issuer/oids.h"
#include "issuer/subject.h"
#include "policy/attribute.h"
#include "policy/name.h"

/*= RFC 5280 A.1: upper bounds, in characters */
static const struct {
	struct cs_span oid;
	unsigned max;
	uint8_t tag; /* the one string type we write */
	bool ia5;    /* may it be asked for as IA5String? */
} attrs[] = {
	{CS_SPAN_INIT(CS_OID_COMMON_NAME), 64, CS_DER_UTF8_STRING, false},
	{CS_SPAN_INIT(CS_OID_SURNAME), 64, CS_DER_UTF8_STRING, false},
	{CS_SPAN_INIT(CS_OID_SERIAL_NUMBER), 64, CS_DER_PRINTABLE_STRING,
	 false},
	{CS_SPAN_INIT(CS_OID_COUNTRY), 2, CS_DER_PRINTABLE_STRING, false},
	{CS_SPAN_INIT(CS_OID_LOCALITY), 128, CS_DER_UTF8_STRING, false},
	{CS_SPAN_INIT(CS_OID_STATE), 128, CS_DER_UTF8_STRING, false},
	{CS_SPAN_INIT(CS_OID_STREET), 128, CS_DER_UTF8_STRING, false},
	{CS_SPAN_INIT(CS_OID_ORGANIZATION), 64, CS_DER_UTF8_STRING, false},
	{CS_SPAN_INIT(CS_OID_ORGANIZATIONAL_UNIT), 64, CS_DER_UTF8_STRING,
	 false},
	{CS_SPAN_INIT(CS_OID_TITLE), 64, CS_DER_UTF8_STRING, false},
	{CS_SPAN_INIT(CS_OID_POSTAL_CODE), 40, CS_DER_UTF8_STRING, false},
	{CS_SPAN_INIT(CS_OID_NAME), 128, CS_DER_UTF8_STRING, false},
	{CS_SPAN_INIT(CS_OID_GIVEN_NAME), 64, CS_DER_UTF8_STRING, false},
	{CS_SPAN_INIT(CS_OID_INITIALS), 64, CS_DER_UTF8_STRING, false},
	{CS_SPAN_INIT(CS_OID_GENERATION), 64, CS_DER_UTF8_STRING, false},
	{CS_SPAN_INIT(CS_OID_DN_QUALIFIER), 64, CS_DER_PRINTABLE_STRING, false},
	{CS_SPAN_INIT(CS_OID_PSEUDONYM), 128, CS_DER_UTF8_STRING, false},
	{CS_SPAN_INIT(CS_OID_DOMAIN_COMPONENT), 63, CS_DER_IA5_STRING, true},
	{CS_SPAN_INIT(CS_OID_EMAIL_ADDRESS), 128, CS_DER_IA5_STRING, true},
};

#define ATTRS (sizeof(attrs) / sizeof(attrs[0]))

/* The table's row of an OID, or ATTRS. */
static size_t find_attr(struct cs_span oid)
{
	size_t i;

	for (i = 0; i < ATTRS; i++) {
		if (cs_span_equal(attrs[i].oid, oid))
			break;
	}
	return i;
}

const char *cs_subject_attr_name(struct cs_span oid)
{
	const struct cs_attribute *a = cs_attribute_by_oid(oid);

	return a != NULL ? a->name : NULL;
}

uint8_t cs_subject_attr_tag(struct cs_span oid)
{
	size_t i = find_attr(oid);

	return i < ATTRS ? attrs[i].tag : CS_DER_UTF8_STRING;
}

/*= X.680 41.4: the alphabet of PrintableString */
bool cs_subject_is_printable_string(struct cs_span s)
{
	static const struct cs_span marks = {(const uint8_t *)" '()+,-./:=?",
					     12};

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') || cs_span_find(marks, c, NULL))
			continue;
		return false;
	}
	return true;
}

bool cs_subject_is_ia5(struct cs_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] > 0x7f)
			return false;
	}
	return true;
}

/* Characters of valid UTF-8. */
static size_t count_characters(struct cs_span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

/* How a finding names an attribute: "subject.organization[0]". */
static void write_field(char *out, size_t size, const struct cs_fact_attr *a)
{
	const char *name = cs_subject_attr_name(a->oid);
	struct cs_buf text;

	if (name != NULL) {
		snprintf(out, size, "subject.%s[%u]", name, a->index);
		return;
	}
	cs_buf_init(&text, 512);
	cs_der_oid_text(a->oid, &text);
	snprintf(out, size, "subject.%s[%u]", cs_buf_str(&text), a->index);
	cs_buf_done(&text);
}

/* Is the string type one that we take for this attribute? */
static bool takes_tag(const struct cs_fact_attr *a)
{
	size_t row = find_attr(a->oid);

	if (a->tag == CS_DER_UTF8_STRING || a->tag == CS_DER_PRINTABLE_STRING)
		return true;
	return a->tag == CS_DER_IA5_STRING && row < ATTRS && attrs[row].ia5;
}

/* Are these octets of their string type? */
static bool is_of_type(const struct cs_fact_attr *a)
{
	if (a->tag == CS_DER_PRINTABLE_STRING)
		return cs_subject_is_printable_string(a->value);
	if (a->tag == CS_DER_IA5_STRING)
		return cs_subject_is_ia5(a->value);
	return cs_codec_is_utf8(a->value);
}

/* Judge one attribute's value. */
static bool check_value(struct cs_x509 *x, const struct cs_fact_attr *a,
			struct cs_error *err)
{
	size_t row = find_attr(a->oid);
	unsigned max = row < ATTRS ? attrs[row].max : CS_MAX_ATTRIBUTE;
	struct cs_error why = {0};
	char field[160];

	write_field(field, sizeof(field), a);
	if (!takes_tag(a))
		return cs_x509_finding(
			x, CS_CODE_CSR_SUBJECT, field, a->value, err,
			"RFC 5280 4.1.2.4: %s: string type 0x%02x is not "
			"UTF8String or PrintableString",
			field, a->tag);
	if (a->value.n == 0)
		return cs_x509_finding(
			x, CS_CODE_CSR_SUBJECT, field, a->value, err,
			"RFC 5280 A.1: %s: the value is empty", field);
	if (!is_of_type(a))
		return cs_x509_finding(
			x, CS_CODE_CSR_SUBJECT, field, a->value, err,
			"X.680 41: %s: octets that its string type does not "
			"have",
			field);
	if (cs_name_has_control(a->value))
		return cs_x509_finding(
			x, CS_CODE_CSR_SUBJECT, field, a->value, err,
			"RFC 5280 4.1.2.4: %s: control characters are not "
			"part of a name",
			field);
	if (count_characters(a->value) > max || a->value.n > CS_MAX_ATTRIBUTE)
		return cs_x509_finding(
			x, CS_CODE_CSR_SUBJECT, field,
			cs_span_sub(a->value, 0, 64), err,
			"RFC 5280 A.1: %s: %zu characters, at most %u are "
			"allowed",
			field, count_characters(a->value), max);
	/* What cannot be written in the attribute's own string type. */
	if (!cs_attribute_check(a->oid, a->value, &why))
		return cs_x509_finding(x, CS_CODE_CSR_SUBJECT, field, a->value,
				       err, "%s", why.text);
	return true;
}

/* AttributeTypeAndValue into *a, without judging it. */
static bool read_attr(struct cs_der *rdn, struct cs_fact_attr *a,
		      struct cs_error *why)
{
	struct cs_der inner;

	if (!cs_der_enter(rdn, CS_DER_SEQUENCE, "AttributeTypeAndValue", &inner,
			  why) ||
	    !cs_der_oid(&inner, "attribute type", &a->oid, why) ||
	    !cs_der_any(&inner, &a->tag, &a->value, NULL, why) ||
	    !cs_der_end(&inner, "AttributeTypeAndValue", why))
		return false;
	if (a->oid.n > CS_MAX_OID)
		return cs_error_set(why, CS_E_DER,
				    "an attribute type's OID has %zu octets, "
				    "at most %d are taken",
				    a->oid.n, CS_MAX_OID);
	return true;
}

/* One RDN: a SET of exactly one attribute. *ret_many: it has more. */
static bool read_rdn(struct cs_der *name, struct cs_fact_attr *a,
		     bool *ret_many, struct cs_error *why)
{
	struct cs_der rdn;

	if (!cs_der_enter(name, CS_DER_SET, "RelativeDistinguishedName", &rdn,
			  why) ||
	    !read_attr(&rdn, a, why))
		return false;
	*ret_many = !cs_der_at_end(&rdn);
	return true;
}

/* Which one of its OID is the last attribute? */
static unsigned attr_index(const struct cs_cert_facts *facts)
{
	const struct cs_fact_attr *last = &facts->subject[facts->subject_n];
	unsigned n = 0;

	for (size_t i = 0; i < facts->subject_n; i++)
		n += cs_span_equal(facts->subject[i].oid, last->oid);
	return n;
}

bool cs_subject_read(struct cs_x509 *x, struct cs_der name,
		     struct cs_cert_facts *facts, struct cs_error *err)
{
	const struct cs_span none = {0};
	struct cs_error why;
	bool many = false;

	facts->subject_n = 0;
	facts->subject = cs_arena_new_array(x->arena, CS_MAX_RDNS,
					    sizeof(*facts->subject));
	if (facts->subject == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for a subject");
	while (!cs_der_at_end(&name)) {
		struct cs_fact_attr *a = &facts->subject[facts->subject_n];

		if (facts->subject_n == CS_MAX_RDNS)
			return cs_x509_finding(
				x, CS_CODE_CSR_SUBJECT, "subject", none, err,
				"RFC 5280 4.1.2.6: the subject has more than "
				"%d relative names",
				CS_MAX_RDNS);
		if (!read_rdn(&name, a, &many, &why))
			return cs_x509_finding_error(x, CS_CODE_CSR_SUBJECT,
						     "subject", &why, err);
		if (many)
			return cs_x509_finding(
				x, CS_CODE_CSR_SUBJECT, "subject", none, err,
				"RFC 5280 4.1.2.4: a relative name with more "
				"than one attribute is not taken");
		a->index = attr_index(facts);
		facts->subject_n++;
		if (!check_value(x, a, err))
			return false;
	}
	return true;
}
