/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/interval.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "control/config/expression.h"
#include "control/fleet/health.h"

/* Behind the cells of a row, for each derived column: */
enum { SHOWN, OWN, INPUTS }; /* its mean; that of the windows that are not pooled; each input's */

static double *extras_of(
    const struct esf_interval_layout *layout, const struct esf_interval_row *row, uint32_t column)
{
	char *extras = (char *)row + sizeof(*row) + layout->columns_count * sizeof(row->cells[0]);

	return (double *)(void *)extras + layout->columns[column].extra;
}

static bool set_column(struct esf_interval_layout *layout, const struct esf_kpi *kpi)
{
	struct esf_interval_column *column = &layout->columns[layout->columns_count];

	*column =
	    (struct esf_interval_column){ .name = strdup(kpi == NULL ? "health" : kpi->name) };
	if (column->name == NULL)
		return false;
	layout->columns_count++;
	if (kpi == NULL)
		return true;
	column->weight = kpi->weight;
	column->bands = kpi->bands;
	column->expression = kpi->expression;
	if (kpi->expression == NULL)
		return true;
	column->extra = layout->extras_count;
	layout->extras_count += INPUTS + esf_expression_inputs_count(kpi->expression);
	return true;
}

int esf_interval_layout_make(const struct esf_config *config, struct esf_interval_layout *out)
{
	bool made;

	*out = (struct esf_interval_layout){ .derived_count = config->derived_count };
	out->columns = calloc(config->kpis_count + (size_t)1, sizeof(*out->columns));
	out->derived = calloc(config->derived_count + (size_t)1, sizeof(*out->derived));
	made = out->columns != NULL && out->derived != NULL;
	for (uint32_t k = 0; made && k <= config->kpis_count; k++)
		made = set_column(out, k < config->kpis_count ? &config->kpis[k] : NULL);
	for (uint32_t i = 0; made && i < config->derived_count; i++)
		out->derived[i] = config->derived[i];
	if (!made) {
		esf_interval_layout_free(out);
		return -ENOMEM;
	}
	out->row_size = (uint32_t)(sizeof(struct esf_interval_row) +
	                           out->columns_count * sizeof(struct esf_interval_cell) +
	                           out->extras_count * sizeof(double));
	return 0;
}

void esf_interval_layout_free(struct esf_interval_layout *layout)
{
	for (uint32_t c = 0; c < layout->columns_count; c++)
		free(layout->columns[c].name);
	free(layout->columns);
	free(layout->derived);
	*layout = (struct esf_interval_layout){ 0 };
}

bool esf_interval_layout_equal(
    const struct esf_interval_layout *a, const struct esf_interval_layout *b)
{
	if (a->columns_count != b->columns_count || a->row_size != b->row_size)
		return false;
	for (uint32_t c = 0; c < a->columns_count; c++)
		if (strcmp(a->columns[c].name, b->columns[c].name) != 0 ||
		    (a->columns[c].expression == NULL) != (b->columns[c].expression == NULL) ||
		    a->columns[c].extra != b->columns[c].extra)
			return false;
	return true;
}

/* Whether the window's value is what the expression gives of its inputs there. */
static bool is_pooled(struct esf_expression *expression, const struct esf_window_value *values,
    double mean, double *inputs)
{
	for (uint32_t i = 0; i < esf_expression_inputs_count(expression); i++) {
		inputs[i] = values[esf_expression_input(expression, i)].mean;
		if (!isfinite(inputs[i]))
			return false;
	}
	return esf_expression_value(expression, inputs) == mean;
}

/* The mean of n values, of which this is the last one. */
static void carry(double *mean, double value, uint32_t n)
{
	*mean += (value - *mean) / n;
}

static void add_derived(const struct esf_interval_layout *layout, struct esf_interval_row *row,
    uint32_t column, const struct esf_window_value *values)
{
	struct esf_expression *expression = layout->columns[column].expression;
	struct esf_interval_cell *cell = &row->cells[column];
	double *extras = extras_of(layout, row, column);
	double inputs[ESF_EXPRESSION_INPUTS_MAX];

	if (!is_pooled(expression, values, values[column].mean, inputs)) {
		carry(&extras[OWN], values[column].mean, cell->windows - cell->pooled);
		return;
	}
	cell->pooled++;
	for (uint32_t i = 0; i < esf_expression_inputs_count(expression); i++)
		carry(&extras[INPUTS + i], inputs[i], cell->pooled);
}

static void set_shown(
    const struct esf_interval_layout *layout, struct esf_interval_row *row, uint32_t column)
{
	struct esf_expression *expression = layout->columns[column].expression;
	struct esf_interval_cell *cell = &row->cells[column];
	double *extras = extras_of(layout, row, column), inputs[ESF_EXPRESSION_INPUTS_MAX], value;

	extras[SHOWN] = cell->mean;
	if (cell->pooled == 0)
		return;
	for (uint32_t i = 0; i < esf_expression_inputs_count(expression); i++) {
		uint32_t input = esf_expression_input(expression, i);

		inputs[i] = layout->columns[input].expression != NULL
		                ? esf_interval_mean(layout, row, input)
		                : extras[INPUTS + i];
	}
	value = esf_expression_value(expression, inputs);
	if (isfinite(value))
		extras[SHOWN] =
		    (extras[OWN] * (cell->windows - cell->pooled) + value * cell->pooled) /
		    cell->windows;
}

static void add_value(struct esf_interval_cell *cell, const struct esf_window_value *value)
{
	double distance = value->mean - cell->mean;

	if (cell->windows++ == 0) {
		cell->min = value->min;
		cell->max = value->max;
	}
	cell->mean += distance / cell->windows;
	cell->squares += distance * (value->mean - cell->mean);
	if (!isnan(value->stddev))
		cell->squares += value->stddev * value->stddev;
	cell->min = value->min < cell->min ? value->min : cell->min;
	cell->max = value->max > cell->max ? value->max : cell->max;
	cell->samples += value->samples;
}

void esf_interval_add(const struct esf_interval_layout *layout, struct esf_interval_row *row,
    const struct esf_window_value *values)
{
	for (uint32_t c = 0; c < layout->columns_count; c++)
		if (isfinite(values[c].mean))
			add_value(&row->cells[c], &values[c]);
	for (uint32_t i = 0; i < layout->derived_count; i++) {
		uint32_t c = layout->derived[i];

		if (!isfinite(values[c].mean))
			continue;
		add_derived(layout, row, c, values);
		set_shown(layout, row, c);
	}
}

double esf_interval_mean(
    const struct esf_interval_layout *layout, const struct esf_interval_row *row, uint32_t column)
{
	if (row->cells[column].windows == 0)
		return NAN;
	if (layout->columns[column].expression != NULL)
		return extras_of(layout, row, column)[SHOWN];
	return row->cells[column].mean;
}

void esf_interval_read(const struct esf_interval_layout *layout, const struct esf_interval_row *row,
    uint32_t column, struct esf_interval_value *out)
{
	const struct esf_interval_column *of = &layout->columns[column];
	const struct esf_interval_cell *cell = &row->cells[column];

	*out = (struct esf_interval_value){ NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0, 0, 0 };
	if (cell->windows == 0)
		return;
	out->mean = esf_interval_mean(layout, row, column);
	out->stddev = hypot(sqrt(cell->squares / cell->windows), cell->mean - out->mean);
	out->min = cell->min;
	out->max = cell->max;
	out->samples = cell->samples;
	out->windows = cell->windows;
	if (of->weight > 0)
		out->score = esf_health_score(&of->bands, out->mean);
}
