#include "cli/replay.h"

#include <string.h>

#include "base/codec.h"
#include "base/der.h"
#include "base/json.h"
#include "base/limit.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "issuer/judge.h"

/* One CA certificate of an issuer. */
struct generation {
	size_t issuer; /* of the installation */
	const struct cs_issuer_ca *ca;
	uint8_t sha256[CS_SHA256_SIZE];
};

struct cs_replayer {
	const struct cs_install *install; /* borrowed */
	struct cs_judge_issuer *issuers;  /* with the CAs of the item */
	bool *has_issued;		  /* of each: one was met */
	struct generation *generations;	  /* by issuer, oldest first */
	size_t generations_n;
	struct cs_judge *judge;
	struct cs_hash *hash;
	int64_t now_ms;

	/* Of one item. */
	struct cs_arena arena;
	struct cs_buf csr, tbs, scalars, request;
	json_t *now;
};

/* One item on its way. */
struct matter {
	struct cs_replayer *r;
	const json_t *item;
	const char *kind;
	size_t issuer; /* of the installation */
	bool was_issued;
	struct cs_judgement judged;
	struct cs_replay_result *result;
	struct cs_error *err;
};

static const char *const classes[] = {
	[CS_REPLAY_UNCHANGED] = "unchanged",
	[CS_REPLAY_ALLOW_TO_REFUSE] = "allow-to-refuse",
	[CS_REPLAY_REFUSE_TO_ALLOW] = "refuse-to-allow",
	[CS_REPLAY_CHANGED] = "changed",
	[CS_REPLAY_HELD] = "held",
	[CS_REPLAY_REFUSED_OTHERWISE] = "refused-otherwise",
	[CS_REPLAY_TOLD_OTHERWISE] = "told-otherwise",
	[CS_REPLAY_ERROR] = "error",
	[CS_REPLAY_NOT_REPLAYED] = "not-replayed",
};

const char *cs_replay_class_name(enum cs_replay_class c)
{
	return classes[c];
}

static const char *const skips[] = {
	[CS_SKIP_DENIED] = "denied",
	[CS_SKIP_EXPIRED] = "expired",
	[CS_SKIP_LIMITS] = "limits",
	[CS_SKIP_NOT_BY_POLICY] = "not-by-policy",
	[CS_SKIP_NO_ISSUER] = "no-issuer",
	[CS_SKIP_PURGED] = "purged",
};

const char *cs_replay_skip_name(enum cs_replay_skip s)
{
	return skips[s];
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s != NULL ? s : "";
}

/* -- the object ------------------------------------------------------------ */

void cs_replayer_free(struct cs_replayer *r)
{
	if (r == NULL)
		return;
	json_decref(r->now);
	cs_judge_free(r->judge);
	cs_hash_free(r->hash);
	cs_mem_free(r->issuers);
	cs_mem_free(r->generations);
	cs_mem_free(r->has_issued);
	cs_arena_done(&r->arena);
	cs_buf_done(&r->csr);
	cs_buf_done(&r->tbs);
	cs_buf_done(&r->scalars);
	cs_buf_done(&r->request);
	cs_mem_free(r);
}

static int64_t time_of_item(void *ctx)
{
	const struct cs_replayer *r = ctx;

	return r->now_ms;
}

/* One generation more. */
static bool add_generation(struct cs_replayer *r, size_t issuer,
			   const struct cs_issuer_ca *ca, struct cs_error *err)
{
	struct generation *g = &r->generations[r->generations_n++];

	g->issuer = issuer;
	g->ca = ca;
	return cs_hash_sha256(r->hash, ca->certificate, g->sha256, err);
}

/*
 * The issuers, with every CA certificate that they have or had. What one did
 * that is retired now is judged like that of others.
 */
