"""Runs nights over deliveries in one process: ``python -m benchmarks.nights DELIVERIES LAKE [--oracle] DATE …``.

With ``--oracle`` each is held against the oracle as it is published; status 1 when anything differs. ``--due``: every
night takes its own delivery alone, so what the generator meant of it is true.
"""

import argparse
import datetime as dt
import sys
import tempfile
import time

from benchmarks.oracle.held import Held
from benchmarks.oracle.published import publications
from jobs.nightly import open_night, run_night


def main(argv: list[str]) -> int:
    """Publishes the nights, each with what it took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("deliveries")
    parser.add_argument("lake")
    parser.add_argument("--oracle", action="store_true")
    parser.add_argument("--due", action="store_true")
    parser.add_argument("dates", nargs="+", type=dt.date.fromisoformat)
    given = parser.parse_intermixed_args(argv)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as spill:
        held = Held(given.deliveries if given.due else None, spill)
        for date in given.dates:
            started = time.perf_counter()
            run_night(open_night(date, given.lake, given.deliveries, create=True, say=print))
            print(f"night {date}: {time.perf_counter() - started:.1f} s", flush=True)
            if given.oracle:
                held.night(publications(given.lake)[-1])
    if not given.oracle:
        return 0
    print(f"{held}, {time.perf_counter() - begun:.0f} s", flush=True)
    return int(held.failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
