/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_INTERVAL_H
#define ESF_INTERVAL_H

#include <stdint.h>

#include "control/config/config.h"

/*
 * Windows put together, CONTRACT 4.4: those of one site, region or the fleet that have data, each
 * with equal weight. Control thread; it alone evaluates expressions.
 *
 *   mean    of the windows' means
 *   stddev  of the windows taken together: sqrt(mean of (stddev^2 + (window's mean - mean)^2)), a
 *           window without a stddev having 0
 *   min, max over the windows; samples summed
 *
 * A derived KPI's mean is its expression of its inputs' means over the windows in which it was what
 * the expression gives of that level's means; its other windows (the sites' own records,
 * exclusions) count as they are, all with equal weight. An input that is derived itself enters with
 * its own mean of the interval.
 */
enum { ESF_INTERVAL_COLUMNS_MAX = ESF_KPIS_MAX + 1 }; /* the KPIs, and health behind them */

struct esf_interval_column {
	char *name;
	double weight; /* in health; 0: not scored */
	struct esf_bands bands;
	struct esf_expression *expression; /* the configuration's; NULL: none */
	uint32_t extra;                    /* of an expression: where its numbers begin in a row */
};

struct esf_interval_layout {
	uint32_t columns_count; /* of which the last is health */
	struct esf_interval_column *columns;
	uint32_t derived_count;
	uint16_t *derived; /* each after its inputs */
	uint32_t extras_count;
	uint32_t row_size; /* bytes */
};

/* What one window has of one column; mean NaN: no data. */
struct esf_window_value {
	double mean;
	double stddev;
	double min;
	double max;
	uint64_t samples;
};

struct esf_interval_cell {
	double mean;    /* of the windows' means */
	double squares; /* sum of stddev^2 + (mean - cell's mean)^2 */
	double min;
	double max;
	uint64_t samples;
	uint32_t windows; /* with data */
	uint32_t pooled;  /* of them those that the expression gives */
};

/* A row is layout->row_size bytes, aligned as a double; all zero it has no window. */
struct esf_interval_row {
	uint64_t generation; /* whose the row is; the owner's */
	uint64_t maintenance; /* windows in which the site, or one of the scope's, was in it */
	struct esf_interval_cell cells[];
};

/* What an interval says of one column. */
struct esf_interval_value {
	double mean; /* NaN: no data */
	double stddev;
	double min;
	double max;
	double score; /* of the mean; NaN: no data or not scored */
	double
	    p50; /* over the sites' means in the interval; NaN: of a site, or they are not kept */
	double p95;
	uint64_t samples;
	uint32_t windows; /* with data */
	uint32_t sites;   /* with data */
};

/* 0 or -ENOMEM. */
int esf_interval_layout_make(const struct esf_config *config, struct esf_interval_layout *out);
void esf_interval_layout_free(struct esf_interval_layout *layout);

/* Whether rows of the one are rows of the other: the same columns in the same order. */
bool esf_interval_layout_equal(
    const struct esf_interval_layout *a, const struct esf_interval_layout *b);

/* Adds one window: values by column. */
void esf_interval_add(const struct esf_interval_layout *layout, struct esf_interval_row *row,
    const struct esf_window_value *values);

/* The column's mean; NaN: no data. Any thread that may read the row, as the next one. */
double esf_interval_mean(
    const struct esf_interval_layout *layout, const struct esf_interval_row *row, uint32_t column);

/* All but p50, p95 and sites. */
void esf_interval_read(const struct esf_interval_layout *layout, const struct esf_interval_row *row,
    uint32_t column, struct esf_interval_value *out);

#endif
