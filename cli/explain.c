#include "cli/explain.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "issuer/csr.h"
#include "issuer/judge.h"
#include "issuer/judge_parts.h"
#include "policy/doc.h"
#include "policy/match.h"
#include "policy/verdict_json.h"

/* One request while it is explained. */
struct matter {
	const struct cs_explain *e;
	struct cs_arena arena;
	struct cs_crypto *crypto;
	struct cs_buf der;
	struct cs_msg_request request;
	struct cs_facts facts;
	struct cs_verdict verdict; /* of phases A to C */
};

static json_t *span_json(struct cs_span s)
{
	return json_stringn(s.n > 0 ? (const char *)s.p : "", s.n);
}

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory to explain");
}

/* -- judging --------------------------------------------------------------- */

/* "default, web": the issuers of the installation. */
static bool no_issuer(const struct matter *m, struct cs_error *err)
{
	const struct cs_config *c = &m->e->install->config;
	CS_CLEANUP(cs_buf_done) struct cs_buf names;

	cs_buf_init(&names, 4096);
	for (size_t i = 0; i < c->n_issuers; i++)
		cs_buf_addf(&names, "%s%s", i > 0 ? ", " : "",
			    c->issuers[i].name);
	return cs_error_set(
		err, CS_E_USAGE, "there is no issuer `%.*s` here; there %s %s",
		CS_SPAN_FMT(m->request.issuer),
		c->n_issuers == 1 ? "is" : "are", cs_buf_str(&names));
}

/* Is its issuer one of the installation, if there is one? */
static bool check_issuer(const struct matter *m, struct cs_error *err)
{
	const struct cs_install *in = m->e->install;

	for (size_t i = 0; in != NULL && i < in->config.n_issuers; i++) {
		if (cs_span_equal_str(m->request.issuer,
				      in->config.issuers[i].name))
			return true;
	}
	return in == NULL || m->e->is_recorded || no_issuer(m, err);
}

/* The CSR's facts; what is wrong with it becomes findings. */
static bool read_csr(struct matter *m, struct cs_error *err)
{
	struct cs_error why = {0};
	struct cs_span der;

	if (cs_judge_csr_der(m->request.csr, &m->der, &der, &why))
		return cs_csr_read(m->crypto, der, &m->arena, &m->facts.csr,
				   &m->verdict.findings, err);
	if (why.code == CS_E_NO_MEMORY)
		return no_memory(err);
	if (!cs_findings_builtin(&m->verdict.findings, "CSR_MALFORMED",
				 CS_SPAN_LIT(""), CS_SPAN_LIT(""), "%s",
				 why.text))
		return no_memory(err);
	return true;
}

/* When the issuer's certificate ends; 0 when it is not at hand. */
static int64_t issuer_end(const struct matter *m)
{
	const struct cs_install *in = m->e->install;

	for (size_t i = 0; in != NULL && i < in->config.n_issuers; i++) {
		if (cs_span_equal(in->ca[i]->name, m->request.issuer))
			return in->ca[i]->not_after_s;
	}
	return 0;
}

/* Phases A to C here, for what the answer does not tell. */
static bool judge_here(struct matter *m, struct cs_error *err)
{
	struct cs_findings *findings = &m->verdict.findings;

	cs_verdict_init(&m->verdict, &m->arena);
	if (!cs_msg_request_decode(m->e->request, &m->request, err) ||
	    !check_issuer(m, err) ||
	    !cs_judge_request_facts(&m->request, m->e->now_ms, &m->arena,
				    &m->facts.request, err) ||
	    !read_csr(m, err))
		return false;
	m->facts.request.issuer_not_after_s = issuer_end(m);
	if (findings->n > 0) {
		m->verdict.set_sha256 = cs_policy_set_sha256(m->e->policy->set);
		m->verdict.code = findings->items[0].code;
		m->verdict.request = &m->facts.request;
		return true;
	}
	return cs_policy_judge(m->e->policy->set, &m->facts, &m->arena,
			       &m->verdict, err);
}

