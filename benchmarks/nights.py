"""Runs nights over deliveries in one process: ``python -m benchmarks.nights DELIVERIES LAKE DATE [DATE …]``."""

import datetime as dt
import sys
import time

from jobs.nightly import open_night, run_night


def main(deliveries: str, lake: str, *dates: str) -> None:
    """Publishes the nights, each with what it took."""
    for date in dates:
        started = time.perf_counter()
        run_night(open_night(dt.date.fromisoformat(date), lake, deliveries, create=True, say=print))
        print(f"night {date}: {time.perf_counter() - started:.1f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
