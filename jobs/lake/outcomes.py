"""Outcomes: what became of people, known later and elsewhere. A file beside the lake, never a feed and never stored.

``national_id,outcome_on,bad``: who, the day on which it was known, and 1 (bad) or 0.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import AssentError

COLUMNS = ("national_id", "outcome_on", "bad")


@dataclass(frozen=True)
class Outcomes:
    """The rows of a file in its order, each with an outcome after the night, and the SHA-256 of the file."""

    national_ids: list[str]
    bad: list[bool]
    sha256: str


def read_outcomes(path: Path, night: dt.date) -> Outcomes:
    """Outcomes that were not known yet on a night. AssentError in one line; rows are named by their number alone."""
    try:
        data = path.read_bytes()
        reader = csv.DictReader(data.decode("utf-8-sig").splitlines())
        names = tuple(reader.fieldnames or ())
        rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise AssentError(
            f"{path.name}: cannot be read ({type(e).__name__}); give a CSV of {', '.join(COLUMNS)}"
        ) from None
    if sorted(names) != sorted(COLUMNS):
        wrong = [n for n in names if n not in COLUMNS] or [n for n in COLUMNS if n not in names]
        raise AssentError(
            f"{path.name}: column {wrong[0] if wrong else names[0]} is unknown, missing or there twice; "
            f"give {', '.join(COLUMNS)} and no other"
        )
    ids: list[str] = []
    bad: list[bool] = []
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise AssentError(f"{path.name}: row {number} has the wrong number of fields; mend it")
        try:
            day = dt.date.fromisoformat(row["outcome_on"])
        except ValueError:
            raise AssentError(
                f"{path.name}: row {number} has no date in outcome_on; give YYYY-MM-DD"
            ) from None
        if day <= night:
            raise AssentError(
                f"{path.name}: row {number} has an outcome of {day}, known on the night of {night} already; "
                "give outcomes after the night whose features are used"
            )
        if row["bad"] not in ("0", "1"):
            raise AssentError(f"{path.name}: row {number} is neither 0 nor 1 in bad; mend it")
        ids.append(row["national_id"])
        bad.append(row["bad"] == "1")
    if len(set(bad)) < 2:
        raise AssentError(f"{path.name}: {len(bad)} rows of one outcome only; give people of both")
    return Outcomes(ids, bad, hashlib.sha256(data).hexdigest())


def people_of(lake: str, path: Path, outcomes: Outcomes) -> list[int]:
    """The person of each row; AssentError where an id is not valid, or there twice in whatever spelling."""
    from jobs.lake.vault import person_ids

    people = person_ids(lake, outcomes.national_ids)
    seen: set[int] = set()
    for number, person in enumerate(people, 1):
        if person is None:
            raise AssentError(f"{path.name}: row {number} has no valid national_id; mend it")
        if person in seen:
            raise AssentError(
                f"{path.name}: row {number} is of a person who is there already; give each once"
            )
        seen.add(person)
    return [p for p in people if p is not None]
