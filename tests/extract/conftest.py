"""A night over an empty lake, and rows to deliver to it. No Spark."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stdnum.iso7064 import mod_11_10

from jobs.extract import run
from jobs.lake.config import load_policy
from jobs.lake.lake import Lake
from jobs.lake.night import Night
from schemas.contract import MET_COLUMNS, contracts

DAY = "2026-11-20"


def oib(number: int) -> str:
    """A valid national id."""
    head = f"{number:010d}"
    return head + mod_11_10.calc_check_digit(head)


PERSON = {"national_id": oib(1), "family_name": "Čačić", "given_name": "Ana", "birth_date": "1980-02-29"}
ROWS: dict[str, dict[str, str]] = {
    "tax": {
        **PERSON,
        "assessment_id": "T-1",
        "tax_year": "2025",
        "assessed_on": "2026-05-01",
        "income_minor": "4000000",
        "tax_due_minor": "900000",
        "tax_paid_minor": "0",
        "currency": "EUR",
        "status": "assessed",
        "revised_at": "2026-05-01T10:00:00Z",
    },
    "consents": {
        **PERSON,
        "consent_id": "C-1",
        "kind": "withdrawal",
        "granted_on": "2026-11-19",
        "receipt_sha256": "AB" * 32,
        "revised_at": "2026-11-19T10:00:00Z",
    },
}


def as_csv(rows: list[dict[str, str]], **options: Any) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), **options)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


@dataclass
class Place:
    """Deliveries on disk, a lake, and what was said."""

    root: Path
    night: Night
    said: list[str] = field(default_factory=list)

    @property
    def deliveries(self) -> Path:
        return self.root / "deliveries"

    def deliver(self, name: str, content: bytes, day: str = DAY) -> Path:
        path = self.deliveries / day / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def extract(self, feeds: list[str] | None = None) -> dict[str, int]:
        return run(self.night, feeds)

    def manifest(self, feed: str = "tax") -> list[dict[str, Any]]:
        return self.night.lake.manifest(self.night.date, feed)

    def landed(self, feed: str = "tax") -> list[dict[str, Any]]:
        """Landed rows by the manifest, in order."""
        rows: list[dict[str, Any]] = []
        for entry in self.manifest(feed):
            for path in entry["landing"]:
                table = pq.ParquetFile(f"{self.night.lake.path}/{path}").read()
                assert table.schema.equals(contracts()[feed].landing_schema())
                rows += table.to_pylist()
        return rows

    def identities(self, feed: str = "tax") -> dict[int, str | None]:
        """National ids by the numbers under which what identities are compared by is kept."""
        path = Path(self.night.lake.path) / f"landing/_identities/{self.night.date}/{feed}.parquet"
        if not path.exists():
            return {}
        table = pq.ParquetFile(path).read()
        assert table.column_names == list(MET_COLUMNS)
        return {r["identity"]: r["national_id"] for r in table.to_pylist()}

    def files(self, feed: str = "tax") -> list[str]:
        """Landing files that lie there, whatever the manifest says."""
        root = Path(self.night.lake.path)
        return sorted(str(p.relative_to(root)) for p in root.glob(f"landing/{feed}/**/*.parquet"))


def make_place(root: Path, deliveries: str | None = None, date: str = DAY) -> Place:
    lake = Lake(str(root / "lake"))
    keys = lake.open(create=True)
    said: list[str] = []
    night = Night(
        date=dt.date.fromisoformat(date),
        lake=lake,
        policy=load_policy(),
        keys=keys,
        scorecards={},
        deliveries=deliveries or str(root / "deliveries"),
        say=said.append,
    )
    (root / "deliveries").mkdir(exist_ok=True)
    return Place(root, night, said)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name in ("ASSENT_LAKE", "ASSENT_KEYS", "ASSENT_OUT", "ASSENT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    return make_place(tmp_path)


def publish_taken(place: Place, rows: list[tuple[str, str, str | None]], night: str) -> None:
    """Makes an earlier publication whose ``deliveries`` hold these (feed, file, stopped)."""
    from schemas.tables import DELIVERIES

    day = dt.date.fromisoformat(night)
    table = pa.Table.from_pylist(
        [
            {"night": day, "feed": feed, "file": file, "delivered_on": day, "stopped": stopped}
            for feed, file, stopped in rows
        ],
        schema=DELIVERIES.arrow(),
    )
    version = place.night.lake.write_night("deliveries", table.to_reader(), day)
    place.night.previous = {"night": day, "tables": {"deliveries": {"version": version}}}


@dataclass
class Server:
    """How a server may be started by this test: as somebody who is not root, in a folder of theirs."""

    folder: Path
    user: str
    start: Callable[..., subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def unprivileged() -> Iterator[Server]:
    """sshd and PostgreSQL want a user of their own; root starts them as nobody."""
    folder = Path(tempfile.mkdtemp(prefix="assent-server-"))
    root = os.geteuid() == 0
    import pwd

    user = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
    options: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if root else {}
    if root:
        os.chown(folder, user.pw_uid, user.pw_gid)
    running: list[subprocess.Popen[bytes]] = []

    def start(*words: object, **more: Any) -> subprocess.Popen[bytes]:
        log = (folder / "server.log").open("ab")
        made = subprocess.Popen(
            [str(w) for w in words], stdout=log, stderr=log, cwd=folder, **{**options, **more}
        )
        running.append(made)
        return made

    yield Server(folder, user.pw_name, start)
    for process in running:
        if process.poll() is None:
            process.terminate()
            process.wait(20)
    shutil.rmtree(folder, ignore_errors=True)
