"""Delivered files as batches of verbatim text, in bounded memory: CSV, JSON Lines and Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from schemas.contract import Contract

BLOCK_BYTES = 4 << 20
BATCH_ROWS = 65_536
LONGEST_ROW = 64 << 20
TEXT = pa.string()


class Stopped(Exception):
    """A file that cannot be taken: ``code``, and one line that says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Header:
    """The columns of a file against its contract: which to keep, and what stops the feed."""

    def __init__(self, contract: Contract, names: list[str], denied: Any) -> None:
        self.contract, self.names = contract, names
        self.ignored = [n for n in names if n not in contract.names]
        for name in names:
            if name not in contract.names and (word := denied(name)):
                raise Stopped(
                    "denied_column", f"column {shown(name)} has the denied word {word!r}; remove the column"
                )
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise Stopped("duplicate_column", f"column {shown(twice[0])} stands twice; remove one")
        missing = [n for n in contract.required if n not in names]
        hint = "; is the delimiter a comma?" if len(names) == 1 else ""
        if missing:
            raise Stopped(
                "missing_column", f"{len(missing)} required column(s) missing, first {missing[0]}{hint}"
            )
        if self.ignored and not contract.ignores_unknown:
            raise Stopped(
                "unknown_column",
                f"column {shown(self.ignored[0])} is not in the contract; remove it or extend the contract",
            )


def shown(name: str) -> str:
    """A column's name for a message: short, printable."""
    text = "".join(c if c.isprintable() else "?" for c in name[:40])
    return repr(text)


def _batch(
    contract: Contract, columns: dict[str, Any], rows: int, errors: list[Any], raws: list[Any]
) -> pa.RecordBatch:
    arrays = []
    for name in contract.names:
        values = columns.get(name)
        arrays.append(pa.nulls(rows, TEXT) if values is None else pa.array(values, TEXT))
    arrays += [pa.array(errors, TEXT), pa.array(raws, TEXT)]
    return pa.RecordBatch.from_arrays(arrays, names=[*contract.names, "row_error", "raw"])


class _Rows:
    """Rows gathered one by one until they make a batch."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.rows: list[list[str | None]] = []
        self.errors: list[str | None] = []
        self.raws: list[str | None] = []

    def good(self, values: list[str | None]) -> None:
        self.rows.append(values)
        self.errors.append(None)
        self.raws.append(None)

    def bad(self, code: str, line: bytes) -> None:
        self.rows.append([None] * len(self.header.names))
        self.errors.append(code)
        self.raws.append(line.decode("utf-8", "backslashreplace").replace("\x00", "\\x00"))

    def take(self) -> pa.RecordBatch:
        columns = dict(zip(self.header.names, zip(*self.rows, strict=True), strict=True)) if self.rows else {}
        batch = _batch(self.header.contract, columns, len(self.rows), self.errors, self.raws)
        self.rows, self.errors, self.raws = [], [], []
        return batch


def _blocks(stream: IO[bytes]) -> Iterator[list[bytes]]:
    """Lines without their ends, in lists of about BLOCK_BYTES."""
    rest = b""
    while True:
        block = stream.read(BLOCK_BYTES)
        if not block:
            if rest:
                yield [rest.removesuffix(b"\r")]
            return
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        if len(rest) > LONGEST_ROW:
            raise Stopped("unreadable", f"a row is longer than {LONGEST_ROW >> 20} MiB; check the line ends")
        if lines:
            yield [line.removesuffix(b"\r") for line in lines]


def _fields(text: str) -> list[str] | None:
    try:
        found = list(csv.reader([text], strict=True))
    except csv.Error:
        return None
    return found[0] if len(found) == 1 else None


def _open_quote(line: bytes) -> bool:
    return line.count(b'"') % 2 == 1


class _CsvRows:
    """Physical lines made into records: a quoted field may span lines, an unbalanced quote costs its own line only."""

    def __init__(self, rows: _Rows, width: int) -> None:
        self.rows, self.width = rows, width
        self.pending: list[bytes] = []
        self.size = 0

    def line(self, line: bytes) -> None:
        if self.pending:
            self.pending.append(line)
            self.size += len(line)
            if _open_quote(line):
                self._close()
            elif self.size > LONGEST_ROW // 4:
                self._give_up()
        elif _open_quote(line):
            self.pending, self.size = [line], len(line)
        elif line:
            self._record(line)

    def _close(self) -> None:
        whole = b"\n".join(self.pending)
        if self._parsed(whole) is None:
            self._give_up()
        else:
            self.pending = []
            self._record(whole)

    def _give_up(self) -> None:
        first, *others = self.pending
        self.pending = []
        self.rows.bad(self._code(first), first)
        for line in others:
            self.line(line)

    def end(self) -> None:
        while self.pending:
            self._give_up()

    @staticmethod
    def _code(line: bytes) -> str:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return "encoding"
        return "malformed_row"

    def _parsed(self, line: bytes) -> list[str] | None:
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            return None
        fields = None if "\x00" in text else _fields(text)
        return fields if fields is not None and len(fields) == self.width else None

    def _record(self, line: bytes) -> None:
        fields = self._parsed(line)
        if fields is None:
            self.rows.bad(self._code(line), line)
        else:
            self.rows.good([f or None for f in fields])


def _fast(lines: list[bytes], header: Header) -> pa.RecordBatch | None:
    """A clean block at Arrow's speed; None when any row of it needs a closer look."""
    block = b"\n".join(lines) + b"\n"
    if b'"' in block or b"\x00" in block or b"\r" in block or b"\n\n" in block or block.startswith(b"\n"):
        return None
    try:
        block.decode("utf-8")
        table = pacsv.read_csv(
            pa.BufferReader(block),
            read_options=pacsv.ReadOptions(
                column_names=header.names, use_threads=False, block_size=len(block) + 1
            ),
            parse_options=pacsv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(header.names, TEXT), null_values=[""], strings_can_be_null=True
            ),
        )
    except (UnicodeDecodeError, pa.ArrowInvalid):
        return None
    if table.num_rows != len(lines):
        return None
    none = [None] * table.num_rows
    columns = {n: table.column(n).combine_chunks() for n in header.names}
    return _batch(header.contract, columns, table.num_rows, none, none)


