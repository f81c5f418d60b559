/* SPDX-License-Identifier: Apache-2.0 */
#include "control/sight/prometheus_comparison.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "control/fleet/comparison.h"

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* What names and label values may hold: no line end, but quotes and backslashes. */
static void put_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (; *value != '\0'; value++)
		fprintf(out, "%s%c", *value == '\\' || *value == '"' ? "\\" : "", *value);
	fputc('"', out);
}

static const char *kpi_of(const struct esf_view *view, uint32_t column)
{
	for (uint32_t k = 0; k < view->config->kpis_count; k++) {
		if (view->comparison->column[k] == column)
			return view->config->kpis[k].name;
	}
	return "";
}

static void put_odd(FILE *out, const struct esf_view *view)
{
	static const char *const against[] = { NULL, "peers", "itself", "both" };
	const struct esf_comparison *of = view->comparison;

	head(out, "estream_sites_odd", "gauge",
	    "Sites that are odd on a KPI: against their peers, against themselves, or both; not those in "
	    "maintenance.");
	for (uint32_t c = 0; c < of->columns_count; c++) {
		for (uint32_t odd = ESF_ODD_PEERS; odd <= (ESF_ODD_PEERS | ESF_ODD_ITSELF); odd++) {
			fputs("estream_sites_odd{", out);
			put_label(out, "kpi", kpi_of(view, c));
			fprintf(out, ",against=\"%s\"} %u\n", against[odd], of->counts[c][odd]);
		}
	}
}

/* Odd sites in maintenance, about which nobody is to be alerted. */
static void put_suppressed(FILE *out, const struct esf_view *view)
{
	const struct esf_comparison *of = view->comparison;

	head(out, "estream_sites_odd_suppressed", "gauge",
	    "Sites that are odd on a KPI in any way, and in maintenance or just behind it.");
	for (uint32_t c = 0; c < of->columns_count; c++) {
		fputs("estream_sites_odd_suppressed{", out);
		put_label(out, "kpi", kpi_of(view, c));
		fprintf(out, "} %u\n", of->counts[c][0]);
	}
}

static void put_outliers_of(FILE *out, const struct esf_view *view, uint32_t column,
    const char *scope, const char *name, uint32_t count)
{
	fprintf(out, "estream_outliers{scope=\"%s\",", scope);
	put_label(out, "name", name);
	fputc(',', out);
	put_label(out, "kpi", kpi_of(view, column));
	fprintf(out, "} %u\n", count);
}

/* counts: by the configuration's regions, and "unassigned" behind them. */
static void count_outliers(const struct esf_view *view, uint32_t column, uint32_t *counts)
{
	const struct esf_comparison *of = view->comparison;
	const uint8_t *odd = of->odd + (size_t)column * of->sites_count;

	memset(counts, 0, (view->config->regions_count + (size_t)1) * sizeof(*counts));
	for (uint32_t s = 0; s < of->sites_count; s++) {
		const struct esf_site_config *site =
		    (odd[s] & ESF_ODD_PEERS) != 0 ? esf_roster_at(view->roster, s) : NULL;

		if (site != NULL && esf_view_suppression(view, s) == NULL)
			counts[site->region]++;
	}
}

static void put_outliers(FILE *out, const struct esf_view *view)
{
	const struct esf_comparison *of = view->comparison;
	uint32_t counts[ESF_REGIONS_MAX + 1];
	bool by_region =
	    (uint64_t)view->regions_count * of->columns_count <= ESF_PROMETHEUS_GROUPS_MAX;

	head(out, "estream_outliers", "gauge",
	    "Sites of the fleet or a region that are outliers on a KPI among their peers.");
	for (uint32_t c = 0; c < of->columns_count; c++) {
		put_outliers_of(out, view, c, "fleet", view->fleet.name,
		    of->counts[c][ESF_ODD_PEERS] + of->counts[c][ESF_ODD_PEERS | ESF_ODD_ITSELF]);
		if (!by_region)
			continue;
		count_outliers(view, c, counts);
		for (uint32_t r = 0; r < view->regions_count; r++)
			put_outliers_of(out, view, c, "region", view->regions[r].name, counts[r]);
	}
}

static uint32_t count_judged(const struct esf_comparison *of, uint32_t column)
{
	uint32_t judged = 0;

	for (uint32_t g = 0; g < of->groups_count; g++) {
		const struct esf_peers *peers = &of->peers[(size_t)column * of->groups_count + g];

		judged += isinf(peers->threshold) ? 0 : peers->count;
	}
	return judged;
}

