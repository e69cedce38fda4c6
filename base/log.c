#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"

/* The words of enum cs_log_level. */
static const char *const level_names[] = {"error", "warning", "info", "debug"};

const char *cs_log_level_name(enum cs_log_level level)
{
	return level_names[level];
}

bool cs_log_level_parse(struct cs_span name, enum cs_log_level *ret_level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]);
	     i++) {
		if (!cs_span_equal_str(name, level_names[i]))
			continue;
		*ret_level = (enum cs_log_level)i;
		return true;
	}
	return false;
}

/* What a line says, beside what the log knows. */
struct line {
	enum cs_log_level level;
	const char *event;
	const char *text;
	const struct cs_error *err; /* may be NULL */
	const struct cs_log_field *fields;
	size_t fields_n;
	uint64_t held; /* lines of this event before it */
};

/* A window of the limit on lines of one event. */
#define WINDOW_MS 10000
/* An octet that is escaped takes so many at most. */
#define ESCAPED 12

/* Where an error was noticed, without the way out of a build folder. */
static void put_place(struct cs_json *j, const struct cs_error *err)
{
	const char *file = err->file == NULL ? "?" : err->file;
	char place[128];

	while (strncmp(file, "../", 3) == 0)
		file += 3;
	(void)snprintf(place, sizeof(place), "%s:%d", file, err->line);
	cs_json_name(j, "place");
	cs_json_text(j, cs_span_str(place));
}

/* Text from anywhere: escaped for people, and cut. */
static void put_text(struct cs_json *j, struct cs_span text, size_t max)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf safe;

	cs_buf_init(&safe, ESCAPED * max);
	cs_text_put(&safe, cs_span_sub(text, 0, max));
	cs_json_text(j, cs_span_sub(cs_buf_span(&safe), 0, max));
}

/* What the line says beside its message. */
static void put_fields(struct cs_json *j, const struct line *line)
{
	size_t n =
		line->fields_n < CS_LOG_FIELDS ? line->fields_n : CS_LOG_FIELDS;

	if (n == 0)
		return;
	cs_json_name(j, "fields");
	cs_json_object(j);
	for (size_t i = 0; i < n; i++) {
		const struct cs_log_field *f = &line->fields[i];

		cs_json_name(j, f->name);
		if (f->text.p != NULL)
			put_text(j, f->text, CS_LOG_FIELD_TEXT);
		else
			cs_json_int(j, f->number);
	}
	cs_json_end(j);
}

/* The line as JSON and its end. False: no memory, or too long. */
static bool render(const struct cs_log *log, const struct line *line,
		   struct cs_buf *out)
{
	struct cs_json j;

	if (log->torn)
		cs_buf_add_byte(out, '\n');
	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_name(&j, "at");
	cs_json_time_ms(&j, cs_clock_wall_ms(&log->clock));
	if (line->err != NULL)
		cs_json_member_str(&j, "code", cs_error_slug(line->err->code));
	if (log->dropped > 0)
		cs_json_member_int(&j, "dropped", (int64_t)log->dropped);
	cs_json_name(&j, "event");
	cs_json_text(&j, cs_span_str(line->event));
	put_fields(&j, line);
	cs_json_member_str(&j, "level", level_names[line->level]);
	cs_json_name(&j, "message");
	put_text(&j, cs_span_str(line->text), CS_LOG_TEXT - 1);
	cs_json_member_int(&j, "pid", getpid());
	if (line->err != NULL)
		put_place(&j, line->err);
	cs_json_member_str(&j, "room", log->room);
	if (line->held > 0)
		cs_json_member_int(&j, "suppressed", (int64_t)line->held);
	cs_json_end(&j);
	cs_buf_add_byte(out, '\n');
	return cs_json_finish(&j, "log line", NULL);
}

/* The counter of an event; NULL: there are too many events. */
static struct cs_log_event *event_of(struct cs_log *log, const char *name)
{
	for (size_t i = 0; i < CS_LOG_EVENTS; i++) {
		struct cs_log_event *e = &log->events[i];

		if (e->name == NULL)
			e->name = name;
		if (e->name == name || strcmp(e->name, name) == 0)
			return e;
	}
	return NULL;
}

/* May one more line of this event be written? *ret_held: how many were not. */
static bool admit(struct cs_log *log, const struct line *line,
		  uint64_t *ret_held)
{
	struct cs_log_event *e = event_of(log, line->event);
	int64_t now = cs_clock_boot_ms(&log->clock);

	*ret_held = 0;
	if (e == NULL)
		return true;
	if (now - e->since_ms >= WINDOW_MS || e->n == 0) {
		e->since_ms = now;
		e->n = 0;
	}
	if (e->n >=
	    (line->level == CS_LOG_DEBUG ? CS_LOG_BURST_DEBUG : CS_LOG_BURST)) {
		e->held++;
		log->suppressed_ever++;
		return false;
	}
	e->n++;
	*ret_held = e->held;
	e->held = 0;
	return true;
}

/* Write it at once or not at all; nobody waits for a log. */
static void put(struct cs_log *log, struct line *line)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	int kept = errno;
	ssize_t n = -1;

	cs_buf_init(&out, PIPE_BUF);
	if (!admit(log, line, &line->held)) {
		errno = kept;
		return;
	}
	if (render(log, line, &out)) {
		do {
			n = write(log->fd, out.p, out.n);
		} while (n < 0 && errno == EINTR);
	}
	if (n == (ssize_t)out.n) {
		log->dropped = 0;
		log->torn = false;
	} else {
		log->dropped++;
		log->dropped_ever++;
		log->torn = log->torn || n > 0;
	}
	errno = kept;
}

/* The line's text from its format; then it is written. */
static void put_format(struct cs_log *log, struct line *line, const char *fmt,
		       va_list ap)
{
	char text[CS_LOG_TEXT];

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	line->text = text;
	put(log, line);
	line->text = NULL;
}

void cs_log_write(struct cs_log *log, enum cs_log_level level,
		  const char *event, const char *fmt, ...)
{
	struct line line = {.level = level, .event = event};
	va_list ap;

	if (log == NULL || level > log->level)
		return;
	va_start(ap, fmt);
	put_format(log, &line, fmt, ap);
	va_end(ap);
}

void cs_log_fields(struct cs_log *log, enum cs_log_level level,
		   const char *event, const struct cs_log_field *fields,
		   size_t n, const char *fmt, ...)
{
	struct line line = {.level = level,
			    .event = event,
			    .fields = fields,
			    .fields_n = n};
	va_list ap;

	if (log == NULL || level > log->level)
		return;
	va_start(ap, fmt);
	put_format(log, &line, fmt, ap);
	va_end(ap);
}

void cs_log_error(struct cs_log *log, const char *event,
		  const struct cs_error *err)
{
	struct line line = {.level = CS_LOG_ERROR,
			    .event = event,
			    .text = err->text,
			    .err = err};

	if (log != NULL)
		put(log, &line);
}
