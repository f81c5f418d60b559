/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/derive.h"

#include <math.h>

#include "control/config/expression.h"

static double part_good(const struct esf_site_kpi *kpi)
{
	uint64_t all = (uint64_t)kpi->good + kpi->refused;

	return all == 0 ? 0 : (double)kpi->good / (double)all;
}

/* Whether a is known less well: by the part that was good, then by how much there is. */
static bool is_worse(const struct esf_site_kpi *a, const struct esf_site_kpi *b)
{
	double part = part_good(a), other = part_good(b);

	if (part != other)
		return part < other;
	if (a->good != b->good)
		return a->good < b->good;
	return a->samples != b->samples ? a->samples < b->samples : a->refused > b->refused;
}

static void derive(const struct esf_kpi *kpi, struct esf_site_kpi *kpis, struct esf_site_kpi *out)
{
	uint32_t count = esf_expression_inputs_count(kpi->expression);
	double inputs[ESF_EXPRESSION_INPUTS_MAX];
	const struct esf_site_kpi *worst = NULL;
	bool whole = true;

	for (uint32_t i = 0; i < count; i++) {
		const struct esf_site_kpi *input = &kpis[esf_expression_input(kpi->expression, i)];

		inputs[i] = input->mean;
		whole = whole && isfinite(input->mean);
		if (worst == NULL || is_worse(input, worst))
			worst = input;
	}
	out->derived = true;
	if (whole)
		out->mean = esf_expression_value(kpi->expression, inputs);
	if (worst != NULL)
		out->refused = worst->refused;
	if (!isnan(out->mean) && worst != NULL) {
		out->samples = worst->samples;
		out->good = worst->good;
	}
	out->min = out->mean;
	out->max = out->mean;
}

static void exclude(const struct esf_config *config, struct esf_site_kpi *kpis, uint32_t k)
{
	for (uint64_t left = config->kpis[k].exclude; left != 0; left &= left - 1) {
		uint32_t reason = (uint32_t)__builtin_ctzll(left);

		if (kpis[reason].mean > 0) {
			kpis[k].excluded = (uint8_t)(reason + 1);
			return;
		}
	}
}

/* Whether the site sent anything of it, or of what it is made of. */
static bool has_signal(const struct esf_config *config, const struct esf_site_kpi *kpis, uint32_t k)
{
	const struct esf_expression *expression = config->kpis[k].expression;

	if (kpis[k].good + (uint64_t)kpis[k].refused > 0)
		return true;
	for (uint32_t i = 0; expression != NULL && i < esf_expression_inputs_count(expression); i++)
		if (has_signal(config, kpis, esf_expression_input(expression, i)))
			return true;
	return false;
}

void esf_derive_heard(
    const struct esf_config *config, struct esf_site_kpi *kpis, enum esf_hearing hearing)
{
	bool silent[ESF_KPIS_MAX];

	if (!config->hears || hearing == ESF_HEARING_NOTHING)
		return;
	for (uint32_t k = 0; k < config->kpis_count; k++)
		silent[k] = config->kpis[k].heard && !has_signal(config, kpis, k);
	for (uint32_t k = 0; k < config->kpis_count; k++) {
		if (!silent[k])
			continue;
		kpis[k].heard = kpis[k].derived = true;
		kpis[k].good = kpis[k].samples = hearing == ESF_HEARD;
		kpis[k].mean = kpis[k].min = kpis[k].max = hearing == ESF_HEARD;
	}
}

/* A record of its own, good or not, is the site's word. */
void esf_derive_site(const struct esf_config *config, struct esf_site_kpi *kpis)
{
	for (uint32_t i = 0; i < config->derived_count; i++) {
		uint32_t k = config->derived[i];

		if (kpis[k].good + (uint64_t)kpis[k].refused == 0 && !kpis[k].heard)
			derive(&config->kpis[k], kpis, &kpis[k]);
	}
	for (uint32_t k = 0; config->excludes && k < config->kpis_count; k++)
		if (config->kpis[k].exclude != 0)
			exclude(config, kpis, k);
}

