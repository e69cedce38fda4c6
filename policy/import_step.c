/*
 * step-ca: the policy of an authority or a provisioner, by itself (as `step ca
 * policy ... view` prints it) or in ca.json.
 *
 * It is about names and nothing else. A name that is denied is refused; then,
 * where names of its kind are allowed, it must be one of them. Where something
 * is allowed and nothing is said of a kind, that kind is closed; where a kind
 * has denials only, all the rest of it is open. `*.zone` is one label. A
 * common name that no rule for common names takes is judged as the name that
 * it is.
 */
#include "policy/import_step.h"

#define MINUTE ((int64_t)60)
#define DAY    ((int64_t)86400)
#define NS     ((int64_t)1000000000)

/* -- how long ---------------------------------------------------------------
 */

/* Claims of all levels: what each of them lets pass. */
struct claims {
	int64_t min, max, fallback, backdate;
	bool stated;
};

/* One duration, in seconds; rounded so that no more passes. */
static bool claim(struct cs_importing *i, const struct cs_yaml *node,
		  const char *field, bool up, int64_t *ret_s)
{
	struct cs_span text = {0};
	int64_t ns = 0;

	if (!cs_import_text(i, node, field, &text))
		return false;
	if (!cs_import_go_duration(text, &ns)) {
		cs_import_fail(i, node, field,
			       "`%.*s` is no duration such as 24h",
			       CS_SPAN_FMT(cs_span_sub(text, 0, 64)));
		return false;
	}
	*ret_s = ns / NS + (up && ns % NS != 0);
	return true;
}

/* A level's claims; those of provisioners hold beside the authority's. */
static void read_claims(struct cs_importing *i, const struct cs_yaml *map,
			const char *path, struct claims *c, bool inner)
{
	static const struct cs_import_key keys[] = {
		{"minTLSCertDuration", NULL},
		{"maxTLSCertDuration", NULL},
		{"defaultTLSCertDuration", NULL},
		{"minUserSSHCertDuration", "is about SSH"},
		{"maxUserSSHCertDuration", "is about SSH"},
		{"defaultUserSSHCertDuration", "is about SSH"},
		{"minHostSSHCertDuration", "is about SSH"},
		{"maxHostSSHCertDuration", "is about SSH"},
		{"defaultHostSSHCertDuration", "is about SSH"},
		{"enableSSHCA", "is about SSH"},
		{"disableRenewal", "renewals are requests as others"},
		{"allowRenewalAfterExpiry", "renewals are requests as others"},
		{"disableSmallstepExtensions", "no such extension is made"},
		{NULL, NULL}};
	const char *min = cs_import_path(i, path, "minTLSCertDuration");
	const char *max = cs_import_path(i, path, "maxTLSCertDuration");
	const char *usual = cs_import_path(i, path, "defaultTLSCertDuration");
	int64_t s = 0;

	if (!cs_import_is_map(i, map, path))
		return;
	cs_import_known(i, map, path, keys);
	if (claim(i, cs_yaml_get(map, keys[0].name), min, true, &s)) {
		c->min = inner && c->min > s ? c->min : s;
		cs_import_tell(i, CS_IMPORT_EXACT,
			       cs_yaml_get(map, keys[0].name), min,
			       "validity.min");
		c->stated = true;
	}
	if (claim(i, cs_yaml_get(map, keys[1].name), max, false, &s)) {
		if (inner && s != c->max)
			cs_import_tell(i, CS_IMPORT_NARROWER,
				       cs_yaml_get(map, keys[1].name), max,
				       "validity.max is the shortest of the "
				       "authority's and the provisioners'");
		else
			cs_import_tell(i, CS_IMPORT_EXACT,
				       cs_yaml_get(map, keys[1].name), max,
				       "validity.max");
		c->max = inner && c->max < s ? c->max : s;
		c->stated = true;
	}
	if (claim(i, cs_yaml_get(map, keys[2].name), usual, false, &s)) {
		c->fallback = s;
		cs_import_tell(i, CS_IMPORT_EXACT,
			       cs_yaml_get(map, keys[2].name), usual,
			       "validity.default");
	}
}