static bool take_issuers(struct cs_replayer *r, struct cs_error *err)
{
	const struct cs_install *in = r->install;
	size_t n = in->config.n_issuers;

	r->issuers = cs_mem_new_array(n, sizeof(*r->issuers));
	r->generations =
		cs_mem_new_array(n + in->older_n, sizeof(*r->generations));
	r->has_issued = cs_mem_new_array(n, sizeof(*r->has_issued));
	if (r->issuers == NULL || r->generations == NULL ||
	    r->has_issued == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory to replay");
	for (size_t i = 0; i < n; i++) {
		r->issuers[i] = (struct cs_judge_issuer){
			.ca = in->ca[i], .ceiling = &in->ceiling[i]};
		for (size_t k = 0; k < in->older_n; k++) {
			if (in->older[k].issuer == i &&
			    !add_generation(r, i, in->older[k].ca, err))
				return false;
		}
		if (!add_generation(r, i, in->ca[i], err))
			return false;
	}
	return true;
}

struct cs_replayer *cs_replayer_new(const struct cs_install *install,
				    struct cs_error *err)
{
	struct cs_replayer *r = cs_mem_new(sizeof(*r));
	struct cs_clock clock = {
		.wall_ms = time_of_item, .boot_ms = time_of_item, .ctx = r};

	if (r == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory to replay");
		return NULL;
	}
	r->install = install;
	cs_arena_init(&r->arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&r->csr, CS_MAX_CSR_PEM);
	cs_buf_init(&r->tbs, CS_MAX_TBS);
	cs_buf_init(&r->scalars, CS_MAX_SCALARS);
	cs_buf_init(&r->request, CS_MAX_REQUEST_MESSAGE);
	r->hash = cs_hash_new(err);
	if (r->hash != NULL && take_issuers(r, err))
		r->judge = cs_judge_new(r->issuers, install->config.n_issuers,
					clock, err);
	if (r->judge != NULL)
		return r;
	cs_replayer_free(r);
	return NULL;
}

bool cs_replayer_set(struct cs_replayer *r, const struct cs_loaded *set,
		     struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf files;
	struct cs_msg_set m = {.epoch = (uint64_t)set->epoch};

	cs_buf_init(&files, CS_MAX_MESSAGE);
	cs_sources_encode(&set->sources, &files);
	m.files = cs_buf_span(&files);
	memcpy(m.set_sha256, cs_policy_set_sha256(set->set),
	       sizeof(m.set_sha256));
	return cs_buf_finish(&files, "the policy files", err) &&
	       cs_judge_set(r->judge, &m, err);
}

/* -- what was recorded ----------------------------------------------------- */

static bool skip(struct matter *m, enum cs_replay_skip why)
{
	m->result->class = CS_REPLAY_NOT_REPLAYED;
	m->result->skip = why;
	return false;
}

/* Of the installation? */
static bool find_issuer(struct matter *m)
{
	const char *name = text_of(m->item, "issuer");

	for (size_t i = 0; i < m->r->install->config.n_issuers; i++) {
		if (strcmp(m->r->install->config.issuers[i].name, name) == 0) {
			m->issuer = i;
			return true;
		}
	}
	return false;
}

/* What the ledger refused: every phase of the judgement had been passed. */
static bool is_by_ledger(const json_t *body)
{
	const json_t *phases = json_object_get(body, "not_reached");

	return json_is_array(phases) && json_array_size(phases) == 0;
}

/* Is it anything that a policy set decides? */
static bool is_replayed(struct matter *m)
{
	const json_t *body = json_object_get(m->item, "body");

	if (strcmp(m->kind, "denied") == 0)
		return skip(m, CS_SKIP_DENIED);
	if (strcmp(m->kind, "expired") == 0)
		return skip(m, CS_SKIP_EXPIRED);
	if (body == NULL || json_object_get(m->item, "csr") == NULL ||
	    json_object_get(m->item, "scalars") == NULL ||
	    (m->was_issued && json_object_get(m->item, "tbs") == NULL))
		return skip(m, CS_SKIP_PURGED);
	if (json_integer_value(json_object_get(m->item, "epoch")) == 0)
		return skip(m, CS_SKIP_NOT_BY_POLICY);
	if (!m->was_issued && is_by_ledger(body))
		return skip(m, CS_SKIP_LIMITS);
	return find_issuer(m) || skip(m, CS_SKIP_NO_ISSUER);
}

static bool bad(struct matter *m, const char *what)
{
	return cs_error_set(m->err, CS_E_FORMAT,
			    "the history's item %s: %s is not what it should "
			    "be",
			    text_of(m->item, "id"), what);
}

/* A member in Base64. */
static bool read_octets(struct matter *m, const char *name, struct cs_buf *out)
{
	const json_t *text = json_object_get(m->item, name);

	cs_buf_reset(out);
	if (text == NULL)
		return true;
	return (json_is_string(text) &&
		cs_codec_base64_decode(cs_span_str(json_string_value(text)),
				       out, NULL)) ||
	       bad(m, name);
}

/*
 * What came as PEM is stored as what stood in it, even if that is no CSR. A
 * judge takes what does not begin as one for PEM, and would say other words.
 */
static bool armour_csr(struct matter *m)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf pem;
	struct cs_buf *csr = &m->r->csr;
	bool is_text = csr->n == 0 || csr->p[0] != CS_DER_SEQUENCE;

	cs_buf_init(&pem, CS_MAX_CSR_PEM);
	for (size_t i = 0; is_text && i < csr->n; i++)
		is_text = csr->p[i] < 0x80 && csr->p[i] >= '\t';
	if (is_text || csr->p[0] == CS_DER_SEQUENCE)
		return true;
	cs_codec_pem("CERTIFICATE REQUEST", cs_buf_span(csr), &pem);
	cs_buf_reset(csr);
	cs_buf_add(csr, cs_buf_span(&pem));
	return cs_buf_finish(&pem, "the CSR", m->err) &&
	       cs_buf_finish(csr, "the CSR", m->err);
}

