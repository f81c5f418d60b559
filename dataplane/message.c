/* SPDX-License-Identifier: Apache-2.0 */
#include "shard_state.h"

/*
 * What sites say in words: each accepted message meets the signatures once. Who gets through to
 * control is what somebody may have to act on; the rest is only counted, so that chatter can't fill
 * the ring.
 */

/* What no signature takes: all that ETD calls an event, and of syslog warnings and worse. */
enum { WORTH_AN_EVENT = 4 };

static bool is_worth_an_event(const struct esf_message *message)
{
	return message->source == ESF_EVENT_ETD || message->severity <= WORTH_AN_EVENT;
}

static uint16_t find_signature(const struct esf_shard *shard, const struct esf_message *message)
{
	const struct esf_signatures *signatures = shard->policy->signatures;

	if (signatures == NULL || message->text_length == 0)
		return ESF_NO_SIGNATURE;
	return esf_signatures_match(signatures, shard->index, message->text, message->text_length);
}

/* The signature's word counts where it says something, else the sender's. */
static void interpret(const struct esf_shard *shard, struct esf_event *event)
{
	const struct esf_signature *signature =
	    esf_signatures_at(shard->policy->signatures, event->signature);

	if (signature->severity != ESF_SIGNATURE_AS_SENT)
		event->severity = signature->severity;
	if (signature->state != ESF_SIGNATURE_AS_SENT)
		event->state = signature->state;
}

/* No site fills the ring alone: others are to be heard as well. */
static void put_event(struct esf_shard *shard, const struct esf_event *event)
{
	struct esf_site *site = &shard->plane->sites[event->site];

	if (site->publication != shard->publication) {
		site->publication = shard->publication;
		site->events = 0;
	}
	if (site->events == ESF_SITE_EVENTS_HELD)
		esf_events_count_dropped(shard->events);
	else if (esf_events_put(shard->events, event))
		site->events++;
}

static void tell_control(
    struct esf_shard *shard, struct esf_site *site, const struct esf_message *message)
{
	struct esf_event event;
	uint16_t signature = find_signature(shard, message);

	if (signature == ESF_NO_SIGNATURE) {
		esf_events_count_unmatched(shard->events, message->severity);
		if (!is_worth_an_event(message))
			return;
	}
	event = (struct esf_event){
		.time = message->time,
		.site = esf_shard_site_index(shard, site),
		.signature = signature,
		.severity = message->severity,
		.state = message->state,
		.source = message->source,
		.revision = (uint8_t)shard->policy->revision,
	};
	if (signature != ESF_NO_SIGNATURE)
		interpret(shard, &event);
	esf_event_set_text(&event, message->text, message->text_length);
	put_event(shard, &event);
}

enum esf_record_verdict esf_shard_message(
    struct esf_shard *shard, struct esf_site *site, const struct esf_message *message)
{
	enum esf_record_verdict verdict = esf_shard_event(shard, site, message->time);

	if (verdict == ESF_RECORD_ACCEPTED)
		tell_control(shard, site, message);
	return verdict;
}
