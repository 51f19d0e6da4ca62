"""The people of one chunk: who they are and how they live, as arrays with one place a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from jobs.generate import names
from jobs.generate.calendar import years_after
from jobs.generate.horizon import Horizon
from jobs.generate.identifiers import national_ids

OTHER_SPELLING_FEEDS = frozenset({"court", "traffic"})  # agencies that hold some names spelled otherwise


@dataclass(frozen=True)
class Population:
    """One chunk's people, one place a person.

    ``index`` (over the whole population), ``national_id``, ``family`` and ``given`` (places in the lists of
    names), ``other_spelling`` (some agencies spell the family name otherwise), ``born`` (days), ``adult`` (18 or
    more on the first night, by half a year at least), ``ordinary`` (false: written by the cast), ``account`` (has
    a bank account), ``thin`` (one or two months of transactions), ``months`` (months of history), ``income_minor``
    (a month), ``income_kind`` (0 salary, 1 benefit, 2 pension), ``housing`` (0 none, 1 rent, 2 mortgage) and
    ``strained`` (falls behind with payments).
    """

    index: np.ndarray
    national_id: pa.Array
    family: np.ndarray
    given: np.ndarray
    other_spelling: np.ndarray
    born: np.ndarray
    adult: np.ndarray
    ordinary: np.ndarray
    account: np.ndarray
    thin: np.ndarray
    months: np.ndarray
    income_minor: np.ndarray
    income_kind: np.ndarray
    housing: np.ndarray
    strained: np.ndarray

    def identity(self, feed: str, who: np.ndarray) -> dict[str, pa.Array]:
        """The four identity columns as ``feed`` holds them, one row a place in ``who``."""
        spelling = self.family[who]
        if feed in OTHER_SPELLING_FEEDS:
            spelling = spelling + np.where(self.other_spelling[who], len(names.FAMILY), 0)
        return {
            "national_id": self.national_id.take(pa.array(who)),
            "family_name": names.FAMILY_SPELLINGS.take(pa.array(spelling)),
            "given_name": names.GIVEN_NAMES.take(pa.array(self.given[who])),
            "birth_date": pa.array(self.born[who].astype("datetime64[D]")),
        }


def _kin(rng: np.random.Generator, family: np.ndarray, born: np.ndarray, given: np.ndarray) -> None:
    """Makes 1 in 60 the twin of the person before (family name and birth date), 1 in 5 of those a full namesake."""
    twin = np.flatnonzero(rng.random(len(born)) < 1 / 60)
    twin = twin[twin > 0]
    family[twin] = family[twin - 1]
    born[twin] = born[twin - 1]
    namesake = twin[rng.random(len(twin)) < 0.2]
    given[namesake] = given[namesake - 1]


def population(horizon: Horizon, chunk: int, first: int, size: int, cast: int) -> Population:
    """People ``first .. first+size-1``; the first ``cast`` of them are adults left to the cast."""
    rng = horizon.rng(chunk, 0)
    index = np.arange(first, first + size, dtype=np.int64)
    family = rng.integers(0, len(names.FAMILY), size)
    given = rng.integers(0, len(names.GIVEN), size)
    ordinary = np.arange(size) >= cast
    age_days = (18.6 * 365.25 + rng.beta(1.4, 1.8, size) * 66 * 365.25).astype(np.int64)
    minor = (rng.random(size) < 0.04) & ordinary
    age_days = np.where(minor, rng.integers(8 * 366, int(17.4 * 365), size), age_days)
    born = horizon.start - age_days
    _kin(rng, family, born, given)
    adult = years_after(born, 18) <= horizon.start
    pensioner = horizon.start - born > 66 * 365
    income_kind = np.where(pensioner, 2, np.where(rng.random(size) < 0.12, 1, 0))
    typical = np.select([income_kind == 0, income_kind == 1], [165_000, 70_000], 85_000)
    income = (typical * rng.lognormal(0, 0.42, size)).astype(np.int64) // 100 * 100
    months = np.where(rng.random(size) < 0.8, 8, rng.integers(4, 9, size))
    thin = rng.random(size) < 0.03
    return Population(
        index=index,
        national_id=national_ids(index, horizon.seed),
        family=family,
        given=given,
        other_spelling=rng.random(size) < 0.3,
        born=born,
        adult=adult,
        ordinary=ordinary,
        account=adult & (rng.random(size) < 0.6) & ordinary,
        thin=thin,
        months=months,
        income_minor=income,
        income_kind=income_kind,
        housing=rng.choice(3, size, p=[0.4, 0.38, 0.22]),
        strained=rng.random(size) < 0.14,
    )
