/*
 * The names that a role allows. DNS names, addresses (by their host) and
 * common names are judged alike:
 *
 *   allow_any_name       all of them
 *   allow_localhost      localhost and localdomain
 *   allow_bare_domains   a domain of the list, as it stands
 *   allow_subdomains     what is below one, and below localhost
 *   allow_glob_domains   `*` in a domain of the list is any characters
 *
 * A wildcard counts as what stands behind `*.`, and needs
 * allow_wildcard_certificates.
 */
#include "policy/import_vault.h"
#include "policy/name.h"

/* Whom a matcher is for. */
struct names {
	const struct cs_vault *v;
	json_t *dns, *email, *cn; /* cn: NULL when none is listed */
	bool cn_hosts, cn_emails;
	bool wildcards, below, bare, globs;
};

/* One more DNS name, also as a common name. Takes the matcher. */
static void add_dns(struct cs_importing *i, struct names *s, json_t *m)
{
	if (s->cn != NULL && s->cn_hosts)
		cs_import_add(i, s->cn, "allow", json_incref(m));
	cs_import_add(i, s->dns, "allow", m);
}

static void add_email(struct cs_importing *i, struct names *s, json_t *m)
{
	if (s->cn != NULL && s->cn_emails)
		cs_import_add(i, s->cn, "allow", json_incref(m));
	cs_import_add(i, s->email, "allow", m);
}

/* A prefix and a zone: "**.corp.example". */
static struct cs_span zone(struct cs_importing *i, const char *prefix,
			   struct cs_span host)
{
	char *text =
		cs_arena_printf(i->arena, "%s%.*s", prefix, CS_SPAN_FMT(host));

	if (text == NULL)
		i->no_memory = true;
	return cs_span_str(text);
}

/* Hosts of a pattern, as DNS names and in addresses. */
static void add_hosts(struct cs_importing *i, struct names *s,
		      const char *prefix, struct cs_span host)
{
	struct cs_span text = zone(i, prefix, host);
	json_t *m = json_object();

	add_dns(i, s, cs_import_matcher(i, "dns", text));
	cs_import_set(i, m, "email", cs_import_matcher(i, "domain", text));
	add_email(i, s, m);
}

/* The wildcard of a zone and nothing else. */
static void add_wildcard(struct cs_importing *i, struct names *s,
			 struct cs_span host)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	cs_buf_init(&b, CS_MAX_REGEX_PATTERN);
	cs_buf_add_str(&b, "\\*\\.");
	cs_import_quote(&b, host);
	if (!cs_buf_ok(&b))
		i->no_memory = true;
	add_dns(i, s, cs_import_matcher(i, "regex", cs_buf_span(&b)));
}

/* localhost and localdomain. */
static void localhost(struct cs_importing *i, struct names *s)
{
	static const struct cs_span hosts[] = {CS_SPAN_INIT("localhost"),
					       CS_SPAN_INIT("localdomain")};

	for (size_t k = 0; k < 2; k++) {
		add_hosts(i, s, s->below ? "." : "", hosts[k]);
		if (s->wildcards && !s->below)
			add_wildcard(i, s, hosts[k]);
	}
}

/* A domain with a `*` in it, as a pattern of whole names. */
static bool glob(struct cs_importing *i, struct names *s, struct cs_span text)
{
	const char *why;
	json_t *m = NULL;
	bool made = false;

	if (cs_import_glob(i, CS_PATTERN_DNS, text, &m, &why) ==
	    CS_PATTERN_MADE) {
		add_dns(i, s, m);
		made = true;
	}
	if (cs_import_glob(i, CS_PATTERN_EMAIL, text, &m, &why) ==
	    CS_PATTERN_MADE) {
		add_email(i, s, m);
		made = true;
	}
	return made;
}

/* A domain that is an address, or a wildcard, as it stands. */
static bool odd_bare(struct cs_importing *i, struct names *s,
		     struct cs_span text)
{
	struct cs_span canonical = {0};

	struct cs_error err = {0};

