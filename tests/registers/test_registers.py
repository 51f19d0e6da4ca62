"""Registers of a night: who is listed, since when, and why an entry left (DESIGN 6; RULES, "Orders")."""

import datetime as dt
from pathlib import Path

import pytest

from jobs.registers import registers
from jobs.rules.policy import compile_policy
from schemas.contract import contracts
from schemas.tables import ORDER_FLAGS, RECORD_FLAGS, REGISTERS
from tests.tables import expected, frame, texts

BEFORE, NIGHT = dt.date(2026, 11, 19), dt.date(2026, 11, 20)
FLAGS = ", ".join(f"{n} {t}" for n, t, _ in (*RECORD_FLAGS, *ORDER_FLAGS))
SOUND = {
    "legal_basis": "Code s. 1",
    "ordered_on": "2026-01-10",
    "served_on": "2026-01-20",
    "objection_until": "2026-02-20",
    "expires_on": "2027-06-30",
    "is_order": "yes",
} | dict.fromkeys(("in_doubt", "disputed", "upheld", "deceased", "erased", "contested", "for_scores"), "no")
COURT = SOUND | {"authority": "Demo Court", "kind": "money_judgment", "debt_minor": "100"}
TAX = SOUND | {"authority": "Demo Tax Office", "status": "final_determination", "debt_minor": "100"}
TRAFFIC = SOUND | {"authority": "Demo Traffic Police", "kind": "driving_disqualification"}
SHOWN = ("record_id", "register", "person_id", "state", "listed", "since", "cause")
NOTHING = {"court": "order_id", "tax": "assessment_id", "traffic": "decision_id"}


@pytest.fixture(scope="module")
def policy():
    path = Path(__file__).resolve().parents[2] / "policy.yaml"
    return compile_policy(path.read_text(encoding="utf-8"), str(path))


def conformed(spark, feed, text, defaults):
    return frame(spark, f"{contracts()[feed].conformed_ddl()}, {FLAGS}", text, **defaults)


def night_of(spark, policy, court="order_id", tax="assessment_id", traffic="decision_id", **given):
    records = {
        "court": conformed(spark, "court", court, COURT),
        "tax": conformed(spark, "tax", tax, TAX),
        "traffic": conformed(spark, "traffic", traffic, TRAFFIC),
    }
    fresh = dict.fromkeys(records, True) | given.get("fresh", {})
    previous = frame(spark, REGISTERS.ddl(), given.get("previous", "record_id"), feed="court")
    erased = spark.createDataFrame([(p,) for p in given.get("erased", ())], "person_id BIGINT")
    return registers(records, fresh, previous, erased, policy, given.get("night", NIGHT))


def test_first_night_lists_what_is_in_force_and_names_no_cause(spark, policy):
    found = night_of(
        spark,
        policy,
        court="""
order_id | person_id | kind                      | satisfied_on | deceased | contested | debt_minor
judged   | 1         | money_judgment            | -            | no       | no        | 100
insolved | 1         | insolvency                | -            | no       | no        | -
director | 1         | director_disqualification | -            | no       | no        | -
debarred | 1         | procurement_debarment     | -            | no       | no        | -
paid     | 2         | money_judgment            | 2026-11-20   | no       | no        | 100
dead     | 3         | money_judgment            | -            | yes      | no        | 100
twofold  | 4         | money_judgment            | -            | no       | yes       | 100
""",
        tax="""
assessment_id | person_id | is_order
owed          | 1         | yes
assessed      | 1         | no
""",
        traffic="""
decision_id | person_id | kind                     | is_order
driving     | 1         | driving_disqualification | yes
points      | 1         | penalty_points           | no
""",
    )
    assert texts(found, *SHOWN) == expected(
        """
record_id | register                   | person_id | state     | listed | since      | cause
judged    | judgment_debts             | 1         | in_force  | yes    | 2026-11-20 | -
insolved  | insolvencies               | 1         | in_force  | yes    | 2026-11-20 | -
director  | director_disqualifications | 1         | in_force  | yes    | 2026-11-20 | -
debarred  | procurement_debarments     | 1         | in_force  | yes    | 2026-11-20 | -
paid      | judgment_debts             | 2         | satisfied | no     | 2026-11-20 | -
dead      | judgment_debts             | 3         | in_doubt  | no     | 2026-11-20 | -
twofold   | judgment_debts             | 4         | in_doubt  | no     | 2026-11-20 | -
owed      | tax_debts                  | 1         | in_force  | yes    | 2026-11-20 | -
driving   | driving_disqualifications  | 1         | in_force  | yes    | 2026-11-20 | -
"""
    )
    recipients = texts(found, "register", "recipient")
    assert recipients == {(r.name, r.recipient) for r in policy.registers.values()}


