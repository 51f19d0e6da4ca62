"""Days as the rules count them (RULES, "Dates")."""

from __future__ import annotations

import datetime as dt

WINDOW_MONTHS = 12  # features of behaviour read the night's calendar month and so many before


def anniversary(day: dt.date, years: int) -> dt.date:
    """The n-th anniversary; of 29 February it is 28 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def whole_months(since: dt.date, until: dt.date) -> int:
    """Whole months; one is over on its day, or on the last day of a month that has no such day."""
    months = (until.year - since.year) * 12 + until.month - since.month
    last = (until + dt.timedelta(days=1)).month != until.month
    return months - (until.day < since.day and not last)


def months_back(night: dt.date, months: int) -> dt.date:
    """The first day of the calendar month that many months before the night's."""
    number = night.year * 12 + night.month - 1 - months
    return dt.date(number // 12, number % 12 + 1, 1)
