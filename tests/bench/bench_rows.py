"""Rows, medians and bounds, shared by the benches."""

import random
import statistics
import sys


def row(bench, metric, value, unit, *, baseline=None, limit=None, at_least=False):
    """One result. limit: the value must not be above it (at_least: not below it); then ok
    is true or false, and null for a row that only informs."""
    ok = None
    if limit is not None:
        ok = value >= limit if at_least else value <= limit
    return {"bench": bench, "metric": metric, "value": _short(value), "unit": unit,
            "baseline": _short(baseline), "limit": _short(limit), "ok": ok}


def _short(number):
    """Five significant digits: no bench knows more."""
    if number is None or isinstance(number, int):
        return number
    return float(f"{number:.5g}")


def percentile(values, share):
    """Nearest rank; share from 0 to 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def bootstrap(pairs, statistic, turns=2000, seed=1):
    """95 % bounds of statistic(ours) - statistic(theirs), drawing whole pairs again."""
    chance = random.Random(seed)
    differences = []
    for _ in range(turns):
        drawn = chance.choices(pairs, k=len(pairs))
        differences.append(statistic([a for a, _ in drawn]) - statistic([b for _, b in drawn]))
    return percentile(differences, 0.025), percentile(differences, 0.975)


def median(values):
    return statistics.median(values)


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Failure(Exception):
    """The bench could not be carried out; the text says why."""
