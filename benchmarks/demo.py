"""How long the demo takes from an installed environment: ``python -m benchmarks.demo [PERSONS]``; the goal is 120 s."""

import sys
import time

from benchmarks.night.results import keep_other
from jobs.demo import NIGHTS, PERSONS, run

WANTED = 120

if __name__ == "__main__":
    persons = next((int(w) for w in sys.argv[1:] if w.isdigit()), PERSONS)
    started = time.perf_counter()
    run(persons, NIGHTS)
    seconds = time.perf_counter() - started
    print(f"demo: {NIGHTS} nights of {persons} people in {seconds:.0f} s (goal {WANTED} s)")
    if "--keep-results" in sys.argv:
        keep_other("`make demo`, seconds", WANTED, seconds)
