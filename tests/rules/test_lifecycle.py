"""The state of an order on a night (RULES, "Orders" and "Dates"): every state, every edge of a date, the precedence."""

import dataclasses
import datetime as dt
from functools import reduce
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from jobs.rules.lifecycle import STATES, states
from jobs.rules.policy import compile_policy
from schemas.reasons import ORDER_STATES
from tests.tables import frame, rows

NIGHT = dt.date(2026, 11, 20)
DDL = (
    "case STRING, authority STRING, legal_basis STRING, ordered_on DATE, served_on DATE, objection_until DATE, "
    "appeal_lodged_on DATE, appeal_decided_on DATE, appeal_outcome STRING, stayed_from DATE, stayed_until DATE, "
    "satisfied_on DATE, set_aside_on DATE, expires_on DATE, debt_minor BIGINT, in_doubt BOOLEAN, disputed BOOLEAN, "
    "upheld BOOLEAN, left_determination STRING"
)
# An order in force; a case says what is other in it.
SOUND = {
    "authority": "Demo Court",
    "legal_basis": "Civil Code s. 1",
    "ordered_on": "2026-01-10",
    "served_on": "2026-01-20",
    "objection_until": "2026-02-20",
    "expires_on": "2027-06-30",
    "debt_minor": "125000",
    "in_doubt": "no",
    "disputed": "no",
    "upheld": "no",
}
AUTHORITY = {"tax_debts": "Demo Tax Office", "driving_disqualifications": "Demo Traffic Police"}
CASES = """
register                   | given                                                              | expected       | until
judgment_debts             |                                                                    | in_force       | 2027-06-30
judgment_debts             | set_aside_on=2026-11-20                                            | set_aside      | 2027-06-30
judgment_debts             | upheld=yes                                                         | set_aside      | 2027-06-30
judgment_debts             | appeal_lodged_on=2026-03-01 appeal_decided_on=2026-11-20 appeal_outcome=allowed | set_aside | 2027-06-30
judgment_debts             | appeal_lodged_on=2026-11-20 appeal_decided_on=2026-11-20 appeal_outcome=allowed | set_aside | 2027-06-30
judgment_debts             | appeal_lodged_on=2026-11-19 appeal_decided_on=2026-03-01 appeal_outcome=allowed | appealed  | 2027-06-30
judgment_debts             | satisfied_on=2026-11-20                                            | satisfied      | 2027-06-30
judgment_debts             | debt_minor=0                                                       | satisfied      | 2027-06-30
judgment_debts             | debt_minor=-1                                                      | satisfied      | 2027-06-30
judgment_debts             | debt_minor=1                                                       | in_force       | 2027-06-30
judgment_debts             | expires_on=2026-11-20                                              | in_force       | 2026-11-20
judgment_debts             | expires_on=2026-11-19                                              | expired        | 2026-11-19
judgment_debts             | expires_on=-                                                       | in_force       | 2032-01-09
judgment_debts             | expires_on=2032-01-10                                              | in_force       | 2032-01-09
judgment_debts             | expires_on=- ordered_on=2020-11-21                                 | in_force       | 2026-11-20
judgment_debts             | expires_on=- ordered_on=2020-11-20                                 | expired        | 2026-11-19
judgment_debts             | expires_on=- ordered_on=2024-02-29                                 | in_force       | 2030-02-27
insolvencies               | expires_on=- ordered_on=2016-11-21                                 | in_force       | 2026-11-20
insolvencies               | expires_on=- ordered_on=2016-11-20                                 | expired        | 2026-11-19
insolvencies               | debt_minor=-                                                       | in_force       | 2027-06-30
insolvencies               | satisfied_on=2026-11-20                                            | satisfied      | 2027-06-30
director_disqualifications | expires_on=-                                                       | incomplete     | 2041-01-09
director_disqualifications | expires_on=2045-01-01                                              | in_force       | 2041-01-09
director_disqualifications | debt_minor=-                                                       | in_force       | 2027-06-30
procurement_debarments     | expires_on=-                                                       | incomplete     | 2031-01-09
driving_disqualifications  | expires_on=-                                                       | incomplete     | 2036-01-09
driving_disqualifications  | expires_on=2026-11-20                                              | in_force       | 2026-11-20
driving_disqualifications  | authority=Demo_Court                                               | incomplete     | 2027-06-30
tax_debts                  |                                                                    | in_force       | 2027-06-30
tax_debts                  | debt_minor=-                                                       | incomplete     | 2027-06-30
tax_debts                  | debt_minor=0                                                       | satisfied      | 2027-06-30
tax_debts                  | left_determination=satisfied                                       | satisfied      | 2027-06-30
tax_debts                  | left_determination=set_aside                                       | set_aside      | 2027-06-30
tax_debts                  | authority=Demo_Court                                               | incomplete     | 2027-06-30
judgment_debts             | debt_minor=-                                                       | incomplete     | 2027-06-30
judgment_debts             | authority=-                                                        | incomplete     | 2027-06-30
judgment_debts             | authority=Other_Court                                              | incomplete     | 2027-06-30
judgment_debts             | legal_basis=-                                                      | incomplete     | 2027-06-30
judgment_debts             | ordered_on=-                                                       | incomplete     | 2027-06-30
judgment_debts             | ordered_on=- expires_on=-                                          | incomplete     | -
judgment_debts             | in_doubt=yes                                                       | in_doubt       | 2027-06-30
judgment_debts             | disputed=yes                                                       | disputed       | 2027-06-30
judgment_debts             | stayed_from=2026-11-20                                             | stayed         | 2027-06-30
judgment_debts             | stayed_from=2026-11-21                                             | in_force       | 2027-06-30
judgment_debts             | stayed_from=2026-11-01 stayed_until=2026-11-20                     | stayed         | 2027-06-30
judgment_debts             | stayed_from=2026-11-01 stayed_until=2026-11-19                     | in_force       | 2027-06-30
judgment_debts             | stayed_until=2026-11-20                                            | stayed         | 2027-06-30
judgment_debts             | stayed_until=2026-11-19                                            | in_force       | 2027-06-30
judgment_debts             | appeal_lodged_on=2026-11-20                                        | appealed       | 2027-06-30
judgment_debts             | appeal_lodged_on=2026-03-01 appeal_decided_on=2026-11-20 appeal_outcome=dismissed | in_force | 2027-06-30
judgment_debts             | appeal_lodged_on=2026-11-20 appeal_decided_on=2026-11-20 appeal_outcome=dismissed | in_force | 2027-06-30
judgment_debts             | appeal_lodged_on=2026-03-01 appeal_decided_on=2026-05-01 appeal_outcome=varied    | appealed | 2027-06-30
judgment_debts             | appeal_lodged_on=2026-03-01 appeal_decided_on=2026-05-01           | appealed       | 2027-06-30
judgment_debts             | appeal_lodged_on=2026-03-01 appeal_outcome=dismissed               | appealed       | 2027-06-30
judgment_debts             | appeal_lodged_on=2026-06-01 appeal_decided_on=2026-05-01 appeal_outcome=dismissed | appealed | 2027-06-30
judgment_debts             | appeal_decided_on=2026-05-01 appeal_outcome=dismissed             | in_force       | 2027-06-30
judgment_debts             | appeal_decided_on=2026-05-01 appeal_outcome=varied                | appealed       | 2027-06-30
judgment_debts             | appeal_decided_on=2026-05-01 appeal_outcome=allowed               | set_aside      | 2027-06-30
judgment_debts             | appeal_decided_on=2026-05-01                                      | appealed       | 2027-06-30
judgment_debts             | appeal_outcome=varied                                             | appealed       | 2027-06-30
judgment_debts             | appeal_outcome=dismissed                                          | appealed       | 2027-06-30
judgment_debts             | served_on=-                                                        | unserved       | 2027-06-30
judgment_debts             | served_on=2026-11-20                                               | in_force       | 2027-06-30
judgment_debts             | objection_until=-                                                  | objection_open | 2027-06-30
judgment_debts             | objection_until=2026-11-20                                         | objection_open | 2027-06-30
judgment_debts             | objection_until=2026-11-19                                         | in_force       | 2027-06-30
"""
# What makes each state, from the first to the last: with all of them at once the first decides, without it the next.
REASONS = {
    "set_aside": {"set_aside_on": "2026-11-01"},
    "satisfied": {"satisfied_on": "2026-11-01"},
    "expired": {"expires_on": "2026-11-01"},
    "incomplete": {"legal_basis": "-"},
    "in_doubt": {"in_doubt": "yes"},
    "disputed": {"disputed": "yes"},
    "stayed": {"stayed_from": "2026-11-01"},
    "appealed": {"appeal_lodged_on": "2026-11-01"},
    "unserved": {"served_on": "-"},
    "objection_open": {"objection_until": "-"},
}


