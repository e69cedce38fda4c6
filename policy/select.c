#include "policy/select.h"

#include "base/buf.h"
#include "base/time.h"
#include "policy/match.h"
#include "policy/requester.h"

/* Names that a why-not tells of what a policy is for. */
#define WANTED_MAX ((size_t)4)

/* The first key of `match` that keeps a policy from governing. */
enum mismatch {
	MATCHES,
	OTHER_ISSUER,
	OTHER_SOURCE,
	OTHER_REALM,
	OTHER_NAMESPACE,
	OTHER_LABELS,
	OTHER_USER,
	OTHER_GROUPS,
	OTHER_ACCOUNT,
	OTHER_EXTRA,
	ENDED
};

/* Does one of the globs match? What is not stated matches none. */
static bool globs_match(const struct cs_selector *s, struct cs_span text)
{
	if (!s->present)
		return true;
	for (size_t i = 0; i < s->n && text.n > 0; i++) {
		if (cs_match_glob(s->items[i], text))
			return true;
	}
	return false;
}

/* The same for user names. */
static bool users_match(const struct cs_selector *s, struct cs_span user)
{
	if (!s->present)
		return true;
	for (size_t i = 0; i < s->n && user.n > 0; i++) {
		if (cs_match_user_glob(s->items[i], user))
			return true;
	}
	return false;
}

bool cs_select_guards(const struct cs_policy *document,
		      const struct cs_request_facts *request)
{
	return globs_match(&document->match.issuer, request->issuer);
}

/* Is the text one of the list? */
static bool lists(const struct cs_selector *s, struct cs_span text)
{
	for (size_t i = 0; i < s->n; i++) {
		if (cs_span_equal(s->items[i], text))
			return true;
	}
	return false;
}

/* Is the requester in one of the groups? */
static bool in_groups(const struct cs_selector *s,
		      const struct cs_request_facts *r)
{
	if (!s->present)
		return true;
	for (size_t i = 0; i < r->groups_n; i++) {
		if (lists(s, r->groups[i]))
			return true;
	}
	return false;
}

/* Has the requester one of the values of this key? */
static bool has_extra(const struct cs_request_facts *r,
		      const struct cs_fact_extra *wanted)
{
	const struct cs_selector values = {true, wanted->values, wanted->n};

	for (size_t i = 0; i < r->extra_n; i++) {
		const struct cs_fact_extra *e = &r->extra[i];

		for (size_t k = 0; k < e->n; k++) {
			if (cs_span_equal(e->key, wanted->key) &&
			    lists(&values, e->values[k]))
				return true;
		}
	}
	return false;
}

/* Of every key? */
static bool has_extras(const struct cs_match_rules *m,
		       const struct cs_request_facts *r)
{
	for (size_t i = 0; i < m->extra_n; i++) {
		if (!has_extra(r, &m->extra[i]))
			return false;
	}
	return true;
}

/* Has the namespace this label, with this value? */
static bool has_label(const struct cs_request_facts *r,
		      const struct cs_fact_pair *label)
{
	for (size_t i = 0; i < r->labels_n; i++) {
		if (cs_span_equal(r->labels[i].key, label->key))
			return cs_span_equal(r->labels[i].value, label->value);
	}
	return false;
}

/* Has it all of them? */
static bool has_labels(const struct cs_match_rules *m,
		       const struct cs_request_facts *r)
{
	for (size_t i = 0; i < m->labels_n; i++) {
		if (!has_label(r, &m->labels[i]))
			return false;
	}
	return true;
}

/* Is the requester one of these service accounts? */
static bool account_matches(const struct cs_match_rules *m,
			    const struct cs_request_facts *r)
{
	struct cs_span namespace = {0}, name = {0};

	if (!m->user_namespace.present && !m->service_account.present)
		return true;
	(void)cs_requester_service_account(r->requester, &namespace, &name);
	return globs_match(&m->user_namespace, namespace) &&
	       globs_match(&m->service_account, name);
}

