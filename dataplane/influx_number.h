/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_INFLUX_NUMBER_H
#define ESF_INFLUX_NUMBER_H

#include <locale.h>

/*
 * Reads a number of the line protocol at `at`:
 *   [-]digits i | digits u | [-](digits[.[digits]] | .digits)[(e|E)[+|-]digits]
 * Returns where it ends and sets *value, or NULL where there is none, where an integer leaves
 * int64, an unsigned one uint64, or a float the finite doubles. What follows is the caller's to
 * judge.
 *
 * The double is the nearest to the decimal, ties to even, whatever its length. c_locale:
 * newlocale's "C".
 */
const char *esf_influx_number_parse(
    const char *at, const char *end, locale_t c_locale, double *value);

#endif
