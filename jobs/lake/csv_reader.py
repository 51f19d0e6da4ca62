"""CSV (RFC 4180, UTF-8) as batches of verbatim text, in bounded memory.

Clean stretches go through Arrow. The rest is read record by record, so that a fault costs its own row: where a record
has a fault, its first line alone is refused and reading goes on with the next line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.csv as pacsv

from jobs.lake.readers import LONGEST_ROW, TEXT, Header, Rows, Stopped, Stream, Valid, as_batch, split_cells
from schemas.contract import Contract

BLOCK = 4 << 20
LONG = (
    1 << 20
)  # of a stretch; one with a fault is read again in short ones, so that few rows are read one by one
STRETCH = 256 << 10
BOM = b"\xef\xbb\xbf"
QUOTED = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"')
PLAIN = re.compile(rb'[^",\r\n]*+')
QUOTED_FIELD = re.compile(rb'(?:(?<=[,\n])|\A)"[^"]*+(?:""[^"]*+)*+"(?=,|\r?\n|\r?\Z)')
BARE_RETURN = re.compile(rb"\r(?!\n|\Z)")


def fields_at(data: bytes, start: int, end: int) -> tuple[list[bytes] | None, int, bool]:
    """One record: its fields (None where it has a fault), where the next begins, and whether a quote stays open.

    With a fault the next begins after the first line. An empty line is a record of no fields.
    """
    newline = data.find(b"\n", start, end)
    line_end = end if newline < 0 else newline
    after_line = line_end + (newline >= 0)
    if data.find(b'"', start, line_end) < 0:
        line = data[start:line_end].removesuffix(b"\r")
        if b"\r" in line:
            return None, after_line, False
        return (line.split(b",") if line else []), after_line, False
    fields: list[bytes] = []
    at = start
    while True:
        if data[at : at + 1] == b'"' and at < end:
            match = QUOTED.match(data, at, end)
            if match is None:
                return None, after_line, True
            fields.append(match[1].replace(b'""', b'"'))
        else:
            match = PLAIN.match(data, at, end)
            assert match is not None  # it matches nothing too
            fields.append(match[0])
        at = match.end()
        mark = data[at : min(at + 2, end)]
        if mark[:1] == b",":
            at += 1
        elif mark[:1] == b"\n":
            return fields, at + 1, False
        elif mark in (b"", b"\r", b"\r\n"):
            return fields, at + len(mark), False
        else:
            return None, after_line, False


def _swallowed(record: bytes, width: int) -> bool:
    """Whether a later line of a record is a row by itself: then an unbalanced quote made it part of this one."""
    return any(
        len(fields_at(line, 0, len(line))[0] or ()) == width
        for line in record.removesuffix(b"\n").split(b"\n")[1:]
    )


def quick(data: bytes, header: Header) -> pa.RecordBatch | None:
    """A stretch of whole records without any fault, at Arrow's speed; None where one needs a closer look."""
    if b"\x00" in data or data.startswith(BOM):
        return None
    rest = QUOTED_FIELD.sub(b"", data) if b'"' in data else data
    if b'"' in rest or (b"\r" in rest and BARE_RETURN.search(rest)):
        return None
    kept = [n for n in header.names if n in header.contract.names]
    try:
        if not data.isascii():
            data.decode("utf-8")
        table = pacsv.read_csv(
            pa.BufferReader(data),
            read_options=pacsv.ReadOptions(
                column_names=header.names, use_threads=False, block_size=len(data) + 1
            ),
            parse_options=pacsv.ParseOptions(newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(kept, TEXT),
                include_columns=kept,
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except (UnicodeDecodeError, pa.ArrowInvalid):
        return None
    columns = {n: pa.array([], TEXT) if not table.num_rows else _whole(table.column(n)) for n in kept}
    return as_batch(header.contract, columns, table.num_rows)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


class _Csv:
    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.data, self.at, self.ended = b"", 0, False

    def more(self) -> None:
        block = self.stream.read(BLOCK)
        self.ended = not block
        self.data, self.at = self.data[self.at :] + block, 0

    @property
    def end(self) -> int:
        """The end of the last whole line."""
        return len(self.data) if self.ended else self.data.rfind(b"\n") + 1

    def header(self) -> list[str]:
        """The first line that is not empty."""
        self.more()
        if self.ended:
            raise Stopped("empty_file", "the file is empty; deliver it again, with a header at least")
        if self.data.startswith(BOM):
            self.at = len(BOM)
        while True:
            while not self.ended and not self.end > self.at and len(self.data) - self.at <= LONGEST_ROW:
                self.more()
            end = self.end if self.end > self.at else len(self.data)
            start = self.at
            fields, self.at, _ = fields_at(self.data, start, end)
            if fields:
                return [f.decode("utf-8", "backslashreplace") for f in fields]
            if fields is None:
                return [self.data[start : self.at].decode("utf-8", "backslashreplace")]
            if self.ended and self.at >= len(self.data):
                return []

    def stretch(self, end: int, size: int) -> int:
        """The end of a stretch of whole lines of about so many bytes."""
        if end - self.at <= size:
            return end
        near = self.data.rfind(b"\n", self.at, self.at + size)
        return (near if near >= 0 else self.data.find(b"\n", self.at, end)) + 1 or end

    def skip_line(self) -> None:
        """Drops the rest of a line too long to keep."""
        while (newline := self.data.find(b"\n", self.at)) < 0 and not self.ended:
            self.at = len(self.data)
            self.more()
        self.at = len(self.data) if newline < 0 else newline + 1


def csv_batches(
    stream: Stream, contract: Contract, told: list[str], valid_id: Valid | None = None
) -> Iterator[pa.RecordBatch]:
    """Batches of a CSV file; names of unknown columns that are left out are added to ``told``."""
    csv = _Csv(stream)
    header = Header(contract, csv.header())
    told.extend(header.ignored)
    rows = Rows(contract, header.names, valid_id)
    while True:
        end, waiting, short_until = csv.end, False, 0
        while csv.at < end and not waiting:
            short = csv.at < short_until
            stop = csv.stretch(end, STRETCH if short else LONG)
            clean = quick(csv.data[csv.at : stop], header)
            if clean is None and not short and stop - csv.at > STRETCH:
                short_until = stop
                continue
            if clean is not None:
                csv.at = stop
                if clean.num_rows:
                    yield clean
                continue
            while csv.at < stop and not waiting:
                waiting = not _record(csv, end, rows)
                if rows.full:
                    yield rows.take()
            if len(rows):
                yield rows.take()
        if csv.ended:
            return
        if len(csv.data) - csv.at > LONGEST_ROW and csv.data.find(b"\n", csv.at) < 0:
            rows.bad("malformed_row", csv.data[csv.at : csv.at + STRETCH])
            csv.skip_line()
            yield rows.take()
        else:
            csv.more()


def _record(csv: _Csv, end: int, rows: Rows) -> bool:
    """Reads one record into ``rows``; False when its end is not there yet."""
    start, width = csv.at, len(rows.names)
    fields, after, quote_open = fields_at(csv.data, start, end)
    if quote_open and not csv.ended and len(csv.data) - start <= LONGEST_ROW:
        return False
    record = csv.data[start:after]
    if fields is not None and len(fields) not in (0, width) and _swallowed(record, width):
        fields, after = None, csv.data.find(b"\n", start) + 1
        record = csv.data[start:after]
    csv.at = after
    if fields == []:
        return True
    line = record.removesuffix(b"\n").removesuffix(b"\r")
    fits = fields is not None and len(fields) == width
    try:
        record.decode("utf-8")
    except UnicodeDecodeError:
        rows.bad("encoding", line, split_cells(fields) if fits and fields else None)
        return True
    if fits and fields:
        cells = split_cells(fields)
        if b"\x00" not in record:
            rows.good(cells, len(record))
        else:
            rows.bad("malformed_row", line, cells)
    else:
        rows.bad("malformed_row", line)
    return True
