/*
 * The compiled form of a policy: what the loader makes of a document and
 * what judging reads. Internal to policy/; nothing outside includes it.
 *
 * Plain values in the arena of the set, written once by load_*.c, constant
 * from then on. Every rule carries its id ("web/san.dns.allow") and its
 * place ("web.yaml:21") as finished text, so that judging only points.
 */
#ifndef CS_POLICY_RULES_H
#define CS_POLICY_RULES_H

#include "policy/engine.h"
#include "policy/regex.h"

/* Who speaks, for findings and the diff. */
struct cs_rule {
	struct cs_span id; /* "web/san.dns.allow" */
	struct cs_span at; /* "web.yaml:21"; empty for built-in */
};

/* What happens to a value that violates its rule. */
enum cs_on_violation {
	CS_ON_VIOLATION_REJECT,
	CS_ON_VIOLATION_DROP,
	CS_ON_VIOLATION_CLAMP,
	CS_ON_VIOLATION_HOLD
};

/* What happens to what the policy does not mention. */
struct cs_unlisted {
	struct cs_rule rule;
	enum cs_on_violation action; /* REJECT or DROP */
};

/* -- literals with {{path}} in them ------------------------------------- */

/* Facts that a path may name; which member of which root. */
enum cs_path_fact {
	CS_FACT_NAMESPACE,
	CS_FACT_NAMESPACE_LABELS,
	CS_FACT_OWNER,
	CS_FACT_REALM,
	CS_FACT_ISSUER,
	CS_FACT_SOURCE,
	CS_FACT_CLIENT,
	CS_FACT_RENEWAL,
	CS_FACT_ATTRIBUTES,
	CS_FACT_USERNAME,
	CS_FACT_GROUPS,
	CS_FACT_EXTRA,
	CS_FACT_USER_NAMESPACE,
	CS_FACT_SERVICE_ACCOUNT
};

enum cs_path_code {
	CS_PATH_FACT,  /* push a fact: `index` is a cs_path_fact */
	CS_PATH_VAR,   /* push the var of that index */
	CS_PATH_TABLE, /* push the table of that index */
	CS_PATH_TEXT,  /* push `text` */
	CS_PATH_ATTR,  /* push the CSR's attribute of the OID `text` */
	CS_PATH_NAMES, /* push the CSR's names of the kind `index` */
	CS_PATH_GET    /* pop a key, pop a map, push what stands there */
};

struct cs_path_op {
	enum cs_path_code code;
	size_t index;
	struct cs_span text;
};

/* A piece of a template: literal text (no ops), or a path. */
struct cs_template_part {
	struct cs_span text; /* literal; or the path as it is written */
	const struct cs_path_op *ops;
	size_t ops_n;
};

struct cs_template {
	const struct cs_template_part *parts;
	size_t n;
	bool dynamic; /* has a path */
	bool is_list; /* may stand for several texts: any of them */
};

struct cs_var {
	struct cs_span name;
	struct cs_rule rule;
	const struct cs_template *items;
	size_t n;
	bool is_list;
};

struct cs_table_entry {
	struct cs_span key;
	const struct cs_span *values;
	size_t n;
};

struct cs_table {
	struct cs_span name;
	struct cs_table_entry *entries; /* in ascending order of keys */
	size_t n;
	bool is_list; /* some entry has several values */
};

/* -- matchers ------------------------------------------------------------ */

enum cs_match_kind {
	CS_MATCH_ANY,
	CS_MATCH_EXACT,	     /* the same bytes */
	CS_MATCH_IEXACT,     /* ASCII case ignored */
	CS_MATCH_GLOB,	     /* `*` stands for any bytes */
	CS_MATCH_REGEX,	     /* all of the text */
	CS_MATCH_DNS_HOST,   /* host: that name; or "*.zone" as it stands */
	CS_MATCH_DNS_ONE,    /* *.zone: exactly one label and the zone */
	CS_MATCH_DNS_BELOW,  /* **.zone: one label or more and the zone */
	CS_MATCH_DNS_WITHIN, /* .zone: the zone and all below it */
	CS_MATCH_CIDR,	     /* the network holds the address */
	CS_MATCH_EMAIL,	     /* its domain, by a host's pattern */
	CS_MATCH_URI	     /* scheme, host and path, each if it is given */
};