@pytest.fixture(scope="module")
def policy():
    path = Path(__file__).resolve().parents[2] / "policy.yaml"
    return compile_policy(path.read_text(encoding="utf-8"), str(path))


def outcomes(spark, policy, given, night=NIGHT):
    """(state, until) of each case, ``given`` as (register, what is other in it), all in one frame."""
    parts = []
    for name in dict.fromkeys(register for register, _ in given):
        cases = [
            {"case": str(i), **SOUND, "authority": AUTHORITY.get(name, "Demo Court"), **other}
            for i, (register, other) in enumerate(given)
            if register == name
        ]
        columns = list(dict.fromkeys(c for case in cases for c in case))
        text = [" | ".join(columns), *(" | ".join(c.get(n, "-") for n in columns) for c in cases)]
        parts.append(states(frame(spark, DDL, "\n".join(text)), policy.registers[name], night))
    found = reduce(lambda a, b: a.unionByName(b), parts).select("case", "state", "until").collect()
    return {int(r["case"]): (r["state"], str(r["until"]) if r["until"] else "-") for r in found}


def test_every_state_and_edge(spark, policy):
    table = rows(CASES)
    given = [
        (r["register"], {k: v.replace("_", " ") if k == "authority" else v for k, v in pairs(r["given"])})
        for r in table
    ]
    found = outcomes(spark, policy, given)
    wrong = [
        f"{r['register']}: {r['given'] or 'sound'}: expected {r['expected']} until {r['until']}, found {found[i]}"
        for i, r in enumerate(table)
        if found[i] != (r["expected"], r["until"])
    ]
    assert wrong == []
    assert {r["expected"] for r in table} == set(STATES)


