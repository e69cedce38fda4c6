#include "kube/verdict.h"

#include <string.h>

#include "base/codec.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "kube/api.h"
#include "kube/object.h"

/* Changes that the message tells. */
#define TOLD_CHANGES 3

static const char *text(const json_t *object, const char *name)
{
	const char *s = cs_kube_text(object, name);

	return s != NULL ? s : "";
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

void cs_kube_verdict_done(struct cs_kube_verdict *v)
{
	cs_buf_done(&v->message);
	cs_buf_done(&v->certificate);
	cs_buf_done(&v->ca);
}

const char *cs_kube_outcome_name(enum cs_kube_outcome outcome)
{
	static const char *const names[] = {"issued", "failed", "held", "later",
					    "refused_us"};

	return names[outcome];
}

/* Text of the answer: escaped, for it may quote a CSR. */
static void say(struct cs_kube_verdict *v, const char *before, const char *s)
{
	cs_buf_add_str(&v->message, before);
	cs_text_put_str(&v->message, s);
}

/* "asked" or "given" of a line of the diff. */
static void say_value(struct cs_kube_verdict *v, const json_t *value)
{
	if (!json_is_string(value)) {
		cs_buf_add_str(&v->message, "nothing");
		return;
	}
	cs_buf_add_byte(&v->message, '"');
	cs_text_put(
		&v->message,
		cs_codec_utf8_cut(cs_span_str(json_string_value(value)), 128));
	cs_buf_add_byte(&v->message, '"');
}

/* " (RULE, PLACE)", of a rule that has a place. */
static void say_rule(struct cs_kube_verdict *v, const json_t *change)
{
	if (text(change, "at")[0] == '\0')
		return;
	say(v, " (", text(change, "rule"));
	say(v, ", ", text(change, "at"));
	cs_buf_add_byte(&v->message, ')');
}

/* What was not stated and came from a default is no surprise. */
static bool is_surprise(const json_t *change)
{
	const char *d = text(change, "disposition");

	return !is(d, "defaulted") && !is(d, "kept") && !is(d, "normalized");
}

/* What was issued otherwise than it was asked for. */
static void say_changes(struct cs_kube_verdict *v, const json_t *answer)
{
	const json_t *diff = json_object_get(answer, "diff");
	const json_t *c;
	size_t n = 0;
	size_t i;

	cs_buf_addf(&v->message, "Issued, serial %s", v->serial);
	json_array_foreach(diff, i, c)
	{
		if (!is_surprise(c) || ++n > TOLD_CHANGES)
			continue;
		say(v, n == 1 ? ", not as it was asked for: " : "; ",
		    text(c, "field"));
		say(v, " ", text(c, "disposition"));
		cs_buf_add_str(&v->message, ", asked ");
		say_value(v, json_object_get(c, "asked"));
		cs_buf_add_str(&v->message, ", given ");
		say_value(v, json_object_get(c, "given"));
		say_rule(v, c);
	}
	if (n > TOLD_CHANGES) {
		cs_buf_addf(&v->message, "; and %zu more: ", n - TOLD_CHANGES);
		say(v, "countersign request show ", text(answer, "id"));
	}
}

/* The chain without its root, which is not to be sent. */
static bool take_chain(struct cs_kube_verdict *v, struct cs_span pem,
		       struct cs_span root)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf ca = {0};
	size_t n = 0;
	bool found;

	cs_buf_init(&der, CS_MAX_PEM_FILE);
	cs_buf_init(&ca, CS_MAX_PEM_FILE);
	if (root.n > 0 && !cs_codec_pem_decode("CERTIFICATE", root, &ca, NULL))
		cs_buf_reset(&ca);
	while (cs_codec_pem_next("CERTIFICATE", &pem, &der, &found, NULL)) {
		if (!found)
			return n > 0 && cs_buf_ok(&v->certificate);
		if (n++ > 0 && ca.n > 0 &&
		    cs_span_equal(cs_buf_span(&der), cs_buf_span(&ca)))
			continue;
		cs_codec_pem("CERTIFICATE", cs_buf_span(&der), &v->certificate);
	}
	return false;
}

