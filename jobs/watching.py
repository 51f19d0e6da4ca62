"""The commands of who watches the nights: ``assent report``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from jobs.options import DAY, lake_option


@click.command()
@click.option("--date", "date", type=DAY, required=True, help="A published night.")
@lake_option
@click.option(
    "--disparity",
    type=click.Path(path_type=Path),
    help="Counts of people by group and band, made outside Assent; nothing of it is kept.",
)
def report(date: dt.date, lake: str, disparity: Path | None) -> None:
    """The night as one HTML page."""
    from jobs.report import write

    click.echo(str(write(lake, date, disparity)))
