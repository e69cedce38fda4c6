#include <string.h>

#include "base/der.h"
#include "policy/attribute.h"
#include "policy/name.h"
#include "policy/self_test.h"

const struct cs_load_key cs_keys_request[] = {
	{"dns", false, "text*"},
	{"ip", false, "text*"},
	{"uri", false, "text*"},
	{"email", false, "text*"},
	{"subject", false, "request_subject"},
	{"key", false, "request_key"},
	{"usages", false, "text+"},
	{"is_ca", false, "boolean"},
	{"duration", false, "duration"},
	{"issuer", false, "text"},
	{"source", false, "text"},
	{"requester", false, "request_requester"},
	{"namespace", false, "text"},
	{"owner", false, "text"},
	{"realm", false, "text"},
	{"renewal", false, "boolean"},
	{"other_name", false, "request_other+"},
	{"namespace_labels", false, "texts_by_name"},
	{"attributes", false, "texts_by_name"},
	{"now", false, "text"},
	{"extensions", false, "add+"},
	{"weak", false, "weak+"},
	{"directory_name", false, "text*"},
	{"registered_id", false, "text*"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_request_requester[] = {
	{"username", false, "text"},
	{"groups", false, "text+"},
	{"extra", false, "lists_by_name"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_request_other[] = {
	{"oid", false, "text"},
	{"value", false, "text"},
	{NULL, false, NULL},
};

/* Seconds since 1970 at which tests are judged: 2026-01-01T00:00:00Z. */
#define TEST_NOW ((int64_t)1767225600)

/* extensions: those that have no fields of their own. */
static void load_extensions(struct cs_load *l, const struct cs_yaml *node,
			    struct cs_cert_facts *csr)
{
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);

	if (n > CS_MAX_EXTENSIONS) {
		cs_load_error(l, node, "more than %d extensions",
			      CS_MAX_EXTENSIONS);
		return;
	}
	csr->extensions =
		cs_arena_new_array(l->arena, n, sizeof(*csr->extensions));
	if (csr->extensions == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (size_t i = 0; i < n; i++, item = item->next)
		cs_load_asked_extension(l, item, csr);
}

/* now: 2026-12-24T00:00Z, for windows of time. */
static void load_now(struct cs_load *l, const struct cs_yaml *node,
		     int64_t *now_s)
{
	struct cs_span text;

	if (cs_load_text(l, node, &text) && !cs_load_time(l, text, now_s))
		cs_load_error(l, node,
			      "`%.*s` is no time such as 2026-12-24T00:00Z",
			      CS_SPAN_FMT(text));
}

/* A dotted OID, as it would be written for its octets. */
static bool oid_text(struct cs_load *l, struct cs_fact_name *name,
		     struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf oid;

	cs_buf_init(&oid, CS_MAX_OID);
	return cs_der_oid_parse(name->asked, &oid, err) &&
	       cs_buf_finish(&oid, "the OID", err) &&
	       cs_name_oid(cs_buf_span(&oid), l->arena, &name->canonical, err);
}

/* Make a name canonical; what it was asked as is what stands there. */
static bool canonical(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_fact_name *name)
{
	struct cs_error err = {0};
	bool ok = false;

	if (name->kind == CS_NAME_DNS)
		ok = cs_name_dns(name->asked, l->arena, &name->canonical, &err);
	if (name->kind == CS_NAME_URI)
		ok = cs_name_uri(name->asked, l->arena, &name->canonical, &err);
	if (name->kind == CS_NAME_EMAIL)
		ok = cs_name_email(name->asked, l->arena, &name->canonical,
				   &err);
	if (name->kind == CS_NAME_DIRECTORY)
		ok = cs_name_dn_text(name->asked, NULL, l->arena,
				     &name->canonical, &err);
	if (name->kind == CS_NAME_REGISTERED_ID)
		ok = oid_text(l, name, &err);
	name->content = name->canonical;
	if (name->kind == CS_NAME_IP) {
		ok = cs_name_ip_octets(name->asked, l->arena, &name->content,
				       &err) &&
		     cs_name_ip_text(name->content, l->arena, &name->canonical,
				     &err);
		name->asked = name->content;
	}
	/* These are asked for in octets, and stay as they are. */
	if (name->kind == CS_NAME_DIRECTORY ||
	    name->kind == CS_NAME_REGISTERED_ID)
		name->asked = name->content;
	name->normalized = !cs_span_equal(name->asked, name->content);
	if (!ok)
		cs_load_error(l, node, "%s", err.text);
	return ok;
}

/* All names of one kind, appended. */
static void add_names(struct cs_load *l, const struct cs_yaml *node,
		      enum cs_name_kind kind, struct cs_cert_facts *csr)
{
	const struct cs_yaml *item = NULL;
	struct cs_span *texts = NULL;
	size_t n = 0;

	if (node == NULL || (node->kind == CS_YAML_LIST && node->n == 0) ||
	    !cs_load_texts(l, node, &texts, &n))
		return;
	item = node->kind == CS_YAML_LIST ? node->child : node;
	for (size_t i = 0; i < n; i++, item = item->next) {
		struct cs_fact_name *name = &csr->names[csr->names_n];

		if (csr->names_n == CS_MAX_NAMES) {
			cs_load_error(l, item, "more than %d names",
				      CS_MAX_NAMES);
			return;
		}
		*name = (struct cs_fact_name){
			.kind = kind, .asked = texts[i], .index = (unsigned)i};
		if (canonical(l, item, name))
			csr->names_n++;
	}
}

/* {commonName: x, organization: [a, b]} */
static void load_subject(struct cs_load *l, const struct cs_yaml *node,
			 struct cs_cert_facts *csr)
{
	if (node == NULL)
		return;
	if (node->kind != CS_YAML_MAP) {
		cs_load_error(l, node, "`subject` wants a map, not %s",
			      cs_yaml_kind_name(node->kind));
		return;
	}
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next) {
		const struct cs_attribute *a = cs_attribute_by_name(c->key);
		struct cs_span *texts = NULL;
		size_t n = 0;

		if (a == NULL) {
			cs_load_error_key(l, c, "`%.*s` is no attribute",
					  CS_SPAN_FMT(c->key));
			continue;
		}
		if (!cs_load_texts(l, c, &texts, &n))
			continue;
		for (size_t i = 0; i < n && csr->subject_n < CS_MAX_RDNS; i++)
			csr->subject[csr->subject_n++] =
				(struct cs_fact_attr){.oid = a->oid,
						      .value = texts[i],
						      .tag = 0x0c,
						      .index = (unsigned)i};
	}
}

/* other_name: [{oid, value}]; the value becomes a UTF8String. */
static void add_others(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_cert_facts *csr)
{
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);

	for (unsigned i = 0; i < n && csr->names_n < CS_MAX_NAMES;
	     i++, item = item->next) {
		struct cs_fact_name *name = &csr->names[csr->names_n];
		CS_CLEANUP(cs_buf_done) struct cs_buf oid;
		CS_CLEANUP(cs_buf_done) struct cs_buf value;
		struct cs_error err = {0};
		struct cs_span text;

		cs_buf_init(&oid, CS_MAX_OID);
		cs_buf_init(&value, CS_MAX_URI);
		l->path = "request.other_name";
		if (!cs_load_map(l, item, cs_keys_request_other) ||
		    !cs_load_text(l, cs_yaml_get(item, "oid"), &text))
			continue;
		if (!cs_der_oid_parse(text, &oid, &err)) {
			cs_load_error(l, item, "%s", err.text);
			continue;
		}
		if (!cs_load_text(l, cs_yaml_get(item, "value"), &text))
			continue;
		cs_der_write(&value, CS_DER_UTF8_STRING, text);
		*name = (struct cs_fact_name){.kind = CS_NAME_OTHER,
					      .index = i};
		if (!cs_buf_ok(&value) ||
		    !cs_arena_dup(l->arena, cs_buf_span(&oid), &name->oid) ||
		    !cs_arena_dup(l->arena, cs_buf_span(&value),
				  &name->content))
			cs_load_no_memory(l);
		name->asked = name->content;
		csr->names_n++;
	}
}

/* EC P-256, RSA 2048, Ed25519 */
static void load_key(struct cs_load *l, const struct cs_yaml *node,
		     struct cs_fact_key *key)
{
	static const struct {
		const char *text;
		enum cs_key_alg alg;
		unsigned bits;
	} keys[] = {
		{"EC P-256", CS_KEY_EC, 256},
		{"EC P-384", CS_KEY_EC, 384},
		{"EC P-521", CS_KEY_EC, 521},
		{"RSA 2048", CS_KEY_RSA, 2048},
		{"RSA 3072", CS_KEY_RSA, 3072},
		{"RSA 4096", CS_KEY_RSA, 4096},
		{"Ed25519", CS_KEY_ED25519, 256},
	};
	struct cs_span text = CS_SPAN_LIT("EC P-256");

	if (node != NULL && !cs_load_text(l, node, &text))
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (!cs_span_equal_str(text, keys[i].text))
			continue;
		key->alg = keys[i].alg;
		key->bits = keys[i].bits;
		return;
	}
	cs_load_error(l, node,
		      "a test's key is one of EC P-256, P-384, P-521, RSA "
		      "2048, 3072, 4096, Ed25519");
}

/* weak: [roca, blocklist]: what is known of the key. */
static void load_weak(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_fact_key *key)
{
	static const char *const words[] = {"roca", "fermat", "small-factors",
					    "blocklist", NULL};
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);

	for (size_t i = 0; i < n; i++, item = item->next) {
		unsigned word;

		if (cs_load_word(l, item, words, &word))
			key->weak |= 1u << word;
	}
	if ((key->weak & ~(unsigned)CS_WEAK_LISTED) != 0 &&
	    key->alg != CS_KEY_RSA)
		cs_load_error(l, node,
			      "only RSA keys have factors; say `key: RSA "
			      "2048`");
}

