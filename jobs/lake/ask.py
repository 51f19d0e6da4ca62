"""SQL over a few tables at hand, in DuckDB, without a JVM."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa


def ask(sql: str, tables: dict[str, Any], **variables: Any) -> pa.Table:
    """The answer to one SELECT over Arrow tables and datasets by name; ``variables`` as ``getvariable('name')``."""
    con = duckdb.connect(config={"python_enable_replacements": False})
    try:
        con.execute("SET TimeZone = 'UTC'")
        for name, value in variables.items():
            con.execute(f"SET VARIABLE {name} = ?", [value])
        for name, table in tables.items():
            con.register(name, table)
        return con.sql(sql).to_arrow_table()
    finally:
        con.close()
