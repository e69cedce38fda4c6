#include "policy/attribute.h"

#include <string.h>

#include "base/limits.h"
#include "policy/name.h"

#define X520(arc)                                                              \
	{                                                                      \
		(const uint8_t *)"\x55\x04" arc, 3                             \
	}

static const struct cs_attribute table[] = {
	{"commonName", " CN cn common_name ", X520("\x03"), 64},
	{"surname", " SN ", X520("\x04"), 64},
	{"serialNumber", " ", X520("\x05"), 64},
	{"country", " C countryName countries ", X520("\x06"), 2},
	{"locality", " L localityName localities ", X520("\x07"), 128},
	{"stateOrProvince",
	 " ST S province provinces state stateOrProvinceName ", X520("\x08"),
	 128},
	{"streetAddress", " street streetAddresses ", X520("\x09"), 128},
	{"organization", " O organizationName organizations ", X520("\x0a"),
	 64},
	{"organizationalUnit",
	 " OU organizationalUnitName organizationalUnits organizationUnit ",
	 X520("\x0b"), 64},
	{"title", " T ", X520("\x0c"), 64},
	{"postalCode", " postalCodes ", X520("\x11"), 40},
	{"name", " ", X520("\x29"), 128},
	{"givenName", " GN ", X520("\x2a"), 64},
	{"initials", " ", X520("\x2b"), 64},
	{"generationQualifier", " ", X520("\x2c"), 64},
	{"dnQualifier", " ", X520("\x2e"), 64},
	{"pseudonym", " ", X520("\x41"), 128},
	{"organizationIdentifier", " ", X520("\x61"), 64},
	{"userId",
	 " UID uid ",
	 {(const uint8_t *)"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", 10},
	 128},
	{"domainComponent",
	 " DC dc ",
	 {(const uint8_t *)"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", 10},
	 63},
	{"emailAddress",
	 " E email ",
	 {(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", 9},
	 128},
};

#define TABLE_N (sizeof(table) / sizeof(*table))

const struct cs_attribute *cs_attribute_at(size_t i)
{
	return i < TABLE_N ? &table[i] : NULL;
}

const struct cs_attribute *cs_attribute_by_name(struct cs_span name)
{
	for (size_t i = 0; i < TABLE_N; i++) {
		if (cs_span_equal_str(name, table[i].name))
			return &table[i];
	}
	return NULL;
}

const struct cs_attribute *cs_attribute_by_alias(struct cs_span name)
{
	for (size_t i = 0; i < TABLE_N; i++) {
		const char *at = table[i].alias + 1;

		while (*at != '\0') {
			size_t n = strcspn(at, " ");

			if (n == name.n && memcmp(at, name.p, n) == 0)
				return &table[i];
			at += n + 1;
		}
	}
	return NULL;
}

const struct cs_attribute *cs_attribute_by_oid(struct cs_span oid)
{
	for (size_t i = 0; i < TABLE_N; i++) {
		if (cs_span_equal(oid, table[i].oid))
			return &table[i];
	}
	return NULL;
}

bool cs_attribute_is_cn(struct cs_span oid)
{
	return cs_span_equal(oid, table[0].oid);
}

/* How many characters a UTF-8 text has. */
static size_t characters(struct cs_span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

/* The alphabets of those whose string type is not UTF8String. */
static const struct {
	const char *name;
	bool printable; /* PrintableString; or else IA5String */
} types[] = {
	{"serialNumber", true},	 {"country", true},
	{"dnQualifier", true},	 {"domainComponent", false},
	{"emailAddress", false},
};

/*= X.680 41.4: the alphabet of PrintableString */
static bool is_printable(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') ||
	       (c != 0 && strchr(" '()+,-./:=?", c) != NULL);
}

/*= RFC 5280 A.1: may the text stand in the attribute's string type? */
static bool check_type(const struct cs_attribute *known, struct cs_span value,
		       struct cs_error *err)
{
	size_t row = 0, n = sizeof(types) / sizeof(types[0]);

	while (row < n &&
	       (known == NULL || strcmp(types[row].name, known->name) != 0))
		row++;
	for (size_t i = 0; row < n && i < value.n; i++) {
		uint8_t c = value.p[i];

		if (types[row].printable ? is_printable(c) : c < 0x80)
			continue;
		return cs_error_set(
			err, CS_E_FORMAT,
			"RFC 5280 A.1: %s is of the type %s, which does not "
			"have all of these characters",
			known->name,
			types[row].printable ? "PrintableString" : "IA5String");
	}
	return true;
}

bool cs_attribute_check(struct cs_span oid, struct cs_span value,
			struct cs_error *err)
{
	const struct cs_attribute *known = cs_attribute_by_oid(oid);
	size_t max = known != NULL ? known->max : CS_MAX_ATTRIBUTE;

	if (value.n == 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 A.1: an empty value");
	if (characters(value) > max)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 A.1: longer than %zu characters",
				    max);
	if (max == 2 && characters(value) != 2)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 A.1: a country has two letters");
	if (cs_name_has_control(value))
		return cs_error_set(err, CS_E_FORMAT, "a control character");
	return check_type(known, value, err);
}
