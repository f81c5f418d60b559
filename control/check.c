/* SPDX-License-Identifier: Apache-2.0 */
#include "control/commands.h"

#include <string.h>

/* check, and the loading that every command does just as it does. */

struct esf_config *esf_command_load(const char *config_path, int *exit_code)
{
	struct esf_config *config = NULL;
	struct esf_faults faults;
	int result = esf_config_load(config_path, &config, &faults);

	for (uint32_t i = 0; i < faults.warnings_count; i++)
		fprintf(stderr, "warning: %s\n", faults.warnings[i]);
	for (uint32_t i = 0; i < faults.count; i++)
		fprintf(stderr, "%s\n", faults.lines[i]);
	if (result != 0 && faults.count == 0)
		fprintf(stderr, "%s: %s\n", config_path, strerror(-result));
	esf_faults_free(&faults);
	*exit_code = ESF_EXIT_USAGE;
	return result == 0 ? config : NULL;
}

int esf_command_check(const char *config_path)
{
	int exit_code;
	struct esf_config *config = esf_command_load(config_path, &exit_code);

	if (config == NULL)
		return exit_code;
	printf("%s: ok: sites %u, regions %u, listeners %u, KPIs %u, name rules %u\n", config_path,
	    config->sites_count, config->regions_count, config->listeners_count, config->kpis_count,
	    config->rules.count);
	esf_config_free(config);
	return ESF_EXIT_OK;
}
