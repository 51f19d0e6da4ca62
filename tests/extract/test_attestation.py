"""Whose signature on a consents file is believed: an issuer's that is not the operator's, made with GnuPG here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import fsspec
import pysequoia
import pytest

from jobs.extract import run
from jobs.lake.issuers import DEMO, FOLDER, fingerprints

from .conftest import DAY, ROWS, Place, as_csv

CSV = as_csv([ROWS["consents"]])


class Gpg:
    """GnuPG with a home of its own."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self.env = {**os.environ, "GNUPGHOME": str(home)}

    def __call__(self, *words: object) -> bytes:
        command = ["gpg", "--batch", "--quiet", "--yes", "--pinentry-mode", "loopback", "--passphrase", ""]
        return subprocess.run(
            [*command, *map(str, words)], env=self.env, check=True, capture_output=True
        ).stdout

    def make(self, name: str) -> None:
        self("--quick-generate-key", name, "ed25519", "sign", "1y")


@pytest.fixture(scope="session")
def gpg(tmp_path_factory):
    made = Gpg(Path(tmp_path_factory.mktemp("gnupg")) / "home")
    for name in ("issuer", "stranger"):
        made.make(name)
    yield made
    subprocess.run(["gpgconf", "--kill", "all"], env=made.env, check=False)


@pytest.fixture
def issuer(place, gpg) -> Path:
    """A keys folder that names the issuer."""
    folder = place.night.keys.folder / FOLDER
    folder.mkdir()
    path = folder / "registry-office.pub.asc"
    path.write_bytes(gpg("--armor", "--export", "issuer"))
    return path


def attested(place: Place) -> dict[str, str | None]:
    return {e["file"].split("/")[1]: e["attested_by"] for e in place.manifest("consents")}


def sign(gpg: Gpg, path: Path, who: str = "issuer", *more: str) -> Path:
    sig = Path(f"{path}.sig")
    gpg("--local-user", who, "--output", sig, *more, "--detach-sign", path)
    return sig


@pytest.mark.parametrize("more", [(), ("--armor",)], ids=["binary", "armoured"])
def test_a_file_that_an_issuer_signed_is_attested(place, gpg, issuer, more):
    sign(gpg, place.deliver("consents.csv", CSV), "issuer", *more)
    place.deliver("tax.csv", as_csv([ROWS["tax"]]))
    assert place.extract(["consents", "tax"]) == {"consents": 1, "tax": 1}
    assert attested(place) == {"consents.csv": pysequoia.Cert.from_file(str(issuer)).fingerprint}
    assert {e["attested_by"] for e in place.manifest("tax")} == {None}  # of other feeds it is not asked
    assert place.said == []  # a signature is no file of another name


def test_what_nobody_signed_is_landed_all_the_same(place, gpg, issuer):
    place.deliver("consents.csv", CSV)
    sign(gpg, place.deliver("consents_b.csv", CSV.replace(b"C-1", b"C-2")))
    assert place.extract(["consents"]) == {"consents": 2}
    assert attested(place)["consents.csv"] is None
    assert attested(place)["consents_b.csv"] is not None
    assert place.said == [
        "consents: 1 file(s) unattested (no .sig beside it): scored, but no score leaves for their consents"
    ]


def altered(place: Place, gpg: Gpg, issuer: Path) -> None:
    path = place.deliver("consents.csv", CSV)
    sign(gpg, path)
    path.write_bytes(CSV.replace(b"C-1", b"C-9"))


def forged(place: Place, gpg: Gpg, issuer: Path) -> None:
    sig = sign(gpg, place.deliver("consents.csv", CSV))
    made = sig.read_bytes()
    sig.write_bytes(made[:-1] + bytes([made[-1] ^ 1]))


def of_a_stranger(place: Place, gpg: Gpg, issuer: Path) -> None:
    sign(gpg, place.deliver("consents.csv", CSV), "stranger")


def no_signature(place: Place, gpg: Gpg, issuer: Path) -> None:
    place.deliver("consents.csv", CSV)
    place.deliver("consents.csv.sig", b"signed, honestly")


def empty(place: Place, gpg: Gpg, issuer: Path) -> None:
    place.deliver("consents.csv", CSV)
    place.deliver("consents.csv.sig", b"")


