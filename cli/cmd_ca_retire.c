/*
 * `ca retire`: an issuer signs no certificates any more, for good. Its chain
 * stays, and its key signs CRLs until its last certificate has ended; then
 * the key can be destroyed (--destroy-key), which is said of one generation.
 *
 * What was done stands in the generation's generation.yaml; the server acts
 * by it from its next start on, and records it then.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/time.h"
#include "cli/ask.h"
#include "cli/ca_job.h"
#include "cli/commands.h"
#include "cli/config_edit.h"
#include "cli/files.h"
#include "cli/renew.h"

static const struct cs_option options[] = {
	{"generation", 0, "G", "with --destroy-key: whose key (the present)"},
	{"destroy-key", 0, NULL,
	 "destroy the key of a generation that is over: no CRLs any more"},
	{"force", 0, NULL, "although certificates live that can be revoked"},
	{"listener", 0, "ISSUER",
	 "who certifies the listener from now on, when NAME did"},
	{0},
};

/* The generation that it is about. */
struct target {
	struct cs_ca_job *j;
	size_t issuer; /* in the configuration */
	const struct cs_issuer_ca *ca;
	struct cs_generation state;
	const char *folder, *key; /* below DIR */
	bool is_present;
};

static int64_t now_s(const struct target *t)
{
	return cs_clock_wall_ms(&t->j->clock) / 1000;
}

/* -- which one ------------------------------------------------------------ */

static bool find_issuer(struct target *t, struct cs_error *err)
{
	const struct cs_install *in = t->j->install;

	if (cs_install_waiting(in, t->j->name) != NULL)
		return cs_error_set(err, CS_E_CERT,
				    "issuer %s has no certificate yet: remove "
				    "its stanza and issuers/%s instead",
				    t->j->name, t->j->name);
	for (size_t i = 0; i < in->config.n_issuers; i++) {
		const struct cs_config_issuer *c = &in->config.issuers[i];

		if (strcmp(c->name, t->j->name) != 0)
			continue;
		t->issuer = i;
		t->ca = in->ca[i];
		t->state = in->state[i];
		t->key = c->key;
		t->folder =
			cs_arena_printf(&t->j->arena, "issuers/%s", c->name);
		t->is_present = true;
		if (cs_install_is_kept(c))
			return t->folder != NULL ||
			       cs_error_set(err, CS_E_NO_MEMORY, "no memory");
		return cs_error_set(err, CS_E_CONFIG,
				    "issuer %s: its key and chain do not lie "
				    "in issuers/%s",
				    c->name, c->name);
	}
	return cs_error_set(err, CS_E_NOT_FOUND, "there is no issuer `%s`",
			    t->j->name);
}

/* Another generation than the present one, if it was asked for. */
static bool find_generation(struct target *t, struct cs_error *err)
{
	const struct cs_install *in = t->j->install;
	unsigned number = t->state.number;

	if (!cs_call_number(t->j->call, "generation", 1, CS_MAX_GENERATION,
			    &number, err))
		return false;
	if (number == t->state.number)
		return true;
	for (size_t i = 0; i < in->older_n; i++) {
		const struct cs_install_older *o = &in->older[i];

		if (o->issuer != t->issuer || o->state.number != number)
			continue;
		t->ca = o->ca;
		t->state = o->state;
		t->key = o->key;
		t->folder = o->folder;
		t->is_present = false;
		return true;
	}
	return cs_error_set(err, CS_E_NOT_FOUND,
			    "issuer %s has no generation %u", t->j->name,
			    number);
}

