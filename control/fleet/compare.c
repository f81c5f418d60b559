/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/compare_parts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "control/fleet/pages.h"
#include "control/fleet/peers.h"

uint64_t esf_compare_site_size(const struct esf_config *config)
{
	uint64_t grouping = 3 * sizeof(uint32_t) + sizeof(double), column;
	uint32_t slots = config->compare.baseline_slots, columns = 0;

	for (uint32_t k = 0; k < config->kpis_count; k++)
		columns += config->kpis[k].compare;
	column = 2 * sizeof(uint64_t) + sizeof(uint8_t) + sizeof(double) +
	         (slots == 0 ? 0 : esf_baseline_site_size(slots));
	return grouping + columns * column;
}

static void column_clear(struct column *column)
{
	free(column->history[AGAINST_PEERS]);
	free(column->history[AGAINST_ITSELF]);
	free(column->odd);
	free(column->values);
	esf_baseline_destroy(column->baseline);
	*column = (struct column){ 0 };
}

static int column_fill(struct column *column, const char *name, uint32_t sites)
{
	size_t count = sites + (size_t)1;

	snprintf(column->name, sizeof(column->name), "%s", name);
	column->history[AGAINST_PEERS] = esf_pages_zeroed(count * sizeof(uint64_t));
	column->history[AGAINST_ITSELF] = esf_pages_zeroed(count * sizeof(uint64_t));
	column->odd = esf_pages_zeroed(count * sizeof(*column->odd));
	column->values = esf_pages_zeroed(count * sizeof(*column->values));
	if (column->history[AGAINST_PEERS] != NULL && column->history[AGAINST_ITSELF] != NULL &&
	    column->odd != NULL && column->values != NULL)
		return 0;
	column_clear(column);
	return -ENOMEM;
}

static struct column *find_column(const struct esf_compare *compare, const char *name)
{
	for (uint32_t c = 0; c < compare->columns_count; c++) {
		if (strcmp(compare->columns[c].name, name) == 0)
			return &compare->columns[c];
	}
	return NULL;
}

/* Columns for what compare has none for yet; the others stay empty, with their name. */
static int fill_missing(const struct esf_compare *compare, const struct esf_config *config,
    struct column *columns, uint32_t *count)
{
	int error = 0;

	*count = 0;
	for (uint32_t k = 0; k < config->kpis_count && error == 0; k++) {
		struct column *column = &columns[*count];
		const char *name = config->kpis[k].name;

		if (!config->kpis[k].compare)
			continue;
		if (find_column(compare, name) == NULL)
			error = column_fill(column, name, compare->sites);
		else
			snprintf(column->name, sizeof(column->name), "%s", name);
		column->kpi = k;
		*count += error == 0;
	}
	return error;
}

static void move_known(struct esf_compare *compare, struct column *columns, uint32_t count)
{
	for (uint32_t c = 0; c < count; c++) {
		struct column *former = find_column(compare, columns[c].name);
		uint32_t kpi = columns[c].kpi;

		if (former == NULL)
			continue;
		columns[c] = *former;
		columns[c].kpi = kpi;
		*former = (struct column){ 0 };
	}
}

static void free_columns(struct column *columns, uint32_t count)
{
	for (uint32_t c = 0; c < count; c++)
		column_clear(&columns[c]);
	free(columns);
}

/* Without memory a KPI has no baseline: it is compared all the same. */
static void set_baselines(struct esf_compare *compare, const struct esf_config *config)
{
	for (uint32_t c = 0; c < compare->columns_count; c++) {
		struct column *column = &compare->columns[c];

		if (column->slots == config->compare.baseline_slots)
			continue;
		esf_baseline_destroy(column->baseline);
		column->slots = config->compare.baseline_slots;
		column->baseline = column->slots == 0
		                       ? NULL
		                       : esf_baseline_create(compare->sites, column->slots,
		                             config->rollup.window_ns);
	}
}

static int adopt_columns(
    struct esf_compare *compare, const struct esf_config *config, uint64_t revision)
{
	struct column *columns;
	uint32_t count;

