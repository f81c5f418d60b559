#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pktgen.py BUILD: bench/pktgen's captures, and what its scripts say without a Pktgen-DPDK."""
import os
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CAPTURE = os.path.join(ROOT, "bench/pktgen/capture.py")
PLAYER = os.path.join(ROOT, "bench/pktgen/pktgen.sh")
BESIDE = os.path.join(ROOT, "bench/pktgen/beside.py")
FLEET = ["--format", "etd", "--sites", "4", "--rate", "1000", "--count", "500", "--start", "1700000000", "--seed", "7"]
OURS = bytes.fromhex("0200000000a1")
WITHOUT = {name: value for name, value in os.environ.items() if name != "PKTGEN"}


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=60, **more)


def packets(path):
    """The file's magic number, and of each packet its seconds, fraction and data."""
    with open(path, "rb") as file:
        content = file.read()
    at, found = 24, []
    while at < len(content):
        seconds, fraction, size, whole = struct.unpack_from("<IIII", content, at)
        assert size == whole, "a packet cut short"
        found.append((seconds, fraction, content[at + 16:at + 16 + size]))
        at += 16 + size
    return struct.unpack_from("<I", content)[0], found


def captures_are_fleetgens_in_microseconds(build, folder):
    source, made = os.path.join(folder, "source.pcap"), os.path.join(folder, "made.pcap")
    assert run([f"{build}/fleetgen", "pcap", "--out", source, *FLEET]).returncode == 0
    done = run([CAPTURE, "--build", build, "--out", made, "--", *FLEET])
    assert done.returncode == 0, done.stderr
    before, after = packets(source), packets(made)
    assert (before[0], after[0]) == (0xA1B23C4D, 0xA1B2C3D4), (before[0], after[0])
    assert len(after[1]) == 500 and f"{made}: 500 packets" in done.stdout, done.stdout
    assert [(s, f // 1000, data) for s, f, data in before[1]] == after[1], "the packets differ"
    assert sorted(os.listdir(folder)) == ["made.pcap", "made.pcap.labels.json", "source.pcap", "source.pcap.labels.json"]


def captures_bear_the_receivers_mac(build, folder):
    plain, named = os.path.join(folder, "plain.pcap"), os.path.join(folder, "named.pcap")
    assert run([CAPTURE, "--build", build, "--out", plain, "--", *FLEET]).returncode == 0
    assert run([CAPTURE, "--build", build, "--out", named, "--mac", "02:00:00:00:00:a1", "--", *FLEET]).returncode == 0
    expected = [(s, f, OURS + data[6:]) for s, f, data in packets(plain)[1]]
    assert expected == packets(named)[1], "not just the destination differs"


def a_wrong_mac_is_refused(build, folder):
    for mac in ("02:00:00:00:00", "02-00-00-00-00-a1", "02:00:00:00:00:g1"):
        done = run([CAPTURE, "--build", build, "--out", os.path.join(folder, "x"), "--mac", mac, "--", *FLEET])
        assert done.returncode == 2 and f'got "{mac}", want' in done.stderr, done.stderr
    assert not os.listdir(folder)


def fleetgens_refusal_is_passed_on(build, folder):
    done = run([CAPTURE, "--build", build, "--out", os.path.join(folder, "x"), "--", "--format", "morse"])
    assert done.returncode == 2 and not os.listdir(folder), done


def scripts_end_with_2_without_pktgen(_build, folder):
    unusable = os.path.join(folder, "pktgen")
    with open(unusable, "w", encoding="ascii") as file:
        file.write("not to be run")
    for environment in (WITHOUT, {**WITHOUT, "PKTGEN": ""}, {**WITHOUT, "PKTGEN": unusable}):
        for command in ([PLAYER, "--capture", unusable, "--", "--no-huge"],
                        [BESIDE, "--capture", unusable, "--trial", "1000:1000", "--", "--no-huge"]):
            done = run(command, env=environment)
            assert done.returncode == 2 and "PKTGEN" in done.stderr, (command, done)
    assert run(["bash", os.path.join(ROOT, "bench/ndr.sh")], env={**WITHOUT, "PKTGEN": unusable}).returncode == 2


def wrong_arguments_end_with_2(_build, folder):
    true = {**WITHOUT, "PKTGEN": "/bin/true"}
    rows = ([PLAYER], [PLAYER, "--capture"], [PLAYER, "--speed", "9", "--", "-l", "0"], [PLAYER, "--capture", "/nonexistent", "--", "x"],
            [BESIDE, "--capture", "x", "--trial", "0:1", "--", "x"], [BESIDE, "--capture", "x", "--trial", "fast", "--", "x"],
            [BESIDE, "--capture", "x", "--", "x"])
    for command in rows:
        done = run(command, env=true, cwd=folder)
        assert done.returncode == 2 and "usage" in done.stderr, (command, done)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    build, failed = os.path.abspath(sys.argv[1]), 0
    tests = (captures_are_fleetgens_in_microseconds, captures_bear_the_receivers_mac, a_wrong_mac_is_refused,
             fleetgens_refusal_is_passed_on, scripts_end_with_2_without_pktgen, wrong_arguments_end_with_2)
    for test in tests:
        with tempfile.TemporaryDirectory(prefix="pktgen-") as folder:
            try:
                test(build, folder)
            except AssertionError as error:
                failed += 1
                print(f"FAILED: {test.__name__}: {error}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
