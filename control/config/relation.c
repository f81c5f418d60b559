/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "file.h"
#include "nearest.h"
#include "value.h"

/* Bounds that one key sets for another. */

enum { HINT_SITES = 10000 }; /* whose labels a hint is sought among */

/* A section's key as the file has it. node is NULL where it is absent; sound is false where it had
 * a fault. */
struct given {
	struct esf_path section;
	struct esf_path path;
	yaml_node_t *node;
	bool sound;
};

static void find(struct esf_load *load, const char *section, const char *key, struct given *given)
{
	yaml_node_t *root = esf_document_root(load->document);
	yaml_node_t *mapping = esf_document_find(load->document, root, section);

	given->section = (struct esf_path){ NULL, section, 0 };
	given->path = (struct esf_path){ &given->section, key, 0 };
	given->node = esf_document_find(load->document, mapping, key);
	given->sound = mapping == NULL ? esf_document_is_known(load->document, root, section)
	                               : esf_document_is_known(load->document, mapping, key);
}

/* Of two keys that don't go together, the one to name: the first that the file gives. */
static struct given *culprit(struct given *a, struct given *b)
{
	if (!a->sound || !b->sound)
		return NULL;
	if (a->node != NULL)
		return a;
	return b->node != NULL ? b : NULL;
}

static void check_sequence_window(struct esf_load *load, const struct esf_config *config)
{
	struct given window;

	find(load, "dedup", "sequence_window", &window);
	if (window.node == NULL || !window.sound)
		return;
	if ((config->dedup.sequence_window & (config->dedup.sequence_window - 1)) != 0)
		esf_load_refuse(load, &window.path, window.node, "a power of two, 64..8192");
}

/* Open windows, and those ahead that a fast clock may write to, share a site's window slots. */
static void check_window_slots(struct esf_load *load, const struct esf_config *config)
{
	struct given skew, window, open, *wrong;
	int64_t ahead = ESF_WINDOW_SLOTS_MAX - config->rollup.windows_open - 1;
	char skew_text[ESF_DURATION_TEXT_SIZE], window_text[ESF_DURATION_TEXT_SIZE];
	char most_text[ESF_DURATION_TEXT_SIZE];

	find(load, "clock", "max_skew", &skew);
	find(load, "rollup", "window", &window);
	find(load, "rollup", "windows_open", &open);
	wrong = culprit(&skew, &window);
	if (wrong == NULL || !open.sound ||
	    config->clock.max_skew_ns <= ahead * config->rollup.window_ns)
		return;
	esf_load_fault(load, &wrong->path, wrong->node,
	    "max_skew %s is too far ahead for windows of %s, want max_skew at most %s",
	    esf_value_duration_text(config->clock.max_skew_ns, skew_text),
	    esf_value_duration_text(config->rollup.window_ns, window_text),
	    esf_value_duration_text(ahead * config->rollup.window_ns, most_text));
}

static void check_epoch(struct esf_load *load, const struct esf_config *config)
{
	struct given epoch, window, *wrong;
	char epoch_text[ESF_DURATION_TEXT_SIZE], window_text[ESF_DURATION_TEXT_SIZE];

	find(load, "rollup", "epoch", &epoch);
	find(load, "rollup", "window", &window);
	wrong = culprit(&epoch, &window);
	if (wrong == NULL || config->rollup.epoch_ns <= config->rollup.window_ns)
		return;
	esf_load_fault(load, &wrong->path, wrong->node,
	    "an epoch of %s is longer than the window of %s, want epoch <= window",
	    esf_value_duration_text(config->rollup.epoch_ns, epoch_text),
	    esf_value_duration_text(config->rollup.window_ns, window_text));
}

static bool check_interval(struct esf_load *load, const struct esf_config *config,
    const struct esf_path *path, yaml_node_t *node, uint32_t i)
{
	int64_t interval = config->rollup.intervals_ns[i], window = config->rollup.window_ns;
	char want[ESF_WANT_SIZE], text[ESF_DURATION_TEXT_SIZE];

	if (interval % window != 0) {
		snprintf(want, sizeof(want), "a multiple of rollup.window, %s",
		    esf_value_duration_text(window, text));
		esf_load_refuse(load, path, node, want);
		return false;
	}
	if (i > 0 && interval <= config->rollup.intervals_ns[i - 1]) {
		esf_load_refuse(load, path, node, "intervals in ascending order");
		return false;
	}
	return true;
}

static void check_intervals(struct esf_load *load, struct esf_config *config)
{
	struct given intervals, window;

	find(load, "rollup", "intervals", &intervals);
	find(load, "rollup", "window", &window);
	if (intervals.node == NULL || !intervals.sound || !window.sound)
		return;
	for (uint32_t i = 0; i < config->rollup.intervals_count; i++) {
		struct esf_path path = { &intervals.path, NULL, i };
		yaml_node_t *node = esf_document_item(load->document, intervals.node, i);

		if (!esf_document_is_sound(load->document, node) ||
		    !check_interval(load, config, &path, node, i))
			return;
	}
}

