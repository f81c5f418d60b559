/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_EXPRESSION_H
#define ESF_CONFIG_EXPRESSION_H

#include <stdint.h>

/*
 * What a derived KPI is computed by, e.g. power_kw / expected_kw: numbers, names of KPIs, + - * /
 * ^, comparisons, && ||, c ? a : b, parentheses, and the functions abs avg exp ln log10 max min
 * sign sqrt sum. muParser evaluates it; our own grammar is read first, so that it is given only
 * what it takes and each fault has its place. A sign binds weaker than ^, which binds to the right.
 *
 * An expression belongs to its configuration and is evaluated by one thread at a time: the control
 * thread, once the configuration is in force.
 */
enum {
	ESF_EXPRESSION_SIZE_MAX = 1024,
	ESF_EXPRESSION_INPUTS_MAX = 16, /* different names */
	ESF_EXPRESSION_DEPTH_MAX = 32,
	ESF_EXPRESSION_FAULT_SIZE = 256,
};

struct esf_expression;

/*
 * The number of the input called name (size bytes), or a negative one where there is none; reason
 * (ESF_EXPRESSION_FAULT_SIZE bytes) then says why.
 */
typedef int32_t esf_expression_resolve(
    void *context, const char *name, uint32_t size, char *reason);

/*
 * 0 with *out, to be freed by esf_expression_free; -EINVAL with fault (ESF_EXPRESSION_FAULT_SIZE
 * bytes) saying what stands where and what was wanted; or -ENOMEM.
 */
int esf_expression_create(const char *text, esf_expression_resolve *resolve, void *context,
    struct esf_expression **out, char *fault);
void esf_expression_free(struct esf_expression *expression);

/* The inputs, each once, in the order of the text; at most ESF_EXPRESSION_INPUTS_MAX. */
uint32_t esf_expression_inputs_count(const struct esf_expression *expression);
uint16_t esf_expression_input(const struct esf_expression *expression, uint32_t i);

/*
 * The value for finite inputs, in their order. NaN where it is not finite, or where anything on the
 * way divided by zero or had no value (ln 0, sqrt of a negative one), whatever became of it.
 */
double esf_expression_value(struct esf_expression *expression, const double *inputs);

#endif
