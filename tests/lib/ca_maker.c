#include "tests/lib/test.h"

#include "tests/lib/ca_maker.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

char *ca_read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = cs_mem_new(100000);
	size_t n;

	assert_non_null(f);
	assert_non_null(text);
	n = fread(text, 1, 99999, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static void load(struct ca_maker *m)
{
	const struct cs_span purposes[] = {CS_SPAN_LIT("server auth"),
					   CS_SPAN_LIT("client auth")};
	const struct cs_ceiling_text ceiling = {
		.max_validity = CS_SPAN_LIT("398d"),
		.ext_key_usage = purposes,
		.ext_key_usage_n = 2,
	};
	char *chain = ca_read_file(m->chain);
	const struct cs_issuer_ca_source source = {
		.name = CS_SPAN_LIT("default"),
		.chain_pem = cs_span_str(chain),
		.crl_url = CS_SPAN_LIT("http://crl.corp.example/default/"),
		.crl_shards = 16,
	};
	struct cs_error err = {0};

	m->ca = cs_issuer_ca_new(&source, &err);
	if (m->ca == NULL)
		fail_msg("%s", err.text);
	cs_mem_free(chain);
	cs_arena_init(&m->arena, 100000);
	if (!cs_ceiling_parse(&ceiling, &m->arena, &m->ceiling, &err))
		fail_msg("%s", err.text);
}

void ca_make(struct ca_maker *m, enum cs_key_kind kind,
	     enum cs_keygen_tiers tiers)
{
	struct cs_keygen_ca c = {
		.tiers = tiers,
		.kind = kind,
		.name = CS_SPAN_LIT("Example"),
		.now_s = CA_MAKER_NOW,
		.passphrase_fd = -1,
	};
	struct cs_error err = {0};

	*m = (struct ca_maker){.dir = "/tmp/cs-ca-XXXXXX"};
	assert_non_null(mkdtemp(m->dir));
	snprintf(m->root_key, sizeof(m->root_key), "%s/root.key", m->dir);
	snprintf(m->root_pem, sizeof(m->root_pem), "%s/root.pem", m->dir);
	snprintf(m->key, sizeof(m->key), "%s/key.pem", m->dir);
	snprintf(m->chain, sizeof(m->chain), "%s/chain.pem", m->dir);
	c.root_key = m->root_key;
	c.root_pem = m->root_pem;
	c.issuer_key = m->key;
	c.issuer_chain = m->chain;
	if (!cs_keygen_ca_in_child(&c, &err))
		fail_msg("%s", err.text);
	load(m);
}

void ca_done(struct ca_maker *m)
{
	cs_issuer_ca_free(m->ca);
	cs_arena_done(&m->arena);
	unlink(m->root_key);
	unlink(m->root_pem);
	unlink(m->key);
	unlink(m->chain);
	rmdir(m->dir);
}

struct cs_key *ca_key(const struct ca_maker *m)
{
	int fd = open(m->key, O_RDONLY | O_CLOEXEC);
	struct cs_error err = {0};
	struct cs_key *key;

	assert_true(fd >= 0);
	key = cs_key_read(fd, NULL, &err);
	close(fd);
	if (key == NULL)
		fail_msg("%s", err.text);
	return key;
}
