"""Makes ``scorecards/consumer_credit.yaml`` again from the UCI file, the same bytes each time.

``python -m examples.uci_credit_card.develop --csv FILE --work DIR --out FILE``: delivers, runs the night, writes the
outcomes of the development people, and has ``assent develop`` make the scorecard, each as one does by hand (README.md).
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from examples.uci_credit_card.deliver import deliver
from examples.uci_credit_card.outcomes import outcomes
from examples.uci_credit_card.source import NIGHT
from jobs.cli import main as assent
from jobs.errors import AssentError


@click.command()
@click.option("--csv", "source", type=click.Path(path_type=Path), required=True)
@click.option(
    "--work", type=click.Path(path_type=Path), required=True, help="A folder for deliveries and lake."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The scorecard.")
def main(source: Path, work: Path, out: Path) -> None:
    """Makes the scorecard from the UCI file."""
    lake = str(work / "lake")
    try:
        deliver(source, work / "deliveries")
        outcomes(source, work / "outcomes.csv")
    except AssentError as e:
        click.echo(f"develop: {e}", err=True)
        sys.exit(e.status)
    night = ["--date", str(NIGHT), "--deliveries", str(work / "deliveries"), "--lake", lake]
    words = [
        "--outcomes",
        str(work / "outcomes.csv"),
        "--lake",
        lake,
        "--as-of",
        str(NIGHT),
        "--out",
        str(out),
    ]
    sys.exit(assent(["night", *night]) or assent(["develop", "--purpose", "consumer_credit", *words]))


if __name__ == "__main__":
    main()
