"""Random histories, every night once as it is run and once rebuilt: ``python -m benchmarks.histories [--histories K]``.

A history begins on an awkward day or on any, leaves nights out, and has deliveries that come late or twice, besides the
corrections, disputes, withdrawals and faults of the generator. Each night is published twice from one lake: computing
the people whom it touches, and with ``--full``, at numbers of shuffle partitions drawn from 1, 2, 8 and 64. Every table
must have the same content hash. Prints nights and table names; status 1 where two hashes differ.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lakes import copied, hashes
from jobs.generate import generate
from jobs.lake import touched
from jobs.nightly import open_night, run_night

PARTITIONS = (1, 2, 8, 64)
AWKWARD = (
    dt.date(2027, 12, 28),  # the turn of a year
    dt.date(2028, 2, 26),  # a leap day
    dt.date(2027, 2, 25),  # the end of a February without one
    dt.date(2027, 3, 28),  # months of 31 and 30 days
)
LATE = ("court", "tax", "traffic", "education", "transactions", "disputes")  # late consents stop every score


@dataclass(frozen=True)
class Drawn:
    """A history: its first day, the days on which a night runs, and what was done to its deliveries."""

    start: dt.date
    nights: tuple[dt.date, ...]
    late: int
    twice: int


def _move(file: Path, folder: Path, name: str, copy: bool) -> None:
    """A delivered file with what belongs to it (checksum, signature) into another day."""
    folder.mkdir(exist_ok=True)
    stem, dot, ending = file.name.partition(".")
    for part in file.parent.glob(f"{stem}{dot}{ending}*"):
        target = folder / f"{stem}{name}{dot}{part.name.removeprefix(f'{stem}{dot}')}"
        if part.suffix == ".sha256":
            digest = part.read_text(encoding="utf-8").split()[0]
            target.write_text(f"{digest}  {target.name.removesuffix('.sha256')}\n", encoding="utf-8")
        else:
            shutil.copyfile(part, target)
        if not copy:
            part.unlink()


def draw(seed: int, persons: int, nights: int, deliveries: Path) -> Drawn:
    """Makes the deliveries of a history that a seed stands for."""
    rng = random.Random(seed)
    start = rng.choice([*AWKWARD, dt.date(2027, 1, 1) + dt.timedelta(days=rng.randrange(730))])
    length = nights + nights // 2
    days = [start + dt.timedelta(days=n) for n in range(length)]
    generate(persons, length, start, seed, deliveries)
    late = twice = 0
    for day in days[:-1]:
        for file in sorted((deliveries / day.isoformat()).iterdir()):
            feed = file.name.partition(".")[0].partition("_")[0]
            if file.suffix in (".sha256", ".sig") or feed not in LATE:
                continue
            fate = rng.random()
            later = deliveries / rng.choice(days[days.index(day) + 1 :]).isoformat()
            if fate < 0.1 and day > start:
                _move(file, later, f"_late_{day:%m%d}", copy=False)
                late += 1
            elif fate < 0.2:
                _move(file, later, f"_again_{day:%m%d}", copy=True)
                twice += 1
    chosen = [start, *sorted(rng.sample(days[1:], nights - 1))]
    return Drawn(start, tuple(chosen), late, twice)


def _published(lake: Path, date: dt.date, deliveries: Path, full: bool, partitions: int) -> dict[str, str]:
    night = open_night(date, str(lake), str(deliveries), full=full, create=True)
    conf = night.lake.spark.conf
    before = conf.get("spark.sql.shuffle.partitions")
    conf.set("spark.sql.shuffle.partitions", str(partitions))
    try:
        run_night(night)
    finally:
        conf.set("spark.sql.shuffle.partitions", before)
    return hashes(lake, date)


def held(seed: int, persons: int, nights: int, home: Path) -> int:
    """Publishes a history both ways; how many tables of its nights differ."""
    rng = random.Random(~seed)
    drawn = draw(seed, persons, nights, home / "deliveries")
    print(
        f"history {seed}: from {drawn.start}, {len(drawn.nights)} nights, {drawn.late} files late, {drawn.twice} twice",
        flush=True,
    )
    touched.WORTH_ROWS = touched.MOST = 0  # however few the people are, and however many of them are touched
    different = 0
    lake, copy = home / "lake", home / "full"
    for date in drawn.nights:
        if lake.exists():
            copied(lake, copy)
        started, pair = time.perf_counter(), (rng.choice(PARTITIONS), rng.choice(PARTITIONS))
        carried = _published(lake, date, home / "deliveries", False, pair[0])
        said = "the first night"
        if copy.exists():
            rebuilt = _published(copy, date, home / "deliveries", True, pair[1])
            other = sorted(t for t in carried.keys() | rebuilt.keys() if carried.get(t) != rebuilt.get(t))
            different += len(other)
            said = f"{len(other)} of {len(carried)} tables differ{': ' if other else ''}{', '.join(other)}"
            for suffix in ("", ".keys", ".out"):
                shutil.rmtree(f"{copy}{suffix}", ignore_errors=True)
        print(
            f"  {date}: {said} (partitions {pair[0]} and {pair[1]}, {time.perf_counter() - started:.0f} s)",
            flush=True,
        )
    return different


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--histories", type=int, default=3)
    parser.add_argument("--nights", type=int, default=5)
    parser.add_argument("--persons", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    different = 0
    for seed in range(given.seed, given.seed + given.histories):
        with tempfile.TemporaryDirectory(prefix="assent-history-") as home:
            different += held(seed, given.persons, given.nights, Path(home))
    print(f"histories: {given.histories}, {different} tables differ")
    raise SystemExit(1 if different else 0)


if __name__ == "__main__":
    main()
