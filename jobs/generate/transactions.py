"""A chunk's bank transactions: about ten a month and account holder, balances running.

Rows come in order of person and day of booking. What was booked before the first night is delivered on it, what was
booked later on the night after, and one row in a hundred a night or two late.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from jobs.generate.calendar import NO_DAY, date_column, first_of, months_of
from jobs.generate.horizon import Horizon
from jobs.generate.identifiers import keys
from jobs.generate.population import Population

HISTORY_MONTHS = 8
CATEGORIES = (
    "salary benefit pension rent mortgage loan_repayment card_statement card_repayment insurance utility interest fee "
    "overdraft_fee returned_payment cash_deposit cash_withdrawal transfer other"
).split()
_CODE = {name: code for code, name in enumerate(CATEGORIES)}
TOPIC = 1
# category, share of account holders, probability a month, day of the month (first, last), typical amount in minor
# units, spread (sigma of a lognormal)
_SPENDING = (
    ("utility", 0.85, 0.97, 8, 14, -9_500, 0.35),
    ("insurance", 0.6, 0.97, 3, 6, -4_200, 0.4),
    ("loan_repayment", 0.28, 0.97, 12, 16, -21_000, 0.5),
    ("cash_withdrawal", 0.9, 0.8, 2, 27, -8_000, 0.6),
    ("cash_withdrawal", 0.5, 0.6, 2, 27, -6_000, 0.6),
    ("cash_deposit", 0.08, 0.4, 2, 27, 12_000, 0.7),
    ("transfer", 0.8, 0.7, 1, 27, -11_000, 0.9),
    ("transfer", 0.4, 0.4, 1, 27, 9_000, 0.9),
    ("other", 1.0, 0.9, 1, 27, -7_500, 0.8),
    ("other", 0.9, 0.8, 1, 27, -5_200, 0.8),
    ("other", 0.7, 0.7, 1, 27, -9_900, 0.8),
    ("fee", 1.0, 0.95, 27, 28, -390, 0.2),
    ("interest", 0.3, 0.25, 27, 28, -850, 0.8),
)


class _Bookings:
    """Bookings gathered category by category: ``who`` (place in the chunk), ``on`` (day), ``code``, ``amount``,
    and, of a card statement, ``limit`` and ``late`` (days past due; -1 = none)."""

    def __init__(self) -> None:
        self.parts: list[tuple[np.ndarray, ...]] = []

    def add(
        self,
        who: np.ndarray,
        on: np.ndarray,
        category: str | np.ndarray,
        amount: np.ndarray,
        limit: np.ndarray | None = None,
        late: np.ndarray | None = None,
    ) -> None:
        n = len(who)
        code = np.full(n, _CODE[category]) if isinstance(category, str) else category
        none = np.full(n, -1)
        self.parts.append(
            (who, on, code, amount, none if limit is None else limit, none if late is None else late)
        )

    def columns(self) -> list[np.ndarray]:
        return [np.concatenate(c) for c in zip(*self.parts, strict=True)]


def _bookings(people: Population, horizon: Horizon, rng: np.random.Generator) -> list[np.ndarray]:
    month0 = int(months_of(np.array([horizon.start]))[0]) - HISTORY_MONTHS
    last = int(months_of(np.array([horizon.night(horizon.nights)]))[0])
    firsts = first_of(np.arange(month0, last + 1))
    holders = np.flatnonzero(people.account)
    column = np.arange(len(firsts))
    # thin files hold the one or two months before the first night's and nothing after, whatever the number of nights
    thin_months = 1 + people.index[holders] % 2
    started = np.where(people.thin[holders], thin_months, people.months[holders])
    active = column[None, :] >= HISTORY_MONTHS - started[:, None]
    active &= ~people.thin[holders][:, None] | (column[None, :] < HISTORY_MONTHS)
    out = _Bookings()

    def draw(mask: np.ndarray, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        row, month = np.nonzero(mask)
        return holders[row], firsts[month] + rng.integers(first - 1, last, len(row))

    def some(share: float) -> np.ndarray:
        return (rng.random(len(holders)) < share)[:, None]

    def monthly(probability: float) -> np.ndarray:
        return active & (rng.random(active.shape) < probability)

    who, on = draw(monthly(0.985), 1, 3)
    paid = people.income_minor[who] * rng.normal(1, 0.015, len(who))
    out.add(
        who, on, np.array([_CODE[c] for c in ("salary", "benefit", "pension")])[people.income_kind[who]], paid
    )
    strained = people.strained[holders][:, None]
    trouble = monthly(0.35) & strained
    for housing, category in ((1, "rent"), (2, "mortgage")):
        mine = (people.housing[holders] == housing)[:, None]
        who, on = draw(active & mine & ~(trouble & monthly(0.5)), 4, 7)
        out.add(who, on, category, -people.income_minor[who] * (0.24 + 0.1 * (people.index[who] % 10) / 10))
    for category, share, probability, first, end, typical, spread in _SPENDING:
        who, on = draw(monthly(probability) & some(share), first, end)
        out.add(who, on, category, typical * rng.lognormal(0, spread, len(who)))
    for category, typical in (("overdraft_fee", -1_500), ("returned_payment", 4_000)):
        who, on = draw(trouble & monthly(0.6), 15, 27)
        out.add(who, on, category, typical * rng.lognormal(0, 0.3, len(who)))
    card = some(0.45)
    has_statement = active & card
    row, month = np.nonzero(has_statement)
    limit = people.income_minor[holders[row]] // 100 * 150
    owed = limit * rng.beta(1.2, 2.6, len(row)) + 100
    behind = trouble[row, month]
    late = np.where(behind, rng.choice([5, 20, 45, 75, 100], len(row), p=[0.3, 0.3, 0.2, 0.1, 0.1]), 0)
    on = firsts[month] + 19
    out.add(holders[row], on, "card_statement", -owed, limit, late)
    pays = ~behind | (rng.random(len(row)) < 0.5)
    repaid = owed * np.where(people.strained[holders[row]], 0.3, 0.9)
    out.add(holders[row][pays], on[pays] + 5, "card_repayment", -repaid[pays])
    return out.columns()


def transactions(people: Population, horizon: Horizon, chunk: int) -> tuple[dict[str, pa.Array], np.ndarray]:
    """The chunk's rows (FEEDS, ``transactions``), one a booking, and the night that each is delivered on."""
    rng = horizon.rng(chunk, TOPIC)
    who, on, code, amount, limit, late = _bookings(people, horizon, rng)
    order = np.argsort(who * 1_000_000 + on, kind="stable")
    who, on, code, limit, late = who[order], on[order], code[order], limit[order], late[order]
    amount = np.trunc(amount[order]).astype(np.int64)
    amount[amount == 0] = -1
    starts = np.flatnonzero(np.diff(who, prepend=-1))
    run = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(who))))
    number = np.arange(len(who)) - starts[run] if len(who) else np.zeros(0, dtype=np.int64)
    is_statement = code == _CODE["card_statement"]
    moved = np.cumsum(np.where(is_statement, 0, amount))
    before = moved[starts] - np.where(is_statement[starts], 0, amount[starts])
    balance = people.income_minor[who] * 2 + moved - (before[run] if len(who) else 0)

    night = np.maximum(1, on - horizon.start + 2)
    delayed = (rng.random(len(on)) < 0.01) & (on >= horizon.start - 3) & ~people.thin[who]
    night = np.minimum(night + np.where(delayed, 1 + (number % 2), 0), horizon.nights + 1)
    night = horizon.taken("transactions")[night]
    kept = np.flatnonzero((night <= horizon.nights) & (on != NO_DAY))
    kept = kept[np.argsort(night[kept], kind="stable")]
    who, on, code, amount = who[kept], on[kept], code[kept], amount[kept]
    limit, late, is_statement, balance = limit[kept], late[kept], is_statement[kept], balance[kept]
    person = people.index[who]
    columns = {
        **people.identity("transactions", who),
        "transaction_id": keys("T", 10**13 + person * 100_000 + number[kept]),
        "account_id": keys("A", 10**10 + person),
        "booked_on": date_column(on),
        "category": pa.array(CATEGORIES).take(pa.array(code)),
        "amount_minor": pa.array(amount),
        "currency": pa.array(["EUR"]).take(pa.array(np.zeros(len(who), dtype=np.int64))),
        "balance_after_minor": pa.array(balance, mask=is_statement),
        "credit_limit_minor": pa.array(limit, mask=limit < 0),
        "days_past_due": pa.array(late, mask=late < 0),
    }
    return columns, night[kept]


def first_transaction(index: np.ndarray) -> pa.Array:
    """The key of each account holder's oldest transaction (always delivered on the first night)."""
    return keys("T", 10**13 + index * 100_000)
