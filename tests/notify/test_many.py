"""Letters are held a few at a time, and are in the outbox whole or not at all."""

import datetime as dt
import json

import pytest

from jobs.errors import AssentError
from jobs.lake import letters as module
from jobs.lake.letters import Letters
from jobs.nightly import open_night
from tests.recipients.stage import NIGHTS, Application, Stage

CROWD = [Application(w) for w in "ana bo cvita dino ema".split()]


@pytest.fixture
def night(tmp_path, monkeypatch):
    for name in ("LAKE", "KEYS", "OUT", "POLICY", "DELIVERIES", "APPROVE"):
        monkeypatch.delenv(f"ASSENT_{name}", raising=False)
    stage = Stage(tmp_path)
    stage.publish(NIGHTS[0], CROWD)
    opened = open_night(NIGHTS[0], stage.lake)
    people = opened.lake.dataset("scores", opened.pinned("scores")).to_table(columns=["person_id"])
    return stage, opened, sorted(people.column("person_id").to_pylist())


def outbox(stage: Stage, date: dt.date) -> list[str]:
    folder = stage.out / "notices"
    names = sorted(p.name for p in folder.iterdir()) if folder.exists() else []
    assert not [n for n in names if n.startswith(".")]
    file = folder / f"{date}.ndjson"
    return (
        [json.loads(line)["subject"] for line in file.read_text(encoding="utf-8").splitlines()]
        if file.exists()
        else []
    )


def add(letters: Letters, person: int, number: int) -> None:
    letters.add(
        "removal",
        person,
        f"tax_debts/{number}",
        {
            "register": "tax_debts",
            "record_id": str(number),
            "cause": "satisfied",
            "recipient": "enforcement-office",
        },
    )


@pytest.mark.parametrize("at_once", [1, 2, 3, 5, 100])
def test_the_outbox_is_the_same_however_many_are_held(night, monkeypatch, at_once):
    stage, opened, people = night
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    with Letters(opened) as letters:
        for number, person in enumerate(people):
            add(letters, person, number)
        rows = letters.rows()
        assert not (stage.out / "notices" / f"{NIGHTS[0]}.ndjson").exists()
        letters.release()
    said = [f"tax_debts/{n}" for n in range(len(people))]
    assert rows.column("subject").to_pylist() == said
    assert outbox(stage, NIGHTS[0]) == said


def test_a_fault_leaves_nothing_behind(night, monkeypatch):
    stage, opened, people = night
    monkeypatch.setattr(module, "AT_ONCE", 1)
    with Letters(opened) as letters:
        add(letters, people[0], 0)
        with pytest.raises(AssentError, match="not in the vault"):
            add(letters, 1, 1)
    assert outbox(stage, NIGHTS[0]) == []


def test_what_is_not_released_is_gone(night):
    stage, opened, people = night
    with Letters(opened) as letters:
        add(letters, people[0], 0)
        assert letters.rows().num_rows == 1
    assert outbox(stage, NIGHTS[0]) == []
