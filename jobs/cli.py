"""The command line: ``assent``. Errors go to standard error as one line; 0 done, 1 a check stopped it, 2 wrong use."""

from __future__ import annotations

import atexit
import contextlib
import datetime as dt
import os
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import click

from jobs import agencies
from jobs.cli_development import develop
from jobs.cli_disclosure import plan, recall, returns
from jobs.errors import AssentError, UsageError
from jobs.options import DAY, lake_option
from jobs.options import say as _say
from jobs.statement import statement
from jobs.watching import report

STEP_WORDS = {
    "extract": "Lands the deliveries verbatim, with a manifest.",
    "validate": "Types, checks and splits the landed rows.",
    "conform": "Keeps the current version of each record and what may be read of it.",
    "features": "One row an application, holding only what its consents cover.",
    "score": "Scores the applications by their scorecards.",
    "registers": "The state of each order tonight.",
    "publish": "Checks every invariant and publishes the night.",
    "notify": "Writes the night's notices.",
    "export": "Writes a package a register.",
}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="assent")
def cli() -> None:
    """Scores for people who asked for one, and registers of final orders: a nightly batch."""


@cli.command()
@click.option("--date", "date", type=DAY, required=True, help="The night.")
@click.option(
    "--deliveries", envvar="ASSENT_DELIVERIES", required=True, help="Folder or URL of the deliveries."
)
@lake_option
@click.option(
    "--full", is_flag=True, help="Compute everybody again from the accepted rows, not those touched alone."
)
@click.option("--approve", is_flag=True, help="Let additions and changes leave, not removals alone.")
def night(date: dt.date, deliveries: str, lake: str, full: bool, approve: bool) -> None:
    """Every step of one night in one process."""
    from jobs.nightly import open_night, run_night

    opened = open_night(date, lake, deliveries, full=full, approve=approve, create=True, say=_say)
    run_night(opened)


def _add_step(name: str) -> None:
    def step(
        date: dt.date,
        lake: str,
        deliveries: str | None,
        feed: str | None,
        approve: bool,
        accepted: tuple[str, ...],
    ) -> None:
        from jobs.nightly import begin, by_command, open_night, run_step
        from schemas.contract import contracts

        if accepted and not approve:
            raise UsageError("--accept-guard says that a guard may be passed; give --approve with it")
        if feed is not None and feed not in contracts():
            raise UsageError(f"feed {feed} is unknown; name one of {', '.join(contracts())}")
        approval = by_command(accepted) if approve else None
        opened = open_night(date, lake, deliveries, approval=approval, create=name == "extract", say=_say)
        if name == "extract" and feed is None and not begin(opened):
            _say(f"night {date}: already published with the same inputs")
            return
        if unknown := set(accepted) - set(opened.policy.registers):
            known = ", ".join(opened.policy.registers)
            raise UsageError(f"register {min(unknown)} is unknown; name one of {known}")
        run_step(opened, name, feed)

    options: list[Any] = [
        click.option("--date", "date", type=DAY, required=True, help="The night."),
        lake_option,
    ]
    if name == "extract":
        options.append(click.option("--deliveries", envvar="ASSENT_DELIVERIES", required=True))
        options.append(click.option("--feed", help="This feed alone."))
    if name == "export":
        options.append(click.option("--approve", is_flag=True, help="Let additions and changes leave too."))
        options.append(
            click.option(
                "--accept-guard",
                multiple=True,
                metavar="REGISTER",
                help="Let what this register's tripped guard holds back leave too; recorded with your name.",
            )
        )

    def command(**given: Any) -> None:
        step(
            given["date"],
            given["lake"],
            given.get("deliveries"),
            given.get("feed"),
            given.get("approve", False),
            given.get("accept_guard", ()),
        )

    command.__doc__ = STEP_WORDS[name]
    for option in reversed(options):
        command = option(command)
    cli.command(name)(command)


for _name in STEP_WORDS:
    _add_step(_name)
agencies.add_to(cli)


@cli.command()
def check() -> None:
    """Compiles policy, scorecards and contracts as a whole."""
    from jobs.lake.config import contract_line, load_policy
    from jobs.lake.scorecards import load_scorecards
    from jobs.rules.checks import contract_checks
    from jobs.rules.floor import denied_word, floor_hash
    from schemas.contract import contracts

    policy = load_policy()
    cards = load_scorecards(policy)
    for feed, contract in contracts().items():
        for name in contract.names:
            if word := denied_word(name):
                place = contract_line(feed, name)
                raise AssentError(f"{place}: column {name} has the denied word {word!r}; remove it")
        contract_checks(contract, dt.date(2000, 1, 1), policy)
    click.echo(
        f"{len(contracts())} feeds, {len(policy.purposes)} purposes, {len(policy.registers)} registers, "
        f"{len(cards)} scorecards are within the floor {floor_hash()[:12]}"
    )


