"""The codes of every identity met so far: each is coded once, however often and in whatever order it is delivered.

Coding one takes Python some 20 µs, looking it up well under one. What is kept is the identity's text and its codes as
bytes beside each other, about 330 bytes an identity.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SIZE = 16
MOST_NAMES = 2  # comparison keys of a name (rules/identity.py)
KEPT = 12_000_000  # beyond it all are forgotten and met again: 4 GB, of which a usual night needs little
COLUMNS = ("national_id", "birth_date", "family_name", "given_name")
BETWEEN, NOTHING = "\x1f", "\x1e"

Coded = tuple[bool | None, int | None, bytes | None, bytes | None, list[bytes] | None, list[bytes] | None]


class _Names:
    """Lists of at most two codes, null where there is none."""

    def __init__(self, rows: int) -> None:
        self.codes = np.zeros((rows, MOST_NAMES, SIZE), np.uint8)
        self.count = np.full(rows, -1, np.int8)

    def put(self, place: int, codes: list[bytes] | None) -> None:
        self.count[place] = -1 if codes is None else len(codes)
        for n, code in enumerate(codes or ()):
            self.codes[place, n] = np.frombuffer(code, np.uint8)

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


class Identities:
    """``code`` gives the codes of one identity: valid, person_id, id_mac, birth_mac, name_macs, given_macs."""

    def __init__(self, code: Callable[..., Coded], kept: int = KEPT) -> None:
        self._code, self._kept = code, kept
        self._forget()

    def _forget(self) -> None:
        self._place: dict[str, int] = {}
        self._room(1024, new=True)

    def _room(self, rows: int, new: bool = False) -> None:
        """Makes room for so many identities."""
        old = None if new else vars(self).copy()
        self._valid = np.full(rows, -1, np.int8)
        self._person = np.zeros(rows, np.int64)
        self._macs = np.zeros((2, rows, SIZE), np.uint8)
        self._has = np.zeros((2, rows), bool)
        self._names, self._given = _Names(rows), _Names(rows)
        if old is not None:
            n = len(old["_valid"])
            self._valid[:n], self._person[:n] = old["_valid"], old["_person"]
            self._macs[:, :n], self._has[:, :n] = old["_macs"], old["_has"]
            for mine, theirs in ((self._names, old["_names"]), (self._given, old["_given"])):
                mine.codes[:n], mine.count[:n] = theirs.codes, theirs.count

    def _put(self, place: int, coded: Coded) -> None:
        valid, person, id_mac, birth_mac, names, given = coded
        self._valid[place] = -1 if valid is None else int(valid)
        self._person[place] = person or 0
        for n, mac in enumerate((id_mac, birth_mac)):
            self._has[n, place] = mac is not None
            if mac is not None:
                self._macs[n, place] = np.frombuffer(mac, np.uint8)
        self._names.put(place, names)
        self._given.put(place, given)

    def columns(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """The landing columns of codes, one value a row of the batch's text columns."""
        parts = [batch.column(n) for n in COLUMNS]
        texts = _texts(parts, batch.num_rows).dictionary_encode()
        index = texts.indices.to_numpy(zero_copy_only=False)
        distinct = texts.dictionary.to_pylist()
        if len(self._place) + len(distinct) > self._kept:
            self._forget()
        # what is not remembered gets a place behind the others, for this batch alone
        end = len(self._place) + len(distinct)
        if end > len(self._valid):
            self._room(max(end, 2 * len(self._valid)))
        known = self._place
        places = np.fromiter((known.get(t, -1) for t in distinct), np.int64, len(distinct))
        missing = np.flatnonzero(places < 0)
        if len(missing):
            first = np.zeros(len(distinct), np.int64)
            first[index[::-1]] = np.arange(batch.num_rows)[::-1]
            cells = zip(*(p.take(pa.array(first[missing])).to_pylist() for p in parts), strict=True)
            aside = end
            for at, identity in zip(missing.tolist(), cells, strict=True):
                if BETWEEN in distinct[at]:
                    place = known[distinct[at]] = len(known)
                else:
                    aside -= 1
                    place = aside
                places[at] = place
                self._put(place, self._code(*identity))
        return self._taken(places[index])

    def _taken(self, places: np.ndarray) -> dict[str, pa.Array]:
        valid = self._valid[places]
        return {
            "id_valid": pa.array(valid == 1, mask=valid < 0),
            "person_id": pa.array(self._person[places], mask=valid != 1),
            "id_mac": _fixed(self._macs[0][places], self._has[0][places]),
            "birth_mac": _fixed(self._macs[1][places], self._has[1][places]),
            "name_macs": self._names.take(places),
            "given_macs": self._given.take(places),
        }


def _texts(parts: list[pa.Array], rows: int) -> pa.Array:
    """Each row's identity as one text; a row with our own signs in a cell gets one of its own, without them."""
    joined = pc.binary_join_element_wise(*parts, BETWEEN, null_handling="replace", null_replacement=NOTHING)
    nulls = sum(pc.cast(pc.is_null(p), pa.int32()).to_numpy(zero_copy_only=False) for p in parts)
    odd = (pc.count_substring(joined, BETWEEN).to_numpy(zero_copy_only=False) != len(COLUMNS) - 1) | (
        pc.count_substring(joined, NOTHING).to_numpy(zero_copy_only=False) != nulls
    )
    if not odd.any():
        return joined
    return pc.if_else(pa.array(odd), pa.array(np.arange(rows)).cast(pa.string()), joined)
