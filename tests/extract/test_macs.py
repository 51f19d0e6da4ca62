"""Surrogates and codes follow from key and value alone, and say nothing without the key."""

from __future__ import annotations

import hashlib
import hmac

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.errors import AssentError
from jobs.lake.identities import SIZE, Coded, Identities
from jobs.lake.macs import Macs, person_ids
from schemas.contract import IDENTITY_NAMES, LANDING_COLUMNS, MET_COLUMNS

from .conftest import Place, oib


def code(place: Place, text: str) -> bytes:
    return hmac.new(place.night.keys.vault, text.encode(), hashlib.sha256).digest()


def coded(place: Place, **columns: list[str | None]) -> list[dict[str, object]]:
    """Of each row what its landing columns say, and of its identity what is kept beside them."""
    rows = len(next(iter(columns.values())))
    given = {n: [None] * rows for n in IDENTITY_NAMES} | columns
    macs = Macs(place.night.keys, "hr.oib")
    named: list[pa.Table] = []
    with macs.naming(named.append):
        batch = pa.RecordBatch.from_pydict({n: pa.array(v, pa.string()) for n, v in given.items()})
        landed = macs.columns(batch)
    return joined(landed, named)


def joined(landed: dict[str, pa.Array], tables: list[pa.Table]) -> list[dict[str, object]]:
    for name, column in landed.items():
        column.validate(full=True)
        assert column.type == LANDING_COLUMNS[name]
    named = pa.concat_tables([pa.schema(MET_COLUMNS.items()).empty_table(), *tables])
    named.validate(full=True)
    kept = {r["identity"]: r for r in named.to_pylist()}
    assert len(kept) == named.num_rows
    rows = pa.table(landed).to_pylist()
    assert all(r["person_id"] == kept[r["identity"]]["person_id"] for r in rows)
    return [kept[r["identity"]] | r for r in rows]


def test_codes_are_hmacs(place: Place) -> None:
    one = oib(1)
    plain, spaced, wrong, none = coded(
        place,
        national_id=[one, f"HR {one[:5]}-{one[5:]} ", one[:-1] + str((int(one[-1]) + 1) % 10), None],
        family_name=["Müller", "MULLER", "Müller", "Müller"],
        given_name=["Ana", None, "Ana", "Ana"],
        birth_date=["1980-02-29", "1981-02-29", "1980-02-29", "1980-02-29"],
    )
    assert plain["id_valid"] is True
    assert plain["person_id"] == int.from_bytes(code(place, f"id:{one}")[:8], "big") >> 1
    assert plain["id_mac"] == code(place, f"mac:{one}")[:16]
    assert plain["birth_mac"] == code(place, f"birth:{one}:1980-02-29")[:16]
    assert plain["name_macs"] == [code(place, f"name:{one}:{k}")[:16] for k in ("mueller", "muller")]
    assert plain["given_macs"] == [code(place, f"given:{one}:ana")[:16]]
    assert (plain["family_name"], spaced["family_name"]) == ("Müller", "MULLER")
    assert (plain["birth_comparable"], plain["name_comparable"]) == (True, True)
    assert (spaced["person_id"], spaced["id_mac"]) == (plain["person_id"], plain["id_mac"])
    assert (spaced["birth_mac"], spaced["birth_comparable"]) == (None, False)  # no such day
    assert spaced["given_macs"] is None
    assert wrong["id_valid"] is False
    assert none["id_valid"] is None
    for row in (wrong, none):
        codes = ("person_id", "id_mac", "birth_mac", "name_macs", "given_macs")
        assert [row[n] for n in (*codes, "birth_comparable", "name_comparable")] == [None] * 7


def test_a_name_that_compares_with_nothing(place: Place) -> None:
    assert coded(place, national_id=[oib(1)], family_name=["-"])[0]["name_comparable"] is False


def test_no_rows(place: Place) -> None:
    assert coded(place, national_id=[]) == []


