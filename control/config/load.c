/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "derived.h"
#include "export.h"
#include "file.h"
#include "rows.h"
#include "source.h"

enum { BASELINE_BY_PROFILE = 1 }; /* no number of slots */

static void set_defaults(struct esf_file *file, const char *path)
{
	static char region[] = "region", loopback[] = "127.0.0.1";
	struct esf_config *config = &file->config;

	config->path = esf_arena_text(&file->arena, path);
	config->lcores_auto = true;
	config->idle.max_sleep_us = 200;
	config->maintenance_fleet = ESF_NO_SCOPE;
	config->rollup.window_ns = 10 * ESF_S;
	config->rollup.windows_open = 3;
	config->rollup.epoch_ns = ESF_S;
	config->dedup.sequence_window = 1024;
	config->dedup.line_window_ns = 60 * ESF_S;
	config->clock.max_skew_ns = 5 * ESF_M;
	config->storm.site_rate = 1000;
	config->storm.site_burst = 2000;
	config->storm.fleet_enter = 2000000;
	config->storm.fleet_exit = 1000000;
	config->storm.min_hold_ns = 60 * ESF_S;
	config->downsample.healthy_above = 80;
	config->downsample.keep_one_in = 10;
	config->deviation.band = 0.01;
	config->deviation.max_silence_ns = 8 * ESF_H;
	config->health.good = 80;
	config->health.degraded = 60;
	config->health.min_coverage = 0.5;
	config->health.vital_cap = 40;
	config->compare.threshold = 3.5;
	config->compare.peers = region;
	config->compare.min_peers = 8;
	config->compare.rounds[0] = 3;
	config->compare.rounds[1] = 5;
	config->compare.baseline_slots = BASELINE_BY_PROFILE;
	config->correlate.group_ns = 30 * ESF_S;
	config->correlate.silent_after = 3;
	config->http.address = loopback;
	config->http.port = 8080;
	config->history.keep_ns = 90 * ESF_D;
	config->state.every_ns = 10 * ESF_S;
}

static void take_enums(struct esf_file *file)
{
	file->config.profile = (enum esf_profile)file->profile;
	file->config.domain = (enum esf_domain_name)file->domain;
	file->config.ingestion = (enum esf_ingestion)file->ingestion;
	file->config.idle.policy = (enum esf_idle_policy)file->idle_policy;
	file->config.learn_sites = file->unknown_sites == 1;
	file->config.compare.fleetwise = file->calibrate == 1;
	if (file->config.compare.baseline_slots == BASELINE_BY_PROFILE)
		file->config.compare.baseline_slots =
		    file->config.profile == ESF_PROFILE_XLARGE ? 24 : 168;
}

static void read_document(struct esf_load *load, struct esf_file *file)
{
	yaml_node_t *root = esf_document_root(load->document);
	static const struct esf_path whole = { .key = "file" };

	if (root->type != YAML_MAPPING_NODE) {
		esf_load_refuse(load, &whole, root, "KEY: VALUE lines");
		return;
	}
	esf_schema_read(load, NULL, root, &esf_file_key, file);
	take_enums(file);
	esf_profile_check(load, file);
	esf_network_check(load, file);
	esf_site_check(load, file);
	esf_regionmap_check(load, file);
	esf_maintenance_check(load, file);
	esf_relation_check(load, file);
	esf_kpi_check(load, file);
	esf_export_check(load, file);
}

static int finish(struct esf_file *file, int rc, struct esf_fault_list *list,
    struct esf_config **out, struct esf_faults *faults)
{
	bool refused = list->faults > 0;

	if (esf_fault_list_finish(list, faults) != 0 || file->arena.exhausted)
		rc = -ENOMEM;
	if (rc == 0 && refused)
		rc = -EINVAL;
	if (rc == 0)
		*out = &file->config;
	else
		esf_config_free(&file->config);
	return rc;
}

int esf_config_load_memory(const char *path, const char *data, size_t size, struct esf_config **out,
    struct esf_faults *faults)
{
	struct esf_fault_list list = { .file = path };
	struct esf_document document;
	struct esf_file *file = calloc(1, sizeof(*file));
	int rc;

	*out = NULL;
	memset(faults, 0, sizeof(*faults));
	if (file == NULL)
		return -ENOMEM;
	set_defaults(file, path);
	rc = esf_document_parse(&document, data, size, &list);
	if (rc == 0) {
		struct esf_load load = { &document, &file->arena, &list };

		read_document(&load, file);
		esf_document_free(&document);
	}
	return finish(file, rc, &list, out, faults);
}

void esf_config_free(struct esf_config *config)
{
	struct esf_file *file = (struct esf_file *)config; /* config is its first member */

	if (config == NULL)
		return;
	esf_derived_free(config);
	esf_arena_free(&file->arena);
	free(file);
}

int esf_config_load(const char *path, struct esf_config **out, struct esf_faults *faults)
{
	static const struct esf_path whole = { .key = "file" };
	struct esf_fault_list list = { .file = path };
	char *data = NULL;
	size_t size = 0;
	int rc;

	*out = NULL;
	rc = esf_source_read(path, false, &data, &size);
	if (rc != 0) {
		esf_fault_add(&list, &whole, 1, "cannot be read: %s", strerror(-rc));
		return esf_fault_list_finish(&list, faults) != 0 ? -ENOMEM : rc;
	}
	rc = esf_config_load_memory(path, data, size, out, faults);
	free(data);
	return rc;
}
