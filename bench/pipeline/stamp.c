/* SPDX-License-Identifier: Apache-2.0 */
#include "stamp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include "dataplane/etd_wire.h"
#include "reseal.h"

enum {
	UDP_CHECKSUM_SIZE = 2, /* just before the payload */
	IP_UDP_SIZE = 28,
	LINE_WORDS_SIZE = 20, /* whole words around 19 digits, of which the first is at an even
	                         place or one before */
	DATE_WORDS_SIZE = 28,
};

struct esf_stamp {
	struct esf_stamp_options options;
	struct esf_reseal *reseal; /* NULL: nothing is sealed */
	uint32_t slot;             /* of the next datagram */
	uint32_t births;           /* told */

	/* ETD: the last one's site (from first_site on) and seq; sites come in an order that looks
	 * random, each once a round */
	uint32_t site, step, in_round, seq, since_duplicate;

	/* of this burst, and the last line's */
	int64_t now, line_time;
	char line_digits[ESF_SLOT_LINE_DIGITS];
	time_t second; /* that date shows */
	char date[ESF_SLOT_DATE_SIZE + 1];

	esf_tally count_datagrams, count_cycles, count_births;
} __attribute__((aligned(64)));

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
	return b == 0 ? a : common_divisor(b, a % b);
}

/* Near the golden section of the sites, which spreads best, and without a common divisor, so that a
 * round meets each site. */
static uint32_t step_for(uint32_t sites_count)
{
	uint32_t step = (uint32_t)((uint64_t)sites_count * 618 / 1000) + 1;

	while (common_divisor(step, sites_count) != 1)
		step++;
	return sites_count == 1 ? 0 : step % sites_count;
}

static bool has_sealed(const struct esf_slots *slots)
{
	return slots->plain != NULL;
}

int esf_stamp_create(const struct esf_stamp_options *options, struct esf_stamp **out)
{
	struct esf_stamp *stamp = aligned_alloc(64, sizeof(*stamp));
	int result = 0;

	if (stamp == NULL)
		return -ENOMEM;
	memset(stamp, 0, sizeof(*stamp));
	stamp->options = *options;
	stamp->step = step_for(options->sites_count);
	stamp->in_round = options->sites_count; /* the next one begins a round */
	stamp->seq = 1;                         /* the birth's */
	if (options->births == NULL)
		stamp->births = options->sites_count;
	if (has_sealed(options->slots))
		result = esf_reseal_create(options->config, &stamp->reseal);
	if (result != 0) {
		free(stamp);
		return result;
	}
	*out = stamp;
	return 0;
}

void esf_stamp_destroy(struct esf_stamp *stamp)
{
	if (stamp == NULL)
		return;
	esf_reseal_destroy(stamp->reseal);
	free(stamp);
}

/* A sum of 16-bit words, of which the carries are still to be added. size: a multiple of 4. */
static inline uint64_t sum_of(const uint8_t *data, uint32_t size)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < size; i += sizeof(uint32_t)) {
		uint32_t word;

		memcpy(&word, data + i, sizeof(word));
		sum += word;
	}
	return sum;
}

/* The payload's words summed up to `before`, and now do to `after`, both below 2^48. */
static inline void mend_checksum(uint8_t *payload, uint64_t before, uint64_t after)
{
	const uint64_t multiple = UINT64_C(0xffff) << 40; /* nought, in this arithmetic */
	uint16_t checksum;
	uint64_t sum;

	memcpy(&checksum, payload - UDP_CHECKSUM_SIZE, sizeof(checksum));
	if (unlikely(checksum == 0))
		return;
	sum = (uint16_t)~checksum + after + multiple - before;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	checksum = (uint16_t)~sum;
	if (checksum == 0)
		checksum = 0xffff;
	memcpy(payload - UDP_CHECKSUM_SIZE, &checksum, sizeof(checksum));
}

static void make_checksum(uint8_t *payload)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(payload - IP_UDP_SIZE);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	udp->dgram_cksum = 0;
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
}

static inline uint64_t sum_header(const uint8_t *payload)
{
	return sum_of(payload + ESF_ETD_AT_SITE, 4) + sum_of(payload + ESF_ETD_AT_SEQ, 12);
}

static void write_etd(struct esf_stamp *stamp, uint32_t site, uint32_t seq,
    const struct esf_slots *slots, const struct esf_slot *slot, uint8_t *payload)
{
	uint32_t index = stamp->options.first_site + site;
	uint32_t id = stamp->options.config->sites[0].id + index;
	uint64_t before = sum_header(payload);

	memcpy(payload + ESF_ETD_AT_SITE, &id, sizeof(id));
	memcpy(payload + ESF_ETD_AT_SEQ, &seq, sizeof(seq));
	memcpy(payload + ESF_ETD_AT_TIME, &stamp->now, sizeof(stamp->now));
	if (!slot->sealed) {
		mend_checksum(payload, before, sum_header(payload));
		return;
	}
	esf_reseal_seal(
	    stamp->reseal, index, slots->plain + slot->plain, payload, slot->payload_size);
	make_checksum(payload);
}

static inline void next_turn(struct esf_stamp *stamp)
{
	uint32_t count = stamp->options.sites_count;

	if (stamp->options.duplicate_every != 0 &&
	    ++stamp->since_duplicate == stamp->options.duplicate_every) {
		stamp->since_duplicate = 0;
		return;
	}
	stamp->site += stamp->step;
	if (stamp->site >= count)
		stamp->site -= count;
	if (++stamp->in_round > count) {
		stamp->in_round = 1;
		stamp->seq++;
	}
}

