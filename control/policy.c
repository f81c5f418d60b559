/* SPDX-License-Identifier: Apache-2.0 */
#include "control/policy.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "control/keyfile.h"
#include "control/patterns_cache.h"

enum {
	LINES_PER_SITE = 4096, /* fingerprints remembered, between the two bounds below */
	LINES_MIN = 1 << 18,
	LINES_MAX = 1 << 22,
};

static uint8_t listener_format(enum esf_format format)
{
	static const uint8_t formats[] = {
		[ESF_FORMAT_ETD] = ESF_LISTENER_ETD,
		[ESF_FORMAT_INFLUX] = ESF_LISTENER_INFLUX,
		[ESF_FORMAT_STATSD] = ESF_LISTENER_STATSD,
		[ESF_FORMAT_SYSLOG] = ESF_LISTENER_SYSLOG,
	};

	return formats[format];
}

static struct esf_listener read_listener(const struct esf_listener_config *from)
{
	struct esf_listener listener = {
		.udp_port = from->udp,
		.format = listener_format(from->format),
		.precision_ns = from->precision_ns,
		.require_seal = from->require_seal,
	};

	if (from->site_tag != NULL)
		snprintf(listener.site_tag, sizeof(listener.site_tag), "%s", from->site_tag);
	return listener;
}

/* The index that a listener of that port and format has or had, else the next one. */
static uint32_t listener_index(const struct esf_policy *policy, const struct esf_listener *listener)
{
	uint32_t i = 0;

	while (
	    i < policy->listeners_count && (policy->listeners[i].udp_port != listener->udp_port ||
	                                       policy->listeners[i].format != listener->format))
		i++;
	return i;
}

/* Behind the former policy's, whose indexes parcels under way may hold. */
static int policy_listeners(const struct esf_config *config, const struct esf_policy *former,
    struct esf_policy *policy, FILE *errors)
{
	if (former != NULL) {
		policy->listeners_count = former->listeners_count;
		memcpy(policy->listeners, former->listeners, sizeof(policy->listeners));
	}
	for (uint32_t i = 0; i < config->listeners_count; i++) {
		struct esf_listener listener = read_listener(&config->listeners[i]);
		uint32_t index = listener_index(policy, &listener);

		if (index == ESF_LISTENERS_MAX) {
			fprintf(errors,
			    "%s: listeners: got the %uth port and format since the start, want at "
			    "most %u: restart\n",
			    config->path, ESF_LISTENERS_MAX + 1, ESF_LISTENERS_MAX);
			return -EINVAL;
		}
		if (index == policy->listeners_count)
			policy->listeners_count++;
		policy->listeners[index] = listener;
		policy->listener_at[listener.udp_port] = (uint8_t)(index + 1);
	}
	return 0;
}

static struct esf_directory *policy_directory(
    const struct esf_config *config, const uint8_t hash_key[16])
{
	uint32_t count = esf_config_slots_count(config);
	struct esf_directory_site *sites = calloc(count + (size_t)1, sizeof(*sites));
	struct esf_directory *directory;

	if (sites == NULL)
		return NULL;
	for (uint32_t i = 0; i < config->sites_count; i++)
		sites[esf_config_slot(config, i)] = (struct esf_directory_site){
			.id = config->sites[i].id,
			.name = config->sites[i].name,
			.addresses_count = config->sites[i].addresses_count,
			.addresses = config->sites[i].addresses,
		};
	directory = esf_directory_create(sites, count, hash_key);
	free(sites);
	return directory;
}

/* Compiles a list of patterns, or takes it from $CACHE_DIRECTORY/file as an earlier start left it.
 */
static int compile(const struct esf_config *config, const char *what, const char *file,
    const char *const *patterns, uint32_t count, uint32_t shards_count, struct esf_patterns **out,
    FILE *errors)
{
	const char *folder = getenv("CACHE_DIRECTORY");
	enum esf_patterns_cache_use use = ESF_PATTERNS_CACHE_UNUSED;
	char path[PATH_MAX], message[256];
	uint32_t bad = 0;
	int size = snprintf(path, sizeof(path), "%s/%s", folder == NULL ? "" : folder, file);
	bool cached = folder != NULL && folder[0] != '\0' && (size_t)size < sizeof(path);
	int result = esf_patterns_cache_create(cached ? path : NULL, patterns, count, shards_count,
	    out, &use, &bad, message, sizeof(message));

	if (result == -EINVAL)
		fprintf(errors, "%s: %s \"%s\": got what Hyperscan refuses: %s\n", config->path,
		    what, patterns[bad], message);
	if (use == ESF_PATTERNS_CACHE_FAILED)
		fprintf(errors,
		    "estream-fleetd: %s: compiled patterns can't be kept there, so that each start "
		    "compiles them: is $CACHE_DIRECTORY a folder that this user may write to?\n",
		    path);
	return result;
}

static bool rules_equal(const struct esf_rules *a, const struct esf_rules *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct esf_rule *x = &a->rules[i], *y = &b->rules[i];

		if (strcmp(a->patterns[i], b->patterns[i]) != 0 || x->kpi != y->kpi ||
		    x->type != y->type || x->scale != y->scale || x->offset != y->offset ||
		    x->min != y->min || x->max != y->max)
			return false;
	}
	return true;
}

