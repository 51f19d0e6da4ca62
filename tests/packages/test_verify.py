"""`verify_package.py` finds what is not as it was sent, with nothing but pysequoia and pyarrow."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs.lake import verify_package
from jobs.lake.packages import prepare, send_package
from jobs.lake.verify_package import Fault, check

from .conftest import NIGHTS, Place, entry, plain

ONE_FILE = Path(verify_package.__file__)


@pytest.fixture(scope="module")
def sent(demo_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Three nights, the second one changing, adding and removing."""
    root = tmp_path_factory.mktemp("sent")
    shutil.copytree(demo_keys, root / "lake.keys")
    place = Place(root)
    place.send(NIGHTS[0], [entry("=R1", "ana"), entry("R2", "bo", authority="'x"), entry("R4", "bo")])
    place.send(NIGHTS[1], [entry("R2", "bo", 5, None), entry("R3", "cvita", authority=""), entry("R4", "bo")])
    place.send(NIGHTS[2], [entry("R3", "cvita")])
    for n in range(3):
        (root / f"{place.file(NIGHTS[n]).name.removesuffix('.pgp')}").write_bytes(plain(place, NIGHTS[n]))
        with zipfile.ZipFile(root / place.file(NIGHTS[n]).name.removesuffix(".pgp")) as archive:
            archive.extractall(root / f"folder-{n}")
    return place


def of(place: Place, night: int, kind: str) -> Path:
    """A package as its encrypted file, its zip or its folder."""
    file = place.file(NIGHTS[night])
    return {
        "pgp": file,
        "zip": place.root / file.name.removesuffix(".pgp"),
        "folder": place.root / f"folder-{night}",
    }[kind]


def fault(
    place: Place, package: Path, previous: Path | None = None, secret: Path | None = None
) -> str | None:
    """What a check finds; None when all holds."""
    try:
        check(package, place.keys / "operator.pub.asc", secret or place.secret(), previous, lambda text: None)
    except Fault as e:
        return str(e)
    return None


