"""What the readers of every format share: what stops a file, its header against the contract, and its rows.

A reader yields batches of the contract's columns as verbatim text (empty is null), then ``row_error`` and ``raw``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import pyarrow as pa

from jobs.rules.floor import denied_word
from schemas.contract import Contract

TEXT = pa.string()
# A batch has at most so many rows and about so many bytes, whatever a row's size.
BATCH_ROWS = 65_536
BATCH_BYTES = 16 << 20
# No row is longer: an unbalanced quote or a file without line ends is given up there.
LONGEST_ROW = 16 << 20
# Codes that stop every file of the feed and delivery day; the others stop their file alone.
FEED_CODES = frozenset({"unknown_column", "denied_column", "missing_column", "duplicate_column"})

Valid = Callable[[str], bool]


class Stopped(Exception):
    """A file that cannot be taken: ``code``, and one line that says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Stream(Protocol):
    """Bytes that are read once, from the front; fewer than asked for only at the end."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""


class Header:
    """The columns of a file against its contract; Stopped with a feed code where they do not fit.

    ``ignored`` are unknown columns of a feed that leaves them out.
    """

    def __init__(self, contract: Contract, names: Sequence[str]) -> None:
        self.contract, self.names = contract, list(names)
        self.ignored = [n for n in names if n not in contract.names]
        # without one known column the "header" may be a row of data, and is not shown to anybody
        trusted = len(self.ignored) < len(self.names)
        hint = "" if trusted else "; is the delimiter a comma, is the first line a header in UTF-8?"

        def shown(name: str) -> str:
            return f"column {name!r}" if trusted and name.isidentifier() and len(name) <= 40 else "a column"

        for name in self.ignored:
            if word := denied_word(name):
                raise Stopped(
                    "denied_column", f"{shown(name)} has the denied word {word!r}; have it left out{hint}"
                )
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise Stopped("duplicate_column", f"{shown(twice[0])} stands twice; have one left out{hint}")
        missing = [n for n in contract.required if n not in names]
        if missing:
            raise Stopped(
                "missing_column",
                f"{len(missing)} required columns missing, first {missing[0]!r}; have the file made again{hint}",
            )
        if self.ignored and not contract.ignores_unknown:
            raise Stopped(
                "unknown_column",
                f"{len(self.ignored)} columns not in the contract, first {shown(self.ignored[0])}; "
                f"have them left out or extend schemas/{contract.feed}.py",
            )


class Rows:
    """Rows gathered one by one until they make a batch."""

    def __init__(self, contract: Contract, names: Sequence[str], valid_id: Valid | None = None) -> None:
        self.contract, self.names, self.valid_id = contract, list(names), valid_id
        self._clear()

    def _clear(self) -> None:
        self.cells: list[Sequence[str | None]] = []
        self.errors: list[str | None] = []
        self.raws: list[str | None] = []
        self.size = 0

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def full(self) -> bool:
        """Whether they make a batch."""
        return len(self.cells) >= BATCH_ROWS or self.size >= BATCH_BYTES

    def good(self, cells: Sequence[str | None], size: int) -> None:
        """A row of ``names``."""
        self.cells.append(cells)
        self.errors.append(None)
        self.raws.append(None)
        self.size += size

    def bad(self, code: str, line: bytes, cells: Sequence[str | None] | None = None) -> None:
        """A row that is no row: its text, and the cells that can be read all the same.

        They count where doubt must not cost a person: a withdrawal stops the score although its name is in Latin-1.
        """
        raw = line.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
        self.cells.append(self._found(raw) if cells is None else cells)
        self.errors.append(code)
        self.raws.append(raw)
        self.size += len(line)

    def _found(self, raw: str) -> list[str | None]:
        """Of a row whose cells are lost: the one national id that stands in it, and in the own channel the one kind.

        So a withdrawal still stops the score, and of an erased person nothing is kept.
        """
        found: dict[str, str] = {}
        if self.valid_id is not None and len(raw) < 1 << 16:
            words = set(re.split(r'[\s,;|"{}:]+', raw))
            own = self.contract.ignores_unknown
            kinds = set(self.contract.column("kind").values) & words if own else set()
            ids = [w for w in words if w and self.valid_id(w)]
            if len(ids) == 1:
                found["national_id"] = ids[0]
            if len(kinds) == 1:
                found["kind"] = kinds.pop()
        return [found.get(n) for n in self.names]

    def take(self) -> pa.RecordBatch:
        """The rows as a batch; empties the collection."""
        columns = dict(zip(self.names, zip(*self.cells, strict=True), strict=True)) if self.cells else {}
        batch = as_batch(
            self.contract,
            {n: pa.array(columns[n], TEXT) for n in self.contract.names if n in columns},
            len(self.cells),
            pa.array(self.errors, TEXT),
            pa.array(self.raws, TEXT),
        )
        self._clear()
        return batch


def as_batch(
    contract: Contract,
    columns: dict[str, pa.Array],
    rows: int,
    errors: pa.Array | None = None,
    raws: pa.Array | None = None,
) -> pa.RecordBatch:
    """The contract's columns (null where there is none), ``row_error`` and ``raw``."""
    none = pa.nulls(rows, TEXT)
    arrays = [columns.get(n, none) for n in contract.names]
    arrays += [none if errors is None else errors, none if raws is None else raws]
    return pa.RecordBatch.from_arrays(arrays, names=[*contract.names, "row_error", "raw"])


def gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Small batches put together up to the size of one."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        if waiting and (rows + batch.num_rows > BATCH_ROWS or size + batch.nbytes > BATCH_BYTES):
            yield pa.concat_batches(waiting)
            waiting, rows, size = [], 0, 0
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
    if waiting:
        yield pa.concat_batches(waiting)


def escaped(cells: dict[str, bytes | None]) -> bytes:
    """Cells of a typed source as one line of text, for ``raw``."""
    return b",".join(k.encode() + b"=" + v for k, v in cells.items() if v is not None)


def split_cells(cells: Sequence[bytes]) -> list[str | None]:
    """Cells as text; null where empty, not UTF-8, or with a NUL."""
    found: list[str | None] = []
    for cell in cells:
        try:
            text = cell.decode("utf-8")
        except UnicodeDecodeError:
            text = ""
        found.append(text if text and "\x00" not in text else None)
    return found
