"""Generated deliveries: the same bytes for the same seed, every code of FEEDS.md, and one line for a wrong folder."""

import csv
import hashlib

import pytest

from jobs.cli import main
from schemas.reasons import ROW_REASONS

WORDS = ["generate", "--persons", "300", "--seed", "7"]


def made(folder, nights=3, start="2026-11-18"):
    assert main([*WORDS, "--nights", str(nights), "--start", start, "--out", str(folder)]) == 0
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def faults(folder):
    with (folder / "truth" / "faults.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_gives_the_same_bytes_and_every_reason_code(tmp_path):
    first, second = made(tmp_path / "a"), made(tmp_path / "b")
    assert first == second
    planted = {code for r in faults(tmp_path / "a") for code in r["reasons"].split("|") if code}
    assert planted == set(ROW_REASONS)
    assert {r["file"] for r in faults(tmp_path / "a")} <= set(first)


@pytest.mark.parametrize(("nights", "start"), [(1, "2024-02-29"), (5, "2027-12-30")])
def test_any_number_of_nights_from_any_day(nights, start, tmp_path):
    found = made(tmp_path / "d", nights, start)
    days = {f.split("/")[0] for f in found} - {"truth", "keys"}
    assert len(days) == nights
    assert {r["night"] for r in faults(tmp_path / "d")} <= days


@pytest.mark.parametrize("place", ["a file", "under a file", "not empty"])
def test_a_folder_that_cannot_be_used_is_one_line(place, tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    out = {"a file": tmp_path / "file", "under a file": tmp_path / "file" / "d", "not empty": tmp_path}[place]
    assert main([*WORDS, "--nights", "1", "--start", "2026-11-18", "--out", str(out)]) == 1
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert "internal fault" not in line
    assert str(out) in line


@pytest.mark.parametrize("start", ["0001-01-01", "9999-12-31", "2026-W47-3", "20261118"])
def test_a_first_night_that_is_none_is_wrong_use(start, tmp_path, capsys):
    assert main([*WORDS, "--nights", "1", "--start", start, "--out", str(tmp_path / "d")]) == 2
    assert "internal fault" not in capsys.readouterr().err
    assert not (tmp_path / "d").exists()
