"""SQL over a few tables at hand, in DuckDB, without a JVM."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from jobs.lake.parquet_files import Files

# Of one database; four are at work at most (jobs/side_by_side.py), beside the JVM, on a machine of which a night may
# take 16 GB. What is more goes to a folder of its own on the disk.
MEMORY = "2GB"
NO_KEYS = pa.table({"key": pa.array([], pa.string())})


@contextmanager
def _database(tables: dict[str, Any]) -> Iterator[duckdb.DuckDBPyConnection]:
    with tempfile.TemporaryDirectory(prefix="assent-") as spill:
        con = duckdb.connect(
            config={"python_enable_replacements": False, "temp_directory": spill, "memory_limit": MEMORY}
        )
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
def stream(sql: str, tables: dict[str, Any]) -> Iterator[pa.RecordBatchReader]:
    """The answer to one SELECT batch by batch."""
    with _database(tables) as con:
        yield con.sql(sql).to_arrow_reader(65_536)


def ask(sql: str, tables: dict[str, Any], **variables: Any) -> pa.Table:
    """The answer to one SELECT over tables, datasets and files by name; ``variables`` as ``getvariable('name')``."""
    with _database(tables) as con:
        for name, value in variables.items():
            con.execute(f"SET VARIABLE {name} = ?", [value])
        return con.sql(sql).to_arrow_table()
