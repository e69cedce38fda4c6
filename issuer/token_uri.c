#include "issuer/token_uri.h"

#include <stddef.h>
#include <string.h>

#include "base/codec.h"
#include "base/limits.h"

/* An attribute that is taken. */
struct attribute {
	const char *name;
	size_t at; /* of its text in struct cs_token_uri */
};

static const struct attribute in_path[] = {
	{"token", offsetof(struct cs_token_uri, token)},
	{"serial", offsetof(struct cs_token_uri, serial)},
	{"manufacturer", offsetof(struct cs_token_uri, manufacturer)},
	{"model", offsetof(struct cs_token_uri, model)},
	{"object", offsetof(struct cs_token_uri, object)},
};

static const struct attribute in_query[] = {
	{"module-path", offsetof(struct cs_token_uri, module_path)},
};

static bool refuse(struct cs_error *err, const char *why)
{
	return cs_error_set(err, CS_E_KEY, "%s", why);
}

/*= RFC 7512 2.3: pk11-pchar is unreserved, a few marks, or percent-encoded */
static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~:[]@!$'()*+,=&/?|", c) != NULL);
}

/* Percent-decoded into the arena, with a NUL behind it. */
static bool decode(struct cs_span text, struct cs_arena *arena,
		   struct cs_span *ret, struct cs_error *err)
{
	uint8_t *out = cs_arena_new(arena, text.n + 1);
	size_t n = 0;

	if (out == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory for a URI");
	for (size_t i = 0; i < text.n; i++) {
		int high, low;

		if (text.p[i] != '%') {
			if (!is_plain(text.p[i]))
				return refuse(err, "RFC 7512 2.3: a character "
						   "of the URI must be "
						   "percent-encoded");
			out[n++] = text.p[i];
			continue;
		}
		high = i + 1 < text.n ? cs_codec_hex_digit(text.p[i + 1]) : -1;
		low = i + 2 < text.n ? cs_codec_hex_digit(text.p[i + 2]) : -1;
		if (high < 0 || low < 0)
			return refuse(err, "RFC 3986 2.1: a % without two "
					   "hexadecimal digits");
		out[n++] = (uint8_t)(high << 4 | low);
		i += 2;
	}
	out[n] = '\0';
	*ret = cs_span_make(out, n);
	return true;
}

/* Those that have a sentence of their own. */
static bool refuse_known(struct cs_span name, struct cs_error *err)
{
	if (cs_span_equal_str(name, "pin-value"))
		return refuse(err, "pin-value: a PIN beside the URI of a key "
				   "is a key in a file; give it as the "
				   "issuer's passphrase");
	if (cs_span_equal_str(name, "pin-source"))
		return refuse(err, "pin-source: the PIN comes as the issuer's "
				   "passphrase (passphrase_file, "
				   "passphrase_credential)");
	if (cs_span_equal_str(name, "module-name"))
		return refuse(err, "module-name: the library is named by its "
				   "whole path (module-path)");
	if (cs_span_equal_str(name, "slot-id"))
		return refuse(err, "slot-id: numbers of slots change; name "
				   "the token (token, serial)");
	return cs_error_set(err, CS_E_KEY,
			    "RFC 7512 2.3: the attribute `%.*s` is not one "
			    "that is taken here",
			    CS_SPAN_FMT(name));
}

static bool twice(struct cs_span name, struct cs_error *err)
{
	return cs_error_set(err, CS_E_KEY,
			    "RFC 7512 2.3: the attribute `%.*s` stands there "
			    "twice",
			    CS_SPAN_FMT(name));
}

/* id and type, which are no texts. *ret_done: it was one of them. */
static bool take_special(struct cs_token_uri *uri, struct cs_span name,
			 struct cs_span value, bool *ret_done,
			 struct cs_error *err)
{
	*ret_done = true;
	if (cs_span_equal_str(name, "id")) {
		if (uri->id.n > 0)
			return twice(name, err);
		uri->id = value;
		return value.n > 0 || refuse(err, "the id is empty");
	}
	if (cs_span_equal_str(name, "type"))
		return cs_span_equal_str(value, "private") ||
		       refuse(err, "the type of the object must be private");
	*ret_done = false;
	return true;
}

/* One name=value. */
static bool take(struct cs_token_uri *uri, struct cs_span text,
		 const struct attribute *known, size_t known_n,
		 struct cs_arena *arena, struct cs_error *err)
{
	struct cs_span name, value;
	const char **to = NULL;
	bool done = false;
	size_t at, zero;

