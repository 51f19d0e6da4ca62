"""The state of an order on a night (RULES, "Orders" and "Dates"), one order a case."""

import datetime as dt

from jobs.lake.config import load_policy
from jobs.registers import gone, of_register
from jobs.rules.lifecycle import states
from schemas.contract import contracts
from schemas.tables import ORDER_FLAGS, RECORD_FLAGS, REGISTERS
from tests.tables import expected, frame, rows, texts

NIGHT = dt.date(2026, 11, 20)
FLAGS = ", ".join(f"{n} {t}" for n, t, _ in (*RECORD_FLAGS, *ORDER_FLAGS))
DDL = f"{contracts()['court'].conformed_ddl()}, {FLAGS}"
DEFAULTS = {
    "person_id": "1",
    "kind": "money_judgment",
    "authority": "Demo Court",
    "legal_basis": "s. 1",
    "ordered_on": "2025-01-01",
    "served_on": "2025-02-01",
    "objection_until": "2025-03-01",
    "debt_minor": "100",
    **{n: "no" for n, t, _ in (*RECORD_FLAGS, *ORDER_FLAGS) if t == "BOOLEAN"},
}
# what differs from an order in force, and the state that follows
CASES = """
order_id          | differs                                                                          | state
plain             | -                                                                                | in_force
set-aside-today   | set_aside_on=2026-11-20                                                          | set_aside
upheld            | upheld=yes                                                                       | set_aside
paid-today        | satisfied_on=2026-11-20                                                          | satisfied
nothing-owed      | debt_minor=0                                                                     | satisfied
aside-before-paid | set_aside_on=2026-11-01;satisfied_on=2026-10-01                                  | set_aside
last-day          | expires_on=2026-11-20                                                            | in_force
day-after         | expires_on=2026-11-19                                                            | expired
statute-last-day  | ordered_on=2020-11-21                                                            | in_force
statute-over      | ordered_on=2020-11-20                                                            | expired
leap-day          | ordered_on=2020-02-29                                                            | expired
no-authority      | authority=-                                                                      | incomplete
other-authority   | authority=Elsewhere                                                              | incomplete
no-basis          | legal_basis=-                                                                    | incomplete
no-day            | ordered_on=-                                                                     | incomplete
no-debt           | debt_minor=-                                                                     | incomplete
doubt             | in_doubt=yes                                                                     | in_doubt
doubt-disputed    | in_doubt=yes;disputed=yes                                                        | in_doubt
disputed          | disputed=yes                                                                     | disputed
stay-first-day    | stayed_from=2026-11-20                                                           | stayed
stay-tomorrow     | stayed_from=2026-11-21                                                           | in_force
stay-last-day     | stayed_from=2026-11-01;stayed_until=2026-11-20                                   | stayed
stay-over         | stayed_from=2026-11-01;stayed_until=2026-11-19                                   | in_force
stay-end-alone    | stayed_until=2026-11-20                                                          | stayed
appeal-today      | appeal_lodged_on=2026-11-20                                                      | appealed
appeal-dismissed  | appeal_lodged_on=2026-11-01;appeal_decided_on=2026-11-20;appeal_outcome=dismissed | in_force
appeal-allowed    | appeal_lodged_on=2026-11-01;appeal_decided_on=2026-11-20;appeal_outcome=allowed  | set_aside
appeal-varied     | appeal_lodged_on=2026-11-01;appeal_decided_on=2026-11-20;appeal_outcome=varied   | appealed
appeal-no-outcome | appeal_lodged_on=2026-11-01;appeal_decided_on=2026-11-20                         | appealed
appeal-anew       | appeal_lodged_on=2026-11-19;appeal_decided_on=2026-11-01;appeal_outcome=dismissed | appealed
stayed-appealed   | stayed_from=2026-11-01;appeal_lodged_on=2026-11-01                               | stayed
unserved          | served_on=-;objection_until=-                                                    | unserved
no-objection-end  | objection_until=-                                                                | objection_open
objection-last    | objection_until=2026-11-20                                                       | objection_open
objection-over    | objection_until=2026-11-19                                                       | in_force
"""