def pairs(text):
    return [tuple(p.split("=")) for p in text.split()]


def test_the_first_reason_decides(spark, policy):
    """Each order has the reasons from one state on, so that this state must win over all that follow."""
    names = list(REASONS)
    given = []
    for i in range(len(names) + 1):
        merged = {k: v for name in names[i:] for k, v in REASONS[name].items()}
        given.append(("judgment_debts", merged))
    found = outcomes(spark, policy, given)
    assert [found[i][0] for i in range(len(names) + 1)] == [*names, "in_force"]


def test_every_two_reasons_keep_the_precedence(spark, policy):
    names = list(REASONS)
    both = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    found = outcomes(spark, policy, [("judgment_debts", {**REASONS[a], **REASONS[b]}) for a, b in both])
    assert {i: found[i][0] for i in found} == {i: a for i, (a, _) in enumerate(both)}


# Every way into a state, so that each pair of states meets in each pair of ways.
WAYS = {
    "set_aside": (
        {"set_aside_on": "2026-11-01"},
        {"upheld": "yes"},
        {"left_determination": "set_aside"},
        {"appeal_decided_on": "2026-11-01", "appeal_outcome": "allowed"},
    ),
    "satisfied": ({"satisfied_on": "2026-11-01"}, {"debt_minor": "0"}, {"left_determination": "satisfied"}),
    "expired": ({"expires_on": "2026-11-01"}, {"ordered_on": "2010-01-01"}),
    "incomplete": ({"authority": "-"}, {"authority": "Elsewhere"}, {"legal_basis": "-"}, {"debt_minor": "-"}),
    "in_doubt": ({"in_doubt": "yes"},),
    "disputed": ({"disputed": "yes"},),
    "stayed": ({"stayed_from": "2026-11-01"}, {"stayed_until": "2026-11-30"}),
    "appealed": (
        {"appeal_lodged_on": "2026-11-01"},
        {"appeal_lodged_on": "2026-11-01", "appeal_decided_on": "2026-11-02", "appeal_outcome": "varied"},
    ),
    "unserved": ({"served_on": "-"}, {"served_on": "-", "objection_until": "-"}),
    "objection_open": ({"objection_until": "-"}, {"objection_until": "2026-12-31"}),
}


def test_every_two_ways_keep_the_precedence(spark, policy):
    names = list(WAYS)
    both = [
        (names[i], {**b, **a})
        for i in range(len(names))
        for other in names[i + 1 :]
        for a in WAYS[names[i]]
        for b in WAYS[other]
        if not a.keys() & b.keys()  # one column cannot say two things
    ]
    assert {n for n, _ in both} == set(names[:-1])
    found = outcomes(spark, policy, [("tax_debts", given) for _, given in both])
    assert [(given, found[i][0]) for i, (_, given) in enumerate(both)] == [(g, n) for n, g in both]


