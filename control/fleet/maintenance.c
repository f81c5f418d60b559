/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/maintenance.h"

#include <string.h>

/* Windows of one scope don't overlap each other, so what they have of the span adds up. */
void esf_maintenance_find(
    const struct esf_config *config, int64_t start, int64_t end, struct esf_maintenance *out)
{
	int64_t covered[ESF_MAINTENANCE_MAX];

	out->config = config;
	out->active = 0;
	if (config->maintenance_count == 0)
		return;
	memset(covered, 0, config->maintenance_scopes_count * sizeof(covered[0]));
	memset(out->first, 0, config->maintenance_scopes_count * sizeof(out->first[0]));
	for (uint32_t i = 0; i < config->maintenance_count; i++) {
		const struct esf_maintenance_config *window = &config->maintenance[i];
		int64_t from = window->from_ns > start ? window->from_ns : start;
		int64_t to = window->to_ns < end ? window->to_ns : end;

		if (from >= to)
			continue;
		covered[window->place] += to - from;
		if (out->first[window->place] != 0)
			continue;
		out->first[window->place] = (uint16_t)(i + 1);
		out->active++;
	}
	for (uint32_t s = 0; s < config->maintenance_scopes_count; s++)
		out->whole[s] = covered[s] == end - start;
}

static void look(const struct esf_maintenance *of, uint16_t scope, uint32_t *window, bool *whole)
{
	if (scope == ESF_NO_SCOPE || of->first[scope] == 0)
		return;
	*whole |= of->whole[scope];
	if (*window == 0 || of->first[scope] < *window)
		*window = of->first[scope];
}

uint32_t esf_maintenance_of(
    const struct esf_maintenance *of, const struct esf_site_config *site, bool *whole)
{
	const struct esf_config *config = of->config;
	uint32_t window = 0;

	*whole = false;
	if (of->active == 0)
		return 0;
	look(of, config->maintenance_fleet, &window, whole);
	if (config->maintenance_regions != NULL)
		look(of, config->maintenance_regions[site->region], &window, whole);
	for (uint32_t i = 0; i < site->maintenance_count; i++)
		look(of, site->maintenance[i], &window, whole);
	return window;
}

static bool takes(
    const struct esf_config *config, uint16_t scope, const struct esf_site_config *site)
{
	if (scope == config->maintenance_fleet)
		return true;
	if (site == NULL)
		return false;
	if (config->maintenance_regions != NULL &&
	    config->maintenance_regions[site->region] == scope)
		return true;
	for (uint32_t i = 0; i < site->maintenance_count; i++)
		if (site->maintenance[i] == scope)
			return true;
	return false;
}

uint32_t esf_maintenance_at(
    const struct esf_config *config, const struct esf_site_config *site, int64_t time)
{
	for (uint32_t i = 0; i < config->maintenance_count; i++) {
		const struct esf_maintenance_config *window = &config->maintenance[i];

		if (window->from_ns <= time && time < window->to_ns &&
		    takes(config, window->place, site))
			return i + 1;
	}
	return 0;
}

uint16_t esf_maintenance_learned(const struct esf_config *config, const char *name)
{
	for (uint32_t i = 0; i < config->maintenance_scopes_count; i++) {
		const struct esf_maintenance_scope *scope = &config->maintenance_scopes[i];

		if (scope->unlisted && strcmp(scope->name, name) == 0)
			return (uint16_t)i;
	}
	return ESF_NO_SCOPE;
}
