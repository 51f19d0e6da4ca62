"""Orders in every stage of their life, and on which nights each is in force: written down, not computed by a rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from jobs.generate.calendar import DAY_SECONDS, NO_DAY, date_column, timestamp_column
from jobs.generate.horizon import NEVER, Horizon
from jobs.generate.identifiers import keys
from jobs.generate.population import Population

FOREVER = NEVER
# stage: share, first and last night on which the order is in force (nights count from 1)
STAGES = {
    "in_force": (0.42, 1, FOREVER),
    "appeal_dismissed": (0.05, 1, FOREVER),
    "satisfied": (0.08, 1, 0),
    "set_aside": (0.04, 1, 0),
    "expired": (0.04, 1, 0),
    "unserved": (0.05, 1, 0),
    "objection_open": (0.05, 1, 0),
    "appealed": (0.04, 1, 0),
    "stayed": (0.04, 1, 0),
    "foreign": (0.03, 1, 0),
    "appeal_allowed": (0.02, 1, 0),
    "objection_ends": (0.03, 2, FOREVER),
    "last_day": (0.03, 1, 1),
    "set_aside_on_2": (0.02, 1, 1),
    "satisfied_on_3": (0.03, 1, 2),
    "appeal_on_3": (0.03, 1, 2),
}
# what becomes of a third of the orders in force after the planted nights: share, the date that a revision fills
LATER = {
    "satisfied": (0.3, "satisfied_on"),
    "set_aside": (0.2, "set_aside_on"),
    "appealed": (0.2, "appeal_lodged_on"),
    "stayed": (0.2, "stayed_from"),
    "corrected": (0.1, ""),
}
STAY_NIGHTS = 4
NAMES = tuple(STAGES)
_CODE = {name: code for code, name in enumerate(NAMES)}


@dataclass(frozen=True)
class Kind:
    """One kind of order: its feed, register, share of adults, oldest age in days, and days in force (0: no end)."""

    feed: str
    kind: str
    register: str
    share: float
    oldest: int
    lasts: int
    authority: str
    legal_basis: str


KINDS = (
    Kind(
        "court", "money_judgment", "judgment_debts", 0.04, 1500, 0, "Demo Court", "Civil Procedure Act s. 12"
    ),
    Kind("court", "insolvency", "insolvencies", 0.01, 1500, 0, "Demo Court", "Insolvency Act s. 3"),
    Kind(
        "court",
        "director_disqualification",
        "director_disqualifications",
        0.006,
        1000,
        2920,
        "Demo Court",
        "Companies Act s. 6",
    ),
    Kind(
        "court",
        "procurement_debarment",
        "procurement_debarments",
        0.005,
        600,
        1400,
        "Demo Court",
        "Procurement Act s. 57",
    ),
    Kind(
        "traffic",
        "driving_disqualification",
        "driving_disqualifications",
        0.012,
        300,
        730,
        "Demo Traffic Police",
        "Road Traffic Act s. 34",
    ),
    Kind(
        "tax", "final_determination", "tax_debts", 0.02, 1500, 0, "Demo Tax Office", "Tax Procedure Act s. 21"
    ),
)


@dataclass(frozen=True)
class Orders:
    """Orders of one kind in a chunk: whose (place), their key's number, nights listed, rows by night.

    Listed from ``first`` through ``last``, and again from ``again`` on.
    """

    kind: Kind
    who: np.ndarray
    number: np.ndarray
    first: np.ndarray
    last: np.ndarray
    again: np.ndarray
    columns: dict[str, pa.Array]  # order columns, debt, revision and key number of each row
    row: np.ndarray  # place in `who` of each row
    night: np.ndarray  # the night that each row is delivered on


def _later(
    horizon: Horizon, rng: np.random.Generator, in_force: np.ndarray, feed: str
) -> dict[str, np.ndarray]:
    """The night on which each of LATER happens to an order; 0 where it does not."""
    nights = horizon.open_nights(feed)
    chosen = in_force & (rng.random(len(in_force)) < 1 / 3) & bool(len(nights))
    what = rng.choice(len(LATER), len(in_force), p=[share for share, _ in LATER.values()])
    when = (
        nights[rng.integers(0, len(nights), len(in_force))]
        if len(nights)
        else np.zeros(len(in_force), dtype=int)
    )
    return {name: np.where(chosen & (what == code), when, 0) for code, name in enumerate(LATER)}


def orders(people: Population, horizon: Horizon, chunk: int, topic: int, kind: Kind) -> Orders:
    """The orders of one kind against a chunk's ordinary adults, with a second revision where a stage has one."""
    rng = horizon.rng(chunk, topic)
    chosen = np.flatnonzero((rng.random(len(people.index)) < kind.share) & people.adult & people.ordinary)
    n, start = len(chosen), horizon.start
    stage = rng.choice(
        len(NAMES), n, p=np.array([s for s, _, _ in STAGES.values()]) / sum(s for s, _, _ in STAGES.values())
    )

    def at(*names: str) -> np.ndarray:
        return np.isin(stage, [_CODE[name] for name in names])

    none = np.full(n, NO_DAY)
    ordered = start - rng.integers(120, kind.oldest, n)
    served = np.where(at("unserved"), NO_DAY, ordered + 20)
    objection = np.where(at("unserved"), NO_DAY, ordered + 50)
    still_open = start + max(100, horizon.nights + 30)
    objection = np.where(at("objection_open"), still_open, np.where(at("objection_ends"), start, objection))
    expires = ordered + kind.lasts if kind.lasts else none
    expires = np.where(at("expired"), start - 1, np.where(at("last_day"), start, expires))
    dates = {
        "ordered_on": ordered,
        "served_on": served,
        "objection_until": objection,
        "appeal_lodged_on": np.where(
            at("appealed", "appeal_allowed", "appeal_dismissed"), ordered + 40, NO_DAY
        ),
        "appeal_decided_on": np.where(at("appeal_allowed", "appeal_dismissed"), ordered + 90, NO_DAY),
        "stayed_from": np.where(at("stayed"), start - 5, NO_DAY),
        "satisfied_on": np.where(at("satisfied"), ordered + 60, NO_DAY),
        "set_aside_on": np.where(at("set_aside"), ordered + 60, NO_DAY),
        "expires_on": expires,
    }
    outcome = np.where(at("appeal_allowed"), 1, np.where(at("appeal_dismissed"), 2, 0))
    dates["stayed_until"] = none
    later = _later(horizon, horizon.rng(chunk, topic + 200), at("in_force"), kind.feed)
    revised = [
        ("set_aside_on", np.where(at("set_aside_on_2"), 2, 0)),
        ("satisfied_on", np.where(at("satisfied_on_3"), 3, 0)),
        ("appeal_lodged_on", np.where(at("appeal_on_3"), 3, 0)),
        *((column, later[name]) for name, (_, column) in LATER.items()),
    ]
    row, night = [np.arange(n)], [np.ones(n, dtype=np.int64)]
    second = {name: [value] for name, value in dates.items()}
    for column, when in revised:
        again = np.flatnonzero((when > 0) & (when <= horizon.nights))
        row.append(again)
        night.append(when[again])
        today = start + when[again] - 1
        for key, value in dates.items():
            filled = today if key == column else value[again]
            ends = key == "stayed_until" and column == "stayed_from"
            second[key].append(today + STAY_NIGHTS - 1 if ends else filled)
    rows, nights = np.concatenate(row), np.concatenate(night)
    debt = rng.integers(20_000, 900_000, n)
    owed = debt[rows] + np.where((later["corrected"][rows] == nights), 5_000, 0)
    number = 10**12 + people.index[chosen] * 100 + topic
    revised_on = (
        np.where(nights == 1, np.maximum(dates["ordered_on"][rows] + 55, 0), start + nights - 2)
    ) * DAY_SECONDS + 28_800
    listed = list(STAGES.values())
    last = np.array([listed[s][2] for s in stage], dtype=np.int64)
    for name in ("satisfied", "set_aside", "appealed", "stayed"):
        last = np.where(later[name] > 0, later[name] - 1, last)
    return Orders(
        kind=kind,
        who=chosen,
        number=number,
        first=np.array([listed[s][1] for s in stage], dtype=np.int64),
        last=last,
        again=np.where(later["stayed"] > 0, later["stayed"] + STAY_NIGHTS, FOREVER),
        columns={
            **{name: date_column(np.concatenate(parts)) for name, parts in second.items()},
            "appeal_outcome": pa.array(["", "allowed", "dismissed"]).take(pa.array(outcome[rows])),
            "authority": pa.array([kind.authority, "Tribunal of Elsewhere"]).take(
                pa.array(at("foreign")[rows].astype(int))
            ),
            "legal_basis": pa.array([kind.legal_basis]).take(pa.array(np.zeros(len(rows), dtype=np.int64))),
            "debt_minor": pa.array(owed),
            "revised_at": timestamp_column(revised_on),
            "key": keys("", number[rows]),
        },
        row=rows,
        night=nights,
    )


def listed(
    made: Orders, people: Population, horizon: Horizon, prefix: str, night: int
) -> tuple[pa.Array, pa.Array]:
    """Record ids and national ids of the entries due on a night; none is added while its feed is late."""
    gains = horizon.gains(made.kind.feed)
    first, again = (gains[np.minimum(n, len(gains) - 1)] for n in (made.first, made.again))
    due = np.flatnonzero(((first <= night) & (night <= made.last)) | (again <= night))
    return keys(prefix, made.number[due]), people.national_id.take(pa.array(made.who[due]))
