"""What an application may see, and which orders count (RULES, "Consents" and "In scores")."""

import datetime as dt

from jobs.features import applications, court_features, features, tax_features
from jobs.lake.config import load_policy
from jobs.rules.behaviour import behaviour
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
"""
BEHAVED = """
person_id | months_active | months_late | months_since_late | max_days_past_due | utilisation | missed_repayments | income_monthly_minor | income_months
1         | 3             | 1           | 3                 | 30                | 0.5         | 1                 | 100                  | 2
2         | 1             | -           | -                 | -                 | -           | -                 | -                    | -
"""


def test_behaviour_is_folded_from_months_and_silence_stays_null(spark):
    zero = {
        n: "0"
        for n, t, _ in TRANSACTIONS_MONTHLY.columns
        if t == "BIGINT" and n not in ("max_days_past_due", "min_balance_minor")
    }
    made = behaviour(frame(spark, TRANSACTIONS_MONTHLY.ddl(), MONTHS, **zero), NIGHT)
    assert texts(made, *[c.strip() for c in BEHAVED.strip().splitlines()[0].split("|")]) == expected(BEHAVED)


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