/*
 * A glob, compiled: bytes, and from 256 on what stands for several. Stars
 * come from the policy's own text only; one in an interpolated value is a
 * byte like others.
 */
enum {
	CS_GLOB_ANY = 256, /* any bytes, also none */
	CS_GLOB_SEGMENT,   /* any bytes but `/`, also none */
	CS_GLOB_ONE	   /* one byte that is not `/` */
};

struct cs_glob {
	const uint16_t *items;
	size_t n;
};

struct cs_matcher {
	enum cs_match_kind kind;
	struct cs_span text;	      /* value; host; zone, without its dot */
	struct cs_span net;	      /* CIDR: 4 or 16 octets, host bits zero */
	unsigned prefix;	      /* CIDR: bits */
	enum cs_match_kind host_kind; /* EMAIL, URI: how to read `text` */
	struct cs_span scheme;	      /* URI; empty: any */
	bool has_path;		      /* URI; REGEX about URIs */
	struct cs_glob glob;	      /* GLOB; URI: the path */
	const struct cs_regex *regex; /* REGEX */
	struct cs_span shown;	      /* for people */
};

/* What a list of matchers is about: which kinds may stand in it. */
enum cs_match_domain {
	CS_DOMAIN_TEXT, /* subject attributes, otherName */
	CS_DOMAIN_CN,	/* as text, and as what it parses as */
	CS_DOMAIN_DNS,	/* values are made canonical */
	CS_DOMAIN_IP,
	CS_DOMAIN_URI,
	CS_DOMAIN_EMAIL,
	CS_DOMAIN_DN,
	CS_DOMAIN_OID
};

enum cs_matcher_word {
	CS_WORD_ANY,
	CS_WORD_EXACT,
	CS_WORD_IEXACT,
	CS_WORD_GLOB,
	CS_WORD_DNS,
	CS_WORD_CIDR,
	CS_WORD_EMAIL,
	CS_WORD_URI,
	CS_WORD_OID,
	CS_WORD_REGEX,
	CS_WORD_DN
};

/* A matcher as it is written: what one is made of, once values are known. */
struct cs_matcher_source {
	enum cs_matcher_word word;
	enum cs_match_domain domain;
	struct cs_template value; /* or the domain, or the host */
	struct cs_template path;  /* URI */
	struct cs_span scheme;
	bool has_path;
};

struct cs_matchers {
	bool present;
	struct cs_rule rule;
	const struct cs_matcher *items;
	size_t n;
	const struct cs_matcher_source *sources; /* as many; NULL: static */
	struct cs_span expect; /* ".shop.corp.example or any" */
	struct cs_span phrase; /* "below .shop.corp.example or ..." */
};

/* Literal values: set, default. */
struct cs_values {
	bool present;
	struct cs_rule rule;
	struct cs_span *items;
	size_t n;
	const struct cs_template *templates; /* as many; NULL: static */
};

struct cs_count {
	bool present;
	struct cs_rule rule;
	size_t value;
};

/* -- match -------------------------------------------------------------- */

/* A list of patterns or names; absent means any. */
struct cs_selector {
	bool present;
	struct cs_span *items;
	size_t n;
};

struct cs_match_rules {
	struct cs_selector issuer;    /* globs */
	struct cs_selector source;    /* globs */
	struct cs_selector realm;     /* globs */
	struct cs_selector namespace; /* globs */
	struct cs_selector users;     /* globs; `*` does not cross `:` */
	struct cs_selector groups;    /* exact */
	/* Globs on the parts of system:serviceaccount:NAMESPACE:NAME. */
	struct cs_selector user_namespace;
	struct cs_selector service_account;
	/* The requester must have one of the values of each. */
	struct cs_fact_extra *extra;
	size_t extra_n;
	struct cs_fact_pair *labels; /* the namespace must have each */
	size_t labels_n;
	bool has_until;
	int64_t until_s; /* the first second in which it is over */
};

