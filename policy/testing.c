#include "policy/testing.h"

#include <assert.h>
#include <string.h>

#include "policy/name.h"

void cs_testing_init(struct cs_testing *t)
{
	*t = (struct cs_testing){0};
	cs_arena_init(&t->arena, 256 * 1024 * 1024);
	t->hash = cs_hash_new(NULL);
	assert(t->hash != NULL);
}

void cs_testing_done(struct cs_testing *t)
{
	cs_policy_set_free(t->set);
	cs_hash_free(t->hash);
	cs_arena_done(&t->arena);
}

void cs_testing_load_sources(struct cs_testing *t,
			     const struct cs_source *items, size_t n)
{
	struct cs_sources sources = {.n = n};

	cs_policy_set_free(t->set);
	sources.items = cs_arena_new_array(&t->arena, n, sizeof(*items));
	assert(sources.items != NULL);
	memcpy(sources.items, items, n * sizeof(*items));
	cs_policy_report_init(&t->report, &t->arena);
	t->set = cs_policy_set_load(&sources, t->hash, &t->report);
}

void cs_testing_load(struct cs_testing *t, const char *text)
{
	const struct cs_source one = {CS_SPAN_LIT("web.yaml"),
				      cs_span_str(text)};

	cs_testing_load_sources(t, &one, 1);
}

bool cs_testing_reports(const struct cs_testing *t, const char *words)
{
	for (size_t i = 0; i < t->report.n; i++) {
		if (strstr((const char *)t->report.items[i].text.p, words) !=
		    NULL)
			return true;
	}
	return false;
}

void cs_testing_request(struct cs_testing *t)
{
	struct cs_facts f = {0};

	f.csr.names = cs_arena_new_array(&t->arena, CS_MAX_NAMES,
					 sizeof(*f.csr.names));
	f.csr.subject = cs_arena_new_array(&t->arena, CS_MAX_RDNS,
					   sizeof(*f.csr.subject));
	f.request.groups =
		cs_arena_new_array(&t->arena, 16, sizeof(struct cs_span));
	f.request.usages =
		cs_arena_new_array(&t->arena, 16, sizeof(struct cs_span));
	assert(f.csr.names != NULL && f.csr.subject != NULL &&
	       f.request.groups != NULL && f.request.usages != NULL);
	f.csr.key.alg = CS_KEY_EC;
	f.csr.key.bits = 256;
	f.csr.key.spki = CS_SPAN_LIT("spki");
	f.request.issuer = CS_SPAN_LIT("default");
	f.request.source = CS_SPAN_LIT("api");
	f.request.requester = CS_SPAN_LIT("alice");
	f.request.now_s = 1767225600;
	t->facts = f;
}

/* The next name's place, with its index. */
static struct cs_fact_name *next_name(struct cs_testing *t,
				      enum cs_name_kind kind)
{
	struct cs_cert_facts *csr = &t->facts.csr;
	struct cs_fact_name *name = &csr->names[csr->names_n];

	assert(csr->names_n < CS_MAX_NAMES);
	*name = (struct cs_fact_name){.kind = kind};
	for (size_t i = 0; i < csr->names_n; i++)
		name->index += csr->names[i].kind == kind;
	csr->names_n++;
	return name;
}

void cs_testing_name(struct cs_testing *t, enum cs_name_kind kind,
		     const char *text)
{
	struct cs_fact_name *name = next_name(t, kind);
	bool ok = true;

	name->asked = cs_span_str(text);
	name->canonical = name->asked;
	if (kind == CS_NAME_DNS)
		ok = cs_name_dns(name->asked, &t->arena, &name->canonical,
				 NULL);
	if (kind == CS_NAME_URI)
		ok = cs_name_uri(name->asked, &t->arena, &name->canonical,
				 NULL);
	if (kind == CS_NAME_DIRECTORY)
		ok = cs_name_dn_text(name->asked, NULL, &t->arena,
				     &name->canonical, NULL);
	if (kind == CS_NAME_EMAIL)
		ok = cs_name_email(name->asked, &t->arena, &name->canonical,
				   NULL);
	assert(ok);
	name->content = name->canonical;
	if (kind == CS_NAME_DIRECTORY)
		name->asked = name->content;
	name->normalized = !cs_span_equal(name->asked, name->content);
}

