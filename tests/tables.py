"""Truth tables as text: the first line names the columns, ``|`` parts them, ``-`` is null."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    StructType,
    TimestampType,
)

from jobs.conform import OF_ALL_REVISIONS
from jobs.lake.ask import ask
from jobs.rules import versions
from jobs.rules.consent import attested
from schemas.contract import Contract


def value(text: str, kind: DataType) -> Any:
    """A cell as a value of its column's type."""
    text = text.strip()
    if text in ("-", ""):
        return None
    if isinstance(kind, DateType):
        return dt.date.fromisoformat(text)
    if isinstance(kind, TimestampType):
        return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    if isinstance(kind, LongType | IntegerType):
        return int(text)
    if isinstance(kind, DoubleType):
        return float(text)
    if isinstance(kind, BooleanType):
        return {"yes": True, "no": False}[text]
    if isinstance(kind, ArrayType):
        return [value(t, kind.elementType) for t in text.split("+")]
    return text


def rows(text: str) -> list[dict[str, str]]:
    """The lines of a table as texts by column."""
    lines = [[c.strip() for c in line.split("|")] for line in text.strip().splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def frame(spark: SparkSession, ddl: str, text: str, **defaults: str) -> DataFrame:
    """A frame of a DDL from a text table; columns not named are null or take their default."""
    schema = StructType.fromDDL(ddl)
    made = []
    for row in rows(text):
        cells = {**defaults, **row}
        unknown = set(cells) - set(schema.names)
        assert not unknown, unknown
        made.append({f.name: value(cells.get(f.name, "-"), f.dataType) for f in schema.fields})
    return local(spark, schema, made)


def local(spark: SparkSession, schema: StructType | str, made: list[dict[str, Any]]) -> DataFrame:
    """A small frame that the plan holds itself: from Arrow, so that no Python worker is started for it."""
    schema = StructType.fromDDL(schema) if isinstance(schema, str) else schema
    arrow = to_arrow_schema(schema, timestamp_utc=True)
    return spark.createDataFrame(pa.Table.from_pylist(made, schema=arrow), schema)


def texts(frame: DataFrame, *columns: str) -> set[tuple[str, ...]]:
    """Rows of a small frame as texts, to be compared with what a table expects."""

    def text(v: Any) -> str:
        if v is None:
            return "-"
        if isinstance(v, bool):
            return "yes" if v else "no"
        if isinstance(v, list):
            return "+".join(map(str, v)) or "-"
        return f"{v:g}" if isinstance(v, float) else str(v)

    return {tuple(text(r[c]) for c in columns) for r in frame.select(*columns).collect()}


def expected(text: str) -> set[tuple[str, ...]]:
    """The rows that a table expects."""
    return {tuple(r.values()) for r in rows(text)}


def current(frame: DataFrame, contract: Contract, deliveries: DataFrame | None = None) -> DataFrame:
    """The current version of each accepted record, as conform has it; ``deliveries`` say which files are signed."""
    more = {
        n: f for n, f in OF_ALL_REVISIONS.get(contract.feed, {}).items() if n != "attested_by" or deliveries
    }
    rows, tables = "given", {"given": frame.toArrow()}
    if deliveries is not None:
        rows, tables = attested(rows), {**tables, "deliveries": deliveries.toArrow()}
    sql = versions.current(contract, frame.columns, rows, more)
    made = StructType.fromDDL(", ".join(f"{n} {kind}" for n, (kind, _) in more.items()))
    schema = StructType([*frame.schema.fields, *made.fields])
    return frame.sparkSession.createDataFrame(ask(sql, tables), schema)