def of_another_file(place: Place, gpg: Gpg, issuer: Path) -> None:
    sig = sign(gpg, place.deliver("consents_b.csv", CSV.replace(b"C-1", b"C-2")))
    shutil.copy(sig, place.deliver("consents.csv", CSV).with_suffix(".csv.sig"))
    (place.deliveries / DAY / "consents_b.csv").unlink()
    sig.unlink()


@pytest.mark.parametrize(
    "fault", [altered, forged, of_a_stranger, no_signature, empty, of_another_file], ids=lambda f: f.__name__
)
def test_a_signature_that_does_not_hold_attests_nothing_and_stops_nothing(place, gpg, issuer, fault):
    fault(place, gpg, issuer)
    assert place.extract(["consents"]) == {"consents": 1}
    assert attested(place) == {"consents.csv": None}
    (said,) = place.said
    assert "1 file(s) unattested (its .sig is of no known issuer, expired, or of another content)" in said


def test_the_operator_cannot_attest(place, gpg, issuer):
    keys = place.night.keys.folder
    shutil.copy(issuer, keys / "operator.pub.asc")  # the operator's certificate, dropped among the issuers
    sign(gpg, place.deliver("consents.csv", CSV))
    place.extract(["consents"])
    assert attested(place) == {"consents.csv": None}
    assert any("the operator's own key, left out" in s for s in place.said)
    assert fingerprints(place.night.keys) == set()


def test_what_is_no_certificate_is_left_out_and_said(place, gpg, issuer):
    (issuer.parent / "notes.txt").write_text("ask Iva")
    (issuer.parent / "private.asc").write_bytes(gpg("--armor", "--export-secret-keys", "stranger"))
    sign(gpg, place.deliver("consents.csv", CSV))
    sign(gpg, place.deliver("consents_b.csv", CSV), "stranger")
    place.extract(["consents"])
    assert [bool(v) for v in attested(place).values()] == [True, False]
    assert any("notes.txt: not an OpenPGP certificate" in s for s in place.said)
    assert any("private.asc: a private key, left out" in s for s in place.said)


def test_a_remote_file_is_verified_as_delivered(place, gpg, issuer, tmp_path):
    (tmp_path / "consents.csv").write_bytes(CSV)
    sig = sign(gpg, tmp_path / "consents.csv")
    store = fsspec.filesystem("memory")
    for name, content in (("consents.csv", CSV), ("consents.csv.sig", sig.read_bytes())):
        store.pipe_file(f"/attestation/{DAY}/{name}", content)
    place.night.deliveries = "memory://attestation"
    try:
        assert run(place.night, ["consents"]) == {"consents": 1}
    finally:
        store.rm("/attestation", recursive=True)
    assert attested(place)["consents.csv"] in fingerprints(place.night.keys)


def generated(place: Place) -> None:
    from jobs.generate import issuer as demo

    demo.sign(place.deliver("consents.csv", CSV))


def test_the_first_night_of_the_shipped_policy_trusts_the_demo_issuer_and_says_so(place):
    generated(place)
    place.extract(["consents"])
    assert (place.night.keys.folder / FOLDER / DEMO).is_file()
    assert set(attested(place).values()) == fingerprints(place.night.keys)
    assert "the demo's issuer is trusted" in place.said[0]


def test_a_deployment_of_ones_own_does_not(place, tmp_path, monkeypatch):
    from jobs.lake.config import REPOSITORY, load_policy

    text = (REPOSITORY / "policy.yaml").read_text(encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(f"{text}# ours\n", encoding="utf-8")
    monkeypatch.setenv("ASSENT_POLICY", str(tmp_path / "policy.yaml"))
    place.night.policy = load_policy()
    generated(place)
    place.extract(["consents"])
    assert attested(place) == {"consents.csv": None}
    assert not (place.night.keys.folder / FOLDER).exists()
    assert place.said == [
        f"consents: 1 file(s) unattested (no issuer in {FOLDER}): scored, but no score leaves for their consents"
    ]


def test_an_issuer_who_was_given_is_not_joined_by_the_demos(place, gpg, issuer):
    generated(place)
    place.extract(["consents"])
    assert attested(place) == {"consents.csv": None}
    assert not (issuer.parent / DEMO).exists()