/* {key: text}, for labels and attributes. */
static void load_pairs(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_fact_pair **ret_pairs, size_t *ret_n)
{
	struct cs_fact_pair *pairs;
	size_t n = 0;

	if (node == NULL)
		return;
	if (node->kind != CS_YAML_MAP) {
		cs_load_error(l, node, "a map of texts is wanted, not %s",
			      cs_yaml_kind_name(node->kind));
		return;
	}
	pairs = cs_arena_new_array(l->arena, node->n, sizeof(*pairs));
	if (pairs == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next) {
		pairs[n].key = c->key;
		if (cs_load_text(l, c, &pairs[n].value))
			n++;
	}
	*ret_pairs = pairs;
	*ret_n = n;
}

/* requester.extra: {key: [texts]} */
static void load_extra(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_request_facts *r)
{
	if (node == NULL)
		return;
	if (node->kind != CS_YAML_MAP) {
		cs_load_error(l, node, "a map of lists is wanted, not %s",
			      cs_yaml_kind_name(node->kind));
		return;
	}
	r->extra = cs_arena_new_array(l->arena, node->n, sizeof(*r->extra));
	if (r->extra == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next) {
		struct cs_fact_extra *e = &r->extra[r->extra_n];

		e->key = c->key;
		if (cs_load_texts(l, c, &e->values, &e->n))
			r->extra_n++;
	}
}

