#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""etd_stream.py HOST PORT SITES STREAMS RATE: ETD senders that go on for as long as the test wants, one record a datagram.

Lines on standard input: "go"; "pause N": after N more of each stream, answered by {"SITE:STREAM": highest number sent}; end of
file ends it."""
import json
import select
import socket
import struct
import sys
import time

HEADER = struct.Struct("<4sBBHIHHIIq")
RECORD = struct.Struct("<HBBid")
BIRTH, DATA = 1, 2
NAME = b"m"


def main(host, port, sites, streams, rate):
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect((host, int(port)))
    boot = int(time.time())
    keys = [(site, stream) for site in range(1, int(sites) + 1) for stream in range(int(streams))]
    seqs = dict.fromkeys(keys, 0)
    runs, turn, due, step = False, 0, 0.0, 1.0 / float(rate)

    def send(key, kind, body):
        seqs[key] += 1
        out.send(HEADER.pack(b"ETD1", kind, 0, 1, key[0], key[1], 0, boot, seqs[key], time.time_ns()) + body)

    def hear(wait):
        nonlocal runs, due
        if not select.select([sys.stdin], [], [], wait)[0]:
            return True
        line = sys.stdin.readline()
        if line.strip() == "go":
            runs, due = True, time.monotonic()
        elif line.startswith("pause "):
            runs = False
            for _ in range(int(line.split()[1])):
                for each in keys:
                    send(each, DATA, RECORD.pack(1, 0, 0, 0, 41))
                    time.sleep(step)
            print(json.dumps({"%d:%d" % key: seq for key, seq in seqs.items()}), flush=True)
        return line != ""

    for key in keys:
        send(key, BIRTH, struct.pack("<HBBBB", 1, 0, len(NAME), 0, 0) + NAME)
    while hear(0 if runs else 1):
        now = time.monotonic()
        if runs and now < due:
            time.sleep(min(due - now, 0.01))
            continue
        for _ in range(64):
            if not runs or due > now:
                break
            key = keys[turn % len(keys)]
            turn += 1
            send(key, DATA, RECORD.pack(1, 0, 0, 0, 40 + turn % 7))
            due += step


if __name__ == "__main__":
    main(*sys.argv[1:])
