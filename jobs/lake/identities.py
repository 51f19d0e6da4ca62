"""The codes of every identity met so far: each is coded once, however often and in whatever order it is delivered.

Coding one takes Python some 20 µs; those met before are found for a whole batch at a time. What is kept is an
identity's text, its hash and its codes as bytes beside each other, about 300 bytes an identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schemas.contract import IDENTITY_NAMES

SIZE = 16
MOST_NAMES = 2  # comparison keys of a name (rules/identity.py)
KEPT = 12_000_000  # beyond it all are forgotten and met again: 4 GB, of which a usual night needs little
KEPT_BYTES = 2 << 30  # of text, likewise
TAKEN_OUT = 1_000_000  # identities handed over at once: 170 MB
BETWEEN, NOTHING = "\x1f", "\x1e"

Coded = tuple[bool | None, int | None, bytes | None, bytes | None, list[bytes] | None, list[bytes] | None]


def _rows(macs: Sequence[bytes | None]) -> tuple[np.ndarray, np.ndarray]:
    """Codes as rows of SIZE bytes, and which there are."""
    data = b"".join(bytes(SIZE) if m is None else m for m in macs)
    return np.frombuffer(data, np.uint8).reshape(-1, SIZE), np.array([m is not None for m in macs], bool)


class _Names:
    """Lists of at most two codes, null where there is none."""

    def __init__(self, rows: int) -> None:
        self.codes = np.zeros((rows, MOST_NAMES, SIZE), np.uint8)
        self.count = np.full(rows, -1, np.int8)

    def put(self, places: slice, lists: Sequence[list[bytes] | None]) -> None:
        self.count[places] = [-1 if codes is None else len(codes) for codes in lists]
        for n in range(MOST_NAMES):
            self.codes[places, n] = _rows(
                [codes[n] if codes and n < len(codes) else None for codes in lists]
            )[0]

    def take(self, places: np.ndarray) -> pa.Array:
        count = self.count[places]
        lengths = np.maximum(count, 0)
        used = np.arange(MOST_NAMES) < lengths[:, None]
        data = self.codes[places][used]
        child = _fixed(data, np.ones(len(data), bool))
        buffers = [_bits(count >= 0), _offsets(lengths)]
        return pa.Array.from_buffers(pa.list_(pa.binary()), len(places), buffers, children=[child])


def _bits(valid: np.ndarray) -> pa.Buffer:
    return pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())


def _offsets(lengths: np.ndarray) -> pa.Buffer:
    return pa.py_buffer(np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int32).tobytes())


def _fixed(rows: np.ndarray, valid: np.ndarray) -> pa.Array:
    """Rows of SIZE bytes as Arrow's binary, null where not ``valid``."""
    buffers = [_bits(valid), _offsets(np.where(valid, SIZE, 0)), pa.py_buffer(rows[valid].tobytes())]
    return pa.Array.from_buffers(pa.binary(), len(rows), buffers)


@lru_cache(maxsize=1)
def _database() -> duckdb.DuckDBPyConnection:
    """One for the process, with a single thread: batches are small, and coded while others are read and written."""
    return duckdb.connect(config={"threads": 1})


@dataclass(frozen=True)
class _Met:
    """Identities found by their hash: the place of each, and its text, as hashes can collide."""

    places: np.ndarray
    index: pd.Index
    texts: pa.Array

    def after(self, earlier: _Met) -> _Met:
        """Those of both."""
        places = np.concatenate([earlier.places, self.places])
        return _Met(places, earlier.index.append(self.index), pa.concat_arrays([earlier.texts, self.texts]))