def csv_batches(
    stream: IO[bytes], contract: Contract, denied: Any, told: list[str]
) -> Iterator[pa.RecordBatch]:
    """Batches of a CSV file (RFC 4180): the contract's columns as text, ``row_error`` and ``raw``."""
    csv.field_size_limit(LONGEST_ROW)
    blocks = _blocks(stream)
    first = next(blocks, None)
    if first is None:
        raise Stopped("empty_file", "the file is empty; deliver it with a header")
    try:
        names = _fields(first[0].removeprefix(b"\xef\xbb\xbf").decode("utf-8"))
    except UnicodeDecodeError:
        names = None
    if not names:
        raise Stopped(
            "missing_column", "the header cannot be read; deliver UTF-8 with a comma between columns"
        )
    header = Header(contract, names, denied)
    told.extend(header.ignored)
    rows = _Rows(header)
    slow = _CsvRows(rows, len(names))
    lines: list[bytes] | None = first[1:]
    while lines is not None:
        quick = _fast(lines, header) if lines and not slow.pending else None
        if quick is not None:
            if rows.rows:
                yield rows.take()
            yield quick
        else:
            for line in lines:
                slow.line(line)
                if len(rows.rows) >= BATCH_ROWS:
                    yield rows.take()
        lines = next(blocks, None)
    slow.end()
    if rows.rows:
        yield rows.take()


def _json_cell(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    raise TypeError


def json_batches(
    stream: IO[bytes], contract: Contract, denied: Any, told: list[str]
) -> Iterator[pa.RecordBatch]:
    """Batches of a JSON Lines file; numbers stay as they were written, a missing key is null."""
    rows = _Rows(Header(contract, list(contract.names), denied))
    seen: set[str] = set()
    nothing = True
    for lines in _blocks(stream):
        if nothing and lines and lines[0].startswith(b"\xef\xbb\xbf"):
            lines[0] = lines[0][3:]
        nothing = False
        for line in lines:
            if not line.strip():
                continue
            try:
                found = json.loads(line.decode("utf-8"), parse_float=str, parse_int=str, parse_constant=str)
                if not isinstance(found, dict) or b"\x00" in line:
                    raise TypeError
                more = found.keys() - seen
                if more:
                    names = [n for n in contract.names if n in contract.required]
                    Header(contract, names + [n for n in sorted(more) if n not in names], denied)
                    told.extend(n for n in sorted(more) if n not in contract.names)
                    seen |= more
                cells = [_json_cell(found.get(n)) for n in contract.names]
                if any(c is not None and "\x00" in c for c in cells):
                    raise TypeError
                rows.good(cells)
            except UnicodeDecodeError:
                rows.bad("encoding", line)
            except (ValueError, TypeError, RecursionError):
                rows.bad("malformed_row", line)
            if len(rows.rows) >= BATCH_ROWS:
                yield rows.take()
    if nothing:
        raise Stopped(
            "empty_file", "the file is empty; deliver a header (CSV) or Parquet for a delivery of no rows"
        )
    if rows.rows:
        yield rows.take()


def _text(column: pa.Array) -> pa.Array:
    """A Parquet column as the text that a CSV of it would hold."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_timestamp(kind):
        utc = column.cast(pa.timestamp("us", tz=kind.tz), safe=False)
        utc = utc.cast(pa.timestamp("us", tz="UTC"))
        text = pc.strftime(utc, format="%Y-%m-%dT%H:%M:%S")  # keeps six decimals
        return pc.binary_join_element_wise(pc.replace_substring_regex(text, r"\.0+$", ""), "Z", "")
    if pa.types.is_floating(kind):
        whole = pc.equal(column, pc.floor(column))
        integers = pc.if_else(whole, column, None).cast(pa.int64(), safe=False).cast(TEXT)
        return pc.if_else(whole, integers, column.cast(TEXT))
    if pa.types.is_decimal(kind):
        return pc.replace_substring_regex(column.cast(TEXT), r"\.0+$", "")
    text = column.cast(TEXT)
    return pc.if_else(pc.equal(text, ""), None, text)


def parquet_batches(
    source: Any, contract: Contract, denied: Any, told: list[str]
) -> Iterator[pa.RecordBatch]:
    """Batches of a Parquet file, typed or text columns rendered as text."""
    try:
        file = pq.ParquetFile(source)
        header = Header(contract, file.schema_arrow.names, denied)
        told.extend(header.ignored)
        names = [n for n in header.names if n in contract.names]
        for batch in file.iter_batches(BATCH_ROWS, columns=names):
            columns = {n: _text(batch.column(n)) for n in names}
            none = [None] * batch.num_rows
            yield _batch(contract, columns, batch.num_rows, none, none)
    except (pa.ArrowException, OSError) as e:
        raise Stopped(
            "unreadable", f"not a readable Parquet file ({type(e).__name__}); deliver it again"
        ) from None
