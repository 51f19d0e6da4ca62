"""How much memory and time extract takes for a CSV of a given size.

    python -m benchmarks.extract_memory 2000

writes a CSV of that many megabytes of invented transactions in a temporary folder, lands it, and prints the peak
resident memory of the process that landed it and its speed. ``--quoted`` quotes every cell, ``--faulty`` adds a row in
Latin-1 every 1,000 rows.
"""

from __future__ import annotations

import argparse
import datetime as dt
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

from stdnum.iso7064 import mod_11_10

HEADER = (
    "national_id,family_name,given_name,birth_date,transaction_id,account_id,booked_on,category,amount_minor,currency,"
    "balance_after_minor,credit_limit_minor,days_past_due"
)
DAY = "2026-11-20"


def write(path: Path, megabytes: int, quoted: bool, faulty: bool) -> int:
    """Writes the CSV and returns its rows: 20 a person, the people mixed."""
    people = []
    for i in range(200_000):
        head = f"{i * 7919 % 10**10:010d}"
        people.append(
            f"{head}{mod_11_10.calc_check_digit(head)},Kovačević{i % 997},Ana,19{i % 90 + 10}-03-04"
        )
    rows = size = 0
    with path.open("wb") as file:
        file.write(f"{HEADER}\n".encode())
        while size < megabytes << 20:
            lines = []
            for _ in range(10_000):
                line = (
                    f"{people[rows * 31 % len(people)]},TX-{rows:012d},HR-{rows % 99991:08d},"
                    f"2026-11-{rows % 19 + 1:02d},card_statement,-{rows % 100_000},EUR,{rows % 777_777},150000,0"
                )
                text = ('"' + line.replace(",", '","') + '"' if quoted else line).encode()
                rows += 1
                lines.append(text.replace("č".encode(), b"\xe8") if faulty and rows % 1000 == 0 else text)
            block = b"\n".join(lines) + b"\n"
            size += len(block)
            file.write(block)
    return rows


def peak_mebibytes() -> float:
    """The peak resident memory of this process; Linux counts it from the start of the program, not of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def land(root: str) -> None:
    """Lands it; the process is its own, so that its peak is of nothing else."""
    from jobs.extract import run
    from jobs.lake.config import load_policy
    from jobs.lake.lake import Lake
    from jobs.lake.night import Night

    lake = Lake(f"{root}/lake")
    night = Night(
        date=dt.date.fromisoformat(DAY),
        lake=lake,
        policy=load_policy(),
        keys=lake.open(create=True),
        scorecards={},
        deliveries=f"{root}/deliveries",
        say=print,
    )
    started, busy = time.monotonic(), time.process_time()
    counts = run(night, ["transactions"])
    seconds, busy = time.monotonic() - started, time.process_time() - busy
    size = sum(p.stat().st_size for p in Path(root, "deliveries").rglob("*.csv")) / (1 << 20)
    peak = peak_mebibytes()
    rows = counts["transactions"]
    print(
        f"{size:.0f} MiB, {rows} rows, {seconds:.1f} s ({busy:.1f} s of a core), {size / seconds:.1f} MiB/s, "
        f"peak {peak:.0f} MiB",
        flush=True,
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("megabytes", type=int)
    parser.add_argument("--quoted", action="store_true")
    parser.add_argument("--faulty", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root, "deliveries", DAY)
        folder.mkdir(parents=True)
        write(folder / "transactions.csv", given.megabytes, given.quoted, given.faulty)
        child = multiprocessing.get_context("spawn").Process(target=land, args=(root,))
        child.start()
        child.join()
        raise SystemExit(child.exitcode)


if __name__ == "__main__":
    main()
