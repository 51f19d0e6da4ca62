"""Generates a history, publishes its nights, and holds every published night against the oracle.

    python -m benchmarks.oracle --persons 300 --nights 60
    python -m benchmarks.oracle --persons 1000000 --nights 2
    python -m benchmarks.oracle --lake L

Prints counts, column names and seconds, never a value of a person; status 1 when anything differs. ``--lake`` compares
the nights of a lake that is there already.
"""

from __future__ import annotations

import argparse
import datetime as dt
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.oracle.compare import compare
from benchmarks.oracle.night import connect
from benchmarks.oracle.published import publications
from benchmarks.oracle.truth import due


def made(
    folder: str, persons: int, nights: int, start: dt.date, seed: int, every: int
) -> tuple[str, str | None]:
    """Lake and deliveries of a generated history, published by the pipeline in processes of its own.

    The deliveries are None where nights were left out: what is due of a night is true only of its own delivery.
    """
    deliveries, lake = f"{folder}/deliveries", f"{folder}/lake"
    words = f"generate --persons {persons} --nights {nights} --start {start} --seed {seed} --out {deliveries}"
    subprocess.run([sys.executable, "-m", "jobs.cli", *words.split()], check=True)
    numbers = sorted({*range(0, nights, every), nights - 1})
    dates = [(start + dt.timedelta(days=n)).isoformat() for n in numbers]
    subprocess.run([sys.executable, "-m", "benchmarks.nights", deliveries, lake, *dates], check=True)
    return lake, deliveries if every == 1 else None


def held(lake: str, deliveries: str | None) -> int:
    """Compares every published night of a lake; the number of differences."""
    differences = rows = count = 0
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as spill:
        con = connect(spill=spill)
        for published in publications(lake):
            comparisons, seconds = compare(con, published)
            if deliveries:
                comparisons.append(due(con, published, deliveries))
            count += 1
            for one in comparisons:
                print(f"{one} in {seconds:.1f} s", flush=True)
                differences += one.differences
                rows += one.rows
    print(
        f"oracle: {count} nights, {rows} rows, {differences} differences, {time.perf_counter() - started:.0f} s",
        flush=True,
    )
    return differences


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--persons", type=int, default=300)
    parser.add_argument("--nights", type=int, default=60)
    parser.add_argument("--start", type=dt.date.fromisoformat, default=dt.date(2026, 11, 18))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=int, default=1, help="publish each n-th night alone, and the last")
    parser.add_argument("--lake", help="a local lake whose nights are published")
    parser.add_argument(
        "--deliveries", help="with --lake: the generated deliveries, every one taken on its night"
    )
    parser.add_argument("--causes", action="store_true", help="also tell the causes of every changed score")
    parser.add_argument("--keep", help="an empty folder for deliveries and lake (default: a temporary one)")
    given = parser.parse_args()
    if given.lake:
        raise SystemExit(1 if held(given.lake, given.deliveries) else 0)
    with tempfile.TemporaryDirectory() as folder:
        root = given.keep or folder
        Path(root).mkdir(parents=True, exist_ok=True)
        lake, deliveries = made(root, given.persons, given.nights, given.start, given.seed, given.every)
        failed = held(lake, deliveries) > 0
        if given.causes:
            failed |= subprocess.run([sys.executable, "-m", "benchmarks.causes", lake]).returncode > 0
        raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
