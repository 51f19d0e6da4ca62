"""Letters are held a few at a time, and are in the outbox whole or not at all, whoever writes their pages."""

import datetime as dt
import errno
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

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


@pytest.fixture(params=[1, 1_000_000], ids=["beside", "here"])
def pages(request, monkeypatch):
    """Pages written by a second process, and by this one."""
    monkeypatch.setattr(module, "MANY", request.param)


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


def written(stage: Stage) -> dict[str, bytes]:
    """What each file of the outbox holds; every one is its owner's alone."""
    files = [p for p in (stage.out / "notices").rglob("*") if p.is_file()]
    assert {stat.S_IMODE(p.stat().st_mode) for p in files} == {0o600}
    return {p.relative_to(stage.out).as_posix(): p.read_bytes() for p in files}


@pytest.mark.parametrize("at_once", [2, 100])
def test_a_second_process_writes_the_same_pages(night, monkeypatch, at_once):
    stage, opened, people = night
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    found = []
    for many in (1, 1_000_000):
        monkeypatch.setattr(module, "MANY", many)
        with Letters(opened) as letters:
            for number, person in enumerate(people):
                add(letters, person, number)
            letters.add("access", people[0], "access", {}, account="<all>\n\n- that is held\u2028\x85")
            letters.rows()
            letters.release()
        found.append(written(stage))
    assert len(found[0]) == len(people) + 2
    assert found[0] == found[1]
    assert any(
        "<pre>&lt;all&gt;\n\n- that is held\u2028\x85</pre>".encode() in page for page in found[0].values()
    )


def children() -> set[int]:
    """Processes of this one, also those that nobody waited for."""
    return {int(c) for t in Path("/proc/self/task").iterdir() for c in (t / "children").read_text().split()}


@pytest.fixture
def nothing_left(night):
    """The processes there were; at the end there is no other one, and no outbox."""
    before = children()
    yield before
    assert outbox(night[0], NIGHTS[0]) == []
    assert children() == before


def test_a_page_that_cannot_be_written_is_one_line(night, pages, nothing_left):
    stage, opened, people = night
    with Letters(opened) as letters:
        add(letters, people[0], 0)
        add(letters, people[0], 0)  # the same notice: its page is there already
        with pytest.raises(AssentError) as found:
            letters.release()
    path = stage.out / "notices" / f"{NIGHTS[0]}.ndjson"
    assert str(found.value) == f"{path} cannot be written ({os.strerror(errno.EEXIST)}); set ASSENT_OUT"


def test_a_second_process_that_was_killed_is_one_line(night, monkeypatch, nothing_left):
    _, opened, people = night
    monkeypatch.setattr(module, "MANY", 1)
    with Letters(opened) as letters:
        add(letters, people[0], 0)
        letters.rows()
        (process,) = children() - nothing_left
        os.kill(process, 9)
        with pytest.raises(AssentError, match=r"writes the pages ended with status -9"):
            letters.release()


def test_a_second_process_ends_with_the_letters(night, monkeypatch, nothing_left):
    _, opened, people = night
    monkeypatch.setattr(module, "MANY", 1)
    with Letters(opened) as letters:
        add(letters, people[0], 0)
        letters.rows()
        assert len(children() - nothing_left) == 1


def test_a_second_process_writes_nothing_for_a_first_that_is_gone(tmp_path):
    (tmp_path / "letters").write_text("{}\n")
    for first, status in ((str(os.getpid()), 1), ("1", 0)):  # no letter: it fails where it writes
        command = [sys.executable, "-m", "jobs.lake.pages", tmp_path / "letters", tmp_path, first]
        done = subprocess.run(command, input="[1, {}]\n", capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (status, "KeyError\n" * status, "")


def test_a_second_process_ends_when_the_first_was_killed(tmp_path):
    letters, folder, started = tmp_path / "letters", tmp_path / "pages", tmp_path / "started"
    letters.write_text("")
    folder.mkdir()
    code = (
        "import pathlib, sys, time\n"
        "from jobs.lake.pages import PagesAside\n"
        "pages = PagesAside(*map(pathlib.Path, sys.argv[1:3]))\n"
        "pathlib.Path(sys.argv[3]).write_text(str(pages._process.pid))\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, letters, folder, started]) as first:
        while not (started.exists() and started.read_text()):
            time.sleep(0.05)
        second = Path("/proc", started.read_text())
        first.kill()
    for _ in range(600):
        if not second.exists() or "\nState:\tZ" in (second / "status").read_text():
            break
        time.sleep(0.05)
    else:
        pytest.fail("it runs on")


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