/* What is said of it from now on, durably. */
static bool put_state(struct target *t, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	const char *dir = t->j->install->dir;
	const char *path = cs_arena_printf(
		&t->j->arena, "%s/%s/" CS_GENERATION_FILE, dir, t->folder);
	const char *name = cs_arena_printf(&t->j->arena,
					   "%s/" CS_GENERATION_FILE, t->folder);

	cs_buf_init(&text, CS_MAX_PEM_FILE);
	if (path == NULL || name == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return cs_generation_write(&t->state, &text, err) &&
	       cs_files_write(dir, name, cs_buf_span(&text), 0644, err) &&
	       cs_ca_place_give(dir, path, err);
}

/* -- retiring ------------------------------------------------------------- */

/* The one that certifies the listener has to have a successor. */
static bool check_listener(struct target *t, const char *next,
			   struct cs_error *err)
{
	const struct cs_install *in = t->j->install;

	if (next == NULL) {
		if (!cs_renew_is_ours(in) ||
		    strcmp(cs_install_listener(in)->name, t->j->name) != 0)
			return true;
		return cs_error_set(err, CS_E_USAGE,
				    "issuer %s certifies the listener: say who "
				    "does it from now on (--listener ISSUER)",
				    t->j->name);
	}
	if (strcmp(next, t->j->name) == 0 ||
	    cs_config_issuer(&in->config, next) == NULL ||
	    cs_install_is_retired(in, next))
		return cs_error_set(err, CS_E_USAGE,
				    "--listener: `%s` is no other issuer that "
				    "issues",
				    next);
	return true;
}

/* tls.issuer of countersign.yaml. */
static bool put_listener(struct target *t, const char *next,
			 struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	const char *dir = t->j->install->dir;

	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	return next == NULL ||
	       (cs_files_read(dir, CS_CONFIG_FILE, &text, err) &&
		cs_config_set_listener(cs_buf_span(&text), next, &t->j->config,
				       err) &&
		cs_files_replace(dir, CS_CONFIG_FILE,
				 cs_buf_span(&t->j->config), err));
}

static bool retire(struct target *t, struct cs_error *err)
{
	const char *next = cs_call_get(t->j->call, "listener");
	FILE *out = t->j->call->out;
	char text[CS_TIME_TEXT];

	if (!t->is_present)
		return cs_error_set(err, CS_E_USAGE,
				    "generation %u signs no certificates since "
				    "the next one came: only its key can go "
				    "(--destroy-key)",
				    t->state.number);
	cs_time_rfc3339(t->state.retired_s, text);
	if (t->state.is_retired)
		return cs_error_set(err, CS_E_EXISTS,
				    "issuer %s is retired since %s", t->j->name,
				    text);
	t->state.is_retired = true;
	t->state.retired_s = now_s(t);
	if (!check_listener(t, next, err) || !put_listener(t, next, err) ||
	    !put_state(t, err))
		return false;
	fprintf(out,
		"The issuer %s (generation %u) is retired: it signs no "
		"certificates any more.\n",
		t->j->name, t->state.number);
	if (next != NULL)
		fprintf(out, "  The listener is certified by %s.\n", next);
	fprintf(out,
		"  Its chain stays, and its key signs CRLs until its last "
		"certificate has ended.\n"
		"Next: restart the server, which refuses requests for it from "
		"then on and records it.\n");
	return true;
}

/* -- destroying a key ----------------------------------------------------- */

/* When a generation was recorded, as RFC 3339; NULL: it was not. */
static const char *created(const json_t *generations, unsigned number)
{
	const json_t *g;
	size_t i;

	json_array_foreach(generations, i, g)
	{
		if (json_integer_value(json_object_get(g, "generation")) ==
		    (json_int_t)number)
			return cs_reply_text(g, "created");
	}
	return NULL;
}

static int64_t time_of(const char *rfc3339)
{
	int64_t ms = 0;

	if (rfc3339 != NULL &&
	    !cs_time_parse_rfc3339(cs_span_str(rfc3339), &ms, NULL))
		ms = 0;
	return ms;
}

/*
 * When the generation was the one in force: from its ca.created to the next
 * one's, both of which are starts of the server. *ret_until 0: it still is.
 */
static bool find_time(struct target *t, int64_t *ret_since, int64_t *ret_until,
		      struct cs_error *err)
{
	const struct cs_question_call q = {.kind = CS_QUERY_ISSUERS,
					   .target = "/v1/issuers"};
	struct cs_reply r = {0};
	json_t *mine = json_array(), *item;
	size_t i;

	if (!cs_ask_question(t->j->call, &q, &r, err)) {
		json_decref(mine);
		return false;
	}
	json_array_foreach(json_object_get(r.body, "items"), i, item)
	{
		if (strcmp(cs_reply_text(item, "name"), t->j->name) != 0)
			continue;
		/* The server's has them in it, the files' is one of them. */
		if (json_object_get(item, "generations") != NULL)
			json_array_extend(mine,
					  json_object_get(item, "generations"));
		else
			json_array_append(mine, item);
	}
	*ret_since = time_of(created(mine, t->state.number));
	*ret_until = time_of(created(mine, t->state.number + 1));
	json_decref(mine);
	cs_reply_done(&r);
	return true;
}

/* A question for what it has issued that lives and is not revoked. */
static void ask_living(const struct target *t, int64_t since, int64_t until,
		       struct cs_question_call *q)
{
	*q = (struct cs_question_call){.kind = CS_QUERY_CERTIFICATES,
				       .target = "/v1/certificates"};
	cs_question_add(
		q, (struct cs_ask_param){CS_ASK_LIST, "issuer", t->j->name, 0});
	cs_question_add(
		q, (struct cs_ask_param){CS_ASK_LIST, "revoked", "false", 0});
	cs_question_add(q, (struct cs_ask_param){CS_ASK_TIME, "valid_at", NULL,
						 now_s(t) * 1000});
	cs_question_add(
		q, (struct cs_ask_param){CS_ASK_TIME, "since", NULL, since});
	if (until > 0)
		cs_question_add(q, (struct cs_ask_param){CS_ASK_TIME, "until",
							 NULL, until});
	cs_question_add(q, (struct cs_ask_param){CS_ASK_INT, "limit", NULL, 1});
}

/* One page: *ret_more says that there are others. */
static bool check_page(struct target *t, const struct cs_reply *r,
		       struct cs_buf *cursor, struct cs_error *err)
{
	const json_t *items = json_object_get(r->body, "items");
	const json_t *first = json_array_get(items, 0);
	const char *next = cs_reply_text(r->body, "next");

	if (r->status != 200)
		return cs_error_set(err, CS_E_HTTP,
				    "what generation %u has issued cannot be "
				    "asked about: %s",
				    t->state.number,
				    cs_reply_text(r->body, "detail"));
	if (first != NULL)
		return cs_error_set(err, CS_E_EXISTS,
				    "generation %u has certificates that live "
				    "(%s, until %s): their revocation could "
				    "not be published any more",
				    t->state.number,
				    cs_reply_text(first, "serial"),
				    cs_reply_text(first, "not_after"));
	cs_buf_reset(cursor);
	cs_buf_add_str(cursor, next);
	return true;
}

/* Is there none that would need a CRL? */
static bool check_none_lives(struct target *t, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf cursor;
	struct cs_question_call q;
	int64_t since = 0, until = 0;

	cs_buf_init(&cursor, CS_MAX_HTTP_TARGET);
	if (!find_time(t, &since, &until, err))
		return false;
	do {
		struct cs_reply r = {0};
		bool ok;

		ask_living(t, since, until, &q);
		if (cursor.n > 0)
			cs_question_add(&q, (struct cs_ask_param){
						    CS_ASK_ONE, "cursor",
						    cs_buf_str(&cursor), 0});
		ok = cs_ask_question(t->j->call, &q, &r, err) &&
		     check_page(t, &r, &cursor, err);
		cs_reply_done(&r);
		if (!ok)
			return false;
	} while (cursor.n > 0);
	return true;
}

/* Is it the key of this generation alone? Same keys are one file. */
static bool check_alone(const struct target *t, struct cs_error *err)
{
	const struct cs_install *in = t->j->install;
	const struct cs_issuer_ca *other = NULL;

	for (size_t i = 0; i < in->config.n_issuers; i++)
		if (in->ca[i] != t->ca && !in->state[i].key_is_destroyed &&
		    cs_span_equal(in->ca[i]->key.spki, t->ca->key.spki))
			other = in->ca[i];
	for (size_t i = 0; i < in->older_n; i++)
		if (in->older[i].ca != t->ca &&
		    !in->older[i].state.key_is_destroyed &&
		    cs_span_equal(in->older[i].ca->key.spki, t->ca->key.spki))
			other = in->older[i].ca;
	if (other == NULL)
		return true;
	return cs_error_set(err, CS_E_EXISTS,
			    "generation %u of issuer %.*s has the same key",
			    other->generation, CS_SPAN_FMT(other->name));
}

/* Zeros over all of the file, durably. */
static bool overwrite(int fd, off_t n)
{
	static const uint8_t zeros[4096];

	for (off_t at = 0; at < n;) {
		size_t part = (size_t)(n - at) < sizeof(zeros)
				      ? (size_t)(n - at)
				      : sizeof(zeros);
		ssize_t done = pwrite(fd, zeros, part, at);

		if (done <= 0)
			return false;
		at += done;
	}
	return fsync(fd) == 0;
}

/* Overwritten, then removed. One that is gone already is as good. */
static bool destroy_file(const struct target *t, struct cs_error *err)
{
	const char *path =
		cs_files_path(&t->j->arena, t->j->install->dir, t->key);
	struct stat st;
	bool ok;
	int fd;

	if (path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return true;
	ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	     overwrite(fd, st.st_size) && unlink(path) == 0;
	if (!ok)
		cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool destroy_key(struct target *t, struct cs_error *err)
{
	struct cs_ca_job *j = t->j;
	bool again = t->state.key_is_destroyed;

	if (t->is_present &&
	    cs_install_is_token(&j->install->config.issuers[t->issuer]))
		return cs_error_set(err, CS_E_USAGE,
				    "the key of issuer %s is in a PKCS#11 "
				    "token: destroy it there, by the means of "
				    "the token's maker",
				    j->name);
	if (t->is_present && !t->state.is_retired)
		return cs_error_set(err, CS_E_USAGE,
				    "issuer %s still issues: retire it first, "
				    "and restart the server",
				    j->name);
	if (!check_alone(t, err) || (cs_call_get(j->call, "force") == NULL &&
				     !again && !check_none_lives(t, err)))
		return cs_error_prefix(err, "the key stays");
	/* First what is said, so that a crash leaves a key that is not read. */
	t->state.key_is_destroyed = true;
	if (!again)
		t->state.key_destroyed_s = now_s(t);
	if ((!again && !put_state(t, err)) || !destroy_file(t, err))
		return false;
	fprintf(j->call->out,
		"The key of generation %u of the issuer %s is destroyed: %s\n"
		"  Backups with private keys may still have it; a server that "
		"runs has it until it stops.\n"
		"Next: restart the server, which records it.\n",
		t->state.number, j->name, t->key);
	return true;
}

/* -- the command ---------------------------------------------------------- */

static bool do_retire(struct cs_ca_job *j, struct cs_error *err)
{
	struct target t = {.j = j};
	bool destroy = cs_call_get(j->call, "destroy-key") != NULL;

	if (cs_call_get(j->call, "force") != NULL && !destroy)
		return cs_ca_job_usage(err, "--force is for --destroy-key");
	if (cs_call_get(j->call, "listener") != NULL && destroy)
		return cs_ca_job_usage(err, "--listener is not for "
					    "--destroy-key");
	return find_issuer(&t, err) && find_generation(&t, err) &&
	       cs_ca_place_tidy(j->install->dir, j->name, &j->arena, &j->place,
				err) &&
	       (destroy ? destroy_key(&t, err) : retire(&t, err));
}

static int run(const struct cs_call *call)
{
	return cs_ca_job_run(call, do_retire);
}

const struct cs_command cs_cmd_ca_retire = {
	.name = "ca retire",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "End an issuer: it signs CRLs, and no certificates any more",
	.options = options,
	.example = "countersign ca retire web",
	.run = run,
};
