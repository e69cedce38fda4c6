#include "kube/object.h"

#include <string.h>

json_t *cs_kube_json(struct cs_span text)
{
	if (text.n == 0)
		return NULL;
	return json_loadb((const char *)text.p, text.n, JSON_ALLOW_NUL, NULL);
}

const char *cs_kube_text(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);
	const char *s = json_string_value(v);

	return s != NULL && strlen(s) == json_string_length(v) ? s : NULL;
}

const char *cs_kube_meta(const json_t *object, const char *name)
{
	return cs_kube_text(json_object_get(object, "metadata"), name);
}

void cs_kube_put_escaped(struct cs_buf *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL)
			cs_buf_add_byte(out, (uint8_t)*text);
		else
			cs_buf_addf(out, "%%%02X", (unsigned char)*text);
	}
}
