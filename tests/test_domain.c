/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "control/config/domain_data.h"
#include "control/config/load.h"
#include "pattern_sets.h"
#include "suites.h"

struct loaded {
	struct esf_config *config;
	struct esf_faults faults;
	int rc;
};

static struct loaded load(const char *text)
{
	struct loaded loaded;

	loaded.rc = esf_config_load_memory("t", text, strlen(text), &loaded.config, &loaded.faults);
	return loaded;
}

static void unload(struct loaded *loaded)
{
	esf_config_free(loaded->config);
	esf_faults_free(&loaded->faults);
}

static const struct esf_kpi *kpi_named(const struct esf_config *config, const char *name)
{
	for (uint32_t i = 0; i < config->kpis_count; i++) {
		if (strcmp(config->kpis[i].name, name) == 0)
			return &config->kpis[i];
	}
	return NULL;
}

static void expect(const char *text, const char *fault)
{
	struct loaded loaded = load(text);

	CU_ASSERT_EQUAL(loaded.rc, fault == NULL ? 0 : -EINVAL);
	CU_ASSERT_EQUAL(loaded.faults.count, fault == NULL ? 0 : 1);
	if (fault != NULL && loaded.faults.count > 0)
		CU_ASSERT_STRING_EQUAL(loaded.faults.lines[0], fault);
	for (uint32_t i = 0; i < loaded.faults.count; i++) {
		if (fault == NULL || strcmp(loaded.faults.lines[i], fault) != 0)
			fprintf(stderr, "\n%s-> %s\n", text, loaded.faults.lines[i]);
	}
	unload(&loaded);
}

/* Weights and vitals as CONTRACT 4.7 lists them. */
static void presets_carry_the_contracts_weights(void)
{
	static const struct {
		const char *domain, *kpi;
		double weight;
		bool vital;
	} cases[] = {
		{ "energy", "availability", 0.30, true },
		{ "energy", "thermal_margin", 0.25, true },
		{ "energy", "output_ratio", 0.20, false },
		{ "energy", "efficiency", 0.10, false },
		{ "energy", "fault_rate", 0.10, false },
		{ "energy", "comms_quality", 0.05, false },
		{ "manufacturing", "throughput_ratio", 0.30, false },
		{ "manufacturing", "fault_rate", 0.25, true },
		{ "manufacturing", "availability", 0.15, false },
		{ "manufacturing", "quality_yield", 0.15, false },
		{ "manufacturing", "cycle_time_deviation", 0.10, false },
		{ "manufacturing", "comms_quality", 0.05, false },
		{ "logistics", "on_time", 0.20, false },
		{ "logistics", "availability", 0.20, false },
		{ "logistics", "utilisation", 0.20, false },
		{ "logistics", "energy_per_km", 0.20, false },
		{ "logistics", "fault_rate", 0.20, false },
	};
	char text[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct esf_kpi *kpi;
		struct loaded loaded;
		double sum = 0;

		snprintf(text, sizeof(text), "domain: %s\n", cases[i].domain);
		loaded = load(text);
		CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
		kpi = kpi_named(loaded.config, cases[i].kpi);
		CU_ASSERT_PTR_NOT_NULL_FATAL(kpi);
		CU_ASSERT_EQUAL(kpi->weight, cases[i].weight);
		CU_ASSERT_EQUAL(kpi->vital, cases[i].vital);
		CU_ASSERT_EQUAL(kpi->source,
		    strcmp(cases[i].kpi, "comms_quality") == 0 ? ESF_KPI_COMMS : ESF_KPI_MEASURED);
		for (uint32_t j = 0; j < loaded.config->kpis_count; j++)
			sum += loaded.config->kpis[j].weight;
		CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-12);
		unload(&loaded);
	}
}

/* The preset's bands pass the very checks a file's do: override each KPI with nothing. */
static void presets_bands_are_in_order(void)
{
	static const char *const domains[] = { "energy", "manufacturing", "logistics" };

	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		char text[4096];
		int used = snprintf(text, sizeof(text), "domain: %s\n", domains[i]);
		struct loaded loaded = load(text);

		CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
		used += snprintf(text + used, sizeof(text) - used, "kpis:\n");
		for (uint32_t j = 0; j < loaded.config->kpis_count; j++)
			used += snprintf(text + used, sizeof(text) - used, "  - {name: %s}\n",
			    loaded.config->kpis[j].name);
		unload(&loaded);
		expect(text, NULL);
	}
}

