"""Consent issuers: whose signature on a file of consents is believed, and whether a file carries one (DESIGN 5).

A consents file is attested when ``<file>.sig``, a detached OpenPGP signature, verifies against a certificate in
``<keys>/consent-issuers/`` that is not the operator's: who makes the scores cannot attest that anybody agreed to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pysequoia
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jobs.errors import AssentError
from jobs.lake.deliveries import Delivered, Source
from jobs.lake.keys import Keys
from jobs.lake.openpgp import ARMORED
from jobs.lake.readers import Stopped

FOLDER = "consent-issuers"
DEMO = "demo-issuer.pub.asc"
FEED = "consents"
MOST_BYTES = 1 << 20  # a detached signature, or a certificate, is a few kilobytes
UNSIGNED = "no .sig beside it"


@dataclass(frozen=True)
class Attestation:
    """Who attests a file (fingerprint of the issuer's certificate), or why nobody does."""

    by: str | None
    why: str | None = None


def folder_of(keys: Keys) -> Path:
    """Where the issuers' certificates lie."""
    return keys.folder / FOLDER


def _operators(keys: Keys) -> tuple[set[str], bytes]:
    """Fingerprints of the operator's own certificates, and the raw public half of the signing key."""
    raw = keys.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    found = set()
    for path in sorted(keys.folder.glob("operator*.asc")):
        found |= {c.fingerprint for c in certificates_in(path)}
    return found, raw


def certificates_in(path: Path) -> list[pysequoia.Cert]:
    """The certificates of a file, binary or in one armoured block or several; none where it holds something else."""
    try:
        data = path.read_bytes() if path.stat().st_size < MOST_BYTES else b""
        return [c for block in ARMORED.findall(data) or [data] for c in pysequoia.Cert.split_bytes(block)]
    except (RuntimeError, ValueError, OSError):
        return []


def issuers(keys: Keys, say: Callable[[str], None] = lambda text: None) -> list[pysequoia.Cert]:
    """Certificates of the consent issuers. What is none, is private or is the operator's is left out, and said."""
    folder, found = folder_of(keys), []
    own, raw = _operators(keys)
    if not folder.is_dir():
        return []
    for path in sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")):
        certificates = certificates_in(path)
        if not certificates:
            say(
                f"{FOLDER}/{path.name}: not an OpenPGP certificate, left out; put the issuer's public key there"
            )
        for one in certificates:
            if one.has_secret_keys:
                say(f"{FOLDER}/{path.name}: a private key, left out; put the issuer's public key there")
            elif one.fingerprint in own or raw in bytes(one):
                say(
                    f"{FOLDER}/{path.name}: the operator's own key, left out; consents are attested by another"
                )
            else:
                found.append(one)
    return found


def fingerprints(keys: Keys) -> set[str]:
    """Fingerprints of the issuers that are believed now: one that was taken away attests nothing any more."""
    return {c.fingerprint for c in issuers(keys)}


def trust_demo(keys: Keys, certificate: str) -> bool:
    """Puts the demo's issuer among the issuers; False when some are there already."""
    folder = folder_of(keys)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if any(folder.iterdir()):
            return False
        (folder / DEMO).write_text(certificate, encoding="utf-8")
    except OSError as e:
        raise AssentError(
            f"keys {folder} cannot be written ({e.strerror}); check the folder's rights"
        ) from None
    return True


def attestation(source: Source, delivered: Delivered, known: list[pysequoia.Cert]) -> Attestation:
    """Who attests a delivered file. Never a reason to stop it: a withdrawal in it holds, signed or not."""
    try:
        said = source.signature(delivered)
        if said is None:
            return Attestation(None, UNSIGNED)
        if not known:
            return Attestation(None, f"no issuer in {FOLDER}")
        signature = pysequoia.Sig.from_bytes(said)
        with source.as_file(delivered) as path:
            made = pysequoia.verify(file=str(path), store=lambda ids: known, signature=signature)
    except Stopped as e:
        return Attestation(None, f"its .sig is {e.code}")
    except (RuntimeError, ValueError, OSError):  # pysequoia's own text holds a trace
        return Attestation(None, "its .sig is of no known issuer, expired, or of another content")
    return Attestation(sorted(s.certificate for s in made.valid_sigs)[0])
