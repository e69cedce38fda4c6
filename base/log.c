#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"

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
};

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
	cs_json_member_str(&j, "level", level_names[line->level]);
	cs_json_name(&j, "message");
	cs_json_text(&j, cs_span_str(line->text));
	cs_json_member_int(&j, "pid", getpid());
	if (line->err != NULL)
		put_place(&j, line->err);
	cs_json_member_str(&j, "room", log->room);
	cs_json_end(&j);
	cs_buf_add_byte(out, '\n');
	return cs_json_finish(&j, "log line", NULL);
}

/* Write it at once or not at all; nobody waits for a log. */
static void put(struct cs_log *log, const struct line *line)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	int kept = errno;
	ssize_t n = -1;

	cs_buf_init(&out, PIPE_BUF);
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

void cs_log_write(struct cs_log *log, enum cs_log_level level,
		  const char *event, const char *fmt, ...)
{
	struct line line = {.level = level, .event = event};
	char text[CS_LOG_TEXT];
	va_list ap;

	if (log == NULL || level > log->level)
		return;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	line.text = text;
	put(log, &line);
}

void cs_log_error(struct cs_log *log, const char *event,
		  const struct cs_error *err)
{
	const struct line line = {.level = CS_LOG_ERROR,
				  .event = event,
				  .text = err->text,
				  .err = err};

	if (log != NULL)
		put(log, &line);
}
