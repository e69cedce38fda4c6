#include "base/approval.h"

#include "base/json.h"

bool cs_approval_write(const struct cs_approval *a, struct cs_buf *out,
		       struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_member_int(&j, "at", a->at_ms);
	cs_json_member_span(&j, "by", a->by);
	if (a->claimed_by.n > 0)
		cs_json_member_span(&j, "claimed_by", a->claimed_by);
	if (a->message.n > 0)
		cs_json_member_span(&j, "message", a->message);
	if (a->reason.n > 0)
		cs_json_member_span(&j, "reason", a->reason);
	if (a->self) {
		cs_json_name(&j, "self");
		cs_json_bool(&j, true);
	}
	if (a->uid >= 0)
		cs_json_member_int(&j, "uid", a->uid);
	cs_json_end(&j);
	return cs_json_finish(&j, "approval", err);
}
