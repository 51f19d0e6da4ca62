"""Three nights of 2,000 invented people, run once through the command line for every test here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

NIGHTS = ("2026-11-18", "2026-11-19", "2026-11-20")


@dataclass(frozen=True)
class Place:
    """A lake with its deliveries, keys and what left it."""

    deliveries: Path
    lake: Path

    @property
    def keys(self) -> Path:
        return Path(f"{self.lake}.keys")

    @property
    def out(self) -> Path:
        return Path(f"{self.lake}.out")


def assent(*words: object) -> int:
    """The command in this process: its exit status."""
    from jobs.cli import main

    return main([str(w) for w in words])


@pytest.fixture(scope="session")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("generated") / "deliveries"
    status = assent(
        "generate", "--persons", 2000, "--nights", 3, "--start", NIGHTS[0], "--seed", 7, "--out", out
    )
    assert status == 0
    return out


@pytest.fixture(scope="session")
def place(spark, deliveries: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    for name in ("ASSENT_LAKE", "ASSENT_KEYS", "ASSENT_OUT", "ASSENT_POLICY"):
        os.environ.pop(name, None)
    made = Place(deliveries, tmp_path_factory.mktemp("lakes") / "lake")
    for night in NIGHTS:
        assert assent("night", "--date", night, "--deliveries", deliveries, "--lake", made.lake) == 0
    return made
