"""Rows of the feeds that are not transactions: a chunk's ordinary people, by feed and night."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.generate.calendar import DAY_SECONDS, NO_DAY, date_column, timestamp_column, years_after
from jobs.generate.horizon import Horizon
from jobs.generate.identifiers import keys
from jobs.generate.orders import KINDS, Orders, listed, orders
from jobs.generate.population import Population

PREFIX = {"court": "O", "traffic": "D", "tax": "X", "education": "E", "consents": "C"}
KEY = {"court": "order_id", "traffic": "decision_id", "tax": "assessment_id"}
TOPICS = {"orders": 10, "assessments": 30, "points": 31, "awards": 32, "consents": 40}


@dataclass
class Chunk:
    """A chunk's rows by feed, each with its night, and what is due of it."""

    rows: dict[str, list[tuple[dict[str, pa.Array], np.ndarray]]] = field(default_factory=dict)
    entries: list[tuple[int, str, pa.Array, pa.Array]] = field(default_factory=list)
    awarded: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def add(self, feed: str, columns: dict[str, pa.Array], night: np.ndarray) -> None:
        """Rows of a feed."""
        self.rows.setdefault(feed, []).append((columns, night))


def _words(words: list[str], codes: np.ndarray) -> pa.Array:
    return pa.array(words).take(pa.array(codes.astype(np.int64)))


