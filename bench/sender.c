/* SPDX-License-Identifier: Apache-2.0 */
#include "sender.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const int64_t ns_per_s = 1000000000;
enum {
	HOST_MAX = 255,
	SEND_BUFFER_SIZE = 4 << 20, /* bytes asked for; the kernel may give less */
	TRIES_MAX = 1000,           /* for one datagram */
	RETRY_PAUSE_NS = 1000000,
};

struct esf_sender {
	int socket;
	int last_error;
	int64_t start_ns; /* Unix, of the datagrams */
	int64_t zero_ns;  /* monotonic, at start_ns */
	int64_t now_ns;   /* since zero; as last read */
	struct esf_sender_counts counts;
	unsigned waiting;
	unsigned tries; /* that failed for the first one waiting */
	struct mmsghdr messages[ESF_SENDER_BATCH_MAX];
	struct iovec vectors[ESF_SENDER_BATCH_MAX];
	uint32_t records[ESF_SENDER_BATCH_MAX];
	uint8_t payloads[ESF_SENDER_BATCH_MAX][ESF_TRAFFIC_PAYLOAD_MAX];
};

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * ns_per_s + now.tv_nsec;
}

/* Splits "host:port" and "[host]:port"; false when it is neither. */
static bool destination_split(const char *text, char *host, const char **port)
{
	const char *colon = strrchr(text, ':');
	size_t size = colon ? (size_t)(colon - text) : 0;

	if (size > 2 && text[0] == '[' && text[size - 1] == ']') {
		text++;
		size -= 2;
	} else if (colon && memchr(text, ':', size)) {
		return false; /* a bare IPv6 address */
	}
	if (size == 0 || size > HOST_MAX || colon[1] == '\0')
		return false;
	memcpy(host, text, size);
	host[size] = '\0';
	*port = colon + 1;
	return true;
}

static bool socket_bind(int fd, int family, const char *address, FILE *errors)
{
	struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST,
	};
	struct addrinfo *found;
	int code = getaddrinfo(address, "0", &hints, &found);
	bool bound;

	if (code) {
		fprintf(errors, "--bind: got \"%s\", want an address: %s\n", address,
		    gai_strerror(code));
		return false;
	}
	bound = bind(fd, found->ai_addr, found->ai_addrlen) == 0;
	if (!bound)
		fprintf(errors, "--bind %s: %s\n", address, strerror(errno));
	freeaddrinfo(found);
	return bound;
}

static int socket_open(
    const struct addrinfo *to, const char *destination, const char *bind_address, FILE *errors)
{
	const int size = SEND_BUFFER_SIZE;
	int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		fprintf(errors, "socket: %s\n", strerror(errno));
		return -1;
	}
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)); /* a smaller one does as well */
	if (!bind_address || socket_bind(fd, to->ai_family, bind_address, errors)) {
		if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
			return fd;
		fprintf(errors, "--to %s: %s\n", destination, strerror(errno));
	}
	close(fd);
	return -1;
}

static int socket_connect(const char *destination, const char *bind_address, FILE *errors)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found;
	char host[HOST_MAX + 1];
	const char *port;
	int code, fd;

	if (!destination_split(destination, host, &port)) {
		fprintf(errors, "--to: got \"%s\", want HOST:PORT or [IPV6]:PORT\n", destination);
		return -1;
	}
	code = getaddrinfo(host, port, &hints, &found);
	if (code) {
		fprintf(errors, "--to %s: %s\n", destination, gai_strerror(code));
		return -1;
	}
	fd = socket_open(found, destination, bind_address, errors);
	freeaddrinfo(found);
	return fd;
}

