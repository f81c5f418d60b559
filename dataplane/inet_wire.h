/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_INET_WIRE_H
#define ESF_INET_WIRE_H

#include <stdint.h>

/* Sizes (bytes), types and byte order of Ethernet, ARP, IP, UDP and ICMP as they stand on the wire.
 */
enum {
	ESF_ETHER_SIZE = 14,
	ESF_VLAN_TAG_SIZE = 4,
	ESF_VLAN_TAGS_MAX = 2,
	ESF_ARP_SIZE = 28,  /* of Ethernet and IPv4 */
	ESF_IPV4_SIZE = 20, /* without options */
	ESF_IPV6_SIZE = 40,
	ESF_UDP_SIZE = 8,
	ESF_ICMP_SIZE = 8, /* an echo's header, the same in both families */

	ESF_ETHER_IPV4 = 0x0800,
	ESF_ETHER_ARP = 0x0806,
	ESF_ETHER_VLAN = 0x8100,
	ESF_ETHER_IPV6 = 0x86dd,
	ESF_ETHER_QINQ = 0x88a8,

	ESF_IP_ICMP = 1,
	ESF_IP_UDP = 17,
	ESF_IP_FRAGMENT = 44,
	ESF_IP_ICMPV6 = 58,

	ESF_ICMP_ECHO_REPLY = 0,
	ESF_ICMP_ECHO = 8,
	ESF_ICMPV6_ECHO = 128,
	ESF_ICMPV6_ECHO_REPLY = 129,
	ESF_NDP_FIRST = 133, /* router solicitation ... */
	ESF_NDP_SOLICITATION = 135,
	ESF_NDP_ADVERTISEMENT = 136,
	ESF_NDP_LAST = 137, /* ... redirect */
};

static inline uint16_t esf_inet_load16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void esf_inet_store16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

#endif
