/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/etd_wire.h"

/* The machine's own byte order is ETD's, see etd.c. */

enum {
	AT_IP = 14,
	AT_UDP = AT_IP + 20,
	AT_PAYLOAD = AT_UDP + 8,
	BOOT = 1699999000,
	TYPE_GAUGE = 0,
	STRIDE = 37, /* odd: neighbours in time are none in memory, and every site has its turn */
};

const char *const gate_measure_names[GATE_MEASURES] = { "availability", "thermal_margin",
	"output_ratio", "efficiency", "fault_rate" };
const uint8_t gate_our_ipv4[4] = { 10, 9, 0, 2 };

static void put(struct gate_frame *frame, const void *from, uint32_t size)
{
	memcpy(frame->data + frame->size, from, size);
	frame->size += size;
}

static void put_little(struct gate_frame *frame, uint64_t value, uint32_t size)
{
	put(frame, &value, size);
}

static void put_big16(struct gate_frame *frame, uint32_t value)
{
	const uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	put(frame, bytes, sizeof(bytes));
}

static void set_big16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* RFC 1071, not complemented. */
static uint32_t sum_of(const uint8_t *at, uint32_t size, uint32_t sum)
{
	for (uint32_t i = 0; i < size; i++)
		sum += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void start(struct gate_frame *frame, uint32_t udp_port)
{
	static const uint8_t head[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x99, 8, 0, 0x45, 0, 0, 0,
		0, 0, 0x40, 0, 64, 17, 0, 0, 10, 9, 0, 1 };

	frame->size = 0;
	put(frame, head, sizeof(head));
	put(frame, gate_our_ipv4, sizeof(gate_our_ipv4));
	put_big16(frame, 40000);
	put_big16(frame, udp_port);
	put_little(frame, 0, 4); /* length and checksum */
}

static void finish(struct gate_frame *frame)
{
	uint8_t *ip = frame->data + AT_IP, *udp = frame->data + AT_UDP;
	uint32_t size = frame->size - AT_UDP, sum;

	set_big16(ip + 2, frame->size - AT_IP);
	set_big16(ip + 10, 0xffff - sum_of(ip, 20, 0));
	set_big16(udp + 4, size);
	sum = 0xffff - sum_of(udp, size, sum_of(ip + 12, 8, 17 + size));
	set_big16(udp + 6, sum == 0 ? 0xffff : sum);
}

static void put_etd_head(struct gate_frame *frame, uint32_t kind, uint32_t count, uint32_t site,
    uint32_t seq, int64_t time)
{
	put_little(frame, ESF_ETD_MAGIC, 4);
	put_little(frame, kind, 2); /* no flags */
	put_little(frame, count, 2);
	put_little(frame, site + 1, 4);
	put_little(frame, 0, 4); /* stream, key */
	put_little(frame, BOOT, 4);
	put_little(frame, seq, 4);
	put_little(frame, (uint64_t)time, 8);
}

void gate_frame_birth(struct gate_frame *frame, uint32_t site)
{
	start(frame, GATE_ETD_PORT);
	put_etd_head(frame, ESF_ETD_BIRTH, GATE_MEASURES, site, 1, GATE_T0);
	for (uint32_t i = 0; i < GATE_MEASURES; i++) {
		uint32_t length = (uint32_t)strlen(gate_measure_names[i]);

		put_little(frame, i, 2);
		put_little(frame, TYPE_GAUGE, 1);
		put_little(frame, length, 1);
		put_little(frame, 0, 2); /* no unit */
		put(frame, gate_measure_names[i], length);
	}
	finish(frame);
}

/* Of some digits, as measured ones have. */
static double value_of(uint32_t index, uint32_t record)
{
	return 10 + (index * 7919 + record * 104729) % 80000 * 1e-3;
}

/* The last records are of the datagram's own time, those before them a millisecond older each. */
static void make_etd(struct gate_frame *frame, const struct gate_workload *workload, uint32_t index,
    uint32_t site, int64_t time)
{
	uint32_t rounds = (workload->records + GATE_MEASURES - 1) / GATE_MEASURES;

	put_etd_head(frame, ESF_ETD_DATA, workload->records, site, 2 + index / GATE_SITES, time);
	for (uint32_t i = 0; i < workload->records; i++) {
		double value = value_of(index, i);
		int32_t offset_us = -1000 * (int32_t)(rounds - 1 - i / GATE_MEASURES);

		put_little(frame, (index / GATE_SITES + i) % GATE_MEASURES, 2);
		put_little(frame, 0, 2); /* good */
		put_little(frame, (uint32_t)offset_us, 4);
		put(frame, &value, sizeof(value));
	}
}

static __attribute__((format(printf, 2, 3))) void put_text(
    struct gate_frame *frame, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	frame->size += (uint32_t)vsnprintf(
	    (char *)frame->data + frame->size, GATE_FRAME_MAX - frame->size, format, arguments);
	va_end(arguments);
	assert(frame->size < GATE_FRAME_MAX);
}

static void make_influx(struct gate_frame *frame, const struct gate_workload *workload,
    uint32_t index, uint32_t site, int64_t time)
{
	uint32_t fields = workload->records / workload->lines;

	for (uint32_t line = 0; line < workload->lines; line++) {
		put_text(frame, "teg,site=n-%02u", (site + line) % GATE_SITES + 1);
		for (uint32_t i = 0; i < fields; i++)
			put_text(frame, "%c%s=%.3f", i == 0 ? ' ' : ',', gate_measure_names[i],
			    value_of(index, line * fields + i));
		put_text(frame, " %lld\n", (long long)time + line);
	}
}

void gate_frame_make(struct gate_frame *frame, const struct gate_workload *workload, uint32_t index)
{
	uint32_t site = index * STRIDE % GATE_SITES;
	int64_t time = GATE_T0 + 1000000000 + (int64_t)index * 1000;

	start(frame, workload->lines > 0 ? GATE_INFLUX_PORT : GATE_ETD_PORT);
	if (workload->lines > 0)
		make_influx(frame, workload, index, site, time);
	else
		make_etd(frame, workload, index, site, time);
	finish(frame);
}