static int policy_rules(const struct esf_config *config, const struct esf_policy_former *former,
    uint32_t shards_count, struct esf_policy *policy, FILE *errors)
{
	const struct esf_rules *rules = &config->rules;
	struct esf_patterns *patterns = NULL;
	struct esf_ruleset *set = NULL;
	int result;

	policy->rules_generation = former == NULL ? 1 : former->policy->rules_generation;
	if (former != NULL && rules_equal(rules, &former->config->rules)) {
		policy->rules = former->policy->rules;
		return 0;
	}
	policy->rules_generation += former != NULL;
	result = compile(config, "name rule", "rules.patterns",
	    (const char *const *)rules->patterns, rules->count, shards_count + 1, &patterns,
	    errors); /* one for the API's thread, behind the shards' */
	if (result == 0 && esf_ruleset_adopt(patterns, rules->rules, &set) != 0) {
		esf_patterns_destroy(patterns);
		result = -ENOMEM;
	}
	policy->rules = set;
	return result;
}

static bool signatures_equal(const struct esf_config *a, const struct esf_config *b)
{
	if (a->signatures_count != b->signatures_count)
		return false;
	for (uint32_t i = 0; i < a->signatures_count; i++) {
		const struct esf_signature_config *x = &a->signatures[i], *y = &b->signatures[i];

		if (strcmp(x->match, y->match) != 0 || strcmp(x->code, y->code) != 0 ||
		    x->severity != y->severity || x->state != y->state)
			return false;
	}
	return true;
}

static void fill_signatures(
    const struct esf_config *config, const char **patterns, struct esf_signature *signatures)
{
	for (uint32_t i = 0; i < config->signatures_count; i++) {
		const struct esf_signature_config *from = &config->signatures[i];

		patterns[i] = from->match;
		signatures[i].severity = from->severity;
		signatures[i].state = (uint8_t)from->state;
		snprintf(signatures[i].code, sizeof(signatures[i].code), "%s", from->code);
	}
}

static int compile_signatures(
    const struct esf_config *config, uint32_t shards_count, struct esf_policy *policy, FILE *errors)
{
	uint32_t count = config->signatures_count;
	const char **texts = calloc(count + 1, sizeof(*texts));
	struct esf_signature *signatures = calloc(count + 1, sizeof(*signatures));
	struct esf_patterns *patterns = NULL;
	struct esf_signatures *set = NULL;
	int result = -ENOMEM;

	if (texts != NULL && signatures != NULL) {
		fill_signatures(config, texts, signatures);
		result = compile(config, "signature", "signatures.patterns", texts, count,
		    shards_count, &patterns, errors);
	}
	if (result == 0) {
		result = esf_signatures_adopt(patterns, signatures, &set);
		if (result != 0)
			esf_patterns_destroy(patterns);
	}
	policy->signatures = set;
	free(signatures);
	free(texts);
	return result;
}

static int policy_signatures(const struct esf_config *config,
    const struct esf_policy_former *former, uint32_t shards_count, struct esf_policy *policy,
    FILE *errors)
{
	if (former == NULL || !signatures_equal(config, former->config))
		return compile_signatures(config, shards_count, policy, errors);
	policy->signatures = former->policy->signatures;
	return 0;
}

static uint32_t count_keys(const struct esf_config *config)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < config->sites_count; i++)
		count += config->sites[i].keys_count;
	return count;
}

static int read_site_keys(const struct esf_site_config *site, uint32_t site_index,
    struct esf_seal_key *keys, uint32_t *filled, FILE *errors)
{
	char message[512];

	for (uint32_t i = 0; i < site->keys_count; i++) {
		struct esf_seal_key *key = &keys[(*filled)++];

		key->site = site_index;
		key->id = site->keys[i].id;
		if (esf_keyfile_read(site->keys[i].file, key->bytes, message, sizeof(message)) == 0)
			continue;
		fprintf(errors, "%s: key %u: %s\n", site->name, key->id, message);
		return -EINVAL;
	}
	return 0;
}

static int read_keys(
    const struct esf_config *config, struct esf_seal_key *keys, uint32_t count, FILE *errors)
{
	uint32_t filled = 0;
	int result = 0;

	for (uint32_t i = 0; i < config->sites_count && filled < count && result == 0; i++)
		result = read_site_keys(
		    &config->sites[i], esf_config_slot(config, i), keys, &filled, errors);
	return result;
}

/* None where no site asks for it: then the usual datagram goes a shorter way (policy.h). */
static int policy_require_seal(const struct esf_config *config, struct esf_policy *policy)
{
	size_t places = esf_profile_limits(config->profile)->sites + (size_t)1;
	bool *required = NULL;

	for (uint32_t i = 0; i < config->sites_count; i++) {
		if (!config->sites[i].require_seal)
			continue;
		if (required == NULL)
			required = calloc(places, sizeof(*required));
		if (required == NULL)
			return -ENOMEM;
		policy->require_seal = required;
		required[esf_config_slot(config, i)] = true;
	}
	return 0;
}

