"""Writes what became of the development people, for ``assent develop``; of the held-out ones it says nothing.

``python -m examples.uci_credit_card.outcomes --csv FILE --out FILE``.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from examples.uci_credit_card.source import OUTCOME, OUTCOME_ON, in_development, national_id, read
from jobs.errors import AssentError


def outcomes(source: Path, out: Path) -> int:
    """Writes the file and returns its people."""
    people = [r for r in read(source, "ID", OUTCOME).to_pylist() if in_development(r["ID"])]
    try:
        with out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["national_id", "outcome_on", "bad"])
            writer.writerows([national_id(r["ID"]), OUTCOME_ON.isoformat(), r[OUTCOME]] for r in people)
    except OSError as e:
        raise AssentError(f"{out} cannot be written ({e.strerror}); name another file") from None
    return len(people)


@click.command()
@click.option("--csv", "source", type=click.Path(path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(source: Path, out: Path) -> None:
    """Writes the outcomes of the development people."""
    try:
        count = outcomes(source, out)
    except AssentError as e:
        click.echo(f"outcomes: {e}", err=True)
        sys.exit(e.status)
    click.echo(f"outcomes {count}")


if __name__ == "__main__":
    main()