	if (compare->columns != NULL && compare->revision == revision)
		return 0;
	columns = calloc(config->kpis_count + (size_t)1, sizeof(*columns));
	if (columns == NULL)
		return -ENOMEM;
	if (fill_missing(compare, config, columns, &count) != 0) {
		free_columns(columns, count);
		return -ENOMEM;
	}
	move_known(compare, columns, count);
	free_columns(compare->columns, compare->columns_count);
	compare->columns = columns;
	compare->columns_count = count;
	compare->revision = revision;
	set_baselines(compare, config);
	return 0;
}

struct esf_compare *esf_compare_create(
    const struct esf_config *config, uint64_t config_revision, uint32_t sites)
{
	struct esf_compare *compare = calloc(1, sizeof(*compare));

	if (compare == NULL)
		return NULL;
	compare->sites = sites;
	compare->scratch = esf_pages_alloc((sites + (size_t)1) * sizeof(*compare->scratch));
	if (compare->scratch != NULL && esf_peer_groups_create(&compare->groups, sites) == 0 &&
	    adopt_columns(compare, config, config_revision) == 0)
		return compare;
	esf_compare_destroy(compare);
	return NULL;
}

void esf_compare_destroy(struct esf_compare *compare)
{
	if (compare == NULL)
		return;
	free_columns(compare->columns, compare->columns_count);
	esf_peer_groups_destroy(&compare->groups);
	free(compare->scratch);
	free(compare);
}

static int adopt_groups(struct esf_compare *compare, const struct esf_view *view)
{
	int error;

	if (compare->grouped_count == view->sites_count &&
	    compare->grouped_revision == view->config_revision)
		return 0;
	error = esf_peer_groups_fill(&compare->groups, view->config, view->roster);
	if (error != 0)
		return error;
	compare->grouped_count = view->sites_count;
	compare->grouped_revision = view->config_revision;
	return 0;
}

/* A site's KPIs lie together, so all columns are filled in one go. */
static void gather(struct esf_compare *compare, const struct esf_view *view)
{
	for (uint32_t p = 0; p < compare->groups.places_count; p++) {
		const struct esf_site_kpi *kpis = view->sites[compare->groups.order[p]].kpis;

		for (uint32_t c = 0; c < compare->columns_count; c++) {
			const struct esf_site_kpi *kpi = &kpis[compare->columns[c].kpi];

			compare->columns[c].values[p] = esf_view_compared(kpi);
		}
	}
}

static void measure_group(const struct esf_config *config, const double *values, uint32_t count,
    double *scratch, struct esf_peers *out)
{
	uint32_t with_data = 0;

	for (uint32_t p = 0; p < count; p++) {
		scratch[with_data] = values[p];
		with_data += isfinite(values[p]);
	}
	esf_peers_measure(scratch, with_data, out);
	if (with_data < config->compare.min_peers)
		out->threshold = INFINITY;
	else if (config->compare.fleetwise)
		out->threshold = esf_peers_fleetwise(with_data);
	else
		out->threshold = config->compare.threshold;
}

/* One more round; whether the site is odd after it. */
static bool follow(uint64_t *history, bool far, bool odd, const uint32_t rounds[2])
{
	uint64_t recent = UINT64_MAX >> (64 - rounds[1]);
	uint32_t count;

	*history = *history << 1 | far;
	count = *history == 0 ? 0 : (uint32_t)__builtin_popcountll(*history & recent);
	return count >= rounds[0] || (odd && rounds[1] - count < rounds[0]);
}

/* One column's rounds of one window. */
struct judgement {
	const struct esf_config *config;
	struct column *column;
	const struct esf_usual *usual;
	double min_effect;
};

static bool is_far_from_itself(const struct judgement *of, uint32_t site, double x)
{
	if (of->usual == NULL || isnan(x))
		return false;
	return fabs(esf_usual_score(of->usual, site, x)) > of->config->compare.threshold &&
	       fabs(x - esf_usual_level(of->usual, site)) >= of->min_effect;
}

