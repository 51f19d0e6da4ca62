"""Yesterday's snapshot plus today's changes is today's snapshot; without approval only removals leave."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.export import applied, changes

SCHEMA = pa.schema([("record_id", pa.string()), ("debt_minor", pa.int64())])
REGISTER = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 3))


def table(entries):
    return pa.Table.from_pylist(
        [{"record_id": k, "debt_minor": v} for k, v in sorted(entries.items())], schema=SCHEMA
    )


@given(REGISTER, REGISTER)
def test_previous_and_changes_make_the_snapshot(before, now):
    made = changes(table(before), table(now), {}, approved=True)
    assert applied(table(before), made) == table(now)
    again = changes(table(now), table(now), {}, approved=True)
    assert again.num_rows == 0


@given(REGISTER, REGISTER)
def test_without_approval_only_removals_are_made(before, now):
    made = changes(table(before), table(now), {k: "satisfied" for k in before}, approved=False)
    assert set(made.column("change").to_pylist()) <= {"REMOVE"}
    assert set(made.column("cause").to_pylist()) <= {"satisfied"}
    assert {r["record_id"] for r in made.to_pylist()} == before.keys() - now.keys()
    left = applied(table(before), made)
    assert {r["record_id"]: r["debt_minor"] for r in left.to_pylist()} == {
        k: v for k, v in before.items() if k in now
    }


PERSONAL = pa.schema([("record_id", pa.string()), ("national_id", pa.string()), ("family_name", pa.string())])
WAS = [("same", "1", "Kos"), ("renamed", "2", "Kos"), ("corrected", "3", "Kos")]
IS = [("same", "1", "Kos"), ("renamed", "2", "Horvat"), ("corrected", "4", "Novak")]


def people(entries):
    return pa.Table.from_pylist([dict(zip(PERSONAL.names, e, strict=True)) for e in entries], schema=PERSONAL)


@pytest.mark.parametrize(
    ("approved", "expected"),
    [
        (True, {("renamed", "2", "CHANGE", None), ("corrected", "4", "CHANGE", None)}),
        # what waits for approval never keeps the wrong person listed
        (False, {("corrected", "3", "REMOVE", "correction")}),
    ],
)
def test_an_order_that_is_another_persons_leaves_the_former_at_once(approved, expected):
    made = changes(people(WAS), people(IS), {}, approved=approved)
    assert {(r["record_id"], r["national_id"], r["change"], r["cause"]) for r in made.to_pylist()} == expected
