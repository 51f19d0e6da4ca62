"""JSON Lines as batches of verbatim text, in bounded memory: an object a line, of texts, numbers, true and false."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from jobs.lake.csv_reader import BLOCK, BOM, STRETCH
from jobs.lake.readers import LONGEST_ROW, Header, Rows, Stopped, Stream, Valid
from schemas.contract import Contract

# Names of unknown keys that are remembered; a file with more has no columns.
MOST_KEYS = 1_000


class _Repeated(ValueError):
    """An object with one key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found


def _constant(word: str) -> Any:
    raise ValueError(word)  # NaN and Infinity are not JSON


# numbers stay as they were written
DECODER = json.JSONDecoder(
    parse_float=str, parse_int=str, parse_constant=_constant, object_pairs_hook=_object
)


def lines(stream: Stream) -> Iterator[tuple[bytes, bool]]:
    """Each line without its end, and whether it is whole; one too long to keep is cut."""
    data, first, dropping = b"", True, False
    while block := stream.read(BLOCK):
        data += block
        if first:
            data, first = data.removeprefix(BOM), False
        *whole, data = data.split(b"\n")
        for line in whole:
            if not dropping:
                yield line.removesuffix(b"\r"), True
            dropping = False
        if dropping:
            data = b""
        elif len(data) > LONGEST_ROW:
            yield data[:STRETCH], False
            data, dropping = b"", True
    if first:
        raise Stopped(
            "empty_file", "the file is empty; a delivery of no rows is a CSV header or an empty Parquet file"
        )
    if data:
        yield data.removesuffix(b"\r"), True


def _cell(value: Any) -> tuple[str | None, bool]:
    """A value as text, and whether it is one."""
    if value is None or value == "":
        return None, True
    if isinstance(value, bool):
        return ("true" if value else "false"), True
    if not isinstance(value, str) or "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        return None, False
    return value, True


def json_batches(
    stream: Stream, contract: Contract, told: list[str], valid_id: Valid | None = None
) -> Iterator[pa.RecordBatch]:
    """Batches of a JSON Lines file; a missing key is null, an unknown key is an unknown column."""
    rows = Rows(contract, contract.names, valid_id)
    seen = set(contract.names)
    for line, whole in lines(stream):
        if not line.strip() and whole:
            continue
        code, found = _parsed(line) if whole else ("malformed_row", None)
        if found is None:
            rows.bad(code or "malformed_row", line)
        else:
            if more := found.keys() - seen:
                # what a key is missing from is a row, never a column
                ignored = Header(contract, [*contract.names, *sorted(more)]).ignored
                if len(told) + len(ignored) > MOST_KEYS:
                    raise Stopped(
                        "unreadable", f"more than {MOST_KEYS} different keys; deliver one object a row"
                    )
                told.extend(ignored)
                seen |= more
            cells = [_cell(found.get(n)) for n in contract.names]
            # what a key holds that is left out is nobody's fault: it may be nested
            fits = all(ok for _, ok in cells)
            texts = [text for text, _ in cells]
            if code is None and fits:
                rows.good(texts, len(line))
            else:
                rows.bad(code or "malformed_row", line, texts)
        if rows.full:
            yield rows.take()
    if len(rows):
        yield rows.take()


def _parsed(line: bytes) -> tuple[str | None, dict[str, Any] | None]:
    """The fault of a line, if any, and its object; of one that is not UTF-8 what is ASCII."""
    code = None
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        code, text = "encoding", line.decode("ascii", "surrogateescape")
    try:
        found = DECODER.decode(text)
    except (ValueError, RecursionError):
        return code or "malformed_row", None
    if not isinstance(found, dict):
        return code or "malformed_row", None
    if code is not None:
        found = {k: v for k, v in found.items() if k.isascii()}
    return code, found
