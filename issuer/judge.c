#include "issuer/judge.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "issuer/csr.h"
#include "issuer/feasible.h"
#include "issuer/judge_parts.h"
#include "issuer/lint.h"
#include "issuer/set_report.h"
#include "issuer/tbs.h"
#include "policy/codes.h"
#include "policy/verdict_json.h"

struct cs_judge {
	const struct cs_judge_issuer *issuers; /* borrowed */
	size_t issuers_n;
	struct cs_clock clock;
	struct cs_crypto *crypto;

	/* The set in force; NULL before the first SET. */
	struct cs_policy_set *set;
	uint64_t epoch;

	/* Of one request; what a judgement borrows. */
	struct cs_arena arena;
	struct cs_buf der;
	struct cs_buf tbs;
	struct cs_buf body;
	struct cs_buf terms;
	struct cs_buf inputs;
	struct cs_buf limits;
	uint8_t serial[CS_MAX_SERIAL];
};

/* One request while it is judged. */
struct matter {
	struct cs_judge *j;
	struct cs_span encoded;
	struct cs_msg_request request;
	const struct cs_judge_issuer *issuer; /* NULL: unknown */
	int64_t now_ms;
	struct cs_span serial; /* j->serial; empty: not drawn yet */
	struct cs_span csr;    /* DER, or as received */
	struct cs_facts facts;
	struct cs_verdict verdict;
	struct cs_tbs_facts built; /* valid when `has_built` */
	bool has_built;
};

void cs_judge_free(struct cs_judge *j)
{
	if (j == NULL)
		return;
	cs_policy_set_free(j->set);
	cs_crypto_free(j->crypto);
	cs_arena_done(&j->arena);
	cs_buf_done(&j->der);
	cs_buf_done(&j->tbs);
	cs_buf_done(&j->body);
	cs_buf_done(&j->terms);
	cs_buf_done(&j->inputs);
	cs_buf_done(&j->limits);
	cs_mem_free(j);
}

struct cs_judge *cs_judge_new(const struct cs_judge_issuer *issuers, size_t n,
			      struct cs_clock clock, struct cs_error *err)
{
	struct cs_judge *j = cs_mem_new(sizeof(*j));

	if (j == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for a judge");
		return NULL;
	}
	j->issuers = issuers;
	j->issuers_n = n;
	j->clock = clock;
	cs_arena_init(&j->arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&j->der, CS_MAX_CSR_PEM);
	cs_buf_init(&j->tbs, CS_MAX_TBS);
	cs_buf_init(&j->body, CS_MAX_DECISION);
	cs_buf_init(&j->terms, CS_MAX_TERMS);
	cs_buf_init(&j->inputs, CS_MAX_INPUTS);
	cs_buf_init(&j->limits, CS_MAX_LIMIT_LIST);
	j->crypto = cs_crypto_new(err);
	if (j->crypto == NULL) {
		cs_judge_free(j);
		return NULL;
	}
	return j;
}

/* -- phase A -------------------------------------------------------------- */

static const struct cs_judge_issuer *find_issuer(const struct cs_judge *j,
						 struct cs_span name)
{
	for (size_t i = 0; i < j->issuers_n; i++) {
		if (cs_span_equal(j->issuers[i].ca->name, name))
			return &j->issuers[i];
	}
	return NULL;
}

/* A finding of ours; memory is all that can fail. */
static bool add_finding(struct matter *m, enum cs_code code, const char *field,
			const char *sentence, struct cs_error *err)
{
	if (!cs_findings_builtin(&m->verdict.findings, cs_code_name(code),
				 cs_span_str(field), (struct cs_span){0}, "%s",
				 sentence))
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for a finding");
	return true;
}

/* The CSR's DER and, when there is one, its facts. */
static bool read_csr(struct matter *m, struct cs_error *err)
{
	struct cs_judge *j = m->j;
	struct cs_error why;

	m->csr = m->request.csr;
	if (!cs_judge_csr_der(m->request.csr, &j->der, &m->csr, &why)) {
		if (why.code == CS_E_NO_MEMORY)
			return cs_error_set(err, why.code, "%s", why.text);
		return add_finding(m,
				   why.code == CS_E_TOO_LARGE
					   ? CS_CODE_CSR_TOO_LARGE
					   : CS_CODE_CSR_MALFORMED,
				   "", why.text, err);
	}
	return cs_csr_read(j->crypto, m->csr, &j->arena, &m->facts.csr,
			   &m->verdict.findings, err);
}

