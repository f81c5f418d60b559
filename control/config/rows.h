/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_ROWS_H
#define ESF_CONFIG_ROWS_H

#include <stddef.h>

#include "schema.h"

/* Shorthand for the rows of the key tables: the key's name, its struct and member, its bounds. */

#define ESF_MS 1000000ll
#define ESF_S (1000 * ESF_MS)
#define ESF_M (60 * ESF_S)
#define ESF_H (60 * ESF_M)
#define ESF_D (24 * ESF_H)

#define ESF_AT(type, member) .offset = offsetof(type, member)

#define ESF_BOOLEAN(key, type, member) .name = key, .kind = ESF_KEY_BOOLEAN, ESF_AT(type, member)
#define ESF_INTEGER(key, type, member, low_, high_)                 \
	.name = key, .kind = ESF_KEY_INTEGER, ESF_AT(type, member), \
	.size = sizeof(((type *)0)->member), .min = low_, .max = high_
#define ESF_NUMBER(key, type, member, low_, high_) \
	.name = key, .kind = ESF_KEY_NUMBER, ESF_AT(type, member), .low = low_, .high = high_
#define ESF_DURATION(key, type, member, low_, high_) \
	.name = key, .kind = ESF_KEY_DURATION, ESF_AT(type, member), .min = low_, .max = high_
#define ESF_TEXT(key, type, member, size_) \
	.name = key, .kind = ESF_KEY_TEXT, ESF_AT(type, member), .max = size_
#define ESF_CHECKED(key, type, member, check_) \
	.name = key, .kind = ESF_KEY_TEXT, ESF_AT(type, member), .check = check_
#define ESF_CHOICE(key, type, member, choices_) \
	.name = key, .kind = ESF_KEY_CHOICE, ESF_AT(type, member), .choices = choices_
#define ESF_CUSTOM(key, type, member, set_) \
	.name = key, .kind = ESF_KEY_CUSTOM, ESF_AT(type, member), .set = set_
#define ESF_LIST(key, type, member, item_, low_, high_)                   \
	.name = key, .kind = ESF_KEY_LIST, ESF_AT(type, member),          \
	.count_offset = offsetof(type, member##_count), .item = &(item_), \
	.item_size = sizeof(*((type *)0)->member), .min = low_, .max = high_
/* A mapping whose fields lie in the same struct as the mapping itself. */
#define ESF_SECTION(key, fields_) .name = key, .kind = ESF_KEY_MAPPING, .fields = fields_
/* A list whose items are read and checked, and not kept. */
#define ESF_UNKEPT(key, item_, high_) \
	.name = key, .kind = ESF_KEY_LIST, .offset = ESF_NOWHERE, .item = &(item_), .max = high_

#define ESF_END              \
	{                    \
		.name = NULL \
	}

#endif