static int64_t fixed_now(void *ctx)
{
	const int64_t *now_ms = ctx;

	return *now_ms;
}

/* The whole judgement, as a worker runs it. */
static bool judge_all(struct matter *m, struct cs_judge *judge,
		      struct cs_buf *body, struct cs_error *err)
{
	const struct cs_loaded *policy = m->e->policy;
	CS_CLEANUP(cs_buf_done) struct cs_buf files;
	struct cs_judgement out;
	struct cs_msg_set set = {.epoch = (uint64_t)policy->epoch};

	cs_buf_init(&files, CS_MAX_MESSAGE);
	cs_sources_encode(&policy->sources, &files);
	set.files = cs_buf_span(&files);
	memcpy(set.set_sha256, cs_policy_set_sha256(policy->set),
	       sizeof(set.set_sha256));
	if (!cs_buf_finish(&files, "the policy files", err) ||
	    !cs_judge_set(judge, &set, err) ||
	    !cs_judge_request(judge, m->e->request, &out, err))
		return false;
	cs_buf_add(body, out.issue ? out.intent.body : out.refusal.body);
	return cs_buf_finish(body, "the verdict", err);
}

/* The same with an installation's issuers around it. */
static bool judge_there(struct matter *m, struct cs_buf *body,
			struct cs_error *err)
{
	const struct cs_install *in = m->e->install;
	int64_t now_ms = m->e->now_ms;
	const struct cs_clock clock = {
		.wall_ms = fixed_now, .boot_ms = fixed_now, .ctx = &now_ms};
	size_t n = in->config.n_issuers;
	struct cs_judge_issuer *issuers =
		cs_arena_new_array(&m->arena, n, sizeof(*issuers));
	struct cs_judge *judge;
	bool ok;

	if (issuers == NULL)
		return no_memory(err);
	for (size_t i = 0; i < n; i++)
		issuers[i] = (struct cs_judge_issuer){
			in->ca[i], &in->ceiling[i], in->state[i].is_retired};
	judge = cs_judge_new(issuers, n, clock, err);
	if (judge == NULL)
		return false;
	ok = judge_all(m, judge, body, err);
	cs_judge_free(judge);
	return ok;
}

/* -- what a person wants to know besides ----------------------------------- */

/* "issuer web" when the policy's `match` names it and the request has one. */
static bool add_because(json_t *list, const json_t *match, const char *key,
			struct cs_span value)
{
	if (json_object_get(match, key) == NULL || value.n == 0)
		return true;
	return json_array_append_new(list, json_sprintf("%s %.*s", key,
							CS_SPAN_FMT(value))) ==
	       0;
}

/* The labels that the policy matched by. */
static bool add_labels(json_t *list, const struct cs_request_facts *r,
		       const json_t *labels)
{
	bool ok = true;

	for (size_t i = 0; ok && i < r->labels_n; i++) {
		const struct cs_fact_pair *p = &r->labels[i];

		if (json_object_getn(labels, (const char *)p->key.p, p->key.n))
			ok = json_array_append_new(
				     list,
				     json_sprintf("label %.*s=%.*s",
						  CS_SPAN_FMT(p->key),
						  CS_SPAN_FMT(p->value))) == 0;
	}
	return ok;
}

/* The groups of a requester whose groups the policy looks at. */
static bool add_groups(json_t *list, const struct cs_request_facts *r,
		       const json_t *requester)
{
	bool ok = true;

	if (json_object_get(requester, "groups") == NULL)
		return true;
	for (size_t i = 0; ok && i < r->groups_n; i++)
		ok = json_array_append_new(
			     list, json_sprintf("group %.*s",
						CS_SPAN_FMT(r->groups[i]))) ==
		     0;
	return ok;
}

