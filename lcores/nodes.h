/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_NODES_H
#define ESF_LCORES_NODES_H

#include <stdint.h>

#include "tally.h"

/*
 * What a poll loop does and what it costs, counted by the loop itself. Any thread reads.
 *
 * A node is a stage of a pass. `in` are the items that entered, `out` those that went on to the
 * next; the others left there with a verdict. `cycles` are of the time stamp counter, which is read
 * at most four times a burst and three times a pass that found work, once in an idle one, and never
 * for a datagram: that is why the stages between a frame and its accumulators are one node. What a
 * pass does between two nodes is the second one's, and what follows the last is publish's.
 *
 * A pass is busy when it took, received or published anything, else idle. It ends where the next
 * one begins, so busy and idle cycles together are all there were since the first pass, but for
 * the pass under way. Cycles asleep are idle ones.
 */
#define ESF_NODES(X)                                                                       \
	X(INBOX, inbox)         /* parcels taken; out: datagrams accepted, and lines */    \
	X(RECEIVE, receive)     /* packets: out of a port, their mbufs back to the pool */ \
	X(PROCESS, process)     /* packets: all else; out: accepted or handed over */      \
	X(ANSWER, answer)       /* neighbours; out: answers sent */                        \
	X(HAND_OVER, hand_over) /* parcels for other lcores; out: those that found room */ \
	X(PUBLISH, publish)     /* windows and sites published, windows given back */

enum esf_node_id {
#define X(id, name) ESF_NODE_##id,
	ESF_NODES(X)
#undef X
	    ESF_NODES_COUNT
};

extern const char *const esf_node_names[ESF_NODES_COUNT];

struct esf_node {
	esf_tally in, out, cycles;
};

/* Writer: the lcore; `pass` is its own. Zero is the state before the first pass. */
struct esf_nodes {
	struct {
		uint64_t start;  /* ticks; 0: there was none yet */
		uint64_t mark;   /* ticks up to which nodes are charged */
		uint64_t work;   /* items */
		uint64_t asleep; /* cycles */
	} pass __attribute__((aligned(64)));
	esf_tally started; /* ticks of the first pass; 0: none yet */
	esf_tally ended;   /* ticks at the loop's end; 0: it runs */
	esf_tally passes;  /* begun; each polls every queue once */
	esf_tally busy_passes, busy_cycles, idle_cycles;
	esf_tally sleeps, asleep_cycles;
	struct esf_node node[ESF_NODES_COUNT];
};

/* The loop begins a pass, or is over: the pass before ends. Where it goes on after all (drain), the
 * time between is idle. ticks is not 0. */
void esf_nodes_begin(struct esf_nodes *nodes, uint64_t ticks);
void esf_nodes_end(struct esf_nodes *nodes, uint64_t ticks);

/*
 * Of the node's items and of the cycles since the last such call or the pass's begin.
 */
static inline void esf_nodes_charge(
    struct esf_nodes *nodes, enum esf_node_id id, uint64_t in, uint64_t out, uint64_t ticks)
{
	struct esf_node *node = &nodes->node[id];

	esf_tally_add(&node->in, in);
	esf_tally_add_after(&node->out, out);
	esf_tally_add(&node->cycles, ticks - nodes->pass.mark);
	nodes->pass.mark = ticks;
}

/* Once an lcore was asleep from one moment to another, within an idle pass. */
static inline void esf_nodes_sleep(struct esf_nodes *nodes, uint64_t from, uint64_t to)
{
	esf_tally_add(&nodes->sleeps, 1);
	nodes->pass.asleep += to - from;
}

struct esf_node_counts {
	uint64_t in, out, cycles;
};

/* One lcore's, as plain values. */
struct esf_nodes_counts {
	uint64_t total;              /* cycles since the first pass began */
	uint64_t busy, idle, asleep; /* cycles, without those of the pass under way */
	uint64_t passes, busy_passes, sleeps;
	struct esf_node_counts node[ESF_NODES_COUNT];
};

/*
 * Any thread. No node has more out than in, no more cycles are asleep than idle, and busy + idle
 * are no more than total. At rest the nodes' cycles add up to the busy ones.
 */
void esf_nodes_read(const struct esf_nodes *nodes, struct esf_nodes_counts *to);

#endif
