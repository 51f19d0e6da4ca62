"""One line on standard error and the exit status of DESIGN 7, without a traceback."""

import datetime as dt
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from ruamel.yaml import YAML

from jobs.cli import main
from jobs.lake.config import REPOSITORY
from jobs.lake.lake import Lake
from jobs.nightly import STEPS
from schemas.tables import PUBLICATIONS


def last_line(capsys):
    err = capsys.readouterr().err
    assert "Traceback" not in err
    return err.strip().splitlines()[-1]


NIGHT = ["night", "--date", "2026-11-18"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["night", "--date", "18.11.2026", "--deliveries", "d", "--lake", "l"], 2, "YYYY-MM-DD"),
        (["night", "--date", "2026-11-18", "--lake", "l"], 2, "--deliveries"),
        (["night", "--date", "2026-11-18", "--deliveries", "d"], 2, "--lake"),
        (["night", "--date", "2026-W47-3", "--deliveries", "d", "--lake", "l"], 2, "YYYY-MM-DD"),
        (["night", "--date", "2026-11-18", "--deliveries", "d", "--lake", "s3://"], 2, "names no place"),
        (["night", "--date", "2026-11-18", "--deliveries", "d", "--lake", "l%20"], 2, "name another folder"),
        (
            ["night", "--date", "2026-11-18", "--deliveries", "d", "--lake", "foo://x"],
            2,
            "no such kind of place",
        ),
        (["query", "select 1", "--lake", ""], 2, "--lake"),
        (["conjure"], 2, "conjure"),
        ([], 2, "name a command"),
        (["query", "select 1", "--lake", "nowhere"], 1, "assent night"),
        (["query", "select 1", "--lake", "nowhere", "--format", "xml"], 2, "xml"),
        (["explain", "1", "--lake", "nowhere", "--purpose", "friendship"], 2, "friendship"),
        (
            [
                "generate",
                "--persons",
                "0",
                "--nights",
                "1",
                "--start",
                "2026-11-18",
                "--seed",
                "1",
                "--out",
                "o",
            ],
            2,
            "0",
        ),
        (["validate", "--date", "2026-11-18", "--lake", "nowhere"], 1, "no lake"),
        (
            ["extract", "--date", "2026-11-18", "--lake", "l", "--deliveries", "d", "--feed", "x"],
            2,
            "x is unknown",
        ),
    ],
)
def test_wrong_use_is_one_line(words, status, said, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("ASSENT_LAKE", "ASSENT_DELIVERIES", "ASSENT_KEYS"):
        monkeypatch.delenv(name, raising=False)
    assert main(words) == status
    assert said in last_line(capsys)


def test_missing_deliveries_and_unwritable_lake(tmp_path, capsys):
    assert main([*NIGHT, "--deliveries", str(tmp_path / "none"), "--lake", str(tmp_path / "lake")]) == 1
    assert "no such folder" in last_line(capsys)
    (tmp_path / "d").mkdir()
    (tmp_path / "file").write_text("")
    assert main([*NIGHT, "--deliveries", str(tmp_path / "d"), "--lake", str(tmp_path / "file" / "lake")]) == 1
    assert "cannot be written" in last_line(capsys)


@pytest.mark.parametrize(("content", "said"), [(b"{", "_lake.json"), (b"[]", "_lake.json"), (None, "key ")])
def test_a_lake_whose_own_files_are_damaged(content, said, tmp_path, capsys):
    words = [*NIGHT, "--deliveries", str(tmp_path / "none"), "--lake", str(tmp_path / "lake")]
    assert main(words) == 1  # makes lake and keys, then finds no deliveries
    if content is None:
        (tmp_path / "lake.keys" / "vault.key").unlink()
    else:
        (tmp_path / "lake" / "_lake.json").write_bytes(content)
    capsys.readouterr()
    assert main(words) == 1
    line = last_line(capsys)
    assert said in line
    assert "backup" in line


def test_a_lake_or_out_folder_that_became_unwritable_is_said_at_the_door(tmp_path, capsys, monkeypatch):
    from jobs.lake.lake import Lake

    (tmp_path / "d").mkdir()
    lake = tmp_path / "lake"
    Lake(str(lake)).open(create=True)
    words = [*NIGHT, "--deliveries", str(tmp_path / "d"), "--lake", str(lake)]
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ASSENT_OUT", str(tmp_path / "file" / "out"))
    assert main(words) == 1
    assert "set ASSENT_OUT" in last_line(capsys)
    monkeypatch.delenv("ASSENT_OUT")
    shutil.rmtree(lake / "_scratch")
    (lake / "_scratch").write_text("")  # as a folder that refuses: a test may run as root
    assert main(words) == 1
    assert f"lake {lake} cannot be written" in last_line(capsys)


def test_keys_are_never_inside_the_lake(tmp_path, capsys, monkeypatch):
    (tmp_path / "d").mkdir()
    monkeypatch.setenv("ASSENT_KEYS", str(tmp_path / "lake" / "keys"))
    assert main([*NIGHT, "--deliveries", str(tmp_path / "d"), "--lake", str(tmp_path / "lake")]) == 1
    assert "inside the lake" in last_line(capsys)
    assert not (tmp_path / "lake").exists()


@pytest.fixture
def deployment(tmp_path, monkeypatch) -> Path:
    """A copy of policy and scorecards to be widened."""
    shutil.copy(REPOSITORY / "policy.yaml", tmp_path)
    shutil.copytree(REPOSITORY / "scorecards", tmp_path / "scorecards")
    monkeypatch.setenv("ASSENT_POLICY", str(tmp_path / "policy.yaml"))
    return tmp_path


def replace(path: Path, old: str, new: str) -> int:
    """Replaces the first occurrence and returns the line it stands in."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


EVERY = ("night", *STEPS)
POLICY = [
    (
        "purposes:\n",
        "purposes:\n  threat_level:\n    since: 2000-01-01\n    sources: [court]\n    recipients: [x]\n",
        "threat_level",
    ),
    ("currency: EUR", "denied_words: [speech]\ncurrency: EUR", "denied_words"),
    ("sources: [traffic]", "sources: [traffic, transactions]", "motor_cover may never read transactions"),
    ("recipient: enforcement-office", "recipient: demo-lender", "never receive a register"),
    ("recipients: [demo-insurer]", "recipients: [health-insurer]", "has the denied word 'health'"),
    ("recipients: [demo-insurer]", "recipients: [demo-insurer, demo-insurer]", "names demo-insurer twice"),
    ("recipient: enforcement-office", "recipient: religion-office", "has the denied word 'religion'"),
    ("landing_days: 90", "landing_days: 91", "landing_days must be"),
    ("statute_years: 6", "statute_years: 60", "statute_years must be"),
    ("adds_share: 0.5", "adds_share: 0.51", "guard adds_share must be a number from 0 on and at most 0.5"),
    ("most: 2000000", "most: 99000000", "guard most must be"),
    ("removes: 100000", "removes: -1", "guard removes must be"),
    ("guards: {most", "guards: {never: 1, most", "guard 'never' is outside the floor"),
    ("guards: {most", "guards: {least: 3000000, most", "guard least is above most"),
    ('    law: "GDPR', '    note: "GDPR', "outside the floor"),
]


@pytest.mark.parametrize(("old", "new", "said"), POLICY)
def test_a_policy_that_widens_the_floor_stops_check_and_every_step(
    deployment, old, new, said, capsys, tmp_path
):
    replace(deployment / "policy.yaml", old, new)
    place = ["--date", "2026-11-18", "--lake", str(tmp_path / "lake")]
    first = ["--deliveries", str(tmp_path)]
    for words in (["check"], *([s, *place, *(first if s in ("night", "extract") else [])] for s in EVERY)):
        assert main(words) == 1
        line = last_line(capsys)
        assert said in line
        assert "policy.yaml:" in line
    assert not (tmp_path / "lake").exists()


def test_a_scorecard_with_a_feature_of_another_purpose_is_refused_with_file_and_line(deployment, capsys):
    path = deployment / "scorecards" / "motor_cover.yaml"
    line = replace(path, "feature: penalty_points_minor", "feature: utilisation")
    assert main(["check"]) == 1
    said = last_line(capsys)
    assert f"motor_cover.yaml:{line}" in said
    assert "utilisation" in said


def test_a_policy_of_ones_own_needs_no_scorecards_beside_it(tmp_path, monkeypatch, capsys):
    """The repository's serve, but for a purpose that the policy leaves out."""
    text = (REPOSITORY / "policy.yaml").read_text(encoding="utf-8")
    start, end = text.index("  motor_cover:"), text.index("  study_finance:")
    (tmp_path / "policy.yaml").write_text(text[:start] + text[end:], encoding="utf-8")
    monkeypatch.setenv("ASSENT_POLICY", str(tmp_path / "policy.yaml"))
    assert main(["check"]) == 0
    assert "2 purposes, 6 registers, 2 scorecards" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new"), [("national_id: hr.oib", "national_id: hr.nobody"), ("language: en", "language: xx")]
)
def test_a_policy_that_names_what_is_not_shipped_is_refused_with_its_line(deployment, old, new, capsys):
    line = replace(deployment / "policy.yaml", old, new)
    assert main(["check"]) == 1
    assert f"policy.yaml:{line}: " in last_line(capsys)


