/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/worst.h"

#include <string.h>

#include "control/cli/field.h"

enum { PATH_SIZE = 1024 };

#define COSTS_MIN 0.05 /* points: less is shown as none */

static void make_path(
    const struct esf_call *call, char *path, const char *query, const char *region)
{
	char *escaped = region != NULL ? esf_client_name(call->client, region) : NULL;

	snprintf(path, PATH_SIZE, "/api/v1/sites?%s%s%s", query, escaped != NULL ? "&region=" : "",
	    escaped != NULL ? escaped : "");
	esf_client_free_name(escaped);
}

static int fetch_unknown(const struct esf_call *call, const char *region, int rows, json_t **out)
{
	char query[64], path[PATH_SIZE];

	snprintf(query, sizeof(query), "status=unknown&limit=%d", rows);
	make_path(call, path, query, region);
	return esf_command_fetch(call->client, path, "sites", out);
}

/* In the order of health the unknown ones come first, so that the rest begins behind them. */
static int fetch_known(
    const struct esf_call *call, const char *region, int rows, int64_t unknown, json_t **out)
{
	char query[64], path[PATH_SIZE];

	snprintf(query, sizeof(query), "sort=health&limit=%d&offset=%jd", rows, (intmax_t)unknown);
	make_path(call, path, query, region);
	return esf_command_fetch(call->client, path, "sites", out);
}

static bool needs_a_look(const json_t *site)
{
	const json_t *kpis = json_object_get(site, "kpis"), *kpi;
	const char *name;

	if (strcmp(esf_field_text(site, "status"), "good") != 0 || esf_field_bool(site, "silent") ||
	    esf_field_bool(site, "storm"))
		return true;
	json_object_foreach ((json_t *)kpis, name, kpi) {
		if (esf_field_real(kpi, "contribution") >= COSTS_MIN)
			return true;
	}
	return false;
}

/* A health that is null: between two requests a window may have closed. */
static bool is_unknown(const json_t *site)
{
	return strcmp(esf_field_text(site, "status"), "unknown") == 0;
}

/* Leaves in unknown's sites what is to be shown of them, followed by known's. */
static void merge(json_t *unknown, const json_t *known, size_t rows)
{
	json_t *sites = json_object_get(unknown, "sites");
	const json_t *others = json_object_get(known, "sites"), *site;
	size_t blind = json_array_size(sites), others_count = 0, i;

	json_array_foreach (others, i, site)
		others_count += needs_a_look(site) && !is_unknown(site);
	if (blind + others_count > rows && blind > rows / 2)
		blind = others_count > rows / 2 ? rows - rows / 2 : rows - others_count;
	while (json_array_size(sites) > blind)
		json_array_remove(sites, blind);
	json_array_foreach (others, i, site) {
		if (json_array_size(sites) < rows && needs_a_look(site) && !is_unknown(site))
			json_array_append(sites, (json_t *)site);
	}
}

int esf_worst_fetch(const struct esf_call *call, const char *region, int rows, json_t **out)
{
	json_t *unknown = NULL, *known = NULL;
	int result = fetch_unknown(call, region, rows, &unknown);

	if (result != 0)
		return result;
	result = fetch_known(call, region, rows, esf_field_count(unknown, "total"), &known);
	if (result == 0) {
		json_object_set(unknown, "unknown", json_object_get(unknown, "total"));
		merge(unknown, known, (size_t)rows);
		*out = json_incref(unknown);
	}
	json_decref(known);
	json_decref(unknown);
	return result;
}

void esf_worst_show(const struct esf_screen *screen, const json_t *document)
{
	const json_t *sites = json_object_get(document, "sites"), *site;
	int64_t hidden = esf_field_count(document, "unknown");
	size_t i;

	if (json_array_size(sites) == 0) {
		fputs("all sites good\n", screen->out);
		return;
	}
	json_array_foreach (sites, i, site)
		hidden -= is_unknown(site);
	fputs("worst sites\n", screen->out);
	esf_show_sites(screen, document);
	if (hidden > 0)
		fprintf(screen->out, "%jd more unknown: fleetctl sites --status unknown\n",
		    (intmax_t)hidden);
}
