"""Whose keys can be written to, and what happens where one cannot."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pysequoia import Profile, Tsk

from jobs.cli import main
from jobs.errors import AssentError
from jobs.lake.config import load_policy
from jobs.lake.openpgp import certificates
from jobs.lake.packages import RecipientStopped, prepare
from jobs.lake.recipients import make_demo_recipients, recipients_of

from .conftest import NIGHTS, RECIPIENT, Gpg, Place, entry, left_behind, unpacked, without_environment


@pytest.fixture(scope="module")
def agency() -> Iterator[Gpg]:
    """An agency that makes keys of every kind with gpg."""
    import tempfile

    if shutil.which("gpg") is None:
        pytest.skip("no gpg on this machine (Debian: gnupg)")
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        made = Gpg(Path(home))
        yield made
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True, check=False)


def quiet(gpg: Gpg, *words: str) -> str:
    return gpg.run("--pinentry-mode", "loopback", "--passphrase", "", *words).stdout.decode()


def key(
    gpg: Gpg, name: str, algorithm: str = "future-default", usage: str = "default", expires: str = "never"
) -> str:
    """A new key's fingerprint."""
    said = quiet(gpg, "--status-fd", "1", "--quick-generate-key", name, algorithm, usage, expires)
    return next(line.split()[-1] for line in said.splitlines() if " KEY_CREATED " in line)


def public(gpg: Gpg, *fingerprints: str) -> bytes:
    return gpg.run("--armor", "--export", *fingerprints).stdout


def give(place: Place, data: bytes, recipient: str = RECIPIENT) -> None:
    (place.keys / "recipients" / f"{recipient}.pub.asc").write_bytes(data)


def fault(place: Place) -> str:
    with pytest.raises(RecipientStopped) as stopped:
        place.send(NIGHTS[0], [entry("R1", "ana")])
    assert "\n" not in str(stopped.value)
    assert left_behind(place.out) == []
    assert place.recorded == []
    return str(stopped.value)


def test_the_first_night_makes_the_operator_and_demo_recipients_and_says_so(demo_keys: Path):
    names = [*recipients_of(load_policy())]
    assert names == [
        "enforcement-office", "insolvency-service", "company-registry", "procurement-agency", "licensing-authority",
        "demo-lender", "other-lender", "demo-insurer", "demo-student-finance",
    ]  # fmt: skip
    assert {p.name for p in (demo_keys / "recipients").iterdir()} == {f"{n}.pub.asc" for n in names}
    assert {p.name for p in (demo_keys / "demo-recipients").iterdir()} == {f"{n}.sec.asc" for n in names}
    for path in demo_keys.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert {p.name for p in demo_keys.iterdir()} >= {"operator.pub.asc", "operator.sec.asc"}


def test_they_are_made_once_and_for_the_shipped_policy_alone(place: Place):
    shutil.rmtree(place.keys / "recipients")
    own = dataclasses.replace(load_policy(), sha256="0" * 64)
    make_demo_recipients(place.keys, own, place.said.append)
    assert not (place.keys / "recipients").exists()
    place.send(NIGHTS[0], [entry("R1", "ana")])
    assert any("made 9 demo recipients" in s and "never use them for real data" in s for s in place.said)
    # once something was sent, a key that is missing is missing
    shutil.rmtree(place.keys / "recipients")
    with pytest.raises(RecipientStopped, match=r"enforcement-office: no key .*enforcement-office\.pub\.asc"):
        place.send(NIGHTS[1], [entry("R1", "ana")])


