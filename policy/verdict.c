#include "policy/attribute.h"
#include "policy/codes.h"
#include "policy/engine.h"

const char *cs_disposition_name(enum cs_disposition d)
{
	static const char *const names[] = {
		[CS_DISPOSITION_KEPT] = "kept",
		[CS_DISPOSITION_NORMALIZED] = "normalized",
		[CS_DISPOSITION_DEFAULTED] = "defaulted",
		[CS_DISPOSITION_OVERRIDDEN] = "overridden",
		[CS_DISPOSITION_CLAMPED] = "clamped",
		[CS_DISPOSITION_DROPPED] = "dropped",
		[CS_DISPOSITION_ADDED] = "added",
		[CS_DISPOSITION_GENERATED] = "generated",
	};

	return (unsigned)d <= CS_DISPOSITION_GENERATED ? names[d] : "unknown";
}

const char *cs_phase_name(enum cs_phase p)
{
	static const char *const names[] = {
		[CS_PHASE_PARSE] = "parse",   [CS_PHASE_SELECT] = "select",
		[CS_PHASE_FIELDS] = "fields", [CS_PHASE_BUILD] = "build",
		[CS_PHASE_LIMITS] = "limits",
	};

	return (unsigned)p < CS_PHASES ? names[p] : "unknown";
}

void cs_verdict_init(struct cs_verdict *v, struct cs_arena *arena)
{
	*v = (struct cs_verdict){
		.reached = CS_PHASE_PARSE,
		.code = cs_code_name(CS_CODE_REFUSED),
	};
	cs_findings_init(&v->findings, arena);
	cs_findings_init(&v->warnings, arena);
}

void cs_verdict_request(struct cs_verdict *v, const struct cs_facts *facts)
{
	const struct cs_cert_facts *csr = &facts->csr;

	v->request = &facts->request;
	v->names = csr->names_n;
	for (size_t i = 0; i < csr->subject_n; i++)
		v->names += cs_attribute_is_cn(csr->subject[i].oid);
}

bool cs_verdict_is_refused(const struct cs_verdict *v)
{
	return v->findings.n > 0;
}

bool cs_verdict_is_changed(const struct cs_verdict *v)
{
	if (cs_verdict_is_refused(v))
		return false;
	for (size_t i = 0; i < v->diff_n; i++) {
		enum cs_disposition d = v->diff[i].disposition;

		if (d != CS_DISPOSITION_DEFAULTED &&
		    d != CS_DISPOSITION_GENERATED)
			return true;
	}
	return false;
}