# An order around 20 November 2026, night by night: the state on each of the nights 17 to 23 November.
NIGHTS = [dt.date(2026, 11, d) for d in range(17, 24)]
DAYS = """
given                                                                | 17 | 18 | 19 | 20 | 21 | 22 | 23
                                                                     | in_force | in_force | in_force | in_force | in_force | in_force | in_force
set_aside_on=2026-11-20                                              | in_force | in_force | in_force | set_aside | set_aside | set_aside | set_aside
satisfied_on=2026-11-20                                              | in_force | in_force | in_force | satisfied | satisfied | satisfied | satisfied
expires_on=2026-11-20                                                | in_force | in_force | in_force | in_force | expired | expired | expired
expires_on=- ordered_on=2020-11-21                                   | in_force | in_force | in_force | in_force | expired | expired | expired
expires_on=2026-11-18 ordered_on=2020-11-21                          | in_force | in_force | expired | expired | expired | expired | expired
served_on=2026-11-20 objection_until=2026-11-21                      | unserved | unserved | unserved | objection_open | objection_open | in_force | in_force
objection_until=2026-11-20                                           | objection_open | objection_open | objection_open | objection_open | in_force | in_force | in_force
stayed_from=2026-11-19 stayed_until=2026-11-20                       | in_force | in_force | stayed | stayed | in_force | in_force | in_force
stayed_from=2026-11-20                                               | in_force | in_force | in_force | stayed | stayed | stayed | stayed
stayed_until=2026-11-20                                              | stayed | stayed | stayed | stayed | in_force | in_force | in_force
appeal_lodged_on=2026-11-20                                          | in_force | in_force | in_force | appealed | appealed | appealed | appealed
appeal_lodged_on=2026-11-19 appeal_decided_on=2026-11-21 appeal_outcome=dismissed | in_force | in_force | appealed | appealed | in_force | in_force | in_force
appeal_lodged_on=2026-11-19 appeal_decided_on=2026-11-21 appeal_outcome=allowed   | in_force | in_force | appealed | appealed | set_aside | set_aside | set_aside
appeal_lodged_on=2026-11-19 appeal_decided_on=2026-11-21 appeal_outcome=varied    | in_force | in_force | appealed | appealed | appealed | appealed | appealed
stayed_until=2026-11-19 expires_on=2026-11-20                        | stayed | stayed | stayed | in_force | expired | expired | expired
stayed_from=2026-11-18 appeal_lodged_on=2026-11-17 satisfied_on=2026-11-21 | appealed | stayed | stayed | stayed | satisfied | satisfied | satisfied
"""


def test_the_boundary_of_each_date_night_by_night(spark, policy):
    table = rows(DAYS)
    cases = [{"case": str(i), **SOUND, **dict(pairs(r["given"]))} for i, r in enumerate(table)]
    columns = list(dict.fromkeys(c for case in cases for c in case))
    text = [" | ".join(columns), *(" | ".join(c.get(n, "-") for n in columns) for c in cases)]
    nights = frame(spark, "night DATE", "\n".join(["night", *map(str, NIGHTS)]))
    many = frame(spark, DDL, "\n".join(text)).crossJoin(nights)
    found = states(many, policy.registers["judgment_debts"], F.col("night")).select("case", "night", "state")
    by = {(int(r["case"]), r["night"].day): r["state"] for r in found.collect()}
    wrong = [
        f"{r['given'] or 'sound'}: {d} November: expected {r[str(d)]}, found {by[i, d]}"
        for i, r in enumerate(table)
        for d in range(17, 24)
        if by[i, d] != r[str(d)]
    ]
    assert wrong == []
    # a column of nights says what each night says on its own
    for night in (NIGHTS[2], NIGHTS[4]):
        alone = states(
            frame(spark, DDL, "\n".join(text)), policy.registers["judgment_debts"], night
        ).collect()
        assert {int(r["case"]): r["state"] for r in alone} == {i: by[i, night.day] for i in range(len(table))}


def test_no_authority_named_means_nothing_listed(spark, policy):
    bare = dataclasses.replace(policy.registers["judgment_debts"], authorities=())
    named = dataclasses.replace(policy, registers={"judgment_debts": bare})
    assert outcomes(spark, named, [("judgment_debts", {})])[0][0] == "incomplete"


def test_states_have_words():
    assert tuple(ORDER_STATES) == STATES
