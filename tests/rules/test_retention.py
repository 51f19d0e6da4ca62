"""Whose bookings and awards are kept, and what a refused row still says when it is gone (RULES, "Identity")."""

import datetime as dt
import json

import pyarrow as pa
import pytest

from jobs.lake.ask import ask
from jobs.rules.retention import CONSENTED_PEOPLE, KEYS_NAMED, STILL_COUNT, gone_through
from schemas.contract import contracts
from schemas.tables import QUARANTINE

NIGHT = dt.date(2026, 3, 31)  # thirty days before it is 1 March
CONSENTS = """
person          kind        id  source       granted     expires     withdrawn   narrowed_to
live            consent     1   transactions 2026-01-10  2026-12-31  -           -
ended-30        consent     1   transactions 2026-01-10  2026-03-01  -           -
ended-31        consent     1   transactions 2026-01-10  2026-02-28  -           -
shortened       consent     1   transactions 2026-01-10  2026-12-31  -           -
shortened       consent     1   transactions 2026-01-10  2026-02-28  -           -
withdrawn-30    consent     1   transactions 2026-01-10  2026-12-31  2026-03-02  -
withdrawn-31    consent     1   transactions 2026-01-10  2026-12-31  2026-03-01  -
drawn-earlier   consent     1   transactions 2026-01-10  2026-12-31  2026-03-20  -
drawn-earlier   consent     1   transactions 2026-01-10  2026-12-31  2026-02-20  -
declared-30     consent     1   transactions 2026-01-10  2026-12-31  -           -
declared-30     withdrawal  w   -            2026-03-02  -           -           -
declared-31     consent     1   transactions 2026-01-10  2026-12-31  -           -
declared-31     withdrawal  w   -            2026-03-01  -           -           -
narrowed        consent     1   transactions 2026-01-10  2026-12-31  -           -
narrowed        withdrawal  w   -            2026-03-01  -           -           other-lender
narrowed-mine   consent     1   transactions 2026-01-10  2026-12-31  -           -
narrowed-mine   withdrawal  w   -            2026-03-01  -           -           demo-lender
erased          consent     1   transactions 2026-01-10  2026-12-31  -           -
erased          erasure     e   -            2026-02-01  -           -           -
came-back       consent     1   transactions 2026-01-10  2026-12-31  -           -
came-back       erasure     e   -            2026-02-01  -           -           -
came-back       consent     2   transactions 2026-02-02  2026-12-31  -           -
dead            consent     1   transactions 2026-01-10  2026-12-31  -           -
dead            death       d   -            2026-02-01  -           -           -
of-court        consent     1   court        2026-01-10  2026-12-31  -           -
never-lived     consent     1   transactions 2026-03-10  2026-12-31  2026-03-10  -
asked           access      a   -            2026-03-10  -           -           -
"""
KEPT = {
    "live",
    "ended-30",
    "withdrawn-30",
    "declared-30",
    "narrowed",
    "came-back",
    "of-court",
}


def consents():
    lines = [line.split() for line in CONSENTS.strip().splitlines()]
    people = sorted({line[0] for line in lines[1:]})
    day = {"-": None}
    rows = [
        {
            "person_id": people.index(person),
            "kind": kind,
            "consent_id": f"{person}-{number}",
            "purpose": "consumer_credit" if kind == "consent" else None,
            "recipient": "demo-lender" if kind == "consent" else day.get(narrowed, narrowed),
            "source": day.get(source, source),
            **{
                name: None if value == "-" else dt.date.fromisoformat(value)
                for name, value in zip(
                    ("granted_on", "expires_on", "withdrawn_on"), (granted, expires, withdrawn), strict=True
                )
            },
        }
        for person, kind, number, source, granted, expires, withdrawn, narrowed in lines[1:]
    ]
    return people, pa.Table.from_pylist(rows)


def test_who_has_or_had_a_live_consent():
    people, rows = consents()
    found = ask(CONSENTED_PEOPLE, {"consents": rows}, night=NIGHT, days=30)
    assert {people[p] for p in found.column("person_id").to_pylist()} == KEPT


@pytest.mark.parametrize(("days", "last"), [(1, "2026-03-30"), (90, "2025-12-31")])
def test_nights_that_are_gone(days, last):
    assert gone_through(NIGHT, days).isoformat() == last


