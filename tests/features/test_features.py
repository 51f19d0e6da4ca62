"""What an application may see, and which orders count (RULES, "Consents" and "In scores")."""

import datetime as dt

from jobs.features import applications, court_features, features, tax_features
from jobs.lake.ask import ask
from jobs.lake.config import load_policy
from jobs.rules import behaviour
from schemas.contract import contracts
from schemas.tables import CONSENTED, ORDER_FLAGS, RECORD_FLAGS, TRANSACTIONS_MONTHLY
from tests.registers.test_lifecycle import orders
from tests.tables import expected, frame, texts

NIGHT = dt.date(2026, 11, 20)
POLICY = load_policy()

CONSENTS = """
person_id | purpose         | recipient    | source
1         | consumer_credit | demo-lender  | transactions
1         | consumer_credit | demo-lender  | court
1         | consumer_credit | other-lender | transactions
2         | consumer_credit | demo-lender  | court
3         | motor_cover     | demo-insurer | traffic
"""


def test_a_source_is_read_for_the_application_that_has_consent_and_no_other(spark):
    consented = frame(spark, CONSENTED.ddl(), CONSENTS)
    assert texts(applications(consented, POLICY), "person_id", "recipient") == {
        ("1", "demo-lender"),
        ("1", "other-lender"),
        ("3", "demo-insurer"),
    }
    people = {
        "transactions": spark.createDataFrame([(1, 5.0)], "person_id BIGINT, months_active DOUBLE"),
        "court": spark.createDataFrame(
            [(1, 2.0, True)], "person_id BIGINT, insolvencies DOUBLE, sus_judgments_unsatisfied BOOLEAN"
        ),
    }
    from jobs.rules.floor import FEATURES_BY_SOURCE

    for source, names in FEATURES_BY_SOURCE.items():
        base = people.get(source, spark.createDataFrame([], "person_id BIGINT"))
        for name in names:
            if name not in base.columns:
                base = base.selectExpr("*", f"cast(null as double) AS {name}")
        people[source] = base
    fresh = dict.fromkeys(people, True)
    made = features(consented, people, fresh, POLICY)
    columns = (
        "person_id",
        "recipient",
        "months_active",
        "insolvencies",
        "penalty_points_minor",
        "sources_used",
        "suspended",
    )
    assert texts(made, *columns) == {
        ("1", "demo-lender", "5", "2", "-", "court+transactions", "judgments_unsatisfied"),
        ("1", "other-lender", "5", "-", "-", "transactions", "-"),
        ("3", "demo-insurer", "-", "-", "0", "traffic", "-"),  # no record of traffic is information
    }
    stale = features(consented, people, {**fresh, "transactions": False}, POLICY)
    assert texts(stale.where("person_id = 1"), "months_active", "recipient") == {
        ("-", "demo-lender"),
        ("-", "other-lender"),
    }


COURT = """
order_id | differs                                              | state
1        | -                                                    | -
2        | satisfied_on=2026-01-01                              | -
3        | disputed=yes                                         | -
4        | ordered_on=2019-11-21                                | -
5        | ordered_on=2019-11-20                                | -
6        | appeal_lodged_on=2026-11-01                          | -
7        | objection_until=2026-11-20                           | -
8        | authority=Elsewhere                                  | -
9        | kind=insolvency;ordered_on=2016-11-21                | -
10       | kind=insolvency;ordered_on=2016-11-20                | -
11       | kind=director_disqualification;expires_on=2027-01-01 | -
12       | expires_on=2026-11-19                                | -
13       | upheld=yes                                           | -
"""
COUNTED = """
person_id | judgments_unsatisfied | judgments_satisfied | insolvencies | sus_judgments_unsatisfied
1         | 1                     | 0                   | 0            | no
2         | 0                     | 1                   | 0            | no
3         | 0                     | 0                   | 0            | yes
4         | 1                     | 0                   | 0            | no
5         | 0                     | 0                   | 0            | no
6         | 0                     | 0                   | 0            | no
7         | 0                     | 0                   | 0            | no
8         | 0                     | 0                   | 0            | no
9         | 0                     | 0                   | 1            | no
10        | 0                     | 0                   | 0            | no
11        | 0                     | 0                   | 0            | no
12        | 0                     | 0                   | 0            | no
13        | 0                     | 0                   | 0            | no
"""


