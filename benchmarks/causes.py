"""Every changed score of a lake's published nights, and its causes: ``python -m benchmarks.causes LAKE``.

Prints how often each cause was told, and what has none; status 1 when a change is without a cause.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from jobs.lake.changed import Between
from jobs.lake.history import Past
from jobs.lake.lake import Lake
from jobs.lake.query import Published

COLUMNS = ["person_id", "purpose", "recipient"]


@dataclass
class Told:
    """Changes and their causes over a lake's nights; ``without`` names what no cause explains."""

    changes: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    without: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)  # night, purpose, what


def _applications(published: Published) -> dict[tuple[int, str, str], str]:
    """What must not change without a cause: each application's rows of scores and features as text."""
    found: dict[tuple[int, str, str], str] = {}
    for table in ("scores", "features"):
        data = published.pinned(table)
        for row in data.to_table(columns=[n for n in data.schema.names if n != "score_date"]).to_pylist():
            key = (row["person_id"], row["purpose"], row["recipient"])
            found[key] = found.get(key, "") + repr(sorted(row.items()))
    return found


def told(lake: str) -> Told:
    """Holds each published night against the one before."""
    out = Told()
    nights = [Published(Lake(lake), p["night"]) for p in Lake(lake).publications()]
    rows = [_applications(n) for n in nights]
    for (before, old), (after, new) in itertools.pairwise(zip(nights, rows, strict=True)):
        changed = sorted(k for k in {*old, *new} if old.get(k) != new.get(k))
        people = [k[0] for k in changed]
        between = Between(Past(before, people), Past(after, people))
        for person, purpose, recipient in changed:
            found = between.causes(person, purpose, recipient)
            out.changes += 1
            out.causes.update({c["cause"] for c in found["causes"]})
            if found["unexplained"] or not found["causes"]:
                what = tuple(found["unexplained"]) or ("everything",)
                out.without.append((after.night.isoformat(), purpose, what))
    return out


if __name__ == "__main__":
    started = time.perf_counter()
    result = told(sys.argv[1])
    for code, count in sorted(result.causes.items()):
        print(f"{code}: {count}")
    for night, purpose, what in result.without:
        print(f"{night} {purpose}: no cause for {', '.join(what)}")
    print(
        f"causes: {result.changes} changed scores, {len(result.without)} without a cause, "
        f"{time.perf_counter() - started:.0f} s"
    )
    raise SystemExit(1 if result.without else 0)