def _blank_to_null(column: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _order_rows(
    made: Orders, people: Population, horizon: Horizon, rng: np.random.Generator
) -> dict[str, pa.Array]:
    feed, rows = made.kind.feed, made.row
    columns = {k: v for k, v in made.columns.items() if k != "key"}
    columns["appeal_outcome"] = _blank_to_null(columns["appeal_outcome"])
    columns[KEY[feed]] = pc.binary_join_element_wise(PREFIX[feed], made.columns["key"], "")
    count = len(rows)
    zero = np.zeros(count, dtype=np.int64)
    if feed != "traffic":
        columns["currency"] = _words(["EUR"], zero)
    if feed == "court":
        columns["kind"] = _words([made.kind.kind], zero)
        columns["case_number"] = pc.binary_join_element_wise("K-", made.columns["key"], "")
        if made.kind.kind != "money_judgment":
            columns["debt_minor"] = pa.nulls(count, pa.int64())
    elif feed == "traffic":
        del columns["debt_minor"]
        columns["kind"] = _words([made.kind.kind], zero)
        columns["severity"] = _words(["serious"], zero)
        columns["penalty_points"] = pa.array(zero + 6)
    else:
        year = horizon.start // 365 + 1970 - 2
        columns["tax_year"] = pa.array(zero + year - 4)
        columns["assessed_on"] = columns["ordered_on"]
        due = pc.multiply(made.columns["debt_minor"], 2)
        columns |= {
            "income_minor": pc.multiply(due, 4),
            "tax_due_minor": due,
            "tax_paid_minor": made.columns["debt_minor"],
        }
        left = pc.is_valid(columns["satisfied_on"])  # what was paid leaves final_determination
        columns["status"] = pc.if_else(left, "paid", "final_determination")
    return {**people.identity(feed, made.who[rows]), **columns}


def add_orders(chunk: Chunk, people: Population, horizon: Horizon, number: int) -> None:
    """Orders of every kind, and the entries due."""
    for place, kind in enumerate(KINDS):
        topic = TOPICS["orders"] + place
        made = orders(people, horizon, number, topic, kind)
        chunk.add(kind.feed, _order_rows(made, people, horizon, horizon.rng(number, topic + 100)), made.night)
        for night in range(1, horizon.nights + 1):
            records, owners = listed(made, people, horizon, PREFIX[kind.feed], night)
            chunk.entries.append((night, kind.register, records, owners))


def add_assessments(chunk: Chunk, people: Population, horizon: Horizon, number: int) -> None:
    """Last year's assessment of one adult in three; one in a hundred is corrected on the second night, and of a longer
    run one in twelve is paid in full on a night after the third.
    """
    rng = horizon.rng(number, TOPICS["assessments"])
    who = np.flatnonzero((rng.random(len(people.index)) < 0.33) & people.adult & people.ordinary)
    income = people.income_minor[who] * 12
    due = income // 5
    status = rng.choice(4, len(who), p=[0.3, 0.6, 0.06, 0.04])
    again = np.flatnonzero(rng.random(len(who)) < 0.01) if horizon.nights > 1 else np.zeros(0, dtype=np.int64)
    nights = horizon.open_nights("tax")
    late = horizon.rng(number, TOPICS["assessments"] + 200)
    settled = np.flatnonzero((late.random(len(who)) < 1 / 12) & bool(len(nights)))
    settled_on = late.choice(nights, len(settled)) if len(nights) else nights
    row = np.concatenate([np.arange(len(who)), again, settled])
    night = np.concatenate([np.ones(len(who), dtype=np.int64), np.full(len(again), 2), settled_on])
    assessed = np.full(len(row), horizon.start - 90)
    in_full = (status[row] == 1) | (night > 2)
    paid = np.where(in_full, due[row], due[row] // 3)
    revised = np.where(night == 1, assessed + 1, horizon.start + night - 3) * DAY_SECONDS
    columns = {
        **people.identity("tax", who[row]),
        "assessment_id": keys("X", 10**12 + people.index[who[row]] * 100 + 50),
        "tax_year": pa.array(np.full(len(row), horizon.start // 365 + 1970 - 2)),
        "assessed_on": date_column(assessed),
        "income_minor": pa.array(income[row] + np.where(night == 2, 5_000, 0)),
        "tax_due_minor": pa.array(due[row]),
        "tax_paid_minor": pa.array(paid),
        "currency": _words(["EUR"], np.zeros(len(row))),
        "status": _words(["assessed", "paid", "instalments", "arrears"], np.where(in_full, 1, status[row])),
        "revised_at": timestamp_column(revised),
    }
    chunk.add("tax", columns, night)


def add_points(chunk: Chunk, people: Population, horizon: Horizon, number: int) -> None:
    """Decided offences: of one adult in six, some older than they may count."""
    rng = horizon.rng(number, TOPICS["points"])
    who = np.flatnonzero((rng.random(len(people.index)) < 0.16) & people.adult & people.ordinary)
    n = len(who)
    serious = rng.random(n) < 0.2
    ordered = horizon.start - rng.integers(90, 1700, n)
    columns = {
        **people.identity("traffic", who),
        "decision_id": keys("D", 10**12 + people.index[who] * 100 + 60),
        "kind": _words(["penalty_points"], np.zeros(n)),
        "severity": _words(["minor", "serious"], serious),
        "penalty_points": pa.array(np.where(serious, rng.integers(5, 9, n), rng.integers(1, 4, n))),
        "authority": _words(["Demo Traffic Police"], np.zeros(n)),
        "legal_basis": _words(["Road Traffic Act s. 12"], np.zeros(n)),
        "ordered_on": date_column(ordered),
        "served_on": date_column(ordered + 10),
        "objection_until": date_column(ordered + 40),
        "revised_at": timestamp_column((ordered + 5) * DAY_SECONDS),
    }
    chunk.add("traffic", columns, np.ones(n, dtype=np.int64))


def add_awards(chunk: Chunk, people: Population, horizon: Horizon, number: int) -> None:
    """The highest award of one adult in two; one in thirty was revoked."""
    rng = horizon.rng(number, TOPICS["awards"])
    who = np.flatnonzero((rng.random(len(people.index)) < 0.5) & people.adult & people.ordinary)
    n = len(who)
    revoked = rng.random(n) < 1 / 30
    on = np.maximum(people.born[who] + 17 * 366, horizon.start - rng.integers(200, 9000, n))
    on = np.minimum(on, horizon.start - 60)
    columns = {
        **people.identity("education", who),
        "award_id": keys("E", 10**12 + people.index[who] * 100 + 70),
        "institution": _words(
            ["University of Here", "College of There", "School of Trades"], rng.integers(0, 3, n)
        ),
        "isced_level": pa.array(rng.integers(2, 8, n)),
        "awarded_on": date_column(on),
        "revoked_on": date_column(np.where(revoked, horizon.start - 30, NO_DAY)),
        "revised_at": timestamp_column(on * DAY_SECONDS),
    }
    chunk.add("education", columns, np.ones(n, dtype=np.int64))
    chunk.awarded = np.zeros(len(people.index), dtype=bool)
    chunk.awarded[who[~revoked]] = True


# purpose, recipient, required source, share of people, other sources with the share of those who allow them
GROUPS = (
    ("consumer_credit", "demo-lender", "transactions", 0.35, (("tax", 0.5), ("court", 0.6))),
    ("consumer_credit", "other-lender", "transactions", 0.05, (("court", 0.5),)),
    ("motor_cover", "demo-insurer", "traffic", 0.25, ()),
    ("study_finance", "demo-student-finance", "education", 0.15, (("transactions", 0.4), ("tax", 0.3))),
)
# what becomes of a consent: share, first and last night on which it is live
FATES = {
    "kept": (0.86, 1, 10_000),
    "lapsed": (0.04, 1, 0),
    "last_day": (0.03, 1, 1),
    "withdrawn_on_3": (0.03, 1, 2),
    "withdrawal_on_2": (0.02, 1, 1),
    "new_on_2": (0.02, 2, 10_000),
}


# what becomes of one in five of the consents that would be kept, on a night after the third
LATER = ("withdrawn", "declared", "lapsed", "new", "narrowed")


@dataclass(frozen=True)
class Applications:
    """Live consents for a purpose's required source: whose (place), and the nights on which they are live."""

    purpose: str
    recipient: str
    required: str
    who: np.ndarray
    first: np.ndarray
    last: np.ndarray


def _receipts(people: Population, who: np.ndarray, group: int) -> pa.Array:
    return pa.array(
        [hashlib.sha256(f"receipt {i} {group}".encode()).hexdigest() for i in people.index[who].tolist()]
    )


def _later(horizon: Horizon, number: int, group: int, kept: np.ndarray) -> dict[str, np.ndarray]:
    """The night on which each of LATER happens to a consent; 0 where it does not."""
    rng = horizon.rng(number, TOPICS["consents"] + 200 + group)
    nights = horizon.open_nights("consents")
    chosen = kept & (rng.random(len(kept)) < 0.2) & bool(len(nights))
    what = rng.integers(0, len(LATER), len(kept))
    when = rng.choice(nights, len(kept)) if len(nights) else np.zeros(len(kept), dtype=np.int64)
    return {name: np.where(chosen & (what == code), when, 0) for code, name in enumerate(LATER)}


def add_consents(chunk: Chunk, people: Population, horizon: Horizon, number: int) -> list[Applications]:
    """Consents of every fate, of adults and of minors (whom nobody scores); returns the applications."""
    made = []
    for group, (purpose, recipient, required, share, others) in enumerate(GROUPS):
        rng = horizon.rng(number, TOPICS["consents"] + group)
        who = np.flatnonzero((rng.random(len(people.index)) < share) & people.ordinary)
        n, start = len(who), horizon.start
        shares = np.array([s for s, _, _ in FATES.values()])
        fate = rng.choice(len(FATES), n, p=shares / shares.sum())
        names = list(FATES)

        def at(name: str, fate: np.ndarray = fate, names: list[str] = names) -> np.ndarray:
            chosen: np.ndarray = fate == names.index(name)
            return chosen

        later = _later(horizon, number, group, at("kept"))
        new_on = np.where(at("new_on_2"), 2, later["new"])
        withdrawn_on = np.where(at("withdrawn_on_3"), 3, later["withdrawn"])
        granted = np.where(new_on > 0, start + new_on - 1, start - rng.integers(1, 300, n))
        granted = np.where(at("lapsed"), start - 500, granted)
        expires = np.where(at("last_day"), start, granted + 365)
        expires = np.where(later["lapsed"] > 0, start + later["lapsed"] - 2, expires)
        receipts = _receipts(people, who, group)
        for slot, (source, allowed) in enumerate(((required, 1.0), *others)):
            mine = np.flatnonzero(rng.random(n) < allowed)
            ends = withdrawn_on[mine]
            again = mine[(ends > 0) & (ends <= horizon.nights)]
            row = np.concatenate([mine, again])
            second = np.concatenate([np.zeros(len(mine), dtype=bool), np.ones(len(again), dtype=bool)])
            night = np.where(second, withdrawn_on[row], np.maximum(new_on[row], 1))
            zero = np.zeros(len(row))
            columns = {
                **people.identity("consents", who[row]),
                "consent_id": keys("C", 10**12 + people.index[who[row]] * 100 + group * 10 + slot),
                "kind": _words(["consent"], zero),
                "purpose": _words([purpose], zero),
                "source": _words([source], zero),
                "recipient": _words([recipient], zero),
                "granted_on": date_column(granted[row]),
                "expires_on": date_column(expires[row]),
                "withdrawn_on": date_column(np.where(second, start + night - 1, NO_DAY)),
                "receipt_sha256": receipts.take(pa.array(row)),
                "revised_at": timestamp_column(
                    np.where(second, start + night - 2, granted[row]) * DAY_SECONDS + 36_000
                ),
            }
            chunk.add("consents", columns, night)
        declared_on = np.where(at("withdrawal_on_2"), 2, later["declared"])
        _withdrawals(chunk, people, horizon, who, declared_on, group, None)
        if others:
            _withdrawals(chunk, people, horizon, who, later["narrowed"], group, others[0][0])
        nights = list(FATES.values())
        first = np.array([nights[f][1] for f in fate], dtype=np.int64)
        last = np.array([nights[f][2] for f in fate], dtype=np.int64)
        first = np.maximum(np.maximum(first, new_on), years_after(people.born[who], 18) - start + 1)
        for ended in (later["withdrawn"], later["declared"]):
            last = np.where(ended > 0, ended - 1, last)
        last = np.minimum(last, expires - start + 1)
        made.append(Applications(purpose, recipient, required, who, first, last))
    return made


def _withdrawals(
    chunk: Chunk,
    people: Population,
    horizon: Horizon,
    everyone: np.ndarray,
    night: np.ndarray,
    group: int,
    source: str | None,
) -> None:
    """A declaration that ends the consents of one purpose and recipient (to one source); ``night`` 0: none."""
    purpose, recipient, _, _, _ = GROUPS[group]
    made = np.flatnonzero((night > 0) & (night <= horizon.nights))
    if not len(made):
        return
    who, on = everyone[made], night[made]
    zero = np.zeros(len(who))
    columns = {
        **people.identity("consents", who),
        "consent_id": keys("C", 10**12 + people.index[who] * 100 + group * 10 + (9 if source is None else 8)),
        "kind": _words(["withdrawal"], zero),
        "purpose": _words([purpose], zero),
        "recipient": _words([recipient], zero),
        "granted_on": date_column(horizon.start + on - 1),
        "revised_at": timestamp_column((horizon.start + on - 1) * DAY_SECONDS),
    }
    if source is not None:
        columns["source"] = _words([source], zero)
    chunk.add("consents", columns, on)