static void custom_has_only_the_files_kpis(void)
{
	struct loaded loaded = load("domain: custom\nkpis: [{name: x}, {name: comms_quality}]\n");

	CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
	CU_ASSERT_EQUAL_FATAL(loaded.config->kpis_count, 2);
	CU_ASSERT_EQUAL(loaded.config->measures_count, 1);
	CU_ASSERT_STRING_EQUAL(loaded.config->kpis[0].unit, "1");
	CU_ASSERT_EQUAL(loaded.config->kpis[0].weight, 0);
	CU_ASSERT_FALSE(loaded.config->kpis[0].vital);
	CU_ASSERT_EQUAL(loaded.config->kpis[0].bands.good[0], -INFINITY);
	CU_ASSERT_EQUAL(loaded.config->kpis[1].source, ESF_KPI_COMMS);
	CU_ASSERT_EQUAL_FATAL(loaded.config->rules.count, 1);
	CU_ASSERT_STRING_EQUAL(loaded.config->rules.patterns[0], "^x$");
	unload(&loaded);
}

static void an_override_replaces_only_what_it_gives(void)
{
	struct loaded loaded = load("kpis:\n"
	                            "  - {name: output_ratio, good: [0.9, null], weight: 0.5}\n"
	                            "  - {name: mine, unit: bar}\n");
	const struct esf_kpi *kpi;

	CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
	kpi = kpi_named(loaded.config, "output_ratio");
	CU_ASSERT_EQUAL(kpi->bands.good[0], 0.9);
	CU_ASSERT_EQUAL(kpi->bands.warn[0], 0.8);
	CU_ASSERT_EQUAL(kpi->bands.crit[0], 0.5);
	CU_ASSERT_EQUAL(kpi->bands.good[1], INFINITY);
	CU_ASSERT_EQUAL(kpi->weight, 0.5);
	CU_ASSERT_TRUE(kpi->compare);
	CU_ASSERT_EQUAL(kpi->min_effect, 0.05);
	kpi = &loaded.config->kpis[loaded.config->kpis_count - 1];
	CU_ASSERT_STRING_EQUAL(kpi->name, "mine");
	CU_ASSERT_STRING_EQUAL(kpi->unit, "bar");
	CU_ASSERT_EQUAL(kpi->measure, loaded.config->measures_count - 1);
	unload(&loaded);
}

