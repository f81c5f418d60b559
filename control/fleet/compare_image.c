/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/compare_parts.h"

#include <string.h>

/* The comparison's rounds and baselines in a snapshot. */

static uint64_t baselines_size(const struct esf_compare *compare, uint32_t sites)
{
	uint64_t size = 0;

	for (uint32_t c = 0; c < compare->columns_count; c++)
		if (compare->columns[c].baseline != NULL)
			size += esf_baseline_written_size(compare->columns[c].baseline, sites);
	return size;
}

static void write_rounds(const struct column *column, uint32_t sites, FILE *out)
{
	for (uint32_t s = 0; s < sites; s++) {
		esf_stream_u64(out, column->history[AGAINST_PEERS][s]);
		esf_stream_u64(out, column->history[AGAINST_ITSELF][s]);
		esf_stream_u8(out, column->odd[s]);
	}
}

bool esf_compare_write(const struct esf_compare *compare, uint32_t sites, FILE *out)
{
	bool whole = baselines_size(compare, sites) <= ESF_COMPARE_BASELINES_MAX;

	sites = sites < compare->sites ? sites : compare->sites;
	esf_stream_u32(out, sites);
	esf_stream_u32(out, compare->columns_count);
	for (uint32_t c = 0; c < compare->columns_count; c++) {
		const struct column *column = &compare->columns[c];

		esf_stream_text(out, column->name);
		write_rounds(column, sites, out);
		esf_stream_u8(out, whole && column->baseline != NULL);
		if (whole && column->baseline != NULL)
			esf_baseline_write(column->baseline, sites, out);
	}
	return whole;
}

/* NULL: the KPI is compared no more. */
static struct column *column_named(const struct esf_compare *compare, const char *name)
{
	for (uint32_t c = 0; c < compare->columns_count; c++)
		if (strcmp(compare->columns[c].name, name) == 0)
			return &compare->columns[c];
	return NULL;
}

static void read_rounds(struct esf_image_reader *in, const struct esf_site_indexes *indexes,
    uint32_t sites, struct column *column)
{
	for (uint32_t s = 0; s < sites && !in->bad; s++) {
		uint64_t peers = esf_image_u64(in), itself = esf_image_u64(in);
		uint8_t odd = esf_image_u8(in);
		uint32_t now = esf_site_index_now(indexes, s);

		if (column == NULL || now == ESF_NO_SITE)
			continue;
		column->history[AGAINST_PEERS][now] = peers;
		column->history[AGAINST_ITSELF][now] = itself;
		column->odd[now] = odd & (ESF_ODD_PEERS | ESF_ODD_ITSELF);
	}
}

int esf_compare_read(struct esf_compare *compare, struct esf_image_reader *in,
    const struct esf_site_indexes *indexes)
{
	uint32_t sites = esf_image_count(in, ESF_SITES_MAX);
	uint32_t count = esf_image_count(in, ESF_KPIS_MAX);
	int went_on = 0;

	for (uint32_t c = 0; c < count && !in->bad; c++) {
		char name[ESF_STREAM_TEXT_SIZE];
		struct column *column;

		esf_stream_read_text(in, name);
		column = column_named(compare, name);
		read_rounds(in, indexes, sites, column);
		if (esf_image_u8(in) != 0 &&
		    !esf_baseline_read(column == NULL ? NULL : column->baseline, in, indexes))
			return -1;
		went_on += column != NULL;
	}
	return in->bad ? -1 : went_on;
}
