/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SPAN_H
#define ESF_SPAN_H

#include <stdint.h>

/* Bytes that belong to somebody else: a datagram, a parser's scratch. */
struct esf_span {
	const char *at; /* not terminated */
	uint32_t length;
};

#endif