IDENTITY = {
    "national_id": "12345678903",
    "family_name": "Horvat",
    "given_name": "Ana",
    "birth_date": "1990-01-01",
}
FREE = "paid by Ana Horvat, 12345678903"
# person, feed, key, contested, cells, what is kept of them (None: nothing, the row counts no more)
REFUSED = (
    ("withdraws", "consents", "c1", False, {"kind": " Withdrawal "}, {"kind": "withdrawal"}),
    ("erases", "consents", None, False, {"kind": "erasure"}, {"kind": "erasure"}),
    ("dies", "consents", "c2", False, {"kind": "death"}, {"kind": "death"}),
    ("consents", "consents", "c3", False, {"kind": "consent", "withdrawn_on": ""}, None),
    (
        "ends",
        "consents",
        "c4",
        False,
        {"kind": "consent", "withdrawn_on": "2026-01-01"},
        {"withdrawn_on": "told"},
    ),
    ("pays", "court", "o1", False, {"satisfied_on": FREE, "revised_at": FREE}, {"satisfied_on": "told"}),
    ("pays-keyless", "court", None, False, {"satisfied_on": "2026-01-01"}, None),
    ("pays-of-id", "court", "J-12345678903", False, {"satisfied_on": "2026-01-01"}, None),
    ("pays-known", "court", "Ovr 12/2020", False, {"satisfied_on": "2026-01-01"}, {"satisfied_on": "told"}),
    ("pays-unknown", "court", "Ovr 13/2020", False, {"satisfied_on": "2026-01-01"}, None),
    (
        "disputes-known",
        "disputes",
        "d4",
        False,
        {"feed": "tax", "record_id": "Č 1"},
        {"feed": "tax", "record_id": "Č 1"},
    ),
    ("disputes-no-feed", "disputes", "d5", False, {"feed": "Horvat", "record_id": "o1"}, None),
    ("pays-shifted", "court", "horvat", False, {"satisfied_on": "2026-01-01"}, None),
    ("owes", "court", "o2", False, {"debt_minor": "12"}, None),
    (
        "disputes",
        "disputes",
        "Ana Horvat",
        False,
        {"feed": "court", "record_id": "o1", "outcome": "Rejected", "resolved_on": FREE},
        {"feed": "court", "record_id": "o1", "outcome": "rejected"},
    ),
    (
        "was-rejected",
        "disputes",
        "d3",
        False,
        {
            "feed": "tax",
            "record_id": "t1",
            "resolved_on": "2026-01-02",
            "revised_at": "2026-01-03T04:05:06+02:00",
        },
        {
            "feed": "tax",
            "record_id": "t1",
            "resolved_on": "2026-01-02",
            "revised_at": "2026-01-03T02:05:06.000000Z",
        },
    ),
    ("disputes-nothing", "disputes", "d1", False, {"feed": "court"}, None),
    ("contests", "disputes", "d2", True, {}, {}),
    (None, "consents", "c5", False, {"kind": "withdrawal"}, None),
    ("books", "transactions", "t1", False, {"amount_minor": "x"}, None),
)
NO_KEY = {"erases", "disputes"}


def test_what_refused_rows_still_say():
    rows = [
        {
            "night": NIGHT,
            "feed": feed,
            "file": "f",
            "row_number": n,
            "reasons": ["bad_type"],
            "person_id": None if person is None else n,
            "record_key": key,
            "contested": contested,
            "verbatim": json.dumps({**dict.fromkeys(contracts()[feed].names), **IDENTITY, **cells}),
        }
        for n, (person, feed, key, contested, cells, _) in enumerate(REFUSED)
    ]
    rows += [
        {**rows[0], "row_number": 98, "verbatim": None},
        {**rows[0], "row_number": 99, "verbatim": "{not"},
    ]
    refused = pa.Table.from_pylist(rows, schema=QUARANTINE.arrow())
    named = {(r["feed"], r["key"]) for r in ask(KEYS_NAMED, {"refused": refused}).to_pylist()}
    known = [("court", "Ovr 12/2020"), ("tax", "Č 1")]
    assert named > set(known)
    tables = {
        "refused": refused,
        "feeds": pa.table({"feed": list(contracts())}),
        "known": pa.table({"feed": [f for f, _ in known], "key": [k for _, k in known]}),
    }
    found = ask(STILL_COUNT, tables).to_pylist()
    kept = {REFUSED[r["row_number"]][0]: json.loads(r["verbatim"]) for r in found}
    said = {who: {k: v for k, v in cells.items() if v is not None} for who, cells in kept.items()}
    assert said == {row[0]: row[-1] for row in REFUSED if row[-1] is not None}
    assert {REFUSED[r["row_number"]][0] for r in found if r["record_key"] is None} == NO_KEY
    text = str(found).lower()
    assert not any(value.lower() in text for value in (*IDENTITY.values(), FREE))