	if (cs_name_email(text, i->arena, &canonical, &err)) {
		/* Without regard to case, all of it. */
		add_email(i, s, cs_import_matcher(i, "iexact", canonical));
		return true;
	}
	i->no_memory = i->no_memory || err.code == CS_E_NO_MEMORY;
	if (!s->wildcards || !cs_span_starts_with(text, CS_SPAN_LIT("*.")) ||
	    !cs_import_is_host(i, cs_span_sub(text, 2, SIZE_MAX)))
		return false;
	add_wildcard(i, s, cs_span_sub(text, 2, SIZE_MAX));
	return true;
}

/* One of allowed_domains. */
static void domain(struct cs_importing *i, struct names *s, struct cs_span text,
		   const struct cs_yaml *at, const char *field)
{
	bool star = cs_span_find(text, '*', NULL);
	struct cs_span host = cs_import_lower(i, text);
	bool is_host = cs_import_is_host(i, host);
	bool made = false;

	if (cs_import_has_path(text)) {
		cs_import_tell(i, CS_IMPORT_NARROWER, at, field,
			       "left out: templates of Vault's identities are "
			       "not translated; see {{path}} for what stands "
			       "for who asks");
		return;
	}
	if (s->bare && is_host) {
		add_hosts(i, s, "", host);
		made = true;
	} else if (s->bare) {
		made = odd_bare(i, s, host);
	}
	if (s->below && is_host) {
		add_hosts(i, s, "**.", host);
		made = true;
	}
	if (s->globs && star)
		made = glob(i, s, text) || made;
	cs_import_tell(i, made ? CS_IMPORT_EXACT : CS_IMPORT_NOTE, at, field,
		       made ? "san.dns.allow, san.email.allow"
			    : "left out: with the role's flags no name is "
			      "like this");
}

/* Which kinds of names may be common names? */
static void cn_validations(struct cs_importing *i, struct names *s)
{
	const struct cs_yaml *node = cs_yaml_get(s->v->role, "cn_validations");
	struct cs_vault_list list;
	const char *field;
	struct cs_span text;
	bool any = false;

	cs_vault_list(i, s->v, "cn_validations", &list);
	while (cs_vault_next(i, &list, &text, &field)) {
		bool all = cs_span_equal_str(text, "disabled");

		s->cn_hosts = s->cn_hosts || all ||
			      cs_span_equal_str(text, "hostname");
		s->cn_emails =
			s->cn_emails || all || cs_span_equal_str(text, "email");
		any = true;
		if (all)
			cs_import_tell(i, CS_IMPORT_NARROWER, node, field,
				       "a common name is still one of the "
				       "names that are allowed, which "
				       "`exclude_cn_from_sans` of a request "
				       "could avoid");
		else
			cs_import_tell(i, CS_IMPORT_EXACT, node, field,
				       "subject.commonName.allow");
	}
	if (!any)
		s->cn_hosts = s->cn_emails = true;
	/* Patterns may take both kinds. */
	if (!s->cn_hosts)
		cs_import_add(
			i, s->cn, "deny",
			cs_import_matcher(i, "regex", CS_SPAN_LIT("[^@]*")));
	if (!s->cn_emails)
		cs_import_add(
			i, s->cn, "deny",
			cs_import_matcher(i, "regex", CS_SPAN_LIT(".*@.*")));
}

/* use_csr_common_name, require_cn, cn_validations. */
static void common_name(struct cs_importing *i, struct names *s)
{
	const struct cs_yaml *use =
		cs_yaml_get(s->v->role, "use_csr_common_name");
	const struct cs_yaml *require = cs_yaml_get(s->v->role, "require_cn");

	if (!cs_vault_flag(i, s->v, "use_csr_common_name", true)) {
		cs_import_tell(i, CS_IMPORT_BY_HAND, use, "use_csr_common_name",
			       "the common name was a parameter of the "
			       "request, which there is not here: that of the "
			       "CSR is left out");
		return;
	}
	s->cn = cs_import_field(i, "subject", "commonName");
	cs_import_set(i, s->cn, "in_san", json_string("add"));
	if (use != NULL)
		cs_import_tell(i, CS_IMPORT_EXACT, use, "use_csr_common_name",
			       "subject.commonName");
	if (cs_vault_flag(i, s->v, "require_cn", true))
		cs_import_set(i, s->cn, "min", json_integer(1));
	if (require != NULL)
		cs_import_tell(i, CS_IMPORT_EXACT, require, "require_cn",
			       "subject.commonName.min");
	cn_validations(i, s);
	cs_import_tell(i, CS_IMPORT_NOTE, use, "common_name",
		       "a common name becomes one of the names; one that is "
		       "an IP address becomes an address, not a DNS name, and "
		       "needs allow_ip_sans");
}

