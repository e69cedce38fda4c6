/* step-ca's rules for names: see policy/import_step.c for what they mean. */
#include "policy/import_step.h"
#include "policy/name.h"

enum kind {
	DNS,
	IP,
	EMAIL,
	URI,
	CN,
	KINDS
};

static const struct {
	const char *name, *other; /* in ca.json; as `step` prints it */
	const char *native;
} kinds[KINDS] = {
	[DNS] = {"dns", "dns", "dns"},
	[IP] = {"ip", "ips", "ip"},
	[EMAIL] = {"email", "emails", "email"},
	[URI] = {"uri", "uris", "uri"},
	[CN] = {"cn", "commonNames", "commonName"},
};

/* Hosts of URIs that are no IP addresses. */
#define HOST "([A-Za-z0-9_-]+\\.)*[A-Za-z0-9_-]*[A-Za-z_-][A-Za-z0-9_-]*"

/* A policy's names, on their way. */
struct names {
	const char *path;
	const struct cs_yaml *list[KINDS][2]; /* allow, deny; NULL: none */
	const char *field[KINDS][2];
	size_t n[KINDS][2];
	size_t allowed, all; /* constraints, of all kinds */
	bool wildcards;
	json_t *cn; /* subject.commonName; NULL: not yet */
};

/* -- one constraint ---------------------------------------------------------
 */

