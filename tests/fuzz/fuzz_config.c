/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "control/config/load.h"

/*
 * Any bytes: either a configuration whose indexes lead somewhere, or at least one fault; and each
 * message is one line that begins with the file's name.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_config(const struct esf_config *config)
{
	assert(config->kpis_count <= ESF_KPIS_MAX && config->rules.count <= ESF_RULES_MAX);
	assert(config->rollup.window_ns > 0 && config->rollup.epoch_ns <= config->rollup.window_ns);
	for (uint32_t i = 0; i < config->sites_count; i++) {
		assert(config->sites[i].name != NULL && config->sites[i].weight > 0);
		assert(config->sites[i].region <= config->regions_count);
	}
	for (uint32_t i = 0; i < config->maintenance_count; i++) {
		assert(config->maintenance[i].from_ns < config->maintenance[i].to_ns);
		assert(config->maintenance[i].place < config->maintenance_scopes_count);
		assert(config->maintenance[i].why[0] != '\0');
	}
	for (uint32_t i = 0; i < config->sites_count; i++)
		for (uint32_t j = 0; j < config->sites[i].maintenance_count; j++)
			assert(config->sites[i].maintenance[j] < config->maintenance_scopes_count);
	for (uint32_t i = 0; i < config->rules.count; i++) {
		assert(config->rules.patterns[i] != NULL);
		assert(config->rules.rules[i].kpi < config->measures_count);
		assert(config->rules.rules[i].min < config->rules.rules[i].max);
	}
}

static void check_lines(char *const *lines, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		assert(strncmp(lines[i], "f:", 2) == 0);
		assert(strchr(lines[i], '\n') == NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct esf_config *config;
	struct esf_faults faults;
	int rc = esf_config_load_memory("f", (const char *)data, size, &config, &faults);

	assert(rc == 0 || rc == -EINVAL);
	assert((rc == 0) == (config != NULL) && (rc == 0) == (faults.count == 0));
	check_lines(faults.lines, faults.count);
	check_lines(faults.warnings, faults.warnings_count);
	if (config != NULL)
		check_config(config);
	esf_config_free(config);
	esf_faults_free(&faults);
	return 0;
}