@cli.command()
@click.argument("sql")
@lake_option
@click.option("--as-of", type=DAY, help="The night to read (default: the last published).")
@click.option("--format", "fmt", default="table", type=click.Choice(["table", "csv", "json", "parquet"]))
def query(sql: str, lake: str, as_of: dt.date | None, fmt: str) -> None:
    """One SELECT over the published tables, without a JVM."""
    from jobs.lake.query import format_table, run_query

    out = format_table(run_query(lake, sql, as_of), fmt)
    sys.stdout.buffer.write(out)
    sys.stdout.buffer.flush()


@cli.command()
@click.argument("national_id", nargs=-1, required=True)
@lake_option
@click.option("--purpose", help="This purpose alone.")
@click.option("--as-of", type=DAY, help="The night to explain (default: the last published).")
@click.option("--against", type=DAY, help="Another night: what changed since.")
@click.option("--because", default="not stated", help="Why you look; recorded with your name.")
@click.option("--format", "fmt", default="text", type=click.Choice(["text", "json", "html"]))
def explain(
    national_id: tuple[str, ...],
    lake: str,
    purpose: str | None,
    as_of: dt.date | None,
    against: dt.date | None,
    because: str,
    fmt: str,
) -> None:
    """Everything behind a score or an entry."""
    from jobs.rules import floor

    if purpose is not None and purpose not in floor.PURPOSES:
        raise UsageError(f"purpose {purpose} is unknown; name one of {', '.join(floor.PURPOSES)}")
    from jobs.lake.explain import explain as explained
    from jobs.lake.explained import render

    objects = explained(
        lake, list(national_id), purpose=purpose, as_of=as_of, against=against, because=because
    )
    text = render(objects, fmt)
    click.echo(text, nl=not text.endswith("\n"))


@cli.command()
@click.option("--persons", type=click.IntRange(1), required=True)
@click.option("--nights", type=click.IntRange(1, 366), required=True)
@click.option("--start", type=DAY, required=True, help="The first night.")
@click.option("--seed", type=click.IntRange(0), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def generate(persons: int, nights: int, start: dt.date, seed: int, out: Path) -> None:
    """Synthetic deliveries for every feed, with planted faults and a truth folder."""
    from jobs.generate import generate as made

    counts = made(persons, nights, start, seed, out, say=_say)
    click.echo(", ".join(f"{k} {v}" for k, v in counts.items()))


cli.add_command(develop)
cli.add_command(plan)
cli.add_command(recall)
cli.add_command(report)
cli.add_command(returns)
cli.add_command(statement)


def fault_line(error: BaseException) -> str:
    """Where an unexpected fault was raised, without its message, which could hold a person's values."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "site-packages" not in f.filename] or list(frames)
    place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "?"
    return f"internal fault {type(error).__name__} at {place}; run again, then report it with this line"


def main(argv: list[str] | None = None) -> int:
    """Runs the command and returns the exit status."""
    try:
        cli.main(args=argv, prog_name="assent", standalone_mode=False)
    except AssentError as e:
        click.echo(f"assent: {' '.join(str(e).split())}", err=True)
        return e.status
    except click.exceptions.NoArgsIsHelpError as e:
        click.echo(f"{e.format_message()}\n\nassent: name a command", err=True)
        return 2
    except click.ClickException as e:
        click.echo(f"assent: {' '.join(e.format_message().split())}; see `assent --help`", err=True)
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("assent: interrupted; run the night again, nothing half-done is published", err=True)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as e:  # a fault of ours: its text may hold personal data
        if os.environ.get("ASSENT_TRACEBACK"):
            raise
        click.echo(f"assent: {fault_line(e)}", err=True)
        return 1
    return 0


def leave(status: int) -> NoReturn:
    """Ends this process: its handlers run, what was said is flushed, and nothing else of the interpreter is taken down.

    A thread of Arrow that still holds bytes of a file asks for the interpreter while that is going down, and then the
    whole process ends with 134 instead of its status (CPython before 3.14: ``take_gil`` ends the thread).
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def command() -> NoReturn:
    """The ``assent`` of a shell."""
    leave(main())


if __name__ == "__main__":
    command()