/* The REQUEST that was judged, as far as a judge looks at it. */
static bool read_request(struct matter *m)
{
	struct cs_replayer *r = m->r;
	struct cs_msg_request q = {
		.flags = CS_REQ_KNOWN,
		.uid = -1,
		.client_name = cs_span_str(text_of(m->item, "client")),
		.realm = cs_span_str(text_of(m->item, "realm")),
		.source = cs_span_str(text_of(m->item, "source")),
		.issuer = cs_span_str(text_of(m->item, "issuer")),
	};

	cs_buf_reset(&r->scalars);
	cs_buf_reset(&r->request);
	if (!cs_codec_hex_fixed(cs_span_str(text_of(m->item, "id")), q.id,
				sizeof(q.id)))
		return bad(m, "id");
	if (!cs_time_parse_rfc3339(cs_span_str(text_of(m->item, "judged")),
				   &r->now_ms, NULL))
		return bad(m, "judged");
	if (!read_octets(m, "csr", &r->csr) || !armour_csr(m) ||
	    !read_octets(m, "tbs", &r->tbs) ||
	    !cs_json_canonical(json_object_get(m->item, "scalars"), &r->scalars,
			       m->err))
		return false;
	q.scalars = cs_buf_span(&r->scalars);
	q.csr = cs_buf_span(&r->csr);
	cs_msg_request_encode(&q, &r->request);
	return cs_buf_finish(&r->request, "the request", m->err);
}

/*
 * Judge it under the CA certificate of then: the one that issued it or, where
 * none did, the one that issued last before it or was the newest then. One
 * that is gone is replaced by today's.
 */
static void choose_ca(struct matter *m)
{
	struct cs_replayer *r = m->r;
	const struct cs_issuer_ca *newest = r->install->ca[m->issuer];
	const struct cs_issuer_ca *of_then = NULL;
	uint8_t sha256[CS_SHA256_SIZE];
	bool is_named;

	if (!m->was_issued && r->has_issued[m->issuer])
		return;
	is_named =
		cs_codec_hex_fixed(cs_span_str(text_of(m->item, "ca_sha256")),
				   sha256, sizeof(sha256));
	for (size_t i = 0; i < r->generations_n; i++) {
		const struct generation *g = &r->generations[i];

		if (g->issuer == m->issuer &&
		    (is_named ? memcmp(g->sha256, sha256, sizeof(sha256)) == 0
			      : g->ca->not_before_s <= r->now_ms / 1000))
			of_then = g->ca;
	}
	m->result->other_ca = m->was_issued && of_then == NULL;
	r->has_issued[m->issuer] |= m->was_issued;
	r->issuers[m->issuer].ca = of_then != NULL ? of_then : newest;
}

/* -- judging --------------------------------------------------------------- */

/* An error of the item's own is a result; of ours, the end. */
static bool is_own_error(struct matter *m)
{
	struct cs_replay_result *out = m->result;

	if (out->why.code == CS_E_NO_MEMORY)
		return cs_error_set(m->err, CS_E_NO_MEMORY, "%s",
				    out->why.text);
	out->class = CS_REPLAY_ERROR;
	return true;
}

/* The certificate that was issued, if one was, and the judgement of today. */
static bool judge(struct matter *m, struct cs_tbs_facts *ret_was)
{
	struct cs_replay_result *out = m->result;
	struct cs_replayer *r = m->r;
	struct cs_span body;

	*ret_was = (struct cs_tbs_facts){.tbs = {NULL, 0}};
	if ((m->was_issued &&
	     !cs_tbs_facts_read(r->hash, cs_buf_span(&r->tbs), &r->arena,
				ret_was, &out->why)) ||
	    !cs_judge_again(r->judge, cs_buf_span(&r->request), ret_was->serial,
			    &m->judged, &out->why))
		return is_own_error(m);
	body = m->judged.issue ? m->judged.intent.body : m->judged.refusal.body;
	r->now = cs_json_parse(body, "the verdict", m->err);
	out->now = r->now;
	return r->now != NULL;
}

