"""The data files of a package and its descriptor, a Frictionless Data Package (datapackage.org, version 1).

A CSV is safe to open in a spreadsheet, and loads back without loss by the rule that stands in its schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from jobs.lake.packages import Field, Package
    from jobs.lake.sealing import Box, Member

DESCRIPTOR = "datapackage.json"
# OWASP, CSV injection: what a spreadsheet may take for a formula; \, because a line `\.` ends the data for PostgreSQL
# before 18, also in quotes; and the escape itself, so that it can be undone
LINE = "=+\\-@\t\\\\'＝＋－＠"
DANGEROUS = f"^[{LINE}\r\n]|[\r\n][{LINE}]"
ESCAPE_RULE = (
    "In the CSV a text, and each line within it, that begins with one of = + - @ (also full-width), \\, tab or ' has "
    "one ' put before it, and so has a text that begins with a line break: no spreadsheet takes it for a formula. "
    'To load it, remove one \' at the start of the text and of each line. Empty is null, "" an empty text.'
)
CHANGES = ("ADD", "CHANGE", "REMOVE")
ROWS = 64_000


def escaped(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch whose texts no spreadsheet takes for a formula."""
    columns = []
    for column in batch.columns:
        # mostly there is nothing to escape, and to look takes half as long as to replace
        if pa.types.is_string(column.type) and pc.any(pc.match_substring_regex(column, DANGEROUS)).as_py():
            column = pc.replace_substring_regex(column, f"([\r\n])([{LINE}])", r"\1'\2")
            column = pc.replace_substring_regex(column, f"^[{LINE}\r\n]", r"'\0")
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def write_parquet(table: pa.Table, file: BinaryIO) -> None:
    """Parquet without statistics; the same rows give the same bytes."""
    pq.write_table(
        table, file, compression="zstd", write_statistics=False, store_schema=False, row_group_size=ROWS
    )


def write_csv(table: pa.Table, file: BinaryIO) -> None:
    """CSV (RFC 4180 but for its LF): every text in quotes, null empty, dangerous texts escaped."""

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in table.to_batches(max_chunksize=ROWS):
            yield escaped(batch)

    with pacsv.CSVWriter(
        file, table.schema, write_options=pacsv.WriteOptions(quoting_style="needed")
    ) as writer:
        for batch in batches():
            writer.write_batch(batch)


def _field(field: Field, kind: str, nulls: int) -> dict[str, Any]:
    constraints: dict[str, Any] = {}
    if field.required and nulls == 0:
        constraints["required"] = True
    if field.enum:
        constraints["enum"] = list(field.enum)
    if field.pattern:
        constraints["pattern"] = field.pattern
    text = field.description
    if field.type == "string" and kind == "csv":
        text = f"{text}. {ESCAPE_RULE}"
    made: dict[str, Any] = {"name": field.name, "type": field.type, "description": text}
    return {**made, "constraints": constraints} if constraints else made


def _resource(
    name: str, kind: str, member: Member, table: pa.Table, fields: tuple[Field, ...], key: str
) -> dict[str, Any]:
    """A resource. Parquet is ``type: file``: frictionless 5.21 checks its size and hash only then."""
    facts: dict[str, Any] = {"name": f"{name}-{kind}", "path": f"{name}.{kind}", "format": kind}
    if kind == "csv":
        facts |= {
            "profile": "tabular-data-resource",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "dialect": {
                "delimiter": ",",
                "lineTerminator": "\n",
                "quoteChar": '"',
                "doubleQuote": True,
                "header": True,
            },
        }
    else:
        facts |= {"type": "file", "mediatype": "application/vnd.apache.parquet"}
    columns = [_field(f, kind, table.column(f.name).null_count) for f in fields]
    schema = {"fields": columns, "primaryKey": [key], "missingValues": [""]}
    return {**facts, "bytes": member.bytes, "hash": f"sha256:{member.sha256}", "schema": schema}


def fill(box: Box, package: Package, changed: tuple[Field, ...], replaces: str | None) -> None:
    """Puts a package's data files and descriptor into a box. ``changed``: the columns of ``changes``."""
    resources = []
    tables = (("snapshot", package.snapshot, package.fields), ("changes", package.changes, changed))
    for name, table, fields in tables:
        for kind, write in (("csv", write_csv), ("parquet", write_parquet)):
            member = box.add(f"{name}.{kind}", lambda file, w=write, t=table: w(t, file))  # type: ignore[misc]
            resources.append(_resource(name, kind, member, table, fields, package.key))
    made = package.changes.column("change").to_pylist()
    before = package.previous
    descriptor = {
        "profile": "data-package",
        "name": package.stem,
        "title": package.title,
        "created": f"{package.night.isoformat()}T00:00:00Z",
        "night": package.night.isoformat(),
        "recipient": package.recipient,
        "approved": package.approved,
        "counts": {"snapshot": package.snapshot.num_rows, **{c: made.count(c) for c in CHANGES}},
        "previous": None if before.name is None else {"name": before.name, "sha256": before.sha256},
        "replaces": None if replaces is None else {"name": package.stem, "sha256": replaces},
        **package.facts,
        "resources": resources,
    }
    box.add_text(DESCRIPTOR, json.dumps(descriptor, indent=2, ensure_ascii=False) + "\n")
