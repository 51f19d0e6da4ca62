"""Freshness, current versions, the monthly fold and the vault's new rows."""

import datetime as dt

import pyarrow as pa

from jobs.conform import People, covered, feed_state, order_flags
from jobs.identities import new_identities
from jobs.lake.ask import ask
from jobs.rules.months import monthly, that_count
from schemas.contract import contracts
from schemas.tables import CONSENTED, DELIVERIES, RECORD_FLAGS, TRANSACTIONS_MONTHLY, VAULT
from tests.tables import current, expected, frame, rows, texts

NIGHT = dt.date(2026, 11, 20)


def delivered(**last):
    rows = [{"feed": f, "delivered_on": d, "stopped": s} for f, (d, s) in last.items()]
    return pa.Table.from_pylist(rows, schema=DELIVERIES.arrow())


def test_a_feed_is_fresh_until_its_bound_and_stale_disputes_make_agencies_absent():
    days = {f: (NIGHT - dt.timedelta(days=c.freshness_days), None) for f, c in contracts().items()}
    assert all(r["fresh"] for r in feed_state(delivered(**days), NIGHT).to_pylist())
    later = {
        f: r["fresh"]
        for r in feed_state(delivered(**days), NIGHT + dt.timedelta(days=1)).to_pylist()
        for f in [r["feed"]]
    }
    assert not any(later.values())
    days["disputes"] = (NIGHT - dt.timedelta(days=3), None)
    stale = {r["feed"] for r in feed_state(delivered(**days), NIGHT).to_pylist() if not r["fresh"]}
    assert stale == {"disputes", "tax", "court", "traffic"}
    days["disputes"] = (NIGHT, "truncated")  # a stopped file is no delivery
    assert "disputes" in {
        r["feed"] for r in feed_state(delivered(**days), NIGHT).to_pylist() if not r["fresh"]
    }


ACCEPTED = """
order_id | person_id | kind           | revised_at          | night
a        | 1         | money_judgment | 2026-10-01T00:00:00 | 2026-11-18
a        | 1         | money_judgment | 2026-09-01T00:00:00 | 2026-11-20
b        | 2         | insolvency     | 2026-10-01T00:00:00 | 2026-11-18
"""


def test_the_greatest_revision_wins_whatever_the_order_of_arrival(spark):
    court = contracts()["court"]
    newest = current(frame(spark, court.accepted_ddl(), ACCEPTED), court)
    assert texts(newest, "order_id", "revised_at") == {
        ("a", "2026-10-01 00:00:00"),
        ("b", "2026-10-01 00:00:00"),
    }


TAX = """
assessment_id | person_id | status              | revised_at          | night
paid          | 1         | final_determination | 2026-10-01T00:00:00 | 2026-11-18
paid          | 1         | paid                | 2026-11-01T00:00:00 | 2026-11-18
annulled      | 2         | final_determination | 2026-10-01T00:00:00 | 2026-11-18
annulled      | 2         | assessed            | 2026-11-01T00:00:00 | 2026-11-18
final         | 3         | final_determination | 2026-10-01T00:00:00 | 2026-11-18
plain         | 4         | arrears             | 2026-10-01T00:00:00 | 2026-11-18
consented     | 5         | assessed            | 2026-10-01T00:00:00 | 2026-11-18
"""
ORDERS = """
assessment_id | is_order | left_determination | for_scores | deceased
paid          | yes      | satisfied          | no         | no
annulled      | yes      | set_aside          | no         | no
final         | yes      | -                  | no         | yes
consented     | no       | -                  | yes        | no
"""


def test_a_tax_debt_stays_an_order_and_the_rest_needs_a_consent(spark):
    tax = contracts()["tax"]
    none = spark.createDataFrame([], "person_id BIGINT")
    who = People(spark.createDataFrame([(3,)], "person_id BIGINT"), none, none, none)
    consented = frame(spark, CONSENTED.ddl(), "person_id | source\n5 | tax\n4 | court")
    newest = current(frame(spark, tax.accepted_ddl(), TAX), tax)
    for name, _, _ in RECORD_FLAGS:
        newest = newest.selectExpr("*", f"false AS {name}")
    kept = covered(order_flags(newest, tax, who), tax, consented)
    columns = ("assessment_id", "is_order", "left_determination", "for_scores", "deceased")
    assert texts(kept, *columns) == expected(ORDERS)


