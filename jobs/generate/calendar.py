"""Days and seconds as integers since 1970-01-01, which is how every generated column of time is computed."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

NO_DAY = np.iinfo(np.int64).min  # numpy's NaT: becomes null
DAY_SECONDS = 86_400
_EPOCH = date(1970, 1, 1)


def day(value: date) -> int:
    """Days since the epoch."""
    return (value - _EPOCH).days


def as_date(days: int) -> date:
    """The date of a number of days since the epoch."""
    return _EPOCH + timedelta(days=int(days))


def date_column(days: np.ndarray) -> pa.Array:
    """Arrow dates of days since the epoch; NO_DAY is null."""
    return pa.array(days.astype("datetime64[D]"))


def timestamp_column(seconds: np.ndarray) -> pa.Array:
    """Arrow UTC timestamps (microseconds) of seconds since the epoch."""
    return pa.array(seconds.astype(np.int64) * 1_000_000).cast(pa.timestamp("us", tz="UTC"))


def months_of(days: np.ndarray) -> np.ndarray:
    """Months since 1970-01 of days since the epoch."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def first_of(months: np.ndarray) -> np.ndarray:
    """Day of the first of each month, months counted from 1970-01."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def years_after(days: np.ndarray, years: int) -> np.ndarray:
    """The n-th anniversary; of 29 February it is 28 February (RULES, "Dates")."""
    months = months_of(days)
    first = first_of(months + 12 * years)
    offset = days - first_of(months)
    length = first_of(months + 12 * years + 1) - first
    moved: np.ndarray = first + np.minimum(offset, length - 1)
    return moved
