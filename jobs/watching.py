"""The commands of who watches the nights: ``assent report``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from jobs.options import DAY, lake_option
from jobs.rules.floor import PURPOSES


@click.command()
@click.option("--date", "date", type=DAY, required=True, help="A published night.")
@lake_option
@click.option(
    "--disparity",
    type=click.Path(path_type=Path),
    help="Counts of people by group and band, made outside Assent; nothing of it is kept.",
)
@click.option(
    "--outcomes",
    type=click.Path(path_type=Path),
    help="What became of people (CSV national_id,outcome_on,bad): how well that night's scores foretold it.",
)
@click.option(
    "--purpose", type=click.Choice(sorted(PURPOSES)), help="With --outcomes: the scores to hold against them."
)
def report(
    date: dt.date, lake: str, disparity: Path | None, outcomes: Path | None, purpose: str | None
) -> None:
    """The night as one HTML page."""
    from jobs.errors import UsageError
    from jobs.performance import perform
    from jobs.report import write

    if (outcomes is None) != (purpose is None):
        raise UsageError("give --outcomes and --purpose together")
    if outcomes is not None and purpose is not None:
        perform(lake, date, purpose, outcomes)
    click.echo(str(write(lake, date, disparity)))
