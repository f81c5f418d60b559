#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rows of test_storm.c's bucket table: the bucket as a fraction, filled and emptied datagram by datagram.

Each row: rate, burst, then a first gap and a step: the gap before datagram i is (gap + i * step) % 1000000007 ns."""
from fractions import Fraction

ROWS = [(1, 1, 999999999, 0, 10), (3, 1, 333333333, 0, 9), (3, 5, 333333334, 0, 9), (7, 2, 1, 15485863, 5000),
        (1000, 2000, 10000, 0, 100000), (1000, 1, 333367, 37, 20000), (999983, 17, 13, 1, 2000),
        (1000000000, 1, 0, 0, 1000), (1000000000, 1000000000, 1, 1, 1000), (3, 100, 123456789, 987654321, 3000)]

for rate, burst, gap, step, count in ROWS:
    level, tokens, previous = Fraction(burst), 0, False
    for i in range(count):
        if i > 0:
            level = min(Fraction(burst), level + Fraction((gap + i * step) % 1000000007 * rate, 10**9))
        if level >= 1:
            level -= 1
            tokens += 1
    print("\t\t{ %d, %d, %d, %d, %d, %d, %d }," % (rate, burst, gap, step, count, tokens, (burst - level) * 10**9))
