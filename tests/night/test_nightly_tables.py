"""A night's rows of a table that keeps earlier nights, whatever columns an abandoned or an earlier night gave it."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from tests.extract.conftest import make_place

FIRST, TONIGHT, LATER = (dt.date(2026, 11, d) for d in (19, 20, 21))


def table(night: dt.date, *names: str, rows: int = 1) -> pa.Table:
    """Rows of a night whose cells are their columns' names."""
    schema = pa.schema([("night", pa.date32()), *((n, pa.string()) for n in names)])
    return pa.Table.from_pylist([{"night": night, **{n: n for n in names}}] * rows, schema=schema)


@pytest.fixture
def night(tmp_path):
    made = make_place(tmp_path).night
    made.previous = {"night": FIRST, "tables": {}}
    return made


def held(night, pin) -> set[tuple[tuple[str, object], ...]]:
    """What a pinned version holds."""
    rows = night.lake.dataset("t", pin["version"]).to_table().to_pylist()
    return {tuple(sorted(r.items())) for r in rows}


def write(night, data: pa.Table, how: str):
    if how == "whole":
        return night.write_arrow("t", data, nightly=True)
    return night.write_arrow_stream("t", iter(data.to_batches()), data.schema)


@pytest.mark.parametrize("how", ["whole", "stream"])
@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("left", [("a",), ("a", "b", "c"), ("c",)], ids="-".join)
def test_an_abandoned_night_had_other_columns(night, left, rows, how):
    night.lake.write_night("t", table(LATER, *left).to_reader(), LATER, FIRST)
    pin = write(night, table(TONIGHT, "a", "b", rows=rows), how)
    assert pin["rows"] == rows
    assert (
        held(night, pin) == {(("a", "a"), ("b", "b"), ("night", TONIGHT))} if rows else not held(night, pin)
    )
    assert set(night.lake.dataset("t", pin["version"]).schema.names) == {"a", "b", "night"}


@pytest.mark.parametrize("how", ["whole", "stream"])
def test_a_table_gains_a_column(night, how):
    version = night.lake.write_night("t", table(FIRST, "a").to_reader(), FIRST)
    night.previous["tables"]["t"] = {"version": version}
    assert held(night, write(night, table(TONIGHT, "a", "b"), how)) == {
        (("a", "a"), ("b", None), ("night", FIRST)),
        (("a", "a"), ("b", "b"), ("night", TONIGHT)),
    }