void cs_testing_dns(struct cs_testing *t, const char *name)
{
	cs_testing_name(t, CS_NAME_DNS, name);
}

void cs_testing_ip(struct cs_testing *t, const char *address)
{
	struct cs_fact_name *name = next_name(t, CS_NAME_IP);
	bool ok = cs_name_ip_octets(cs_span_str(address), &t->arena,
				    &name->content, NULL) &&
		  cs_name_ip_text(name->content, &t->arena, &name->canonical,
				  NULL);

	assert(ok);
	name->asked = name->content;
}

void cs_testing_attr(struct cs_testing *t, unsigned arc, const char *value)
{
	struct cs_cert_facts *csr = &t->facts.csr;
	struct cs_fact_attr *attr = &csr->subject[csr->subject_n];
	uint8_t oid[3] = {0x55, 0x04, (uint8_t)arc};
	bool ok;

	assert(csr->subject_n < CS_MAX_RDNS);
	*attr = (struct cs_fact_attr){.value = cs_span_str(value), .tag = 0x0c};
	ok = cs_arena_dup(&t->arena, cs_span_make(oid, 3), &attr->oid);
	assert(ok);
	for (size_t i = 0; i < csr->subject_n; i++)
		attr->index += cs_span_equal(csr->subject[i].oid, attr->oid);
	csr->subject_n++;
}

void cs_testing_group(struct cs_testing *t, const char *group)
{
	struct cs_request_facts *r = &t->facts.request;

	assert(r->groups_n < 16);
	r->groups[r->groups_n++] = cs_span_str(group);
}

void cs_testing_usage(struct cs_testing *t, const char *word)
{
	struct cs_request_facts *r = &t->facts.request;

	assert(r->usages_n < 16);
	r->has_usages = true;
	r->usages[r->usages_n++] = cs_span_str(word);
}

bool cs_testing_judge(struct cs_testing *t)
{
	bool ok = cs_policy_judge(t->set, &t->facts, &t->arena, &t->verdict,
				  NULL);

	assert(ok);
	return !cs_verdict_is_refused(&t->verdict);
}

bool cs_testing_found(const struct cs_testing *t, const char *code,
		      const char *field)
{
	for (size_t i = 0; i < t->verdict.findings.n; i++) {
		const struct cs_finding *f = &t->verdict.findings.items[i];

		if (strcmp(f->code, code) == 0 &&
		    (field == NULL || cs_span_equal_str(f->field, field)))
			return true;
	}
	return false;
}

const struct cs_diff_entry *cs_testing_diff(const struct cs_testing *t,
					    const char *field)
{
	for (size_t i = 0; i < t->verdict.diff_n; i++) {
		if (cs_span_equal_str(t->verdict.diff[i].field, field))
			return &t->verdict.diff[i];
	}
	return NULL;
}

struct cs_cert_facts cs_testing_built(struct cs_testing *t)
{
	const struct cs_plan *p = &t->verdict.plan;
	struct cs_cert_facts f = {
		.subject_n = p->subject_n,
		.names_n = p->names_n,
		.key = t->facts.csr.key,
		.has_key_usage = p->key_usage != 0,
		.key_usage = p->key_usage,
		.key_usage_critical = p->key_usage_critical,
		.has_ext_key_usage = p->ext_key_usage_n > 0,
		.ext_key_usage = p->ext_key_usage,
		.ext_key_usage_n = p->ext_key_usage_n,
	};

	f.subject =
		cs_arena_new_array(&t->arena, CS_MAX_RDNS, sizeof(*f.subject));
	f.names = cs_arena_new_array(&t->arena, CS_MAX_NAMES + CS_MAX_RDNS,
				     sizeof(*f.names));
	assert(f.subject != NULL && f.names != NULL);
	for (size_t i = 0; i < p->subject_n; i++)
		f.subject[i] = (struct cs_fact_attr){
			.oid = p->subject[i].oid, .value = p->subject[i].value};
	for (size_t i = 0; i < p->names_n; i++) {
		const struct cs_plan_name *n = &p->names[i];
		bool ok = n->kind != CS_NAME_IP;

		f.names[i] = (struct cs_fact_name){.kind = n->kind,
						   .asked = n->content,
						   .canonical = n->content,
						   .content = n->content};
		ok = ok || cs_name_ip_text(n->content, &t->arena,
					   &f.names[i].canonical, NULL);
		assert(ok);
	}
	return f;
}
