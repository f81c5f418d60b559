# SPDX-License-Identifier: Apache-2.0
"""The rows of test_baseline.c: a cell fed by the rule that control/fleet/baseline.h states, in Python.

Windows of 600 s, so 6 an hour and a memory of 48. Weeks of one hour: noise from a small generator about
a level; then what the row's third number says. Printed: the level as usual when such an hour
begins the next time, and the score of 20; or that nothing is known.
"""

import math
import struct


def single(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


class Cell:
    def __init__(self):
        self.level = self.spread = 0.0
        self.count = self.doubts = self.hours = 0
        self.within = True

    def hour(self, values):
        """What one hour's windows add."""
        self.doubts = 0 if self.within else self.doubts + 1
        if self.doubts == 3:
            self.__init__()
        self.within = False
        self.hours += 1
        for x in values:
            self.learn(x)

    def learn(self, x, most=48):
        if self.count == 0:
            self.level = x
        distance = x - self.level
        reach = 4 * self.spread if self.count >= 4 and self.spread > 0 else math.inf
        self.within = self.within or abs(distance) <= reach
        distance = max(-reach, min(reach, distance))
        self.count = min(self.count + 1, most)
        self.level += distance / self.count
        self.spread = single(self.spread + (abs(distance) - self.spread) / self.count)


def noise(i):
    """0..1, the same as in test_baseline.c."""
    return (i * 2654435761 % 2**32) / 2**32


for weeks, level, bad_week, bad in ((1, 10.0, -1, 0), (2, 10.0, -1, 0), (3, 10.0, 1, 1000.0),
                                    (12, -5.0, -1, 0), (12, 10.0, 5, 40.0), (4, 10.0, 0, 1e6),
                                    (5, 10.0, 0, 1e6), (6, 10.0, 0, 1e6), (20, 10.0, 0, 1e6)):
    cell = Cell()
    for week in range(weeks):
        cell.hour([bad + noise(i) if week == bad_week else level + noise(week * 6 + i)
                   for i in range(6)])
    known = cell.hours >= 2
    score = (20 - cell.level) / (1.253314 * cell.spread)
    print("\t{ %d, %.17g, %d, %.17g, %s }," % (
        weeks, level, bad_week, bad,
        "%.17g, %.17g" % (cell.level, score) if known else "NAN, NAN"))
