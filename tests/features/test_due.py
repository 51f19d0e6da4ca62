"""Whom the calendar touches: nobody's features change from one night to another who is not named as due."""

import datetime as dt
import random

import pyarrow as pa
import pytest

from jobs.features import court_features, education_features, tax_features, traffic_features
from jobs.lake.ask import ask
from jobs.lake.config import load_policy
from jobs.rules.due import DUE, month_of
from schemas.contract import contracts
from schemas.table import ARROW
from schemas.tables import ORDER_FLAGS, RECORD_FLAGS

POLICY = load_policy()
PEOPLE = 4_000
# neighbours, a leap day, a month's end, the turn of a year, and nights that were skipped
NIGHTS = [
    ("2026-11-19", "2026-11-20"),
    ("2028-02-28", "2028-02-29"),
    ("2027-02-27", "2027-02-28"),
    ("2026-04-29", "2026-04-30"),
    ("2026-12-30", "2027-01-02"),
]
WORDS = {
    "court": {"kind": ["money_judgment", "insolvency"], "authority": ["Demo Court"]},
    "tax": {"status": ["arrears", "final_determination", "paid"], "authority": ["Demo Tax Office"]},
    "traffic": {
        "kind": ["penalty_points", "driving_disqualification"],
        "severity": ["minor", "serious"],
        "authority": ["Demo Traffic Police"],
    },
    "education": {},
}
OF = {
    "court": lambda rows, night: court_features(rows, POLICY, night),
    "tax": lambda rows, night: tax_features(rows, POLICY, night),
    "traffic": lambda rows, night: traffic_features(rows, POLICY, night),
    "education": education_features,
}


def near(chance: random.Random, night: dt.date, years: tuple[int, ...]) -> dt.date:
    """A day about a number of years, and perhaps some months, before a night."""
    days = night - dt.timedelta(days=round(365.25 * chance.choice(years)) + chance.choice([0, 0, 30, 61, 92]))
    return days + dt.timedelta(days=chance.randint(-3, 3))


def some(feed: str, night: dt.date) -> pa.Table:
    """A record a person, whose days lie about the night and about its anniversaries."""
    chance = random.Random(f"{feed} {night}")
    contract = contracts()[feed]
    flags = [*RECORD_FLAGS, *(ORDER_FLAGS if contract.orders else ())]
    types = {c.name: c.type for c in contract.columns}

    def cell(name: str) -> object:
        if name in WORDS[feed]:
            return chance.choice(WORDS[feed][name])
        if name in ("ordered_on", "assessed_on", "awarded_on"):
            return near(chance, night, (0, 1, 3, 5, 7, 10))
        if name in ("served_on", "objection_until"):  # most are final
            return near(chance, night, (0, 11, 11, 11))
        if types[name] == "date":
            return near(chance, night, (0,)) if chance.random() < 0.1 else None
        if types[name] == "integer":
            return chance.randint(1, 5)
        if types[name] == "timestamp":
            return None
        return "law"

    def appeal() -> dict[str, object]:
        """Of most orders none; else lodged, and perhaps decided."""
        found = dict.fromkeys(("appeal_lodged_on", "appeal_decided_on", "appeal_outcome"))
        if chance.random() < 0.2:
            found["appeal_lodged_on"] = near(chance, night, (0, 0, 1))
            if chance.random() < 0.7:
                found["appeal_decided_on"] = near(chance, night, (0,))
                found["appeal_outcome"] = chance.choice(["dismissed", "dismissed", "allowed", "varied"])
        return found

    rows = []
    for person in range(PEOPLE):
        row = {
            n: cell(n) for n in types if n not in ("national_id", "family_name", "given_name", "birth_date")
        }
        if "appeal_outcome" in row:
            row |= appeal()
        more = {n: False for n, t, _ in flags if t == "BOOLEAN"}
        rows.append({"person_id": person, **row, **more, "is_order": True})
    kinds = {
        "string": pa.string(),
        "date": pa.date32(),
        "integer": pa.int64(),
        "timestamp": pa.timestamp("us", "UTC"),
    }
    schema = pa.schema(
        [("person_id", pa.int64()), *((n, kinds[types[n]]) for n in rows[0] if n in types)]
        + [(n, ARROW[t]) for n, t, _ in flags]
    )
    return pa.Table.from_pylist(rows, schema=schema)


@pytest.mark.parametrize(("before", "night"), NIGHTS)
def test_whose_features_change_is_due(spark, before, night):
    before, night = dt.date.fromisoformat(before), dt.date.fromisoformat(night)
    for feed, of in OF.items():
        rows = some(feed, night)
        frame = spark.createDataFrame(rows)
        sides = [{tuple(r) for r in of(frame, n).collect()} for n in (before, night)]
        changed = {r[0] for r in sides[0] ^ sides[1]}
        due = ask(
            f"SELECT person_id FROM data WHERE {DUE[f'conformed/{feed}']}",
            {"data": rows},
            before=before,
            night=night,
        )
        named = set(due.column(0).to_pylist())
        assert changed - named == set(), feed
        assert changed, feed  # else nothing is shown
        assert len(named) < PEOPLE, feed


@pytest.mark.parametrize(
    ("before", "night", "day", "ends"),
    [
        ("2026-11-19", "2026-11-20", "2020-03-20", True),
        ("2026-11-19", "2026-11-20", "2020-03-21", False),
        ("2026-11-29", "2026-11-30", "2020-03-31", True),  # the last day of a month without a 31st
        ("2027-02-27", "2027-02-28", "2020-03-29", True),
        ("2026-11-27", "2026-11-28", "2020-03-31", False),
        ("2026-11-20", "2026-11-24", "2020-03-22", True),
    ],
)
def test_where_a_month_ends(before, night, day, ends):
    data = pa.table({"on": [dt.date.fromisoformat(day)]})
    nights = {"before": dt.date.fromisoformat(before), "night": dt.date.fromisoformat(night)}
    assert ask(
        f"SELECT {month_of(chr(34) + 'on' + chr(34))} AS it FROM data", {"data": data}, **nights
    ).column(0).to_pylist() == [ends]