void esf_derive_exclude(const struct esf_config *config, struct esf_site_kpi *kpis)
{
	for (uint32_t k = 0; k < config->kpis_count; k++)
		if (config->kpis[k].exclude_maintenance && kpis[k].excluded == 0)
			kpis[k].excluded = ESF_EXCLUDED_MAINTENANCE;
}

/* What of a KPI's sites counts how. */
struct parts {
	double own_weight; /* of sites with records of their own, and of those heard */
	double own_sum;
	double derived_weight; /* of sites where it was derived by the expression */
	uint32_t left_out;     /* the other sites */
};

/* Marks in `of` the sites of `among` (NULL: all) over which the KPI is pooled. */
static struct parts split(
    const struct esf_derive_scope *scope, uint32_t kpi, const uint8_t *among, uint8_t *of)
{
	struct parts parts = { 0 };

	for (uint32_t s = 0; s < scope->count; s++) {
		const struct esf_site_kpi *value = &scope->sites[s]->kpis[kpi];
		double weight = isnan(value->mean) ? 0 : scope->weights[s];

		of[s] = false;
		if (among != NULL && !among[s])
			continue;
		of[s] = value->excluded == 0 && value->derived && !value->heard;
		if (of[s]) {
			parts.derived_weight += weight;
			continue;
		}
		parts.left_out++;
		if (value->excluded == 0 && weight > 0) {
			parts.own_weight += weight;
			parts.own_sum += weight * value->mean;
		}
	}
	return parts;
}

static double mean_among(const struct esf_derive_scope *scope, uint32_t kpi, const uint8_t *among)
{
	double weight = 0, sum = 0;

	for (uint32_t s = 0; s < scope->count; s++) {
		const struct esf_site_kpi *value = &scope->sites[s]->kpis[kpi];

		if (!among[s] || value->excluded != 0 || isnan(value->mean))
			continue;
		weight += scope->weights[s];
		sum += scope->weights[s] * value->mean;
	}
	return weight > 0 ? sum / weight : NAN;
}

/* kpis: means that may be used where no site is left out; NULL: none. Each level has its mask. */
static double pooled(const struct esf_derive_scope *scope, const struct esf_scope_kpi *kpis,
    uint32_t kpi, const uint8_t *among, uint32_t level)
{
	const struct esf_kpi *kpis_of = scope->config->kpis;
	struct esf_expression *expression = kpis_of[kpi].expression;
	uint8_t *mask = scope->masks + (size_t)level * scope->count;
	struct parts parts = split(scope, kpi, among, mask);
	double inputs[ESF_EXPRESSION_INPUTS_MAX], value = NAN;
	bool whole = true;

	for (uint32_t i = 0; i < esf_expression_inputs_count(expression); i++) {
		uint32_t input = esf_expression_input(expression, i);

		if (kpis != NULL && parts.left_out == 0)
			inputs[i] = kpis[input].mean;
		else if (kpis_of[input].expression != NULL)
			inputs[i] = pooled(scope, NULL, input, mask, level + 1);
		else
			inputs[i] = mean_among(scope, input, mask);
		whole = whole && isfinite(inputs[i]);
	}
	if (whole)
		value = esf_expression_value(expression, inputs);
	if (parts.own_weight == 0)
		return value;
	if (isnan(value) || parts.derived_weight == 0)
		return parts.own_sum / parts.own_weight;
	return (parts.own_sum + parts.derived_weight * value) /
	       (parts.own_weight + parts.derived_weight);
}

double esf_derive_mean(
    const struct esf_derive_scope *scope, const struct esf_scope_kpi *kpis, uint32_t kpi)
{
	return pooled(scope, kpis, kpi, NULL, 0);
}
