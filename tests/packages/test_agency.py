"""docs/agency.md: its commands and statements, run as an agency would."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jobs.entries import entry_fields
from jobs.lake import verify_package
from jobs.lake.config import load_policy
from tests.extract.conftest import unprivileged
from tests.extract.test_postgres import server

from .conftest import NAME, NIGHTS, Gpg, Place, entry, plain, unpacked

__all__ = ["server", "unprivileged"]
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "agency.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def order(record: str, who: str, **more: Any) -> dict[str, Any]:
    known = {
        "given_name": "Ana",
        "legal_basis": "Enforcement Act art. 1",
        "case_number": f"P-{record}",
        "ordered_on": NIGHTS[0],
        "expires_on": None,
        "currency": "EUR",
        "until": NIGHTS[5],
    }
    return {**entry(record, who), **known, **more}


HISTORY = [
    [
        order("R1", "ana", authority="=cmd|' /C calc'!A0"),
        order("R2", "bo", authority="@x\n\t,\"y\" ; z", case_number="'-1"),
        order("'=R", "bo", legal_basis="\r\n'"),
        order("=R", "cvita", authority="－1", family_name="O'Neil \\ \\N"),
    ],
    [order("R2", "bo", debt_minor=7, authority="+1"), order("=R", "cvita", case_number=""), order("R5", "ana")],
    [order("R5", "ana"), order("R6", "bo", authority="x\n\\.\ny")],
]  # fmt: skip


@pytest.fixture
def sent(place: Place) -> Place:
    place.fields = entry_fields(load_policy().registers[NAME])
    for date, entries in zip(NIGHTS, HISTORY, strict=False):
        place.send(date, entries)
    return place


def test_the_commands_of_the_page(sent: Place, gpg: Gpg, tmp_path: Path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    gpg.run("--import", sent.secret())
    for n in (0, 1):
        shutil.copy(sent.file(NIGHTS[n]), inbox)
    shutil.copy(sent.keys / "operator.pub.asc", inbox)
    shutil.copy(Path(verify_package.__file__), inbox)
    for name, content in unpacked(plain(sent, NIGHTS[0])).items():
        folder = inbox / f"{NAME}-{NIGHTS[0]}"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    script = "set -euo pipefail\n" + "\n".join(blocks("sh"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=inbox,
        env={**os.environ, "GNUPGHOME": str(gpg.home), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stderr.count('Good signature from "Assent operator"') == 2
    assert "previous snapshot + changes = snapshot" in done.stdout


def psql(url: str, folder: Path, script: str, **variables: object) -> str:
    if shutil.which("psql") is None:
        pytest.skip("no psql on this machine (Debian: postgresql-client)")
    words = [w for k, v in variables.items() for w in ("--set", f"{k}={v}")]
    command = [
        "psql",
        url,
        "--no-psqlrc",
        "--quiet",
        "--tuples-only",
        "--no-align",
        "--set",
        "ON_ERROR_STOP=1",
        *words,
    ]
    done = subprocess.run(command, input=script, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_statements_of_the_page(sent: Place, server: str, tmp_path: Path):
    once, columns, load, apply, compare = blocks("sql")
    psql(server, tmp_path, once)
    for n, entries in enumerate(HISTORY):
        folder = tmp_path / str(n)
        folder.mkdir()
        for name, content in unpacked(plain(sent, NIGHTS[n])).items():
            (folder / name).write_bytes(content)
        counts = json.loads((folder / "datapackage.json").read_text())["counts"]
        if n == 0:
            psql(server, folder, columns + load, rows=counts["snapshot"])
        else:
            psql(server, folder, columns + apply, rows=counts["ADD"] + counts["CHANGE"] + counts["REMOVE"])
        assert psql(server, folder, columns + compare, rows=counts["snapshot"]).split() == ["1", "0"]
        names = [f.name for f in sent.fields]
        shown = psql(
            server, folder, f"SELECT json_agg(t) FROM (SELECT {', '.join(names)} FROM judgment_debts) t"
        )
        held = {r["record_id"]: r for r in json.loads(shown)}
        wanted = {
            e["record_id"]: {k: json.loads(json.dumps(e[k], default=str)) for k in names} for e in entries
        }
        assert held == wanted
