"""What became of people, from a file, joined to the features of a published night; where a developed card is put."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from jobs.errors import AssentError
from jobs.lake.config import scorecards_folder
from jobs.lake.lake import Lake
from jobs.lake.macs import Macs, compacted
from jobs.lake.query import Published
from jobs.rules import floor
from jobs.rules.policy import Policy

COLUMNS = ("national_id", "outcome_on", "bad")


@dataclass(frozen=True)
class Developed:
    """Features and outcomes of people in the order of their national ids, and how many were left out, by reason."""

    columns: Mapping[str, np.ndarray]
    bad: np.ndarray
    left_out: Mapping[str, int]


def _rows(path: Path) -> pa.Table:
    text = pacsv.ConvertOptions(column_types={c: pa.string() for c in COLUMNS}, strings_can_be_null=True)
    try:
        table = pacsv.read_csv(path, convert_options=text)
    except (OSError, pa.ArrowInvalid, pa.ArrowKeyError) as e:
        raise AssentError(
            f"outcomes: {path.name} is not a readable CSV ({type(e).__name__}); give {','.join(COLUMNS)}"
        ) from None
    if sorted(table.column_names) != sorted(COLUMNS):
        raise AssentError(
            f"outcomes: {path.name} must have the columns {','.join(COLUMNS)} and no other; mend it"
        )
    return table


def _day(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text or "")
    except ValueError:
        return None


def read_outcomes(path: Path, night: dt.date, macs: Macs) -> dict[int, tuple[str, int]]:
    """``person_id -> (national id, bad)``; AssentError with a line, and no person, for a file that is no such."""
    table = _rows(path)
    found: dict[int, tuple[str, int]] = {}
    for line, row in enumerate(table.select(COLUMNS).to_pylist(), 2):
        number, day, bad = (
            compacted(macs.module, row["national_id"] or ""),
            _day(row["outcome_on"]),
            row["bad"],
        )
        if number is None:
            raise AssentError(
                f"outcomes: {path.name}:{line}: not a valid national_id; nobody is known by it, remove the line"
            )
        if day is None:
            raise AssentError(f"outcomes: {path.name}:{line}: outcome_on is not a date; give YYYY-MM-DD")
        if bad not in ("0", "1"):
            raise AssentError(f"outcomes: {path.name}:{line}: bad must be 0 or 1; mend it")
        if day <= night:
            raise AssentError(
                f"outcomes: {path.name}:{line}: outcome_on is not after the night {night} of the features, which would "
                "leak into them; name an earlier --as-of, or leave the line out"
            )
        person = macs.person_id(number)
        if person in found:
            raise AssentError(f"outcomes: {path.name}:{line}: a second line for one person; keep one")
        found[person] = number, int(bad)
    if not found:
        raise AssentError(f"outcomes: {path.name} holds nobody; give {','.join(COLUMNS)}")
    return found


def fingerprint(path: Path) -> str:
    """SHA-256 of an outcomes file that was read."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _features(published: Published, purpose: str) -> pa.Table:
    """One application a person: of several, the one with most sources, then by the recipient's name."""
    data = published.pinned("features")
    if data is None:
        raise AssentError(f"night {published.night} has no features; run `assent night` first")
    rows = data.to_table(filter=pc.field("purpose") == purpose)
    rows = rows.append_column("_sources", pc.negate(pc.list_value_length(rows.column("sources_used"))))
    rows = rows.sort_by([("person_id", "ascending"), ("_sources", "ascending"), ("recipient", "ascending")])
    people = rows.column("person_id").to_numpy()
    first = np.ones(len(people), dtype=bool)
    first[1:] = people[1:] != people[:-1]
    return rows.filter(pa.array(first))


def developed_on(
    lake: str, night: dt.date, purpose: str, path: Path, policy: Policy, minimum: Mapping[str, float]
) -> Developed:
    """The people of an outcomes file with the features that were published on a night for a purpose.

    AssentError when the night is not published or the file names somebody who had no application that night.
    """
    opened = Lake(lake)
    macs = Macs(opened.open(), policy.national_id)
    published = Published(opened, night)
    if published.night != night:
        raise AssentError(f"night {night} is not published; name one that is, as {published.night}")
    outcomes = read_outcomes(path, night, macs)
    rows = _features(published, purpose)
    people = rows.column("person_id").to_pylist()
    unknown = len(outcomes.keys() - set(people))
    if unknown:
        raise AssentError(
            f"outcomes: {unknown} of {len(outcomes)} people are unknown: no application for {purpose} on {night}; "
            "leave them out"
        )
    places = sorted((outcomes[p][0], i) for i, p in enumerate(people) if p in outcomes)
    rows = rows.take(pa.array([i for _, i in places], pa.int64()))
    bad = np.array([outcomes[p][1] for p in rows.column("person_id").to_pylist()], dtype=np.int64)
    columns = {
        f: rows.column(f).to_numpy(zero_copy_only=False).astype(float) for f in floor.features_of(purpose)
    }
    thin = np.zeros(len(bad), dtype=bool)
    for feature, least in minimum.items():
        thin |= ~(columns[feature] >= least)
    required = policy.purposes[purpose].required
    used = rows.column("sources_used").to_pylist()
    absent = np.array([not set(required) <= set(u or ()) for u in used], dtype=bool)
    kept = ~thin & ~absent
    left = {"source_absent": int(absent.sum()), "thin_file": int((thin & ~absent).sum())}
    return Developed({f: v[kept] for f, v in columns.items()}, bad[kept], left)


def read_design(purpose: str) -> tuple[str, str]:
    """The text of a purpose's design and its path; AssentError where there is none."""
    path = scorecards_folder() / "designs" / f"{purpose}.yaml"
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except (OSError, UnicodeDecodeError) as e:
        raise AssentError(
            f"{path}: the design of a scorecard for {purpose} cannot be read ({type(e).__name__}); "
            "write it (docs/develop.md)"
        ) from None


def put(path: Path, text: str) -> None:
    """A text file, whole or not at all; AssentError when it cannot be written."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    except OSError as e:
        raise AssentError(f"{path} cannot be written ({e.strerror}); name another --out") from None
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
