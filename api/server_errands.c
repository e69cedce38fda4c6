#include "api/server_errands.h"

int64_t cs_http_server_now(const struct cs_http_server *s)
{
	return cs_clock_boot_ms(&s->config.clock);
}

const char *cs_http_server_date(struct cs_http_server *s)
{
	int64_t now = cs_clock_wall_ms(&s->config.clock) / 1000;

	if (now != s->date_s || s->date[0] == '\0') {
		s->date_s = now;
		cs_http_write_date(now, s->date);
	}
	return s->date;
}

void cs_http_server_sweep_start(struct cs_http_server *s)
{
	if (s->sweeping)
		return;
	s->sweeping = true;
	cs_timer_start(s->sweep, s->sweep_ms);
}

void cs_http_server_resume(struct cs_http_server *s, struct cs_http_conn *c)
{
	if (c->resumes)
		return;
	c->resumes = true;
	c->next_resumed = s->resumed;
	s->resumed = c;
	cs_timer_start(s->errands, 0);
}

void cs_http_server_shake(struct cs_http_server *s, struct cs_http_conn *c)
{
	if (c->shakes)
		return;
	c->shakes = true;
	c->next_shaking = NULL;
	*(s->shaking == NULL ? &s->shaking : &s->shaking_last->next_shaking) =
		c;
	s->shaking_last = c;
	cs_timer_start(s->shakes, 0);
}

void cs_http_server_bury(struct cs_http_server *s, struct cs_http_conn *c)
{
	c->next_buried = s->buried;
	s->buried = c;
	cs_timer_start(s->errands, 0);
}