def test_check_passes_on_the_shipped_files(capsys):
    assert main(["check"]) == 0
    assert "7 feeds, 3 purposes, 6 registers, 3 scorecards" in capsys.readouterr().out


def test_a_consent_that_no_text_explains_is_refused_with_file_and_line(deployment, monkeypatch, capsys):
    from jobs.lake import outbox

    shutil.copytree(outbox.TEXTS, deployment / "texts")
    monkeypatch.setattr(outbox, "TEXTS", deployment / "texts")
    english = YAML(typ="safe").load((deployment / "texts" / "en.yaml").read_text(encoding="utf-8"))
    del english["consents"]["consumer_credit"]["tax"]
    with (deployment / "texts" / "en.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(english, file)
    assert main(["check"]) == 1
    said = last_line(capsys)
    text = (deployment / "policy.yaml").read_text(encoding="utf-8")
    line = text[: text.index("sources:", text.index("consumer_credit:"))].count("\n") + 1
    assert f"policy.yaml:{line}: no text says what consenting to tax for consumer_credit means" in said


def test_the_command_ends_with_its_status_whatever_threads_still_hold(tmp_path):
    """In a process of its own: a thread of Arrow that met the interpreter's end ended it with 134, now and then."""
    lake = Lake(str(tmp_path / "lake"))
    lake.open(create=True)
    row = dict.fromkeys(PUBLICATIONS.names) | {"night": dt.date(2026, 11, 18), "tables": "{}"}
    lake.append_arrow("publications", pa.Table.from_pylist([row], PUBLICATIONS.arrow()))
    words = [
        sys.executable,
        "-m",
        "jobs.cli",
        "explain",
        "69435151530",
        "--as-of",
        "2020-12-01",
        "--lake",
        lake.root,
    ]
    env = {k: v for k, v in os.environ.items() if not k.startswith("ASSENT_")}
    for _ in range(6):
        done = subprocess.run(words, cwd=REPOSITORY, env=env, capture_output=True, text=True)
        assert done.returncode == 1, done.stderr
        assert done.stderr.count("\n") == 1
