"""Packages over a lake of invented publications, without Spark: what is sent is said by each test."""

from __future__ import annotations

import datetime as dt
import io
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs.entries import REMOVAL_CAUSES
from jobs.lake.config import load_policy
from jobs.lake.lake import Lake
from jobs.lake.night import Night
from jobs.lake.packages import (
    Field,
    Package,
    Sent,
    facts,
    people_of,
    prepare,
    read_previous,
    schema_of,
    send_package,
)
from jobs.nightly import by_command
from jobs.rules.disclosure import disclosure
from jobs.rules.guards import Guards

NIGHTS = [dt.date(2026, 11, 18) + dt.timedelta(days=n) for n in range(6)]
NAME, RECIPIENT = "judgment_debts", "enforcement-office"
FIELDS = (
    Field("record_id", "string", "the order's key", required=True),
    Field("national_id", "string", "whose", required=True),
    Field("family_name", "string", "family name", required=True),
    Field("birth_date", "date", "born on", required=True),
    Field("authority", "string", "who decided"),
    Field("debt_minor", "integer", "debt", required=True),
    Field("since", "date", "listed since", required=True),
)
PEOPLE = {
    "ana": (1, "69435151530", "Čačić", dt.date(1980, 2, 29)),
    "bo": (2, "33392005961", "Bojić", dt.date(1975, 7, 8)),
    "cvita": (3, "94577403194", "Cvitić", dt.date(1990, 1, 1)),
}


def entry(record: str, who: str, debt: int = 100, authority: str | None = "Demo Court") -> dict[str, Any]:
    """An entry as tonight's registers would have it, and ``person_id``."""
    person, national_id, family, born = PEOPLE[who]
    return {
        "person_id": person,
        "record_id": record,
        "national_id": national_id,
        "family_name": family,
        "birth_date": born,
        "authority": authority,
        "debt_minor": debt,
        "since": NIGHTS[0],
    }


def without_environment(patch: pytest.MonkeyPatch) -> None:
    for name in ("LAKE", "KEYS", "OUT", "POLICY", "DELIVERIES", "DELIVERY", "KNOWN_HOSTS", "SFTP_KEY"):
        patch.delenv(f"ASSENT_{name}", raising=False)


@dataclass
class Place:
    """A lake, what leaves it, and how a night's package is sent from it."""

    root: Path
    fields: tuple[Field, ...] = FIELDS
    said: list[str] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)

    @property
    def lake(self) -> Lake:
        return Lake(str(self.root / "lake"))

    @property
    def keys(self) -> Path:
        return self.root / "lake.keys"

    @property
    def out(self) -> Path:
        return self.root / "lake.out"

    def night(self, date: dt.date, approve: bool = True) -> Night:
        lake = self.lake
        return Night(
            date=date,
            lake=lake,
            policy=load_policy(),
            keys=lake.open(create=True),
            scorecards={},
            approval=by_command() if approve else None,
            published={"run_id": "r1", "row_hash": "aa", "policy_hash": "bb", "tables": {}},
            say=self.said.append,
        )

    def package(
        self, night: Night, entries: list[dict[str, Any]], name: str = NAME, recipient: str = RECIPIENT
    ) -> Package:
        """Tonight's package of these entries: what was sent before is read from the lake."""
        previous = read_previous(night, name, recipient, "record_id", self.fields)
        tonight = sorted(entries, key=lambda e: e["record_id"])
        current = pa.Table.from_pylist(tonight, schema=schema_of(self.fields))
        owners = [{k: e[k] for k in ("record_id", "person_id")} for e in entries]
        people = pa.Table.from_pylist(
            owners, schema=pa.schema([("record_id", pa.string()), ("person_id", pa.int64())])
        )
        causes = dict.fromkeys(previous.snapshot["record_id"].to_pylist(), "satisfied")
        approved = night.approval is not None
        sent = disclosure(previous.snapshot, current, causes, guards=Guards(), approved=approved, fresh=True)
        return Package(
            name=name,
            title=f"Register {name} for {recipient}",
            recipient=recipient,
            night=night.date,
            key="record_id",
            fields=self.fields,
            snapshot=sent.snapshot,
            changes=sent.changes,
            people=people_of("record_id", sent.snapshot, sent.changes, previous, people),
            previous=previous,
            approved=approved,
            causes=REMOVAL_CAUSES,
            facts=facts(night, night.date + dt.timedelta(days=3), legal="Limitation Act"),
        )

    def send(
        self, date: dt.date, entries: list[dict[str, Any]], approve: bool = True, **more: str
    ) -> Sent | None:
        night = self.night(date, approve)
        prepare(night)
        return send_package(night, self.package(night, entries, **more), self.recorded.append)

    def file(self, date: dt.date, name: str = NAME, recipient: str = RECIPIENT) -> Path:
        return self.out / "exports" / recipient / f"{name}-{date.isoformat()}.zip.pgp"

    def secret(self, recipient: str = RECIPIENT) -> Path:
        return self.keys / "demo-recipients" / f"{recipient}.sec.asc"


@pytest.fixture(scope="session")
def demo_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A keys folder with an operator and the demo's recipients, made as a first night makes it."""
    with pytest.MonkeyPatch.context() as patch:
        without_environment(patch)
        place = Place(tmp_path_factory.mktemp("demo"))
        prepare(place.night(NIGHTS[0]))
    return place.keys


@pytest.fixture
def place(tmp_path: Path, demo_keys: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    without_environment(monkeypatch)
    shutil.copytree(demo_keys, tmp_path / "lake.keys")
    return Place(tmp_path)


@dataclass
class Gpg:
    """GnuPG as an agency runs it: a home of its own with its private key and the operator's certificate."""

    home: Path

    def run(self, *words: object, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        command = ["gpg", "--homedir", self.home, "--batch", "--no-tty", "--quiet", *words]
        done = subprocess.run([str(w) for w in command], capture_output=True, check=False)
        if check:
            assert done.returncode == 0, done.stderr.decode()
        return done

    def decrypt(self, file: Path) -> bytes:
        """The plain package; fails unless the signature is good."""
        done = self.run("--status-fd", "2", "--decrypt", file)
        assert b"[GNUPG:] GOODSIG" in done.stderr, done.stderr.decode()
        assert b"[GNUPG:] DECRYPTION_OKAY" in done.stderr, done.stderr.decode()
        return done.stdout


@pytest.fixture
def gpg() -> Iterator[Gpg]:
    if shutil.which("gpg") is None:
        pytest.skip("no gpg on this machine (Debian: gnupg)")
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        yield Gpg(Path(home))
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True, check=False)


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files of a plain package."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def plain(place: Place, date: dt.date, name: str = NAME, recipient: str = RECIPIENT) -> bytes:
    """A package as its recipient decrypts it, by another library call than the one that verifies."""
    from pysequoia import Cert, Tsk, decrypt

    operator = Cert.split_bytes((place.keys / "operator.pub.asc").read_bytes())
    key = Tsk.from_file(str(place.secret(recipient))).decryptor()
    opened = decrypt(place.file(date, name, recipient).read_bytes(), key, lambda ids: operator)
    assert len(opened.valid_sigs) == 1
    assert opened.bytes is not None
    return opened.bytes


def left_behind(*folders: Path) -> list[Path]:
    """Every file under some folders but the lake's own, as they lie on disk."""
    return [
        p for folder in folders for p in sorted(folder.rglob("*")) if p.is_file() and os.access(p, os.R_OK)
    ]
