/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LIMITS_H
#define ESF_LIMITS_H

/*
 * Every bound of the dataplane. Nothing grows past one of these: what would is refused by a named
 * verdict (packets) or by a message that names the bound (configuration).
 */
enum {
	ESF_CACHE_LINE = 64,

	ESF_BURST_MAX = 64,   /* packets handled as one batch */
	ESF_PARCELS_MAX = 16, /* handed over, taken as one batch */
	ESF_SHARDS_MAX = 32,  /* lcores that own sites */
	ESF_PORTS_MAX = 16,
	ESF_PORT_ADDRESSES_MAX = 16, /* a port answers for */
	ESF_DATAGRAM_MAX = 65507,    /* bytes of UDP payload over IPv4 */

	ESF_LISTENERS_MAX = 64,
	ESF_SITES_MAX = 1000000,
	ESF_SITES_FAR = 256,    /* from so many on their state is not in the first caches */
	ESF_IDS_FAR = 65536,    /* and from so many on the table of their ids neither */
	ESF_SITE_NAME_MAX = 63, /* bytes, without the terminator */
	ESF_REGIONS_MAX = 1024,
	ESF_KPIS_MAX = 64,
	ESF_KPI_NAME_MAX = 63,
	ESF_RULES_MAX = 4096, /* name rules, the domain's included */

	ESF_ALIASES_MAX = 1024, /* per (site, stream) */
	ESF_STREAMS_PER_SITE_MAX = 64,
	ESF_SITE_KEYS_MAX = 16, /* keys that seal a site's datagrams, old and new */
	ESF_SEQUENCE_WINDOW_MAX = 8192,
	ESF_RAW_NAME_MAX = 255, /* bytes of a signal's raw name */
	ESF_INFLUX_FIELDS_MAX = 16384,
	ESF_STATSD_VALUES_MAX = 32768,  /* of a line; a datagram has no room for more */
	ESF_LINES_MAX = 16384,          /* lines in a datagram; each takes at least 6 bytes */
	ESF_INTERNED_NAMES_MAX = 65536, /* distinct raw names a shard remembers */

	ESF_UNMAPPED_NAMES_MAX = 32, /* signals without a rule that are counted by name, a site */

	ESF_EVENTS_HELD = 8192, /* events of a shard until control takes them; a power of two */
	ESF_SITE_EVENTS_HELD = 1024, /* and of them one site's, between two publications */

	ESF_WINDOWS_OPEN_MAX = 16,
	ESF_WINDOW_SLOTS_MAX = 4096, /* windows open plus windows ahead (clock.max_skew) */
	ESF_COUNTER_TAIL = 16,       /* samples of a counter that are kept in order of their time */
};

#endif
