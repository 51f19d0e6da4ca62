"""A content hash is a sum over rows: their order says nothing, and parts add up to the whole."""

import datetime as dt

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.lake.contents import Content, content

NIGHT = dt.date(2026, 11, 20)
SCHEMA = pa.schema(
    [
        ("person_id", pa.int64()),
        ("word", pa.string()),
        ("points", pa.list_(pa.int32())),
        ("score_date", pa.date32()),
    ]
)
ROWS = st.lists(
    st.tuples(
        st.integers(1, 4), st.sampled_from([None, "", "a", "b"]), st.sampled_from([None, [], [1], [1, 2]])
    ),
    max_size=8,
)


def table(rows: list[tuple[object, ...]], night: dt.date = NIGHT) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, (*r, night), strict=True)) for r in rows], SCHEMA)


def of(rows: list[tuple[object, ...]], keys: pa.Table | None = None) -> Content:
    return content(table(rows), SCHEMA.names, keys)


@settings(deadline=None, max_examples=50)
@given(rows=ROWS)
def test_the_order_of_rows_says_nothing(rows):
    assert of(rows) == of(rows[::-1])


@settings(deadline=None, max_examples=50)
@given(rows=ROWS, new=ROWS, touched=st.sets(st.integers(1, 4)))
def test_parts_add_up(rows, new, touched):
    """What is carried on: the whole less the rows of the touched as they were, and those as they are."""
    keys = pa.table({"person_id": pa.array(sorted(touched), pa.int64())})
    new = [r for r in new if r[0] in touched]
    kept = [r for r in rows if r[0] not in touched]
    carried = of(rows).without(of(rows, keys)).joined(of(new), NIGHT)
    assert carried == of(kept + new)


@settings(deadline=None, max_examples=50)
@given(rows=ROWS, other=ROWS)
def test_other_rows_have_another_hash(rows, other):
    same = sorted(rows, key=repr) == sorted(other, key=repr)
    assert (of(rows).hash(SCHEMA.names) == of(other).hash(SCHEMA.names)) == same


def test_the_night_of_a_table_is_in_its_hash():
    rows = [(1, "a", [1])]
    hashes = {
        content(table(rows, night), SCHEMA.names).hash(SCHEMA.names)
        for night in (NIGHT, NIGHT + dt.timedelta(days=1))
    }
    assert len(hashes) == 2