def test_an_order_counts_only_when_it_is_final_and_recent(spark):
    each_their_own = orders(spark, COURT).selectExpr(
        "* except (person_id)", "cast(order_id as bigint) AS person_id"
    )
    made = court_features(each_their_own, POLICY, NIGHT)
    assert texts(made, *[c.strip() for c in COUNTED.strip().splitlines()[0].split("|")]) == expected(COUNTED)


MONTHS = """
person_id | month      | transactions | income_minor | statements | statement_minor | card_repayment_minor | credit_limit_minor | limited_statement_minor | max_days_past_due | days_past_due_reports
1         | 2025-10-01 | 1            | 999          | 0          | 0               | 0                    | 0                  | 0                       | 90                | 1
1         | 2026-08-01 | 1            | 100          | 1          | 50              | 0                    | 100                | 50                      | 30                | 1
1         | 2026-09-01 | 1            | 100          | 1          | 50              | 0                    | 100                | 50                      | 0                 | 1
1         | 2026-10-01 | 1            | 0            | 1          | 50              | 25                   | 100                | 50                      | 0                 | 1
2         | 2026-11-01 | 1            | 0            | 0          | 0               | 0                    | 0                  | 0                       | -                 | 0
3         | 2025-10-01 | 9            | 999          | 0          | 0               | 0                    | 0                  | 0                       | 90                | 1
"""
BEHAVED = """
person_id | months_active | months_late | months_since_late | max_days_past_due | utilisation | repaid_share | missed_repayments | income_monthly_minor | income_months
1         | 3             | 1           | 3                 | 30                | 0.5         | 0.166667     | 1                 | 100                  | 2
2         | 1             | -           | -                 | -                 | -           | -            | -                 | -                    | -
3         | -             | -           | -                 | -                 | -           | -            | -                 | -                    | -
"""
# 1: the newest report counts, also 0; 2: of two months with a report the newest, silence after it is no report
# 3: over the limit leaves 0 unused, never less; 4: no statement, a repayment alone; 5: a limit of 0 is no limit
# 6: repaid more than asked is 1; a month followed by a month without a booking is not judged
# 7: the night's own month is not asked for its repayment yet
CARDS = """
person_id | month      | statements | statement_minor | card_repayment_minor | credit_limit_minor | limited_statement_minor | max_days_past_due | days_past_due_reports
1         | 2026-09-01 | 1          | 400             | 0                    | 1000               | 400                     | 60                | 1
1         | 2026-10-01 | 1          | 200             | 100                  | 1000               | 200                     | 0                 | 1
2         | 2026-08-01 | 0          | 0               | 0                    | 0                  | 0                       | 0                 | 1
2         | 2026-09-01 | 0          | 0               | 0                    | 0                  | 0                       | 45                | 2
2         | 2026-10-01 | 0          | 0               | 0                    | 0                  | 0                       | -                 | 0
3         | 2026-10-01 | 2          | 1500            | 0                    | 1000               | 1500                    | -                 | 0
4         | 2026-10-01 | 0          | 0               | 70                   | 0                  | 0                       | -                 | 0
5         | 2026-10-01 | 1          | 80              | 80                   | 0                  | 80                      | -                 | 0
6         | 2026-05-01 | 1          | 100             | 0                    | 500                | 100                     | -                 | 0
6         | 2026-06-01 | 1          | 100             | 300                  | 500                | 100                     | -                 | 0
6         | 2026-08-01 | 1          | 100             | 0                    | 500                | 100                     | -                 | 0
6         | 2026-09-01 | 1          | 0               | 150                  | 500                | 0                       | -                 | 0
7         | 2026-09-01 | 1          | 100             | 100                  | 500                | 100                     | -                 | 0
7         | 2026-10-01 | 1          | 100             | 40                   | 500                | 100                     | -                 | 0
7         | 2026-11-01 | 1          | 300             | 0                    | 500                | 300                     | -                 | 0
8         | 2026-04-01 | 1          | 100             | 0                    | 0                  | 0                       | -                 | 0
8         | 2026-06-01 | 1          | 100             | 0                    | 0                  | 0                       | -                 | 0
8         | 2026-07-01 | 0          | 0               | 0                    | 0                  | 0                       | -                 | 0
"""
CARD_FEATURES = """
person_id | days_past_due_latest | unused_limit_minor | repaid_share | least_repaid_share | repaid_months_share | repaid_monthly_minor | missed_repayments
1         | 0                    | 700                | 0.166667     | 0.25               | 0.5                 | 50                   | 0
2         | 45                   | -                  | -            | -                  | -                   | -                    | -
3         | -                    | 0                  | 0            | -                  | 0                   | 0                    | 0
4         | -                    | -                  | -            | -                  | -                   | -                    | -
5         | -                    | -                  | 1            | -                  | 1                   | 80                   | 0
6         | -                    | 450                | 1            | 1                  | 0.5                 | 112.5                | 0
7         | -                    | 333.333            | 0.28         | 0.4                | 1                   | 70                   | 0
8         | -                    | -                  | 0            | 0                  | 0                   | 0                    | 1
"""
ZERO = {
    n: "0"
    for n, t, _ in TRANSACTIONS_MONTHLY.columns
    if t == "BIGINT" and n not in ("max_days_past_due", "min_balance_minor")
}