/* -- fields -------------------------------------------------------------- */

enum cs_in_san {
	CS_IN_SAN_REQUIRE,
	CS_IN_SAN_ADD,
	CS_IN_SAN_IGNORE
};

struct cs_attr_rules {
	struct cs_span oid;
	struct cs_span field; /* "subject.organization" */
	bool is_cn;
	struct cs_rule rule;
	struct cs_matchers allow, deny;
	struct cs_values set, fallback; /* `default` */
	struct cs_count min, max;
	enum cs_in_san in_san; /* commonName only */
	struct cs_rule in_san_rule;
	enum cs_on_violation on_violation;
};

struct cs_subject_rules {
	struct cs_unlisted unlisted;
	struct cs_attr_rules *attrs;
	size_t n;
};

struct cs_san_rules {
	bool listed;
	struct cs_rule rule;
	struct cs_matchers allow, deny;
	struct cs_count min, max;
	bool wildcards; /* dns only: leftmost */
	struct cs_rule wildcard_rule;
	enum cs_on_violation on_violation;
};

/* One type of otherName, whose value is text. */
struct cs_other_rules {
	struct cs_span oid; /* type-id, content octets */
	struct cs_san_rules rules;
};

/* Kinds with rules of their own: all but OTHER, whose types have them. */
#define CS_SAN_KINDS 6

struct cs_sans_rules {
	struct cs_unlisted unlisted;
	struct cs_count min_total, max_total;
	struct cs_san_rules kind[CS_SAN_KINDS];
	struct cs_other_rules *others;
	size_t others_n;
};

struct cs_key_spec {
	enum cs_key_alg alg;
	unsigned curves;	     /* EC: CS_CURVE_* */
	unsigned min_bits, max_bits; /* RSA */
};

enum {
	CS_CURVE_P256 = 1 << 0,
	CS_CURVE_P384 = 1 << 1,
	CS_CURVE_P521 = 1 << 2
};

/* Certifying a key that was certified before. */
struct cs_reuse_rule {
	bool reject;
	struct cs_rule rule;
};

struct cs_key_rules {
	struct cs_rule rule;
	struct cs_key_spec *allow;
	size_t n;
	struct cs_span expect;
	unsigned weak; /* CS_WEAK_*: refused */
	bool blocklist;
	struct cs_rule reject;
	struct cs_reuse_rule other_subject, same_subject;
};

/* The operator's list of keys: SHA-256 of SPKIs, sorted, once each. */
struct cs_blocklist {
	uint8_t (*items)[32];
	size_t n;
};

struct cs_validity_rules {
	int64_t fallback_s, min_s, max_s, backdate_s;
	struct cs_rule fallback, min, max, backdate, ca_expiry;
	enum cs_on_violation on_max; /* REJECT or CLAMP */
	enum cs_ca_expiry on_ca_expiry;
};

struct cs_key_usage_rules {
	bool has_allow, has_set, has_default;
	unsigned allow, set, fallback; /* CS_KU_* */
	struct cs_rule allow_rule, set_rule, fallback_rule;
	struct cs_span expect;
	bool critical;
	enum cs_on_violation on_violation;
};

struct cs_ext_key_usage_rules {
	struct cs_matchers allow;	/* EXACT on OIDs, or ANY */
	struct cs_values set, fallback; /* OIDs, content octets */
	bool critical;
	enum cs_on_violation on_violation;
};

/* basic_constraints: may a CA be asked for, and of what depth? */
struct cs_constraints_rules {
	struct cs_rule rule;
	bool ca;
	bool has_path_len; /* at most so many CAs below; absent: any number */
	unsigned path_len;
	struct cs_rule path_rule;
};

/* An extension of the request that goes into the certificate as it is. */
struct cs_pass_rule {
	struct cs_rule rule;
	struct cs_span oid;
	size_t max_bytes;
};

