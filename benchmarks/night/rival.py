"""The same work in DuckDB, in a process of its own.

    python -m benchmarks.night.rival scores LAKE DATE      a published night's features and scores, held against them
    python -m benchmarks.night.rival landing FILE …        each CSV to Parquet by COPY

The last line is one JSON object.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time

import duckdb

from benchmarks.oracle.compare import compare
from benchmarks.oracle.night import connect
from benchmarks.oracle.published import publications


def scores(lake: str, date: str) -> dict[str, float]:
    """Seconds for everything from accepted rows, and how much of it differs from what is published."""
    published = next(p for p in publications(lake) if p.night.isoformat() == date)
    with tempfile.TemporaryDirectory() as spill:
        comparisons, seconds = compare(connect(spill=spill), published)
    for one in comparisons:
        print(one, flush=True)
    return {
        "seconds": seconds,
        "differences": sum(one.differences for one in comparisons),
        "rows": comparisons[-1].rows,
    }


def landing(*files: str) -> dict[str, float]:
    """Seconds of COPY from CSV, every cell as text, to Parquet."""
    with tempfile.TemporaryDirectory() as folder:
        con = duckdb.connect()
        started = time.perf_counter()
        for number, file in enumerate(files):
            con.execute(
                f"COPY (FROM read_csv('{file}', header = true, all_varchar = true, delim = ',', quote = '\"', "
                f"escape = '\"')) TO '{folder}/{number}.parquet'"
            )
        return {"seconds": time.perf_counter() - started}


if __name__ == "__main__":
    task, *words = sys.argv[1:]
    print(json.dumps(scores(*words) if task == "scores" else landing(*words)))
