#include "issuer/x509.h"

#include "issuer/oids.h"

/* One Extension into *ext. */
static bool read_extension(struct cs_der *list, struct cs_x509_ext *ext,
			   struct cs_error *why)
{
	struct cs_der inner;

	ext->critical = false;
	if (!cs_der_enter(list, CS_DER_SEQUENCE, "Extension", &inner, why) ||
	    !cs_der_oid(&inner, "extnID", &ext->oid, why))
		return false;
	if (cs_der_next_is(&inner, CS_DER_BOOLEAN)) {
		if (!cs_der_boolean(&inner, "critical", &ext->critical, why))
			return false;
		if (!ext->critical)
			return cs_error_set(why, CS_E_DER,
					    "X.690 11.5: critical FALSE is "
					    "the default and must be absent");
	}
	if (!cs_der_element(&inner, CS_DER_OCTET_STRING, "extnValue",
			    &ext->value, NULL, why) ||
	    !cs_der_end(&inner, "Extension", why))
		return false;
	if (ext->oid.n > CS_MAX_OID)
		return cs_error_set(why, CS_E_DER,
				    "an extension's OID has %zu octets, at "
				    "most %d are taken",
				    ext->oid.n, CS_MAX_OID);
	return true;
}

/* Report an OID that stands in the list already. */
static bool check_repeated(struct cs_x509 *x, const struct cs_x509_ext *items,
			   size_t n, struct cs_error *err)
{
	struct cs_buf text;
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		if (!cs_span_equal(items[i].oid, items[n].oid))
			continue;
		cs_buf_init(&text, 512);
		cs_der_oid_text(items[n].oid, &text);
		ok = cs_x509_finding(x, CS_CODE_CSR_DUPLICATE, "extensions",
				     cs_buf_span(&text), err,
				     "RFC 5280 4.2: the extension %s is there "
				     "twice",
				     cs_buf_str(&text));
		cs_buf_done(&text);
		break;
	}
	return ok;
}

bool cs_extensions_list(struct cs_x509 *x, struct cs_der extensions,
			struct cs_x509_ext **ret_items, size_t *ret_n,
			struct cs_error *err)
{
	const struct cs_span none = {0};
	struct cs_x509_ext *items;
	struct cs_error why;
	size_t n = 0;

	items = cs_arena_new_array(x->arena, CS_MAX_EXTENSIONS, sizeof(*items));
	if (items == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for extensions");
	*ret_items = items;
	*ret_n = 0;
	if (cs_der_at_end(&extensions))
		return cs_x509_finding(x, CS_CODE_CSR_EXTENSION, "extensions",
				       none, err,
				       "RFC 5280 4.1: Extensions must hold at "
				       "least one extension");
	while (!cs_der_at_end(&extensions)) {
		if (n == CS_MAX_EXTENSIONS)
			return cs_x509_finding(
				x, CS_CODE_CSR_EXTENSION, "extensions", none,
				err, "RFC 5280 4.2: more than %d extensions",
				CS_MAX_EXTENSIONS);
		if (!read_extension(&extensions, &items[n], &why))
			return cs_x509_finding_error(x, CS_CODE_CSR_EXTENSION,
						     "extensions", &why, err);
		if (!check_repeated(x, items, n, err))
			return false;
		*ret_n = ++n;
	}
	return true;
}

/*= RFC 5280 4.2.1.3 */
static bool read_key_usage(struct cs_x509 *x, const struct cs_x509_ext *ext,
			   struct cs_cert_facts *facts, struct cs_error *err)
{
	struct cs_der r = cs_der_reader(ext->value);
	const struct cs_span none = {0};
	struct cs_error why;
	uint32_t bits;

	facts->has_key_usage = true;
	facts->key_usage_critical = ext->critical;
	if (!cs_der_named_bits(&r, "keyUsage", &bits, &why) ||
	    !cs_der_end(&r, "keyUsage", &why))
		return cs_x509_finding_error(x, CS_CODE_CSR_EXTENSION,
					     "extensions.key_usage", &why, err);
	if (bits == 0 || bits > 0x1ff)
		return cs_x509_finding(
			x, CS_CODE_CSR_EXTENSION, "extensions.key_usage", none,
			err,
			"RFC 5280 4.2.1.3: keyUsage must have at least one of "
			"its nine bits set, and no other");
	facts->key_usage = bits;
	return true;
}

/*= RFC 5280 4.2.1.12 */
static bool read_ext_key_usage(struct cs_x509 *x, const struct cs_x509_ext *ext,
			       struct cs_cert_facts *facts,
			       struct cs_error *err)
{
	static const char field[] = "extensions.ext_key_usage";
	struct cs_der r = cs_der_reader(ext->value), list;
	const struct cs_span none = {0};
	struct cs_error why;
	struct cs_span *oids;

