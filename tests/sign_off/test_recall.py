"""An entry that turned out wrong: a signed notice at once, the removal with the next package, and no way back by itself."""

import json

import pytest

from jobs.lake.explain import explain
from jobs.lake.query import run_query
from tests.explain.conftest import FIRST, PEOPLE, SECOND
from tests.opened import opened
from tests.sign_off.conftest import OFFICE, assent
from tests.sign_off.test_airflow import changes, package

WHY = ("--because", "the court told us by telephone")


def recall(place, record, *words):
    return assent("recall", "judgment_debts", record, "--lake", place.lake, *(words or WHY))


def notices(place):
    return sorted((place.out / "exports" / OFFICE).glob("recall-*.zip.pgp"))


def recalls(place):
    sql = "select night, recipient, subject, package from disclosures where change = 'RECALL'"
    return run_query(place.lake, sql).to_pylist()


def test_a_notice_is_signed_at_once_and_the_next_package_removes_the_entry(place, capsys):
    assert recall(place, "stays") == 0
    (path,) = notices(place)
    files = opened(place.lake, OFFICE, path.name.removesuffix(".zip.pgp"))  # for this recipient, signed
    assert set(files) == {"recall.json", "SHA256SUMS", "SHA256SUMS.asc"}
    text = files["recall.json"].decode()
    told = json.loads(text)
    assert f"notice {OFFICE}/{path.name}" in capsys.readouterr().out
    facts = ("kind", "register", "record_id", "recipient", "last_sent_on")
    assert [told[k] for k in facts] == ["recall", "judgment_debts", "stays", OFFICE, FIRST]
    for identity in PEOPLE.values():  # neither who it is, nor why in words
        assert not [v for v in (*identity[:2], "telephone") if v in text]
    assert assent("verify", path) == 0
    assert "a notice, no data package" in capsys.readouterr().out
    (sent,) = [p for p in path.parent.glob(f"judgment_debts-{FIRST}.zip.pgp")]
    assert assent("verify", sent, "--previous", path) == 2
    assert "is a notice, no package" in capsys.readouterr().err
    assert [(r["recipient"], r["subject"]) for r in recalls(place)] == [(OFFICE, "judgment_debts/stays")]
    # removed whether anybody approves or not, and nothing else of it is sent
    assert assent("export", "--date", SECOND, "--lake", place.lake, "--approve") == 0
    assert ("stays", "REMOVE", "correction") in changes(place)
    assert "stays" not in {r["record_id"] for r in package(place, "snapshot")}
    # the register says what the law says, and explain why the entry is out
    (person,) = explain(place.lake, [PEOPLE["ana"][0]])
    entry = next(r for r in person["registers"] if r["record_id"] == "stays")
    assert (entry["state"], entry["listed"], entry["held"]["reason"]) == ("in_force", True, "recall")
    assert "RECALL" in {d["change"] for d in person["disclosures"]}


def test_a_recall_run_again_says_it_once(place):
    for _ in range(2):
        assert recall(place, "stays") == 0
    assert len(notices(place)) == len(recalls(place)) == 1
    assert run_query(place.lake, "from holds").num_rows == 1
    path = notices(place)[0]
    before = path.read_bytes()
    path.rename(path.with_name(f".{path.name}.part"))  # as if it had been cut off
    assert recall(place, "stays") == 0
    assert notices(place)[0].read_bytes() == before


def test_a_recalled_entry_comes_back_by_a_decision(place):
    assert recall(place, "stays") == 0
    words = ("returns", "decide", "judgment_debts", "stays")
    because = ("--because", "it was right after all", "--lake", place.lake)
    assert assent(*words, "keep", *because) == 0
    assert assent(*words, "release", *because) == 0
    assert assent(*words, "release", *because) == 1  # nothing to decide any more
    assert assent("export", "--date", SECOND, "--lake", place.lake) == 0
    assert {r for r, _, _ in changes(place)} == {"paid"}
    assert [r["event"] for r in run_query(place.lake, "from holds order by decided_at").to_pylist()] == [
        "recall", "keep", "release",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("register", "record", "because", "status", "said"),
    [
        ("judgment_debts", "new", "why", 1, "never sent"),
        ("judgment_debts", "nobody", "why", 1, "never sent"),
        ("friendships", "stays", "why", 2, "unknown"),
        ("judgment_debts", "stays", "  ", 2, "--because"),
        ("judgment_debts", "stays", f"asked by {PEOPLE['ana'][0]}.", 2, "national id"),
    ],
)
def test_wrong_use(place, register, record, because, status, said, capsys):
    assert assent("recall", register, record, "--because", because, "--lake", place.lake) == status
    line = capsys.readouterr().err.splitlines()[-1]
    assert said in line
    assert PEOPLE["ana"][0] not in line
    assert notices(place) == []
