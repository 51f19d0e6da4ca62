"""``make bench``: every measure, one after the other."""

import subprocess
import sys

SIZES = (
    (20_000, 1_000_000, 24),
    (200_000, 10_000_000, 24),
    (200_000, 1_250_000, 3),
)  # people, bookings, months
MEASURES = (
    "benchmarks.generate",
    "benchmarks.extract_memory 200",
    "benchmarks.sealing 500",
    "benchmarks.demo --keep-results",
    "benchmarks.airflow_night --keep-results",
    *(f"benchmarks.night --persons {p} --transactions {t} --months {m} --keep-results" for p, t, m in SIZES),
    "benchmarks.histories",
    "benchmarks.oracle --persons 320 --nights 60 --causes",
    "benchmarks.oracle --persons 1000000 --nights 2",
)

if __name__ == "__main__":
    for measure in MEASURES:
        subprocess.run([sys.executable, "-m", *measure.split()], check=True)