/* Why the governing policy does: what of its `match` was met, by what. */
static json_t *because(const struct matter *m)
{
	const struct cs_request_facts *r = &m->facts.request;
	const struct cs_policy_info *p = m->verdict.policy;
	json_t *doc = cs_json_parse(p->json, "the policy", NULL);
	json_t *match = json_object_get(json_object_get(doc, "spec"), "match");
	json_t *list = json_array();
	bool ok = add_because(list, match, "issuer", r->issuer) &&
		  add_because(list, match, "source", r->source) &&
		  add_because(list, match, "realm", r->realm) &&
		  add_because(list, match, "namespace", r->namespace) &&
		  add_labels(list, r,
			     json_object_get(match, "namespaceLabels")) &&
		  add_because(list, match, "requester", r->requester) &&
		  add_groups(list, r, json_object_get(match, "requester"));

	ok = ok && json_array_append_new(
			   list, json_sprintf("priority %lld",
					      (long long)p->priority)) == 0;
	json_decref(doc);
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

/* "team = shop" of each variable of the governing policy. */
static json_t *vars(const struct matter *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->verdict.vars_n; i++) {
		const struct cs_policy_value *v = &m->verdict.vars[i];
		CS_CLEANUP(cs_buf_done) struct cs_buf text;

		cs_buf_init(&text, CS_MAX_DECISION);
		for (size_t k = 0; k < v->n; k++)
			cs_buf_addf(&text, "%s%.*s", k > 0 ? " or " : "",
				    CS_SPAN_FMT(v->items[k]));
		json_array_append_new(list, json_sprintf("%.*s = %s",
							 CS_SPAN_FMT(v->name),
							 cs_buf_str(&text)));
	}
	return list;
}

/* Why each other policy does not govern. */
static json_t *others(const struct matter *m)
{
	const struct cs_policy_set *set = m->e->policy->set;
	json_t *list = json_array();

	for (size_t i = 0; i < cs_policy_set_count(set); i++) {
		const struct cs_policy_info *p = cs_policy_set_at(set, i);
		CS_CLEANUP(cs_buf_done) struct cs_buf why;

		cs_buf_init(&why, 4096);
		if (p == m->verdict.policy || p->kind == CS_DOCUMENT_GUARDS)
			continue;
		cs_policy_set_why_not(set, &m->facts.request, i, &why);
		if (json_array_append_new(
			    list, json_pack("{s:o, s:o}", "policy",
					    span_json(p->name), "why",
					    span_json(cs_buf_span(&why)))) == 0)
			continue;
		json_decref(list);
		return NULL;
	}
	return list;
}

/* Is the rule, or one below it, named by a member of the list? */
static bool names_rule(const json_t *list, const char *rule)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *id =
			json_string_value(json_object_get(item, "rule"));
		size_t n = id != NULL ? strlen(id) : 0;

		/* "web/validity.max" is decided by "validity.max.value". */
		if (n > 0 && strncmp(id, rule, n) == 0 &&
		    (rule[n] == '\0' || rule[n] == '.'))
			return true;
	}
	return false;
}

/* One line: the rule "NAME/PATH", its value, and what it came to. */
static bool add_rule(json_t *list, const json_t *answer, struct cs_span name,
		     const char *path, json_t *value)
{
	json_t *rule = json_sprintf("%.*s/%s", CS_SPAN_FMT(name), path);
	const char *id = json_string_value(rule);
	const char *outcome = "holds";

	if (names_rule(json_object_get(answer, "violations"), id))
		outcome = "violated";
	else if (names_rule(json_object_get(answer, "diff"), id))
		outcome = "applied";
	return json_array_append_new(
		       list, json_pack("{s:s, s:o, s:O}", "outcome", outcome,
				       "rule", rule, "value", value)) == 0;
}