/* Trimmed, in lower case. */
static struct cs_span tidy(struct cs_importing *i, struct cs_span text)
{
	while (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t'))
		text = cs_span_sub(text, 1, SIZE_MAX);
	while (text.n > 0 &&
	       (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t'))
		text.n--;
	return cs_import_lower(i, text);
}

/* A host that cannot be: because it has letters that need an A-label? */
static enum cs_pattern no_host(struct cs_span text, const char **ret_why)
{
	for (size_t k = 0; k < text.n; k++) {
		if (text.p[k] < 0x80)
			continue;
		*ret_why = "write its A-label (xn--...)";
		return CS_PATTERN_NOT;
	}
	*ret_why = "no name that can be issued is like this";
	return CS_PATTERN_NEVER;
}

/* host or *.zone: what stands behind the star, if one does. */
static struct cs_span zone_of(struct cs_span text)
{
	return cs_span_starts_with(text, CS_SPAN_LIT("*."))
		       ? cs_span_sub(text, 2, SIZE_MAX)
		       : text;
}

static enum cs_pattern email(struct cs_importing *i, struct cs_span text,
			     json_t **ret, const char **ret_why)
{
	struct cs_span canonical = {0};
	struct cs_error err = {0};
	json_t *m;

	if (text.n > 0 && text.p[0] == '@')
		text = cs_span_sub(text, 1, SIZE_MAX);
	if (cs_span_find(text, '@', NULL)) {
		if (!cs_name_email(text, i->arena, &canonical, &err)) {
			i->no_memory =
				i->no_memory || err.code == CS_E_NO_MEMORY;
			return no_host(text, ret_why);
		}
		*ret = cs_import_matcher(i, "exact", canonical);
		return CS_PATTERN_MADE;
	}
	if (!cs_import_is_host(i, text))
		return no_host(text, ret_why);
	m = json_object();
	cs_import_set(i, m, "email", cs_import_matcher(i, "domain", text));
	*ret = m;
	return CS_PATTERN_MADE;
}

/*
 * Only the host of a URI counts, whatever else is in it: a regular expression
 * to allow, for which the native matcher wants URIs without port and query.
 */
static enum cs_pattern uri(struct cs_importing *i, struct cs_span text,
			   bool deny, json_t **ret, const char **ret_why)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_span zone = zone_of(text);
	json_t *m;

	cs_buf_init(&b, CS_MAX_REGEX_PATTERN);
	if (!cs_import_is_host(i, zone))
		return no_host(zone, ret_why);
	if (deny) {
		m = json_object();
		cs_import_set(i, m, "uri", cs_import_matcher(i, "host", text));
		*ret = m;
		return CS_PATTERN_MADE;
	}
	cs_buf_add_str(&b, "[^:/?#]+://([^/?#@]*@)?");
	if (zone.n != text.n)
		cs_buf_add_str(&b, "[A-Za-z0-9_-]+\\.");
	cs_import_quote(&b, zone);
	cs_buf_add_str(&b, "(:[0-9]*)?([/?#].*)?");
	if (!cs_buf_ok(&b))
		i->no_memory = true;
	*ret = cs_import_matcher(i, "regex", cs_buf_span(&b));
	return CS_PATTERN_MADE;
}

static enum cs_pattern cn(struct cs_importing *i, struct cs_span text,
			  json_t **ret, const char **ret_why)
{
	enum cs_pattern made =
		cs_import_glob(i, CS_PATTERN_TEXT, text, ret, ret_why);

	/* Without regard to case; a star is a star. */
	if (made != CS_PATTERN_MADE)
		return made;
	json_decref(*ret);
	*ret = cs_import_matcher(i, "iexact", text);
	return CS_PATTERN_MADE;
}

static enum cs_pattern constraint(struct cs_importing *i, enum kind kind,
				  struct cs_span text, bool deny, json_t **ret,
				  const char **ret_why)
{
	*ret_why = "it is empty";
	text = tidy(i, text);
	if (text.n == 0)
		return CS_PATTERN_NEVER;
	switch (kind) {
	case IP:
		return cs_import_network(i, text, ret, ret_why);
	case EMAIL:
		return email(i, text, ret, ret_why);
	case URI:
		return uri(i, text, deny, ret, ret_why);
	case CN:
		return cn(i, text, ret, ret_why);
	case DNS:
	case KINDS:
	default:
		if (!cs_import_is_host(i, zone_of(text)))
			return no_host(text, ret_why);
		*ret = cs_import_matcher(i, "dns", text);
		return CS_PATTERN_MADE;
	}
}

/* -- lists of them ----------------------------------------------------------
 */

/* What the constraints of one list become, as KEY of an object. */
static void translate(struct cs_importing *i, struct names *s, enum kind kind,
		      bool deny, json_t *object, bool tell)
{
	const struct cs_yaml *list = s->list[kind][deny];
	const char *key = deny ? "deny" : "allow";
	size_t n = 0;

	for (const struct cs_yaml *c = list != NULL ? list->child : NULL;
	     c != NULL && !i->failed; c = c->next) {
		const char *field =
			cs_import_item(i, s->field[kind][deny], n++);
		struct cs_span text = {0};
		const char *why = "";
		json_t *m = NULL;
		enum cs_pattern made;

		if (!cs_import_text(i, c, field, &text)) {
			cs_import_fail(i, c, field, "a text is wanted");
			return;
		}
		made = constraint(i, kind, text, deny, &m, &why);
		if (made == CS_PATTERN_MADE)
			cs_import_add(i, object, key, m);
		if (!tell)
			continue;
		if (made == CS_PATTERN_MADE)
			cs_import_tell(i, CS_IMPORT_EXACT, c, field, "%s%s.%s",
				       kind == CN ? "subject." : "san.",
				       kinds[kind].native, key);
		else if (made == CS_PATTERN_NEVER)
			cs_import_tell(i, CS_IMPORT_NOTE, c, field,
				       "left out: %s", why);
		else if (!deny)
			cs_import_tell(i, CS_IMPORT_NARROWER, c, field,
				       "left out: %s", why);
		else
			cs_import_shadow(i, c, field,
					 "this denial is not translated: %s",
					 why);
	}
}

/* Are all names of the kind open, but for those that are denied? */
static bool is_open(const struct names *s, enum kind kind)
{
	if (s->n[kind][0] + s->n[kind][1] == 0)
		return s->allowed == 0;
	return s->n[kind][0] == 0;
}

static void san(struct cs_importing *i, struct names *s, enum kind kind)
{
	json_t *field;

	if (!is_open(s, kind) && s->n[kind][0] == 0)
		return;
	field = cs_import_field(i, "san", kinds[kind].native);
	if (!is_open(s, kind))
		translate(i, s, kind, false, field, true);
	else if (kind == URI && s->n[URI][1] > 0)
		/* One without a host that is a name is refused there, too. */
		cs_import_add(i, field, "allow",
			      cs_import_matcher(
				      i, "regex",
				      CS_SPAN_LIT("[^:/?#]+://([^/?#@]*@)?" HOST
						  "(:[0-9]*)?([/?#].*)?")));
	else
		cs_import_add(i, field, "allow", json_string("any"));
	translate(i, s, kind, true, field, true);
}

/* Wildcards, which allowWildcardNames lets match. */
static void wildcards(struct cs_importing *i, const struct names *s,
		      const struct cs_yaml *at)
{
	bool open = is_open(s, DNS);
	bool wanted = s->wildcards || s->all == 0;
	json_t *dns;

	if (!open && s->n[DNS][0] == 0)
		return;
	dns = cs_import_field(i, "san", "dns");
	if (wanted)
		cs_import_set(i, dns, "wildcard", json_string("leftmost"));
	if (open && !wanted)
		cs_import_tell(i, CS_IMPORT_NARROWER, at, s->path,
			       "without allowWildcardNames wildcards are "
			       "refused; step-ca lets them pass where it only "
			       "denies DNS names");
	if (wanted && s->n[DNS][1] > 0)
		cs_import_tell(i, CS_IMPORT_NARROWER, at, s->path,
			       "a denied name is denied to wildcards that "
			       "cover it, too");
}

/* -- common names ----------------------------------------------------------
 */

/*
 * Rules for common names: those that they allow, and those that read as DNS
 * names and addresses that are allowed.
 */
static void listed_cn(struct cs_importing *i, struct names *s,
		      const struct cs_yaml *at, json_t *object)
{
	translate(i, s, CN, false, object, true);
	translate(i, s, CN, true, object, true);
	cs_import_set(i, object, "in_san", json_string("ignore"));
	if (s->n[CN][0] == 0) {
		cs_import_add(i, object, "allow", json_string("any"));
		cs_import_tell(i, CS_IMPORT_NARROWER, at, s->path,
			       "a denied common name is refused; step-ca lets "
			       "it pass where it is a name that may be had");
		return;
	}
	translate(i, s, DNS, false, object, false);
	translate(i, s, DNS, true, object, false);
	translate(i, s, EMAIL, false, object, false);
	translate(i, s, EMAIL, true, object, false);
	if (!s->wildcards && s->n[DNS][0] > 0)
		cs_import_add(
			i, object, "deny",
			cs_import_matcher(i, "regex", CS_SPAN_LIT("\\*.*")));
	if (s->n[IP][0] + s->n[IP][1] + s->n[URI][0] + s->n[URI][1] +
		    s->n[CN][1] + s->n[DNS][1] + s->n[EMAIL][1] >
	    0)
		cs_import_tell(i, CS_IMPORT_NARROWER, at, s->path,
			       "a common name is one that `cn` allows, or a "
			       "DNS name or an e-mail address that is allowed "
			       "and not denied: addresses, URIs, and what is "
			       "open but for denials, are refused");
}

static void common_name(struct cs_importing *i, struct names *s,
			const struct cs_yaml *at)
{
	json_t *object = cs_import_field(i, "subject", "commonName");

	if (s->n[CN][0] + s->n[CN][1] > 0) {
		listed_cn(i, s, at, object);
		return;
	}
	/* Judged as the name that it is: with the others. */
	cs_import_add(i, object, "allow", json_string("any"));
	cs_import_set(i, object, "in_san",
		      json_string(s->all == 0 ? "ignore" : "add"));
	if (s->all > 0)
		cs_import_tell(i, CS_IMPORT_NOTE, at, s->path,
			       "a common name is judged as the name that it "
			       "is, and becomes one of the names");
}

/* -- x509 ------------------------------------------------------------------
 */

/* allow or deny: its lists. */
static void side(struct cs_importing *i, const struct cs_yaml *map,
		 const char *path, bool deny, struct names *s)
{
	struct cs_import_key keys[2 * KINDS + 1] = {{NULL, NULL}};

	if (!cs_import_is_map(i, map, path))
		return;
	for (int k = 0; k < KINDS; k++) {
		const char *name = kinds[k].name;

		keys[2 * k].name = kinds[k].name;
		keys[2 * k + 1].name = kinds[k].other;
		if (!cs_import_has(cs_yaml_get(map, name)))
			name = kinds[k].other;
		s->field[k][deny] = cs_import_path(i, path, name);
		if (!cs_import_is_list(i, cs_yaml_get(map, name),
				       s->field[k][deny]))
			continue;
		s->list[k][deny] = cs_yaml_get(map, name);
		s->n[k][deny] = s->list[k][deny]->n;
		s->allowed += deny ? 0 : s->n[k][deny];
		s->all += s->n[k][deny];
	}
	cs_import_known(i, map, path, keys);
}

void cs_step_names(struct cs_importing *i, const struct cs_yaml *x509,
		   const char *path)
{
	static const struct cs_import_key keys[] = {
		{"allow", NULL},
		{"deny", NULL},
		{"allowWildcardNames", NULL},
		{NULL, NULL}};
	const char *field = cs_import_path(i, path, "allowWildcardNames");
	struct names s = {.path = path};
	const struct cs_yaml *wild = cs_yaml_get(x509, keys[2].name);
	struct cs_yaml none = {.line = i->draft->policy->line};

	if (x509 != NULL)
		cs_import_known(i, x509, path, keys);
	else
		x509 = &none;
	side(i, cs_yaml_get(x509, "allow"), cs_import_path(i, path, "allow"),
	     false, &s);
	side(i, cs_yaml_get(x509, "deny"), cs_import_path(i, path, "deny"),
	     true, &s);
	if (cs_import_bool(i, wild, field, &s.wildcards))
		cs_import_tell(i, CS_IMPORT_EXACT, wild, field,
			       "san.dns.wildcard");
	for (int k = DNS; k < CN && !i->failed; k++)
		san(i, &s, (enum kind)k);
	if (i->failed)
		return;
	wildcards(i, &s, x509);
	common_name(i, &s, x509);
	if (s.all == 0)
		cs_import_tell(i, CS_IMPORT_NOTE, x509, path,
			       "no name is allowed or denied: all of them "
			       "pass");
	else
		cs_import_tell(i, CS_IMPORT_NOTE, x509, path,
			       "step-ca also refuses names that IDNA's rules "
			       "for looking up refuse, such as `ab--c`");
}
