/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_FRAME_SHORT_H
#define ESF_FRAME_SHORT_H

#include "checksum.h"
#include "frame.h"
#include "inet_wire.h"

/*
 * The short way of a frame: untagged Ethernet, IPv4 without options, UDP with a checksum, for the
 * first of our addresses, all as it should be. What it doesn't take is esf_frame_parse's to judge,
 * which says the same of what it does take. Little-endian machines only, as ETD's decoder is.
 */
enum {
	ESF_SHORT_L3 = ESF_ETHER_SIZE,
	ESF_SHORT_L4 = ESF_SHORT_L3 + ESF_IPV4_SIZE,
	ESF_SHORT_PAYLOAD = ESF_SHORT_L4 + ESF_UDP_SIZE,
};

/* Bytes 12 on: type 08 00, version and header size 45, service, total size. 20 on: more fragments
 * and offset, time to live, protocol. */
#define ESF_SHORT_TYPE_MASK UINT32_C(0xffffff)
#define ESF_SHORT_TYPE UINT32_C(0x450008)
#define ESF_SHORT_PROTOCOL_MASK UINT32_C(0xff00ff3f)
#define ESF_SHORT_PROTOCOL ((uint32_t)ESF_IP_UDP << 24)
#define ESF_SHORT_CHECKSUMS_GOOD (ESF_FRAME_IP_CHECKSUM_GOOD | ESF_FRAME_UDP_CHECKSUM_GOOD)

static ESF_ALWAYS_INLINE bool esf_frame_short_is_ours(
    const struct esf_frame_addresses *ours, const uint8_t *data)
{
	const uint8_t *first = ours->address[0].bytes;
	uint64_t mapped = esf_checksum_load(data + ESF_SHORT_L3 + 12) >> 32 << 32 | 0xffff0000U;

	return ours->count == 0 ||
	       (esf_checksum_load(first) == 0 && esf_checksum_load(first + 8) == mapped);
}

/* udp_size: as it stands on the wire. */
static ESF_ALWAYS_INLINE bool esf_frame_short_sums_are_good(
    const uint8_t *data, uint32_t udp_bytes, uint16_t udp_size)
{
	unsigned long long addresses = esf_checksum_load(data + ESF_SHORT_L3 + 12);
	unsigned long long ip, udp;

	ip = esf_checksum_add_word(esf_checksum_load(data + ESF_SHORT_L3),
	    esf_checksum_load(data + ESF_SHORT_L3 + 8) & UINT32_MAX);
	ip = esf_checksum_add_word(ip, addresses);
	if (esf_checksum_fold(ip) != 0xffff)
		return false;
	udp = esf_checksum_add_word(addresses, (uint64_t)(ESF_IP_UDP << 8) + udp_size);
	return esf_checksum_fold(esf_checksum_add(udp, data + ESF_SHORT_L4, udp_bytes)) == 0xffff;
}

/* True: *out is filled. */
static ESF_ALWAYS_INLINE bool esf_frame_short(const uint8_t *data, uint32_t size, unsigned flags,
    const struct esf_frame_addresses *ours, struct esf_frame *out)
{
	unsigned long long type, udp;
	uint32_t total, protocol;

	if (size < ESF_SHORT_PAYLOAD)
		return false;
	type = esf_checksum_load(data + 12);
	udp = esf_checksum_load(data + ESF_SHORT_L4);
	memcpy(&protocol, data + 20, sizeof(protocol));
	total = __builtin_bswap16((uint16_t)(type >> 32));
	if ((type & ESF_SHORT_TYPE_MASK) != ESF_SHORT_TYPE ||
	    (protocol & ESF_SHORT_PROTOCOL_MASK) != ESF_SHORT_PROTOCOL ||
	    __builtin_bswap16((uint16_t)(udp >> 32)) + (uint32_t)ESF_IPV4_SIZE != total ||
	    total > size - ESF_SHORT_L3 || total < ESF_IPV4_SIZE + ESF_UDP_SIZE || udp >> 48 == 0)
		return false;
	if (!esf_frame_short_is_ours(ours, data))
		return false;
	if ((flags & (ESF_SHORT_CHECKSUMS_GOOD | ESF_FRAME_IP_CHECKSUM_BAD |
	                 ESF_FRAME_UDP_CHECKSUM_BAD)) != ESF_SHORT_CHECKSUMS_GOOD &&
	    ((flags & (ESF_FRAME_IP_CHECKSUM_BAD | ESF_FRAME_UDP_CHECKSUM_BAD)) != 0 ||
	        !esf_frame_short_sums_are_good(data, total - ESF_IPV4_SIZE, (uint16_t)(udp >> 32))))
		return false;
	out->payload = data + ESF_SHORT_PAYLOAD;
	out->payload_size = total - ESF_IPV4_SIZE - ESF_UDP_SIZE;
	out->l3_offset = ESF_SHORT_L3;
	out->ether_type = ESF_ETHER_IPV4;
	out->destination_port = __builtin_bswap16((uint16_t)(udp >> 16));
	return true;
}

#endif
