"""A lake whose second night is published and told of, and waits for a person before it is exported."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.explain.conftest import FIRST, SECOND, deliver, judgment

STEPS = ("extract", "validate", "conform", "features", "score", "registers", "publish", "notify")
OFFICE = "enforcement-office"


@dataclass(frozen=True)
class Place:
    """A lake, and what left it beside it."""

    home: Path

    @property
    def lake(self) -> str:
        return str(self.home / "lake")

    @property
    def deliveries(self) -> Path:
        return self.home / "deliveries"

    @property
    def out(self) -> Path:
        return Path(f"{self.lake}.out")


def assent(*words: object) -> int:
    """The command in this process: its exit status."""
    from jobs.cli import main

    return main([str(w) for w in words])


def deliver_both(folder: Path) -> None:
    """First night: stays, paid, less. Second night: paid is paid, less is less, new is new."""
    for day in (FIRST, SECOND):
        for feed in ("consents", "disputes", "tax", "traffic", "transactions"):
            deliver(folder, day, feed, [])
    deliver(folder, FIRST, "court", [judgment(n) for n in ("stays", "paid", "less")])
    later = {"revised_at": "2026-11-18T12:00:00Z"}
    rows = [
        judgment("paid", satisfied_on="2026-11-18", **later),
        judgment("less", **later) | {"debt_minor": 90000},
        judgment("new"),
    ]
    deliver(folder, SECOND, "court", rows)


@pytest.fixture(scope="session")
def waiting(spark, tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("waiting"))
    deliver_both(place.deliveries)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ASSENT_LAKE", "ASSENT_KEYS", "ASSENT_OUT", "ASSENT_POLICY", "ASSENT_DELIVERIES"):
            patch.delenv(name, raising=False)
        at = ("--deliveries", place.deliveries, "--lake", place.lake)
        assert assent("night", "--date", FIRST, *at, "--approve") == 0
        for step in STEPS:
            given = at if step == "extract" else at[2:]
            assert assent(step, "--date", SECOND, *given) == 0
    return place


@pytest.fixture
def place(waiting: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A copy of it for one test."""
    for name in ("ASSENT_LAKE", "ASSENT_KEYS", "ASSENT_OUT", "ASSENT_POLICY", "ASSENT_RETURNS"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(waiting.home, tmp_path / "place")
    return Place(tmp_path / "place")