static void load_requester(struct cs_load *l, const struct cs_yaml *node,
			   struct cs_request_facts *r)
{
	l->path = "request.requester";
	if (!cs_load_map(l, node, cs_keys_request_requester))
		return;
	(void)cs_load_text(l, cs_yaml_get(node, "username"), &r->requester);
	if (cs_yaml_get(node, "groups") != NULL)
		(void)cs_load_texts(l, cs_yaml_get(node, "groups"), &r->groups,
				    &r->groups_n);
	load_extra(l, cs_yaml_get(node, "extra"), r);
}

/* What stands beside the CSR. */
static void load_scalars(struct cs_load *l, const struct cs_yaml *node,
			 struct cs_request_facts *r)
{
	const struct cs_yaml *usages = cs_yaml_get(node, "usages");

	r->issuer = CS_SPAN_LIT("default");
	r->source = CS_SPAN_LIT("api");
	r->client = r->requester = CS_SPAN_LIT("test");
	r->now_s = TEST_NOW;
	load_now(l, cs_yaml_get(node, "now"), &r->now_s);
	(void)cs_load_text(l, cs_yaml_get(node, "issuer"), &r->issuer);
	(void)cs_load_text(l, cs_yaml_get(node, "source"), &r->source);
	(void)cs_load_text(l, cs_yaml_get(node, "realm"), &r->realm);
	(void)cs_load_text(l, cs_yaml_get(node, "namespace"), &r->namespace);
	(void)cs_load_text(l, cs_yaml_get(node, "owner"), &r->owner);
	(void)cs_load_bool(l, cs_yaml_get(node, "renewal"), &r->renewal);
	r->has_is_ca = cs_load_bool(l, cs_yaml_get(node, "is_ca"), &r->is_ca);
	r->has_duration = cs_load_duration(l, cs_yaml_get(node, "duration"),
					   &r->duration_s);
	r->has_usages = usages != NULL &&
			cs_load_texts(l, usages, &r->usages, &r->usages_n);
	load_pairs(l, cs_yaml_get(node, "namespace_labels"), &r->labels,
		   &r->labels_n);
	load_pairs(l, cs_yaml_get(node, "attributes"), &r->attributes,
		   &r->attributes_n);
	load_requester(l, cs_yaml_get(node, "requester"), r);
}

void cs_load_test_request(struct cs_load *l, const struct cs_yaml *node,
			  struct cs_facts *facts)
{
	struct cs_cert_facts *csr = &facts->csr;

	l->path = "request";
	if (!cs_load_map(l, node, cs_keys_request))
		return;
	csr->names =
		cs_arena_new_array(l->arena, CS_MAX_NAMES, sizeof(*csr->names));
	csr->subject = cs_arena_new_array(l->arena, CS_MAX_RDNS,
					  sizeof(*csr->subject));
	if (csr->names == NULL || csr->subject == NULL) {
		cs_load_no_memory(l);
		return;
	}
	load_subject(l, cs_yaml_get(node, "subject"), csr);
	add_names(l, cs_yaml_get(node, "dns"), CS_NAME_DNS, csr);
	add_names(l, cs_yaml_get(node, "ip"), CS_NAME_IP, csr);
	add_names(l, cs_yaml_get(node, "uri"), CS_NAME_URI, csr);
	add_names(l, cs_yaml_get(node, "email"), CS_NAME_EMAIL, csr);
	add_names(l, cs_yaml_get(node, "directory_name"), CS_NAME_DIRECTORY,
		  csr);
	add_names(l, cs_yaml_get(node, "registered_id"), CS_NAME_REGISTERED_ID,
		  csr);
	add_others(l, cs_yaml_get(node, "other_name"), csr);
	load_key(l, cs_yaml_get(node, "key"), &csr->key);
	load_weak(l, cs_yaml_get(node, "weak"), &csr->key);
	load_extensions(l, cs_yaml_get(node, "extensions"), csr);
	load_scalars(l, node, &facts->request);
}
