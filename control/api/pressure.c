/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/document.h"

/* What the ledger says of where room ran short. */

static json_t *count_or_null(bool known, uint64_t count)
{
	return known ? json_integer((json_int_t)count) : json_null();
}

static json_t *queue_counts(const struct esf_queue_counts *queue, uint32_t index)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I}", "queue",
	    (json_int_t)index, "lcore", (json_int_t)queue->lcore, "packets",
	    (json_int_t)queue->packets, "polls", (json_int_t)queue->polls, "bursts",
	    (json_int_t)queue->bursts, "full_bursts", (json_int_t)queue->full_bursts, "errors",
	    count_or_null(queue->errors_known, queue->errors), "unbuffered",
	    (json_int_t)queue->unbuffered, "unsent", (json_int_t)queue->unsent);
}

/* Appends to the array, or makes it NULL. */
static void append(json_t **array, json_t *value)
{
	if (json_array_append_new(*array, value) == 0)
		return;
	json_decref(*array);
	*array = NULL;
}

static json_t *port_counts(const struct esf_port_counts *port)
{
	json_t *queues = json_array();

	for (uint32_t i = 0; i < port->queues_count; i++)
		append(&queues, queue_counts(&port->queues[i], i));
	return json_pack("{s:I, s:s, s:I, s:I, s:I, s:o}", "port", (json_int_t)port->id, "name",
	    port->name, "missed", (json_int_t)port->lost.missed, "no_buffer",
	    (json_int_t)port->lost.no_buffer, "errors", (json_int_t)port->lost.errors, "queues",
	    queues);
}

json_t *esf_document_nic(const struct esf_pressure *pressure)
{
	static const struct esf_nic_counts none;
	const struct esf_nic_counts *sum = pressure == NULL ? &none : &pressure->nic;
	json_t *ports = json_array();

	for (uint32_t i = 0; pressure != NULL && i < pressure->ports_count; i++)
		append(&ports, port_counts(&pressure->ports[i]));
	return json_pack("{s:I, s:I, s:I, s:o}", "missed", (json_int_t)sum->missed, "no_buffer",
	    (json_int_t)sum->no_buffer, "errors", (json_int_t)sum->errors, "ports", ports);
}

json_t *esf_document_mbufs(const struct esf_pressure *pressure)
{
	static const struct esf_mbuf_counts none;
	const struct esf_mbuf_counts *sum = pressure == NULL ? &none : &pressure->mbufs;

	return json_pack("{s:I, s:I, s:I}", "total", (json_int_t)sum->total, "free",
	    (json_int_t)sum->free, "in_use", (json_int_t)sum->in_use);
}

json_t *esf_document_rings(const struct esf_pressure *pressure)
{
	json_t *rings = json_array();

	for (uint32_t i = 0; pressure != NULL && i < pressure->rings_count; i++) {
		const struct esf_ring_counts *ring = &pressure->rings[i];

		append(&rings,
		    json_pack("{s:I, s:I, s:I, s:I, s:I}", "from", (json_int_t)ring->from, "to",
		        (json_int_t)ring->to, "capacity", (json_int_t)ring->capacity, "high_water",
		        (json_int_t)ring->high_water, "refused", (json_int_t)ring->refused));
	}
	return rings;
}

json_t *esf_document_mempools(const struct esf_pressure *pressure)
{
	json_t *pools = json_array();

	for (uint32_t i = 0; pressure != NULL && i < pressure->pools_count; i++) {
		const struct esf_pool_counts *pool = &pressure->pools[i];

		append(
		    &pools, json_pack("{s:s, s:I, s:I, s:I, s:I}", "name", pool->name, "size",
		                (json_int_t)pool->size, "free", (json_int_t)pool->free, "low_water",
		                (json_int_t)pool->low_water, "failed", (json_int_t)pool->failed));
	}
	return pools;
}
