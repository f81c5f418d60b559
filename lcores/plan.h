/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_PLAN_H
#define ESF_LCORES_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dataplane/limits.h"
#include "options.h"

/*
 * Who polls what, who owns sites and how much memory that takes: decided once, after the EAL
 * started and before any port does, and printed. Shard i is the i-th data lcore.
 *
 * Queues. A port has min(its queues, receiving lcores) RX queues; a port whose arguments fix the
 * number (af_packet's qpairs, pcap's captures) has exactly those, as what arrives on one that
 * nobody polls would be lost. Queues are dealt to the receiving lcores in turn: to the receive-only
 * ones where there are any, else to all.
 *
 * Owners. All but the receive-only. Where every owner polls a queue of every port, RSS brings a
 * site to one lcore, which becomes its owner at first sight; otherwise sites are spread evenly and
 * handed over.
 */
enum {
	ESF_PLAN_QUEUES_MAX = 128,     /* that one lcore polls */
	ESF_PLAN_PORT_QUEUES_MAX = 64, /* of one port, to receive */
	ESF_PLAN_POOLS_MAX = 8,        /* NUMA nodes */
	ESF_PLAN_NO_QUEUE = UINT16_MAX,
	ESF_PLAN_MBUF_CACHE = 256, /* mbufs an lcore keeps aside */
};

struct esf_plan_queue {
	uint8_t port; /* index into the plan's ports */
	uint16_t rx;
	uint16_t
	    tx; /* ESF_PLAN_NO_QUEUE: the port has too few, so this lcore cannot answer there */
};

struct esf_plan_shard {
	uint32_t lcore;
	int socket;
	bool receive_only;
	bool shares_cpu; /* with another lcore: it has to give way when idle */
	uint32_t queues_count;
	struct esf_plan_queue queues[ESF_PLAN_QUEUES_MAX];
};

struct esf_plan_port {
	uint16_t id;
	char name[64];
	const char *driver;
	int socket;
	uint8_t pool; /* index into the plan's pools */
	uint16_t rx_queues, tx_queues;
	uint16_t rx_descriptors, tx_descriptors; /* of each queue */
	uint32_t rx_room;                        /* packets that an RX queue holds */
	uint16_t mtu;                            /* bytes */
	uint32_t frame_size;                     /* bytes of the largest frame */
	uint64_t rx_offloads;                    /* RTE_ETH_RX_OFFLOAD_* */
	uint64_t rss;                            /* RTE_ETH_RSS_*, 0: none */
	uint32_t frame_flags;                    /* enum esf_frame_flags, for each of its frames */
	const struct esf_frame_addresses *addresses;
};

struct esf_plan_pool {
	int socket;
	uint32_t mbufs_count;
	uint16_t room_size;   /* bytes of each mbuf, headroom included */
	uint64_t size;        /* bytes in all */
	uint64_t inbox_size;  /* bytes of the inboxes on that node */
	uint64_t memory_free; /* bytes there were when the plan was made */
};

struct esf_plan {
	const char *program;
	uint32_t main_lcore;
	uint32_t shards_count;
	uint64_t owners; /* bit i: shard i may own sites */
	bool owner_is_receiver;
	uint32_t handover_cells; /* of each hand-over ring */
	int64_t epoch_ns;
	enum esf_idle_policy idle;
	uint32_t max_sleep_us; /* of policy sleep */
	uint32_t ports_count;
	uint32_t pools_count;
	struct esf_plan_shard shards[ESF_SHARDS_MAX];
	struct esf_plan_port ports[ESF_PORTS_MAX];
	struct esf_plan_pool pools[ESF_PLAN_POOLS_MAX];
};

/*
 * Control thread. The plan refers to options' addresses and program name. 0, or -EINVAL, -ENOMEM,
 * -ENODEV after one line to errors: what is needed, what there is, what mends it.
 */
int esf_plan_make(const struct esf_launch_options *options, struct esf_plan *plan, FILE *errors);

void esf_plan_print(const struct esf_plan *plan, FILE *out);

#endif