@pytest.mark.parametrize("kind", ["pgp", "zip", "folder"])
def test_what_was_sent_is_verified_line_by_line(sent: Place, kind: str, tmp_path: Path):
    """As an agency runs it: the one file, elsewhere, in a process that could import nothing of ours."""
    shutil.copy(ONE_FILE, tmp_path)
    words = [of(sent, 1, kind), "--previous", of(sent, 0, "zip"), "--key", sent.keys / "operator.pub.asc"]
    if kind == "pgp":
        words += ["--secret", sent.secret()]
    code = (
        "import sys; sys.path = [p for p in sys.path if 'site-packages' in p or 'lib/python' in p]\n"
        "import runpy; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "finally: print(sorted({m.split('.')[0] for m in sys.modules} & {'jobs', 'schemas', 'pyspark', 'deltalake'}))"
    )
    command = [sys.executable, "-I", "-c", code, tmp_path / ONE_FILE.name, *words]
    done = subprocess.run(
        [str(w) for w in command], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "[]"
    assert all(line.startswith("ok    ") for line in lines[:-1])
    said = "\n".join(lines)
    for words_said in (
        "SHA256SUMS: signed by",
        "checksums: 5 files",
        "previous: checksums",
        "previous snapshot + changes",
    ):
        assert words_said in said
    assert ("decrypted, whole, signed by" in said) == (kind == "pgp")


@pytest.mark.parametrize("kind", ["pgp", "zip", "folder"])
def test_each_of_a_thousand_random_one_byte_changes_is_found(sent: Place, kind: str, tmp_path: Path):
    dice = random.Random(20261118)
    source = of(sent, 1, kind)
    files = sorted(source.iterdir()) if source.is_dir() else [source]
    sizes = [f.stat().st_size for f in files]
    package = tmp_path / source.name
    shutil.copytree(source, package) if source.is_dir() else shutil.copy(source, package)
    for _ in range(1000 // 3 + 1):
        file = dice.choices(files, sizes)[0]
        content = bytearray(file.read_bytes())
        at = dice.randrange(len(content))
        content[at] ^= dice.randrange(1, 256)
        changed = package / file.name if source.is_dir() else package
        changed.write_bytes(content)
        assert fault(sent, package) is not None, (file.name, at)
        changed.write_bytes(file.read_bytes())
    assert fault(sent, package) is None


def test_each_byte_of_the_head_of_a_message_and_of_a_signature_counts(sent: Place, tmp_path: Path):
    """Where a change would decrypt, or verify, all the same: key ids, the curve point's spare bit, the armor."""
    source = of(sent, 1, "pgp")
    package = tmp_path / source.name
    for at in range(120):
        for bit in (1, 128):
            content = bytearray(source.read_bytes())
            content[at] ^= bit
            package.write_bytes(content)
            assert fault(sent, package) is not None, (at, bit)
    folder = tmp_path / "folder"
    shutil.copytree(of(sent, 1, "folder"), folder)
    signature = (folder / "SHA256SUMS.asc").read_bytes()
    for at in range(len(signature)):
        (folder / "SHA256SUMS.asc").write_bytes(
            signature[:at] + bytes([signature[at] ^ 2]) + signature[at + 1 :]
        )
        assert fault(sent, folder) is not None, at


def test_a_swapped_file_and_one_too_many_are_found(sent: Place, tmp_path: Path):
    folder = tmp_path / "folder"
    shutil.copytree(of(sent, 1, "folder"), folder)
    shutil.copy(of(sent, 0, "folder") / "snapshot.csv", folder)
    assert fault(sent, folder) == "snapshot.csv is not as SHA256SUMS says"
    shutil.copy(of(sent, 1, "folder") / "snapshot.csv", folder)
    (folder / "more.csv").write_text("x")
    assert "more.csv" in str(fault(sent, folder))
    (folder / "more.csv").unlink()
    (folder / "changes.csv").unlink()
    assert "changes.csv" in str(fault(sent, folder))
    shutil.copy(of(sent, 0, "folder") / "SHA256SUMS.asc", folder)
    assert "SHA256SUMS.asc" in str(fault(sent, folder))


def test_a_replayed_older_package_is_found(sent: Place, tmp_path: Path):
    assert fault(sent, of(sent, 1, "pgp"), of(sent, 0, "pgp")) is None
    again = tmp_path / of(sent, 2, "pgp").name
    shutil.copy(of(sent, 1, "pgp"), again)
    assert "an older or another package" in str(fault(sent, again))
    assert "an older package was delivered again" in str(fault(sent, of(sent, 0, "pgp"), of(sent, 1, "pgp")))
    assert "an older package was delivered again" in str(fault(sent, of(sent, 1, "pgp"), of(sent, 1, "pgp")))
    assert "a package is missing or was replaced" in str(fault(sent, of(sent, 2, "pgp"), of(sent, 0, "pgp")))


def test_a_package_of_another_operator_or_recipient_is_found(sent: Place, demo_keys: Path, tmp_path: Path):
    shutil.copytree(demo_keys, tmp_path / "lake.keys")
    for half in ("pub", "sec"):
        (tmp_path / "lake.keys" / f"operator.{half}.asc").unlink()
    stranger = Place(tmp_path)
    stranger.send(NIGHTS[0], [entry("R1", "ana")])
    assert "no valid signatures found" in str(fault(sent, stranger.file(NIGHTS[0])))
    (tmp_path / "x.zip").write_bytes(plain(stranger, NIGHTS[0]))
    assert "SHA256SUMS.asc do not verify" in str(fault(sent, tmp_path / "x.zip"))
    other = sent.secret("insolvency-service")
    assert fault(sent, of(sent, 0, "pgp"), secret=other) == "is not encrypted to this key"


# what the operator itself would have packed wrongly, signed all the same
def drop_a_change(package: Any) -> Any:
    return replace(package, changes=package.changes.slice(1))


def another_old_row(package: Any) -> Any:
    rows = package.changes.to_pylist()
    gone = next(r for r in rows if r["change"] == "REMOVE")
    gone["debt_minor"] += 1
    return replace(package, changes=type(package.changes).from_pylist(rows, schema=package.changes.schema))


def add_what_was_there(package: Any) -> Any:
    rows = package.changes.to_pylist()
    for r in rows:
        r["change"] = {"CHANGE": "ADD"}.get(r["change"], r["change"])
    return replace(package, changes=type(package.changes).from_pylist(rows, schema=package.changes.schema))


def unknown_cause(package: Any) -> Any:
    rows = package.changes.to_pylist()
    for r in rows:
        r["cause"] = r["cause"] and "whim"
    return replace(package, changes=type(package.changes).from_pylist(rows, schema=package.changes.schema))


def unsorted(package: Any) -> Any:
    order = list(range(package.snapshot.num_rows))[::-1]
    return replace(package, snapshot=package.snapshot.take(order))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (drop_a_change, "previous snapshot + changes is not this snapshot"),
        (another_old_row, "a removed row is not the one that was held"),
        (add_what_was_there, "changes do not fit the previous snapshot"),
        (unknown_cause, "changes: column cause breaks its constraint `enum`"),
        (unsorted, "snapshot: record_id is not unique and sorted"),
    ],
)
def test_what_was_signed_and_does_not_add_up_is_found(place: Place, spoil: Callable[[Any], Any], words: str):
    place.send(NIGHTS[0], [entry("R1", "ana"), entry("R2", "bo")])
    night = place.night(NIGHTS[1])
    prepare(night)
    package = place.package(night, [entry("R2", "bo", 5), entry("R3", "cvita")])
    send_package(night, spoil(package), place.recorded.append)
    assert fault(place, place.file(NIGHTS[1]), place.file(NIGHTS[0])) == words


def test_the_file_names_what_it_wants(sent: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    key = str(sent.keys / "operator.pub.asc")
    assert verify_package.main([str(of(sent, 0, "pgp")), "--key", key]) == 2
    assert "name your private key with --secret" in capsys.readouterr().err
    assert verify_package.main([str(tmp_path / "nothing"), "--key", key]) == 2
    assert verify_package.main([str(of(sent, 0, "zip")), "--key", str(tmp_path / "no.asc")]) == 2
    damaged = tmp_path / of(sent, 0, "zip").name
    damaged.write_bytes(of(sent, 0, "zip").read_bytes()[:-5])
    assert verify_package.main([str(damaged), "--key", key]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"FAULT {damaged.name} ")
