"""How an answer leaves: an aligned table, CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import io
import json
import math
from typing import Any

import pyarrow as pa

from jobs.errors import UsageError

FORMATS = ("table", "csv", "json", "parquet")


def plain(value: Any) -> Any:
    """A value as JSON knows it: dates and times as ISO 8601, whole decimals as integers, bytes as hex."""
    if isinstance(value, dt.datetime):
        text = value.isoformat()
        return text[:-6] + "Z" if text.endswith("+00:00") else text
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _cell(value: Any) -> str:
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, list) and not any(isinstance(v, list | dict) for v in value):
        return ", ".join(_cell(v) for v in value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "".join(c if c.isprintable() else " " for c in text)


def _aligned(table: pa.Table) -> str:
    rows = [[_cell(v) for v in row.values()] for row in table.to_pylist()]
    numeric = [
        pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_decimal(t)
        for t in table.schema.types
    ]
    names = table.column_names
    widths = [max([len(n), *(len(r[i]) for r in rows)]) for i, n in enumerate(names)]

    def line(cells: list[str]) -> str:
        padded = [
            c.rjust(w) if right else c.ljust(w) for c, w, right in zip(cells, widths, numeric, strict=True)
        ]
        return "  ".join(padded).rstrip()

    count = f"({len(rows)} row{'' if len(rows) == 1 else 's'})"
    return "\n".join([line(names), line(["-" * w for w in widths]), *map(line, rows), count]) + "\n"


def _csv(table: pa.Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.column_names)
    for batch in table.to_batches():
        for row in batch.to_pylist():
            values = [plain(v) for v in row.values()]
            writer.writerow(
                json.dumps(v, ensure_ascii=False)
                if isinstance(v, list | dict)
                else (str(v).lower() if isinstance(v, bool) else v)
                for v in values
            )
    return out.getvalue()


def format_table(table: pa.Table, fmt: str) -> bytes:
    """The answer in one of :data:`FORMATS` as bytes for standard output; UsageError for another."""
    if fmt == "table":
        return _aligned(table).encode()
    if fmt == "csv":
        return _csv(table).encode()
    if fmt == "json":
        rows = [json.dumps(plain(r), ensure_ascii=False) for r in table.to_pylist()]
        return ("[" + ",\n ".join(rows) + "]\n").encode()
    if fmt == "parquet":
        import pyarrow.parquet as pq

        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd")
        return sink.getvalue()
    raise UsageError(f"format {fmt} is unknown; name one of {', '.join(FORMATS)}")