static void bands_close_together_and_go_outward(void)
{
#define CUSTOM "domain: custom\nkpis:\n  - name: x\n"
	static const struct {
		const char *text, *fault;
	} cases[] = {
		{ CUSTOM "    good: [1, 2]\n    warn: [0, 3]\n    crit: [-1, 4]\n    weight: 1\n",
		    NULL },
		{ CUSTOM "    good: [1, null]\n    warn: [0, null]\n",
		    "t:3: kpis[0].crit: no low edge, want good, warn and crit to have one, or none "
		    "of "
		    "them" },
		{ CUSTOM "    good: [1, 2]\n    warn: [0, null]\n    crit: [-1, 4]\n",
		    "t:5: kpis[0].warn: no high edge, want good, warn and crit to have one, or "
		    "none of "
		    "them" },
		{ CUSTOM "    good: [1, null]\n    warn: [1, null]\n    crit: [0, null]\n",
		    "t:5: kpis[0].warn: the low edge is 1, want it below good's, which is 1" },
		{ CUSTOM "    good: [null, 1]\n    warn: [null, 2]\n    crit: [null, 1.5]\n",
		    "t:6: kpis[0].crit: the high edge is 1.5, want it above warn's, which is 2" },
		{ CUSTOM "    good: [2, 1]\n    weight: 1\n",
		    "t:4: kpis[0].good: got [2, 1], want [LOW, HIGH] with LOW <= HIGH" },
		{ CUSTOM "    good: [2]\n    weight: 1\n",
		    "t:4: kpis[0].good: got [2], want [LOW, HIGH]: numbers, null where open" },
		{ CUSTOM "    weight: 1\n", "t:4: kpis[0].weight: 1, but no bands to score it by: "
		                            "want good, warn and crit, "
		                            "or weight 0" },
		{ CUSTOM "    crit: [null, null]\n", NULL },
		{ "kpis:\n  - name: efficiency\n    good: [0.6, null]\n",
		    "t:2: kpis[0].warn: the low edge is 0.7, want it below good's, which is 0.6" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(cases[i].text, cases[i].fault);
}

static void kpis_are_counted_with_the_domains(void)
{
	struct loaded energy = load("domain: energy\n");
	uint32_t own = energy.config->kpis_count;
	char text[4096], fault[128];
	int used = snprintf(text, sizeof(text), "domain: energy\nkpis:\n");

	unload(&energy);
	for (uint32_t i = own; i < 64; i++)
		used += snprintf(text + used, sizeof(text) - used, "  - {name: k%u}\n", i);
	expect(text, NULL);
	snprintf(text + used, sizeof(text) - used, "  - {name: k64}\n");
	snprintf(
	    fault, sizeof(fault), "t:3: kpis: 65 KPIs with the domain's %u, want at most 64", own);
	expect(text, fault);
}

/* As the presets' heads say: the KPIs as they stand, the rules under normalise. */
static void a_preset_can_be_copied_into_a_file(void)
{
	static const struct {
		const char *domain, *begin, *end;
	} presets[] = {
		{ "energy", esf_energy_yaml, esf_energy_yaml_end },
		{ "manufacturing", esf_manufacturing_yaml, esf_manufacturing_yaml_end },
		{ "logistics", esf_logistics_yaml, esf_logistics_yaml_end },
	};

	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
		size_t size = (size_t)(presets[i].end - presets[i].begin);
		char *copy = calloc(1, size + 64), name[64], *at;
		struct loaded preset, copied;

		CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
		memcpy(copy, presets[i].begin, size);
		snprintf(name, sizeof(name), "domain: %s\n", presets[i].domain);
		at = strstr(copy, name);
		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
		memset(at, ' ', strlen(name) - 1);
		memcpy(at, "domain: custom", 14);
		at = strstr(copy, "    from: dataplane\n");
		if (at != NULL)
			memset(at, ' ', strlen("    from: dataplane"));
		at = strstr(copy, "\nrules:\n") + 1;
		memmove(at + strlen("normalise"), at + strlen("rules"),
		    strlen(at + strlen("rules")) + 1);
		memcpy(at, "normalise", strlen("normalise"));
		preset = load(name);
		copied = load(copy);
		CU_ASSERT_EQUAL_FATAL(copied.rc, 0);
		CU_ASSERT_EQUAL_FATAL(copied.config->kpis_count, preset.config->kpis_count);
		CU_ASSERT_EQUAL(copied.config->rules.count, preset.config->rules.count);
		for (uint32_t k = 0; k < preset.config->kpis_count; k++) {
			const struct esf_kpi *one = &preset.config->kpis[k];
			const struct esf_kpi *other = &copied.config->kpis[k];

			CU_ASSERT_STRING_EQUAL(one->name, other->name);
			CU_ASSERT_EQUAL(one->source, other->source);
			CU_ASSERT_EQUAL(one->exclude, other->exclude);
			CU_ASSERT_EQUAL(memcmp(&one->bands, &other->bands, sizeof(one->bands)), 0);
		}
		unload(&preset);
		unload(&copied);
		free(copy);
	}
}

/* Names as devices send them, the KPI that takes them and the value that arrives in its unit. */
static void presets_take_common_names(void)
{
	static const struct {
		const char *domain, *name, *kpi; /* kpi NULL: unmapped */
		double raw, value;
	} cases[] = {
		{ "energy", "availability", "availability", 0.5, 0.5 },
		{ "energy", "teg.availability", "availability", 0.5, 0.5 },
		{ "energy", "plant/Teg3/Availability_pct", "availability", 97, 0.97 },
		{ "energy", "unavailability", NULL, 0, 0 },
		{ "energy", "teg.hot_side_f", "hot_side_c", 212, 100 },
		{ "energy", "teg.cold_k", "cold_side_c", 273.15, 0 },
		{ "energy", "inverter.power_w", "power_kw", 1500, 1.5 },
		{ "energy", "meter.energy_kwh", "metered_kw", 1, 3600 },
		{ "energy", "faults_total", "fault_rate", 1, 3600 },
		{ "energy", "comms_quality", NULL, 0, 0 },
		{ "energy", "metered_kw", "metered_kw", 2, 2 },
		{ "manufacturing", "line4.scrap_rate", "quality_yield", 0.02, 0.98 },
		{ "manufacturing", "cell.cycle_time_ms", "cycle_time_s", 1500, 1.5 },
		{ "logistics", "truck.kwh_per_100km", "energy_per_km", 120, 1.2 },
		{ "logistics", "utilization", "utilisation", 0.7, 0.7 },
	};
	char text[64], message[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_ruleset *set;
		struct loaded loaded;
		uint32_t bad;
		uint16_t rule;

		snprintf(text, sizeof(text), "domain: %s\n", cases[i].domain);
		loaded = load(text);
		CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
		CU_ASSERT_EQUAL_FATAL(
		    ruleset_create((const char *const *)loaded.config->rules.patterns,
		        loaded.config->rules.rules, loaded.config->rules.count, 1, &set, &bad,
		        message, sizeof(message)),
		    0);
		rule = esf_ruleset_match(set, 0, cases[i].name, (uint32_t)strlen(cases[i].name));
		CU_ASSERT_EQUAL(rule == ESF_RULE_NONE, cases[i].kpi == NULL);
		if (rule != ESF_RULE_NONE && cases[i].kpi != NULL) {
			const struct esf_rule *found = esf_ruleset_rule(set, rule);

			CU_ASSERT_EQUAL(
			    found->kpi, kpi_named(loaded.config, cases[i].kpi)->measure);
			CU_ASSERT_DOUBLE_EQUAL(
			    cases[i].raw * found->scale + found->offset, cases[i].value, 1e-9);
		}
		esf_ruleset_destroy(set);
		unload(&loaded);
	}
}

static void the_files_rules_come_first_and_own_names_last(void)
{
	struct loaded loaded = load("normalise:\n"
	                            "  - {match: '^a$', kpi: mine, scale: 2, offset: 1, max: 9, "
	                            "type: counter}\n"
	                            "  - {match: '^b$', kpi: mine, min: null}\n"
	                            "kpis: [{name: mine}]\n");
	const struct esf_rules *rules;

	CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
	rules = &loaded.config->rules;
	CU_ASSERT_STRING_EQUAL(rules->patterns[0], "^a$");
	CU_ASSERT_EQUAL(rules->rules[0].scale, 2);
	CU_ASSERT_EQUAL(rules->rules[0].offset, 1);
	CU_ASSERT_EQUAL(rules->rules[0].min, -INFINITY);
	CU_ASSERT_EQUAL(rules->rules[0].max, 9);
	CU_ASSERT_EQUAL(rules->rules[0].type, ESF_RULE_COUNTER);
	CU_ASSERT_EQUAL(rules->rules[0].kpi, loaded.config->measures_count - 1);
	CU_ASSERT_EQUAL(rules->rules[1].scale, 1);
	CU_ASSERT_EQUAL(rules->rules[1].type, ESF_RULE_AS_BORN);
	CU_ASSERT_PTR_NOT_NULL(strstr(rules->patterns[2], "availability"));
	CU_ASSERT_STRING_EQUAL(rules->patterns[rules->count - 1], "^mine$");
	CU_ASSERT_EQUAL(rules->rules[rules->count - 1].kpi, rules->rules[0].kpi);
	unload(&loaded);
}

void esf_suite_domain(void)
{
	CU_pSuite suite = CU_add_suite("domain", NULL, NULL);

#define TEST(name) CU_add_test(suite, #name, name)
	TEST(presets_carry_the_contracts_weights);
	TEST(presets_bands_are_in_order);
	TEST(custom_has_only_the_files_kpis);
	TEST(an_override_replaces_only_what_it_gives);
	TEST(bands_close_together_and_go_outward);
	TEST(kpis_are_counted_with_the_domains);
	TEST(a_preset_can_be_copied_into_a_file);
	TEST(presets_take_common_names);
	TEST(the_files_rules_come_first_and_own_names_last);
}