/* allow_any_name: everything that is a name. */
static void any_name(struct cs_importing *i, struct names *s)
{
	cs_import_add(i, s->dns, "allow", json_string("any"));
	cs_import_add(i, s->email, "allow", json_string("any"));
	if (s->cn == NULL)
		return;
	cs_import_add(i, s->cn, "allow", json_string("any"));
}

/* The flags that a role has, each with its line. */
static void tell_flags(struct cs_importing *i, const struct cs_vault *v)
{
	static const char *const flags[] = {
		"allow_any_name",	   "allow_localhost",
		"allow_bare_domains",	   "allow_subdomains",
		"allow_glob_domains",	   "allow_wildcard_certificates",
		"allowed_domains_template"};

	for (size_t k = 0; k < sizeof(flags) / sizeof(flags[0]); k++) {
		const struct cs_yaml *node = cs_yaml_get(v->role, flags[k]);

		if (cs_import_has(node))
			cs_import_tell(i, CS_IMPORT_EXACT, node, flags[k],
				       "san.dns, san.email, "
				       "subject.commonName");
	}
}

/* The list of domains, where the names are not open anyway. */
static void domains(struct cs_importing *i, struct names *s)
{
	const struct cs_yaml *node = cs_yaml_get(s->v->role, "allowed_domains");
	struct cs_vault_list list;
	struct cs_span text;
	const char *field;
	bool any = cs_vault_flag(i, s->v, "allow_any_name", false);

	cs_vault_list(i, s->v, "allowed_domains", &list);
	while (cs_vault_next(i, &list, &text, &field)) {
		if (any)
			cs_import_tell(i, CS_IMPORT_NOTE, node, field,
				       "decides nothing beside "
				       "allow_any_name");
		else
			domain(i, s, text, node, field);
	}
	if (any)
		any_name(i, s);
	else if (cs_vault_flag(i, s->v, "allow_localhost", true))
		localhost(i, s);
}

void cs_vault_names(struct cs_importing *i, const struct cs_vault *v)
{
	const struct cs_yaml *sans = cs_yaml_get(v->role, "use_csr_sans");
	const struct cs_yaml *display =
		cs_yaml_get(v->role, "allow_token_displayname");
	struct names s = {.v = v};

	s.wildcards = cs_vault_flag(i, v, "allow_wildcard_certificates", true);
	s.below = cs_vault_flag(i, v, "allow_subdomains", false);
	s.bare = cs_vault_flag(i, v, "allow_bare_domains", false);
	s.globs = cs_vault_flag(i, v, "allow_glob_domains", false);
	s.dns = cs_import_field(i, "san", "dns");
	s.email = cs_import_field(i, "san", "email");
	if (s.wildcards)
		cs_import_set(i, s.dns, "wildcard", json_string("leftmost"));
	tell_flags(i, v);
	common_name(i, &s);
	domains(i, &s);
	if (cs_vault_flag(i, v, "allow_token_displayname", false))
		cs_import_tell(i, CS_IMPORT_NARROWER, display,
			       "allow_token_displayname",
			       "left out: tokens of Vault's have no names "
			       "here");
	else if (display != NULL)
		cs_import_tell(i, CS_IMPORT_EXACT, display,
			       "allow_token_displayname", "none is allowed");
	if (!cs_vault_flag(i, v, "use_csr_sans", true))
		cs_import_tell(i, CS_IMPORT_BY_HAND, sans, "use_csr_sans",
			       "the names were parameters of the request, "
			       "which there are not here: those of the CSR "
			       "are judged by the same rules");
	else if (sans != NULL)
		cs_import_tell(i, CS_IMPORT_EXACT, sans, "use_csr_sans", "san");
}
