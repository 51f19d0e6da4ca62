"""What left on three nights: one encrypted file a register and night, and nothing plain beside it."""

import datetime as dt
import itertools
import json
import shutil

import pytest

from jobs.lake.config import load_policy
from tests.night.conftest import NIGHTS, assent
from tests.packages.conftest import Place as Packages
from tests.packages.conftest import plain, unpacked


@pytest.fixture(scope="module")
def sent(place):
    return Packages(place.lake.parent)


def names():
    """Recipient and name of each package of a night."""
    policy = load_policy()
    registers = [(r.recipient, r.name) for r in policy.registers.values()]
    return registers + [(r, f"scores-{p.name}") for p in policy.purposes.values() for r in p.recipients]


def test_one_file_a_name_and_night_and_nothing_else(place):
    wanted = {f"{recipient}/{name}-{night}.zip.pgp" for recipient, name in names() for night in NIGHTS}
    exports = place.out / "exports"
    assert {p.relative_to(exports).as_posix() for p in exports.rglob("*") if p.is_file()} == wanted
    for file in exports.rglob("*.pgp"):
        assert b"PK\x03\x04" not in file.read_bytes()[:200]
        assert file.stat().st_mode & 0o077 == 0


def test_each_verifies_against_the_night_before(place, capsys):
    for register in load_policy().registers.values():
        files = [place.out / "exports" / register.recipient / f"{register.name}-{n}.zip.pgp" for n in NIGHTS]
        assert assent("verify", files[0]) == 0
        for before, file in itertools.pairwise(files):
            assert assent("verify", file, "--previous", before) == 0
    assert "previous snapshot + changes = snapshot" in capsys.readouterr().out


def test_a_package_holds_the_columns_of_the_policy_alone(sent):
    for register in load_policy().registers.values():
        files = unpacked(plain(sent, dt.date.fromisoformat(NIGHTS[-1]), register.name, register.recipient))
        descriptor = json.loads(files["datapackage.json"])
        assert descriptor["recipient"] == register.recipient
        for resource in descriptor["resources"]:
            names = [f["name"] for f in resource["schema"]["fields"]]
            more = ["change", "cause", "changed"] if resource["name"].startswith("changes") else []
            assert names == ["record_id", *register.columns, "since", "until", *more]


def test_a_missing_key_stops_its_recipient_and_the_night_says_so(place, capsys, tmp_path):
    """A night after, in a copy: the others have their packages, and with the key back it has its own."""

    lake = tmp_path / "lake"
    for suffix in ("", ".keys", ".out"):
        shutil.copytree(f"{place.lake}{suffix}", f"{lake}{suffix}")
    key = tmp_path / "lake.keys" / "recipients" / "insolvency-service.pub.asc"
    key.rename(tmp_path / "away")
    out = tmp_path / "lake.out" / "exports"
    shutil.rmtree(out)
    for table in ("packages", "receipts", "exported", "disclosures"):
        shutil.rmtree(lake / table, ignore_errors=True)
    # packages of before: nothing was sent, and yet no demo key is made in place of one that is missing
    assert assent("export", "--date", NIGHTS[-1], "--lake", lake, "--approve") == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(
        "assent: export: 1 recipient(s) stopped, the others have theirs: insolvency-service: no key"
    )
    assert not (out / "insolvency-service").exists()
    assert len(list(out.rglob("*.zip.pgp"))) == len(names()) - 1
    (tmp_path / "away").rename(key)
    assert assent("export", "--date", NIGHTS[-1], "--lake", lake, "--approve") == 0
    assert len(list(out.rglob("*.zip.pgp"))) == len(names())
    assert assent("verify", out / "insolvency-service" / f"insolvencies-{NIGHTS[-1]}.zip.pgp") == 0
