/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/answers.h"

#include <string.h>
#include <time.h>

#include "control/api/listing.h"
#include "control/config/nearest.h"

/* GET /api/v1/events: what the sites said in words. */

enum { EVENTS_DEFAULT = 100 };

struct choice {
	int64_t site;     /* -1: all */
	const char *code; /* NULL: all */
	uint32_t limit;
};

static json_int_t wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (json_int_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int choose_site(const struct esf_answer *answer, struct choice *choice)
{
	const char *name = esf_request_param(answer->request, "site");
	const struct esf_view *view = esf_answer_latest_view(answer->sources);

	if (name == NULL)
		return 0;
	if (view == NULL) {
		esf_reply_error(answer->reply, 503, "no window has been built yet");
		return -1;
	}
	choice->site = esf_listing_find_site(view, name, answer->reply);
	return choice->site < 0 ? -1 : 0;
}

static int choose_code(
    const struct esf_answer *answer, const struct esf_event_snapshot *events, struct choice *choice)
{
	struct esf_nearest nearest;
	char hint[128];

	choice->code = esf_request_param(answer->request, "code");
	if (choice->code == NULL)
		return 0;
	esf_nearest_start(&nearest, choice->code);
	for (uint32_t c = 0; c < events->codes_count; c++) {
		if (strcmp(events->codes[c], choice->code) == 0)
			return 0;
		esf_nearest_offer(&nearest, events->codes[c]);
	}
	esf_reply_error(answer->reply, 404, "no signature has the code \"%.100s\"%s", choice->code,
	    esf_nearest_hint(&nearest, hint, sizeof(hint)));
	return -1;
}

static json_t *matched(const struct esf_event_snapshot *events)
{
	json_t *document = json_object();

	for (uint32_t c = 0; c < events->codes_count; c++)
		json_object_set_new(
		    document, events->codes[c], json_integer((json_int_t)events->matched[c]));
	return document;
}

static json_t *unmatched(const struct esf_event_snapshot *events)
{
	json_t *document = json_object();

	for (int severity = 0; severity < ESF_SEVERITIES; severity++) {
		const char name[] = { (char)('0' + severity), '\0' };

		json_object_set_new(
		    document, name, json_integer((json_int_t)events->unmatched[severity]));
	}
	return document;
}

static json_t *event_document(const struct esf_view *view, const struct esf_event_snapshot *events,
    const struct esf_event *event)
{
	static const char *const states[] = {
		[ESF_ETD_MESSAGE] = "message", [ESF_ETD_RAISE] = "raise", [ESF_ETD_CLEAR] = "clear"
	};
	static const char *const sources[] = {
		[ESF_EVENT_ETD] = "etd", [ESF_EVENT_SYSLOG] = "syslog"
	};

	return json_pack("{s:I, s:s, s:s?, s:i, s:s, s:s, s:b, s:s%}", "time",
	    (json_int_t)event->time, "site", esf_roster_at(view->roster, event->site)->name, "code",
	    esf_event_code(events, event), "severity", event->severity, "state",
	    states[event->state], "source", sources[event->source], "suppressed",
	    events->suppressed[event - events->events], "text", event->text,
	    (size_t)event->text_length);
}

/* An event of a site that is younger than the view waits for the next one. */
static bool is_chosen(const struct esf_view *view, const struct esf_event_snapshot *events,
    const struct esf_event *event, const struct choice *choice)
{
	const char *code = esf_event_code(events, event);

	if (event->site >= view->sites_count || esf_roster_at(view->roster, event->site) == NULL)
		return false;
	if (choice->site >= 0 && event->site != choice->site)
		return false;
	return choice->code == NULL || (code != NULL && strcmp(code, choice->code) == 0);
}

static json_t *list(const struct esf_view *view, const struct esf_event_snapshot *events,
    const struct choice *choice)
{
	json_t *array = json_array();

	for (uint32_t i = 0; view != NULL && i < events->events_count; i++) {
		if (json_array_size(array) == choice->limit)
			break;
		if (is_chosen(view, events, &events->events[i], choice))
			json_array_append_new(
			    array, event_document(view, events, &events->events[i]));
	}
	return array;
}

json_t *esf_answer_events(const struct esf_answer *answer)
{
	const struct esf_event_snapshot *events = esf_event_log_latest(answer->sources->events);
	struct choice choice = { .site = -1, .limit = EVENTS_DEFAULT };

	if (esf_listing_number(answer->request, "limit", 1, ESF_EVENT_LOG_SIZE, &choice.limit,
	        answer->reply) != 0 ||
	    choose_site(answer, &choice) != 0 || choose_code(answer, events, &choice) != 0)
		return NULL;
	return json_pack("{s:I, s:I, s:o, s:o, s:o}", "time", wall_clock(), "dropped",
	    (json_int_t)events->dropped, "matched", matched(events), "unmatched", unmatched(events),
	    "events", list(esf_answer_latest_view(answer->sources), events, &choice));
}