	if (!cs_span_find(text, '=', &at))
		return refuse(err, "RFC 7512 2.3: an attribute without a "
				   "value");
	name = cs_span_sub(text, 0, at);
	for (size_t i = 0; i < known_n; i++)
		if (cs_span_equal_str(name, known[i].name))
			to = (const char **)(void *)((char *)uri + known[i].at);
	/* Names before values: a PIN is refused unread. */
	if (to == NULL &&
	    (known == in_query || (!cs_span_equal_str(name, "id") &&
				   !cs_span_equal_str(name, "type"))))
		return refuse_known(name, err);
	if (!decode(cs_span_sub(text, at + 1, text.n - at - 1), arena, &value,
		    err))
		return false;
	if (to == NULL)
		return take_special(uri, name, value, &done, err);
	if (*to != NULL)
		return twice(name, err);
	if (value.n == 0 || cs_span_find(value, '\0', &zero))
		return cs_error_set(err, CS_E_KEY,
				    "`%.*s` is empty, or has a NUL in it",
				    CS_SPAN_FMT(name));
	*to = (const char *)value.p;
	return true;
}

/* All attributes of the path or the query. */
static bool take_all(struct cs_token_uri *uri, struct cs_span text,
		     const struct attribute *known, size_t known_n,
		     char separator, struct cs_arena *arena,
		     struct cs_error *err)
{
	while (text.n > 0) {
		size_t at = text.n;

		(void)cs_span_find(text, (uint8_t)separator, &at);
		if (!take(uri, cs_span_sub(text, 0, at), known, known_n, arena,
			  err))
			return false;
		if (at == text.n)
			return true;
		text = cs_span_sub(text, at + 1, text.n - at - 1);
	}
	return true;
}

/* Does it name a key, a token and a library? */
static bool check_whole(const struct cs_token_uri *uri, struct cs_error *err)
{
	if (uri->token == NULL && uri->serial == NULL)
		return refuse(err, "the URI names no token (token, serial)");
	if (uri->object == NULL && uri->id.n == 0)
		return refuse(err, "the URI names no key (object, id)");
	if (uri->module_path == NULL || uri->module_path[0] != '/')
		return refuse(err, "the URI names no library by its whole path "
				   "(?module-path=/...)");
	return true;
}

bool cs_token_uri_parse(struct cs_span text, struct cs_arena *arena,
			struct cs_token_uri *ret_uri, struct cs_error *err)
{
	struct cs_span scheme = CS_SPAN_LIT(CS_TOKEN_URI_SCHEME), query = {0};
	struct cs_token_uri uri = {0};
	size_t at;

	if (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (!cs_span_starts_with(text, scheme))
		return refuse(err, "RFC 7512 2.3: not a URI that begins with "
				   "pkcs11:");
	text = cs_span_sub(text, scheme.n, text.n - scheme.n);
	if (cs_span_find(text, '?', &at)) {
		query = cs_span_sub(text, at + 1, text.n - at - 1);
		text = cs_span_sub(text, 0, at);
	}
	if (!take_all(&uri, text, in_path, sizeof(in_path) / sizeof(in_path[0]),
		      ';', arena, err) ||
	    !take_all(&uri, query, in_query,
		      sizeof(in_query) / sizeof(in_query[0]), '&', arena,
		      err) ||
	    !check_whole(&uri, err))
		return false;
	*ret_uri = uri;
	return true;
}
