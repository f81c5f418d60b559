# SPDX-License-Identifier: Apache-2.0
"""Derived KPIs for the oracle: CONTRACT 4.3, and what docs/CONTRACT.md says of derive and exclude.

Expressions are Python functions over Fractions beside their text, so that nothing of how the
program reads or evaluates one is repeated here. What divides by zero raises, and is no data.

    Expr("a / b", ["a", "b"], lambda a, b: a / b)
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Callable


@dataclass
class Expr:
    text: str
    inputs: list
    function: Callable

    def value(self, values):
        """values: by name; None where an input has none, or where it can't be computed."""
        given = [values[name] for name in self.inputs]
        if None in given:
            return None
        try:
            return Fraction(self.function(*map(Fraction, given)))
        except ZeroDivisionError:
            return None


def random_expr(rng, names):
    """Of any of these KPIs. Divides only by one of them, so that a zero is a zero here and there."""
    a, b, c = (rng.choice(names) for _ in range(3))
    inputs = list(dict.fromkeys([a, b, c]))

    def of(text, function):
        used = [name for name in inputs if name in text.replace("(", " ").replace(")", " ").split()]
        return Expr(text, used, lambda *v: function(*(dict(zip(used, v)).get(n) for n in (a, b, c))))

    return rng.choice([
        lambda: of("%s / %s" % (a, b), lambda x, y, z: x / y),
        lambda: of("( %s + 2.5 * %s ) / ( 1 + abs( %s ) )" % (a, b, c),
                   lambda x, y, z: (x + Fraction(5, 2) * y) / (1 + abs(z))),
        lambda: of("2 * %s - 10 - %s" % (a, b), lambda x, y, z: 2 * x - 10 - y),
        lambda: of("max( 0 , min( 1.5 , %s / %s ) )" % (a, b),
                   lambda x, y, z: max(Fraction(0), min(Fraction(3, 2), x / y))),
        lambda: of("%s > 0 ? %s / %s : - %s / 4" % (b, a, b, a),
                   lambda x, y, z: x / y if y > 0 else -x / 4),
        lambda: of("1 / ( 1 / %s )" % a, lambda x, y, z: 1 / (1 / x)),
        lambda: of("%s > 50 && %s < 60 ? 100 * sqrt( 4 ) : 1e1" % (a, b),
                   lambda x, y, z: 200 if x > 50 and y < 60 else 10),
        lambda: of("%s ^ 2 - %s * 3" % (a, c), lambda x, y, z: x ** 2 - z * 3),
        lambda: of("avg( %s , %s , 7 )" % (a, b), lambda x, y, z: (x + y + 7) / 3),
    ])()


class Deriver:
    def __init__(self, kpis):
        self.kpis = {kpi.name: kpi for kpi in kpis}
        self.order = []
        for kpi in kpis:
            self._visit(kpi)

    def _visit(self, kpi):
        if kpi.expr is None or kpi in self.order:
            return
        for name in kpi.expr.inputs:
            self._visit(self.kpis[name])
        self.order.append(kpi)

    def _is_sent(self, kpi, values):
        """Whether a record said anything of it, or of what it is made of."""
        return values[kpi.name]["good"] + values[kpi.name]["refused"] > 0 or (
            kpi.expr is not None and any(self._is_sent(self.kpis[name], values) for name in kpi.expr.inputs))

    def _hear(self, values, hearing):
        unsent = [kpi.name for kpi in self.kpis.values() if kpi.heard and not self._is_sent(kpi, values)]
        for name in unsent if hearing is not None else []:
            values[name].update(derived=True, heard=True, samples=hearing, good=hearing,
                                **dict.fromkeys(("mean", "min", "max"), float(hearing)))

    def site(self, values, hearing):
        """values: by KPI, with mean, good, refused, samples; adds what is derived, heard and excluded."""
        for name in values:
            values[name].update(derived=False, heard=False, excluded=None)
        self._hear(values, hearing)
        for kpi in self.order:
            out = values[kpi.name]
            if out["good"] + out["refused"] > 0 or out["heard"]:
                continue
            value = kpi.expr.value({name: values[name]["mean"] for name in kpi.expr.inputs})
            worst = min((values[name] for name in kpi.expr.inputs), key=lambda v: (self._part_good(v), v["good"], v["samples"], -v["refused"]))
            out["derived"] = True
            out["refused"] = worst["refused"]
            if value is not None:
                out["mean"] = out["min"] = out["max"] = float(value)
                out["samples"], out["good"] = worst["samples"], worst["good"]
        for kpi in self.kpis.values():
            for name in self.kpis:
                mean = values[name]["mean"]
                if name in kpi.exclude and values[kpi.name]["excluded"] is None:
                    if mean is not None and mean > 0:
                        values[kpi.name]["excluded"] = name

    @staticmethod
    def _part_good(values):
        everything = values["good"] + values["refused"]
        return Fraction(values["good"], everything) if everything else Fraction(0)

    def scope(self, kpi, rows):
        """The mean over rows, (weight, values by KPI); None where there is none."""
        rows = [(w, v) for w, v in rows if v[kpi.name]["excluded"] is None]
        own = [(w, v) for w, v in rows if not v[kpi.name]["derived"] or v[kpi.name]["heard"]]
        parts = []
        if kpi.expr is not None:
            others = [(w, v) for w, v in rows if v[kpi.name]["derived"] and not v[kpi.name]["heard"]]
            value = kpi.expr.value({name: self.scope(self.kpis[name], others)
                                    for name in kpi.expr.inputs})
            known = sum(w for w, v in others if v[kpi.name]["mean"] is not None)
            if value is not None:
                parts.append((known, value))
        own = [(w, Fraction(v[kpi.name]["mean"])) for w, v in own
               if v[kpi.name]["mean"] is not None]
        if own:
            parts.append((sum(w for w, _ in own), sum(w * x for w, x in own) / sum(w for w, _ in own)))
        if len(parts) == 1:
            return parts[0][1]
        weight = sum(w for w, _ in parts)
        return sum(w * x for w, x in parts) / weight if weight else None
