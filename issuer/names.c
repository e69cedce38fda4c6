#include "issuer/x509.h"

#include <stdio.h>

#include "policy/name.h"

/*= RFC 5280 4.2.1.6: the tags of GeneralName */
static const struct {
	uint8_t tag;
	enum cs_name_kind kind;
	const char *field; /* the policy language's word */
} kinds[] = {
	{CS_DER_CONTEXT(2), CS_NAME_DNS, "dns"},
	{CS_DER_CONTEXT(7), CS_NAME_IP, "ip"},
	{CS_DER_CONTEXT(6), CS_NAME_URI, "uri"},
	{CS_DER_CONTEXT(1), CS_NAME_EMAIL, "email"},
	{CS_DER_CONTEXT_CONSTRUCTED(0), CS_NAME_OTHER, "other_name"},
	{CS_DER_CONTEXT_CONSTRUCTED(4), CS_NAME_DIRECTORY, "directory_name"},
	{CS_DER_CONTEXT(8), CS_NAME_REGISTERED_ID, "registered_id"},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/*
 * otherName: type-id and, behind [0] EXPLICIT, exactly one value. What is
 * asked for is that value; the type-id has a field of its own.
 */
static bool read_other(struct cs_fact_name *name, struct cs_error *why)
{
	struct cs_der r = cs_der_reader(name->asked), value;
	struct cs_span content;
	uint8_t tag;

	if (!cs_der_oid(&r, "otherName type-id", &name->oid, why) ||
	    !cs_der_enter(&r, CS_DER_CONTEXT_CONSTRUCTED(0), "otherName value",
			  &value, why) ||
	    !cs_der_end(&r, "otherName", why) ||
	    !cs_der_any(&value, &tag, &content, &name->content, why) ||
	    !cs_der_end(&value, "otherName value", why) ||
	    !cs_der_check(name->content, "otherName value", why))
		return false;
	if (name->oid.n > CS_MAX_OID)
		return cs_error_set(why, CS_E_DER,
				    "otherName: the type-id has %zu octets, "
				    "at most %d are taken",
				    name->oid.n, CS_MAX_OID);
	name->asked = name->content;
	return true;
}

/* Make one name canonical by its kind's grammar. */
static bool canonicalise(struct cs_x509 *x, struct cs_fact_name *name,
			 struct cs_error *why)
{
	bool ok;

	switch (name->kind) {
	case CS_NAME_IP:
		name->content = name->asked;
		return cs_name_ip_text(name->asked, x->arena, &name->canonical,
				       why);
	case CS_NAME_DNS:
		ok = cs_name_dns(name->asked, x->arena, &name->canonical, why);
		break;
	case CS_NAME_URI:
		ok = cs_name_uri(name->asked, x->arena, &name->canonical, why);
		break;
	case CS_NAME_EMAIL:
		ok = cs_name_email(name->asked, x->arena, &name->canonical,
				   why);
		break;
	case CS_NAME_DIRECTORY:
		name->content = name->asked;
		return cs_name_dn(name->asked, x->arena, &name->canonical, why);
	case CS_NAME_REGISTERED_ID:
		name->content = name->asked;
		return cs_name_oid(name->asked, x->arena, &name->canonical,
				   why);
	case CS_NAME_OTHER:
	default:
		return read_other(name, why);
	}
	if (!ok)
		return false;
	name->content = name->canonical;
	name->normalized = !cs_span_equal(name->asked, name->canonical);
	return true;
}

/* Does an earlier name say the same? */
static bool is_repeated(const struct cs_cert_facts *facts,
			const struct cs_fact_name *name)
{
	for (size_t i = 0; i < facts->names_n; i++) {
		const struct cs_fact_name *other = &facts->names[i];

		if (other->kind == name->kind &&
		    cs_span_equal(other->content, name->content) &&
		    cs_span_equal(other->oid, name->oid))
			return true;
	}
	return false;
}

/* One name behind its tag; it is in the facts afterwards, good or bad. */
static bool take_name(struct cs_x509 *x, size_t row, struct cs_span asked,
		      struct cs_cert_facts *facts, struct cs_error *err)
{
	struct cs_fact_name *name = &facts->names[facts->names_n];
	struct cs_error why;
	char field[48];

	name->kind = kinds[row].kind;
	name->asked = asked;
	for (size_t i = 0; i < facts->names_n; i++)
		name->index += facts->names[i].kind == name->kind;
	snprintf(field, sizeof(field), "san.%s[%u]", kinds[row].field,
		 name->index);
	if (!canonicalise(x, name, &why)) {
		if (why.code == CS_E_NO_MEMORY)
			return cs_x509_finding_error(x, CS_CODE_CSR_SAN, field,
						     &why, err);
		if (!cs_x509_finding(x, CS_CODE_CSR_SAN, field,
				     cs_span_sub(asked, 0, 256), err, "%s",
				     why.text))
			return false;
	} else if (is_repeated(facts, name)) {
		if (!cs_x509_finding(x, CS_CODE_CSR_DUPLICATE, field,
				     name->canonical, err,
				     "RFC 5280 4.2.1.6: %s: the same name is "
				     "there twice",
				     field))
			return false;
	}
	facts->names_n++;
	return true;
}

/* One GeneralName. *ret_end: reading cannot go on. */
static bool read_name(struct cs_x509 *x, struct cs_der *r,
		      struct cs_cert_facts *facts, bool *ret_end,
		      struct cs_error *err)
{
	const struct cs_span none = {0};
	struct cs_span content;
	struct cs_error why;
	uint8_t tag;

	*ret_end = false;
	if (!cs_der_any(r, &tag, &content, NULL, &why)) {
		*ret_end = true;
		return cs_x509_finding_error(x, CS_CODE_CSR_SAN, "san", &why,
					     err);
	}
	for (size_t row = 0; row < KINDS; row++) {
		if (kinds[row].tag != tag)
			continue;
		if (facts->names_n < CS_MAX_NAMES)
			return take_name(x, row, content, facts, err);
		*ret_end = true;
		return cs_x509_finding(x, CS_CODE_CSR_SAN, "san", none, err,
				       "RFC 5280 4.2.1.6: more than %d "
				       "subject alternative names",
				       CS_MAX_NAMES);
	}
	return cs_x509_finding(x, CS_CODE_CSR_SAN, "san", none, err,
			       "RFC 5280 4.2.1.6: a name with tag 0x%02x is of "
			       "no kind that is taken",
			       tag);
}

/* Names of an encoded list; at most CS_MAX_NAMES are worth room. */
static size_t count_room(struct cs_span value)
{
	size_t n = value.n / 2 + 1;

	return n < CS_MAX_NAMES ? n : CS_MAX_NAMES;
}

bool cs_names_read(struct cs_x509 *x, struct cs_span value,
		   struct cs_cert_facts *facts, struct cs_error *err)
{
	struct cs_der outer = cs_der_reader(value), list;
	const struct cs_span none = {0};
	struct cs_error why;
	bool end = false;

	facts->names_n = 0;
	facts->names = cs_arena_new_array(x->arena, count_room(value),
					  sizeof(*facts->names));
	if (facts->names == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory for names");
	if (!cs_der_enter(&outer, CS_DER_SEQUENCE, "subjectAltName", &list,
			  &why) ||
	    !cs_der_end(&outer, "subjectAltName", &why))
		return cs_x509_finding_error(x, CS_CODE_CSR_SAN, "san", &why,
					     err);
	if (cs_der_at_end(&list))
		return cs_x509_finding(x, CS_CODE_CSR_SAN, "san", none, err,
				       "RFC 5280 4.2.1.6: subjectAltName must "
				       "hold at least one name");
	while (!end && !cs_der_at_end(&list)) {
		if (!read_name(x, &list, facts, &end, err))
			return false;
	}
	return true;
}