static int policy_keys(const struct esf_config *config, struct esf_policy *policy, FILE *errors)
{
	uint32_t count = count_keys(config);
	struct esf_seal_key *keys = calloc(count + 1, sizeof(*keys));
	struct esf_seal_keyring *keyring = NULL;
	int result = keys == NULL ? -ENOMEM : policy_require_seal(config, policy);

	if (result == 0)
		result = read_keys(config, keys, count, errors);
	if (result == 0 && count > 0)
		result =
		    esf_seal_keyring_create(keys, count, esf_config_slots_count(config), &keyring);
	if (result == -ENOTSUP)
		fputs("estream-fleetd: sites have keys, but this processor has no AES "
		      "instructions\n",
		    errors);
	policy->keyring = keyring;
	if (keys != NULL)
		sodium_memzero(keys, count * sizeof(*keys));
	free(keys);
	return result;
}

static void policy_intake(const struct esf_config *config, struct esf_intake *intake)
{
	static const enum esf_mode modes[] = {
		[ESF_FULL] = ESF_MODE_FULL,
		[ESF_DOWNSAMPLE] = ESF_MODE_DOWNSAMPLE,
		[ESF_DEVIATION] = ESF_MODE_DEVIATION,
	};

	intake->mode = modes[config->ingestion];
	intake->keep_one_in = config->downsample.keep_one_in;
	intake->band = config->deviation.band;
	intake->max_silence_ns = config->deviation.max_silence_ns;
	for (uint32_t k = 0; k < config->kpis_count; k++) {
		const struct esf_kpi *kpi = &config->kpis[k];
		struct esf_edges *edges = &intake->edges[kpi->measure];

		if (kpi->source != ESF_KPI_MEASURED)
			continue;
		memcpy(edges->good, kpi->bands.good, sizeof(edges->good));
		memcpy(edges->warn, kpi->bands.warn, sizeof(edges->warn));
		memcpy(edges->crit, kpi->bands.crit, sizeof(edges->crit));
	}
}

int esf_policy_create(const struct esf_config *config, const struct esf_policy_former *former,
    uint32_t shards_count, const uint8_t hash_key[16], struct esf_policy **out, FILE *errors)
{
	const struct esf_policy *predecessor = former == NULL ? NULL : former->policy;
	struct esf_policy *policy = calloc(1, sizeof(*policy));
	int result;

	if (policy == NULL)
		return -ENOMEM;
	policy->revision = predecessor == NULL ? 1 : predecessor->revision + 1;
	policy->learn_sites = config->learn_sites;
	policy->max_skew_ns = config->clock.max_skew_ns;
	policy->line_window_ns = config->dedup.line_window_ns;
	policy_intake(config, &policy->intake);
	policy->storm = esf_storm_limits(config->storm.site_rate, config->storm.site_burst,
	    config->storm.fleet_enter, config->storm.fleet_exit, config->storm.min_hold_ns);
	result = policy_listeners(config, predecessor, policy, errors);
	policy->directory = policy_directory(config, hash_key);
	if (result == 0 && policy->directory == NULL)
		result = -ENOMEM;
	if (result == 0)
		result = policy_rules(config, former, shards_count, policy, errors);
	if (result == 0)
		result = policy_signatures(config, former, shards_count, policy, errors);
	if (result == 0)
		result = policy_keys(config, policy, errors);
	if (result != 0) {
		esf_policy_destroy(policy, predecessor);
		return result;
	}
	*out = policy;
	return 0;
}

void esf_policy_destroy(struct esf_policy *policy, const struct esf_policy *sharer)
{
	if (policy == NULL)
		return;
	esf_directory_destroy((struct esf_directory *)policy->directory);
	if (sharer == NULL || policy->rules != sharer->rules)
		esf_ruleset_destroy((struct esf_ruleset *)policy->rules);
	if (sharer == NULL || policy->signatures != sharer->signatures)
		esf_signatures_destroy((struct esf_signatures *)policy->signatures);
	esf_seal_keyring_destroy((struct esf_seal_keyring *)policy->keyring);
	free((bool *)policy->require_seal);
	free(policy);
}

struct esf_plane_options esf_policy_plane_options(
    const struct esf_config *config, const uint8_t hash_key[16])
{
	uint32_t sites = esf_profile_limits(config->profile)->sites;
	uint64_t lines = (uint64_t)sites * LINES_PER_SITE;
	struct esf_plane_options options = {
		.sites_count = sites,
		.listed_count = config->sites_count,
		.measures_count = config->measures_count,
		.window_ns = config->rollup.window_ns,
		.windows_open = config->rollup.windows_open,
		.max_skew_ns = config->clock.max_skew_ns,
		.epoch_ns = config->rollup.epoch_ns,
		.sequence_window = config->dedup.sequence_window,
		.lines_remembered = lines < LINES_MIN   ? LINES_MIN
		                    : lines > LINES_MAX ? LINES_MAX
		                                        : (uint32_t)lines,
	};

	memcpy(options.hash_key, hash_key, sizeof(options.hash_key));
	return options;
}