/* Would the ledger let it wait for the end of a window? */
static bool waits_for_window(const struct matter *m)
{
	struct cs_span list = m->judged.intent.limits;
	struct cs_limit limit;
	bool is_bad = false;

	while (cs_limit_next(&list, &limit, &is_bad)) {
		if (limit.disposition == CS_LIMIT_WINDOW)
			return true;
	}
	return false;
}

/* -- what caused it -------------------------------------------------------- */

/* Do two violations or changes say the same, whatever the rule is called? */
static bool same_line(const json_t *a, const json_t *b)
{
	static const char *const names[] = {"code",  "field", "value",
					    "asked", "given", "disposition"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const json_t *x = json_object_get(a, names[i]);
		const json_t *y = json_object_get(b, names[i]);

		if (x != y && !json_equal(x, y))
			return false;
	}
	return true;
}

static bool has_line(const json_t *list, const json_t *line)
{
	const json_t *other;
	size_t i;

	json_array_foreach(list, i, other)
	{
		if (same_line(line, other))
			return true;
	}
	return false;
}

/* The first line of a list that the other does not have; NULL: none. */
static const json_t *first_new(const json_t *list, const json_t *other)
{
	const json_t *line;
	size_t i;

	json_array_foreach(list, i, line)
	{
		if (!has_line(other, line))
			return line;
	}
	return NULL;
}

/* What is to blame: this line of what this body says. */
static void blame(struct cs_replay_result *out, const json_t *body,
		  const json_t *line)
{
	out->policy = text_of(json_object_get(body, "policy"), "name");
	out->rule = text_of(line, "rule");
	out->at = text_of(line, "at");
	out->code = text_of(line, "code");
	out->field = text_of(line, "field");
	if (out->code[0] == '\0')
		out->code = text_of(body, "code");
}

/* The first violation. */
static void blame_refusal(struct cs_replay_result *out, const json_t *body)
{
	const json_t *list = json_object_get(body, "violations");

	out->weight = json_array_size(list);
	blame(out, body, json_array_get(list, 0));
}

/* Does a line of the diff speak of the field or of what is inside? */
static bool is_of_field(const json_t *line, const char *field)
{
	const char *name = text_of(line, "field");
	size_t n = strlen(field);

	return strncmp(name, field, n) == 0 &&
	       (name[n] == '\0' || name[n] == '.' || name[n] == '[');
}

/* A line about the field that the other diff does not have; NULL: none. */
static const json_t *find_change(const json_t *list, const json_t *other,
				 const char *field)
{
	const json_t *line;
	size_t i;

	json_array_foreach(list, i, line)
	{
		if (is_of_field(line, field) && !has_line(other, line))
			return line;
	}
	return NULL;
}

/* The rule that changed the first field that is different. */
static void blame_change(struct cs_replay_result *out)
{
	const json_t *was = json_object_get(out->was, "diff");
	const json_t *now = json_object_get(out->now, "diff");
	const char *field = out->diff.items[0].field;
	const json_t *line = find_change(now, was, field);
	const json_t *body = out->now;

	if (line == NULL) {
		line = find_change(was, now, field);
		body = line != NULL ? out->was : out->now;
	}
	blame(out, body, line);
	out->field = field;
	out->weight = out->diff.n;
}

/* -- comparing ------------------------------------------------------------- */

/*
 * Is it something that the issuer adds today and did not then: another CA, or
 * a URL that the configuration got since?
 */
static bool is_of_issuer(const struct matter *m, const struct cs_cert_change *c)
{
	const struct cs_issuer_ca *ca = m->r->issuers[m->issuer].ca;
	bool is_crl = strcmp(c->field, "crl_urls") == 0;

	if (m->result->other_ca && (is_crl || strcmp(c->field, "issuer") == 0))
		return true;
	if (c->was.n > 0)
		return false;
	if (is_crl)
		return ca->crl_url.n > 0 &&
		       cs_span_starts_with(c->now, ca->crl_url);
	return strcmp(c->field, "ocsp_urls") == 0 &&
	       cs_span_equal(c->now, ca->ocsp_url);
}

