#include "policy/select.h"

#include "base/buf.h"
#include "policy/match.h"

/* Policies that a why-not tells in words. */
#define WHY_NOT_MAX ((size_t)8)

/* Does one of the globs match? */
static bool globs_match(const struct cs_selector *s, struct cs_span text)
{
	if (!s->present)
		return true;
	for (size_t i = 0; i < s->n; i++) {
		if (cs_match_glob(s->items[i], text))
			return true;
	}
	return false;
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
	for (size_t i = 0; i < r->groups_n; i++) {
		if (lists(s, r->groups[i]))
			return true;
	}
	return false;
}

/* The first key of match that does not; NULL: it matches. */
static const char *mismatch(const struct cs_match_rules *m,
			    const struct cs_request_facts *r)
{
	if (!globs_match(&m->issuer, r->issuer))
		return "issuer";
	if (!globs_match(&m->source, r->source))
		return "source";
	if (m->users.present && !lists(&m->users, r->requester))
		return "requester.users";
	if (m->groups.present && !in_groups(&m->groups, r))
		return "requester.groups";
	return NULL;
}

/* The house's own certificate is nobody else's business. */
static bool is_listener(const struct cs_request_facts *r)
{
	return cs_span_equal_str(r->source, "listener");
}

const struct cs_policy *cs_select(const struct cs_policy_set *set,
				  const struct cs_request_facts *request)
{
	if (is_listener(request))
		return mismatch(&set->listener->match, request) == NULL
			       ? set->listener
			       : NULL;
	for (size_t i = 0; i < set->n; i++) {
		if (mismatch(&set->sorted[i]->match, request) == NULL)
			return set->sorted[i];
	}
	return NULL;
}

/* "web wants another issuer than `vm`" */
static void tell(struct cs_buf *b, const struct cs_policy *p,
		 const struct cs_request_facts *r)
{
	const char *what = mismatch(&p->match, r);

	cs_buf_addf(b, "%.*s ", CS_SPAN_FMT(p->info.name));
	if (what == NULL)
		cs_buf_add_str(b, "matches");
	else if (what[0] == 'i')
		cs_buf_addf(b, "is for other issuers than `%.*s`",
			    CS_SPAN_FMT(r->issuer));
	else if (what[0] == 's')
		cs_buf_addf(b, "is for other sources than `%.*s`",
			    CS_SPAN_FMT(r->source));
	else if (what[10] == 'u')
		cs_buf_addf(b, "does not list the user `%.*s`",
			    CS_SPAN_FMT(r->requester));
	else
		cs_buf_addf(b, "lists no group of `%.*s`",
			    CS_SPAN_FMT(r->requester));
}

struct cs_span cs_select_why_not(const struct cs_policy_set *set,
				 const struct cs_request_facts *request,
				 struct cs_arena *arena)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_span text = {0};

	cs_buf_init(&b, 16 * 1024);
	if (set->n == 0)
		cs_buf_add_str(&b, "no policy is loaded");
	else
		cs_buf_add_str(&b, "no policy matches: ");
	for (size_t i = 0; i < set->n && i < WHY_NOT_MAX; i++) {
		if (i > 0)
			cs_buf_add_str(&b, ", ");
		tell(&b, set->sorted[i], request);
	}
	if (set->n > WHY_NOT_MAX)
		cs_buf_addf(&b, ", and %zu more", set->n - WHY_NOT_MAX);
	if (!cs_buf_ok(&b) || !cs_arena_dup(arena, cs_buf_span(&b), &text))
		return cs_span_make(NULL, 0);
	return text;
}