PREVIOUS = """
register       | record_id | person_id | listed | since      | cause     | state
judgment_debts | stays     | 1         | yes    | 2026-11-01 | -         | in_force
judgment_debts | paid      | 1         | yes    | 2026-11-01 | -         | in_force
judgment_debts | annulled  | 1         | yes    | 2026-11-01 | -         | in_force
judgment_debts | stayed    | 1         | yes    | 2026-11-01 | -         | in_force
judgment_debts | appealed  | 1         | yes    | 2026-11-01 | -         | in_force
judgment_debts | expired   | 1         | yes    | 2026-11-01 | -         | in_force
judgment_debts | disputed  | 1         | yes    | 2026-11-01 | -         | in_force
judgment_debts | lacking   | 1         | yes    | 2026-11-01 | -         | in_force
judgment_debts | doubted   | 1         | yes    | 2026-11-01 | -         | in_force
judgment_debts | unserved  | 1         | yes    | 2026-11-01 | -         | in_force
judgment_debts | objected  | 1         | yes    | 2026-11-01 | -         | in_force
judgment_debts | dead      | 2         | yes    | 2026-11-01 | -         | in_force
judgment_debts | contested | 3         | yes    | 2026-11-01 | -         | in_force
judgment_debts | moved     | 1         | yes    | 2026-11-01 | -         | in_force
judgment_debts | another   | 1         | yes    | 2026-11-01 | -         | in_force
judgment_debts | erased    | 4         | yes    | 2026-11-01 | -         | in_force
judgment_debts | withdrawn | 5         | yes    | 2026-11-01 | -         | in_force
judgment_debts | forgotten | 5         | no     | 2026-11-01 | stay      | stayed
judgment_debts | out       | 1         | no     | 2026-11-01 | stay      | stayed
judgment_debts | out_other | 1         | no     | 2026-11-01 | stay      | stayed
judgment_debts | never     | 1         | no     | 2026-11-01 | -         | unserved
judgment_debts | back      | 1         | no     | 2026-11-01 | dispute   | disputed
"""
TONIGHT = """
order_id  | person_id | kind           | satisfied_on | set_aside_on | stayed_from | appeal_lodged_on | expires_on | disputed | legal_basis | in_doubt | served_on  | objection_until | deceased | contested
stays     | 1         | money_judgment | -            | -            | -           | -                | 2026-11-20 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | no
paid      | 1         | money_judgment | 2026-11-20   | -            | -           | -                | 2027-01-01 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | no
annulled  | 1         | money_judgment | -            | 2026-11-20   | -           | -                | 2027-01-01 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | no
stayed    | 1         | money_judgment | -            | -            | 2026-11-20  | -                | 2027-01-01 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | no
appealed  | 1         | money_judgment | -            | -            | -           | 2026-11-20       | 2027-01-01 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | no
expired   | 1         | money_judgment | -            | -            | -           | -                | 2026-11-19 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | no
disputed  | 1         | money_judgment | -            | -            | -           | -                | 2027-01-01 | yes      | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | no
lacking   | 1         | money_judgment | -            | -            | -           | -                | 2027-01-01 | no       | -           | no       | 2026-01-20 | 2026-02-20      | no       | no
doubted   | 1         | money_judgment | -            | -            | -           | -                | 2027-01-01 | no       | s. 1        | yes      | 2026-01-20 | 2026-02-20      | no       | no
unserved  | 1         | money_judgment | -            | -            | -           | -                | 2027-01-01 | no       | s. 1        | no       | -          | 2026-02-20      | no       | no
objected  | 1         | money_judgment | -            | -            | -           | -                | 2027-01-01 | no       | s. 1        | no       | 2026-01-20 | 2026-11-20      | no       | no
dead      | 2         | money_judgment | -            | -            | -           | -                | 2027-01-01 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | yes      | no
contested | 3         | money_judgment | -            | -            | -           | -                | 2027-01-01 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | yes
moved     | 1         | insolvency     | -            | -            | -           | -                | 2027-01-01 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | no
another   | 7         | money_judgment | -            | -            | -           | -                | 2027-01-01 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | no
out       | 1         | money_judgment | -            | -            | 2026-11-01  | -                | 2027-01-01 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | no
out_other | 1         | money_judgment | 2026-11-20   | -            | 2026-11-01  | -                | 2027-01-01 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | no
never     | 1         | money_judgment | -            | -            | 2026-11-01  | -                | 2027-01-01 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | no
back      | 1         | money_judgment | -            | -            | -           | -                | 2027-01-01 | no       | s. 1        | no       | 2026-01-20 | 2026-02-20      | no       | no
"""
CAUSES = """
record_id | register       | person_id | state          | listed | since      | cause
stays     | judgment_debts | 1         | in_force       | yes    | 2026-11-01 | -
paid      | judgment_debts | 1         | satisfied      | no     | 2026-11-20 | satisfied
annulled  | judgment_debts | 1         | set_aside      | no     | 2026-11-20 | set_aside
stayed    | judgment_debts | 1         | stayed         | no     | 2026-11-20 | stay
appealed  | judgment_debts | 1         | appealed       | no     | 2026-11-20 | appeal
expired   | judgment_debts | 1         | expired        | no     | 2026-11-20 | expiry
disputed  | judgment_debts | 1         | disputed       | no     | 2026-11-20 | dispute
lacking   | judgment_debts | 1         | incomplete     | no     | 2026-11-20 | correction
doubted   | judgment_debts | 1         | in_doubt       | no     | 2026-11-20 | correction
unserved  | judgment_debts | 1         | unserved       | no     | 2026-11-20 | correction
objected  | judgment_debts | 1         | objection_open | no     | 2026-11-20 | correction
dead      | judgment_debts | 2         | in_doubt       | no     | 2026-11-20 | deceased
contested | judgment_debts | 3         | in_doubt       | no     | 2026-11-20 | correction
moved     | judgment_debts | 1         | incomplete     | no     | 2026-11-20 | correction
moved     | insolvencies   | 1         | in_force       | yes    | 2026-11-20 | -
another   | judgment_debts | 7         | in_force       | yes    | 2026-11-20 | -
erased    | judgment_debts | 4         | incomplete     | no     | 2026-11-20 | erasure
withdrawn | judgment_debts | 5         | incomplete     | no     | 2026-11-20 | source_withdrew
out       | judgment_debts | 1         | stayed         | no     | 2026-11-01 | stay
out_other | judgment_debts | 1         | satisfied      | no     | 2026-11-01 | satisfied
never     | judgment_debts | 1         | stayed         | no     | 2026-11-01 | -
back      | judgment_debts | 1         | in_force       | yes    | 2026-11-20 | -
"""