/* One guard: it goes by its own id, and its value is what it hits. */
static bool add_guard(json_t *list, const json_t *answer, struct cs_span name,
		      json_t *guard)
{
	const char *id = json_string_value(json_object_get(guard, "id"));
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	json_t *rest = json_copy(guard);
	json_t *value;
	bool ok;

	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	(void)json_object_del(rest, "id");
	(void)json_object_del(rest, "message");
	ok = id != NULL && cs_json_canonical(rest, &text, NULL);
	value = json_string(cs_buf_str(&text));
	ok = ok && add_rule(list, answer, name, id, value);
	json_decref(value);
	json_decref(rest);
	return ok;
}

/* The guards of a document: of the policy's own, or of one for guards. */
static bool add_guards(json_t *list, const json_t *answer,
		       const struct cs_policy_info *p)
{
	json_t *doc = cs_json_parse(p->json, "the policy", NULL);
	json_t *guards =
		json_object_get(json_object_get(doc, "spec"), "guards");
	/* The set's guards go by one name, whatever their document's is. */
	struct cs_span name =
		p->kind == CS_DOCUMENT_GUARDS ? CS_SPAN_LIT("guards") : p->name;
	json_t *guard;
	bool ok = doc != NULL;
	size_t i;

	json_array_foreach(guards, i, guard) ok =
		ok && add_guard(list, answer, name, guard);
	json_decref(doc);
	return ok;
}

/* Does a document of guards stand over requests to this issuer? */
static bool guards_issuer(const struct cs_policy_info *p, struct cs_span issuer)
{
	json_t *doc = cs_json_parse(p->json, "the policy", NULL);
	const json_t *globs = json_object_get(
		json_object_get(json_object_get(doc, "spec"), "match"),
		"issuer");
	bool covers = globs == NULL;
	const json_t *glob;
	size_t i;

	if (json_is_string(globs))
		covers = cs_match_glob(cs_span_str(json_string_value(globs)),
				       issuer);
	json_array_foreach(globs, i, glob) covers =
		covers ||
		cs_match_glob(cs_span_str(json_string_value(glob)), issuer);
	json_decref(doc);
	return covers;
}

/*
 * Every rule of the governing policy, defaults too, and every guard over it,
 * with what each came to.
 */
static json_t *rules(const struct matter *m, const json_t *answer)
{
	const struct cs_policy_info *p = m->verdict.policy;
	const struct cs_policy_set *set = m->e->policy->set;
	json_t *flat = cs_policy_doc_rules(p);
	json_t *list = json_array();
	bool ok = flat != NULL && list != NULL;
	const char *path;
	json_t *value;

	json_object_foreach(flat, path, value)
	{
		ok = ok && (strcmp(path, "guards") == 0 ||
			    add_rule(list, answer, p->name, path, value));
	}
	ok = ok && add_guards(list, answer, p);
	for (size_t i = 0; ok && i < cs_policy_set_count(set); i++) {
		const struct cs_policy_info *g = cs_policy_set_at(set, i);

		if (g->kind == CS_DOCUMENT_GUARDS &&
		    guards_issuer(g, m->facts.request.issuer))
			ok = add_guards(list, answer, g);
	}
	json_decref(flat);
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

/* Fields that are as asked, also of a refusal. */
static json_t *kept(const struct matter *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->verdict.kept_n; i++)
		json_array_append_new(list, span_json(m->verdict.kept[i]));
	return list;
}

/* What the request says of itself, for what to do next. */
static json_t *request_json(const struct matter *m)
{
	const struct cs_request_facts *r = &m->facts.request;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "issuer",
			 span_json(r->issuer), "namespace",
			 span_json(r->namespace), "owner", span_json(r->owner),
			 "realm", span_json(r->realm), "requester",
			 span_json(r->requester), "source",
			 span_json(r->source));
}

