"""What a small night costs, step by step: ``python -m benchmarks.small_night [--persons N] [--nights K] [--json]``.

Every night runs in one process. The first is cold: it starts the JVM, and every class and plan is new; the later ones
are warm. For each step: seconds, CPU seconds of the whole process tree, Spark jobs, SQL executions, Delta commits.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import tempfile
import time
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from benchmarks.night.tree import processes
from jobs.generate import generate
from jobs.nightly import STEPS, begin, open_night, run_step

START = dt.date(2026, 11, 18)


@dataclass(frozen=True)
class Cost:
    """What was spent up to a moment, or between two."""

    seconds: float
    cpu: float
    jobs: int
    executions: int
    commits: int

    def since(self, earlier: Cost) -> Cost:
        """What was spent between a moment and this one."""
        return Cost(*(a - b for a, b in zip(astuple(self), astuple(earlier), strict=True)))


def _ticks(pid: int) -> int:
    """Of a process, and of those that it started and that have ended."""
    try:
        return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    except FileNotFoundError:
        return 0


def cpu_seconds() -> float:
    """CPU seconds of this process, of those that it started, and of theirs that have ended."""
    return sum(map(_ticks, processes(os.getpid()))) / os.sysconf("SC_CLK_TCK")


def so_far(lake: Path) -> Cost:
    """What was spent since the start of this process."""
    from jobs.lake import spark

    jobs = executions = 0
    if (session := spark._session) is not None:
        jobs = session.sparkContext._jsc.sc().dagScheduler().numTotalJobs()
        executions = session._jsparkSession.sharedState().statusStore().executionsCount()
    commits = sum(1 for _ in lake.glob("**/_delta_log/*.json"))
    return Cost(time.monotonic(), cpu_seconds(), jobs, executions, commits)


def measure(persons: int, nights: int, seed: int, home: Path, say: Any) -> list[dict[str, Any]]:
    """One object a night and step."""
    generate(persons, nights, START, seed, home / "deliveries")
    found = []
    for number in range(nights):
        date = START + dt.timedelta(days=number)
        night = open_night(
            date, str(home / "lake"), str(home / "deliveries"), approve=True, create=True, say=say
        )
        begin(night)
        first = so_far(home / "lake")
        for step in STEPS:
            before = so_far(home / "lake")
            run_step(night, step)
            spent = so_far(home / "lake").since(before)
            found.append({"night": number + 1, "step": step, **vars(spent)})
        spent = so_far(home / "lake").since(first)
        found.append({"night": number + 1, "step": "all", **vars(spent)})
    return found


def main() -> None:
    """Prints a table, and with ``--json`` one object on the last line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--persons", type=int, default=500)
    parser.add_argument("--nights", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="also what the steps say")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="assent-small-night-") as folder:
        rows = measure(
            asked.persons,
            asked.nights,
            asked.seed,
            Path(folder),
            print if asked.verbose else lambda text: None,
        )
    names = [f.name for f in fields(Cost)]
    print(f"small night: {asked.persons} people; night 1 is cold")
    print(f"{'night':>5} {'step':10}" + "".join(f"{n:>12}" for n in names))
    for r in rows:
        cells = "".join(f"{r[n]:12.1f}" if isinstance(r[n], float) else f"{r[n]:12}" for n in names)
        print(f"{r['night']:5} {r['step']:10}{cells}")
    if asked.json:
        print(json.dumps({"persons": asked.persons, "steps": rows}))


if __name__ == "__main__":
    main()
