"""How long the demo takes from an installed environment: ``python -m benchmarks.demo [PERSONS]``; the goal is 120 s."""

import sys
import time

from jobs.demo import NIGHTS, PERSONS, run

if __name__ == "__main__":
    persons = int(sys.argv[1]) if len(sys.argv) > 1 else PERSONS
    started = time.perf_counter()
    run(persons, NIGHTS)
    print(f"demo: {NIGHTS} nights of {persons} people in {time.perf_counter() - started:.0f} s (goal 120 s)")
