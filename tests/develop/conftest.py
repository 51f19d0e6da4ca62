"""Lakes of one published night with the features of 1,200 invented people, written without Spark."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from examples.uci_credit_card.source import national_id
from jobs.lake.config import load_policy
from jobs.lake.lake import Lake
from jobs.lake.macs import person_ids
from schemas.features import FEATURES, NAMES
from tests.query.conftest import publish

NIGHT = dt.date(2026, 11, 18)
PEOPLE = 1200


def invented() -> tuple[list[dict], list[int]]:
    """Features of card behaviour, and outcomes that follow from being late and from repaying little."""
    random = np.random.default_rng(7)
    rows, bad = [], []
    for _ in range(PEOPLE):
        late = int(random.choice([0, 0, 0, 1, 2, 4]))
        repaid = float(np.round(random.gamma(1.5, 6000)))
        row = dict.fromkeys(NAMES) | {
            "months_active": 6.0,
            "months_late": float(late),
            "months_since_late": float(random.integers(1, 7)) if late else 99.0,
            "max_days_past_due": float(30 * random.integers(1, 4)) if late else 0.0,
            "days_past_due_latest": float(30 * random.integers(0, 3)) if late else 0.0,
            "utilisation": float(np.round(random.beta(1, 2), 4)),
            "utilisation_trend": float(np.round(random.normal(0, 0.1), 4)),
            "unused_limit_minor": float(np.round(random.gamma(2, 90000))),
            "repaid_monthly_minor": repaid,
            "least_repaid_share": float(np.round(random.random(), 4)) if random.random() > 0.1 else None,
            "card_use_months_share": float(random.integers(0, 6)) / 5,
            "overdraft_fees": 0.0,
            "returned_payments": float(random.random() < 0.1),
        }
        chance = 1 / (1 + np.exp(2.2 - 0.8 * late + repaid / 9000))
        rows.append(row)
        bad.append(int(random.random() < chance))
    return rows, bad


def made(root: Path, order: list[int]) -> str:
    """A lake with keys of its own; the features stand in the order given."""
    lake = Lake(str(root))
    keys = lake.open(create=True)
    rows, _ = invented()
    people = person_ids(keys, [national_id(i + 1) for i in range(PEOPLE)], load_policy().national_id)
    common = {
        "purpose": "consumer_credit",
        "recipient": "demo-lender",
        "suspended": [],
        "sources_used": ["transactions"],
    }
    table = [common | rows[i] | {"person_id": people[i]} for i in order]
    # one more lender and another purpose do not count a person twice
    table += [common | rows[0] | {"person_id": people[0], "recipient": "other-lender"}]
    table += [
        common
        | rows[1]
        | {"person_id": people[1], "purpose": "study_finance", "recipient": "demo-student-finance"}
    ]
    version = lake.write_arrow("features", pa.Table.from_pylist(table, schema=FEATURES.arrow()))
    publish(lake, NIGHT, {"features": version})
    return str(root)


def outcomes_file(path: Path, people: list[int], bad: list[int], on: str = "2026-12-31") -> Path:
    """Outcomes of people by number."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["national_id", "outcome_on", "bad"])
        writer.writerows([national_id(i + 1), on, bad[i]] for i in people)
    return path


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A lake in the order of the people."""
    return made(tmp_path_factory.mktemp("develop") / "lake", list(range(PEOPLE)))
