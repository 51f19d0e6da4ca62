"""``assent statement``: a person's own score, signed for one recipient, or an unsigned copy."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("national_id")
@click.option("--purpose", required=True, help="Of which score.")
@click.option("--for", "recipient", help="Who may use it; without it an unsigned copy, which proves nothing.")
@click.option("--lake", envvar="ASSENT_LAKE", required=True, help="Root of the lake (folder or URL).")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write."
)
@click.option("--because", default="asked for by the person", help="Why; recorded with your name.")
def statement(
    national_id: str, purpose: str, recipient: str | None, lake: str, out: Path, because: str
) -> None:
    """A person's own score as one file, signed for that recipient and 30 days."""
    from jobs.lake.statements import write_statement

    click.echo(f"{out}: {write_statement(lake, national_id, purpose, recipient, out, because)}")
