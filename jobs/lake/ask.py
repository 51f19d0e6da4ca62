"""SQL over a few tables at hand, in DuckDB, without a JVM."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from jobs.lake.parquet_files import Files

# For all questions together, beside the JVM, on a machine of which a night may take 16 GB; what is more goes to a
# folder of its own on the disk.
MEMORY = "4GB"
SPILL = "assent-spill-"  # then the process and a name of its own
NO_KEYS = pa.table({"key": pa.array([], pa.string())})

_lock = threading.Lock()


def _close(process: int, con: duckdb.DuckDBPyConnection, spill: str) -> None:
    if os.getpid() == process:
        con.close()
        shutil.rmtree(spill, ignore_errors=True)


def _sweep() -> None:
    """Removes what killed processes of this user had put on the disk: it may be identities."""
    for left in Path(tempfile.gettempdir()).glob(f"{SPILL}*"):
        process = left.name.removeprefix(SPILL).partition("-")[0]
        if process.isdecimal() and not _runs(int(process)):
            shutil.rmtree(left, ignore_errors=True)  # another user's stays


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


@cache
def _opened(process: int) -> duckdb.DuckDBPyConnection:
    """This process's database in memory. One takes 20 ms to be made, and a night asks hundreds of questions."""
    _sweep()
    spill = tempfile.mkdtemp(prefix=f"{SPILL}{process}-")
    config: dict[str, str | bool | int | float | list[str]] = {
        "python_enable_replacements": False,
        "temp_directory": spill,
        "memory_limit": MEMORY,
        # a scratch file is written again under its name
        "enable_external_file_cache": False,
    }
    con = duckdb.connect(config=config)
    # by name: what Python registers for its own temporary folders, Airflow clears in the processes of its tasks
    atexit.register(_close, process, con, spill)
    return con


@contextmanager
def database(tables: dict[str, Any]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that sees these tables, datasets and files by name, and none of another connection."""
    with _lock:
        con = _opened(os.getpid()).cursor()
    try:
        con.execute("SET TimeZone = 'UTC'")
        for name, table in tables.items():
            if isinstance(table, Files):
                con.execute(f"CREATE TEMP VIEW {name} AS {table.sql()}")
            else:
                con.register(name, table)
        yield con
    finally:
        con.close()


@contextmanager
def stream(sql: str, tables: dict[str, Any], rows: int = 65_536) -> Iterator[pa.RecordBatchReader]:
    """The answer to one SELECT in batches of so many rows at most."""
    with database(tables) as con:
        yield con.sql(sql).to_arrow_reader(rows)


def ask(sql: str, tables: dict[str, Any], **variables: Any) -> pa.Table:
    """The answer to one SELECT over tables, datasets and files by name; ``variables`` as ``getvariable('name')``."""
    with database(tables) as con:
        for name, value in variables.items():
            con.execute(f"SET VARIABLE {name} = ?", [value])
        return con.sql(sql).to_arrow_table()
