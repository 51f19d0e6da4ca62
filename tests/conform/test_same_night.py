"""What changes the outcome the same night, day by day around its date: one truth table a rule.

``yes``: the consent is live, or the record counts in a score (or stands in the register).
"""

import datetime as dt

import pytest

from jobs.conform import flagged
from jobs.features import court_features
from jobs.lake.config import load_policy
from jobs.rules.consent import live_consents
from jobs.rules.disputes import verdicts
from jobs.rules.lifecycle import states
from jobs.rules.policy import allowed_since
from schemas.contract import contracts
from schemas.tables import DELIVERIES, QUARANTINE
from tests.registers.test_lifecycle import DEFAULTS, orders
from tests.tables import current, frame, rows

DAYS = ["2026-11-19", "2026-11-20", "2026-11-21"]
POLICY = load_policy()
FEEDS = contracts()

# -- consents: withdrawn today, ended by a declaration, lapsed, granted
CONSENTS = """
consent_id   | person_id | kind       | granted_on | expires_on | withdrawn_on | night
granted      | 1         | consent    | 2026-11-20 | 2026-12-01 | -            | 2026-11-20
withdrawn    | 2         | consent    | 2026-01-01 | 2026-12-01 | 2026-11-20   | 2026-11-18
declared     | 3         | consent    | 2026-01-01 | 2026-12-01 | -            | 2026-11-18
declaration  | 3         | withdrawal | 2026-11-20 | -          | -            | 2026-11-18
lapsed       | 4         | consent    | 2026-01-01 | 2026-11-19 | -            | 2026-11-18
last-day     | 5         | consent    | 2026-01-01 | 2026-11-20 | -            | 2026-11-18
another-one  | 6         | consent    | 2026-01-01 | 2026-12-01 | -            | 2026-11-18
"""
LIVE = """
consent_id  | 2026-11-19 | 2026-11-20 | 2026-11-21
granted     | no         | yes        | yes
withdrawn   | yes        | no         | no
declared    | yes        | no         | no
lapsed      | yes        | no         | no
last-day    | yes        | yes        | no
another-one | yes        | yes        | yes
"""


def by_day(text: str, key: str) -> dict[str, dict[str, bool]]:
    """day -> key -> whether yes."""
    return {d: {r[key]: r[d] == "yes" for r in rows(text)} for d in DAYS}


@pytest.mark.parametrize("day", DAYS)
def test_a_consent_is_live_through_its_last_day_and_gone_on_the_day_of_its_withdrawal(spark, day):
    night = dt.date.fromisoformat(day)
    contract = FEEDS["consents"]
    given = frame(
        spark, contract.accepted_ddl(), CONSENTS,
        purpose="motor_cover", source="traffic", recipient="demo-insurer", revised_at="2026-01-01T00:00:00",
        birth_date="1980-01-01",
    )  # fmt: skip
    known = given.where(f"granted_on <= date'{day}'")  # what that night could have been told
    quarantine = frame(spark, QUARANTINE.ddl(), "feed\n")
    nothing = "dispute_id STRING, feed STRING, record_id STRING, person_id BIGINT, opened_on DATE, "
    none = frame(spark, nothing + "verdict STRING, decided_on DATE, certified_by STRING", "feed\n")
    newest = current(known, contract, frame(spark, DELIVERIES.ddl(), "feed\n"))
    flags = flagged(newest, contract, none, quarantine)
    withdrawals = known.where("kind = 'withdrawal'")
    barred = spark.createDataFrame([], "person_id BIGINT, until DATE")
    live = live_consents(flags, withdrawals, barred, night, allowed_since(POLICY, [], night))
    found = {r["consent_id"] for r in live.collect()}
    assert {c: c in found for c in by_day(LIVE, "consent_id")[day]} == by_day(LIVE, "consent_id")[day]


