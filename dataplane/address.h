/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_ADDRESS_H
#define ESF_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* An IP address, network byte order; IPv4 stands as ::ffff:a.b.c.d, so that both compare alike. */
struct esf_address {
	uint8_t bytes[16];
};

static inline bool esf_address_equal(const struct esf_address *a, const struct esf_address *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a->bytes, sizeof(x));
	memcpy(y, b->bytes, sizeof(y));
	return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

static inline struct esf_address esf_address_from_ipv4(const uint8_t ipv4[4])
{
	struct esf_address address = { { [10] = 0xff, [11] = 0xff } };

	memcpy(address.bytes + 12, ipv4, 4);
	return address;
}

static inline bool esf_address_is_ipv4(const struct esf_address *address)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address->bytes, prefix, sizeof(prefix)) == 0;
}

#endif