/* That is no change of the policy. */
static void forget_issuer(struct matter *m)
{
	struct cs_cert_diff *diff = &m->result->diff;
	size_t n = 0;

	for (size_t i = 0; i < diff->n; i++) {
		if (!is_of_issuer(m, &diff->items[i]))
			diff->items[n++] = diff->items[i];
	}
	m->result->other_ca |= n < diff->n;
	diff->n = n;
}

/* Issued both times: is it the same certificate? */
static bool compare_certificates(struct matter *m,
				 const struct cs_tbs_facts *was)
{
	struct cs_replay_result *out = m->result;
	struct cs_span tbs = m->judged.intent.tbs;
	struct cs_tbs_facts now;

	if (cs_span_equal(was->tbs, tbs))
		return true;
	if (!cs_tbs_facts_read(m->r->hash, tbs, &m->r->arena, &now, m->err) ||
	    !cs_cert_diff_make(was, &now, &m->r->arena, &out->diff, m->err))
		return false;
	forget_issuer(m);
	if (out->diff.n == 0)
		return true;
	out->class = CS_REPLAY_CHANGED;
	blame_change(out);
	return true;
}

/* Refused both times: for the same reasons? */
static void compare_refusals(struct cs_replay_result *out)
{
	const json_t *was = json_object_get(out->was, "violations");
	const json_t *now = json_object_get(out->now, "violations");
	const json_t *line = first_new(now, was);
	const json_t *body = out->now;

	if (line == NULL) {
		line = first_new(was, now);
		body = out->was;
	}
	if (line == NULL)
		return;
	out->class = CS_REPLAY_REFUSED_OTHERWISE;
	out->weight = json_array_size(now) + json_array_size(was);
	blame(out, body, line);
}

/* Issued then, and refused now; but an issuer may hold it instead. */
static void compare_refused_now(struct matter *m)
{
	struct cs_replay_result *out = m->result;
	const struct cs_config *c = &m->r->install->config;

	out->class = CS_REPLAY_ALLOW_TO_REFUSE;
	if (c->issuers[m->issuer].hold_no_policy &&
	    strcmp(text_of(out->now, "code"), "NO_POLICY") == 0)
		out->class = CS_REPLAY_HELD;
	blame_refusal(out, out->now);
}

/* What became of it. */
static bool compare(struct matter *m, const struct cs_tbs_facts *was)
{
	struct cs_replay_result *out = m->result;

	out->class = CS_REPLAY_UNCHANGED;
	out->policy = text_of(json_object_get(out->now, "policy"), "name");
	if (!m->was_issued && m->judged.issue) {
		out->class = CS_REPLAY_REFUSE_TO_ALLOW;
		blame_refusal(out, out->was);
		return true;
	}
	if (!m->was_issued) {
		compare_refusals(out);
		return true;
	}
	if (!m->judged.issue) {
		compare_refused_now(m);
		return true;
	}
	if (waits_for_window(m)) {
		out->class = CS_REPLAY_HELD;
		blame(out, out->now, NULL);
		return true;
	}
	return compare_certificates(m, was);
}

/* One that is to be replayed. */
static bool replay(struct matter *m, enum cs_replay_care care)
{
	struct cs_replay_result *out = m->result;
	struct cs_tbs_facts was;

	if (!read_request(m))
		return false;
	choose_ca(m);
	if (!judge(m, &was))
		return false;
	out->csr_octets = m->r->csr.n;
	if (out->class == CS_REPLAY_ERROR)
		return true;
	if (!compare(m, &was))
		return false;
	if (out->class == CS_REPLAY_UNCHANGED && care == CS_REPLAY_RECORDS &&
	    !json_equal(out->was, out->now)) {
		out->class = CS_REPLAY_TOLD_OTHERWISE;
		blame(out, out->now, NULL);
	}
	return true;
}

bool cs_replayer_judge(struct cs_replayer *r, const json_t *item,
		       enum cs_replay_care care,
		       struct cs_replay_result *ret_result,
		       struct cs_error *err)
{
	struct cs_replay_result out = {.was = json_object_get(item, "body"),
				       .policy = "",
				       .rule = "",
				       .at = "",
				       .code = "",
				       .field = ""};
	struct matter m = {.r = r,
			   .item = item,
			   .kind = text_of(item, "kind"),
			   .result = &out,
			   .err = err};

	json_decref(r->now);
	r->now = NULL;
	cs_arena_reset(&r->arena);
	m.was_issued = strcmp(m.kind, "issued") == 0;
	if (is_replayed(&m) && !replay(&m, care))
		return false;
	*ret_result = out;
	return true;
}