/* validity of the draft. */
static void set_validity(struct cs_importing *i, const struct cs_yaml *at,
			 const struct claims *c)
{
	json_t *v = cs_import_section(i, "validity");
	int64_t usual = c->fallback;

	if (c->max < c->min || c->max > 36500 * DAY || c->min < 1) {
		(void)json_object_del(i->draft->spec, "validity");
		cs_import_shadow(i, at, "claims",
				 "no duration is within the claims, or they "
				 "are beyond 36500 days");
		return;
	}
	usual = usual > c->max ? c->max : usual < c->min ? c->min : usual;
	cs_import_set_seconds(i, v, "default", usual);
	cs_import_set_seconds(i, v, "min", c->min);
	cs_import_set_seconds(i, v, "max", c->max);
	cs_import_set_seconds(i, v, "backdate",
			      c->backdate < c->min ? c->backdate : 0);
	if (!c->stated)
		cs_import_tell(i, CS_IMPORT_NOTE, at, "claims",
			       "durations are those of step-ca where nothing "
			       "is said: 5 minutes to 24 hours; a provisioner "
			       "may say otherwise");
}

/* -- ca.json ---------------------------------------------------------------
 */

/* options of a provisioner: templates and webhooks decide, too. */
static void options(struct cs_importing *i, const struct cs_yaml *map,
		    const char *path)
{
	const struct cs_yaml *x509 = cs_yaml_get(map, "x509");
	const struct cs_yaml *hooks = cs_yaml_get(map, "webhooks");
	static const struct cs_import_key keys[] = {
		{"template", NULL},
		{"templateFile", NULL},
		{"templateData", "is of the template"},
		{"allow", "step-ca does not read this in ca.json: policies of "
			  "provisioners are made by `step ca policy`"},
		{"deny", "step-ca does not read this in ca.json: policies of "
			 "provisioners are made by `step ca policy`"},
		{"allowWildcardNames", "step-ca does not read this in ca.json"},
		{NULL, NULL}};
	const char *at = cs_import_path(i, path, "x509");

	if (cs_import_is_map(i, x509, at)) {
		cs_import_known(i, x509, at, keys);
		for (size_t k = 0; k < 2; k++) {
			const struct cs_yaml *t =
				cs_yaml_get(x509, keys[k].name);

			if (cs_import_has(t))
				cs_import_shadow(
					i, t, cs_import_key(i, at, t),
					"what this template refuses is not "
					"known here; the policy is in shadow "
					"until somebody has looked");
		}
	}
	if (cs_import_is_list(i, hooks, cs_import_path(i, path, "webhooks")))
		cs_import_shadow(i, hooks, cs_import_path(i, path, "webhooks"),
				 "what these refuse is not known here; the "
				 "policy is in shadow until somebody has "
				 "looked");
}

static void provisioners(struct cs_importing *i, const struct cs_yaml *list,
			 const char *path, struct claims *claims)
{
	size_t n = 0;

	if (!cs_import_is_list(i, list, path))
		return;
	for (const struct cs_yaml *c = list->child; c != NULL && !i->failed;
	     c = c->next) {
		const char *at = cs_import_item(i, path, n++);

		if (!cs_import_is_map(i, c, at)) {
			cs_import_fail(i, c, at, "a map is wanted");
			return;
		}
		cs_import_tell(i, CS_IMPORT_NOTE, c, at,
			       "whom a provisioner lets in is not translated: "
			       "clients, and match.requester, do that here");
		read_claims(i, cs_yaml_get(c, "claims"),
			    cs_import_path(i, at, "claims"), claims, true);
		if (cs_import_is_map(i, cs_yaml_get(c, "options"),
				     cs_import_path(i, at, "options")))
			options(i, cs_yaml_get(c, "options"),
				cs_import_path(i, at, "options"));
	}
}

/* What of the authority is about certificates. */
static void authority(struct cs_importing *i, const struct cs_yaml *map,
		      const char *path, struct claims *claims)
{
	static const struct cs_import_key keys[] = {
		{"policy", NULL},
		{"claims", NULL},
		{"provisioners", NULL},
		{"backdate", NULL},
		{"authorityId", "decides nothing"},
		{"deploymentType", "decides nothing"},
		{"enableAdmin", "with it, policies and provisioners are in "
				"step-ca's database: see `step ca policy "
				"authority view`"},
		{"disableIssuedAtCheck", "is about tokens"},
		{"disableGetSSHHosts", "is about SSH"},
		{"template", "what is set in subjects is not translated: see "
			     "`set` of attributes"},
		{NULL, NULL}};
	const char *field = cs_import_path(i, path, "backdate");
	int64_t s = 0;

	cs_import_known(i, map, path, keys);
	if (claim(i, cs_yaml_get(map, "backdate"), field, false, &s)) {
		claims->backdate = s;
		cs_import_tell(i, CS_IMPORT_EXACT, cs_yaml_get(map, "backdate"),
			       field, "validity.backdate");
	}
	read_claims(i, cs_yaml_get(map, "claims"),
		    cs_import_path(i, path, "claims"), claims, false);
	provisioners(i, cs_yaml_get(map, "provisioners"),
		     cs_import_path(i, path, "provisioners"), claims);
}

