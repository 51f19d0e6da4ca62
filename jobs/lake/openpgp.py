"""OpenPGP through pysequoia: which keys can be encrypted to, one encrypt-and-sign message, detached signatures.

What is written here must be read by GnuPG 2.2, so a key that would lead to a format which it rejects is refused.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pysequoia import Cert, Profile, SignatureMode, Tsk, encrypt, encrypt_file, sign
from pysequoia.packet import Packet, PacketPile, SignatureType, Tag

from jobs.errors import AssentError

ARMORED = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----.*?-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
PRIVATE = b"-----BEGIN PGP PRIVATE KEY BLOCK-----"


@dataclass(frozen=True)
class Certificate:
    """A recipient's certificate: ``target`` is what can be encrypted to, or None and ``problem`` says why not.

    ``keys`` are the key ids of its usable encryption keys.
    """

    fingerprint: str
    user: str
    expires: dt.datetime | None
    target: Cert | None
    problem: str | None
    armored: str


@dataclass
class _Component:
    """A key of a certificate with the packets that belong to it."""

    packets: list[Packet]

    @property
    def encrypts(self) -> bool:
        flags = self._binding.key_flags if self._binding else None
        return bool(flags and (flags.transport_encryption or flags.storage_encryption))

    @property
    def _binding(self) -> Packet | None:
        found = [p for p in self.packets if p.tag == Tag.Signature and p.key_flags is not None]
        return max(
            found, key=lambda p: p.signature_created or dt.datetime.min.replace(tzinfo=dt.UTC), default=None
        )

    @property
    def revoked(self) -> bool:
        return any(
            p.signature_type == SignatureType.SubkeyRevocation for p in self.packets if p.tag == Tag.Signature
        )

    @property
    def expires(self) -> dt.datetime | None:
        created, lasts = (
            self.packets[0].key_created,
            self._binding.key_validity_period if self._binding else None,
        )
        return created + lasts if created is not None and lasts is not None else None


def _components(cert: Cert) -> list[_Component]:
    """The primary key and the subkeys of a certificate, in its order."""
    found: list[_Component] = []
    for packet in PacketPile.from_bytes(bytes(cert)):
        if packet.tag in (Tag.PublicKey, Tag.PublicSubkey):
            found.append(_Component([]))
        found[-1].packets.append(packet)
    return found


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _day(moment: dt.datetime) -> str:
    return moment.date().isoformat()


def _target(cert: Cert, at: dt.datetime) -> tuple[Cert | None, str | None]:
    """The certificate with its usable encryption keys alone, or why it has none.

    pysequoia itself encrypts to an expired subkey where there is no other, and does not look whether the certificate
    is revoked, so both are decided here.
    """
    if cert.is_revoked:
        return None, "is revoked"
    if cert.expiration is not None and cert.expiration <= at:
        return None, f"expired on {_day(cert.expiration)}"
    primary, *subkeys = _components(cert)
    encrypting = [s for s in subkeys if s.encrypts]
    alive = [s for s in encrypting if not s.revoked and (s.expires is None or s.expires > at)]
    if not alive and not primary.encrypts:
        if not encrypting:
            return None, "can only sign, it has no encryption key"
        ended = [s.expires for s in encrypting if s.expires is not None and not s.revoked]
        return (
            None,
            f"has an encryption key that expired on {_day(max(ended))}"
            if ended
            else "has a revoked encryption key",
        )
    kept = Cert.from_packets([p for c in (primary, *alive) for p in c.packets])
    try:
        packets = [(p.tag, p.body[0]) for p in PacketPile.from_bytes(encrypt(b"", [kept], armor=False))]
    except Exception as e:
        return None, f"cannot be encrypted to ({_first_line(e)[:80]})"
    if any(version != (3 if tag == Tag.PKESK else 1) for tag, version in packets):
        return None, (
            "asks for a message format that GnuPG 2.2 cannot read (RFC 9580 version 2 encryption); "
            "make the key with `gpg`, or without that feature"
        )
    return kept, None


def certificates(data: bytes, at: dt.datetime | None = None) -> list[Certificate]:
    """Every certificate of a file, binary or armored, one armored block or several.

    ValueError when it is no OpenPGP certificate or holds a private key.
    """
    if PRIVATE in data:
        raise ValueError("holds a private key; ask for the public one, and have that pair replaced")
    at = at or dt.datetime.now(dt.UTC)
    blocks = ARMORED.findall(data) or [data]
    try:
        certs = [c for block in blocks for c in Cert.split_bytes(block)]
    except Exception as e:
        raise ValueError(f"is no OpenPGP certificate ({_first_line(e)[:80]})") from None
    if not certs:
        raise ValueError("holds no OpenPGP certificate")
    if any(
        p.tag in (Tag.SecretKey, Tag.SecretSubkey) for block in blocks for p in PacketPile.from_bytes(block)
    ):
        raise ValueError("holds a private key; ask for the public one, and have that pair replaced")
    found = []
    for cert in certs:
        target, problem = _target(cert, at)
        user = str(cert.user_ids[0]) if cert.user_ids else ""
        found.append(Certificate(cert.fingerprint.upper(), user, cert.expiration, target, problem, str(cert)))
    return found


class Operator:
    """The operator's key: signs what leaves."""

    def __init__(self, secret: bytes) -> None:
        try:
            self._key = Tsk.from_bytes(secret)
            self._signer = self._key.signer()
        except Exception as e:
            raise AssentError(
                f"the operator's key cannot be used ({_first_line(e)[:80]}); restore it from your backup"
            ) from None
        self.certificate = self._key.extract_certificate()

    @staticmethod
    def generate(name: str) -> bytes:
        """A new armored private key, an RFC 4880 one (Ed25519), without a day on which it ends."""
        return str(Tsk.generate(name, profile=Profile.RFC4880)).encode()

    @property
    def fingerprint(self) -> str:
        """The fingerprint that a recipient compares."""
        return str(self.certificate.fingerprint).upper()

    @property
    def public(self) -> str:
        """The armored certificate."""
        return str(self.certificate)

    def sign(self, data: bytes) -> str:
        """A detached, armored signature."""
        return sign(self._signer, data, mode=SignatureMode.DETACHED).decode()

    def clear_sign(self, text: str) -> str:
        """A text and its signature in one file that `gpg --verify` reads."""
        return sign(self._signer, text.encode(), mode=SignatureMode.CLEAR).decode()

    def seal(self, source: BinaryIO, target: Path, to: list[Cert]) -> None:
        """One binary message, signed and encrypted to every certificate, in bounded memory.

        ``source`` may have no name on disk: it is read through its descriptor.
        """
        source.flush()
        source.seek(0)
        encrypt_file(f"/dev/fd/{source.fileno()}", target, to, self._signer, armor=False)