# -- disputes of a judgment in force: opened, upheld, rejected, run out, corrected
JUDGMENTS = ("opened", "upheld", "rejected", "run-out", "extended", "corrected", "certified", "uncertified")
DISPUTES = """
dispute_id  | record_id   | opened_on  | resolved_on | outcome   | certified_by
opened      | opened      | 2026-11-20 | -           | -         | -
upheld      | upheld      | 2026-11-10 | 2026-11-20  | upheld    | -
rejected    | rejected    | 2026-11-10 | 2026-11-20  | rejected  | -
run-out     | run-out     | 2026-10-21 | -           | -         | -
ext         | extended    | 2026-10-21 | -           | -         | -
corrected   | corrected   | 2026-11-10 | 2026-11-20  | corrected | -
certified   | certified   | 2026-11-01 | 2026-11-10  | upheld    | Registrar
uncertified | uncertified | 2026-11-01 | 2026-11-10  | upheld    | -
"""
JUDGMENT = {n: v for n, v in DEFAULTS.items() if n in FEEDS["court"].names}
# "certified" and "uncertified" come with a revision of 20 November; "corrected" with one of 21 November
REVISED = {"certified": "2026-11-20", "uncertified": "2026-11-20", "corrected": "2026-11-21"}
STATES = """
order_id    | 2026-11-19 | 2026-11-20 | 2026-11-21
opened      | in_force   | disputed   | disputed
upheld      | disputed   | set_aside  | set_aside
rejected    | disputed   | in_force   | in_force
run-out     | disputed   | set_aside  | set_aside
extended    | disputed   | disputed   | disputed
corrected   | disputed   | disputed   | in_force
certified   | set_aside  | in_force   | in_force
uncertified | set_aside  | set_aside  | set_aside
"""


@pytest.mark.parametrize("day", DAYS)
def test_a_dispute_takes_its_record_out_of_register_and_score_and_back(spark, day):
    night = dt.date.fromisoformat(day)
    contract = FEEDS["court"]
    lines = ["order_id | revised_at", *(f"{j} | 2025-12-01T00:00:00" for j in JUDGMENTS)]
    lines += [f"{j} | {on}T00:00:00" for j, on in REVISED.items() if on <= day]
    given = frame(spark, contract.accepted_ddl(), "\n".join(lines), person_id="1", **JUDGMENT)
    said = frame(
        spark, FEEDS["disputes"].accepted_ddl(), DISPUTES, person_id="1", feed="court", kind="inaccurate"
    )
    quarantine = frame(spark, QUARANTINE.ddl(), "feed\n")
    court = flagged(
        current(given, contract), contract, verdicts(said, night, ("ext",)), quarantine
    ).selectExpr("*", "cast(null as string) AS left_determination")
    made = states(court, POLICY.registers["judgment_debts"], night)
    due = {r["order_id"]: r[day] for r in rows(STATES)}
    assert {r["order_id"]: r["state"] for r in made.collect()} == due
    counted = court_features(court, POLICY, night).first()
    assert counted["judgments_unsatisfied"] == sum(s == "in_force" for s in due.values())
    assert counted["sus_judgments_unsatisfied"] is ("disputed" in due.values())


# -- legal limits of records in scores, from the day of the order (15 USC 1681c(a); RULES, "Dates")
OBSOLETE = """
order_id    | kind           | ordered_on | 2026-11-19 | 2026-11-20 | 2026-11-21
judgment-6  | money_judgment | 2019-11-21 | yes        | yes        | no
judgment-7  | money_judgment | 2019-11-20 | yes        | no         | no
judgment-8  | money_judgment | 2019-11-19 | no         | no         | no
insolvent-9 | insolvency     | 2016-11-21 | yes        | yes        | no
insolvent10 | insolvency     | 2016-11-20 | yes        | no         | no
"""


@pytest.mark.parametrize("day", DAYS)
def test_a_record_stops_counting_on_its_anniversary(spark, day):
    given = rows(OBSOLETE)
    text = "\n".join(
        ["order_id | differs | state"]
        + [f"{r['order_id']} | kind={r['kind']};ordered_on={r['ordered_on']} | -" for r in given]
    )
    due = {r["order_id"] for r in given if r[day] == "yes"}
    counted = court_features(orders(spark, text), POLICY, dt.date.fromisoformat(day)).first()
    assert counted["judgments_unsatisfied"] == sum(d.startswith("judgment") for d in due)
    assert counted["insolvencies"] == sum(d.startswith("insolvent") for d in due)