@pytest.mark.parametrize(
    "date", ["1980-2-29", "29.02.1980", "19800229", "1980-02-30", " 1980-02-29", "1980-W09-5"]
)
def test_a_date_that_is_none(place: Place, date: str) -> None:
    assert coded(place, national_id=[oib(1)], birth_date=[date])[0]["birth_mac"] is None


def test_person_ids(place: Place) -> None:
    ids = person_ids(place.night.keys, [oib(1), "x", "", oib(2)], "hr.oib")
    assert ids[1:3] == [None, None]
    assert ids[0] != ids[3]
    assert all(0 <= i < 2**63 for i in (ids[0], ids[3]) if i is not None)


def test_unknown_module(place: Place) -> None:
    with pytest.raises(AssentError, match="no module of python-stdnum"):
        Macs(place.night.keys, "hr.nothing")


CELLS = st.sampled_from(
    [None, "", oib(1), oib(2), "1980-02-29", "Müller", "Ana", "\x1e", "\x1f", "a\x1fb", "3", "Ω"]
)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=12)


@settings(deadline=None, max_examples=50)
@given(batches=st.lists(ROWS, min_size=1, max_size=4), kept=st.sampled_from([1, 3, 100]))
def test_each_row_has_its_own_codes_whatever_came_before(
    batches: list[list[tuple[str | None, ...]]], kept: int
) -> None:
    """Also where cells hold the signs that stand between them, and where what was met is forgotten."""

    def code(*identity: str | None) -> Coded:
        digest = hashlib.sha256(repr(identity).encode()).digest()
        valid = {0: None, 1: False, 2: True}[digest[0] % 3]
        mac = digest[:SIZE] if digest[1] % 2 else None
        names: list[list[bytes] | None] = [None, [], [digest[:16]], [digest[16:], digest[:16]]]
        person = int.from_bytes(digest[:7], "big") if valid else None
        return valid, person, mac, digest[16:], names[digest[2] % 4], names[digest[3] % 4]

    met, named = Identities(code, kept), list[pa.Table]()
    landed = []
    with met.naming(named.append):
        for rows in batches:
            cells = list(zip(*rows, strict=True)) or [()] * len(IDENTITY_NAMES)
            columns = [pa.array(list(c), pa.string()) for c in cells]
            landed.append(pa.table(met.columns(pa.RecordBatch.from_arrays(columns, list(IDENTITY_NAMES)))))
    every = pa.concat_tables(landed).combine_chunks()
    made = joined(dict(zip(every.column_names, every.columns, strict=True)), named)
    codes = ("id_valid", "person_id", "id_mac", "birth_mac", "name_macs", "given_macs")
    for given_row, found in zip([r for rows in batches for r in rows], made, strict=True):
        assert tuple(found[n] for n in IDENTITY_NAMES) == given_row
        assert tuple(found[n] for n in codes) == code(*given_row)


def test_what_is_asked_for_again_was_named_again(place: Place) -> None:
    macs = Macs(place.night.keys, "hr.oib")

    def named(*numbers: int) -> set[str]:
        rows = [dict.fromkeys(IDENTITY_NAMES) | {"national_id": oib(n)} for n in numbers]
        found: list[pa.Table] = []
        with macs.naming(found.append):
            macs.columns(
                pa.RecordBatch.from_pylist(rows, pa.schema([(n, pa.string()) for n in IDENTITY_NAMES]))
            )
        return {n for t in found for n in t.column("national_id").to_pylist()}

    assert named(1, 2, 1) == {oib(1), oib(2)}
    assert named(2, 3) == {oib(2), oib(3)}


def test_an_identity_is_coded_once(place: Place) -> None:
    asked = []
    macs = Macs(place.night.keys, "hr.oib")
    met = Identities(lambda *identity: (asked.append(identity), macs._row(*identity))[1])
    identity = {"national_id": oib(1), "birth_date": "1980-02-29", "family_name": "Kos", "given_name": None}
    batch = pa.RecordBatch.from_pylist(
        [identity] * 5, schema=pa.schema([(n, pa.string()) for n in IDENTITY_NAMES])
    )
    for _ in range(3):
        met.columns(batch)
    assert len(asked) == 1
