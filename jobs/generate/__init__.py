"""``assent generate``: seeded deliveries for every feed, with planted faults, edges of the rules, and their truth.

People are made in chunks, so that memory does not grow with their number; what is drawn for a person depends on
seed and chunk alone. The truth is what the generator intended, written down beside it: the pipeline is not asked.
A run of more than three nights has a history: on each something happens to somebody (``history.py``), and now and
then a feed is late (``horizon.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError, UsageError
from jobs.generate import issuer
from jobs.generate.calendar import as_date, day, months_of
from jobs.generate.cases import play
from jobs.generate.cast import Cast, cast_size
from jobs.generate.files import FORMATS, File
from jobs.generate.history import play_history
from jobs.generate.horizon import Horizon
from jobs.generate.population import Population, population
from jobs.generate.records import (
    Applications,
    Chunk,
    add_assessments,
    add_awards,
    add_consents,
    add_orders,
    add_points,
)
from jobs.generate.transactions import transactions
from jobs.generate.truth import Truth
from jobs.lake.issuers import DEMO
from schemas.contract import contracts

CHUNK = 50_000
# the shipped policy counts consents from 2000 on, and the oldest are two years old
EARLIEST, LATEST = dt.date(2002, 1, 1), dt.date(2100, 1, 1)
THIN_BELOW = 3  # months with a booking, as the shipped scorecard asks
WINDOW_MONTHS = 12  # before the night's own


def _months_active(who: np.ndarray, month: np.ndarray, night: int, size: int) -> np.ndarray:
    """How many months with a booking each place of the chunk has in the window that ends in month ``night``."""
    seen = (month <= night) & (month >= night - WINDOW_MONTHS)
    return np.bincount(who[seen], minlength=size)


def _due_scores(
    made: list[Applications],
    people: Population,
    booked: tuple[np.ndarray, np.ndarray],
    awarded: np.ndarray,
    horizon: Horizon,
    truth: Truth,
) -> None:
    """What is due of each application. ``booked`` is each pair of a place and a month with a booking."""
    ids, size = people.national_id, len(people.index)
    for night in range(1, horizon.nights + 1):
        if horizon.absent("consents", night):
            continue
        today = int(horizon.night(night))
        active = _months_active(*booked, int(months_of(np.array([today]))[0]), size)
        date = as_date(today).isoformat()
        for one in made:
            if horizon.absent(one.required, night):
                reasons = np.ones(len(one.who), dtype=np.int64)
            elif one.required == "transactions":
                reasons = np.where(active[one.who] == 0, 1, np.where(active[one.who] < THIN_BELOW, 2, 0))
            elif one.required == "education":
                reasons = np.where(awarded[one.who], 0, 1)
            else:
                reasons = np.zeros(len(one.who), dtype=np.int64)
            due = np.flatnonzero((one.first <= night) & (night <= one.last))
            who = ids.take(pa.array(one.who[due])).to_pylist()
            truth.add(
                "scores",
                [
                    (
                        date,
                        i,
                        one.purpose,
                        one.recipient,
                        "no_score" if r else "scored",
                        ("", "source_absent", "thin_file")[r],
                    )
                    for i, r in zip(who, reasons[due].tolist(), strict=True)
                ],
            )


def _one_chunk(
    number: int, first: int, size: int, horizon: Horizon, files: dict[tuple[str, int], File], truth: Truth
) -> Population:
    people = population(horizon, number, first, size, cast_size(horizon.nights) if number == 0 else 0)
    chunk = Chunk()
    add_orders(chunk, people, horizon, number)
    add_assessments(chunk, people, horizon, number)
    add_points(chunk, people, horizon, number)
    add_awards(chunk, people, horizon, number)
    made = add_consents(chunk, people, horizon, number)
    columns, night = transactions(people, horizon, number)
    chunk.add("transactions", columns, night)
    place = pc.index_in(columns["national_id"], value_set=people.national_id).to_numpy().astype(np.int64)
    booked = columns["booked_on"].cast(pa.int32()).to_numpy().astype(np.int64)
    months = np.unique(np.stack([place, months_of(booked)], axis=1), axis=0)
    _due_scores(made, people, (months[:, 0], months[:, 1]), chunk.awarded, horizon, truth)
    for when, register, records, holders in chunk.entries:
        date = as_date(int(horizon.night(when))).isoformat()
        truth.add(
            "entries",
            [(date, register, r, i) for r, i in zip(records.to_pylist(), holders.to_pylist(), strict=True)],
        )
    for feed, parts in chunk.rows.items():
        for cells, nights in parts:
            taken = horizon.taken(feed)[np.minimum(nights, horizon.nights + 1)]
            for when in np.unique(taken[taken <= horizon.nights]).tolist():
                mine = pa.array(np.flatnonzero(taken == when))
                files[(feed, when)].write({n: c.take(mine) for n, c in cells.items()})
    return people


def attest(out: Path) -> None:
    """The demo's issuer signs every consents file; its certificate lies in ``keys/``."""
    for path in sorted(out.glob("*/consents*")):
        if path.suffix != ".sha256":
            issuer.sign(path)
    (out / "keys").mkdir()
    (out / "keys" / DEMO).write_text(issuer.certificate(), encoding="utf-8")


def generate(
    persons: int,
    nights: int,
    start: dt.date,
    seed: int,
    out: Path,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, int]:
    """Writes deliveries for every feed and night, and ``truth/``; returns the rows of each feed.

    The cast plays its cases whatever the number of people. AssentError when ``out`` holds anything already or
    cannot be written; UsageError for a first night that leaves no room for lives before it.
    """
    if persons < 1 or nights < 1:
        raise UsageError("give at least one person and one night")
    if not EARLIEST <= start <= LATEST:
        raise UsageError(f"start {start}: give a first night from {EARLIEST} to {LATEST}")
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise AssentError(f"{out} is not empty; name a new folder")
        return _generate(persons, nights, start, seed, out, say)
    except OSError as e:
        raise AssentError(
            f"{out} cannot be written ({e.strerror or type(e).__name__}); name another folder or make room"
        ) from None


def _generate(
    persons: int, nights: int, start: dt.date, seed: int, out: Path, say: Callable[[str], None]
) -> dict[str, int]:
    horizon = Horizon(day(start), nights, seed)
    total = max(persons, cast_size(nights))
    truth = Truth(out / "truth")
    files = {
        (feed, night): File(
            out / as_date(int(horizon.night(night))).isoformat(), contract, FORMATS[feed][(night - 1) % 2]
        )
        for feed, contract in contracts().items()
        if feed in FORMATS
        for night in range(1, nights + 1)
        if horizon.delivers(feed, night)
    }
    counts: dict[str, Any] = {"persons": total}
    for number, first in enumerate(range(0, total, CHUNK)):
        size = min(CHUNK, total - first)
        people = _one_chunk(number, first, size, horizon, files, truth)
        if number == 0:
            cast = Cast(people, horizon)
            play(cast)
            play_history(cast)
            counts["cases"] = cast.write(out, truth)
        say(f"{first + size} of {total} people")
    for (feed, _), file in sorted(files.items()):
        file.close()
        counts[feed] = counts.get(feed, 0) + file.rows
    attest(out)
    truth.close()
    return counts
