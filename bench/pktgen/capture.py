#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A capture of fleetgen's as Pktgen-DPDK reads it: microseconds in its header, and the receiver's MAC if it has to be."""
import argparse
import os
import re
import struct
import subprocess
import sys

HEAD_SIZE, PACKET_HEAD_SIZE = 24, 16
NANOSECONDS, MICROSECONDS = 0xA1B23C4D, 0xA1B2C3D4


def convert(source, target, mac=None):
    """How many packets there are. Their data stay as they are, but for the destination."""
    with open(source, "rb") as file:
        content = bytearray(file.read())
    if struct.unpack_from("<I", content)[0] != NANOSECONDS:
        sys.exit(f"{source}: want a capture with nanoseconds, as fleetgen writes")
    struct.pack_into("<I", content, 0, MICROSECONDS)
    at, count = HEAD_SIZE, 0
    while at < len(content):
        fraction, size = struct.unpack_from("<II", content, at + 4)
        struct.pack_into("<I", content, at + 4, fraction // 1000)
        at += PACKET_HEAD_SIZE
        if mac:
            content[at:at + 6] = mac
        at, count = at + size, count + 1
    with open(target, "wb") as file:
        file.write(content)
    return count


def mac_address(text):
    if not re.fullmatch(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", text):
        raise argparse.ArgumentTypeError(f'got "{text}", want 02:00:00:00:00:01')
    return bytes.fromhex(text.replace(":", ""))


def main():
    parser = argparse.ArgumentParser(prog="bench/pktgen/capture.py", description=__doc__,
                                     epilog="what follows -- goes to fleetgen pcap, e.g. --format etd --sites 40 --rate 100000 "
                                            "--count 40040 --to 10.9.0.2:47700")
    parser.add_argument("--build", default="build", help="folder of fleetgen")
    parser.add_argument("--out", required=True, help="the capture")
    parser.add_argument("--mac", type=mac_address, help="of the appliance's port, for a NIC that takes only its own")
    parser.add_argument("fleetgen", nargs="*", help="options of fleetgen pcap")
    arguments = parser.parse_args()
    made = arguments.out + ".ns"
    try:
        result = subprocess.run([f"{arguments.build}/fleetgen", "pcap", "--out", made, "--labels", arguments.out + ".labels.json",
                                 *arguments.fleetgen], check=False).returncode
        if result == 0:
            print(f"{arguments.out}: {convert(made, arguments.out, arguments.mac)} packets")
    finally:
        if os.path.exists(made):
            os.remove(made)
    return result


if __name__ == "__main__":
    sys.exit(main())
