"""What the lake keeps of a package: encrypted once, and the same whether it was taken over or made anew."""

from __future__ import annotations

import pyarrow as pa
import pytest

from jobs.lake import exported
from jobs.lake.exported import State, in_order, read_state, write_state
from jobs.lake.packages import schema_of
from tests.packages.conftest import FIELDS, NIGHTS, Place, entry

SCHEMA = schema_of(FIELDS)
TABLE = "exported/somebody/something"


def write(place: Place, manifest: str, entries: list[dict], before: State, keep: set[str]) -> State:
    lake, rows = place.lake, pa.Table.from_pylist(entries, schema=SCHEMA)
    people = pa.chunked_array([[e["person_id"] for e in entries]], pa.int64())
    keys = lake.open(create=True)
    write_state(lake, keys, TABLE, NIGHTS[0], manifest, "record_id", rows, people, before, keep)
    state = read_state(lake, keys, TABLE, manifest, "record_id", SCHEMA)
    assert state.rows.to_pylist() == rows.to_pylist()
    assert state.people.to_pylist() == people.to_pylist()
    return state


def test_what_was_sent_before_is_not_encrypted_again(place: Place, monkeypatch: pytest.MonkeyPatch):
    made: list[str | None] = []
    real = exported.sealed_values

    def counted(values: list[str | None], *rest):
        made.extend(values)
        return real(values, *rest)

    monkeypatch.setattr(exported, "sealed_values", counted)
    first = write(place, "a", [entry("R1", "ana"), entry("R2", "bo")], State.nothing(SCHEMA), set())
    assert len(made) == 6
    made.clear()
    other = {**entry("R2", "bo"), "family_name": "Bojić-Horvat"}
    second = [entry("R1", "ana", 7), other, entry("R3", "cvita")]
    taken = write(place, "b", second, first, {"a"})
    assert sorted(v or "" for v in made) == ["1990-01-01", "94577403194", "Bojić-Horvat", "Cvitić"]
    anew = write(place, "c", second, State.nothing(SCHEMA), {"b"})
    assert {n: c.to_pylist() for n, c in taken.sealed.items()} == {
        n: c.to_pylist() for n, c in anew.sealed.items()
    }


def test_an_equal_value_of_another_person_is_encrypted_for_that_person(place: Place):
    first = write(place, "a", [entry("R1", "ana")], State.nothing(SCHEMA), set())
    write(place, "b", [{**entry("R1", "ana"), "person_id": 2}], first, {"a"})  # which reads it back


@pytest.mark.parametrize("keys", [[], ["a"], ["a", "b", "c"], ["b", "c", "a"]])
def test_rows_are_in_the_order_of_their_key(keys: list[str]):
    found = in_order(pa.table({"key": pa.array(keys, pa.string())}), "key")
    assert found["key"].to_pylist() == sorted(keys)
