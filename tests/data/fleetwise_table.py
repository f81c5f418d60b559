# SPDX-License-Identifier: Apache-2.0
"""How often CONTRACT 4.6's table of thresholds flags normal data, by simulation.

    fleetwise_table.py [VALUES [SEED]]

For each number of peers n: normal samples of n (VALUES numbers in all), each one round of one KPI. Printed
are the table's threshold, the part of the rounds in which any of the n has |M| above it, with the
standard error of that part, and the threshold that exactly 1% of the rounds exceed. The formulas are
written down again here, from the contract, with nothing of the program's.

Run once, by hand; test_peers.c has the same table. What it printed for 2000000 values and seed 1:

   n  rounds  threshold  flagged %  +-    exactly 1%
   3  666666     18.700       5.84  0.03     109.28
   4  500000     18.700       0.74  0.01      16.08
   5  400000     18.700       0.98  0.02      18.46
   6  333333      9.900       1.05  0.02      10.09
   7  285714      8.950       1.60  0.02      10.59
   8  250000      8.000       0.97  0.02       7.93
   9  222222      7.450       1.42  0.03       8.27
  10  200000      6.900       0.99  0.02       6.89
  12  166666      6.467       0.91  0.02       6.32
  13  153846      6.250       1.13  0.03       6.44
  16  125000      5.600       1.00  0.03       5.60
  20  100000      5.300       0.89  0.03       5.21
  25   80000      5.050       0.95  0.03       5.01
  30   66666      4.800       1.00  0.04       4.80
  40   50000      4.650       0.90  0.04       4.62
  50   40000      4.500       0.90  0.05       4.45
  75   26666      4.425       0.92  0.06       4.38
 100   20000      4.350       0.84  0.06       4.29
 200   10000      4.350       0.76  0.09       4.29
 500    4000      4.350       1.20  0.17       4.39
1000    2000      4.350       2.10  0.32       4.49

So the table holds where it has an entry, for the median as the mean of the two in the middle and the
site itself among its n peers. Odd numbers between two even entries are flagged up to 1.6%, a thousand
peers 2%: the contract's table is linear between and flat beyond.
"""

import random
import statistics
import sys

TABLE = {5: 18.7, 6: 9.9, 8: 8.0, 10: 6.9, 16: 5.6, 20: 5.3, 30: 4.8, 50: 4.5, 100: 4.35}
BETWEEN = (3, 4, 7, 9, 12, 13, 25, 40, 75, 200, 500, 1000)


def threshold(n):
    known = sorted(TABLE)
    if n <= known[0]:
        return TABLE[known[0]]
    if n >= known[-1]:
        return TABLE[known[-1]]
    low = max(k for k in known if k <= n)
    high = min(k for k in known if k >= n)
    if low == high:
        return TABLE[low]
    return TABLE[low] + (TABLE[high] - TABLE[low]) * (n - low) / (high - low)


def largest_score(sample):
    """The largest |M| of the round."""
    median = statistics.median(sample)
    distances = [abs(x - median) for x in sample]
    return 0.6745 * max(distances) / statistics.median(distances)


def main(arguments):
    values = int(arguments[0]) if arguments else 400_000
    rng = random.Random(int(arguments[1]) if len(arguments) > 1 else 1)
    print("   n  rounds  threshold  flagged %  +-    exactly 1%")
    for n in sorted(set(TABLE) | set(BETWEEN)):
        rounds = values // n
        scores = sorted(largest_score([rng.gauss(0, 1) for _ in range(n)]) for _ in range(rounds))
        flagged = sum(score > threshold(n) for score in scores) / rounds
        error = (flagged * (1 - flagged) / rounds) ** 0.5
        print("%4d %7d %10.3f %10.2f  %.2f %10.2f" % (
            n, rounds, threshold(n), 100 * flagged, 100 * error, scores[int(0.99 * rounds)]))


if __name__ == "__main__":
    main(sys.argv[1:])
