# SPDX-License-Identifier: Apache-2.0
"""The rows of test_peers.c: medians and modified Z scores, from the definitions, in exact fractions."""

import statistics
from fractions import Fraction

GROUPS = [
    [1, 2, 3, 4, 100],
    [10, 10.5, 9.5, 10.25, 9.75, 10.1, 9.9, 14],
    [5, 5, 5, 5, 5, 5, 5, 6.5],
    [2, 2, 2, 2, 2],
    [-3, -1, -2, -8],
    [0.1, 0.2, 0.30000000000000004, 0.4, 0.5, 0.6, 0.7],
    [7],
    [1, 3],
    [1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 50, 1e9 - 40],
]

for values in GROUPS:
    exact = [Fraction(value) for value in values]
    median = statistics.median(exact)
    distances = [abs(x - median) for x in exact]
    mad, mean = statistics.median(distances), sum(distances) / len(distances)
    last = exact[-1] - median
    if mad > 0:
        score = Fraction("0.6745") * last / mad
    else:
        score = last / (Fraction("1.253314") * mean) if mean > 0 else Fraction(0)
    print("\t{ %d, { %s }, %.17g, %.17g }," % (
        len(values), ", ".join(repr(float(v)) for v in values), float(median), float(score)))
