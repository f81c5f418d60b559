/* SPDX-License-Identifier: Apache-2.0 */
#include "change.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "print.h"
#include "value.h"

char *esf_change_printed(esf_print_fn print, const struct esf_config *config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	print(out, config);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* Out of memory, they are taken to differ. */
static bool prints_alike(
    esf_print_fn print, const struct esf_config *running, const struct esf_config *next)
{
	char *a = esf_change_printed(print, running), *b = esf_change_printed(print, next);
	bool alike = a != NULL && b != NULL && strcmp(a, b) == 0;

	free(a);
	free(b);
	return alike;
}

static bool texts_equal(char *const *a, uint32_t a_count, char *const *b, uint32_t b_count)
{
	if (a_count != b_count)
		return false;
	for (uint32_t i = 0; i < a_count; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

static bool labels_equal(const struct esf_site_config *a, const struct esf_site_config *b)
{
	if (a->labels_count != b->labels_count)
		return false;
	for (uint32_t i = 0; i < a->labels_count; i++)
		if (strcmp(a->labels[i].name, b->labels[i].name) != 0 ||
		    strcmp(a->labels[i].value, b->labels[i].value) != 0)
			return false;
	return true;
}

static bool keys_equal(const struct esf_site_config *a, const struct esf_site_config *b)
{
	if (a->keys_count != b->keys_count || a->require_seal != b->require_seal)
		return false;
	for (uint32_t i = 0; i < a->keys_count; i++)
		if (a->keys[i].id != b->keys[i].id || strcmp(a->keys[i].file, b->keys[i].file) != 0)
			return false;
	return true;
}

static bool addresses_equal(const struct esf_site_config *a, const struct esf_site_config *b)
{
	if (a->addresses_count != b->addresses_count)
		return false;
	for (uint32_t i = 0; i < a->addresses_count; i++)
		if (memcmp(&a->addresses[i], &b->addresses[i], sizeof(a->addresses[i])) != 0)
			return false;
	return true;
}

static bool is_same_site(const struct esf_site_config *a, const struct esf_site_config *b)
{
	return a->id == b->id && strcmp(a->name, b->name) == 0;
}

static bool site_equal(const struct esf_site_config *a, const struct esf_site_config *b)
{
	return is_same_site(a, b) && a->weight == b->weight && addresses_equal(a, b) &&
	       labels_equal(a, b) && keys_equal(a, b) &&
	       texts_equal(a->upstream, a->upstream_count, b->upstream, b->upstream_count);
}

static int by_id(const void *left, const void *right)
{
	const struct esf_site_config *a = *(const struct esf_site_config *const *)left,
	                             *b = *(const struct esf_site_config *const *)right;

	return a->id < b->id ? -1 : a->id > b->id;
}

const struct esf_site_config **esf_change_sites_by_id(const struct esf_config *config)
{
	const struct esf_site_config **sites =
	    calloc(config->sites_count + (size_t)1, sizeof(struct esf_site_config *));

	if (sites == NULL)
		return NULL;
	for (uint32_t i = 0; i < config->sites_count; i++)
		sites[i] = &config->sites[i];
	qsort(sites, config->sites_count, sizeof(struct esf_site_config *), by_id);
	return sites;
}

/* In whatever order they are listed. Out of memory, they are taken to differ. */
static bool sites_equal(const struct esf_config *running, const struct esf_config *next)
{
	const struct esf_site_config **a = NULL, **b = NULL;
	bool equal = running->sites_count == next->sites_count;

	if (equal) {
		a = esf_change_sites_by_id(running);
		b = esf_change_sites_by_id(next);
		equal = a != NULL && b != NULL;
	}
	for (uint32_t i = 0; equal && i < next->sites_count; i++)
		equal = site_equal(a[i], b[i]);
	free(a);
	free(b);
	return equal;
}

const struct esf_change_key esf_change_keys[] = {
	{ "profile", esf_print_profile },
	{ "domain", esf_print_domain },
	{ "ingestion", esf_print_ingestion },
	{ "eal", esf_print_eal },
	{ "lcores", esf_print_lcores },
	{ "receive_only", esf_print_receive_only },
	{ "idle", esf_print_idle },
	{ "ports", esf_print_ports },
	{ "listeners", esf_print_listeners },
	{ "regions", esf_print_regions },
	{ "sites", NULL },
	{ "unknown_sites", esf_print_unknown_sites },
	{ "normalise", esf_print_rules },
	{ "kpis", esf_print_kpis },
	{ "rollup", esf_print_rollup },
	{ "dedup", esf_print_dedup },
	{ "clock", esf_print_clock },
	{ "storm", esf_print_storm },
	{ "downsample", esf_print_downsample },
	{ "deviation", esf_print_deviation },
	{ "health", esf_print_health },
	{ "compare", esf_print_compare },
	{ "correlate", esf_print_correlate },
	{ "signatures", esf_print_signatures },
	{ "maintenance", esf_print_maintenance },
	{ "http", esf_print_listen },
	{ "export", esf_print_export },
	{ "reload", esf_print_reload },
	{ NULL, NULL },
};

uint32_t esf_config_changes(const struct esf_config *running, const struct esf_config *next,
    const char *changed[ESF_CHANGES_MAX])
{
	uint32_t count = 0;

	static_assert(sizeof(esf_change_keys) / sizeof(esf_change_keys[0]) <= ESF_CHANGES_MAX,
	    "room for all keys");
	for (const struct esf_change_key *key = esf_change_keys; key->name != NULL; key++) {
		bool alike = key->print == NULL ? sites_equal(running, next)
		                                : prints_alike(key->print, running, next);

		if (!alike)
			changed[count++] = key->name;
	}
	return count;
}

static void put_fault(
    FILE *faults, const struct esf_config *next, const char *key, const char *got, const char *is)
{
	fprintf(faults,
	    "%s: %s: got %.200s, runs with %.200s, which a reload can't change: put it back, or "
	    "restart estream-fleetd\n",
	    next->path, key, got == NULL || *got == '\0' ? "none" : got,
	    is == NULL || *is == '\0' ? "none" : is);
}

uint32_t esf_config_fixed(const struct esf_config *running, const struct esf_config *next,
    int64_t max_skew_ns, FILE *faults)
{
	static const struct {
		const char *key;
		esf_print_fn print;
	} keys[] = {
		{ "profile", esf_print_profile },
		{ "eal", esf_print_eal },
		{ "lcores", esf_print_lcores },
		{ "receive_only", esf_print_receive_only },
		{ "idle.policy", esf_print_idle_policy },
		{ "idle.max_sleep_us", esf_print_idle_sleep },
		{ "ports", esf_print_ports },
		{ "kpis (those measured)", esf_print_measures },
		{ "unknown_sites", esf_print_unknown_sites },
		{ "rollup.window", esf_print_window },
		{ "rollup.windows_open", esf_print_windows_open },
		{ "rollup.epoch", esf_print_epoch },
		{ "dedup.sequence_window", esf_print_sequence_window },
		{ "http.listen", esf_print_listen },
	};
	uint32_t count = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char *is = esf_change_printed(keys[i].print, running),
		     *got = esf_change_printed(keys[i].print, next);

		if (is == NULL || got == NULL || strcmp(is, got) != 0) {
			put_fault(faults, next, keys[i].key, got, is);
			count++;
		}
		free(is);
		free(got);
	}
	if (next->clock.max_skew_ns > max_skew_ns) {
		char got[ESF_DURATION_TEXT_SIZE], is[ESF_DURATION_TEXT_SIZE];

		put_fault(faults, next, "clock.max_skew (upwards)",
		    esf_value_duration_text(next->clock.max_skew_ns, got),
		    esf_value_duration_text(max_skew_ns, is));
		count++;
	}
	return count;
}