/* The first key of match that does not. */
static enum mismatch mismatch(const struct cs_match_rules *m,
			      const struct cs_request_facts *r)
{
	if (!globs_match(&m->issuer, r->issuer))
		return OTHER_ISSUER;
	if (!globs_match(&m->source, r->source))
		return OTHER_SOURCE;
	if (!globs_match(&m->realm, r->realm))
		return OTHER_REALM;
	if (!globs_match(&m->namespace, r->namespace))
		return OTHER_NAMESPACE;
	if (!has_labels(m, r))
		return OTHER_LABELS;
	if (!users_match(&m->users, r->requester))
		return OTHER_USER;
	if (!in_groups(&m->groups, r))
		return OTHER_GROUPS;
	if (!account_matches(m, r))
		return OTHER_ACCOUNT;
	if (!has_extras(m, r))
		return OTHER_EXTRA;
	if (m->has_until && r->now_s >= m->until_s)
		return ENDED;
	return MATCHES;
}

bool cs_house_source(struct cs_span source, enum cs_house_source *ret_house)
{
	static const char *const names[CS_HOUSE_SOURCES] = {
		[CS_HOUSE_LISTENER] = "listener",
		[CS_HOUSE_OCSP] = "ocsp",
	};

	for (unsigned i = 0; i < CS_HOUSE_SOURCES; i++) {
		if (!cs_span_equal_str(source, names[i]))
			continue;
		*ret_house = (enum cs_house_source)i;
		return true;
	}
	return false;
}

bool cs_select_matches(const struct cs_policy *policy,
		       const struct cs_request_facts *request)
{
	enum cs_house_source house;

	/* The house's own certificates are nobody else's business. */
	return !cs_house_source(request->source, &house) &&
	       mismatch(&policy->match, request) == MATCHES;
}

const struct cs_policy *cs_select(const struct cs_policy_set *set,
				  const struct cs_request_facts *request)
{
	enum cs_house_source house;

	if (cs_house_source(request->source, &house))
		return mismatch(&set->house[house]->match, request) == MATCHES
			       ? set->house[house]
			       : NULL;
	for (size_t i = 0; i < set->n; i++) {
		if (set->sorted[i]->info.mode != CS_MODE_SHADOW &&
		    cs_select_matches(set->sorted[i], request))
			return set->sorted[i];
	}
	return NULL;
}

/* "A, B, and 3 more" of what a policy asks for: item i, and how many. */
static bool begin_item(struct cs_buf *b, size_t i, size_t n)
{
	if (i == 0)
		cs_buf_add_str(b, " (");
	else if (i < WANTED_MAX)
		cs_buf_add_str(b, ", ");
	else
		cs_buf_addf(b, ", and %zu more", n - i);
	return i < WANTED_MAX;
}

/* " (prod-*, test)": what the policy is for. */
static void tell_wanted(struct cs_buf *b, const struct cs_selector *s)
{
	for (size_t i = 0; i < s->n && i <= WANTED_MAX; i++)
		if (begin_item(b, i, s->n))
			cs_buf_add(b, s->items[i]);
	if (s->n > 0)
		cs_buf_add_byte(b, ')');
}

/* " (tier=web)" */
static void tell_labels(struct cs_buf *b, const struct cs_match_rules *m)
{
	for (size_t i = 0; i < m->labels_n && i <= WANTED_MAX; i++)
		if (begin_item(b, i, m->labels_n))
			cs_buf_addf(b, "%.*s=%.*s",
				    CS_SPAN_FMT(m->labels[i].key),
				    CS_SPAN_FMT(m->labels[i].value));
	if (m->labels_n > 0)
		cs_buf_add_byte(b, ')');
}

/* "is for other issuers than `vm` (web, shop)" */
static void tell_other(struct cs_buf *b, const char *what, struct cs_span value,
		       const struct cs_selector *wanted)
{
	if (value.n > 0)
		cs_buf_addf(b, "is for other %ss than `%.*s`", what,
			    CS_SPAN_FMT(value));
	else
		cs_buf_addf(b, "wants a %s, and the request states none", what);
	tell_wanted(b, wanted);
}

/* " (namespace prod-*; name web)": which service accounts. */
static void tell_accounts(struct cs_buf *b, const struct cs_match_rules *m)
{
	if (m->user_namespace.present) {
		cs_buf_add_str(b, "; its namespace");
		tell_wanted(b, &m->user_namespace);
	}
	if (m->service_account.present) {
		cs_buf_add_str(b, "; its name");
		tell_wanted(b, &m->service_account);
	}
}

