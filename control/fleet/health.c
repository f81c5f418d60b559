/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/health.h"

#include <math.h>

/* Scores at the edges of the bands, CONTRACT 4.5. */
static const double score_good = 100;
static const double score_warn = 70;
static const double score_crit = 40;

/*
 * One side, seen as one where higher is worse. Distances are taken from the nearer edge, so that a
 * value on an edge scores that edge's number to the bit. An open edge is infinitely far: the score
 * never leaves the one before it.
 */
static double side_score(double good, double warn, double crit, double value)
{
	double score;

	if (value <= good)
		return score_good;
	if (value < warn)
		return score_good - (score_good - score_warn) * ((value - good) / (warn - good));
	if (value == warn)
		return score_warn;
	if (crit <= warn)
		return 0;
	score = score_warn - (score_warn - score_crit) * ((value - warn) / (crit - warn));
	return score > 0 ? score : 0;
}

double esf_health_score(const struct esf_bands *bands, double value)
{
	double low, high;

	if (isnan(value))
		return NAN;
	low = side_score(-bands->good[0], -bands->warn[0], -bands->crit[0], -value);
	high = side_score(bands->good[1], bands->warn[1], bands->crit[1], value);
	return low < high ? low : high;
}

enum esf_status esf_health_status(const struct esf_config *config, double health)
{
	if (isnan(health))
		return ESF_STATUS_UNKNOWN;
	if (health >= config->health.good)
		return ESF_STATUS_GOOD;
	return health >= config->health.degraded ? ESF_STATUS_DEGRADED : ESF_STATUS_BAD;
}

enum esf_status esf_health_held(
    const struct esf_config *config, double health, enum esf_status before)
{
	double hysteresis = config->health.hysteresis;
	double good = config->health.good, degraded = config->health.degraded;

	if (isnan(health))
		return ESF_STATUS_UNKNOWN;
	if (before == ESF_STATUS_DEGRADED || before == ESF_STATUS_BAD)
		good += hysteresis;
	if (before == ESF_STATUS_BAD)
		degraded += hysteresis;
	if (health >= good)
		return ESF_STATUS_GOOD;
	return health >= degraded ? ESF_STATUS_DEGRADED : ESF_STATUS_BAD;
}

/* c: the part of a KPI's records that were good; 0 where there were none at all. */
static double confidence(const struct esf_site_kpi *kpi)
{
	uint64_t all = kpi->good + kpi->refused;

	return all == 0 ? 0 : (double)kpi->good / (double)all;
}

struct site_sums {
	double weight;      /* of the scored KPIs */
	double weight_c;    /* weight * c */
	double weight_c_s;  /* weight * c * score */
	bool vital_is_crit; /* a vital KPI with c > 0 is at or beyond its crit edge */
};

static void add_kpi(struct site_sums *sums, const struct esf_kpi *kpi, struct esf_site_kpi *value)
{
	double c = confidence(value);

	value->score = NAN;
	value->contribution = NAN;
	if (!(kpi->weight > 0) || value->excluded != 0)
		return;
	sums->weight += kpi->weight;
	if (value->heard && value->good == 0)
		return;
	value->score = esf_health_score(&kpi->bands, value->mean);
	if (!(c > 0) || isnan(value->score))
		return;
	sums->weight_c += kpi->weight * c;
	sums->weight_c_s += kpi->weight * c * value->score;
	if (kpi->vital && value->score <= score_crit)
		sums->vital_is_crit = true;
}

static void set_contributions(
    const struct esf_config *config, struct esf_site_kpi *kpis, double weight_c)
{
	for (uint32_t k = 0; k < config->kpis_count; k++) {
		double weight = config->kpis[k].weight * confidence(&kpis[k]);

		if (weight > 0 && !isnan(kpis[k].score))
			kpis[k].contribution = weight * (score_good - kpis[k].score) / weight_c;
	}
}

void esf_health_site(
    const struct esf_config *config, struct esf_site_kpi *kpis, struct esf_site_view *site)
{
	struct site_sums sums = { 0 };

	for (uint32_t k = 0; k < config->kpis_count; k++)
		add_kpi(&sums, &config->kpis[k], &kpis[k]);
	site->coverage = sums.weight > 0 ? sums.weight_c / sums.weight : 0;
	site->health = NAN;
	site->capped = NAN;
	if (sums.weight_c > 0 && site->coverage >= config->health.min_coverage) {
		site->health = sums.weight_c_s / sums.weight_c;
		site->capped = 0;
		if (sums.vital_is_crit && site->health > config->health.vital_cap) {
			site->capped = site->health - config->health.vital_cap;
			site->health = config->health.vital_cap;
		}
		set_contributions(config, kpis, sums.weight_c);
	}
	site->status = esf_health_status(config, site->health);
}

void esf_health_scope(const struct esf_config *config, const struct esf_site_view *const *sites,
    const double *weights, uint32_t count, struct esf_scope *scope)
{
	double all = 0, known = 0, sum = 0, capped = 0;

	for (uint32_t i = 0; i < count; i++) {
		all += weights[i];
		if (isnan(sites[i]->health))
			continue;
		known += weights[i];
		sum += weights[i] * sites[i]->health;
		capped += weights[i] * sites[i]->capped;
	}
	scope->known_weight = known;
	scope->coverage = all > 0 ? known / all : 0;
	scope->health = NAN;
	scope->capped = NAN;
	if (known > 0 && scope->coverage >= config->health.min_coverage) {
		scope->health = sum / known;
		scope->capped = capped / known;
	}
	scope->status = esf_health_status(config, scope->health);
}
