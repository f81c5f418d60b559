/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

enum {
	DESCRIPTORS = 2048, /* RX, a queue: 130 us of the smallest datagrams at 10 Gbit/s */
	TX_DESCRIPTORS = 256,
	VLAN_SIZE = 4, /* bytes of one tag; frames may have two */
};

/* What drivers need that they cannot be asked for. */
static const struct driver {
	const char *name;  /* begins the driver's name */
	bool queues_fixed; /* its arguments made the queues, and traffic goes to all of them */
	bool preloads;
	uint32_t frame_flags;
} drivers[] = {
	{ "net_af_packet", true, false, ESF_FRAME_CHECKSUM_UNFINISHED_OK },
	{ "net_af_xdp", true, false, ESF_FRAME_CHECKSUM_UNFINISHED_OK },
	{ "net_tap", false, false, ESF_FRAME_CHECKSUM_UNFINISHED_OK },
	{ "net_virtio", false, false, ESF_FRAME_CHECKSUM_UNFINISHED_OK },
	{ "net_vhost", true, false, ESF_FRAME_CHECKSUM_UNFINISHED_OK },
	{ "net_pcap", true, true, 0 },
	{ "net_ring", true, false, 0 },
};

static const struct driver *driver_of(const char *name)
{
	static const struct driver ordinary = { "", false, false, 0 };

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (strncmp(name, drivers[i].name, strlen(drivers[i].name)) == 0)
			return &drivers[i];
	return &ordinary;
}

bool esf_plan_port_preloads(const struct esf_plan_port *port)
{
	return driver_of(port->driver)->preloads;
}

static int check_port(const struct esf_launch_options *options, uint32_t index, FILE *errors)
{
	uint16_t id = options->ports[index].port;
	unsigned count = rte_eth_dev_count_avail();

	if (!rte_eth_dev_is_valid_port(id)) {
		fprintf(errors,
		    "%s: ports[%u].port: %u, but DPDK sees %u port%s: give its --vdev in eal:, or "
		    "bind the NIC with dpdk-devbind.py\n",
		    options->program, index, id, count, count == 1 ? "" : "s");
		return -ENODEV;
	}
	for (uint32_t i = 0; i < index; i++) {
		if (options->ports[i].port != id)
			continue;
		fprintf(errors, "%s: ports[%u].port: %u is ports[%u] already\n", options->program,
		    index, id, i);
		return -EINVAL;
	}
	return 0;
}

static int plan_queues(const struct driver *driver, const struct rte_eth_dev_info *info,
    uint32_t receivers, struct esf_plan_port *port)
{
	port->rx_queues =
	    driver->queues_fixed ? info->max_rx_queues : RTE_MIN(info->max_rx_queues, receivers);
	port->tx_queues = RTE_MIN(port->rx_queues, receivers);
	port->tx_queues = RTE_MIN(port->tx_queues, info->max_tx_queues);
	port->rx_descriptors = DESCRIPTORS;
	port->tx_descriptors = TX_DESCRIPTORS;
	if (port->rx_queues == 0 || port->rx_queues > ESF_PLAN_PORT_QUEUES_MAX)
		return -EINVAL;
	return rte_eth_dev_adjust_nb_rx_tx_desc(
	    port->id, &port->rx_descriptors, &port->tx_descriptors);
}

/* The number behind NAME= in the port's arguments, or what holds without it. */
static unsigned long argument(
    const struct rte_eth_dev_info *info, const char *name, unsigned long otherwise)
{
	const struct rte_devargs *devargs = rte_dev_devargs(info->device);
	const char *given =
	    devargs != NULL && devargs->args != NULL ? strstr(devargs->args, name) : NULL;

	return given != NULL ? strtoul(given + strlen(name), NULL, 10) : otherwise;
}

/* The rings of these drivers are made by their arguments, whatever descriptors are asked for. */
static uint32_t rx_room(const struct rte_eth_dev_info *info, uint16_t descriptors)
{
	if (strcmp(info->driver_name, "net_af_packet") == 0)
		return (uint32_t)argument(info, "framecnt=", 512);
	if (strcmp(info->driver_name, "net_memif") == 0)
		return UINT32_C(1) << RTE_MIN(argument(info, "rsize=", 10), 14UL);
	return descriptors;
}

/*
 * The MTU and all around it; af_packet wants to fit a frame of its ring into an mbuf whatever the
 * MTU, and tells the size of one to nobody but who gave it.
 */
static uint32_t frame_size_of(const struct rte_eth_dev_info *info, uint16_t mtu)
{
	uint32_t size = (uint32_t)mtu + RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN + 2 * VLAN_SIZE;
	unsigned long ring_frame = argument(info, "framesz=", 0);

	return ring_frame > size && ring_frame <= UINT16_MAX ? (uint32_t)ring_frame : size;
}

static void plan_features(
    const struct driver *driver, const struct rte_eth_dev_info *info, struct esf_plan_port *port)
{
	port->rx_offloads =
	    info->rx_offload_capa & (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM);
	port->rss = port->rx_queues > 1 ? info->flow_type_rss_offloads & RTE_ETH_RSS_IP : 0;
	port->frame_flags = driver->frame_flags;
}

int esf_plan_port(const struct esf_launch_options *options, uint32_t index, uint32_t receivers,
    struct esf_plan *plan, FILE *errors)
{
	struct esf_plan_port *port = &plan->ports[index];
	const struct driver *driver;
	struct rte_eth_dev_info info;
	int error = check_port(options, index, errors);

	if (error != 0)
		return error;
	port->id = options->ports[index].port;
	port->addresses = &options->ports[index].addresses;
	error = rte_eth_dev_info_get(port->id, &info);
	if (error == 0)
		error = rte_eth_dev_get_mtu(port->id, &port->mtu);
	if (error != 0)
		goto fail;
	rte_eth_dev_get_name_by_port(port->id, port->name);
	port->driver = info.driver_name;
	port->socket = rte_eth_dev_socket_id(port->id);
	port->frame_size = frame_size_of(&info, port->mtu);
	driver = driver_of(port->driver);
	error = plan_queues(driver, &info, receivers, port);
	if (error != 0)
		goto fail;
	port->rx_room = rx_room(&info, port->rx_descriptors);
	plan_features(driver, &info, port);
	plan->ports_count = index + 1;
	return 0;
fail:
	fprintf(errors, "%s: ports[%u]: DPDK's port %u (%s) does not say what it can do: %s\n",
	    options->program, index, port->id, port->name, strerror(-error));
	return error;
}
