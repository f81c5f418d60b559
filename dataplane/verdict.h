/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_VERDICT_H
#define ESF_VERDICT_H

/*
 * What can become of a datagram and of a record: one entry here is the enum, the label in the
 * ledger, the Prometheus label, the API field and the row in the documentation. The order is the
 * order of the checks: the first that applies is the verdict. A datagram gets exactly one, a record
 * exactly one, and received = the sum of all (plus what is in flight between two lcores).
 */
#define ESF_DATAGRAM_VERDICTS(X)                                                                  \
	X(NEIGHBOUR, neighbour, "ARP, NDP or ping, answered or not")                              \
	X(NOT_IP, not_ip, "an Ethernet frame that carries neither IPv4 nor IPv6")                 \
	X(FRAGMENT, fragment, "a piece of a fragmented IP packet")                                \
	X(EXTENSION_HEADER, extension_header, "IPv6 with an extension header before UDP")         \
	X(NOT_UDP, not_udp, "IP that carries something else than UDP")                            \
	X(NOT_OURS, not_ours, "addressed to none of the port's addresses")                        \
	X(BAD_CHECKSUM, bad_checksum, "the IPv4 header's or the UDP checksum is wrong")           \
	X(NO_LISTENER, no_listener, "no listener has this UDP port")                              \
	X(MALFORMED, malformed, "cut short, or not what the listener's format allows")            \
	X(UNKNOWN_SITE, unknown_site, "from a site that is not configured")                       \
	X(UNKNOWN_KEY, unknown_key, "sealed with a key that the site does not have")              \
	X(BAD_SEAL, bad_seal, "the seal's tag does not verify")                                   \
	X(UNSEALED, unsealed, "not sealed where a seal is required")                              \
	X(STALE, stale, "of an earlier boot, below the sequence window, or a boot in the future") \
	X(DUPLICATE, duplicate, "seen before")                                                    \
	X(SHED, shed, "refused by a storm's token bucket")                                        \
	X(RING_FULL, ring_full, "a hand-over to the owning lcore found no room")                  \
	X(NO_ROOM, no_room, "the site is at its bound of streams or the shard is out of memory")  \
	X(ACCEPTED, accepted, "taken")

#define ESF_RECORD_VERDICTS(X)                                                                 \
	X(MALFORMED, malformed, "a line that does not parse")                                  \
	X(UNBORN, unborn, "an alias that no birth has named yet")                              \
	X(UNMAPPED, unmapped, "a name that no rule takes")                                     \
	X(NOT_NUMERIC, not_numeric, "a string where a number is wanted")                       \
	X(UNKNOWN_SITE, unknown_site, "a line of a site that is not configured")               \
	X(SHED, shed, "a line refused by a storm's token bucket")                              \
	X(NOT_FINITE, not_finite, "NaN or infinite, as sent or after scaling")                 \
	X(FUTURE, future, "dated beyond now + clock.max_skew")                                 \
	X(LATE, late, "of a window that is closed")                                            \
	X(DUPLICATE, duplicate, "a line seen before within dedup.line_window")                 \
	X(BAD, bad, "marked bad by its sender")                                                \
	X(UNCERTAIN, uncertain, "marked uncertain by its sender")                              \
	X(OUT_OF_RANGE, out_of_range, "outside the bounds of its rule")                        \
	X(SAMPLED_OUT, sampled_out, "left out by downsampling, carried by another's weight")   \
	X(WITHIN_BAND, within_band, "within the deviation band, counted at the band's centre") \
	X(RING_FULL, ring_full, "a line whose hand-over to the owning lcore found no room")    \
	X(NO_ROOM, no_room, "the shard is out of memory for this window")                      \
	X(ACCEPTED, accepted, "taken")

enum esf_datagram_verdict {
#define X(upper, lower, help) ESF_DATAGRAM_##upper,
	ESF_DATAGRAM_VERDICTS(X)
#undef X
	    ESF_DATAGRAM_VERDICTS_COUNT
};

enum esf_record_verdict {
#define X(upper, lower, help) ESF_RECORD_##upper,
	ESF_RECORD_VERDICTS(X)
#undef X
	    ESF_RECORD_VERDICTS_COUNT
};

static const char *const esf_datagram_verdict_names[ESF_DATAGRAM_VERDICTS_COUNT]
    __attribute__((unused)) = {
#define X(upper, lower, help) #lower,
	    ESF_DATAGRAM_VERDICTS(X)
#undef X
    };

static const char *const esf_record_verdict_names[ESF_RECORD_VERDICTS_COUNT]
    __attribute__((unused)) = {
#define X(upper, lower, help) #lower,
	    ESF_RECORD_VERDICTS(X)
#undef X
    };

#endif
