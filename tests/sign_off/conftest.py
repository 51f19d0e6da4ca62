"""A lake whose second night is published and told of, and waits for a person before it is exported.

What the steps before publication would write stands here as they leave it (other tests hold that); publication, notices
and packages are the pipeline's own. So nothing here needs a JVM.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from schemas.contract import ARROW_TYPES, IDENTITY_NAMES, contracts
from schemas.features import FEATURES
from schemas.tables import (
    ARROW,
    CONSENTED,
    DELIVERIES,
    FEED_STATE,
    ORDER_FLAGS,
    RECORD_FLAGS,
    REGISTERS,
    SCORES,
    VAULT,
)
from tests.explain.conftest import FINAL, FIRST, PEOPLE, SECOND

OFFICE = "enforcement-office"
COURT = contracts()["court"]
Entries = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Place:
    """A lake, and what left it beside it."""

    home: Path

    @property
    def lake(self) -> str:
        return str(self.home / "lake")

    @property
    def out(self) -> Path:
        return Path(f"{self.lake}.out")


def assent(*words: object) -> int:
    """The command in this process: its exit status."""
    from jobs.cli import main

    return main([str(w) for w in words])


def conformed(orders: Entries, person: int) -> pa.Table:
    """Court records of one person, as conform leaves them; ``orders`` says what is other than in an order in force."""
    fields = [("person_id", pa.int64())]
    fields += [(c.name, ARROW_TYPES[c.type]) for c in COURT.columns if c.name not in IDENTITY_NAMES]
    fields += [("file", pa.string()), ("row_number", pa.int64()), ("night", pa.date32())]
    fields += [(n, ARROW[t]) for n, t, _ in (*RECORD_FLAGS, *ORDER_FLAGS)]
    sound = {k: v if not k.endswith("_on") and k != "objection_until" else dt.date.fromisoformat(str(v))
             for k, v in FINAL.items() if k != "revised_at"}  # fmt: skip
    flags = {n: False for n, t, _ in (*RECORD_FLAGS, *ORDER_FLAGS) if t == "BOOLEAN"} | {"is_order": True}
    first = dt.datetime(2024, 5, 1, 10, tzinfo=dt.UTC)
    rows = [
        {**sound, **flags, "person_id": person, "order_id": key, "kind": "money_judgment", "case_number": f"P-{key}",
         "debt_minor": 120000, "revised_at": first, "file": "court.csv", "row_number": n, **other}
        for n, (key, other) in enumerate(orders.items(), 1)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def publish(place: Place, day: str, orders: Entries, registers: list[dict[str, Any]]) -> None:
    """One night, published and told of, over what its earlier steps would have written."""
    from jobs.lake.macs import person_ids
    from jobs.lake.vault import encrypted
    from jobs.nightly import open_night, run_step

    night = open_night(dt.date.fromisoformat(day), place.lake, create=True)
    identity = PEOPLE["ana"]
    (person,) = person_ids(night.keys, [identity[0]], "hr.oib")
    assert person is not None
    row = dict(zip(IDENTITY_NAMES, identity, strict=True)) | {"person_id": person, "event": "first"}
    plain = pa.schema([(f.name, pa.string() if f.name in IDENTITY_NAMES else f.type) for f in VAULT.arrow()])
    known = pa.Table.from_pylist([{**row, "night": dt.date.fromisoformat(FIRST)}], schema=plain)
    night.write_arrow("vault", pa.Table.from_batches(encrypted(iter(known.to_batches()), night.keys)))
    feeds = [{"feed": f, "last_good_on": night.date, "fresh": True} for f in contracts()]
    night.write_arrow("conformed/feeds", pa.Table.from_pylist(feeds, schema=FEED_STATE.arrow()))
    night.write_arrow("conformed/court", conformed(orders, person))
    of = {"register": "judgment_debts", "feed": "court", "person_id": person, "recipient": OFFICE}
    rows = [{**of, **r} for r in registers]
    night.write_arrow("registers", pa.Table.from_pylist(rows, schema=REGISTERS.arrow()))
    for table in (SCORES, CONSENTED, DELIVERIES, FEATURES):
        night.write_arrow(table.name, table.arrow().empty_table())
    night.lake.mark_done(night.date, [f"extract:{f}" for f in contracts()], ())
    night.lake.mark_done(night.date, ["validate", "conform", "features", "score", "registers"], ())
    run_step(night, "publish")
    run_step(night, "notify")


def entry(record: str, since: str, **other: Any) -> dict[str, Any]:
    return {
        "record_id": record,
        "state": "in_force",
        "listed": True,
        "since": dt.date.fromisoformat(since),
        **other,
    }


def two_nights(home: Path, between: Callable[[], None] = lambda: None) -> Place:
    """First night, sent: stays, paid, less. Second night: paid is paid, less is less, new is new."""
    place = Place(home)
    before = ("stays", "paid", "less")
    publish(place, FIRST, {k: {} for k in before}, [entry(k, FIRST) for k in before])
    assert assent("export", "--date", FIRST, "--lake", place.lake, "--approve") == 0
    between()
    later = {"revised_at": dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)}
    orders = {
        "stays": {},
        "paid": {"satisfied_on": dt.date(2026, 11, 18), **later},
        "less": {"debt_minor": 90000, **later},
        "new": later,
    }
    gone = entry("paid", SECOND, state="satisfied", listed=False, cause="satisfied")
    rows = [entry("stays", FIRST), gone, entry("less", FIRST), entry("new", SECOND)]
    publish(place, SECOND, orders, rows)
    return place


@pytest.fixture(scope="session")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The two nights under the shipped policy."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ASSENT_LAKE", "ASSENT_KEYS", "ASSENT_OUT", "ASSENT_POLICY", "ASSENT_RETURNS"):
            patch.delenv(name, raising=False)
        return two_nights(tmp_path_factory.mktemp("waiting"))


@pytest.fixture
def place(waiting: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A copy of it for one test."""
    for name in ("ASSENT_LAKE", "ASSENT_KEYS", "ASSENT_OUT", "ASSENT_POLICY", "ASSENT_RETURNS"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(waiting.home, tmp_path / "place")
    return Place(tmp_path / "place")
