/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_POLICY_H
#define ESF_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "admit.h"
#include "directory.h"
#include "limits.h"
#include "names.h"
#include "seal.h"
#include "signatures.h"
#include "storm.h"

/*
 * What control decided and the shards follow: immutable once set, replaced whole by RCU
 * (esf_plane_set_policy).
 */
enum esf_listener_format {
	ESF_LISTENER_ETD,
	ESF_LISTENER_INFLUX,
	ESF_LISTENER_STATSD,
	ESF_LISTENER_SYSLOG,
};

struct esf_listener {
	uint16_t udp_port;
	uint8_t format; /* enum esf_listener_format */
	char site_tag[ESF_RAW_NAME_MAX + 1];
	int64_t precision_ns;
	bool require_seal; /* of ETD */
};

struct esf_policy {
	uint64_t revision;          /* 1.., another with each policy */
	uint32_t rules_generation;  /* 1.., another with each other `rules` */
	uint8_t listener_at[65536]; /* by UDP port: index into listeners + 1; 0: no listener */
	/* Parcels under way name a listener by its index: from one policy to the next an index
	 * keeps its port and format, whether listener_at still leads to it or not. */
	uint32_t listeners_count;
	struct esf_listener listeners[ESF_LISTENERS_MAX];
	const struct esf_directory *directory;
	const struct esf_ruleset *rules;
	const struct esf_signatures *signatures; /* NULL: none */
	const struct esf_seal_keyring *keyring;  /* NULL: no site has keys */
	/* By site; NULL: only where the listener does, and unsealed datagrams go a shorter way. */
	const bool *require_seal;
	bool learn_sites; /* unknown ones become known, while there is room */
	int64_t max_skew_ns;
	int64_t line_window_ns;
	struct esf_intake intake;
	struct esf_storm_limits storm;
};

#endif
