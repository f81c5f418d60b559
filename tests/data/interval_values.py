# SPDX-License-Identifier: Apache-2.0
"""The expected values of tests/test_interval.c, from the definitions."""
import math
import statistics


def put_together(windows, mean):
    """Windows as (mean, stddev), equal weight, about the shown mean."""
    return math.sqrt(sum(s * s + (m - mean) ** 2 for m, s in windows) / len(windows))


print("6 +- 1, 2:", 4, put_together([(6, 1), (2, 0)], 4))
a, b = [6, 2], [4, 8]
ratio = statistics.mean(a) / statistics.mean(b)
print("pooled:", ratio, repr(put_together([(x / y, 0) for x, y in zip(a, b)], ratio)), "score", 70 + 60 * (ratio - .5))
print("with the site's own 3:", (2 * ratio + 3) / 3)
print("region:", statistics.mean([3, 1, 3]) / 2)
print("scope:", 3.25, put_together([(3, 2), (3.5, 0)], 3.25))
