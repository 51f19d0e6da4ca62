"""What an agency answers to a package: one row a record, loaded, acted or refused (issue "The agency answers").

A file is ``<register>-<date of the package>.csv`` with the columns of :data:`COLUMNS`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

COLUMNS = ("record_id", "outcome", "reason", "on")
OUTCOMES = ("loaded", "acted", "refused")
# A reason is a code: what an agency writes in its own words may name a person, so those words are not kept.
REASONS = ("not_our_remit", "not_our_person", "other")
NAME = re.compile(r"([a-z_]+)-(\d{4}-\d{2}-\d{2})\.csv")


def of_package(name: str) -> tuple[str, dt.date] | None:
    """Register and date of the package that a file of this name answers; None when the name says neither."""
    found = NAME.fullmatch(name)
    if found is None:
        return None
    try:
        return found[1], dt.date.fromisoformat(found[2])
    except ValueError:
        return None


def header_fault(columns: list[str]) -> str | None:
    """The code of what is wrong with a file's columns; their order is free."""
    if len(set(columns)) < len(columns):
        return "duplicate_column"
    if set(COLUMNS) - set(columns):
        return "missing_column"
    return "unknown_column" if set(columns) - set(COLUMNS) else None


def _day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None


def answer(
    cells: Mapping[str, str | None], sent: Mapping[str, int], package_on: dt.date, night: dt.date
) -> dict[str, object] | str:
    """A row as RETURNS keeps it (record, person, outcome, reason, day), or the code of what is wrong with it.

    ``sent`` is the person of each record that the recipient was ever sent; ``night`` is the night that takes the file.
    """
    record = (cells.get("record_id") or "").strip()
    outcome = (cells.get("outcome") or "").strip().lower()
    words = re.sub(r"[\s-]+", "_", (cells.get("reason") or "").strip().lower())
    text = (cells.get("on") or "").strip()
    if not record or not outcome or not text or (outcome == "refused" and not words):
        return "missing_required"
    if outcome not in OUTCOMES or record not in sent:
        return "unknown_value"
    on = _day(text)
    if on is None:
        return "bad_type"
    if not package_on <= on <= night:
        return "impossible_date"
    reason = None if not words else words if words in REASONS else "other"
    return {
        "record_id": record,
        "person_id": sent[record],
        "outcome": outcome,
        "reason": reason,
        "answered_on": on,
    }
