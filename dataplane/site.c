/* SPDX-License-Identifier: Apache-2.0 */
#include "site.h"

#include <errno.h>
#include <string.h>

#include "limits.h"

static const uint16_t alias_class_sizes[ESF_ALIAS_CLASSES] = { 64, 256, ESF_ALIASES_MAX };

enum {
	STREAMS_PER_SITE_USUAL = 4, /* what the pools hold room for, over all sites of a shard */
	POOL_FLOOR = 4096,
};

int esf_site_pools_create(struct esf_site_pools *pools, uint32_t sites_count,
    uint32_t measures_count, uint32_t sequence_window)
{
	uint32_t streams = STREAMS_PER_SITE_USUAL * sites_count + POOL_FLOOR;
	bool complete;

	*pools = (struct esf_site_pools){
		.bitmap_words = esf_dedup_words(sequence_window),
		.measures_count = measures_count,
	};
	pools->streams = esf_pool_create(
	    sizeof(struct esf_stream) + pools->bitmap_words * sizeof(uint64_t), streams);
	complete = pools->streams != NULL;
	for (int i = 0; i < ESF_ALIAS_CLASSES; i++) {
		pools->aliases[i] =
		    esf_pool_create(alias_class_sizes[i] * sizeof(struct esf_alias), streams);
		complete = complete && pools->aliases[i] != NULL;
	}
	pools->counters = esf_pool_create(sizeof(struct esf_counter),
	    sites_count * (measures_count < 16 ? measures_count : 16) + POOL_FLOOR);
	pools->levels = esf_pool_create((measures_count + 2) * sizeof(double), sites_count + 1);
	pools->reports =
	    esf_pool_create((measures_count + 1) * sizeof(struct esf_report), sites_count + 1);
	pools->counter_tables =
	    esf_pool_create((measures_count + 2) * sizeof(struct esf_counter *), sites_count + 1);
	pools->unmapped = esf_pool_create(sizeof(struct esf_unmapped), sites_count + 1);
	if (complete && pools->counters != NULL && pools->levels != NULL &&
	    pools->reports != NULL && pools->counter_tables != NULL && pools->unmapped != NULL)
		return 0;
	esf_site_pools_destroy(pools);
	return -ENOMEM;
}

void esf_site_pools_destroy(struct esf_site_pools *pools)
{
	esf_pool_destroy(pools->streams);
	for (int i = 0; i < ESF_ALIAS_CLASSES; i++)
		esf_pool_destroy(pools->aliases[i]);
	esf_pool_destroy(pools->counters);
	esf_pool_destroy(pools->levels);
	esf_pool_destroy(pools->reports);
	esf_pool_destroy(pools->counter_tables);
	esf_pool_destroy(pools->unmapped);
}

static __attribute__((cold)) struct esf_stream *stream_add(
    struct esf_site *site, struct esf_site_pools *pools, uint16_t id)
{
	struct esf_stream *stream;

	if (site->streams_count == ESF_STREAMS_PER_SITE_MAX)
		return NULL;
	stream = esf_pool_take(pools->streams);
	if (stream == NULL)
		return NULL;
	memset(stream, 0, sizeof(*stream) + pools->bitmap_words * sizeof(uint64_t));
	stream->id = id;
	stream->aliases = stream->within;
	stream->aliases_count = ESF_ALIASES_WITHIN;
	if (pools->waits_until != 0)
		esf_dedup_wait(&stream->dedup, pools->waits_former, pools->waits_until);
	stream->next = site->streams;
	site->streams = stream;
	site->streams_count++;
	return stream;
}

struct esf_stream *esf_site_stream(struct esf_site *site, struct esf_site_pools *pools, uint16_t id)
{
	struct esf_stream **link = &site->streams;
	struct esf_stream *stream = site->streams;

	if (stream != NULL && stream->id == id)
		return stream;
	for (; (stream = *link) != NULL; link = &stream->next) {
		if (stream->id != id)
			continue;
		*link = stream->next;
		stream->next = site->streams;
		site->streams = stream;
		return stream;
	}
	return stream_add(site, pools, id);
}

static __attribute__((cold)) bool aliases_grow(
    struct esf_stream *stream, struct esf_site_pools *pools, uint16_t alias)
{
	uint8_t class = 0;
	struct esf_alias *table;

	while (alias >= alias_class_sizes[class])
		class ++;
	table = esf_pool_take(pools->aliases[class]);
	if (table == NULL)
		return false;
	memset(table, 0, alias_class_sizes[class] * sizeof(*table));
	memcpy(table, stream->aliases, stream->aliases_count * sizeof(*table));
	if (stream->aliases != stream->within)
		esf_pool_give(pools->aliases[stream->aliases_class], stream->aliases);
	stream->aliases = table;
	stream->aliases_class = class;
	stream->aliases_count = alias_class_sizes[class];
	return true;
}

struct esf_alias *esf_site_alias(
    struct esf_stream *stream, struct esf_site_pools *pools, uint16_t alias)
{
	if (alias >= stream->aliases_count && !aliases_grow(stream, pools, alias))
		return NULL;
	return &stream->aliases[alias];
}

struct esf_counter *esf_site_counter(
    struct esf_site *site, struct esf_site_pools *pools, uint16_t measure)
{
	if (site->counters == NULL) {
		site->counters = esf_pool_take(pools->counter_tables);
		if (site->counters == NULL)
			return NULL;
		memset(site->counters, 0, pools->measures_count * sizeof(*site->counters));
	}
	if (site->counters[measure] == NULL) {
		struct esf_counter *counter = esf_pool_take(pools->counters);

		if (counter == NULL)
			return NULL;
		memset(counter, 0, sizeof(*counter));
		site->counters[measure] = counter;
	}
	return site->counters[measure];
}

double *esf_site_level(struct esf_site *site, struct esf_site_pools *pools, uint16_t measure)
{
	if (site->levels == NULL) {
		site->levels = esf_pool_take(pools->levels);
		if (site->levels == NULL)
			return NULL;
		memset(site->levels, 0, pools->measures_count * sizeof(*site->levels));
	}
	return &site->levels[measure];
}

static __attribute__((cold)) bool unmapped_add(struct esf_site *site, struct esf_site_pools *pools)
{
	site->unmapped = esf_pool_take(pools->unmapped);
	if (site->unmapped == NULL)
		return false;
	memset(site->unmapped, 0, sizeof(*site->unmapped));
	return true;
}

uint8_t esf_site_count_unmapped(
    struct esf_site *site, struct esf_site_pools *pools, uint32_t name, uint8_t hint)
{
	if (site->unmapped == NULL && !unmapped_add(site, pools))
		return 0;
	return esf_unmapped_count(site->unmapped, name, hint);
}

struct esf_report *esf_site_report(
    struct esf_site *site, struct esf_site_pools *pools, uint16_t measure, uint32_t generation)
{
	if (site->reports == NULL) {
		site->reports = esf_pool_take(pools->reports);
		if (site->reports == NULL)
			return NULL;
		site->reports_generation = ~generation;
	}
	if (site->reports_generation != generation) {
		memset(site->reports, 0, pools->measures_count * sizeof(*site->reports));
		site->reports_generation = generation;
	}
	return &site->reports[measure];
}