def test_certificates_given_before_the_first_night_are_used_and_nothing_is_made(
    tmp_path: Path, demo_keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    without_environment(monkeypatch)
    place = Place(tmp_path)
    given = demo_keys / "recipients" / f"{RECIPIENT}.pub.asc"
    assert assent(capsys, "keys", "import", RECIPIENT, given, "--lake", tmp_path / "lake")[0] == 0
    assert place.send(NIGHTS[0], [entry("R1", "ana")]) is not None
    with pytest.raises(RecipientStopped, match="insolvency-service: no key"):
        place.send(NIGHTS[0], [], name="insolvencies", recipient="insolvency-service")
    # put there by hand, without any other key
    other = Place(tmp_path / "other")
    (other.keys / "recipients").mkdir(parents=True)
    shutil.copy(given, other.keys / "recipients")
    assert other.send(NIGHTS[0], [entry("R1", "ana")]) is not None
    assert stat.S_IMODE(other.keys.stat().st_mode) == 0o700
    assert not (other.keys / "demo-recipients").exists()


def test_a_keys_folder_of_before_gets_an_operator(place: Place):
    for half in ("pub", "sec"):
        (place.keys / f"operator.{half}.asc").unlink()
    place.send(NIGHTS[0], [entry("R1", "ana")])
    assert any("made the operator's OpenPGP key" in s for s in place.said)
    (place.keys / "operator.sec.asc").unlink()
    with pytest.raises(AssentError, match="restore it from your backup"):
        place.send(NIGHTS[1], [entry("R1", "ana")])


def test_without_gpg_one_line_says_what_to_do(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    shutil.rmtree(place.keys / "recipients")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssentError, match="install GnuPG, or put each recipient's certificate in"):
        prepare(place.night(NIGHTS[0]))


def test_a_key_that_cannot_be_used_stops_its_recipient_with_the_reason(place: Place, agency: Gpg):
    given = place.keys / "recipients" / f"{RECIPIENT}.pub.asc"
    given.unlink()
    assert "no key" in fault(place)
    give(place, public(agency, key(agency, "sign only", "ed25519", "sign")))
    assert "can only sign, it has no encryption key" in fault(place)
    short = key(agency, "short", expires="seconds=1")
    subkey = key(agency, "short subkey", "ed25519", "default")
    quiet(agency, "--quick-add-key", subkey, "cv25519", "encr", "seconds=1")
    time.sleep(2)
    give(place, public(agency, short))
    assert re.search(r"no usable key \(\w{16} expired on 20\d\d-\d\d-\d\d\)", fault(place))
    give(place, public(agency, subkey))
    assert "has an encryption key that expired on" in fault(place)
    revoked = key(agency, "revoked")
    revocation = (agency.home / "openpgp-revocs.d" / f"{revoked}.rev").read_text().replace(":-----", "-----")
    (agency.home / "r.asc").write_text(revocation)
    agency.run("--import", agency.home / "r.asc")
    give(place, public(agency, revoked))
    assert "is revoked" in fault(place)
    give(place, str(Tsk.generate("an agency").extract_certificate()).encode())
    assert "GnuPG 2.2 cannot read" in fault(place)
    give(place, str(Tsk.generate("an agency", profile=Profile.RFC9580).extract_certificate()).encode())
    assert "GnuPG 2.2 cannot read" in fault(place)
    give(place, place.secret().read_bytes())
    assert "holds a private key" in fault(place)
    give(place, bytes(Tsk.generate("an agency")))
    assert "holds a private key" in fault(place)
    give(place, b"nonsense")
    assert "is no OpenPGP certificate" in fault(place)
    give(place, b"")
    assert "holds no OpenPGP certificate" in fault(place)


def test_the_recipients_of_a_night_are_stopped_one_by_one(place: Place):
    (place.keys / "recipients" / f"{RECIPIENT}.pub.asc").unlink()
    fault(place)
    assert (
        place.send(NIGHTS[0], [entry("R1", "ana")], name="insolvencies", recipient="insolvency-service")
        is not None
    )


def test_the_state_waits_for_a_recipient_that_was_stopped(place: Place):
    """A night that could not be sent leaves the state before: the next package holds its changes too."""
    place.send(NIGHTS[0], [entry("R1", "ana")])
    held = place.keys / "recipients" / f"{RECIPIENT}.pub.asc"
    held.rename(held.with_suffix(".away"))
    with pytest.raises(RecipientStopped):
        place.send(NIGHTS[1], [entry("R2", "bo")])
    held.with_suffix(".away").rename(held)
    night = place.night(NIGHTS[2])
    made = place.package(night, [entry("R2", "bo"), entry("R3", "bo")]).changes.to_pylist()
    assert [(r["record_id"], r["change"]) for r in made] == [("R1", "REMOVE"), ("R2", "ADD"), ("R3", "ADD")]


def test_rotation_with_overlap_encrypts_to_each_usable_key(place: Place, agency: Gpg):
    """Two certificates in one file, two subkeys in one certificate; a third that has expired is left out."""
    old, new, gone = key(agency, "old"), key(agency, "new"), key(agency, "gone", expires="seconds=1")
    quiet(agency, "--quick-add-key", new, "cv25519", "encr", "never")
    time.sleep(2)
    give(place, public(agency, old) + public(agency, new) + public(agency, gone))
    place.send(NIGHTS[0], [entry("R1", "ana")])
    agency.run("--import", place.keys / "operator.pub.asc")
    assert b"R1" in unpacked(agency.decrypt(place.file(NIGHTS[0])))["snapshot.csv"]
    packets = agency.run("--list-packets", place.file(NIGHTS[0])).stdout.decode()
    assert packets.count(":pubkey enc packet: version 3") == 3
    # the old key alone still opens it, and the one-file verifier with the new one's second subkey
    for fingerprint in (old, new):
        secret = quiet(agency, "--armor", "--export-secret-keys", fingerprint)
        (place.root / "own.sec.asc").write_text(secret)
        words = ["verify", place.file(NIGHTS[0]), "--secret", place.root / "own.sec.asc"]
        assert main([str(w) for w in words]) == 0


def assent(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    status = main([str(w) for w in words])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return status, said.out + said.err


def test_keys_are_listed_imported_and_rotated(
    place: Place, agency: Gpg, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    place.send(NIGHTS[0], [entry("R1", "ana")])
    lake = ["--lake", place.root / "lake"]
    status, said = assent(capsys, "keys", "list", *lake)
    assert status == 0
    assert said.count("usable") == 9
    (place.keys / "recipients" / f"{RECIPIENT}.pub.asc").unlink()
    status, said = assent(capsys, "keys", "list", *lake)
    assert status == 1
    assert (
        said.splitlines()[-1] == f"assent: keys: 1 recipient(s) have no usable key: {RECIPIENT}; import one"
    )
    first, second = key(agency, "first"), key(agency, "second")
    file = tmp_path / "given.asc"
    for fingerprint, held in ((first, [first]), (second, [second, first]), (second, [second, first])):
        file.write_bytes(public(agency, fingerprint))
        status, said = assent(capsys, "keys", "import", RECIPIENT, file, *lake)
        assert (status, re.findall(r"[0-9A-F]{40}", said)) == (0, held)
    assert [
        c.problem for c in certificates((place.keys / "recipients" / f"{RECIPIENT}.pub.asc").read_bytes())
    ] == [None, None]
    status, said = assent(capsys, "keys", "import", RECIPIENT, file, "--replace", *lake)
    assert re.findall(r"[0-9A-F]{40}", said) == [second]
    file.write_text(str(Tsk.generate("an agency").extract_certificate()))
    status, said = assent(capsys, "keys", "import", RECIPIENT, file, *lake)
    assert (status, "not imported" in said, "GnuPG 2.2 cannot read" in said) == (1, True, True)
    assert assent(capsys, "keys", "import", "nobody", file, *lake)[0] == 1
    assert assent(capsys, "keys", "import", RECIPIENT, tmp_path / "none", *lake)[0] == 1
    assert assent(capsys, "keys", "list")[0] == 2


def test_the_operators_key_rotated_is_vouched_for_and_old_packages_verify(
    place: Place, gpg: Gpg, capsys: pytest.CaptureFixture[str]
):
    place.send(NIGHTS[0], [entry("R1", "ana")])
    gpg.run("--import", place.keys / "operator.pub.asc")
    before = (place.keys / "operator.sec.asc").read_bytes()
    assert assent(capsys, "keys", "rotate", "--lake", place.root / "lake")[0] == 0
    assert (place.keys / "operator.sec.asc").read_bytes() != before
    gpg.run("--verify", place.keys / "operator.pub.asc.sig", place.keys / "operator.pub.asc")
    place.send(NIGHTS[1], [entry("R1", "ana")])
    gpg.run("--import", place.keys / "operator.pub.asc", place.secret())
    for n in (0, 1):
        gpg.decrypt(place.file(NIGHTS[n]))
    status, said = assent(capsys, "verify", place.file(NIGHTS[1]), "--previous", place.file(NIGHTS[0]))
    assert status == 0, said
    signers = set(re.findall(r"signed by ([0-9A-F]{40})", said))
    assert len(signers) == 2


def test_verify_finds_keys_beside_the_package_or_says_what_it_wants(
    place: Place, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    place.send(NIGHTS[0], [entry("R1", "ana")])
    file = place.file(NIGHTS[0])
    assert assent(capsys, "verify", file)[0] == 0
    assert assent(capsys, "verify", file, "--lake", place.root / "lake")[0] == 0
    away = tmp_path / "away" / file.name
    away.parent.mkdir()
    shutil.copy(file, away)
    status, said = assent(capsys, "verify", away)
    assert (status, "--key" in said.splitlines()[-1]) == (2, True)
    status, said = assent(capsys, "verify", away, "--key", place.keys / "operator.pub.asc")
    assert (status, "--secret" in said.splitlines()[-1]) == (2, True)
    assert assent(capsys, "verify")[0] == 2
    away.write_bytes(file.read_bytes()[:-9])
    status, said = assent(
        capsys, "verify", away, "--key", place.keys / "operator.pub.asc", "--secret", place.secret()
    )
    assert status == 1
    assert said.splitlines()[-1].startswith(f"assent: {file.name} does not decrypt")


def test_a_recipients_name_is_a_files_name(place: Place):
    night = place.night(NIGHTS[0])
    prepare(night)
    with pytest.raises(AssentError, match="cannot name a file"):
        place.send(NIGHTS[0], [entry("R1", "ana")], recipient="../keys")
    assert not os.path.lexists(place.out / "exports")