struct esf_sender *esf_sender_create(
    const char *destination, const char *bind_address, int64_t start_ns, FILE *errors)
{
	struct esf_sender *sender = calloc(1, sizeof(*sender));

	if (!sender) {
		fprintf(errors, "out of memory\n");
		return NULL;
	}
	sender->socket = socket_connect(destination, bind_address, errors);
	if (sender->socket < 0) {
		free(sender);
		return NULL;
	}
	for (unsigned i = 0; i < ESF_SENDER_BATCH_MAX; i++) {
		sender->vectors[i].iov_base = sender->payloads[i];
		sender->messages[i].msg_hdr.msg_iov = &sender->vectors[i];
		sender->messages[i].msg_hdr.msg_iovlen = 1;
	}
	sender->start_ns = start_ns;
	sender->zero_ns = monotonic_ns();
	return sender;
}

void esf_sender_destroy(struct esf_sender *sender)
{
	if (!sender)
		return;
	close(sender->socket);
	free(sender);
}

/*
 * After sendmmsg failed for the first message that was to go. An error may be an earlier datagram's
 * (nobody listens there: ECONNREFUSED) or pass (ENOBUFS), so that the message is tried again. True:
 * give it up.
 */
static bool failed(struct esf_sender *sender, int error)
{
	const struct timespec pause = { .tv_nsec = RETRY_PAUSE_NS };

	if (error == EINTR)
		return false;
	sender->counts.errors++;
	sender->last_error = error;
	if (error == ECONNREFUSED)
		return ++sender->tries > TRIES_MAX;
	if (error == ENOBUFS || error == EAGAIN || error == ENOMEM) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		return ++sender->tries > TRIES_MAX;
	}
	return true;
}

static void count_sent(struct esf_sender *sender, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++) {
		sender->counts.bytes += sender->vectors[i].iov_len;
		sender->counts.records += sender->records[i];
	}
	sender->counts.datagrams += count;
}

void esf_sender_flush(struct esf_sender *sender)
{
	unsigned first = 0;

	while (first < sender->waiting) {
		int count =
		    sendmmsg(sender->socket, &sender->messages[first], sender->waiting - first, 0);

		if (count > 0) {
			count_sent(sender, first, (unsigned)count);
			first += (unsigned)count;
			sender->tries = 0;
		} else if (failed(sender, errno)) {
			sender->counts.unsent++;
			first++;
			sender->tries = 0;
		}
	}
	sender->waiting = 0;
	sender->now_ns = monotonic_ns() - sender->zero_ns;
}

/* False when *stop was set meanwhile. */
static bool wait_until(struct esf_sender *sender, int64_t due_ns, const volatile atomic_bool *stop)
{
	int64_t at_ns = sender->zero_ns + due_ns;
	struct timespec at = { .tv_sec = at_ns / ns_per_s, .tv_nsec = at_ns % ns_per_s };

	while (!atomic_load_explicit(stop, memory_order_relaxed)) {
		if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != EINTR) {
			sender->now_ns = monotonic_ns() - sender->zero_ns;
			return true;
		}
	}
	return false;
}

bool esf_sender_send(struct esf_sender *sender, const struct esf_traffic_datagram *datagram,
    const volatile atomic_bool *stop)
{
	int64_t due_ns = datagram->time_ns - sender->start_ns;

	if (due_ns > sender->now_ns) {
		esf_sender_flush(sender);
		if (due_ns > sender->now_ns && !wait_until(sender, due_ns, stop))
			return false;
	}
	if (atomic_load_explicit(stop, memory_order_relaxed))
		return false;
	memcpy(sender->payloads[sender->waiting], datagram->data, datagram->size);
	sender->vectors[sender->waiting].iov_len = datagram->size;
	sender->records[sender->waiting] = datagram->records;
	if (++sender->waiting == ESF_SENDER_BATCH_MAX)
		esf_sender_flush(sender);
	return true;
}

const struct esf_sender_counts *esf_sender_totals(const struct esf_sender *sender)
{
	return &sender->counts;
}

int esf_sender_last_error(const struct esf_sender *sender)
{
	return sender->last_error;
}
