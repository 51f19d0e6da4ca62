"""What a night costs: ``python -m benchmarks.night --persons N --transactions T --months M [--json] [--keep DIR]``.

Makes the deliveries, runs a night that takes in the whole history, three usual nights and one of a month's turn through
the product's own steps, and after each the same features and scores in DuckDB from the accepted rows (the oracle's
SQL), which must be equal. The last usual night is run again on a copy of the lake with everything rebuilt (``--full``):
equal content hashes. Each night and each rival runs in a process of its own, which starts cold, as a night does.

``--lean`` is for the largest sizes: one usual night and neither a month's turn nor a rebuilt night, compressed
deliveries that are gone once they have landed, and no pages of the notices (``benchmarks/night/one.py``).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.lakes import copied, hashes
from benchmarks.night.data import Deliveries, Size
from benchmarks.night.results import keep
from benchmarks.night.tree import Watched

FIRST = dt.date(2026, 11, 27)  # then three usual nights, and a month's turn on 1 December
USUAL = 3


@dataclass
class Run:
    """What a process said on its last line, and what it took."""

    said: dict[str, float]
    peak_mib: float
    java: int

    @property
    def features_score(self) -> float:
        """Seconds from accepted rows to scores, which is what the rival does."""
        return sum(self.said[s] for s in ("conform", "features", "score"))


def run(module: str, *words: str, quiet: bool = False) -> Run:
    """Runs a module in a process of its own."""
    command = [sys.executable, "-m", module, *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    last = ""
    with Watched(process.pid) as watched:
        for line in process.stdout:
            last = line
            if not quiet and not line.startswith("{"):
                print(f"  {line}", end="", flush=True)
        status = process.wait()
    if status:
        raise SystemExit(f"benchmarks.night: {module} ended with status {status}")
    return Run(json.loads(last), watched.peak_mib, len(watched.java))


def tree_bytes(folder: Path) -> int:
    """Bytes of all files."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def _night(made: Deliveries, lake: Path, date: dt.date, *words: str) -> tuple[Run, Run]:
    """A night of what is delivered, and its rival."""
    night = run("benchmarks.night.one", date.isoformat(), str(made.folder), str(lake), *words)
    rival = run("benchmarks.night.rival", "scores", str(lake), date.isoformat())
    print(
        f"night {date}: {night.said['all']:.1f} s, features and scores {night.features_score:.1f} s, "
        f"DuckDB {rival.said['seconds']:.1f} s, peak {night.peak_mib:,.0f} MiB",
        flush=True,
    )
    return night, rival


def _figures(size: Size, lake: Path, nights: dict[str, Run], rivals: list[Run]) -> dict[str, Any]:
    """What nights of any kind tell: ``full``, ``usual 1`` and so on, and, where they are there, others."""
    usual = [n for name, n in nights.items() if name.startswith("usual")]
    return {
        "persons": size.persons,
        "transactions": size.transactions,
        "months": size.months,
        "duckdb_full_s": median(r.said["seconds"] for r in rivals),
        "full_s": nights["full"].said["all"],
        "usual_night_s": median(n.said["all"] for n in usual),
        "features_score_full_s": median(nights[n].features_score for n in ("full", "rebuilt") if n in nights),
        "features_score_night_s": median(n.features_score for n in usual),
        "validate_share": median(n.said["validate"] / n.said["all"] for n in usual),
        "jvm_starts": max(n.java for n in nights.values()),
        "peak_rss_mib": max(n.peak_mib for n in nights.values()),
        "bytes_lake": tree_bytes(lake),
        "equal": not any(r.said["differences"] for r in rivals),
        "steps": {name: {k: round(v, 2) for k, v in n.said.items()} for name, n in nights.items()},
    }


def measure(size: Size, home: Path) -> dict[str, Any]:
    """The figures of one size."""
    made = Deliveries(home / "deliveries", size, FIRST)
    lake, again = home / "lake", home / "again"
    nights: dict[str, Run] = {}
    rivals: list[Run] = []
    landings: list[float] = []
    for number, name in enumerate(("full", *(f"usual {i + 1}" for i in range(USUAL)), "roll")):
        date = FIRST + dt.timedelta(days=number)
        files = made.usual(date) if number else made.history()
        if number == USUAL:
            copied(lake, again)
        nights[name], rival = _night(made, lake, date)
        rivals.append(rival)
        if not number:
            landings = [
                run("benchmarks.night.rival", "landing", *map(str, files)).said["seconds"] for _ in range(3)
            ]
    date = FIRST + dt.timedelta(days=USUAL)
    rebuilt = run("benchmarks.night.one", date.isoformat(), str(made.folder), str(again), "full")
    equal = hashes(lake, date) == hashes(again, date)
    print(f"night {date} with everything rebuilt: {rebuilt.said['all']:.1f} s, equal: {equal}", flush=True)
    found = _figures(size, lake, {**nights, "rebuilt": rebuilt}, rivals)
    return found | {
        "rebuild_s": rebuilt.said["all"],
        "roll_night_s": nights["roll"].said["all"],
        "csv_landing_ratio": nights["full"].said["extract transactions"] / median(landings),
        "equal": equal and found["equal"],
    }


def measure_lean(size: Size, home: Path) -> dict[str, Any]:
    """The figures of one size: a night of the whole history, and a usual one."""
    made = Deliveries(home / "deliveries", size, FIRST, compressed=True)
    lake, next_day = home / "lake", FIRST + dt.timedelta(days=1)
    made.history()
    full, first_rival = _night(made, lake, FIRST, "lean")
    made.usual(next_day)
    usual, rival = _night(made, lake, next_day, "lean")
    return {
        "note": "Lean: no pages of the notices, compressed deliveries, one usual night.",
        **_figures(size, lake, {"full": full, "usual 1": usual}, [first_rival, rival]),
    }


def main() -> None:
    """Prints a table, and with ``--json`` one object on the last line; status 1 when anything differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--transactions", type=int, default=5_000_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--lean", action="store_true", help="what the largest sizes allow")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", help="an empty or new folder for what is made (default: a temporary one)")
    parser.add_argument(
        "--keep-results", action="store_true", help="add the figures to benchmarks/results.md"
    )
    given = parser.parse_args()
    size = Size(given.persons, given.transactions, given.months)
    with tempfile.TemporaryDirectory(prefix="assent-night-") as folder:
        found = (measure_lean if given.lean else measure)(size, Path(given.keep or folder))
    steps = found.pop("steps")
    names = list(steps)
    print(f"\n{'seconds':14}" + "".join(f"{n:>10}" for n in names))
    for step in steps["full"]:
        if not step.startswith("extract "):
            print(f"{step:14}" + "".join(f"{steps[n][step]:10.1f}" for n in names))
    print()
    for name, value in found.items():
        print(f"{name:24} {value:,.3f}" if isinstance(value, float) else f"{name:24} {value}")
    if given.keep_results:
        keep(found | {"steps": steps})
    if given.json:
        print(json.dumps(found | {"steps": steps}))
    raise SystemExit(0 if found["equal"] else 1)


if __name__ == "__main__":
    main()