def test_why_entries_leave_and_since_when(spark, policy):
    found = night_of(spark, policy, court=TONIGHT, previous=PREVIOUS, erased=[4])
    assert texts(found, *SHOWN) == expected(CAUSES)
    assert found.groupBy("register", "record_id").count().where("count > 1").count() == 0
    assert found.where("listed <> (state = 'in_force')").count() == 0


LATE = """
order_id | person_id | satisfied_on
listed   | 1         | -
left     | 1         | 2026-11-20
fresh    | 1         | -
back     | 1         | -
"""
LATE_BEFORE = """
register       | record_id | person_id | listed | since      | cause | state
judgment_debts | listed    | 1         | yes    | 2026-11-01 | -     | in_force
judgment_debts | left      | 1         | yes    | 2026-11-01 | -     | in_force
judgment_debts | back      | 1         | no     | 2026-11-01 | stay  | stayed
"""


def test_a_late_feed_adds_nobody_and_still_removes(spark, policy):
    found = night_of(spark, policy, court=LATE, previous=LATE_BEFORE, fresh={"court": False})
    assert texts(found, "record_id", "listed", "since", "cause") == expected(
        """
record_id | listed | since      | cause
listed    | yes    | 2026-11-01 | -
left      | no     | 2026-11-20 | satisfied
fresh     | no     | 2026-11-20 | -
back      | no     | 2026-11-01 | correction
"""
    )


def test_a_late_feed_holds_back_its_own_registers_alone(spark, policy):
    found = night_of(
        spark,
        policy,
        court="order_id | person_id\nc1 | 1",
        tax="assessment_id | person_id\nt1 | 1",
        fresh={"court": False},
    )
    assert texts(found, "record_id", "listed") == {("c1", "no"), ("t1", "yes")}


def test_a_row_of_a_gone_entry_is_dropped_the_night_after(spark, policy):
    first = night_of(spark, policy, previous=PREVIOUS.replace("2026-11-01", "2026-11-18"), night=BEFORE)
    assert first.where("listed").count() == 0
    assert first.count() == 17  # every entry listed before, once, so that its removal goes out
    rows = [tuple(r) for r in first.collect()]
    records = {f: conformed(spark, f, key, SOUND) for f, key in NOTHING.items()}
    nobody = spark.createDataFrame([], "person_id BIGINT")
    then = registers(
        records,
        dict.fromkeys(records, True),
        spark.createDataFrame(rows, REGISTERS.ddl()),
        nobody,
        policy,
        NIGHT,
    )
    assert then.count() == 0


def test_a_register_that_the_policy_dropped_leaves_no_row(spark, policy):
    import dataclasses

    narrower = {k: r for k, r in policy.registers.items() if k != "judgment_debts"}
    found = night_of(
        spark,
        dataclasses.replace(policy, registers=narrower),
        court="order_id | person_id\nstays | 1",
        previous=PREVIOUS,
    )
    assert found.count() == 0
