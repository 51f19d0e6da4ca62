"""The commands on what is sent: what a night would send, an entry called back, and what agencies answer."""

from __future__ import annotations

import datetime as dt

import click

from jobs.errors import AssentError, UsageError
from jobs.options import DAY, lake_option, say

LONGEST_REASON = 500


def reason(because: str) -> str:
    """A reason as it is recorded: one line, no national id in it; UsageError otherwise."""
    from jobs.lake.config import load_policy
    from jobs.lake.macs import stdnum_module

    text = " ".join(because.split())
    if not text or len(text) > LONGEST_REASON:
        raise UsageError(f"--because must say why, in at most {LONGEST_REASON} characters")
    module = stdnum_module(load_policy().national_id)
    if any(module.is_valid(word.strip(".,;:()")) for word in text.split()):
        raise UsageError("--because holds a national id; say why without naming the person")
    return text


@click.command()
@click.option("--date", "date", type=DAY, required=True, help="The night.")
@lake_option
def plan(date: dt.date, lake: str) -> None:
    """What a night would send: counts and guards, before anybody approves."""
    from jobs.export import in_sight
    from jobs.nightly import open_night

    click.echo(in_sight(open_night(date, lake, say=say))["form"], nl=False)


@click.command()
@click.argument("register")
@click.argument("record_id")
@click.option("--because", required=True, help="Why; recorded with your name, not sent.")
@lake_option
def recall(register: str, record_id: str, because: str, lake: str) -> None:
    """Calls a wrong entry back at once: a signed notice now, the removal with the next package."""
    from jobs.nightly import last_night
    from jobs.recall import recall as recalled

    for path in recalled(last_night(lake, say), register, record_id, reason(because)):
        click.echo(f"notice {path}")
    click.echo(
        "the next package removes the entry; it comes back with a newer revision, or by `assent returns decide`"
    )


@click.group()
def returns() -> None:
    """What agencies answer to their packages."""


@returns.command()
@click.option("--date", "date", type=DAY, help="The night that takes them (default: the last published).")
@click.option(
    "--returns", "place", envvar="ASSENT_RETURNS", help="Folder or URL (default: returns/ in the out folder)."
)
@lake_option
def take(date: dt.date | None, place: str | None, lake: str) -> None:
    """Takes files of answers; rows that cannot be taken are named by number, the rest is stored."""
    from jobs.nightly import last_night, open_night
    from jobs.returns import take as taken

    night = open_night(date, lake, say=say) if date else last_night(lake, say)
    if night.published is None:
        raise AssentError(f"returns: night {date} is not published; name a published one")
    found = taken(night, place)
    click.echo(", ".join(f"{k} {v}" for k, v in sorted(found.outcomes.items())) or "nothing new")
    if found.faults:
        raise AssentError(
            found.faults[0] + (f"; and {len(found.faults) - 1} more" if len(found.faults) > 1 else "")
        )


@returns.command()
@click.argument("register")
@click.argument("record_id")
@click.argument("decision", type=click.Choice(["release", "keep"]))
@click.option("--because", required=True, help="Why; recorded with your name.")
@lake_option
def decide(register: str, record_id: str, decision: str, because: str, lake: str) -> None:
    """Decides on an entry that is held back, refused by its recipient or recalled."""
    from jobs.nightly import last_night
    from jobs.returns import decide as decided

    click.echo(decided(last_night(lake, say), register, record_id, decision, reason(because)))