# 1: 100 owed, then 102 is interest and 103 is use; 2: use that was repaid at once is use; 3: from nothing owed
# 4: a month between them has no statement; 5: the night's own month is not compared
USE = """
person_id | month      | statements | statement_minor | card_repayment_minor
1         | 2026-08-01 | 1          | 10000           | 0
1         | 2026-09-01 | 1          | 10200           | 0
1         | 2026-10-01 | 1          | 10405           | 0
2         | 2026-09-01 | 1          | 0               | 0
2         | 2026-10-01 | 1          | 0               | 500
3         | 2026-08-01 | 1          | 0               | 0
3         | 2026-09-01 | 1          | 0               | 0
3         | 2026-10-01 | 1          | 1               | 0
4         | 2026-08-01 | 1          | 100             | 0
4         | 2026-09-01 | 0          | 0               | 100
4         | 2026-10-01 | 1          | 300             | 0
5         | 2026-10-01 | 1          | 100             | 0
5         | 2026-11-01 | 1          | 300             | 0
"""
USED = """
person_id | card_use_months_share
1         | 0.5
2         | 1
3         | 0.5
4         | -
5         | -
"""


def columns(table):
    return [c.strip() for c in table.strip().splitlines()[0].split("|")]


def behaved(spark, months):
    """The features of behaviour of a table of months."""
    monthly = frame(spark, TRANSACTIONS_MONTHLY.ddl(), months, **ZERO).toArrow()
    return spark.createDataFrame(ask(behaviour.features(NIGHT), {"monthly": monthly}), behaviour.DDL)


def test_behaviour_is_folded_from_months_and_silence_stays_null(spark):
    made = behaved(spark, MONTHS)
    assert texts(made, *columns(BEHAVED)) == expected(BEHAVED)


def test_of_a_card_only_what_was_reported_counts(spark):
    made = behaved(spark, CARDS)
    assert texts(made, *columns(CARD_FEATURES)) == expected(CARD_FEATURES)


