#include "cli/log_args.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cli/files.h"

bool cs_log_index_parse(const char *text, int64_t *ret_index,
			struct cs_error *err)
{
	long long n;
	char *end;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < 0)
		return cs_error_set(err, CS_E_USAGE, "`%s` is not an index",
				    text);
	*ret_index = n;
	return true;
}

bool cs_log_key_read(const char *dir, const char *file,
		     struct cs_note_verifier *ret_key, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_span key;

	cs_buf_init(&text, CS_MAX_NOTE);
	if (!cs_files_read(dir, file, &text, err))
		return false;
	key = cs_buf_span(&text);
	while (key.n > 0 && key.p[key.n - 1] == '\n')
		key.n--;
	/* It would verify nothing, and find nothing. */
	if (key.n == 0)
		return cs_error_set(err, CS_E_VERIFY, "%s is empty", file);
	return cs_note_verifier_parse(key, ret_key, err) ||
	       cs_error_prefix(err, "%s", file);
}
