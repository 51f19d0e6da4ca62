"""Which orders count in a score (RULES, "In scores"): each condition on its own, not through the register's state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.rules.floor import LONGEST

Night = dt.date | Column  # a column of dates: many nights in one frame


def within_years(start: str, years: int, night: Night) -> Column:
    """Through the day before the n-th anniversary (of 29 February: 28 February)."""
    return F.coalesce(F.add_months(start, 12 * years) > F.lit(night), F.lit(False))


def complete(authorities: Iterable[str], more: Column | None = None) -> Column:
    """An authority that the policy names, a legal basis, a day; ``more`` is what a kind needs besides."""
    named = (
        F.col("authority").isin(*authorities)
        & F.col("legal_basis").isNotNull()
        & F.col("ordered_on").isNotNull()
    )
    return F.coalesce(named if more is None else named & more, F.lit(False))


def appealed(night: Night) -> Column:
    """An appeal is pending, or decided otherwise than dismissed; what is told of one proves that there is one."""
    d = F.lit(night)
    lodged, decided, outcome = (F.col(f"appeal_{n}") for n in ("lodged_on", "decided_on", "outcome"))
    told = F.coalesce(lodged <= d, decided.isNotNull() | outcome.isNotNull())
    dismissed = (outcome == "dismissed") & (decided <= d) & (lodged.isNull() | (decided >= lodged))
    return told & ~F.coalesce(dismissed, F.lit(False))


def set_aside(night: Night) -> Column:
    """Annulled, an appeal allowed, a dispute upheld, or a determination withdrawn."""
    d = F.lit(night)
    allowed = (
        (F.col("appeal_outcome") == "allowed")
        & (F.col("appeal_decided_on") <= d)
        & (F.col("appeal_lodged_on").isNull() | (F.col("appeal_lodged_on") <= F.col("appeal_decided_on")))
    )
    return (
        F.coalesce(F.col("set_aside_on") <= d, F.lit(False))
        | F.coalesce(allowed, F.lit(False))
        | F.col("upheld")
        | F.coalesce(F.col("left_determination") == "set_aside", F.lit(False))
    )


def stayed(night: Night) -> Column:
    """Not enforceable tonight; an end alone: stayed through it."""
    d = F.lit(night)
    begun = F.col("stayed_from").isNull() | (F.col("stayed_from") <= d)
    going_on = F.col("stayed_until").isNull() | (F.col("stayed_until") >= d)
    return (F.col("stayed_from").isNotNull() | F.col("stayed_until").isNotNull()) & begun & going_on


def satisfied(night: Night) -> Column:
    """Paid, done or discharged."""
    return F.coalesce(F.col("satisfied_on") <= F.lit(night), F.lit(False)) | F.coalesce(
        F.col("left_determination") == "satisfied", F.lit(False)
    )


def served(night: Night) -> Column:
    """Service is proved and the time to object is over."""
    over = (F.col("served_on") <= F.lit(night)) & (F.col("objection_until") < F.lit(night))
    return F.coalesce(over, F.lit(False))


def ended(night: Night) -> Column:
    """Its last day of force is past."""
    return F.coalesce(F.col("expires_on") < F.lit(night), F.lit(False))


def counts(whole: Column, years: Column | int, start: str, night: Night) -> Column:
    """Whether a record would count but for dispute and doubt: complete, final, and within the legal limit."""
    if isinstance(years, int):
        recent = within_years(start, years, night)
    else:
        recent = F.coalesce(F.add_months(F.col(start), years * 12) > F.lit(night), F.lit(False))
    return whole & served(night) & ~set_aside(night) & ~appealed(night) & ~stayed(night) & recent


def suspended() -> Column:
    """In dispute or in doubt."""
    return F.col("disputed") | F.col("in_doubt")


JUDGMENT_YEARS = LONGEST["judgment_score_years"]
INSOLVENCY_YEARS = LONGEST["insolvency_score_years"]
TAX_YEARS = LONGEST["tax_score_years"]