/* The issuer's generation is the last one, and over. */
static bool add_retired(struct matter *m, struct cs_error *err)
{
	const struct cs_issuer_ca *ca = m->issuer->ca;
	const char *sentence = cs_arena_printf(
		&m->j->arena,
		"issuer %.*s is retired (generation %u) and signs no "
		"certificates any more",
		CS_SPAN_FMT(ca->name), ca->generation);

	if (sentence == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for a finding");
	return add_finding(m, CS_CODE_ISSUER_RETIRED, "issuer", sentence, err);
}

static bool phase_a(struct matter *m, struct cs_error *err)
{
	if (!cs_judge_request_facts(&m->request, m->now_ms, &m->j->arena,
				    &m->facts.request, err) ||
	    !read_csr(m, err))
		return false;
	m->issuer = find_issuer(m->j, m->request.issuer);
	if (m->issuer == NULL)
		return add_finding(m, CS_CODE_ISSUER_UNKNOWN, "issuer",
				   "the installation has no issuer of this "
				   "name",
				   err);
	m->facts.request.issuer_not_after_s = m->issuer->ca->not_after_s;
	return !m->issuer->is_retired ||
	       cs_span_equal_str(m->request.source, "ocsp") ||
	       add_retired(m, err);
}

/* -- phase D -------------------------------------------------------------- */

/* Plan to TBS. What the plan cannot be written as is a finding. */
static bool build(struct matter *m, struct cs_error *err)
{
	struct cs_judge *j = m->j;
	struct cs_error why;

	if (m->serial.n == 0) {
		if (!cs_tbs_serial(m->now_ms / 1000, j->serial, err))
			return false;
		m->serial = cs_span_make(j->serial, CS_SERIAL_SIZE);
	}
	if (cs_tbs_write(&m->verdict.plan, &m->facts.csr.key, m->issuer->ca,
			 m->serial, cs_crypto_hash(j->crypto), &j->arena,
			 &j->tbs, &why))
		return true;
	if (why.code == CS_E_ARGUMENT || why.code == CS_E_TOO_LARGE)
		return add_finding(m, CS_CODE_BUILD_CONFLICT, "", why.text,
				   err);
	return cs_error_set(err, why.code, "%s", why.text);
}

/* Read what would be signed. */
static bool read_back(struct matter *m, struct cs_error *err)
{
	struct cs_error why;

	m->has_built = cs_tbs_facts_read(cs_crypto_hash(m->j->crypto),
					 cs_buf_span(&m->j->tbs), &m->j->arena,
					 &m->built, &why);
	if (m->has_built)
		return true;
	if (why.code == CS_E_NO_MEMORY || why.code == CS_E_CRYPTO)
		return cs_error_set(err, why.code, "%s", why.text);
	return add_finding(m, CS_CODE_BUILD_CONFLICT, "", why.text, err);
}

/* Does the TBS carry exactly what the issuer adds: serial, key, key id? */
static bool check_additions(struct matter *m, struct cs_error *err)
{
	struct cs_judge *j = m->j;
	uint8_t id[20];

	if (!cs_tbs_key_id(cs_crypto_hash(j->crypto), &m->facts.csr.key, id,
			   err))
		return false;
	if (cs_span_equal(m->built.serial, m->serial) &&
	    cs_span_equal(m->built.cert.key.spki, m->facts.csr.key.spki) &&
	    cs_span_equal(m->built.ski, cs_span_make(id, sizeof(id))))
		return true;
	return add_finding(m, CS_CODE_BUILD_CONFLICT, "",
			   "the built certificate's serial, key or key "
			   "identifier is not the one that was put in",
			   err);
}

/*
 * The issuer's ceiling for this request: a responder's certificate is for the
 * house alone, whatever a policy lets others have.
 */
static struct cs_ceiling ceiling_of(const struct matter *m)
{
	struct cs_ceiling c = *m->issuer->ceiling;

	c.ocsp = c.ocsp && cs_span_equal_str(m->facts.request.source, "ocsp");
	return c;
}

/* Judge what was built: policy, the CA, the ceiling, lint. */
static bool phase_d(struct matter *m, struct cs_error *err)
{
	struct cs_findings *findings = &m->verdict.findings;
	const struct cs_ceiling ceiling = ceiling_of(m);

	if (!build(m, err))
		return false;
	if (findings->n == 0 && !read_back(m, err))
		return false;
	if (m->has_built &&
	    (!check_additions(m, err) ||
	     !cs_policy_judge_built(m->j->set, &m->facts, &m->built.cert,
				    m->built.not_before_s, m->built.not_after_s,
				    &m->j->arena, &m->verdict, err) ||
	     !cs_judge_locations(&m->verdict.plan, m->issuer->ca, &m->built,
				 &m->j->arena, findings, err) ||
	     !cs_feasible_check(m->issuer->ca, &m->built,
				m->facts.request.now_s, findings, err) ||
	     !cs_ceiling_check(&ceiling, m->issuer->ca, &m->built, findings,
			       err) ||
	     !cs_lint_check(&m->built,
			    m->verdict.lint_warnings_refuse
				    ? CS_LINT_FAIL_WARNINGS
				    : CS_LINT_FAIL_ERRORS,
			    findings, &m->verdict.warnings, err)))
		return false;
	if (findings->n > 0)
		m->verdict.reached = CS_PHASE_BUILD;
	return true;
}

/* -- what comes out ------------------------------------------------------- */

/* What both messages carry. */
static bool render(struct matter *m, struct cs_error *err)
{
	struct cs_judge *j = m->j;
	bool refused = cs_verdict_is_refused(&m->verdict);

	return cs_verdict_json(&m->verdict, &j->body, err) &&
	       cs_buf_finish(&j->body, "decision", err) &&
	       cs_judge_terms(&m->request, &m->facts, &m->verdict,
			      refused ? NULL : &m->built, &j->arena, &j->terms,
			      err) &&
	       cs_judge_inputs(j->epoch, m->now_ms, &m->verdict, &j->inputs,
			       err) &&
	       cs_buf_finish(&j->inputs, "inputs", err);
}

static bool make_intent(struct matter *m, struct cs_msg_intent *ret,
			struct cs_error *err)
{
	struct cs_judge *j = m->j;
	struct cs_msg_intent i = {
		.request = m->encoded,
		.csr = m->csr,
		.now_ms = m->now_ms,
		.epoch = j->epoch,
		.serial = m->built.serial,
		.not_after_s = m->built.not_after_s,
		.tbs = cs_buf_span(&j->tbs),
		.body = cs_buf_span(&j->body),
		.terms = cs_buf_span(&j->terms),
		.inputs = cs_buf_span(&j->inputs),
	};

	for (size_t k = 0; k < m->verdict.limits_n; k++)
		cs_limit_put(&j->limits, &m->verdict.limits[k]);
	if (!cs_buf_finish(&j->limits, "limits", err))
		return false;
	i.limits = cs_buf_span(&j->limits);
	memcpy(i.spki_sha256, m->built.cert.key.spki_sha256,
	       sizeof(i.spki_sha256));
	if (!cs_judge_subject_key(cs_crypto_hash(j->crypto), &m->built,
				  &j->arena, i.subject_key, err))
		return false;
	*ret = i;
	return true;
}

static void make_refusal(struct matter *m, struct cs_msg_refusal *ret)
{
	struct cs_judge *j = m->j;

	*ret = (struct cs_msg_refusal){
		.request = m->encoded,
		.csr = m->csr,
		.now_ms = m->now_ms,
		.epoch = j->epoch,
		.body = cs_buf_span(&j->body),
		.terms = cs_buf_span(&j->terms),
		.inputs = cs_buf_span(&j->inputs),
	};
}

/* All phases; findings end up in the verdict. */
static bool judge(struct matter *m, struct cs_error *err)
{
	cs_verdict_init(&m->verdict, &m->j->arena);
	m->verdict.set_sha256 = cs_policy_set_sha256(m->j->set);
	if (!phase_a(m, err))
		return false;
	if (m->verdict.findings.n > 0) {
		/* The CSR's facts are not to be relied upon. */
		m->verdict.request = &m->facts.request;
		m->verdict.code = m->verdict.findings.items[0].code;
		return true;
	}
	if (!cs_policy_judge(m->j->set, &m->facts, &m->j->arena, &m->verdict,
			     err))
		return false;
	return cs_verdict_is_refused(&m->verdict) || phase_d(m, err);
}

static void reset(struct cs_judge *j)
{
	cs_arena_reset(&j->arena);
	cs_buf_reset(&j->der);
	cs_buf_reset(&j->tbs);
	cs_buf_reset(&j->body);
	cs_buf_reset(&j->terms);
	cs_buf_reset(&j->inputs);
	cs_buf_reset(&j->limits);
}

bool cs_judge_again(struct cs_judge *j, struct cs_span request,
		    struct cs_span serial, struct cs_judgement *ret_judgement,
		    struct cs_error *err)
{
	struct matter m = {
		.j = j,
		.encoded = request,
		.now_ms = cs_clock_wall_ms(&j->clock),
		.serial = cs_span_make(j->serial, serial.n),
	};
	struct cs_judgement out = {0};

	if (j->set == NULL)
		return cs_error_set(err, CS_E_POLICY,
				    "no policy set is in force");
	if (serial.n > sizeof(j->serial))
		return cs_error_set(err, CS_E_ARGUMENT,
				    "a serial of %zu octets", serial.n);
	if (serial.n > 0)
		memcpy(j->serial, serial.p, serial.n);
	reset(j);
	if (!cs_msg_request_decode(request, &m.request, err) ||
	    !judge(&m, err) || !render(&m, err))
		return false;
	out.issue = !cs_verdict_is_refused(&m.verdict);
	if (!out.issue)
		make_refusal(&m, &out.refusal);
	else if (!make_intent(&m, &out.intent, err))
		return false;
	*ret_judgement = out;
	return true;
}

bool cs_judge_request(struct cs_judge *j, struct cs_span request,
		      struct cs_judgement *ret_judgement, struct cs_error *err)
{
	return cs_judge_again(j, request, cs_span_make(NULL, 0), ret_judgement,
			      err);
}

/* -- policy sets ---------------------------------------------------------- */

/* Load a set from its encoding. NULL: see report, or *err without one. */
static struct cs_policy_set *load(struct cs_judge *j, struct cs_span files,
				  struct cs_policy_report *report,
				  struct cs_error *err)
{
	struct cs_sources sources;

	if (!cs_sources_decode(files, report->arena, &sources, err))
		return NULL;
	return cs_policy_set_load(&sources, cs_crypto_hash(j->crypto), report);
}

/* Why a set did not load, in one sentence. */
static bool explain(const struct cs_policy_report *report,
		    const struct cs_error *why, struct cs_error *err)
{
	if (report->n > 0)
		return cs_error_set(err, CS_E_POLICY, "%.*s",
				    CS_SPAN_FMT(report->items[0].text));
	return cs_error_set(err, why->code, "%s", why->text);
}

bool cs_judge_set(struct cs_judge *j, const struct cs_msg_set *set,
		  struct cs_error *err)
{
	struct cs_error why = {.code = CS_E_NO_MEMORY, .text = "no memory"};
	struct cs_policy_report report;
	struct cs_policy_set *loaded;
	struct cs_arena arena;
	bool ok;

	cs_arena_init(&arena, CS_MAX_POLICY_ARENA);
	cs_policy_report_init(&report, &arena);
	loaded = load(j, set->files, &report, &why);
	if (loaded == NULL)
		ok = explain(&report, &why, err);
	else if (memcmp(cs_policy_set_sha256(loaded), set->set_sha256, 32) != 0)
		ok = cs_error_set(err, CS_E_POLICY,
				  "the set's hash is not the recorded one");
	else
		ok = true;
	if (ok) {
		cs_policy_set_free(j->set);
		j->set = loaded;
		j->epoch = set->epoch;
	} else {
		cs_policy_set_free(loaded);
	}
	cs_arena_done(&arena);
	return ok;
}

/* A problem that is not any document's: the list itself. */
static bool add_problem(struct cs_policy_report *report,
			const struct cs_error *why,
			struct cs_policy_problem *room, struct cs_error *err)
{
	*room = (struct cs_policy_problem){.severity = CS_PROBLEM_ERROR};
	if (!cs_arena_dup(report->arena, cs_span_str(why->text), &room->text))
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for a report");
	report->items = room;
	report->n = 1;
	return true;
}

/* Load a set, or find out why it does not; the report goes to out. */
static bool load_checked(struct cs_judge *j, struct cs_span files,
			 struct cs_policy_set **ret_set, struct cs_buf *out,
			 struct cs_error *err)
{
	struct cs_error why = {.text = "the policy set could not be loaded"};
	struct cs_policy_problem room;
	struct cs_policy_report report;
	struct cs_arena arena;
	bool ok = true;

	cs_arena_init(&arena, CS_MAX_POLICY_ARENA);
	cs_policy_report_init(&report, &arena);
	*ret_set = load(j, files, &report, &why);
	if (*ret_set == NULL && report.n == 0)
		ok = add_problem(&report, &why, &room, err);
	ok = ok &&
	     cs_set_report_write(*ret_set, &report, j->set, j->epoch, out, err);
	if (!ok) {
		cs_policy_set_free(*ret_set);
		*ret_set = NULL;
	}
	cs_arena_done(&arena);
	return ok;
}

/* The verdict by the set that stands in the judge now. */
static bool evaluate(struct cs_judge *j, struct cs_span request,
		     struct cs_error *err)
{
	struct matter m = {
		.j = j,
		.encoded = request,
		.now_ms = cs_clock_wall_ms(&j->clock),
	};

	reset(j);
	return cs_msg_request_decode(request, &m.request, err) &&
	       judge(&m, err) &&
	       cs_policy_explain_others(j->set, &j->arena, &m.verdict, err) &&
	       cs_verdict_json(&m.verdict, &j->body, err);
}

/* The same by a set that is loaded for it, and is gone afterwards. */
static bool evaluate_files(struct cs_judge *j, const struct cs_msg_evaluate *m,
			   struct cs_buf *report, bool *ret_loaded,
			   struct cs_error *err)
{
	struct cs_policy_set *in_force = j->set;
	struct cs_policy_set *candidate = NULL;
	bool ok = load_checked(j, m->files, &candidate, report, err);

	*ret_loaded = ok && candidate != NULL;
	if (*ret_loaded) {
		j->set = candidate;
		ok = evaluate(j, m->request, err);
		j->set = in_force;
	}
	cs_policy_set_free(candidate);
	return ok;
}

bool cs_judge_evaluate(struct cs_judge *j, const struct cs_msg_evaluate *m,
		       struct cs_buf *report, struct cs_msg_evaluated *ret,
		       struct cs_error *err)
{
	bool loaded = true;

	*ret = (struct cs_msg_evaluated){.ok = 0};
	if (m->files.n == 0 && j->set == NULL) {
		ret->code = CS_SPAN_LIT("NO_POLICY_SET");
		ret->detail = CS_SPAN_LIT("No policy was ever applied.");
		return true;
	}
	if (!(m->files.n > 0 ? evaluate_files(j, m, report, &loaded, err)
			     : evaluate(j, m->request, err)))
		return false;
	ret->ok = loaded;
	ret->body = loaded ? cs_buf_span(&j->body) : (struct cs_span){0};
	ret->report = loaded ? (struct cs_span){0} : cs_buf_span(report);
	return true;
}

bool cs_judge_check_set(struct cs_judge *j, struct cs_span files, bool *ret_ok,
			uint8_t ret_sha256[32], struct cs_buf *out,
			struct cs_error *err)
{
	struct cs_policy_set *set;

	if (!load_checked(j, files, &set, out, err))
		return false;
	*ret_ok = set != NULL;
	memset(ret_sha256, 0, 32);
	if (set != NULL)
		memcpy(ret_sha256, cs_policy_set_sha256(set), 32);
	cs_policy_set_free(set);
	return true;
}