/* An extension that the policy gives, whatever the request says. */
struct cs_own_ext {
	struct cs_rule rule;
	struct cs_span field; /* "extensions.crl_dp", "extensions.1.2.3" */
	struct cs_span oid;
	struct cs_span shown; /* its content, for the diff */
	struct cs_span der;   /* of extnValue; empty: made from the plan */
	bool critical;
};

struct cs_ext_rules {
	struct cs_unlisted unlisted;
	struct cs_key_usage_rules key_usage;
	struct cs_ext_key_usage_rules ext_key_usage;
	struct cs_constraints_rules constraints;
	struct cs_values policies;		   /* OIDs, content octets */
	struct cs_values ocsp, ca_issuers, crl_dp; /* URLs */
	bool no_rev_avail;
	struct cs_pass_rule *pass;
	size_t pass_n;
	struct cs_own_ext *own; /* all that the policy gives, once each */
	size_t own_n;
};

/* -- what the ledger and the lint are told --------------------------------- */

/* limits: so many in a trailing window, counted in the ledger. */
struct cs_limit_rule {
	struct cs_rule rule; /* "web/limits.per-owner" */
	struct cs_span key;
	struct cs_template template; /* dynamic: the key is made of it */
	uint32_t count, window_s;
	enum cs_on_violation on_violation; /* REJECT or HOLD */
};

/* windows: from the first second on, until before the last. */
struct cs_window_rule {
	struct cs_rule rule; /* "web/windows.freeze" */
	int64_t from_s, to_s;
	enum cs_on_violation on_violation; /* REJECT or HOLD */
};

struct cs_timing_rules {
	bool has_limits; /* it is the policy's matter what storms are */
	struct cs_limit_rule *limits;
	size_t limits_n;
	struct cs_window_rule *windows;
	size_t windows_n;
	bool lint_warnings_refuse; /* lint: {fail: [error, warning]} */
};

/* -- guards ---------------------------------------------------------------- */

/* What one guard denies in one field. */
struct cs_guard_field {
	bool is_name; /* a subject alternative name, or else an attribute */
	enum cs_name_kind kind;
	struct cs_span oid; /* of the attribute */
	struct cs_matchers deny;
};

/* One thing that nobody gets: a hit in any of its fields refuses. */
struct cs_guard {
	struct cs_rule rule;	     /* "guards/secret" */
	struct cs_span message;	     /* for people; empty: a sentence of ours */
	struct cs_template template; /* of the message, when dynamic */
	struct cs_guard_field *fields;
	size_t n;
};

/* -- one policy, one set ------------------------------------------------- */

/* A test that a document carries; see policy/self_test.h. */
struct cs_policy_test;

struct cs_policy {
	struct cs_policy_info info;
	struct cs_match_rules match;
	bool dynamic; /* some literal has a {{path}} in it */
	struct cs_table *tables;
	size_t tables_n;
	struct cs_var *vars;
	size_t vars_n;
	struct cs_subject_rules subject;
	struct cs_sans_rules san;
	struct cs_key_rules key;
	struct cs_validity_rules validity;
	struct cs_ext_rules ext;
	struct cs_timing_rules timing;
	struct cs_guard *guards; /* of a document of guards, and no more */
	size_t guards_n;
	struct cs_policy_test *tests;
	size_t tests_n;
};

/*
 * The sources that are the house itself, with a policy each that no document
 * replaces: the listener's certificate, and those of OCSP responders.
 */
enum cs_house_source {
	CS_HOUSE_LISTENER,
	CS_HOUSE_OCSP,
	CS_HOUSE_SOURCES
};

/* Which one it is; false: one that documents may match. */
bool cs_house_source(struct cs_span source, enum cs_house_source *ret_house);

struct cs_policy_set {
	struct cs_arena arena;	   /* everything below */
	struct cs_policy **sorted; /* by priority, highest first */
	size_t n;
	struct cs_policy **guards; /* documents of guards, by name */
	size_t guards_n;
	struct cs_policy *house[CS_HOUSE_SOURCES];
	struct cs_blocklist blocklist; /* of all *.blocklist sources */
	uint8_t sha256[32];
};

#endif
