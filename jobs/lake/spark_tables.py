"""Delta tables as Spark reads and writes them: Spark has the Parquet files alone, delta-rs keeps the log.

Why not through Delta's own Spark code: docs/decisions/12-spark-has-the-files.md.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, Schema
from deltalake.transaction import AddAction, create_table_with_add_actions

from jobs.lake.parquet_files import CARRIED_FILE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

# A path is a path: no sign in it stands for other signs.
VERBATIM = "__globPaths__"


def read(spark: SparkSession, url: str, table: DeltaTable) -> DataFrame:
    """A version of a table: the files that its log names, and no others."""
    schema = _schema(table)
    named = files(table, url)
    if not named:
        return empty(spark, schema)
    reader = spark.read.schema(schema).option(VERBATIM, "false").option("basePath", url)
    rows = reader.parquet(*named)
    # of a partitioned table Spark puts the partition columns last; the table's order is the schema's
    return rows.select(*schema.names) if table.metadata().partition_columns else rows


def files(table: DeltaTable, root: str) -> list[str]:
    """The files that the log names, under a root; as they are called, not as a URL would have them."""
    return sorted(f"{root}/{f}" for f in pa.table(table.get_add_actions()).column("path").to_pylist())


def schema(table: DeltaTable, columns: Sequence[str]) -> StructType:
    """The Spark schema of some columns of a version of a table."""
    from pyspark.sql.types import StructType

    whole = _schema(table)
    return StructType([whole[name] for name in columns])


def _schema(table: DeltaTable) -> StructType:
    from pyspark.sql.types import StructType

    return StructType.fromJson(json.loads(table.schema().to_json()))


def empty(spark: SparkSession, schema: StructType) -> DataFrame:
    """A frame without rows, known as such to the optimiser (an empty Python list is not)."""
    columns = ", ".join(f"CAST(NULL AS {f.dataType.simpleString()}) AS `{f.name}`" for f in schema)
    return spark.sql(f"SELECT {columns} FROM range(0)")


def write(
    frame: DataFrame,
    fs: Any,
    path: str,
    url: str,
    properties: dict[str, str],
    carry: Callable[[str], None] | None = None,
) -> int:
    """Writes a frame, commits its files at once in place of the whole table and returns the version; ``carry`` writes
    a file of further rows.
    """
    token = secrets.token_hex(8)
    (
        frame.write.mode("append")
        .option("mapreduce.output.basename", token)
        .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
        .parquet(url)
    )
    if carry is not None:
        carry(f"{path}/{token}{CARRIED_FILE}")
    declared = Schema.from_json(json.dumps(_nullable(json.loads(frame.schema.json()))))
    return commit(url, declared, _added(fs, path, token), properties)


def commit(
    url: str,
    declared: Schema,
    added: list[AddAction],
    properties: dict[str, str],
    by: str | None = None,
    after: str | None = None,
) -> int:
    """A version of a table that holds these files in place of what it held; returns the version.

    With ``by`` and ``after`` only of the partitions whose ``by`` is above it.
    """
    keys = [by] if by else []
    if not DeltaTable.is_deltatable(url):
        create_table_with_add_actions(
            url, declared, added, mode="error", partition_by=keys, configuration=properties
        )
        return 0
    replaced = [(by, ">", after)] if by and after else None
    DeltaTable(url).create_write_transaction(
        [*added], "overwrite", declared, partition_by=keys, partition_filters=replaced
    )
    return int(DeltaTable(url).version())


def _added(fs: Any, path: str, token: str) -> list[AddAction]:
    """The files that a write has left under its token; those without a row are removed."""
    try:
        there = sorted(fs.ls(path, detail=False, refresh=True))
    except FileNotFoundError:  # an object store has no folder where there is no file
        return []
    found = []
    for file in there:
        if not file.rsplit("/", 1)[-1].startswith(f"{token}-"):
            continue
        with fs.open(file, "rb") as f:
            rows = pq.read_metadata(f).num_rows
        if rows == 0:
            fs.rm(file)
            continue
        found.append(added(fs, file, file.removeprefix(f"{path}/"), rows, {}))
    return found


def added(fs: Any, file: str, place: str, rows: int, partition: dict[str, str]) -> AddAction:
    """What the log says of a file that a version gains; ``place`` is its path in the table."""
    return AddAction(
        path=place,
        size=fs.size(file),
        partition_values=dict(partition),
        modification_time=int(fs.modified(file).timestamp() * 1000),
        data_change=True,
        stats=json.dumps({"numRecords": rows}),
    )


def _nullable(schema: Any) -> Any:
    """A schema's JSON with everything nullable: what a frame happens to lack tonight is no promise of its table."""
    if isinstance(schema, list):
        return [_nullable(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    allowed = {k: True for k in ("nullable", "containsNull", "valueContainsNull") if k in schema}
    return {k: _nullable(v) for k, v in schema.items()} | allowed