class Identities:
    """``code`` gives the codes of one identity: valid, person_id, id_mac, birth_mac, name_macs, given_macs."""

    def __init__(self, code: Callable[..., Coded], kept: int = KEPT) -> None:
        self._code, self._kept = code, kept
        self._duckdb = _database().cursor()
        self._first = self._count = 0  # identities have the numbers from ``first`` on
        self._keep: Callable[[pa.Table], object] = lambda _: None
        self._forget()

    def _forget(self) -> None:
        self._first += self._count
        self._count = self._bytes = 0
        self._met: list[_Met] = []  # each more than twice as many as the next
        self._spelled: list[pa.RecordBatch] = []
        self._room(1024, new=True)

    def _room(self, rows: int, new: bool = False) -> None:
        """Makes room for so many identities."""
        old = None if new else vars(self).copy()
        self._valid = np.full(rows, -1, np.int8)
        self._person = np.zeros(rows, np.int64)
        self._macs = np.zeros((2, rows, SIZE), np.uint8)
        self._has = np.zeros((2, rows), bool)
        self._used = np.zeros(rows, bool)
        self._names, self._given = _Names(rows), _Names(rows)
        if old is not None:
            n = len(old["_valid"])
            self._valid[:n], self._person[:n] = old["_valid"], old["_person"]
            self._macs[:, :n], self._has[:, :n] = old["_macs"], old["_has"]
            self._used[:n] = old["_used"]
            for mine, theirs in ((self._names, old["_names"]), (self._given, old["_given"])):
                mine.codes[:n], mine.count[:n] = theirs.codes, theirs.count

    def _put(self, first: int, coded: list[Coded]) -> None:
        """Keeps codes in the places from ``first`` on."""
        places = slice(first, first + len(coded))
        valid, person, id_macs, birth_macs, names, given = zip(*coded, strict=True)
        self._valid[places] = [-1 if v is None else int(v) for v in valid]
        self._person[places] = [p or 0 for p in person]
        for n, macs in enumerate((id_macs, birth_macs)):
            self._macs[n, places], self._has[n, places] = _rows(macs)
        self._names.put(places, names)
        self._given.put(places, given)

    def columns(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """What landing adds of identities, one value a row of the batch's text columns."""
        parts = [batch.column(n) for n in IDENTITY_NAMES]
        texts = _texts(parts, batch.num_rows)
        hashes = self._hashes(texts)
        places = self._places(texts, hashes)
        unknown = np.flatnonzero(places < 0)
        if self._count and (self._count + len(unknown) > self._kept or self._bytes > KEPT_BYTES):
            self._hand_over()
            self._forget()
            unknown = np.arange(batch.num_rows)
        if len(unknown):
            places[unknown] = self._meet(parts, texts, hashes, unknown)
        return self._taken(places)

    def _hashes(self, texts: pa.Array) -> np.ndarray:
        self._duckdb.register("texts", pa.table({"text": texts}))
        found = self._duckdb.sql("SELECT hash(text) AS hash FROM texts").to_arrow_table()
        return np.asarray(found.column("hash"))

    def _places(self, texts: pa.Array, hashes: np.ndarray) -> np.ndarray:
        """The place of each identity that was met before; -1 of others."""
        places = np.full(len(hashes), -1, np.int64)
        left = np.arange(len(hashes))
        for met in self._met:
            at = met.index.get_indexer(hashes[left])
            there = at >= 0
            rows, at = left[there], at[there]
            same = pc.equal(met.texts.take(pa.array(at)), texts.take(pa.array(rows)).cast(pa.large_string()))
            same = same.to_numpy(zero_copy_only=False)
            places[rows[same]] = met.places[at[same]]
            left = left[~there]
        return places

    def _meet(
        self, parts: list[pa.Array], texts: pa.Array, hashes: np.ndarray, unknown: np.ndarray
    ) -> np.ndarray:
        """Codes identities met for the first time; their places, one a row of ``unknown``."""
        found = texts.take(pa.array(unknown)).dictionary_encode()
        which = found.indices.to_numpy(zero_copy_only=False)
        new = len(found.dictionary)
        if self._count + new > len(self._valid):
            self._room(max(self._count + new, 2 * len(self._valid)))
        first = np.empty(new, np.int64)
        first[which[::-1]] = unknown[::-1]
        # the others have a place that is not found again
        own = pc.match_substring(found.dictionary, BETWEEN).to_numpy(zero_copy_only=False)
        kept = own & ~pd.Index(hashes[first]).duplicated(keep=False)
        for met in self._met:
            kept &= met.index.get_indexer(hashes[first]) < 0
        cells = [p.take(pa.array(first)) for p in parts]
        self._put(self._count, [self._code(*i) for i in zip(*(c.to_pylist() for c in cells), strict=True)])
        # long offsets: of twelve million identities, or of some very long ones, the texts are more than 2 GB
        self._spelled.append(
            pa.RecordBatch.from_arrays([c.cast(pa.large_string()) for c in cells], names=[*IDENTITY_NAMES])
        )
        self._bytes += self._spelled[-1].nbytes
        places = self._count + np.arange(new)
        self._count += new
        some = np.flatnonzero(kept)
        self._remember(places[some], hashes[first[some]], found.dictionary.take(pa.array(some)))
        found_at: np.ndarray = places[which]
        return found_at

    def _remember(self, places: np.ndarray, hashes: np.ndarray, texts: pa.Array) -> None:
        met = _Met(places, pd.Index(hashes), texts.cast(pa.large_string()))
        while self._met and len(self._met[-1].index) <= 2 * len(met.index):
            met = met.after(self._met.pop())
        self._met.append(met)

    def _taken(self, places: np.ndarray) -> dict[str, pa.Array]:
        self._used[places] = True
        valid, names = self._valid[places], self._names.count[places]
        return {
            "id_valid": pa.array(valid == 1, mask=valid < 0),
            "person_id": pa.array(self._person[places], mask=valid != 1),
            "identity": pa.array(self._first + places),
            "birth_comparable": pa.array(self._has[1][places], mask=valid != 1),
            "name_comparable": pa.array(names > 0, mask=names < 0),
        }

    @contextmanager
    def naming(self, keep: Callable[[pa.Table], object]) -> Iterator[None]:
        """Within it, and at its end, ``keep`` is given MET_COLUMNS of the identities that rows name."""
        self._keep = keep
        self._used[:] = False
        try:
            yield
            self._hand_over()
        finally:
            self._keep = lambda _: None

    def _hand_over(self) -> None:
        places = np.flatnonzero(self._used[: self._count])
        self._used[:] = False
        if not len(places):
            return
        spelled = pa.Table.from_batches(self._spelled)
        for start in range(0, len(places), TAKEN_OUT):
            some = places[start : start + TAKEN_OUT]
            self._keep(self._taken_out(some, spelled.take(pa.array(some))))

    def _taken_out(self, places: np.ndarray, spelled: pa.Table) -> pa.Table:
        columns = {
            "identity": pa.array(self._first + places),
            **{n: spelled.column(n) for n in IDENTITY_NAMES},
            "person_id": pa.array(self._person[places], mask=self._valid[places] != 1),
            "id_mac": _fixed(self._macs[0][places], self._has[0][places]),
            "birth_mac": _fixed(self._macs[1][places], self._has[1][places]),
            "name_macs": self._names.take(places),
            "given_macs": self._given.take(places),
        }
        return pa.table(columns)


def _texts(parts: list[pa.Array], rows: int) -> pa.Array:
    """Each row's identity as one text; a row with our own signs in a cell gets one of its own, without them."""
    joined = pc.binary_join_element_wise(*parts, BETWEEN, null_handling="replace", null_replacement=NOTHING)
    signs = np.frombuffer(joined.buffers()[2] or b"", np.uint8)
    signs = signs[: np.frombuffer(joined.buffers()[1], np.int32)[rows]]
    if np.count_nonzero(signs == ord(BETWEEN)) == rows * (len(IDENTITY_NAMES) - 1) and np.count_nonzero(
        signs == ord(NOTHING)
    ) == sum(p.null_count for p in parts):
        return joined
    nulls = sum(pc.cast(pc.is_null(p), pa.int32()).to_numpy(zero_copy_only=False) for p in parts)
    odd = (pc.count_substring(joined, BETWEEN).to_numpy(zero_copy_only=False) != len(IDENTITY_NAMES) - 1) | (
        pc.count_substring(joined, NOTHING).to_numpy(zero_copy_only=False) != nulls
    )
    return pc.if_else(pa.array(odd), pa.array(np.arange(rows)).cast(pa.string()), joined)
