"""Options that commands share: a date, the lake, a reason; and how a command speaks."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click


class Day(click.ParamType[dt.date]):
    """A date as YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> dt.date:
        """The date; a usage error for anything else."""
        if isinstance(value, dt.date):
            return value
        try:
            day = dt.date.fromisoformat(str(value))
            if day.isoformat() != str(value):  # a week date or the like
                raise ValueError
            return day
        except ValueError:
            self.fail("give a date as YYYY-MM-DD", param, ctx)


DAY = Day()


def say(text: str) -> None:
    """A line of progress, on standard error."""
    click.echo(text, err=True)


def lake_option(function: Any) -> Any:
    """``--lake``, or ``ASSENT_LAKE``."""
    return click.option(
        "--lake", envvar="ASSENT_LAKE", required=True, help="Root of the lake (folder or URL)."
    )(function)
