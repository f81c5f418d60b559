#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seal_interop.py BUILD: sealed datagrams between Node's crypto, Python's `cryptography`, fleetgen (OpenSSL) and the
appliance's opener (libipsec-mb), each way that there is.

seal_interop.py --vectors: prints tests/data/seal/vectors.txt as Node makes it; Python must make the same.
"""
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

from checks import Checks

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:
    AESGCM = None

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VECTORS = os.path.join(ROOT, "tests/data/seal/vectors.txt")
HEADER, TAG, DATA = 32, 16, 16
BIRTH_KIND, DATA_KIND, DEATH_KIND, EVENT_KIND = 1, 2, 3, 4
SEALED, BACKFILL = 1, 2


def pipe(command, lines):
    done = subprocess.run(command, input="".join(line + "\n" for line in lines), capture_output=True, text=True,
                          timeout=120, check=True)
    return done.stdout.splitlines()


class Node:
    """seal and open take lists of (key, datagram); open gives None for what is refused."""
    name = "Node"

    @staticmethod
    def ask(verb, pairs):
        return pipe(["node", os.path.join(ROOT, "tests/e2e/seal_node.mjs")],
                    ["%s %s %s" % (verb, key.hex(), datagram.hex()) for key, datagram in pairs])

    def seal(self, pairs):
        return [bytes.fromhex(line) for line in self.ask("seal", pairs)]

    def open(self, pairs):
        return [None if line == "refused" else bytes.fromhex(line) for line in self.ask("open", pairs)]


class Python:
    name = "Python"

    @staticmethod
    def seal(pairs):
        return [datagram[:HEADER] + AESGCM(key).encrypt(datagram[12:24], datagram[HEADER:], datagram[:HEADER])
                for key, datagram in pairs]

    @staticmethod
    def open_one(key, datagram):
        try:
            return AESGCM(key).decrypt(datagram[12:24], datagram[HEADER:], datagram[:HEADER])
        except InvalidTag:
            return None

    def open(self, pairs):
        return [self.open_one(key, datagram) for key, datagram in pairs]


def header(rng, kind, count, key_id):
    return struct.pack("<4sBBHIHHIIQ", b"ETD1", kind, SEALED | rng.choice((0, BACKFILL)), count,
                       rng.randint(1, 2**32 - 1), rng.randrange(2**16), key_id, rng.randrange(2**32),
                       rng.randint(1, 2**32 - 1), rng.randrange(2**63))


def data_record(rng):
    return struct.pack("<HBBid", rng.randrange(1024), rng.randrange(3), 0, rng.randint(-2**31, 2**31 - 1),
                       rng.uniform(-1e6, 1e6))


def birth_record(rng):
    name, unit = b"signal/%d" % rng.randrange(10**6), "\u00b0C".encode()
    return struct.pack("<HBBBB", rng.randrange(1024), rng.randrange(2), len(name), len(unit), 0) + name + unit


def event_record(rng):
    text = "Lüfter steht".encode() if rng.randrange(2) else b""
    return struct.pack("<iBBH", rng.randint(-10**6, 0), rng.randrange(8), rng.randrange(3), len(text)) + text


RECORDS = {BIRTH_KIND: birth_record, DATA_KIND: data_record, EVENT_KIND: event_record}


def plain_datagram(rng, kind, count, key_id):
    """Header and records, the header as it is when sealed."""
    return header(rng, kind, count, key_id) + b"".join(RECORDS[kind](rng) for _ in range(count))


def vectors(maker):
    """The lines of vectors.txt: VERDICT NAME KEY DATAGRAM RECORDS ("-" for none)."""
    rng = random.Random(38)
    cases = [("accepted", name, plain_datagram(rng, kind, count, key_id)) for name, kind, count, key_id in (
        ("death", DEATH_KIND, 0, 1), ("no-data", DATA_KIND, 0, 65535), ("one-data", DATA_KIND, 1, 1),
        ("three-data", DATA_KIND, 3, 258), ("48-data", DATA_KIND, 48, 7), ("84-data", DATA_KIND, 84, 2),
        ("births", BIRTH_KIND, 5, 1), ("events", EVENT_KIND, 4, 1))]
    short = plain_datagram(rng, DATA_KIND, 2, 1)
    reserved = bytearray(plain_datagram(rng, DATA_KIND, 2, 1))
    reserved[HEADER + DATA + 3] = 1
    cases += [("malformed", "count-above-records", short[:-1]), ("malformed", "reserved-byte", bytes(reserved)),
              ("malformed", "death-with-records", header(rng, DEATH_KIND, 0, 1) + data_record(rng))]
    pairs = [(rng.randbytes(16), datagram) for _, _, datagram in cases]
    return ["%s %s %s %s %s" % (verdict, name, key.hex(), sealed.hex(), datagram[HEADER:].hex() or "-")
            for (verdict, name, _), (key, datagram), sealed in zip(cases, pairs, maker.seal(pairs))]


def committed():
    with open(VECTORS, encoding="ascii") as lines:
        return [line.rstrip("\n") for line in lines if not line.startswith("#")]


def opened_by_appliance(peer, pairs):
    """[(verdict, records)] with the key ids that the datagrams name."""
    answers = pipe([peer], ["%s %d %s" % (key.hex(), struct.unpack_from("<H", datagram, 14)[0] or 1, datagram.hex())
                            for key, datagram in pairs])
    return [(line.split(" ")[0], bytes.fromhex(line.partition(" ")[2])) for line in answers]


def check_random(checks, peer, maker, count):
    rng = random.Random(maker.name)
    pairs = []
    for _ in range(count):
        kind = rng.choice((BIRTH_KIND, DATA_KIND, EVENT_KIND))
        pairs.append((rng.randbytes(16), plain_datagram(rng, kind, rng.randint(0, 30), rng.randint(1, 65535))))
    sealed = [(key, datagram) for (key, _), datagram in zip(pairs, maker.seal(pairs))]
    want = [("accepted", datagram[HEADER:]) for _, datagram in pairs]
    checks.that("%s seals, the appliance opens: %d datagrams" % (maker.name, count),
                opened_by_appliance(peer, sealed) == want)
    spoilt = []
    for key, datagram in sealed:
        bytes_ = bytearray(datagram)
        bytes_[rng.randrange(len(bytes_))] ^= 1 << rng.randrange(8)
        spoilt.append((key, bytes(bytes_)))
    verdicts = {verdict for verdict, _ in opened_by_appliance(peer, spoilt)}
    checks.that("%s seals, a bit turns, the appliance refuses" % maker.name,
                verdicts <= {"bad_seal", "unknown_key", "malformed"} and "bad_seal" in verdicts, verdicts)


def payloads(path):
    """UDP payloads of a nanosecond pcap of plain IPv4 frames."""
    with open(path, "rb") as capture:
        content = capture.read()
    at, found = 24, []
    while at < len(content):
        size = struct.unpack_from("<I", content, at + 8)[0]
        found.append(content[at + 16 + 14 + 20 + 8:at + 16 + size])
        at += 16 + size
    return found


def capture(fleetgen, path, *arguments):
    subprocess.run([fleetgen, "pcap", "--out", path, "--format", "etd", "--seconds", "65", "--scenario",
                    os.path.join(ROOT, "bench/scenarios/every-fault.yaml"), *arguments],
                   check=True, stdout=subprocess.DEVNULL, timeout=120)
    return payloads(path)


def site_of(datagram):
    return struct.unpack_from("<I", datagram, 8)[0]


def check_fleetgen(checks, build, peer, openers):
    """A key for each site: what fleetgen seals opens to what it sends unsealed."""
    fleetgen = os.path.join(build, "fleetgen")
    with tempfile.TemporaryDirectory() as folder:
        plain = capture(fleetgen, os.path.join(folder, "plain.pcap"))
        keys = {site: random.Random(site).randbytes(16) for site in map(site_of, plain)}
        names = site_names(os.path.join(folder, "plain.pcap.labels.json"))
        for site, name in names.items():
            with open(os.path.join(folder, name + ".key"), "w", encoding="ascii") as out:
                out.write(keys.setdefault(site, bytes(16)).hex() + "\n")
        sealed = capture(fleetgen, os.path.join(folder, "sealed.pcap"), "--seal", folder, "--key-id", "513")
    pairs = [(keys[site_of(datagram)], datagram) for datagram in sealed]
    want = [datagram[HEADER:] for datagram in plain]
    checks.that("fleetgen seals every datagram, %d of them" % len(plain), len(plain) > 100 and [
        plain_header(datagram) for datagram in sealed] == [datagram[:HEADER] for datagram in plain])
    for opener in openers:
        checks.that("fleetgen seals, %s opens" % opener.name, opener.open(pairs) == want)
    checks.that("fleetgen seals, the appliance opens",
                opened_by_appliance(peer, pairs) == [("accepted", records) for records in want])


REPLAY_CONFIG = """\
profile: medium
domain: energy
ports: [{port: 0, addresses: []}]
listeners: [{udp: 47700, format: etd, require_seal: true}]
sites:
%s
"""


def packets(path):
    """The capture's header; (Unix ns, record) of each of its packets."""
    with open(path, "rb") as content:
        head, found = content.read(24), []
        while record := content.read(16):
            seconds, rest, size, _ = struct.unpack("<IIII", record)
            found.append((seconds * 10**9 + rest, record[8:] + content.read(size)))
    return head, found