MONTHS_SINCE = """
order_id | differs               | state
1        | ordered_on=2026-01-28 | -
2        | ordered_on=2026-01-30 | -
3        | ordered_on=2026-01-31 | -
4        | ordered_on=2024-02-29 | -
5        | ordered_on=2026-02-01 | -
"""
SINCE = """
person_id | months_since_judgment
1         | 1
2         | 1
3         | 1
4         | 24
5         | 0
"""


def test_a_month_is_over_on_its_day_or_on_the_last_day_of_a_shorter_month(spark):
    night = dt.date(2026, 2, 28)
    each_their_own = orders(spark, MONTHS_SINCE).selectExpr(
        "* except (person_id, served_on, objection_until)",
        "cast(order_id as bigint) AS person_id",
        "DATE'2026-02-02' AS served_on",
        "DATE'2026-02-03' AS objection_until",
    )
    made = court_features(each_their_own, POLICY, night)
    assert texts(made, "person_id", "months_since_judgment") == expected(SINCE)


def test_a_card_is_used_in_a_month_that_adds_more_than_interest(spark):
    made = behaved(spark, USE)
    assert texts(made, *columns(USED)) == expected(USED)


TAX = """
assessment_id | person_id | status              | assessed_on | tax_year | income_minor | tax_due_minor | tax_paid_minor | debt_minor | ordered_on | set_aside_on | upheld | disputed | is_order
recent        | 1         | assessed            | 2026-05-01  | 2025     | 100          | 20            | 5              | -          | -          | -            | no     | no       | no
older         | 1         | arrears             | 2025-05-01  | 2024     | 90           | 20            | 5              | -          | -          | -            | no     | no       | no
obsolete      | 2         | arrears             | 2019-11-20  | 2018     | 100          | 20            | 5              | -          | -          | -            | no     | no       | no
last-day      | 3         | arrears             | 2019-11-21  | 2018     | 100          | 20            | 5              | -          | -          | -            | no     | no       | no
annulled      | 4         | arrears             | 2026-05-01  | 2025     | 100          | 20            | 5              | -          | -          | 2026-11-20   | no     | no       | no
struck        | 5         | arrears             | 2026-05-01  | 2025     | 100          | 20            | 5              | -          | -          | -            | yes    | no       | no
disputed      | 6         | arrears             | 2026-05-01  | 2025     | 100          | 20            | 5              | -          | -          | -            | no     | yes      | no
determined    | 7         | final_determination | 2019-01-01  | 2018     | 100          | 20            | 5              | 700        | 2019-11-21 | -            | no     | no       | yes
determined-old | 8        | final_determination | 2019-01-01  | 2018     | 100          | 20            | 5              | 700        | 2019-11-20 | -            | no     | no       | yes
"""
TAX_FEATURES = """
person_id | assessed_income_minor | tax_in_arrears | tax_debt_minor | tax_paid_share | sus_tax_in_arrears | sus_assessed_income_minor
1         | 100                   | 1              | 0              | 0.25           | no                 | no
3         | 100                   | 1              | 0              | 0.25           | no                 | no
6         | 100                   | 0              | 0              | 0.25           | yes                | yes
7         | -                     | -              | 700            | -              | no                 | no
"""


def test_assessments_past_the_limit_annulled_or_struck_are_no_record(spark):
    ddl = f"{contracts()['tax'].conformed_ddl()}, " + ", ".join(
        f"{n} {t}" for n, t, _ in (*RECORD_FLAGS, *ORDER_FLAGS)
    )
    rest = dict.fromkeys(("in_doubt", "deceased", "erased", "contested"), "no") | {
        "authority": "Demo Tax Office",
        "legal_basis": "Code s. 1",
        "served_on": "2019-12-01",
        "objection_until": "2019-12-31",
        "for_scores": "yes",
    }
    made = tax_features(frame(spark, ddl, TAX, **rest), POLICY, NIGHT)
    assert texts(made, *[c.strip() for c in TAX_FEATURES.strip().splitlines()[0].split("|")]) == expected(
        TAX_FEATURES
    )
