#include "api/accept.h"

/* A media range, and the form that it takes. */
struct accepted {
	const char *range;
	int form;
};

static const struct accepted of_lists[] = {
	{"application/json", CS_LIST_JSON},
	{"application/x-ndjson", CS_LIST_NDJSON},
	{"text/csv", CS_LIST_CSV},
	{"application/*", CS_LIST_JSON},
	{"text/*", CS_LIST_CSV},
	{"*/*", CS_LIST_JSON},
};

static const struct accepted of_certificates[] = {
	{"application/json", CS_FORM_JSON},
	{"application/pem-certificate-chain", CS_FORM_PEM_CHAIN},
	{"application/pkix-cert", CS_FORM_DER},
	{"application/*", CS_FORM_JSON},
	{"*/*", CS_FORM_JSON},
};

/* Without the white space around it. */
static struct cs_span trim(struct cs_span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = cs_span_sub(s, 1, SIZE_MAX);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* The next part of *rest up to the separator, trimmed. */
static struct cs_span next_part(struct cs_span *rest, uint8_t separator)
{
	struct cs_span part = *rest;
	size_t at;

	if (cs_span_find(*rest, separator, &at)) {
		part = cs_span_sub(*rest, 0, at);
		*rest = cs_span_sub(*rest, at + 1, SIZE_MAX);
	} else {
		*rest = (struct cs_span){0};
	}
	return trim(part);
}

/* A weight in thousandths: 0, 1, 0.5, 1.000; -1: none. */
static int weight(struct cs_span s)
{
	int w = 0;

	if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') ||
	    (s.n > 1 && s.p[1] != '.'))
		return -1;
	for (size_t i = 2; i < 5; i++) {
		uint8_t c = i < s.n ? s.p[i] : '0';

		if (c < '0' || c > '9')
			return -1;
		w = w * 10 + (c - '0');
	}
	w += 1000 * (s.p[0] - '0');
	return w > 1000 ? -1 : w;
}

/* The weight among a range's parameters; 1000 when there is none. */
static int weight_of(struct cs_span parameters)
{
	while (parameters.n > 0) {
		struct cs_span p = next_part(&parameters, ';');

		if (p.n > 2 && (p.p[0] == 'q' || p.p[0] == 'Q') &&
		    p.p[1] == '=')
			return weight(cs_span_sub(p, 2, SIZE_MAX));
	}
	return 1000;
}

/* The best form of a table; `none` when there is none. */
static int choose(struct cs_span accept, const struct accepted *forms, size_t n,
		  int none)
{
	int best = none;
	int best_weight = 0;

	if (trim(accept).n == 0)
		return forms[0].form;
	while (accept.n > 0) {
		struct cs_span parameters = next_part(&accept, ',');
		struct cs_span range = next_part(&parameters, ';');
		int w = weight_of(parameters);

		for (size_t i = 0; i < n; i++) {
			if (w > best_weight &&
			    cs_span_equal_icase(range,
						cs_span_str(forms[i].range))) {
				best = forms[i].form;
				best_weight = w;
			}
		}
	}
	return best;
}

enum cs_certificate_form cs_accept_certificate(struct cs_span accept)
{
	return (enum cs_certificate_form)choose(
		accept, of_certificates,
		sizeof(of_certificates) / sizeof(of_certificates[0]),
		CS_FORM_NONE);
}

enum cs_list_form cs_accept_list(struct cs_span accept)
{
	return (enum cs_list_form)choose(accept, of_lists,
					 sizeof(of_lists) / sizeof(of_lists[0]),
					 CS_LIST_NONE);
}
