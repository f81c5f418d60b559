/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64 };

static const char *advice(int error)
{
	if (error == EADDRINUSE)
		return "address in use: another program (or a second estream-fleetd) listens "
		       "there; "
		       "stop it or choose another port";
	if (error == EADDRNOTAVAIL)
		return "this machine has no such address: see `ip address`";
	if (error == EACCES)
		return "permission denied: choose a port from 1024 on";
	return strerror(error);
}

static void complain(const char *address, uint16_t port, const char *what, FILE *errors)
{
	bool v6 = strchr(address, ':') != NULL;

	fprintf(errors, "estream-fleetd: http.listen %s%s%s:%u: %s\n", v6 ? "[" : "", address,
	    v6 ? "]" : "", port, what);
}

static int open_socket(const struct addrinfo *info)
{
	int on = 1, error;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int esf_listen_open(const char *address, uint16_t port, FILE *errors)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *info;
	char service[8];
	int result;

	snprintf(service, sizeof(service), "%u", port);
	result = getaddrinfo(address, service, &hints, &info);
	if (result != 0) {
		complain(address, port, gai_strerror(result), errors);
		return -EINVAL;
	}
	result = open_socket(info);
	freeaddrinfo(info);
	if (result < 0)
		complain(address, port, advice(-result), errors);
	return result;
}

static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/* Whether host is name, with or without a port. */
static bool names(const char *host, const char *name)
{
	size_t size = strlen(name);

	if (strncasecmp(host, name, size) != 0)
		return false;
	host += size;
	return *host == '\0' || (*host == ':' && host[1 + strspn(host + 1, "0123456789")] == '\0');
}

bool esf_listen_takes_host(const char *address, const char *host)
{
	if (host == NULL || !is_loopback(address))
		return true;
	return names(host, "localhost") || names(host, "127.0.0.1") || names(host, "[::1]") ||
	       (strchr(address, ':') == NULL && names(host, address));
}

bool esf_listen_is_same_origin(const char *origin, const char *host)
{
	static const char scheme[] = "http://";

	return host != NULL && strncasecmp(origin, scheme, sizeof(scheme) - 1) == 0 &&
	       strcasecmp(origin + sizeof(scheme) - 1, host) == 0;
}