/* Why this policy does not govern, without its name. */
static void tell(struct cs_buf *b, const struct cs_policy *p,
		 const struct cs_request_facts *r)
{
	const struct cs_match_rules *m = &p->match;
	char until[CS_TIME_TEXT];

	switch (mismatch(m, r)) {
	case OTHER_ISSUER:
		tell_other(b, "issuer", r->issuer, &m->issuer);
		break;
	case OTHER_SOURCE:
		tell_other(b, "source", r->source, &m->source);
		break;
	case OTHER_REALM:
		tell_other(b, "realm", r->realm, &m->realm);
		break;
	case OTHER_NAMESPACE:
		tell_other(b, "namespace", r->namespace, &m->namespace);
		break;
	case OTHER_LABELS:
		cs_buf_add_str(b, "wants other labels of the namespace");
		tell_labels(b, m);
		break;
	case OTHER_USER:
		cs_buf_addf(b, "does not list the user `%.*s`",
			    CS_SPAN_FMT(r->requester));
		tell_wanted(b, &m->users);
		break;
	case OTHER_GROUPS:
		cs_buf_addf(b, "lists no group of `%.*s`",
			    CS_SPAN_FMT(r->requester));
		tell_wanted(b, &m->groups);
		break;
	case OTHER_ACCOUNT:
		cs_buf_addf(b, "is for other service accounts than `%.*s`",
			    CS_SPAN_FMT(r->requester));
		tell_accounts(b, m);
		break;
	case OTHER_EXTRA:
		cs_buf_addf(b, "wants other `extra` of `%.*s`",
			    CS_SPAN_FMT(r->requester));
		break;
	case ENDED:
		cs_time_rfc3339(m->until_s, until);
		cs_buf_addf(b, "ended at %s", until);
		break;
	case MATCHES:
	default:
		cs_buf_add_str(b, "matches, but is in shadow");
		break;
	}
}

void cs_policy_set_why_not(const struct cs_policy_set *set,
			   const struct cs_request_facts *request, size_t i,
			   struct cs_buf *out)
{
	const struct cs_policy *p = i < set->n ? set->sorted[i] : NULL;

	if (p == NULL)
		cs_buf_add_str(out, "guards stand over every policy, and "
				    "govern nothing");
	else if (p->info.mode != CS_MODE_SHADOW &&
		 mismatch(&p->match, request) == MATCHES)
		cs_buf_add_str(out, "matches, but another goes before it");
	else
		tell(out, p, request);
}

/* The first `max` policies that do not govern, each with the reason. */
static bool add_others(const struct cs_policy_set *set,
		       const struct cs_request_facts *request, size_t max,
		       struct cs_arena *arena, struct cs_verdict *verdict)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	size_t cap = set->n < max ? set->n : max;
	struct cs_policy_other *others =
		cs_arena_new_array(arena, cap, sizeof(*others));
	size_t n = 0;

	cs_buf_init(&b, 4096);
	if (others == NULL)
		return cap == 0;
	for (size_t i = 0; i < set->n && n < cap; i++) {
		if (&set->sorted[i]->info == verdict->policy)
			continue;
		cs_buf_reset(&b);
		cs_policy_set_why_not(set, request, i, &b);
		others[n].policy = set->sorted[i]->info.name;
		if (!cs_arena_dup(arena, cs_buf_span(&b), &others[n++].why))
			return false;
	}
	verdict->others = others;
	verdict->others_n = n;
	return true;
}

bool cs_select_others(const struct cs_policy_set *set,
		      const struct cs_request_facts *request,
		      struct cs_arena *arena, struct cs_verdict *verdict)
{
	return add_others(set, request, CS_MAX_POLICY_OTHERS, arena, verdict);
}

bool cs_policy_explain_others(const struct cs_policy_set *set,
			      struct cs_arena *arena,
			      struct cs_verdict *verdict, struct cs_error *err)
{
	verdict->explained = true;
	if (verdict->reached == CS_PHASE_PARSE || verdict->request == NULL ||
	    add_others(set, verdict->request, SIZE_MAX, arena, verdict))
		return true;
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory to explain");
}
