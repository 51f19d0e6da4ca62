"""A table that we own: its name, grain and columns, and what they are in Spark and Arrow."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

ARROW = {
    "STRING": pa.string(),
    "BIGINT": pa.int64(),
    "INT": pa.int32(),
    "DATE": pa.date32(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "BINARY": pa.binary(),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
    "ARRAY<STRING>": pa.list_(pa.string()),
    "ARRAY<INT>": pa.list_(pa.int32()),
    "ARRAY<BINARY>": pa.list_(pa.binary()),
}


@dataclass(frozen=True)
class Table:
    """One owned table: ``grain`` is one row per what; ``columns`` are (name, Spark type, meaning)."""

    name: str
    grain: str
    columns: tuple[tuple[str, str, str], ...]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [n for n, _, _ in self.columns]

    def ddl(self) -> str:
        """Spark DDL."""
        return ", ".join(f"{n} {t}" for n, t, _ in self.columns)

    def arrow(self) -> pa.Schema:
        """Arrow schema."""
        return pa.schema([pa.field(n, ARROW[t]) for n, t, _ in self.columns])