/* Decimal, with leading noughts. */
static void write_digits(char *out, uint32_t count, int64_t value)
{
	for (uint32_t i = count; i > 0; i--, value /= 10)
		out[i - 1] = (char)('0' + value % 10);
}

static inline void count_up(char *digits)
{
	uint32_t i = ESF_SLOT_LINE_DIGITS - 1;

	while (digits[i] == '9')
		digits[i--] = '0';
	digits[i]++;
}

static inline void write_line_time(struct esf_stamp *stamp, uint8_t *at)
{
	count_up(stamp->line_digits);
	stamp->line_time++;
	memcpy(at, stamp->line_digits, ESF_SLOT_LINE_DIGITS);
}

/* The words reach past what is written, but not past the mbuf, and what lies there does not change.
 */
static void write_text(
    struct esf_stamp *stamp, const struct esf_slot *slot, uint8_t *payload, bool dates)
{
	const uint16_t *marks = stamp->options.slots->marks + slot->first_mark;
	uint32_t size = dates ? DATE_WORDS_SIZE : LINE_WORDS_SIZE;
	uint64_t before = 0, after = 0;

	for (uint32_t i = 0; i < slot->marks_count; i++) {
		uint8_t *words = payload + (marks[i] & ~1U);

		before += sum_of(words, size);
		if (dates)
			memcpy(payload + marks[i], stamp->date, ESF_SLOT_DATE_SIZE);
		else
			write_line_time(stamp, payload + marks[i]);
		after += sum_of(words, size);
	}
	mend_checksum(payload, before, after);
}

static inline void stamp_one(struct esf_stamp *stamp, struct rte_mbuf *mbuf)
{
	const struct esf_slots *slots = stamp->options.slots;
	const struct esf_slot *slot = &slots->slots[stamp->slot];
	uint8_t *payload = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, ESF_SLOT_PAYLOAD_AT);

	if (++stamp->slot == slots->count)
		stamp->slot = 0;
	if (slot->format == ESF_FORMAT_ETD) {
		next_turn(stamp);
		write_etd(stamp, stamp->site, stamp->seq, slots, slot, payload);
	} else if (slot->marks_count > 0) {
		write_text(stamp, slot, payload, slot->format == ESF_FORMAT_SYSLOG);
	}
}

/* In place of what the capture has here. */
static __attribute__((cold, noinline)) void give_birth(
    struct esf_stamp *stamp, struct rte_mbuf *mbuf)
{
	const struct esf_slots *births = stamp->options.births;
	uint16_t size = (uint16_t)births->frame_at[1];

	memcpy(rte_pktmbuf_mtod(mbuf, uint8_t *), births->frames, size);
	mbuf->data_len = size;
	mbuf->pkt_len = size;
	write_etd(stamp, stamp->births++, 1, births, &births->slots[0],
	    rte_pktmbuf_mtod_offset(mbuf, uint8_t *, ESF_SLOT_PAYLOAD_AT));
	if (++stamp->slot == stamp->options.slots->count)
		stamp->slot = 0;
	esf_tally_add(&stamp->count_births, 1);
}

static __attribute__((cold, noinline)) void show_second(struct esf_stamp *stamp, time_t second)
{
	struct tm date;

	stamp->second = second;
	gmtime_r(&second, &date);
	strftime(stamp->date, sizeof(stamp->date), "%Y-%m-%dT%H:%M:%S.000000Z", &date);
}

static inline void show_time(struct esf_stamp *stamp)
{
	if (stamp->options.slots->has_lines) {
		if (stamp->now > stamp->line_time)
			stamp->line_time = stamp->now;
		write_digits(stamp->line_digits, ESF_SLOT_LINE_DIGITS, stamp->line_time);
	}
	if (stamp->options.slots->has_dates) {
		time_t second = (time_t)(stamp->now / 1000000000);

		if (second != stamp->second)
			show_second(stamp, second);
		write_digits(
		    stamp->date + ESF_SLOT_DATE_SIZE - 7, 6, stamp->now % 1000000000 / 1000);
	}
}

uint16_t esf_stamp_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count,
    uint16_t room, void *context)
{
	struct esf_stamp *stamp = context;
	uint64_t begin = rte_rdtsc();

	(void)port;
	(void)queue;
	(void)room;
	stamp->now = esf_clock_at(stamp->options.clock, begin);
	show_time(stamp);
	for (uint16_t i = 0; i < count; i++) {
		if (likely(stamp->births == stamp->options.sites_count))
			stamp_one(stamp, mbufs[i]);
		else
			give_birth(stamp, mbufs[i]);
	}
	esf_tally_add(&stamp->count_datagrams, count);
	esf_tally_add(&stamp->count_cycles, rte_rdtsc() - begin);
	return count;
}

void esf_stamp_counts(const struct esf_stamp *stamp, struct esf_stamp_counts *counts)
{
	*counts = (struct esf_stamp_counts){
		.datagrams = esf_tally_read(&stamp->count_datagrams),
		.cycles = esf_tally_read(&stamp->count_cycles),
		.births = esf_tally_read(&stamp->count_births),
	};
}
