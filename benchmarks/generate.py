"""People a second and peak memory of `assent generate`: ``python -m benchmarks.generate [PERSONS ...]``.

Each size runs in a process of its own; memory that does not grow with the people is the point.
"""

import datetime as dt
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def one(persons: int) -> None:
    """Generates one night and prints what it took."""
    from jobs.generate import generate

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        generate(persons, 1, dt.date(2026, 11, 18), 7, Path(folder) / "deliveries")
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"generate: {persons} people in {seconds:.1f} s, {persons / seconds:.0f} a second, peak {peak:.0f} MiB",
        flush=True,
    )


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "one":
        one(int(sys.argv[2]))
    else:
        for size in sys.argv[1:] or ("50000", "200000"):
            subprocess.run([sys.executable, "-m", "benchmarks.generate", "one", size], check=True)
