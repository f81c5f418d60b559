/* SPDX-License-Identifier: Apache-2.0 */
#include "control/sight/prometheus_pressure.h"

#include <inttypes.h>

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* One metric of each port: what of it, where in struct esf_port_counts. */
static void put_ports(FILE *out, const struct esf_pressure *pressure)
{
	static const struct {
		const char *name, *help;
		size_t at;
	} metrics[] = {
		{ "estream_nic_missed_total",
		    "Packets that a port dropped because its queues were full.",
		    offsetof(struct esf_port_counts, lost.missed) },
		{ "estream_nic_no_buffer_total",
		    "Packets that a port dropped for want of a buffer.",
		    offsetof(struct esf_port_counts, lost.no_buffer) },
		{ "estream_nic_errors_total", "Packets that a port found to be erroneous.",
		    offsetof(struct esf_port_counts, lost.errors) },
	};

	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		head(out, metrics[m].name, "counter", metrics[m].help);
		for (uint32_t i = 0; i < pressure->ports_count; i++) {
			const struct esf_port_counts *port = &pressure->ports[i];

			fprintf(out, "%s{port=\"%u\"} %" PRIu64 "\n", metrics[m].name, port->id,
			    *(const uint64_t *)((const char *)port + metrics[m].at));
		}
	}
}

/* The same of each queue. */
static void put_queues(FILE *out, const struct esf_pressure *pressure)
{
	static const struct {
		const char *name, *help;
		size_t at;
	} metrics[] = {
		{ "estream_queue_packets_total", "Packets received from a port's queue.",
		    offsetof(struct esf_queue_counts, packets) },
		{ "estream_queue_polls_total", "Times that a queue was asked for packets.",
		    offsetof(struct esf_queue_counts, polls) },
		{ "estream_queue_bursts_total", "Polls that found packets.",
		    offsetof(struct esf_queue_counts, bursts) },
		{ "estream_queue_full_bursts_total",
		    "Polls that found as many packets as they would take.",
		    offsetof(struct esf_queue_counts, full_bursts) },
		{ "estream_queue_unsent_total",
		    "Answers to neighbours that found no room in the queue to send by.",
		    offsetof(struct esf_queue_counts, unsent) },
	};

	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		head(out, metrics[m].name, "counter", metrics[m].help);
		for (uint32_t i = 0; i < pressure->ports_count; i++)
			for (uint32_t q = 0; q < pressure->ports[i].queues_count; q++) {
				const struct esf_queue_counts *queue =
				    &pressure->ports[i].queues[q];

				fprintf(out,
				    "%s{port=\"%u\",queue=\"%u\",lcore=\"%u\"} %" PRIu64 "\n",
				    metrics[m].name, pressure->ports[i].id, q, queue->lcore,
				    *(const uint64_t *)((const char *)queue + metrics[m].at));
			}
	}
}

static void put_ring(
    FILE *out, const char *name, const struct esf_ring_counts *ring, uint64_t value)
{
	fprintf(out, "%s{from=\"%u\",to=\"%u\"} %" PRIu64 "\n", name, ring->from, ring->to, value);
}

static void put_rings(FILE *out, const struct esf_pressure *pressure)
{
	const struct esf_ring_counts *rings = pressure->rings;

	head(out, "estream_ring_refused_total", "counter",
	    "Parcels that found no room in the ring from one lcore to another.");
	for (uint32_t i = 0; i < pressure->rings_count; i++)
		put_ring(out, "estream_ring_refused_total", &rings[i], rings[i].refused);
	head(out, "estream_ring_capacity_cells", "gauge", "Cells of 64 bytes that a ring has.");
	for (uint32_t i = 0; i < pressure->rings_count; i++)
		put_ring(out, "estream_ring_capacity_cells", &rings[i], rings[i].capacity);
	head(out, "estream_ring_high_water_cells", "gauge",
	    "The most cells of a ring that were filled since the start.");
	for (uint32_t i = 0; i < pressure->rings_count; i++)
		put_ring(out, "estream_ring_high_water_cells", &rings[i], rings[i].high_water);
}

static void put_pool(
    FILE *out, const char *name, const struct esf_pool_counts *pool, uint64_t value)
{
	fprintf(out, "%s{pool=\"%s\"} %" PRIu64 "\n", name, pool->name, value);
}

static void put_pools(FILE *out, const struct esf_pressure *pressure)
{
	const struct esf_pool_counts *pools = pressure->pools;

	head(out, "estream_mbufs", "gauge", "Packet buffers by state.");
	fprintf(out, "estream_mbufs{state=\"free\"} %" PRIu64 "\n", pressure->mbufs.free);
	fprintf(out, "estream_mbufs{state=\"in_use\"} %" PRIu64 "\n", pressure->mbufs.in_use);
	head(out, "estream_mempool_mbufs", "gauge", "Packet buffers of a pool.");
	for (uint32_t i = 0; i < pressure->pools_count; i++)
		put_pool(out, "estream_mempool_mbufs", &pools[i], pools[i].size);
	head(out, "estream_mempool_free", "gauge", "Packet buffers of a pool that are free.");
	for (uint32_t i = 0; i < pressure->pools_count; i++)
		put_pool(out, "estream_mempool_free", &pools[i], pools[i].free);
	head(out, "estream_mempool_low_water", "gauge",
	    "The fewest packet buffers of a pool that were free at any tick since the start.");
	for (uint32_t i = 0; i < pressure->pools_count; i++)
		put_pool(out, "estream_mempool_low_water", &pools[i], pools[i].low_water);
	head(out, "estream_mempool_failed_total", "counter",
	    "Answers to neighbours that found no packet buffer in a pool.");
	for (uint32_t i = 0; i < pressure->pools_count; i++)
		put_pool(out, "estream_mempool_failed_total", &pools[i], pools[i].failed);
}

void esf_prometheus_put_pressure(FILE *out, const struct esf_pressure *pressure)
{
	put_ports(out, pressure);
	put_queues(out, pressure);
	put_rings(out, pressure);
	put_pools(out, pressure);
}
