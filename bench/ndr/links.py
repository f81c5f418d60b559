# SPDX-License-Identifier: Apache-2.0
"""What lies between the generator's port and the appliance's: DPDK's arguments for either side."""
import os
import subprocess

VIRTIO_QUEUE = 1024  # descriptors of a virtio queue at most, as between QEMU and a guest
AF_PACKET_FRAMES = 16384


def memif(folder, ring):
    """Shared memory with copies on both sides; a full ring refuses. ring: log2 of its descriptors."""
    common = f"id=0,socket={folder}/memif.sock,socket-abstract=no,bsize=2048,rsize={ring}"
    return [f"--vdev=net_memif0,role=server,{common}"], [f"--vdev=net_memif0,role=client,{common}"]


def vhost(folder, ring):
    """A virtio queue, as between a host and its guest; a full queue refuses."""
    size = min(1 << ring, VIRTIO_QUEUE)
    return ([f"--vdev=net_vhost0,iface={folder}/vhost.sock"],
            [f"--vdev=net_virtio_user0,path={folder}/vhost.sock,queue_size={size}", "--single-file-segments"])


def af_packet(_folder, _ring):
    """A veth pair of this network namespace, which bench/ndr.sh has made for the run; a full ring drops."""
    for command in ("ip link set lo up", "ip link add ndr-far type veth peer name ndr-near",
                    "sysctl -qw net.ipv6.conf.ndr-near.disable_ipv6=1 net.ipv6.conf.ndr-far.disable_ipv6=1",
                    "ip link set ndr-near up", "ip link set ndr-far up"):
        subprocess.run(command.split(), check=True)
    common = f"framecnt={AF_PACKET_FRAMES},blocksz=65536"
    return ([f"--vdev=net_af_packet0,iface=ndr-near,{common}"], [f"--vdev=net_af_packet0,iface=ndr-far,{common}"])


LINKS = {"memif": memif, "vhost": vhost, "af_packet": af_packet}


class Places:
    """Which CPU each thread has. Two CPUs: the generator shares the first with the appliance's control threads."""

    def __init__(self):
        cpus = sorted(os.sched_getaffinity(0))
        self.control, self.lcore = cpus[0], cpus[-1]
        self.generator = cpus[1] if len(cpus) > 2 else cpus[0]

    def tell(self):
        shared = ", shared" if self.generator == self.control else ""
        return f"lcore on CPU {self.lcore}, control on {self.control}, generator on {self.generator}{shared}"