def orders(spark, text=CASES, **defaults):
    columns = sorted(
        {part.split("=")[0] for r in rows(text) for part in r["differs"].split(";") if part != "-"}
        | set(DEFAULTS)
    )
    lines = ["order_id|" + "|".join(columns)]
    for r in rows(text):
        cells = {**DEFAULTS, **defaults, **dict(p.split("=") for p in r["differs"].split(";") if p != "-")}
        lines.append("|".join([r["order_id"], *(cells.get(c, "-") for c in columns)]))
    return frame(spark, DDL, "\n".join(lines))


def test_every_state_and_every_edge(spark):
    judged = states(orders(spark), load_policy().registers["judgment_debts"], NIGHT)
    assert texts(judged, "order_id", "state") == {(r["order_id"], r["state"]) for r in rows(CASES)}


def test_a_disqualification_needs_an_end(spark):
    register = load_policy().registers["director_disqualifications"]
    cases = "order_id | differs | state\nno-end | debt_minor=- | incomplete\nwith-end | expires_on=2027-01-01 | in_force"
    assert texts(states(orders(spark, cases), register, NIGHT), "order_id", "state") == {
        ("no-end", "incomplete"),
        ("with-end", "in_force"),
    }


BEFORE = """
register       | feed  | record_id | person_id | state    | listed | since      | cause
judgment_debts | court | stays     | 1         | in_force | yes    | 2026-11-01 | -
judgment_debts | court | paid      | 1         | in_force | yes    | 2026-11-01 | -
judgment_debts | court | still-out | 1         | disputed | no     | 2026-11-10 | dispute
judgment_debts | court | dead      | 1         | in_force | yes    | 2026-11-01 | -
judgment_debts | court | erased    | 2         | in_force | yes    | 2026-11-01 | -
judgment_debts | court | withdrawn | 3         | in_force | yes    | 2026-11-01 | -
judgment_debts | court | long-gone | 3         | stayed   | no     | 2026-11-01 | stay
"""
TONIGHT = """
order_id  | differs                 | state
stays     | -                       | -
paid      | satisfied_on=2026-11-20 | -
still-out | stayed_from=2026-11-20  | -
dead      | deceased=yes            | -
new       | -                       | -
never     | in_doubt=yes            | -
"""
AFTER = """
record_id | state     | listed | since      | cause
stays     | in_force  | yes    | 2026-11-01 | -
paid      | satisfied | no     | 2026-11-20 | satisfied
still-out | stayed    | no     | 2026-11-10 | stay
dead      | in_doubt  | no     | 2026-11-20 | deceased
new       | in_force  | yes    | 2026-11-20 | -
never     | in_doubt  | no     | 2026-11-20 | -
"""


def test_since_and_cause_follow_from_the_night_before(spark):
    register = load_policy().registers["judgment_debts"]
    before = frame(spark, REGISTERS.ddl(), BEFORE)
    tonight = of_register(orders(spark, TONIGHT), register, True, before, NIGHT)
    columns = ("record_id", "state", "listed", "since", "cause")
    assert texts(tonight, *columns) == expected(AFTER)
    erased = spark.createDataFrame([(2,)], "person_id BIGINT")
    left = gone(tonight, before, erased, NIGHT)
    assert texts(left, "record_id", "listed", "cause") == {
        ("erased", "no", "erasure"),
        ("withdrawn", "no", "source_withdrew"),
    }


def test_a_stale_feed_adds_nobody_and_keeps_removing(spark):
    register = load_policy().registers["judgment_debts"]
    before = frame(spark, REGISTERS.ddl(), BEFORE)
    tonight = of_register(orders(spark, TONIGHT), register, False, before, NIGHT)
    listed = {r for r, yes in texts(tonight, "record_id", "listed") if yes == "yes"}
    assert listed == {"stays"}