/* The usual intervals that the window divides; where the file lists none. */
static void default_intervals(struct esf_load *load, struct esf_config *config)
{
	static const int64_t usual_s[] = { 60, 900, 3600 };
	const int64_t second = 1000000000;
	struct given intervals;
	int64_t *kept;

	find(load, "rollup", "intervals", &intervals);
	if (intervals.node != NULL)
		return;
	kept = esf_arena_alloc(load->arena, sizeof(usual_s));
	for (size_t i = 0; kept != NULL && i < sizeof(usual_s) / sizeof(usual_s[0]); i++) {
		if (usual_s[i] * second % config->rollup.window_ns == 0)
			kept[config->rollup.intervals_count++] = usual_s[i] * second;
	}
	config->rollup.intervals_ns = kept;
}

static void check_order(struct esf_load *load, const char *section, const char *low_key, double low,
    const char *high_key, double high)
{
	struct given low_given, high_given, *wrong;

	find(load, section, low_key, &low_given);
	find(load, section, high_key, &high_given);
	wrong = culprit(&low_given, &high_given);
	if (wrong != NULL && low >= high)
		esf_load_fault(load, &wrong->path, wrong->node,
		    "%s is %.15g and %s is %.15g, want %s < %s", low_key, low, high_key, high,
		    low_key, high_key);
}

/* Else nothing that was degraded could be good again. */
static void check_hysteresis(struct esf_load *load, const struct esf_config *config)
{
	struct given hysteresis, good, *wrong;

	find(load, "health", "hysteresis", &hysteresis);
	find(load, "health", "good", &good);
	wrong = culprit(&hysteresis, &good);
	if (wrong != NULL && config->health.good + config->health.hysteresis > 100)
		esf_load_fault(load, &wrong->path, wrong->node,
		    "good is %.15g and hysteresis is %.15g, want at most 100 together",
		    config->health.good, config->health.hysteresis);
}

/* Whether a site has a label of the name; nearest hears of the others. */
static bool has_label(
    const struct esf_config *config, const char *name, struct esf_nearest *nearest)
{
	for (uint32_t s = 0; s < config->sites_count; s++) {
		for (uint32_t i = 0; i < config->sites[s].labels_count; i++) {
			const char *label = config->sites[s].labels[i].name;

			if (label == NULL)
				continue;
			if (strcmp(label, name) == 0)
				return true;
			if (s < HINT_SITES)
				esf_nearest_offer(nearest, label);
		}
	}
	return false;
}

static void check_peers(struct esf_load *load, const struct esf_file *file)
{
	const struct esf_config *config = &file->config;
	yaml_node_t *root = esf_document_root(load->document);
	struct esf_nearest nearest;
	struct given peers;
	const char *name;
	char hint[128];

	find(load, "compare", "peers", &peers);
	if (peers.node == NULL || !peers.sound || config->sites_count == 0 ||
	    !esf_document_is_known(load->document, root, "sites") ||
	    (config->inventory != NULL && !file->site_names_known) ||
	    strncmp(config->compare.peers, "label:", 6) != 0)
		return;
	name = config->compare.peers + 6;
	esf_nearest_start(&nearest, name);
	if (!has_label(config, name, &nearest))
		esf_load_fault(load, &peers.path, peers.node, "no site has the label \"%s\"%s",
		    name, esf_nearest_hint(&nearest, hint, sizeof(hint)));
}

/* CONTRACT 4.6's table begins at five peers; its first threshold does for four, not for three. */
static void check_min_peers(struct esf_load *load, const struct esf_config *config)
{
	struct given least;

	find(load, "compare", "min_peers", &least);
	if (least.node != NULL && least.sound && config->compare.fleetwise &&
	    config->compare.min_peers == 3)
		esf_fault_warn(load->faults, &least.path, esf_node_line(least.node),
		    "fleetwise has no threshold for 3 peers: with that of 5, normal data raise a "
		    "false flag in 6%% of their rounds; want min_peers at least 4");
}

void esf_relation_check(struct esf_load *load, struct esf_file *file)
{
	struct esf_config *config = &file->config;

	check_sequence_window(load, config);
	check_window_slots(load, config);
	check_epoch(load, config);
	check_intervals(load, config);
	default_intervals(load, config);
	check_order(
	    load, "health", "degraded", config->health.degraded, "good", config->health.good);
	check_hysteresis(load, config);
	check_peers(load, file);
	check_min_peers(load, config);
	check_order(load, "storm", "fleet_exit", config->storm.fleet_exit, "fleet_enter",
	    config->storm.fleet_enter);
}
