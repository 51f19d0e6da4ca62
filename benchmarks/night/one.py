"""A night in a process of its own: ``python -m benchmarks.night.one DATE DELIVERIES LAKE [full]``.

The last line is one JSON object: seconds of each step, and of ``extract`` those of each feed.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time

from jobs.cli import leave
from jobs.nightly import STEPS, begin, open_night, run_step
from schemas.contract import contracts


def main(date: str, deliveries: str, lake: str, *words: str) -> None:
    """Runs and times the steps."""
    seconds: dict[str, float] = {}
    started = time.perf_counter()
    night = open_night(
        dt.date.fromisoformat(date),
        lake,
        deliveries,
        full="full" in words,
        approve=True,
        create=True,
        say=lambda text: print(text, flush=True),
    )
    begin(night)
    for step in STEPS:
        for feed in contracts() if step == "extract" else [None]:
            before = time.perf_counter()
            run_step(night, step, feed)
            spent = time.perf_counter() - before
            seconds[step] = seconds.get(step, 0.0) + spent
            if feed:
                seconds[f"extract {feed}"] = spent
    seconds["all"] = time.perf_counter() - started
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
    leave(0)
