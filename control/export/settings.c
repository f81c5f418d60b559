/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "control/export/target.h"

static bool copy(char **into, const char *from)
{
	*into = from == NULL ? NULL : strdup(from);
	return from == NULL || *into != NULL;
}

static bool copy_kpis(struct esf_target_settings *settings, const struct esf_export_config *config)
{
	settings->kpis = calloc(config->kpis_count + (size_t)1, sizeof(*settings->kpis));
	if (settings->kpis == NULL)
		return false;
	settings->kpis_count = config->kpis_count;
	for (uint32_t i = 0; i < config->kpis_count; i++) {
		if (!copy(&settings->kpis[i], config->kpis[i]))
			return false;
	}
	return true;
}

struct esf_target_settings *esf_target_settings_create(const struct esf_export_config *config)
{
	struct esf_target_settings *settings = calloc(1, sizeof(*settings));

	if (settings == NULL)
		return NULL;
	for (uint32_t level = 0; level < ESF_EXPORT_LEVELS; level++)
		settings->levels[level] = esf_export_has_level(config, level);
	settings->spool_size = config->spool_size;
	settings->batch = config->batch;
	settings->every_ns = config->every_ns;
	settings->timeout_ns = config->timeout_ns;
	settings->gzip = config->gzip;
	if (copy(&settings->name, config->name) && copy(&settings->url, config->url) &&
	    copy(&settings->spool_file, config->spool_file) &&
	    copy(&settings->token_file, config->token_file) &&
	    copy(&settings->ca_file, config->ca_file) && copy_kpis(settings, config))
		return settings;
	esf_target_settings_free(settings);
	return NULL;
}

void esf_target_settings_free(struct esf_target_settings *settings)
{
	if (settings == NULL)
		return;
	for (uint32_t i = 0; i < settings->kpis_count; i++)
		free(settings->kpis[i]);
	free(settings->kpis);
	free(settings->name);
	free(settings->url);
	free(settings->spool_file);
	free(settings->token_file);
	free(settings->ca_file);
	free(settings);
}
