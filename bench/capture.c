/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "traffic.h"

enum {
	ETHERNET_SIZE = 14,
	IPV4_SIZE = 20,
	IPV6_SIZE = 40,
	UDP_SIZE = 8,
	HEADERS_MAX = ETHERNET_SIZE + IPV6_SIZE + UDP_SIZE,
	IP_PROTOCOL_UDP = 17,
	HOP_LIMIT = 64,
	SNAP_SIZE = 65535,
	FILE_BUFFER_SIZE = 1 << 20,
};

struct esf_capture {
	struct esf_capture_options options;
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	char *file_buffer;
	int error; /* -errno, 0 for none */
	uint8_t frame[HEADERS_MAX + ESF_TRAFFIC_PAYLOAD_MAX];
};

bool esf_capture_address_parse(const char *text, struct esf_capture_address *out)
{
	memset(out, 0, sizeof(*out));
	out->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return inet_pton(out->family, text, out->bytes) == 1;
}

static uint32_t address_size(const struct esf_capture_address *address)
{
	return address->family == AF_INET6 ? 16 : 4;
}

static void put_be16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_be32(uint8_t *at, uint32_t value)
{
	put_be16(at, value >> 16);
	put_be16(at + 2, value & 0xffff);
}

/* RFC 1071: sum of big-endian words, not folded. */
static uint64_t sum_words(const uint8_t *data, uint32_t size, uint64_t sum)
{
	for (; size > 1; data += 2, size -= 2)
		sum += (uint32_t)data[0] << 8 | data[1];
	return size ? sum + ((uint32_t)data[0] << 8) : sum;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static bool create_file(struct esf_capture *capture)
{
	FILE *file = fopen(capture->options.path, "wb");

	if (!file)
		return false;
	setvbuf(file, capture->file_buffer, _IOFBF, FILE_BUFFER_SIZE);
	capture->dumper = pcap_dump_fopen(capture->pcap, file);
	if (!capture->dumper)
		fclose(file);
	return capture->dumper != NULL;
}

struct esf_capture *esf_capture_create(const struct esf_capture_options *options, FILE *errors)
{
	struct esf_capture *capture = calloc(1, sizeof(*capture));

	if (capture) {
		capture->options = *options;
		capture->file_buffer = malloc(FILE_BUFFER_SIZE);
		capture->pcap = pcap_open_dead_with_tstamp_precision(
		    DLT_EN10MB, SNAP_SIZE, PCAP_TSTAMP_PRECISION_NANO);
	}
	if (capture && capture->file_buffer && capture->pcap && create_file(capture))
		return capture;
	fprintf(errors, "%s: %s\n", options->path, strerror(errno));
	if (capture) {
		if (capture->pcap)
			pcap_close(capture->pcap);
		free(capture->file_buffer);
	}
	free(capture);
	return NULL;
}

/* The address that a site sends from. */
static struct esf_capture_address site_source(const struct esf_capture *capture, uint32_t site_id)
{
	const uint32_t per_site_ipv4 = 10u << 24 | 64u << 16;
	struct esf_capture_address source = capture->options.source;

	if (!capture->options.source_per_site)
		return source;
	if (source.family == AF_INET6)
		put_be32(source.bytes + 12, site_id);
	else
		put_be32(source.bytes, per_site_ipv4 + site_id);
	return source;
}

/* Return the header's size. */
static uint32_t put_ipv4(uint8_t *at, const struct esf_capture *capture,
    const struct esf_capture_address *source, uint32_t udp_size)
{
	const uint32_t dont_fragment = 0x4000;

	memset(at, 0, IPV4_SIZE);
	at[0] = 0x45;
	put_be16(at + 2, IPV4_SIZE + udp_size);
	put_be16(at + 6, dont_fragment);
	at[8] = HOP_LIMIT;
	at[9] = IP_PROTOCOL_UDP;
	memcpy(at + 12, source->bytes, 4);
	memcpy(at + 16, capture->options.destination.bytes, 4);
	put_be16(at + 10, fold(sum_words(at, IPV4_SIZE, 0)));
	return IPV4_SIZE;
}

static uint32_t put_ipv6(uint8_t *at, const struct esf_capture *capture,
    const struct esf_capture_address *source, uint32_t udp_size)
{
	memset(at, 0, IPV6_SIZE);
	at[0] = 0x60;
	put_be16(at + 4, udp_size);
	at[6] = IP_PROTOCOL_UDP;
	at[7] = HOP_LIMIT;
	memcpy(at + 8, source->bytes, 16);
	memcpy(at + 24, capture->options.destination.bytes, 16);
	return IPV6_SIZE;
}

static void put_udp(uint8_t *at, const struct esf_capture *capture,
    const struct esf_capture_address *source, const uint8_t *payload, uint32_t size)
{
	const struct esf_capture_address *destination = &capture->options.destination;
	uint64_t sum = IP_PROTOCOL_UDP + UDP_SIZE + size;
	uint16_t checksum;

	put_be16(at, capture->options.source_port);
	put_be16(at + 2, capture->options.destination_port);
	put_be16(at + 4, UDP_SIZE + size);
	put_be16(at + 6, 0);
	memcpy(at + UDP_SIZE, payload, size);
	sum = sum_words(source->bytes, address_size(source), sum);
	sum = sum_words(destination->bytes, address_size(destination), sum);
	checksum = fold(sum_words(at, UDP_SIZE + size, sum));
	put_be16(at + 6, checksum ? checksum : 0xffff); /* 0 would say: none */
}

void esf_capture_write(struct esf_capture *capture, int64_t time_ns, uint32_t site_id,
    const struct esf_capture_address *path, const uint8_t *payload, uint32_t size)
{
	const int64_t ns_per_s = 1000000000;
	struct esf_capture_address source = path ? *path : site_source(capture, site_id);
	bool is_ipv6 = capture->options.destination.family == AF_INET6;
	uint8_t *at = capture->frame;
	struct pcap_pkthdr header = { .ts = { .tv_sec = time_ns / ns_per_s,
		                          .tv_usec = time_ns % ns_per_s } };

	memcpy(at, capture->options.destination_mac, ESF_CAPTURE_MAC_SIZE);
	memcpy(at + ESF_CAPTURE_MAC_SIZE, capture->options.source_mac, ESF_CAPTURE_MAC_SIZE);
	put_be16(at + 2 * ESF_CAPTURE_MAC_SIZE, is_ipv6 ? 0x86dd : 0x0800);
	at += ETHERNET_SIZE;
	at += (is_ipv6 ? put_ipv6 : put_ipv4)(at, capture, &source, UDP_SIZE + size);
	put_udp(at, capture, &source, payload, size);
	header.caplen = (bpf_u_int32)(at - capture->frame) + UDP_SIZE + size;
	header.len = header.caplen;
	errno = 0;
	pcap_dump((u_char *)capture->dumper, &header, capture->frame);
	if (!capture->error && ferror(pcap_dump_file(capture->dumper)))
		capture->error = errno ? -errno : -EIO;
}

int esf_capture_destroy(struct esf_capture *capture)
{
	int error = capture->error;

	if (pcap_dump_flush(capture->dumper) && !error)
		error = errno ? -errno : -EIO;
	pcap_dump_close(capture->dumper);
	pcap_close(capture->pcap);
	free(capture->file_buffer);
	free(capture);
	return error;
}
