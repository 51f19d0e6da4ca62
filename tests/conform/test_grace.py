"""An order that the source no longer has: kept as it was for the contract's grace, in no score, then withdrawn."""

import datetime as dt

import pyarrow as pa
import pytest

from jobs.conform import People, covered, order_flags
from jobs.lake import tallies
from jobs.lake.lake import Lake
from jobs.registers import gone
from jobs.rules.grace import carried
from schemas.contract import contracts
from schemas.tables import CONSENTED, ORDER_FLAGS, RECORD_FLAGS, REGISTERS
from tests.tables import expected, frame, texts

NIGHT = dt.date(2026, 11, 20)
COURT, TAX = contracts()["court"], contracts()["tax"]
FLAGS = ", ".join(f"{n} {t}" for n, t, _ in (*RECORD_FLAGS, *ORDER_FLAGS))
NO = {n: "no" for n, t, _ in (*RECORD_FLAGS, *ORDER_FLAGS) if t == "BOOLEAN"} | {"is_order": "yes"}
BEFORE = """
order_id | person_id | gone_since | expires_on | is_order
here     | 1         | -          | 2027-01-01 | yes
first    | 1         | -          | 2027-01-01 | yes
second   | 1         | 2026-11-19 | 2027-01-01 | yes
last     | 1         | 2026-11-18 | 2027-01-01 | yes
over     | 1         | 2026-11-17 | 2027-01-01 | yes
erased   | 2         | -          | 2027-01-01 | yes
no-order | 1         | -          | -          | no
"""


def test_what_is_carried_and_for_how_long(spark):
    """The contract's grace of court is three nights: missed first on the 18th, an order is there through the 20th."""
    assert COURT.grace_days == 3
    before = frame(
        spark, f"{COURT.conformed_ddl()}, {FLAGS}", BEFORE, **{k: v for k, v in NO.items() if k != "is_order"}
    )
    accepted = frame(spark, COURT.accepted_ddl(), "order_id\nhere\nother")
    erased = frame(spark, "person_id BIGINT", "person_id\n2")
    kept = carried(before, accepted, erased, COURT, NIGHT)
    assert texts(kept, "order_id", "gone_since", "expires_on") == expected(
        """
order_id | gone_since | expires_on
first    | 2026-11-20 | 2027-01-01
second   | 2026-11-19 | 2027-01-01
last     | 2026-11-18 | 2027-01-01
"""
    )


def test_a_lake_of_before_is_carried_too(spark):
    before = frame(spark, f"{COURT.conformed_ddl()}, {FLAGS}", "order_id | person_id\nfirst | 1", **NO)
    none = frame(spark, COURT.accepted_ddl(), "order_id")
    kept = carried(
        before.drop("gone_since"), none, frame(spark, "person_id BIGINT", "person_id"), COURT, NIGHT
    )
    assert texts(kept, "order_id", "gone_since") == {("first", "2026-11-20")}


def test_a_carried_order_stays_an_order_and_counts_in_no_score(spark):
    """Its flags are made anew: a death or a dispute works on it as on any other."""
    records = frame(spark, f"{TAX.conformed_ddl()}, gone_since DATE, in_doubt BOOLEAN, determined BOOLEAN",
                    "assessment_id | person_id | status | gone_since | in_doubt | determined\n"
                    "gone | 1 | final_determination | 2026-11-20 | no | -\nhere | 1 | arrears | - | no | no")  # fmt: skip
    people = frame(spark, "person_id BIGINT", "person_id\n1")
    nobody = frame(spark, "person_id BIGINT", "person_id")
    consented = frame(spark, CONSENTED.ddl(), "person_id | source\n1 | tax")
    out = covered(order_flags(records, TAX, People(people, nobody, nobody, nobody)), TAX, consented)
    assert texts(out, "assessment_id", "is_order", "for_scores", "deceased") == {
        ("gone", "yes", "no", "yes"),
        ("here", "no", "yes", "yes"),
    }


LISTED = """
register                  | feed    | record_id | person_id | state    | listed | since
driving_disqualifications | traffic | points    | 1         | in_force | yes    | 2026-11-01
driving_disqualifications | traffic | lost      | 1         | in_force | yes    | 2026-11-01
driving_disqualifications | traffic | erased    | 2         | in_force | yes    | 2026-11-01
"""


def test_after_the_grace_the_cause_says_whether_the_source_has_it(spark):
    """A decision that became penalty points is a correction; one that nobody has any more was withdrawn."""
    left = gone(
        frame(spark, REGISTERS.ddl(), "record_id"),
        frame(spark, REGISTERS.ddl(), LISTED),
        frame(spark, "person_id BIGINT", "person_id\n2"),
        NIGHT,
        frame(spark, "feed STRING, record_id STRING", "feed | record_id\ntraffic | points\ncourt | lost"),
    )
    assert texts(left, "record_id", "listed", "cause") == {
        ("points", "no", "correction"),
        ("lost", "no", "source_withdrew"),
        ("erased", "no", "erasure"),
    }


@pytest.mark.parametrize(("accepted", "lost"), [(["a", "b", "b"], 0), (["a"], 1), ([], 2), (None, 2)])
def test_what_a_source_lost_is_counted_without_a_jvm(tmp_path, accepted, lost):
    lake = Lake(str(tmp_path / "lake"))

    def held(name, table):
        return lake.dataset(name, lake.write_arrow(name, table))

    had = held("had", pa.table({"k": ["a", "b", "x"], "is_order": [True, True, False]}))
    has = None if accepted is None else held("has", pa.table({"k": pa.array(accepted, pa.string())}))
    assert tallies.lacking(had, has, "k", "is_order") == lost