/* 201: is all there that a certificate needs? */
static void read_issued(const json_t *answer, struct cs_kube_verdict *v)
{
	struct cs_span pem = cs_span_str(text(answer, "certificate"));
	struct cs_span root = cs_span_str(text(answer, "ca"));
	const char *serial = text(answer, "serial");
	bool good = serial[0] != '\0' && strlen(serial) < sizeof(v->serial) &&
		    serial[strspn(serial, "0123456789abcdef")] == '\0';

	if (!good || !take_chain(v, pem, root)) {
		v->outcome = CS_KUBE_NOT_OURS;
		cs_buf_add_str(&v->message,
			       "Countersign's answer has no chain of"
			       " certificates that cert-manager could take");
		return;
	}
	memcpy(v->serial, serial, strlen(serial) + 1);
	cs_buf_add(&v->ca, root);
	v->outcome = CS_KUBE_ISSUED;
	say_changes(v, answer);
}

/*
 * A problem: whose is it, and is it one for good? Without a code it is not of
 * Countersign, but of something on the way to it, which gives no verdict.
 */
static enum cs_kube_outcome whose(int status, const char *code)
{
	if (status == 422 || status == 413)
		return code[0] != '\0' ? CS_KUBE_FAILED : CS_KUBE_NOT_OURS;
	if (status == 409) /* CONFLICT is a state; this one is a verdict */
		return is(code, "IDEMPOTENCY_CONFLICT") ? CS_KUBE_FAILED
							: CS_KUBE_LATER;
	if (status == 400)
		return is(code, "BAD_FIELD") ? CS_KUBE_FAILED
					     : CS_KUBE_NOT_OURS;
	if (status == 403 && is(code, "SELF_APPROVAL"))
		return CS_KUBE_FAILED;
	if (status == 429 || status >= 500)
		return CS_KUBE_LATER;
	return CS_KUBE_NOT_OURS;
}

/* A verdict of its own may stand in a 422: somebody said no there. */
static const char *opening(enum cs_kube_outcome outcome, const char *code)
{
	switch (outcome) {
	case CS_KUBE_FAILED:
		return is(code, "DENIED") ? "Denied in Countersign: "
					  : "Refused: ";
	case CS_KUBE_HELD:
		return "Held: ";
	case CS_KUBE_LATER:
		return "Countersign decided nothing yet, will try again: ";
	default:
		return "Countersign does not take it from this issuer, will"
		       " try again: ";
	}
}

void cs_kube_verdict_read(const struct cs_fetch_result *r,
			  struct cs_kube_verdict *ret)
{
	struct cs_kube_verdict v = {.retry_s = r->retry_s};
	json_t *answer = NULL;

	cs_buf_init(&v.message, CS_MAX_KUBE_MESSAGE);
	cs_buf_init(&v.certificate, CS_MAX_KUBE_CHAIN);
	cs_buf_init(&v.ca, CS_MAX_PEM_FILE);
	if (r->status != 0)
		answer = cs_json_parse(r->body, "an answer", NULL);
	(void)snprintf(v.code, sizeof(v.code), "%s", text(answer, "code"));
	if (r->status == 201 && answer != NULL) {
		read_issued(answer, &v);
	} else if (r->status == 0) {
		v.outcome = CS_KUBE_LATER;
		v.opening_n = strlen(opening(v.outcome, ""));
		say(&v, opening(v.outcome, ""), r->why);
	} else {
		const char *detail = text(answer, "detail");

		v.outcome = r->status == 202 ? CS_KUBE_HELD
					     : whose(r->status, v.code);
		if (r->status == 202 && detail[0] == '\0')
			detail = "it waits for an approval in Countersign";
		cs_buf_add_str(&v.message, opening(v.outcome, v.code));
		v.opening_n = v.message.n;
		if (detail[0] != '\0')
			cs_text_put_str(&v.message, detail);
		else
			cs_kube_api_tell(r, &v.message);
	}
	json_decref(answer);
	if (!cs_buf_ok(&v.message)) {
		cs_buf_reset(&v.message);
		v.opening_n = 0;
		cs_buf_add_str(&v.message, "the account is too long: see the"
					   " request in Countersign");
	}
	*ret = v;
}