BOOKED = """
person_id | booked_on  | category        | amount_minor | credit_limit_minor | days_past_due
1         | 2026-10-02 | salary          | 100          | -                  | -
1         | 2026-10-31 | benefit         | 20           | -                  | -
1         | 2026-10-05 | salary          | -30          | -                  | -
1         | 2026-10-06 | rent            | -40          | -                  | -
1         | 2026-10-20 | card_statement  | -50          | 200                | 15
1         | 2026-11-01 | cash_withdrawal | -7           | -                  | -
1         | 2019-11-20 | salary          | 999          | -                  | -
2         | 2019-11-21 | salary          | 9            | -                  | -
2         | 2025-10-31 | salary          | 1            | -                  | -
2         | 2025-11-01 | salary          | 5            | -                  | -
"""
FOLDED = """
person_id | month      | transactions | income_minor | housing_minor | statement_minor | credit_limit_minor | max_days_past_due | outgoing_minor
1         | 2026-10-01 | 5            | 120          | 40            | 50              | 200                | 15                | 70
1         | 2026-11-01 | 1            | 0            | 0             | 0               | 0                  | -                 | 7
2         | 2025-10-01 | 2            | 10           | 0             | 0               | 0                  | -                 | 0
2         | 2025-11-01 | 1            | 5            | 0             | 0               | 0                  | -                 | 0
"""


def test_transactions_fold_into_the_months_of_the_window_and_one_for_seven_years_before(spark):
    booked = frame(spark, contracts()["transactions"].accepted_ddl(), BOOKED).toArrow()
    names = [n.strip() for n in FOLDED.strip().splitlines()[0].split("|")]
    found = ask(monthly("booked", NIGHT), {"booked": booked})
    assert found.column_names == TRANSACTIONS_MONTHLY.names
    assert texts(spark.createDataFrame(found), *names) == expected(FOLDED)


COUNTING = """
transaction_id | person_id | night      | counts
consented      | 1         | 2026-11-01 | yes
struck         | 1         | 2026-11-01 | no
of-another     | 2         | 2026-11-01 | yes
not-consented  | 3         | 2026-11-01 | no
erased-with    | 4         | 2026-11-10 | no
after-erasure  | 4         | 2026-11-11 | yes
untouched      | 5         | 2026-11-01 | no
"""


def test_which_bookings_count(spark):
    booked = frame(spark, contracts()["transactions"].accepted_ddl() + ", counts STRING", COUNTING).toArrow()
    tables = {
        "bookings": booked,
        "consented": pa.table(
            {
                "person_id": [1, 1, 2, 3, 4, 5],
                "source": ["transactions", "tax", "transactions", "tax", "transactions", "transactions"],
            }
        ),
        "left_out": pa.table({"person_id": [1, 1], "transaction_id": ["struck", "of-another"]}),
        "erased": pa.table({"person_id": [4], "erased_night": [dt.date(2026, 11, 10)]}),
        "touched": pa.table({"person_id": [1, 2, 3, 4]}),
    }
    found = ask(f"SELECT transaction_id FROM {that_count(touched=True)}", tables).column(0).to_pylist()
    assert set(found) == {r["transaction_id"] for r in rows(COUNTING) if r["counts"] == "yes"}
    everybody = ask(f"SELECT transaction_id FROM {that_count(touched=False)}", tables).column(0).to_pylist()
    assert set(everybody) - set(found) == {"untouched"}


def test_a_person_has_one_first_row_and_one_for_each_further_name():
    macs = pa.list_(pa.binary())
    said = pa.table(
        {
            "person_id": [1, 1, 2, 2],
            "family_name": ["Old", "New", "Other", "OTHER"],
            "given_name": ["A", "A", "B", "B"],
            "birth_date": ["1980-01-01"] * 2 + ["1981-01-01"] * 2,
            "national_id": ["1", "1", "2", "2"],
            "id_mac": [b"1", b"1", b"2", b"2"],
            "birth_mac": [b"80", b"80", b"81", b"81"],
            "name_macs": pa.array([[b"a"], [b"n"], [b"o"], [b"o"]], macs),
        }
    )
    vault = pa.table({"person_id": [1], "name_macs": pa.array([[b"a"]], macs)})
    fresh = ask(new_identities("said", NIGHT), {"said": said, "vault": vault})
    assert {(r["person_id"], r["event"], r["family_name"], r["birth_date"]) for r in fresh.to_pylist()} == {
        (1, "name", "New", "1980-01-01"),
        (2, "first", "OTHER", "1981-01-01"),
    }
    assert fresh.column_names == VAULT.names
