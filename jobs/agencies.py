"""Commands about those who receive: ``keys`` and ``verify``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from jobs.errors import AssentError, UsageError

FILE = click.Path(path_type=Path)


def _lake(function: Any) -> Any:
    return click.option("--lake", envvar="ASSENT_LAKE", help="Root of the lake (folder or URL).")(function)


def _folder(lake: str | None, make: bool = False) -> Path:
    """The keys folder of a lake; with ``make`` also before its first night. AssentError when there is none."""
    from jobs.lake.keys import has_keys, keys_folder, make_keys
    from jobs.lake.lake import Lake

    if lake is None:
        raise UsageError("name the lake with --lake")
    folder = keys_folder(lake)
    if not make:
        return Lake(lake).open().folder
    if not has_keys(folder):
        make_keys(folder)
    return folder


def _keys_of(package: Path, lake: str | None) -> Path | None:
    """The operator's own keys folder, where there is one: of the lake, or of the deployment whose package it is."""
    from jobs.lake.keys import keys_folder

    if lake is not None or "ASSENT_KEYS" in os.environ:
        return keys_folder(lake or "")
    place = package.resolve().parents
    if len(place) > 2 and place[1].name == "exports" and place[2].name.endswith(".out"):
        return place[2].with_name(place[2].name.removesuffix(".out") + ".keys")
    return None


def _demo_secret(package: Path, folder: Path) -> Path | None:
    """The private key of the demo recipient that a package is encrypted to; any one where that cannot be seen."""
    from jobs.lake.recipients import DEMO, read_given
    from jobs.lake.verify_package import Fault, private_keys, session_keys

    found = sorted((folder / DEMO).glob("*.sec.asc"))
    try:
        wanted = set(session_keys(package))
        mine = [f for f in found if wanted & set(private_keys(read_given(f)))]
    except (Fault, OSError):
        mine = []
    return next(iter(mine or found), None)


@click.command()
@click.argument("package", type=FILE, required=False)
@click.option("--previous", type=FILE, help="The package before it: held against previous + changes.")
@click.option("--key", type=FILE, help="The operator's certificate (default: of the lake's keys).")
@click.option("--secret", type=FILE, help="The recipient's private key (default: a demo recipient's).")
@_lake
def verify(
    package: Path | None, previous: Path | None, key: Path | None, secret: Path | None, lake: str | None
) -> None:
    """A package (file, zip or folder) or a person's statement, line by line; or with --lake alone the publications."""
    if package is None:
        if lake is None:
            raise UsageError("name a package, or a lake with --lake")
        from jobs.verify import check_lake

        check_lake(lake, lambda text: click.echo(f"ok    {text}"))
        return
    from jobs.lake.recipients import PUBLIC
    from jobs.lake.statements import check_now, is_statement
    from jobs.lake.verify_package import Fault, Usage, check

    folder = _keys_of(package, lake)
    if key is None:
        if folder is None:
            raise UsageError("name the operator's certificate with --key (operator.pub.asc)")
        key = folder / PUBLIC
    if is_statement(package):
        for line in check_now(package, key):
            click.echo(f"ok    {line}")
        return
    if secret is None and folder is not None:
        secret = _demo_secret(package, folder)
    try:
        check(package, key, secret, previous, lambda text: click.echo(f"ok    {text}"))
    except Fault as e:
        raise AssentError(f"{package.name} {e}; act on nothing in it, ask the operator") from None
    except (Usage, OSError) as e:
        raise UsageError(str(e)) from None
    click.echo(f"ok    {package.name} is verified")


@click.group()
def keys() -> None:
    """The operator's OpenPGP key and the recipients' certificates."""


@keys.command("list")
@_lake
def list_keys(lake: str | None) -> None:
    """Every key: fingerprint, last day, and whether it can be used. Status 1 when a recipient has none."""
    from jobs.lake.config import load_policy
    from jobs.lake.recipients import RecipientStopped, certificates_of, open_operator, recipients_of

    folder = _folder(lake)
    click.echo(f"operator: {open_operator(folder, click.echo).fingerprint}")
    without = []
    for recipient, what in recipients_of(load_policy()).items():
        try:
            found = certificates_of(folder, recipient)
        except RecipientStopped as e:
            without.append(recipient)
            click.echo(str(e))
            continue
        for c in found:
            until = "no last day" if c.expires is None else f"until {c.expires.date().isoformat()}"
            click.echo(f"{recipient} ({what}): {c.fingerprint} {until}, {c.problem or 'usable'}")
        if all(c.problem for c in found):
            without.append(recipient)
    if without:
        raise AssentError(
            f"keys: {len(without)} recipient(s) have no usable key: {', '.join(without)}; import one"
        )


@keys.command("import")
@click.argument("recipient")
@click.argument("file", type=FILE)
@click.option(
    "--replace", is_flag=True, help="Drop the certificates held so far (default: both serve, to rotate)."
)
@_lake
def import_key(recipient: str, file: Path, replace: bool, lake: str | None) -> None:
    """A recipient's certificate, after its checks."""
    from jobs.lake.config import load_policy
    from jobs.lake.recipients import import_certificates, read_given

    for c in import_certificates(
        _folder(lake, make=True), load_policy(), recipient, read_given(file), replace
    ):
        click.echo(f"{recipient}: {c.fingerprint}; compare it with what the recipient reads to you")


@keys.command()
@_lake
def rotate(lake: str | None) -> None:
    """A new key of the operator, vouched for by the former one."""
    from jobs.lake.recipients import rotate_operator

    folder = _folder(lake)
    made, rotation = rotate_operator(folder)
    click.echo(
        f"operator: {made.fingerprint}; give every recipient {folder / 'operator.pub.asc'} (both keys) and {rotation}, "
        "its signature by the former key"
    )


def add_to(cli: click.Group) -> None:
    """Registers the commands."""
    cli.add_command(verify)
    cli.add_command(keys)
