/* Which rule decides in no test. */
#include "policy/decide.h"
#include "policy/lint.h"
#include "policy/self_test.h"

/* Rules of one document that are looked at; what is beyond is not. */
#define MAX_RULES ((size_t)512)
/* Memory of one test's judgement. */
#define TEST_ARENA ((size_t)CS_MAX_REQUEST_ARENA)

/* `any`, and every curve: they decide nothing. */
#define ANY_KEY_USAGE (2u * CS_KU_DECIPHER_ONLY - 1)
#define ANY_CURVE     (CS_CURVE_P256 | CS_CURVE_P384 | CS_CURVE_P521)

struct coverage {
	const struct cs_policy *document;
	struct {
		const struct cs_rule *rule;
		bool covered;
	} rules[MAX_RULES];
	size_t n;
};

/* A rule of the document itself, when it is there. */
static void add(struct coverage *c, bool present, const struct cs_rule *rule)
{
	if (present && rule->at.n > 0 && c->n < MAX_RULES)
		c->rules[c->n++].rule = rule;
}

/* A list that takes anything decides nothing, and needs no test. */
static void add_list(struct coverage *c, const struct cs_matchers *list)
{
	bool any = false;

	for (size_t i = 0; i < list->n; i++)
		any = any || (list->sources == NULL &&
			      list->items[i].kind == CS_MATCH_ANY);
	add(c, list->present && !any, &list->rule);
}

/* A maximum that no request can exceed needs no test. */
static void add_max(struct coverage *c, const struct cs_count *max)
{
	add(c, max->present && max->value < CS_MAX_NAMES, &max->rule);
}

static void add_subject(struct coverage *c)
{
	const struct cs_subject_rules *s = &c->document->subject;

	for (size_t i = 0; i < s->n; i++) {
		const struct cs_attr_rules *a = &s->attrs[i];

		add_list(c, &a->allow);
		add_list(c, &a->deny);
		add(c, a->set.present, &a->set.rule);
		add(c, a->fallback.present, &a->fallback.rule);
		add(c, a->min.present, &a->min.rule);
		/* That of a common name is there unless it is said. */
		add(c, a->max.present && !a->is_cn, &a->max.rule);
	}
}

static void add_kind(struct coverage *c, const struct cs_san_rules *r)
{
	add_list(c, &r->allow);
	add_list(c, &r->deny);
	add(c, r->min.present, &r->min.rule);
	add_max(c, &r->max);
}

static void add_san(struct coverage *c)
{
	const struct cs_sans_rules *san = &c->document->san;

	for (int kind = 0; kind < CS_SAN_KINDS; kind++)
		add_kind(c, &san->kind[kind]);
	for (size_t i = 0; i < san->others_n; i++)
		add_kind(c, &san->others[i].rules);
	add(c, san->min_total.present, &san->min_total.rule);
	add_max(c, &san->max_total);
}

static void add_extensions(struct coverage *c)
{
	const struct cs_ext_rules *ext = &c->document->ext;
	const struct cs_key_usage_rules *ku = &ext->key_usage;
	const struct cs_ext_key_usage_rules *eku = &ext->ext_key_usage;

	add(c, ku->has_allow && ku->allow != ANY_KEY_USAGE, &ku->allow_rule);
	add(c, ku->has_set, &ku->set_rule);
	add(c, ku->has_default, &ku->fallback_rule);
	add_list(c, &eku->allow);
	add(c, eku->set.present, &eku->set.rule);
	add(c, eku->fallback.present, &eku->fallback.rule);
	for (size_t i = 0; i < ext->own_n; i++)
		add(c, true, &ext->own[i].rule);
}

/* Does it take every key that a request may have? */
static bool takes_any_key(const struct cs_key_rules *key)
{
	bool ec = false, rsa = false, ed = false;

	for (size_t i = 0; i < key->n; i++) {
		const struct cs_key_spec *k = &key->allow[i];

		ec = ec || (k->alg == CS_KEY_EC && k->curves == ANY_CURVE);
		rsa = rsa || (k->alg == CS_KEY_RSA && k->min_bits <= 2048 &&
			      k->max_bits >= 4096);
		ed = ed || k->alg == CS_KEY_ED25519;
	}
	return ec && rsa && ed;
}

/* The rules that the document states and that a test can show at work. */
static void collect(struct coverage *c)
{
	const struct cs_policy *p = c->document;

	for (size_t i = 0; i < p->guards_n; i++)
		add(c, true, &p->guards[i].rule);
	add_subject(c);
	add_san(c);
	add(c, p->key.n > 0 && !takes_any_key(&p->key), &p->key.rule);
	add(c, p->key.weak != 0 || p->key.blocklist, &p->key.reject);
	add(c, true, &p->validity.fallback);
	add(c, true, &p->validity.min);
	add(c, true, &p->validity.max);
	add_extensions(c);
	for (size_t i = 0; i < p->timing.limits_n; i++)
		add(c, true, &p->timing.limits[i].rule);
	for (size_t i = 0; i < p->timing.windows_n; i++)
		add(c, true, &p->timing.windows[i].rule);
}

/* The rule decided something in a test. */
static void cover(struct coverage *c, struct cs_span id)
{
	for (size_t i = 0; i < c->n; i++) {
		if (cs_span_equal(c->rules[i].rule->id, id))
			c->rules[i].covered = true;
	}
}

/* Every test once more, for what it reaches. */
static void run_tests(struct coverage *c)
{
	const struct cs_policy *p = c->document;
	struct cs_arena arena;
	struct cs_verdict v;

	cs_arena_init(&arena, TEST_ARENA);
	for (size_t i = 0; i < p->tests_n; i++) {
		if (cs_decide_alone(p, &p->tests[i].facts, &arena, &v, NULL)) {
			for (size_t k = 0; k < v.findings.n; k++)
				cover(c, v.findings.items[k].rule);
			for (size_t k = 0; k < v.warnings.n; k++)
				cover(c, v.warnings.items[k].rule);
			for (size_t k = 0; k < v.diff_n; k++)
				cover(c, v.diff[k].rule);
			for (size_t k = 0; k < v.limits_n; k++)
				cover(c, v.limits[k].rule);
		}
		cs_arena_reset(&arena);
	}
	cs_arena_done(&arena);
}

void cs_lint_coverage(const struct cs_policy *document,
		      struct cs_policy_report *report)
{
	struct coverage c = {.document = document};

	if (document->tests_n == 0) {
		cs_report_add(report, CS_PROBLEM_WARNING, document->info.source,
			      document->info.line, 1, "`%.*s` carries no tests",
			      CS_SPAN_FMT(document->info.name));
		return;
	}
	collect(&c);
	run_tests(&c);
	for (size_t i = 0; i < c.n; i++) {
		if (!c.rules[i].covered)
			cs_lint_warn(report, c.rules[i].rule,
				     "no test is decided by `%.*s`",
				     CS_SPAN_FMT(c.rules[i].rule->id));
	}
}
