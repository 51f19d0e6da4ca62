"""Parquet, and Arrow batches from a database, as batches of the text that a CSV of them would hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from jobs.lake.readers import BATCH_ROWS, TEXT, Header, Rows, Stopped, Valid, as_batch, escaped, split_cells
from schemas.contract import Contract

ROWS_AT_ONCE = 8_192
UTC_NAMES = (None, "UTC", "Etc/UTC", "Z", "+00:00")


def _timestamps(column: pa.Array, wanted: str) -> pa.Array:
    text = column.cast(pa.timestamp(column.type.unit)).cast(TEXT)
    text = pc.replace_substring(text, " ", "T", max_replacements=1)
    if column.type.unit != "s":
        text = pc.replace_substring_regex(text, r"\.0+$", "")
        text = pc.replace_substring_regex(text, r"(\.\d*[1-9])0+$", r"\1")
    text = pc.binary_join_element_wise(text, "Z", "")
    if wanted == "date" and column.type.tz in UTC_NAMES:
        # many writers have no date type and write midnight
        midnight = pc.ends_with(text, "T00:00:00Z")
        text = pc.if_else(midnight, pc.utf8_slice_codeunits(text, 0, 10), text)
    return text


def _floats(column: pa.Array) -> pa.Array:
    value = column.cast(pa.float64()) if pt.is_float16(column.type) else column
    whole = pc.and_(pc.equal(value, pc.floor(value)), pc.less(pc.abs(value), 2.0**63))
    integers = pc.if_else(whole, value, None).cast(pa.int64()).cast(TEXT)
    return pc.if_else(whole, integers, value.cast(TEXT))


def as_text(column: pa.Array, wanted: str) -> pa.Array:
    """A column as text: dates ISO, timestamps UTC with their fractions, whole numbers without decimals; empty is null.

    Text is taken as it is, UTF-8 or not. ArrowNotImplementedError for a nested column.
    """
    if pt.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pt.is_timestamp(kind):
        return _timestamps(column, wanted)
    if pt.is_date(kind):
        return column.cast(pa.date32()).cast(TEXT)
    if pt.is_floating(kind):
        return _floats(column)
    if pt.is_decimal(kind):
        return pc.replace_substring_regex(column.cast(TEXT), r"\.0+$", "")
    if pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_fixed_size_binary(kind):
        column = column.cast(pa.binary()).view(TEXT)
    elif pt.is_nested(kind):
        raise pa.ArrowNotImplementedError("nested column")
    text = column.cast(TEXT)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, TEXT), text)


def text_batch(batch: Any, names: list[str], contract: Contract, valid_id: Valid | None) -> pa.RecordBatch:
    """A batch of typed or text columns as a reader's batch; rows with undecodable text or a NUL are told apart."""
    columns = {n: as_text(batch.column(n), contract.column(n).type) for n in names}
    if all(_clean(c) for c in columns.values()):
        return as_batch(contract, columns, batch.num_rows)
    rows = Rows(contract, names, valid_id)
    values = [columns[n].view(pa.binary()).to_pylist() for n in names]
    for row in zip(*values, strict=True):
        line = escaped(dict(zip(names, row, strict=True)))
        cells = split_cells([v or b"" for v in row])
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            rows.bad("encoding", line, cells)
            continue
        if b"\x00" in line:
            rows.bad("malformed_row", line, cells)
        else:
            rows.good(cells, len(line))
    return rows.take()


def _clean(column: pa.Array) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return not pc.any(pc.match_substring(column, "\x00")).as_py()


def parquet_batches(
    source: Any, contract: Contract, told: list[str], valid_id: Valid | None = None
) -> Iterator[pa.RecordBatch]:
    """Batches of a Parquet file that can be read at random."""
    fault = "not a Parquet file of plain columns ({}); deliver it again"
    try:
        file = pq.ParquetFile(source, pre_buffer=False, buffer_size=1 << 20)
        found = file.schema_arrow
    except (pa.ArrowException, OSError) as e:
        raise Stopped("unreadable", fault.format(type(e).__name__)) from None
    header = Header(contract, found.names)
    told.extend(header.ignored)
    names = [n for n in header.names if n in contract.names]
    batches = file.iter_batches(min(ROWS_AT_ONCE, BATCH_ROWS), columns=names, use_threads=False)
    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            made = text_batch(batch, names, contract, valid_id)
        except (pa.ArrowException, OSError) as e:
            raise Stopped("unreadable", fault.format(type(e).__name__)) from None
        yield made