def write_twice(path, to):
    """Every packet, and the same bytes again 40 ms later."""
    head, found = packets(path)
    copies = [(arrival + 40_000_000, record) for arrival, record in found]
    with open(to, "wb") as out:
        out.write(head)
        for arrival, record in sorted(found + copies, key=lambda packet: packet[0]):
            out.write(struct.pack("<II", arrival // 10**9, arrival % 10**9) + record)


def replayed_ledger(build, config, path):
    done = subprocess.run([os.path.join(build, "estream-fleetd"), "replay", "--config", config, path], timeout=120,
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])["ledger"]


def check_repeated(checks, build):
    """A sealed capture whose packets all come twice: each datagram is accepted once, and its copy is a duplicate."""
    with tempfile.TemporaryDirectory() as folder:
        once, twice = os.path.join(folder, "once.pcap"), os.path.join(folder, "twice.pcap")
        command = [os.path.join(build, "fleetgen"), "pcap", "--out", once, "--format", "etd", "--seconds", "65",
                   "--sites", "12"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120)
        names, rows = site_names(once + ".labels.json"), []
        for site, name in names.items():
            path = os.path.join(folder, name + ".key")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as out:
                out.write(random.Random(site).randbytes(16).hex() + "\n")
            rows.append("  - {id: %d, name: %s, keys: [{id: 7, file: %s}]}" % (site, name, path))
        subprocess.run(command + ["--seal", folder, "--key-id", "7"], check=True, stdout=subprocess.DEVNULL, timeout=120)
        config = os.path.join(folder, "fleet.yaml")
        with open(config, "w", encoding="utf-8") as out:
            out.write(REPLAY_CONFIG % "\n".join(rows))
        write_twice(once, twice)
        first, both, count = replayed_ledger(build, config, once), replayed_ledger(build, config, twice), len(payloads(once))
        check_ledgers(checks, first, both, count)


def check_ledgers(checks, first, both, count):
    checks.that("a capture of enough datagrams", count > 500, count)
    checks.equal("sealed datagrams once", counted(first["datagrams"]), {"received": count, "accepted": count})
    checks.equal("sealed datagrams twice", counted(both["datagrams"]),
                 {"received": 2 * count, "accepted": count, "duplicate": count})
    checks.equal("records of sealed datagrams twice", counted(both["records"]), counted(first["records"]))
    checks.that("both ledgers balance", first["balanced"] and both["balanced"], (first, both))


def counted(verdicts):
    return {name: count for name, count in verdicts.items() if count}


def plain_header(datagram):
    """The header as it was before sealing; the id of the key is not 513: as it stands."""
    if struct.unpack_from("<H", datagram, 14)[0] != 513 or not datagram[5] & SEALED:
        return datagram[:HEADER]
    return datagram[:5] + bytes([datagram[5] & ~SEALED]) + datagram[6:14] + b"\0\0" + datagram[16:HEADER]


def site_names(labels):
    with open(labels, encoding="utf-8") as content:
        return {site["id"]: site["name"] for site in json.load(content)["sites"]}


def available(checks):
    found = []
    for maker, there, why in ((Node(), shutil.which("node"), "node is not installed"),
                              (Python(), AESGCM, "Python's cryptography is not installed")):
        if there:
            found.append(maker)
        else:
            checks.skip("sealed datagrams of %s" % maker.name, why)
    return found


def main():
    if sys.argv[1:] == ["--vectors"]:
        print("# VERDICT NAME KEY DATAGRAM RECORDS: made by tests/e2e/seal_interop.py --vectors (Node's crypto).")
        print("\n".join(vectors(Node())))
        return
    checks = Checks()
    build = os.path.abspath(sys.argv[1])
    peer = os.path.join(build, "tests", "seal-peer")
    makers = available(checks)
    for maker in makers:
        checks.that("%s makes the committed vectors" % maker.name, vectors(maker) == committed())
        check_random(checks, peer, maker, 500)
    check_fleetgen(checks, build, peer, makers)
    check_repeated(checks, build)
    checks.finish()


if __name__ == "__main__":
    main()