/* Why the policy governs, and its rules. */
static void add_policy(const struct matter *m, json_t *answer)
{
	if (m->verdict.policy == NULL)
		return;
	json_object_set_new(answer, "because", because(m));
	json_object_set_new(answer, "rules", rules(m, answer));
	if (m->verdict.vars_n > 0)
		json_object_set_new(answer, "vars", vars(m));
}

/* A judgement that ended behind the rules says so. */
static void add_not_reached(const struct matter *m, json_t *answer)
{
	if (m->e->install != NULL)
		json_object_set_new(answer, "not_reached",
				    json_pack("[s]", "limits"));
	else
		json_object_set_new(answer, "not_reached",
				    json_pack("[s, s]", "build", "limits"));
}

/* Names of the CSR, its common names among them. */
static size_t count_names(const struct matter *m)
{
	static const uint8_t cn[] = {0x55, 0x04, 0x03};
	const struct cs_cert_facts *csr = &m->facts.csr;
	size_t n = csr->names_n;

	for (size_t i = 0; i < csr->subject_n; i++)
		n += cs_span_equal(csr->subject[i].oid,
				   cs_span_make(cn, sizeof(cn)));
	return n;
}

/* Does its issuer hold what no policy matches? */
static bool holds_no_policy(const struct matter *m)
{
	const struct cs_install *in = m->e->install;

	for (size_t i = 0; in != NULL && i < in->config.n_issuers; i++) {
		if (cs_span_equal_str(m->request.issuer,
				      in->config.issuers[i].name))
			return in->config.issuers[i].hold_no_policy;
	}
	return false;
}

/* Then it is not refused: the ledger keeps it until a policy matches. */
static void add_hold(const struct matter *m, json_t *answer)
{
	const char *code = json_string_value(json_object_get(answer, "code"));

	if (code == NULL || strcmp(code, "NO_POLICY") != 0 ||
	    !holds_no_policy(m))
		return;
	json_object_set_new(answer, "would", json_string("held"));
	json_object_set_new(
		answer, "detail",
		json_sprintf("no policy matches the request; issuer %.*s holds "
			     "it until one does",
			     CS_SPAN_FMT(m->request.issuer)));
	json_object_del(answer, "final");
}

/* Everything besides the verdict. */
static void add_members(const struct matter *m, json_t *answer)
{
	json_t *verdict = json_object_get(answer, "verdict");

	json_object_set(answer, "would", verdict);
	json_object_del(answer, "verdict");
	add_hold(m, answer);
	add_policy(m, answer);
	if (json_object_get(answer, "not_reached") == NULL)
		add_not_reached(m, answer);
	if (json_object_get(answer, "kept") == NULL)
		json_object_set_new(answer, "kept", kept(m));
	if (m->verdict.reached > CS_PHASE_PARSE)
		json_object_set_new(answer, "others", others(m));
	json_object_set_new(answer, "names",
			    json_integer((json_int_t)count_names(m)));
	json_object_set_new(answer, "request", request_json(m));
}

/* The verdict's JSON, by the judge where there is an installation. */
static json_t *explain(struct matter *m, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf body;
	json_t *answer;

	cs_buf_init(&body, CS_MAX_DECISION);
	if (!judge_here(m, err) ||
	    !(m->e->install != NULL ? judge_there(m, &body, err)
				    : cs_verdict_json(&m->verdict, &body, err)))
		return NULL;
	answer = cs_json_parse(cs_buf_span(&body), "the verdict", err);
	if (answer != NULL)
		add_members(m, answer);
	return answer;
}

json_t *cs_explain_make(const struct cs_explain *e, struct cs_error *err)
{
	struct matter m = {.e = e, .crypto = cs_crypto_new(err)};
	json_t *answer = NULL;

	cs_arena_init(&m.arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&m.der, CS_MAX_CSR_PEM);
	if (m.crypto != NULL)
		answer = explain(&m, err);
	cs_crypto_free(m.crypto);
	cs_buf_done(&m.der);
	cs_arena_done(&m.arena);
	return answer;
}
