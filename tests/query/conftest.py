"""A small lake of two published nights, written without Spark."""

import datetime as dt
import itertools
import json
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.lake.lake import Lake
from schemas.tables import (
    ACCESSES,
    DELIVERIES,
    DISCLOSURES,
    NOTICES,
    PUBLICATIONS,
    QUARANTINE,
    REGISTERS,
    SCORES,
)

FIRST, SECOND = dt.date(2026, 11, 18), dt.date(2026, 11, 19)


def table(declared, *rows):
    names = declared.names
    # what a row leaves out at its end is null
    return pa.Table.from_pylist(
        [dict(itertools.zip_longest(names, r)) for r in rows], schema=declared.arrow()
    )


def score(person, value, night):
    return (
        person,
        "motor_cover",
        "demo-insurer",
        night,
        "scored",
        value,
        "B",
        "1.0.0",
        [10],
        [],
        None,
        ["traffic"],
    )


def publish(lake: Lake, night: dt.date, tables: dict[str, int]) -> None:
    row = dict.fromkeys(PUBLICATIONS.names)
    pins = json.dumps({t: {"version": v, "rows": 0, "hash": ""} for t, v in tables.items()})
    row |= {"night": night, "run_id": night.isoformat(), "tables": pins, "counts": "{}", "scorecards": "{}"}
    lake.append_arrow("publications", pa.Table.from_pylist([row], schema=PUBLICATIONS.arrow()))


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = str(tmp_path_factory.mktemp("lakes") / "lake")
    made = Lake(root)
    made.open(create=True)
    for n, night in enumerate((FIRST, SECOND)):
        after = FIRST if n else None
        versions = {
            "scores": made.write_arrow(
                "scores", table(SCORES, *(score(p, 700 + n, night) for p in range(3 - n)))
            ),
            "features": made.write_arrow(
                "features", pa.table({"person_id": [1], "penalty_points_minor": [n]})
            ),
            "registers": made.write_arrow(
                "registers",
                table(
                    REGISTERS,
                    ("judgment_debts", "court", "C1", 1, "enforcement-office", "in_force", True, FIRST, None),
                ),
            ),
            "deliveries": made.write_night(
                "deliveries",
                table(
                    DELIVERIES, (night, "court", f"{night}/court.csv", night, 3, 2, 1, 0, 99, "aa", None)
                ).to_reader(),
                night,
                after,
            ),
            "quarantine/court": made.write_night(
                "quarantine/court",
                table(
                    QUARANTINE,
                    (
                        night,
                        "court",
                        f"{night}/court.csv",
                        3,
                        ["bad_type"],
                        1,
                        "C9",
                        False,
                        '{"national_id": "SECRET"}',
                    ),
                ).to_reader(),
                night,
                after,
            ),
            "accepted/court": made.write_arrow("accepted/court", pa.table({"national_id": ["SECRET"]})),
            "vault": made.write_arrow("vault", pa.table({"national_id": [b"SECRET"]})),
        }
        made.append_arrow(
            "notices", table(NOTICES, (night, f"n{n}", "score", 1, "motor_cover/demo-insurer", "score.en"))
        )
        made.append_arrow(
            "disclosures",
            table(DISCLOSURES, (night, 1, "enforcement-office", "judgment_debts/C1", "ADD", "p", None)),
        )
        publish(made, night, versions)
    looked = dt.datetime(2026, 11, 19, 8, tzinfo=dt.UTC)
    made.append_arrow("accesses", table(ACCESSES, (looked, "ana", "explain", 1, "complaint 7")))
    # a night that runs and is not published yet
    made.write_arrow("scores", table(SCORES, score(9, 350, dt.date(2026, 11, 20))))
    return root


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path