	facts->has_ext_key_usage = true;
	facts->ext_key_usage_critical = ext->critical;
	oids = cs_arena_new_array(x->arena, CS_MAX_EXT_KEY_USAGES,
				  sizeof(*oids));
	if (oids == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for extended key usages");
	facts->ext_key_usage = oids;
	if (!cs_der_enter(&r, CS_DER_SEQUENCE, "extKeyUsage", &list, &why) ||
	    !cs_der_end(&r, "extKeyUsage", &why))
		return cs_x509_finding_error(x, CS_CODE_CSR_EXTENSION, field,
					     &why, err);
	while (!cs_der_at_end(&list)) {
		struct cs_span *oid = &oids[facts->ext_key_usage_n];

		if (facts->ext_key_usage_n == CS_MAX_EXT_KEY_USAGES)
			return cs_x509_finding(
				x, CS_CODE_CSR_EXTENSION, field, none, err,
				"RFC 5280 4.2.1.12: more than %d purposes",
				CS_MAX_EXT_KEY_USAGES);
		if (!cs_der_oid(&list, "KeyPurposeId", oid, &why))
			return cs_x509_finding_error(x, CS_CODE_CSR_EXTENSION,
						     field, &why, err);
		for (size_t i = 0; i < facts->ext_key_usage_n; i++) {
			if (cs_span_equal(oids[i], *oid))
				return cs_x509_finding(
					x, CS_CODE_CSR_EXTENSION, field, none,
					err,
					"RFC 5280 4.2.1.12: the same purpose "
					"is there twice");
		}
		facts->ext_key_usage_n++;
	}
	if (facts->ext_key_usage_n == 0)
		return cs_x509_finding(x, CS_CODE_CSR_EXTENSION, field, none,
				       err,
				       "RFC 5280 4.2.1.12: extKeyUsage must "
				       "hold at least one purpose");
	return true;
}

/* BasicConstraints, with X.690 11.5's rule for the default. */
static bool parse_constraints(struct cs_span value, struct cs_cert_facts *facts,
			      struct cs_error *why)
{
	struct cs_der r = cs_der_reader(value), inner;
	uint64_t path_len;

	if (!cs_der_enter(&r, CS_DER_SEQUENCE, "basicConstraints", &inner,
			  why) ||
	    !cs_der_end(&r, "basicConstraints", why))
		return false;
	if (cs_der_next_is(&inner, CS_DER_BOOLEAN)) {
		if (!cs_der_boolean(&inner, "cA", &facts->ca, why))
			return false;
		if (!facts->ca)
			return cs_error_set(why, CS_E_DER,
					    "X.690 11.5: cA FALSE is the "
					    "default and must be absent");
	}
	if (cs_der_next_is(&inner, CS_DER_INTEGER)) {
		if (!cs_der_uint(&inner, "pathLenConstraint", &path_len, why))
			return false;
		if (!facts->ca || path_len > 255)
			return cs_error_set(why, CS_E_DER,
					    "RFC 5280 4.2.1.9: "
					    "pathLenConstraint is for CAs, "
					    "and at most 255 here");
		facts->has_path_len = true;
		facts->path_len = (unsigned)path_len;
	}
	return cs_der_end(&inner, "basicConstraints", why);
}

static bool read_constraints(struct cs_x509 *x, const struct cs_x509_ext *ext,
			     struct cs_cert_facts *facts, struct cs_error *err)
{
	struct cs_error why;

	facts->has_basic_constraints = true;
	facts->basic_constraints_critical = ext->critical;
	if (parse_constraints(ext->value, facts, &why))
		return true;
	return cs_x509_finding_error(x, CS_CODE_CSR_EXTENSION,
				     "extensions.basic_constraints", &why, err);
}

bool cs_extensions_facts(struct cs_x509 *x, const struct cs_x509_ext *items,
			 size_t n, struct cs_cert_facts *facts,
			 struct cs_error *err)
{
	facts->extensions_n = 0;
	facts->extensions =
		cs_arena_new_array(x->arena, n, sizeof(*facts->extensions));
	if (facts->extensions == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for extensions");
	for (size_t i = 0; i < n; i++) {
		const struct cs_x509_ext *ext = &items[i];
		bool ok = true;

		if (cs_span_equal(ext->oid,
				  CS_SPAN_LIT(CS_OID_SUBJECT_ALT_NAME))) {
			facts->san_critical = ext->critical;
			ok = cs_names_read(x, ext->value, facts, err);
		} else if (cs_span_equal(ext->oid,
					 CS_SPAN_LIT(CS_OID_KEY_USAGE))) {
			ok = read_key_usage(x, ext, facts, err);
		} else if (cs_span_equal(ext->oid,
					 CS_SPAN_LIT(CS_OID_EXT_KEY_USAGE))) {
			ok = read_ext_key_usage(x, ext, facts, err);
		} else if (cs_span_equal(
				   ext->oid,
				   CS_SPAN_LIT(CS_OID_BASIC_CONSTRAINTS))) {
			ok = read_constraints(x, ext, facts, err);
		} else {
			facts->extensions[facts->extensions_n++] =
				(struct cs_fact_ext){.oid = ext->oid,
						     .value = ext->value,
						     .critical = ext->critical};
		}
		if (!ok)
			return false;
	}
	return true;
}
