"""The README's two files add a feed: done here to the letter in a copy, and a night is run with it."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from jobs.lake.config import REPOSITORY

BLOCK = re.compile(r"<!-- file: (\S+) -->\n```python\n(.*?)```", re.DOTALL)
ROWS = [
    # licence_id, issued_on, valid_until; then what must become of it
    ("L1", "2026-01-01", "2027-01-01", "accepted"),
    ("L2", "2026-01-02", "2026-01-01", "date_order"),
    ("L3", "", "", "missing_required"),
]


@pytest.fixture
def copy(tmp_path):
    target = tmp_path / "assent"
    ignored = shutil.ignore_patterns(".git", ".venv", ".demo", "*cache*", "tests")
    shutil.copytree(REPOSITORY, target, ignore=ignored)
    for path, text in BLOCK.findall((REPOSITORY / "README.md").read_text(encoding="utf-8")):
        assert not (target / path).exists()
        (target / path).write_text(text, encoding="utf-8")
    return target


def test_two_files_are_a_feed(copy, tmp_path):
    blocks = BLOCK.findall((REPOSITORY / "README.md").read_text(encoding="utf-8"))
    assert [p for p, _ in blocks] == ["schemas/licences.py", "jobs/feeds/licences.py"]
    assert sum(len(t.strip().splitlines()) for _, t in blocks) <= 12
    folder = tmp_path / "deliveries" / "2026-11-18"
    folder.mkdir(parents=True)
    head = "national_id,family_name,given_name,birth_date,licence_id,issued_on,valid_until,revised_at".split(
        ","
    )
    with (folder / "licences.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for key, issued, until, _ in ROWS:
            writer.writerow(
                ["69435151530", "Horvat", "Ana", "1980-01-01", key, issued, until, "2026-11-17T00:00:00Z"]
            )
    env = {k: v for k, v in os.environ.items() if not k.startswith("ASSENT_")} | {"PYTHONPATH": str(copy)}
    env["ASSENT_DRIVER_MEMORY"] = "1g"

    def assent(*words):
        return subprocess.run(
            [sys.executable, "-m", "jobs.cli", *map(str, words)],
            cwd=copy,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )

    lake = tmp_path / "lake"
    # a first night with nothing delivered at all is a night of nothing, here and not only after others
    (tmp_path / "nothing").mkdir()
    none = assent("night", "--date", "2026-11-17", "--deliveries", tmp_path / "nothing", "--lake", lake)
    assert none.returncode == 0, none.stderr
    assert "nobody is scored" in none.stderr
    done = assent("night", "--date", "2026-11-18", "--deliveries", tmp_path / "deliveries", "--lake", lake)
    assert done.returncode == 0, done.stderr
    asked = assent(
        "query",
        "select feed, rows, accepted, quarantined from deliveries",
        "--lake",
        lake,
        "--format",
        "json",
    )
    assert json.loads(asked.stdout) == [{"feed": "licences", "rows": 3, "accepted": 1, "quarantined": 2}]
    refused = assent(
        "query", "select row_number, reasons from quarantine order by 1", "--lake", lake, "--format", "json"
    )
    assert json.loads(refused.stdout) == [
        {"row_number": n, "reasons": [code]}
        for n, (_, _, _, code) in enumerate(ROWS, 1)
        if code != "accepted"
    ]
