"""``make bench``: every measure, one after the other."""

import subprocess
import sys

MEASURES = (
    ["benchmarks.generate"],
    ["benchmarks.extract_memory", "200"],
    ["benchmarks.sealing", "500"],
    ["benchmarks.demo"],
    [
        "benchmarks.night",
        "--persons",
        "20000",
        "--transactions",
        "1000000",
        "--months",
        "24",
        "--keep-results",
    ],
    [
        "benchmarks.night",
        "--persons",
        "200000",
        "--transactions",
        "10000000",
        "--months",
        "24",
        "--keep-results",
    ],
    [
        "benchmarks.night",
        "--persons",
        "200000",
        "--transactions",
        "1250000",
        "--months",
        "3",
        "--keep-results",
    ],
    ["benchmarks.oracle", "--persons", "320", "--nights", "60", "--causes"],
    ["benchmarks.oracle", "--persons", "1000000", "--nights", "2"],
)

if __name__ == "__main__":
    for name, *words in MEASURES:
        subprocess.run([sys.executable, "-m", name, *words], check=True)
