/* SPDX-License-Identifier: Apache-2.0 */
#include "control/state/parts.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/*
 * Control's part of a snapshot, at the instant that it asks the shards for theirs: what the numbers
 * in their images mean, who is who, the judge, the comparison, the running intervals.
 */

uint64_t esf_state_configuration(const struct esf_config *config)
{
	const int64_t numbers[] = { config->rollup.window_ns, config->rollup.windows_open,
		config->dedup.sequence_window, config->kpis_count, config->regions_count,
		config->sites_count };
	uint64_t hash = XXH3_64bits(numbers, sizeof(numbers));

	for (uint32_t k = 0; k < config->kpis_count; k++)
		hash =
		    XXH3_64bits_withSeed(config->kpis[k].name, strlen(config->kpis[k].name), hash);
	return hash;
}

/* A section's head is filled in once its size is known. */
static long begin(FILE *out, enum esf_state_kind kind)
{
	esf_stream_u64(out, kind);
	esf_stream_u64(out, 0);
	return ftell(out);
}

static void end(FILE *out, long began)
{
	long at = ftell(out);

	fseek(out, began - (long)sizeof(uint64_t), SEEK_SET);
	esf_stream_u64(out, (uint64_t)(at - began));
	fseek(out, at, SEEK_SET);
}

static void write_measures(const struct esf_config *config, FILE *out)
{
	const char *names[ESF_KPIS_MAX] = { NULL };

	for (uint32_t k = 0; k < config->kpis_count; k++)
		if (config->kpis[k].measure < config->measures_count)
			names[config->kpis[k].measure] = config->kpis[k].name;
	esf_stream_u32(out, config->measures_count);
	for (uint32_t m = 0; m < config->measures_count; m++)
		esf_stream_text(out, names[m] == NULL ? "" : names[m]);
}

static void write_meta(const struct esf_state *state, const struct esf_state_subjects *subjects,
    const struct esf_state_job *job, FILE *out)
{
	const struct esf_config *config = subjects->config;
	const struct esf_plane_options *options = esf_plane_options(subjects->plane);

	esf_stream_put(out, state->hash_key, sizeof(state->hash_key));
	esf_stream_i64(out, job->time);
	esf_stream_i64(out, options->window_ns);
	esf_stream_u32(out, options->sequence_window);
	esf_stream_u32(out, options->shards_count);
	esf_stream_i64(out, esf_judge_next(subjects->judge));
	write_measures(config, out);
}

/* By index: whether there is a site, its id and its name. */
static void write_sites(const struct esf_roster *roster, FILE *out)
{
	uint32_t count = esf_roster_count(roster);

	esf_stream_u32(out, count);
	for (uint32_t s = 0; s < count; s++) {
		const struct esf_site_config *site = esf_roster_at(roster, s);

		esf_stream_u8(out, site != NULL);
		if (site == NULL)
			continue;
		esf_stream_u32(out, site->id);
		esf_stream_text(out, site->name);
	}
}

static void write_all(const struct esf_state *state, const struct esf_state_subjects *subjects,
    const struct esf_state_job *job, FILE *out)
{
	long began = begin(out, ESF_STATE_META);

	write_meta(state, subjects, job, out);
	end(out, began);
	began = begin(out, ESF_STATE_SITES);
	write_sites(subjects->roster, out);
	end(out, began);
	began = begin(out, ESF_STATE_JUDGE);
	esf_judge_write(subjects->judge, out);
	end(out, began);
	began = begin(out, ESF_STATE_COMPARE);
	esf_compare_write(
	    esf_judge_compare(subjects->judge), esf_roster_count(subjects->roster), out);
	end(out, began);
	began = begin(out, ESF_STATE_INTERVALS);
	esf_intervals_write(subjects->intervals, out);
	end(out, began);
}

bool esf_state_gather(const struct esf_state *state, const struct esf_state_subjects *subjects,
    struct esf_state_job *job)
{
	FILE *out = open_memstream(&job->control, &job->control_size);
	bool whole;

	if (out == NULL)
		return false;
	write_all(state, subjects, job, out);
	whole = ferror(out) == 0;
	return fclose(out) == 0 && whole;
}
