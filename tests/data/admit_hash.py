# SPDX-License-Identifier: Apache-2.0
"""Writes admit_hash.inc: which samples downsampling keeps, one in four.

Written from docs/CONTRACT.md, section 7, alone:
    python3 tests/data/admit_hash.py > tests/data/admit_hash.inc
"""

import random
import struct

MASK = (1 << 64) - 1


def mix(x):
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def is_kept(site, kpi, time, value, keep_one_in):
    bits = struct.unpack("<Q", struct.pack("<d", value))[0]
    place = site * 64 + kpi + 1
    h = mix(mix((place * 0x9E3779B97F4A7C15 + bits) & MASK) ^ time)
    return (h >> 32) * keep_one_in >> 32 == 0


def main():
    rng = random.Random(4)
    print("/* clang-format off */")
    for i in range(32):
        site, kpi = rng.choice([0, 1, 999_999, rng.randrange(10**6)]), rng.randrange(64)
        time = 1_700_000_000 * 10**9 + rng.randrange(10**12)
        value = rng.choice([0.0, -1.5, 1e-300, rng.gauss(0, 1e3)])
        print("{ %d, %d, INT64_C(%d), %s, %s }," % (site, kpi, time, value.hex(),
              "true" if is_kept(site, kpi, time, value, 4) else "false"))
    print("/* clang-format on */")


if __name__ == "__main__":
    main()