/* -- the document ----------------------------------------------------------
 */

/* The policy itself: x509 and ssh. */
static void policy(struct cs_importing *i, const struct cs_yaml *map,
		   const char *path)
{
	static const struct cs_import_key keys[] = {
		{"x509", NULL},
		{"ssh", "certificates of SSH are not issued here"},
		{NULL, NULL}};
	const struct cs_yaml *x509 = cs_yaml_get(map, "x509");
	const char *at = cs_import_path(i, path, "x509");

	if (map != NULL && cs_import_is_map(i, map, path))
		cs_import_known(i, map, path, keys);
	if (!i->failed && !cs_import_is_map(i, x509, at))
		x509 = NULL;
	if (!i->failed)
		cs_step_names(i, x509, at);
}

/* The top of ca.json, which is the CA's configuration. */
static void top(struct cs_importing *i, const struct cs_yaml *doc)
{
	for (const struct cs_yaml *c = doc->child; c != NULL; c = c->next) {
		if (!cs_span_equal_str(c->key, "authority"))
			cs_import_tell(i, CS_IMPORT_NOTE, c,
				       cs_import_key(i, "", c),
				       "is the CA's own configuration");
	}
}

/* Several of them hold at once, or for different provisioners. */
static void several(struct cs_importing *i, const struct cs_yaml *doc)
{
	if (++i->step_n < 2)
		return;
	for (struct cs_draft *d = i->drafts; d != NULL; d = d->next) {
		if (d->is_step)
			d->shadow = true;
	}
	cs_import_shadow(i, doc, "",
			 "an authority's policy and a provisioner's must both "
			 "allow a name, and here one policy governs: all of "
			 "them are in shadow until somebody has written what "
			 "both allow");
}

void cs_import_step(struct cs_importing *i, const struct cs_yaml *doc)
{
	const struct cs_yaml *whole = cs_yaml_get(doc, "authority");
	struct claims c = {5 * MINUTE, DAY, DAY, MINUTE, false};
	json_t *key;

	if (!cs_import_begin(i, doc, cs_import_stem(i)))
		return;
	i->draft->is_step = true;
	cs_import_always(i, doc);
	several(i, doc);
	cs_import_match_options(i);
	if (cs_import_is_map(i, whole, "authority")) {
		top(i, doc);
		authority(i, whole, "authority", &c);
		policy(i, cs_yaml_get(whole, "policy"), "authority.policy");
	} else if (cs_yaml_get(doc, "x509") != NULL) {
		policy(i, doc, "");
	} else if (cs_yaml_get(doc, "policy") != NULL &&
		   cs_yaml_get(doc, "provisioners") == NULL && doc->n == 1) {
		policy(i, cs_yaml_get(doc, "policy"), "policy");
	} else {
		authority(i, doc, "", &c);
		policy(i, cs_yaml_get(doc, "policy"), "policy");
	}
	if (i->failed)
		return;
	set_validity(i, doc, &c);
	key = cs_import_section(i, "key");
	cs_import_add(i, key, "allow",
		      cs_import_matcher(i, "alg", CS_SPAN_LIT("EC")));
	cs_import_add(i, key, "allow",
		      cs_import_matcher(i, "alg", CS_SPAN_LIT("RSA")));
	cs_import_add(i, key, "allow",
		      cs_import_matcher(i, "alg", CS_SPAN_LIT("Ed25519")));
	cs_import_key_reject(i);
	cs_import_tell(i, CS_IMPORT_NOTE, doc, "",
		       "the rest of a certificate is a template's matter in "
		       "step-ca: here the usages are those of the built-in "
		       "default, and attributes, extensions and kinds of names "
		       "that no rule mentions are refused");
}
