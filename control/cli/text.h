/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_TEXT_H
#define ESF_TEXT_H

#include <stdint.h>
#include <stdio.h>

/*
 * Text for a terminal: UTF-8 in display columns, numbers for people. Control characters are shown
 * as "?", so that a name can't command the terminal. esf_text_setup comes first, from the main
 * thread.
 */
enum { ESF_TEXT_COLUMNS = 100, ESF_TEXT_NUMBER_SIZE = 32 };

void esf_text_setup(void);

/* Columns that the text takes. */
int esf_text_width(const char *text);

/* Writes at most max columns of it, the last an ellipsis where some is cut off. Returns the columns
 * written. */
int esf_text_put(FILE *out, const char *text, int max);

/* Each returns buffer, of ESF_TEXT_NUMBER_SIZE bytes. */
const char *esf_text_count(uint64_t count, char *buffer); /* 1,234,567 */
const char *esf_text_value(double value, char *buffer);   /* 1.2346e7, 123456, 0.97213; NaN: "-" */
const char *esf_text_points(double value, char *buffer);  /* 87.3; NaN is "-" */
const char *esf_text_age(int64_t age_ns, char *buffer);   /* 12s, 3m, 5h, 2d */
const char *esf_text_time(int64_t unix_ns, char *buffer); /* 2026-11-23 20:02:10 */

#endif
