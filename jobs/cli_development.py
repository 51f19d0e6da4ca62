"""The command that makes a scorecard from outcomes: ``assent develop``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from jobs.errors import UsageError
from jobs.options import DAY, lake_option


@click.command()
@click.option("--purpose", required=True, help="Whose scorecard.")
@click.option(
    "--outcomes",
    type=click.Path(path_type=Path),
    required=True,
    help="A CSV: national_id,outcome_on,bad (1: bad).",
)
@lake_option
@click.option("--as-of", "night", type=DAY, required=True, help="The published night of the features.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The scorecard; its report goes beside it."
)
def develop(purpose: str, outcomes: Path, lake: str, night: dt.date, out: Path) -> None:
    """A scorecard from outcomes, with a report."""
    from jobs.rules import floor

    if purpose not in floor.PURPOSES:
        raise UsageError(f"purpose {purpose} is unknown; name one of {', '.join(floor.PURPOSES)}")
    if out.suffix != ".yaml":
        raise UsageError(f"--out {out.name} must end in .yaml; the report goes beside it as .html")
    from jobs.develop import develop as developed

    told = developed(purpose, outcomes, lake, night, out)
    click.echo(
        f"{told['card']}: {told['characteristics']} characteristics from {told['people']} people; on people not seen "
        f"in development Gini {told['gini']:.3f} ({told['gini low']:.3f} to {told['gini high']:.3f}), KS "
        f"{told['ks']:.3f}; report {told['report']}"
    )
