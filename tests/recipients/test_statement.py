"""A person's own score, signed for one recipient: made, read with GnuPG alone, and refused when altered."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import subprocess

import pysequoia
import pytest

from jobs.errors import AssentError
from jobs.lake.query import run_query
from jobs.lake.statements import check_statement
from jobs.lake.vault import person_ids
from tests.recipients.conftest import FOUR, PEOPLE, assent

FOR = ("--purpose", "motor_cover", "--for", "demo-insurer")
DAY = dt.date.fromisoformat(FOUR)


@pytest.fixture(scope="module")
def made(place, tmp_path_factory):
    path = tmp_path_factory.mktemp("statement") / "mine.asc"
    assert assent("statement", PEOPLE["hana"][0], *FOR, "--lake", place.lake, "--out", path) == 0
    return path


@pytest.fixture(scope="module")
def key(place):
    return pysequoia.Cert.split_file(str(place.keys / "operator.pub.asc"))


def test_it_says_for_whom_for_what_and_until_when_and_that_it_is_for_nothing_else(place, made, key):
    said = "\n".join(check_statement(made, key, DAY))
    who = person_ids(str(place.lake), [PEOPLE["hana"][0]])[0]
    sql = f"select score from scores where purpose = 'motor_cover' and person_id = {who}"
    (score,) = run_query(place.lake, sql).to_pylist()
    for words in (
        "signature good",
        "for demo-insurer",
        "for motor_cover",
        f"score {score['score']} of 350 to 950",
        "holds until 2026-12-21",
        "It is for nothing else",
    ):
        assert words in said
    assert oct(made.stat().st_mode)[-3:] == "600"


def test_gnupg_alone_verifies_it(place, made, tmp_path):
    env = {**os.environ, "GNUPGHOME": str(tmp_path)}
    tmp_path.chmod(0o700)

    def gpg(*words):
        return subprocess.run(["gpg", "--batch", *map(str, words)], env=env, capture_output=True)

    assert gpg("--import", place.keys / "operator.pub.asc").returncode == 0
    shown = gpg("--decrypt", made)
    assert shown.returncode == 0
    content = json.loads(shown.stdout)
    assert (content["for"], content["purpose"], content["valid_until"]) == (
        "demo-insurer",
        "motor_cover",
        "2026-12-21",
    )
    assert not {"points", "features", "sources_used", "inputs"} & set(content)


def test_any_change_is_one_line(made, key, tmp_path):
    whole, rng = made.read_bytes(), random.Random(7)
    path = tmp_path / "shown.asc"
    for _ in range(1000):
        changed = bytearray(whole)
        changed[rng.randrange(len(whole) - 1)] ^= 1 << rng.randrange(8)  # but for the newline at the end
        path.write_bytes(changed)
        with pytest.raises(AssentError) as caught:
            check_statement(path, key, DAY)
        assert "\n" not in str(caught.value)
    for other in (b"score 950\n" + whole, whole + b"score 950\n", whole[: len(whole) // 2], b"", whole * 2):
        path.write_bytes(other)
        with pytest.raises(AssentError):
            check_statement(path, key, DAY)
    path.write_bytes(whole.replace(b"\n", b"\r\n") + b"\r\n")  # as a mail program leaves it
    assert check_statement(path, key, DAY)


def test_another_key_an_old_one_and_a_copy_prove_nothing(place, made, key, tmp_path):
    other = pysequoia.Tsk.generate("Somebody", profile=pysequoia.Profile.RFC4880).extract_certificate()
    with pytest.raises(AssentError, match="another key signed it"):
        check_statement(made, [other], DAY)
    assert check_statement(made, key, dt.date(2026, 12, 21))
    with pytest.raises(AssentError, match="held until 2026-12-21 only"):
        check_statement(made, key, dt.date(2026, 12, 22))
    copy = tmp_path / "copy.json"
    assert (
        assent(
            "statement", PEOPLE["hana"][0], "--purpose", "motor_cover", "--lake", place.lake, "--out", copy
        )
        == 0
    )
    content = json.loads(copy.read_text(encoding="utf-8"))
    assert "It proves nothing" in content["note"]
    assert [s["recipient"] for s in content["scores"]] == ["demo-insurer"]
    with pytest.raises(AssentError, match="proves nothing"):
        check_statement(copy, key, DAY)


@pytest.mark.parametrize(
    ("who", "words", "status", "said"),
    [
        ("gita", FOR, 1, "1 of 1 consents to motor_cover for demo-insurer are attested by no issuer"),
        ("jana", ("--purpose", "consumer_credit", "--for", "demo-lender"), 1, "1 of 2 consents"),
        ("bo", FOR, 1, "no live consent to motor_cover for demo-insurer"),
        ("hana", ("--purpose", "consumer_credit", "--for", "demo-lender"), 1, "no live consent"),
        ("ema", ("--purpose", "motor_cover"), 1, "no live consent to motor_cover"),
        ("hana", ("--purpose", "motor_cover", "--for", "demo-lender"), 2, "receives no score of motor_cover"),
        ("hana", ("--purpose", "motor_cover", "--for", "enforcement-office"), 2, "receives no score"),
        ("hana", ("--purpose", "friendship", "--for", "demo-lender"), 2, "purpose friendship"),
        ("hana", (*FOR, "--because", f"asked by {PEOPLE['ana'][0]}"), 2, "national id"),
    ],
)
def test_what_may_not_leave_is_refused_in_one_line(place, tmp_path, capsys, who, words, status, said):
    out = tmp_path / "x.asc"
    before = run_query(place.lake, "select count(*) as n from disclosures")["n"][0].as_py()
    assert assent("statement", PEOPLE[who][0], *words, "--lake", place.lake, "--out", out) == status
    err = capsys.readouterr().err.strip().splitlines()
    assert said in err[-1]
    assert len(err) == 1
    assert PEOPLE[who][0] not in err[-1]
    assert not out.exists()
    assert run_query(place.lake, "select count(*) as n from disclosures")["n"][0].as_py() == before


def test_an_id_that_is_none_is_refused(place, tmp_path, capsys):
    for unknown in ("123", "69435151530"):
        assert assent("statement", unknown, *FOR, "--lake", place.lake, "--out", tmp_path / "x") == 1
        assert "statement: the" in capsys.readouterr().err


def test_it_is_in_the_ledgers(place, made):
    sent = run_query(
        place.lake, "select recipient, subject, package from disclosures where change = 'STATEMENT'"
    ).to_pylist()
    assert sent == [
        {"recipient": "demo-insurer", "subject": "motor_cover/demo-insurer", "package": "statement"}
    ]
    looks = run_query(
        place.lake, "select distinct because from accesses where command = 'statement'"
    ).to_pylist()
    assert {"because": "asked for by the person"} in looks
