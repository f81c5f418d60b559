/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/etd_wire.h"
#include "random.h"

int esf_delivery_create(struct esf_traffic_holding *holding)
{
	*holding = (struct esf_traffic_holding){
		.held = calloc(ESF_TRAFFIC_HELD_MAX, sizeof(struct esf_traffic_held *)),
		.free_items = calloc(ESF_TRAFFIC_HELD_MAX, sizeof(*holding->free_items)),
	};
	if (holding->held && holding->free_items &&
	    !esf_heap_create(&holding->heap, ESF_TRAFFIC_HELD_MAX))
		return 0;
	free(holding->held);
	free(holding->free_items);
	return -ENOMEM;
}

/* Takes the first one out of the heap; the caller frees it. */
static struct esf_traffic_held *take_first(struct esf_traffic_holding *holding)
{
	uint32_t item = esf_heap_top(&holding->heap)->item;

	esf_heap_pop(&holding->heap);
	holding->free_items[holding->free_count++] = item;
	return holding->held[item];
}

void esf_delivery_destroy(struct esf_traffic_holding *holding)
{
	while (holding->heap.count)
		free(take_first(holding));
	free(holding->given);
	free(holding->held);
	free(holding->free_items);
	esf_heap_destroy(&holding->heap);
}

static void hold(struct esf_traffic *traffic, const struct esf_traffic_datagram *datagram,
    int64_t delay_ns, const char *path, bool duplicate)
{
	struct esf_traffic_holding *holding = &traffic->holding;
	struct esf_traffic_held *held;
	uint32_t item;

	if (holding->heap.count == ESF_TRAFFIC_HELD_MAX) {
		traffic->error = "more than 1048576 datagrams held back: shorten delays or depths";
		return;
	}
	held = malloc(sizeof(*held) + datagram->size);
	if (!held) {
		traffic->error = "out of memory";
		return;
	}
	item = holding->free_count ? holding->free_items[--holding->free_count]
	                           : holding->used_count++;
	memcpy(held->data, datagram->data, datagram->size);
	held->datagram = *datagram;
	held->datagram.data = held->data;
	held->datagram.time_ns += delay_ns;
	held->datagram.path = path && *path ? path : NULL;
	held->datagram.duplicate = duplicate;
	holding->held[item] = held;
	esf_heap_push(&holding->heap, (struct esf_heap_entry){
	                                  .time_ns = held->datagram.time_ns,
	                                  .order = holding->order++,
	                                  .item = item,
	                              });
}

static bool happens(const struct esf_random_at *at, double probability)
{
	return esf_random_uniform(at) < probability;
}

static void count_lost(struct esf_traffic_counts *counts, uint32_t records)
{
	counts->lost++;
	counts->lost_records += records;
}

static void lose(struct esf_traffic *traffic, const struct esf_traffic_datagram *datagram)
{
	count_lost(&traffic->totals, datagram->records);
	count_lost(&traffic->sites[datagram->site].counts, datagram->records);
}

/* Applies one active fault; false when the datagram does not go out now. */
static bool suffer(struct esf_traffic *traffic, const struct esf_traffic_datagram *datagram,
    uint32_t index, int64_t period_ns)
{
	const struct esf_scenario_fault *fault = &traffic->scenario->faults[index];
	struct esf_random_at at = {
		.seed = traffic->options.seed,
		.site = traffic->scenario->sites[datagram->site].id,
		.item = index,
		.tick = datagram->number,
	};
	uint64_t steps;

	switch (fault->kind) {
	case ESF_FAULT_LOSS:
		at.purpose = ESF_RANDOM_LOSS;
		if (!happens(&at, fault->probability))
			return true;
		lose(traffic, datagram);
		return false;
	case ESF_FAULT_DUPLICATE:
		at.purpose = ESF_RANDOM_DUPLICATE;
		if (happens(&at, fault->probability))
			hold(traffic, datagram, fault->delay_ns, fault->path, true);
		return true;
	case ESF_FAULT_REORDER:
		at.purpose = ESF_RANDOM_REORDER;
		if (!happens(&at, fault->probability))
			return true;
		at.purpose = ESF_RANDOM_DEPTH;
		steps = 1 + esf_random_bits(&at) % fault->depth;
		/* Half a period more: behind that many of the site's later datagrams. */
		hold(traffic, datagram, (int64_t)steps * period_ns + period_ns / 2, NULL, false);
		return false;
	default:
		return true;
	}
}

bool esf_delivery_admit(
    struct esf_traffic *traffic, struct esf_traffic_datagram *datagram, int64_t period_ns)
{
	const struct esf_faultmap *faults = &traffic->faults;
	uint32_t site = datagram->site;
	int64_t at_ns = datagram->time_ns - traffic->options.start_ns;

	datagram->number = traffic->sites[site].made++;
	for (uint32_t i = esf_faultmap_begin(faults, site); i < esf_faultmap_end(faults, site);
	     i++) {
		if (esf_scenario_fault_active(esf_faultmap_at(faults, i), at_ns) &&
		    !suffer(traffic, datagram, faults->indexes[i], period_ns))
			return false;
	}
	return !traffic->error;
}

void esf_delivery_release(struct esf_traffic *traffic, struct esf_traffic_datagram *out)
{
	struct esf_traffic_holding *holding = &traffic->holding;

	free(holding->given);
	holding->given = take_first(holding);
	*out = holding->given->datagram;
}

static void count_sent(
    struct esf_traffic_counts *counts, const struct esf_traffic_datagram *datagram)
{
	counts->datagrams++;
	counts->bytes += datagram->size;
	counts->records += datagram->records;
	counts->births += datagram->kind == ESF_ETD_BIRTH;
	counts->events += datagram->kind == ESF_ETD_EVENT;
	counts->deaths += datagram->kind == ESF_ETD_DEATH;
	counts->duplicates += datagram->duplicate;
	counts->duplicate_records += datagram->duplicate ? datagram->records : 0;
}

void esf_delivery_count(struct esf_traffic *traffic, const struct esf_traffic_datagram *datagram)
{
	struct esf_traffic_site *site = &traffic->sites[datagram->site];

	count_sent(&traffic->totals, datagram);
	count_sent(&site->counts, datagram);
	if (datagram->number >= site->sent_end) {
		site->sent_end = datagram->number + 1;
	} else if (!datagram->duplicate) {
		site->counts.reordered++;
		traffic->totals.reordered++;
	}
}

void esf_delivery_abandon(struct esf_traffic *traffic)
{
	while (traffic->holding.heap.count) {
		struct esf_traffic_held *held = take_first(&traffic->holding);

		if (!held->datagram.duplicate)
			lose(traffic, &held->datagram);
		free(held);
	}
}
