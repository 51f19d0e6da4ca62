"""``make bench``: every measure, one after the other."""

import subprocess
import sys

MEASURES = (
    ["benchmarks.generate"],
    ["benchmarks.extract_memory", "200"],
    ["benchmarks.sealing", "500"],
    ["benchmarks.demo"],
    ["benchmarks.oracle", "--persons", "320", "--nights", "60", "--causes"],
    ["benchmarks.oracle", "--persons", "1000000", "--nights", "2"],
)

if __name__ == "__main__":
    for name, *words in MEASURES:
        subprocess.run([sys.executable, "-m", name, *words], check=True)
