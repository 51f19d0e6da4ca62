"""Runs nights over deliveries in one process: ``python -m benchmarks.nights DELIVERIES LAKE DATE [DATE …]``."""

import datetime as dt
import sys
import time
from collections.abc import Callable

from jobs.nightly import open_night, run_night


def publish(
    deliveries: str, lake: str, dates: list[dt.date], after: Callable[[], None] = lambda: None
) -> None:
    """Publishes the nights, each with what it took; calls ``after`` each."""
    for date in dates:
        started = time.perf_counter()
        run_night(open_night(date, lake, deliveries, create=True, say=print))
        print(f"night {date}: {time.perf_counter() - started:.1f} s", flush=True)
        after()


if __name__ == "__main__":
    publish(sys.argv[1], sys.argv[2], [dt.date.fromisoformat(d) for d in sys.argv[3:]])