static void put_unjudged(FILE *out, const struct esf_view *view)
{
	static const char name[] = "estream_sites_unjudged";
	const struct esf_comparison *of = view->comparison;

	head(out, name, "gauge",
	    "Sites without a verdict on a KPI: no data, no peers, or too few of them with data.");
	for (uint32_t c = 0; c < of->columns_count; c++) {
		fprintf(out, "%s{", name);
		put_label(out, "kpi", kpi_of(view, c));
		fprintf(out, "} %u\n", view->fleet.total - count_judged(of, c));
	}
}

static const char *label_of(const struct esf_site_config *site, const char *name)
{
	for (uint32_t i = 0; i < site->labels_count; i++) {
		if (strcmp(site->labels[i].name, name) == 0)
			return site->labels[i].value;
	}
	return "";
}

/* What a group's sites have in common. */
static const char *group_name(const struct esf_view *view, const struct esf_site_config *site)
{
	const struct esf_config *config = view->config;
	const char *peers = config->compare.peers;

	if (strncmp(peers, "label:", 6) == 0)
		return label_of(site, peers + 6);
	if (strcmp(peers, "fleet") == 0)
		return "fleet";
	return site->region < config->regions_count ? config->regions[site->region].name
	                                            : "unassigned";
}

/* By group; NULL: it has no site. To be freed; NULL when out of memory. */
static const char **name_groups(const struct esf_view *view)
{
	const struct esf_comparison *of = view->comparison;
	const char **names = calloc(of->groups_count + (size_t)1, sizeof(*names));
	uint32_t left = of->groups_count;

	for (uint32_t s = 0; names != NULL && s < of->sites_count && left > 0; s++) {
		const struct esf_site_config *site = esf_roster_at(view->roster, s);

		if (site == NULL || of->group[s] == ESF_NO_PEERS || names[of->group[s]] != NULL)
			continue;
		names[of->group[s]] = group_name(view, site);
		left--;
	}
	return names;
}

enum of_peers { MEDIAN, MAD, WITH_DATA };

static void put_peers_value(
    FILE *out, enum of_peers what, const char *series, const struct esf_peers *peers)
{
	if (what == WITH_DATA)
		fprintf(out, "%s %u\n", series, peers->count);
	else if (what == MEDIAN)
		fprintf(out, "%s %.17g\n", series, peers->median);
	else
		fprintf(out, "%s %.17g\n", series, peers->mad);
}

/* One metric of each group and KPI; those of a group without data only where it is their number. */
static void put_peers_metric(FILE *out, const struct esf_view *view, const char *const *names,
    const char *metric, const char *help, enum of_peers what)
{
	const struct esf_comparison *of = view->comparison;

	head(out, metric, "gauge", help);
	for (uint32_t c = 0; c < of->columns_count; c++) {
		for (uint32_t g = 0; g < of->groups_count; g++) {
			const struct esf_peers *peers =
			    &of->peers[(size_t)c * of->groups_count + g];

			if (names[g] == NULL || (what != WITH_DATA && isnan(peers->median)))
				continue;
			fprintf(out, "%s{", metric);
			put_label(out, "peers", names[g]);
			fputc(',', out);
			put_label(out, "kpi", kpi_of(view, c));
			put_peers_value(out, what, "}", peers);
		}
	}
}

static void put_peers(FILE *out, const struct esf_view *view)
{
	const struct esf_comparison *of = view->comparison;
	const char **names;

	if ((uint64_t)of->groups_count * of->columns_count > ESF_PROMETHEUS_GROUPS_MAX)
		return;
	names = name_groups(view);
	if (names == NULL)
		return;
	put_peers_metric(out, view, names, "estream_peers_median",
	    "Median of a KPI over the sites that are compared with each other, in its unit.",
	    MEDIAN);
	put_peers_metric(out, view, names, "estream_peers_mad",
	    "Median of the absolute deviations from that median, in the KPI's unit.", MAD);
	put_peers_metric(out, view, names, "estream_peers_with_data",
	    "Sites with data among those that are compared with each other.", WITH_DATA);
	free(names);
}

void esf_prometheus_put_comparison(FILE *out, const struct esf_view *view)
{
	const struct esf_comparison *of = view->comparison;

	if (of == NULL)
		return;
	head(out, "estream_comparison_rounds_total", "counter",
	    "Closed windows whose sites were compared, since the start.");
	fprintf(out, "estream_comparison_rounds_total %" PRIu64 "\n", of->rounds);
	put_odd(out, view);
	put_suppressed(out, view);
	put_outliers(out, view);
	if (of->group == NULL) /* provisional */
		return;
	put_unjudged(out, view);
	put_peers(out, view);
}