static void judge_site(
    const struct judgement *of, const struct esf_peers *peers, uint32_t site, double x)
{
	const uint32_t *rounds = of->config->compare.rounds;
	struct column *column = of->column;
	bool far = peers != NULL && fabs(esf_peers_score(peers, x)) > peers->threshold &&
	           fabs(x - peers->median) >= of->min_effect;
	uint8_t was = column->odd[site], odd = 0;

	if (follow(&column->history[AGAINST_PEERS][site], far, was & ESF_ODD_PEERS, rounds))
		odd |= ESF_ODD_PEERS;
	far = is_far_from_itself(of, site, x);
	if (follow(&column->history[AGAINST_ITSELF][site], far, was & ESF_ODD_ITSELF, rounds))
		odd |= ESF_ODD_ITSELF;
	column->odd[site] = odd;
	if (column->baseline != NULL && !isnan(x))
		esf_baseline_learn(column->baseline, site, x);
}

static void judge_places(const struct esf_compare *compare, const struct judgement *of,
    const struct esf_peers *peers, uint32_t first, uint32_t end)
{
	for (uint32_t p = first; p < end; p++)
		judge_site(of, peers, compare->groups.order[p], of->column->values[p]);
}

static void judge_column(struct esf_compare *compare, const struct esf_view *view, uint32_t c,
    struct esf_usual *usual, struct esf_peers *peers)
{
	const struct esf_peer_groups *groups = &compare->groups;
	struct column *column = &compare->columns[c];
	struct judgement of = { view->config, column, usual,
		view->config->kpis[column->kpi].min_effect };
	uint32_t first = 0;

	for (uint32_t g = 0; g < groups->groups_count; g++) {
		measure_group(view->config, column->values + first, groups->ends[g] - first,
		    compare->scratch, &peers[g]);
		judge_places(compare, &of, &peers[g], first, groups->ends[g]);
		first = groups->ends[g];
	}
	judge_places(compare, &of, NULL, first, groups->places_count);
}

static struct esf_usual *enter_baseline(const struct column *column, int64_t start)
{
	if (column->baseline == NULL || esf_baseline_enter(column->baseline, start) != 0)
		return NULL;
	return esf_baseline_usual(column->baseline);
}

/* Where each KPI's column is, and who is odd. */
static void put_odd(
    const struct esf_compare *compare, const struct esf_view *view, struct esf_comparison *out)
{
	const struct esf_config *config = view->config;
	size_t sites = out->sites_count;

	for (uint32_t k = 0; k < config->kpis_count; k++)
		out->column[k] = compare->columns_count;
	for (uint32_t c = 0; c < compare->columns_count; c++) {
		uint8_t *odd = out->odd + c * sites;

		out->column[compare->columns[c].kpi] = c;
		memcpy(odd, compare->columns[c].odd, sites);
		for (uint32_t s = 0; s < sites; s++) {
			if (odd[s] == 0 || esf_roster_at(view->roster, s) == NULL)
				continue;
			out->counts[c][esf_view_suppression(view, s) == NULL ? odd[s] : 0]++;
		}
	}
}

int esf_compare_close(struct esf_compare *compare, struct esf_view *view)
{
	uint32_t groups;
	struct esf_comparison *out;

	if (adopt_columns(compare, view->config, view->config_revision) != 0 ||
	    adopt_groups(compare, view) != 0)
		return -ENOMEM;
	groups = compare->groups.groups_count;
	out = esf_comparison_create(
	    view->config->kpis_count, compare->columns_count, groups, view->sites_count, true);
	if (out == NULL)
		return -ENOMEM;
	memcpy(out->group, compare->groups.group, view->sites_count * sizeof(*out->group));
	gather(compare, view);
	for (uint32_t c = 0; c < compare->columns_count; c++) {
		out->usual[c] = enter_baseline(&compare->columns[c], view->start);
		judge_column(compare, view, c, out->usual[c], out->peers + (size_t)c * groups);
	}
	put_odd(compare, view, out);
	out->rounds = ++compare->rounds;
	view->comparison = out;
	return 0;
}

int esf_compare_open(struct esf_compare *compare, struct esf_view *view)
{
	struct esf_comparison *out;

	if (adopt_columns(compare, view->config, view->config_revision) != 0)
		return -ENOMEM;
	out = esf_comparison_create(
	    view->config->kpis_count, compare->columns_count, 0, view->sites_count, false);
	if (out == NULL)
		return -ENOMEM;
	put_odd(compare, view, out);
	out->rounds = compare->rounds;
	view->comparison = out;
	return 0;
}
