/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/commands.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "control/cli/field.h"
#include "control/cli/text.h"
#include "control/cli/worst.h"

enum {
	DEFAULT_ROWS = 40,
	SITES_MIN = 3,
	OTHER_ROWS = 22, /* all but regions and sites */
};

/* The alternate screen, without cursor and without wrapping of what a narrow terminal can't show.
 */
#define ENTER_SCREEN "\033[?1049h\033[?25l\033[?7l"
#define LEAVE_SCREEN "\033[?7h\033[?25h\033[?1049l"

/* One frame's documents. */
struct frame {
	json_t *fleet;
	json_t *sites;
	json_t *ledger;
	json_t *pipeline; /* NULL: an older server's */
	double time_s; /* monotonic, of the ledger */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void wake(int signal)
{
	(void)signal; /* the sleep ends, the next frame has the new size */
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = interrupt };
	struct sigaction resize = { .sa_handler = wake };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGWINCH, &resize, NULL);
}

static int terminal_rows(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
		return DEFAULT_ROWS;
	return size.ws_row;
}

static double monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void drop_frame(struct frame *frame)
{
	json_decref(frame->fleet);
	json_decref(frame->sites);
	json_decref(frame->ledger);
	json_decref(frame->pipeline);
	*frame = (struct frame){ 0 };
}

/* What fits under the regions and over the ledger. */
static int sites_shown(const json_t *fleet, int rows)
{
	int others = OTHER_ROWS + (int)json_array_size(json_object_get(fleet, "regions"));

	return rows - others > SITES_MIN ? rows - others : SITES_MIN;
}

static int fetch_frame(const struct esf_call *call, int rows, struct frame *frame)
{
	int result = esf_command_fetch(call->client, "/api/v1/fleet", "fleet", &frame->fleet);

	if (result != 0)
		return result;
	result = esf_worst_fetch(call, NULL, sites_shown(frame->fleet, rows), &frame->sites);
	if (result == 0)
		result =
		    esf_client_get(call->client, "/api/v1/ledger", "datagrams", &frame->ledger);
	frame->time_s = monotonic_s();
	if (result == 0)
		(void)esf_client_get(call->client, "/api/v1/pipeline", "lcores", &frame->pipeline);
	return result;
}

static double rate(
    const struct frame *frame, const struct frame *before, const char *of, const char *field)
{
	const json_t *now = json_object_get(frame->ledger, of);
	const json_t *then = json_object_get(before->ledger, of);
	double seconds = frame->time_s - before->time_s;

	if (then == NULL || seconds <= 0)
		return NAN;
	return (double)(esf_field_count(now, field) - esf_field_count(then, field)) / seconds;
}

static void put_rates(FILE *out, const struct frame *frame, const struct frame *before)
{
	double received = rate(frame, before, "datagrams", "received");
	double accepted = rate(frame, before, "datagrams", "accepted");
	double records = rate(frame, before, "records", "accepted");
	char a[ESF_TEXT_NUMBER_SIZE], b[ESF_TEXT_NUMBER_SIZE], c[ESF_TEXT_NUMBER_SIZE];

	/* Less than before: another estream-fleetd answers now. */
	if (isnan(received) || received < 0 || accepted < 0 || records < 0)
		return;
	fprintf(out, "a second: %s datagrams received, %s accepted; %s records accepted\n",
	    esf_text_count((uint64_t)received, a), esf_text_count((uint64_t)accepted, b),
	    esf_text_count((uint64_t)records, c));
}

static void put_frame(
    const struct esf_screen *screen, const struct frame *frame, const struct frame *before)
{
	esf_show_scope(screen, "fleet", json_object_get(frame->fleet, "fleet"));
	esf_show_window(screen, frame->fleet);
	put_rates(screen->out, frame, before);
	esf_show_busy(screen, frame->pipeline);
	fputc('\n', screen->out);
	esf_show_regions(screen, json_object_get(frame->fleet, "regions"));
	fputc('\n', screen->out);
	esf_worst_show(screen, frame->sites);
	fputc('\n', screen->out);
	esf_show_ledger_lines(screen, frame->ledger);
}

/* On a terminal: over the last frame, line by line, so that nothing flickers and nothing scrolls.
 */
static void paint(FILE *out, const char *text, int rows)
{
	fputs("\033[H", out);
	for (int row = 0; *text != '\0' && row < rows - 1; row++) {
		size_t size = strcspn(text, "\n");

		fwrite(text, 1, size, out);
		fputs("\033[K\n", out);
		text += size + (text[size] == '\n');
	}
	fputs("\033[J", out);
	fflush(out);
}

/* Shows one frame; on an error the error, in its place. Returns esf_client_get's result. */
static int show_frame(const struct esf_call *call, bool terminal, struct frame *before)
{
	struct frame frame = { 0 };
	int rows = terminal_rows(), result = fetch_frame(call, rows, &frame);
	char *text = NULL;
	size_t size;
	struct esf_screen page = { open_memstream(&text, &size), call->screen.colour };

	if (page.out == NULL) {
		drop_frame(&frame);
		return -1;
	}
	if (result == 0)
		put_frame(&page, &frame, before);
	else if (terminal)
		esf_text_put(page.out, esf_client_error(call->client), ESF_TEXT_COLUMNS);
	fclose(page.out);
	if (terminal)
		paint(call->screen.out, text, rows);
	else
		fprintf(call->screen.out, "%s\n", text);
	fflush(call->screen.out);
	free(text);
	drop_frame(before);
	*before = frame;
	return result;
}

static void sleep_second(void)
{
	const struct timespec second = { .tv_sec = 1 };

	nanosleep(&second, NULL);
}

enum esf_exit esf_command_top(const struct esf_call *call)
{
	bool terminal = isatty(STDOUT_FILENO);
	struct frame before = { 0 };
	unsigned int frames = 0;
	int result = 0;

	catch_signals();
	if (terminal)
		fputs(ENTER_SCREEN, call->screen.out);
	while (!interrupted) {
		result = show_frame(call, terminal, &before);
		/* On a terminal an outage is shown and waited for; a script wants to know. */
		if (result != 0 && !terminal)
			break;
		if (++frames == call->options->count)
			break;
		sleep_second();
	}
	if (terminal)
		fputs(LEAVE_SCREEN, call->screen.out);
	fflush(call->screen.out);
	drop_frame(&before);
	return result == 0 || interrupted ? ESF_EXIT_OK : esf_command_fail(call, result);
}
