"""A text and its OpenPGP signature in one file that `gpg --verify` reads, and a check to which every byte counts.

OpenPGP itself ignores what stands around the signed text, the armour's checksum and a hint within the signature; who
shows a file could have changed it there. Here such a file is refused too (RFC 4880 sections 5.2.3, 6.2, 7).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pysequoia import ArmorKind, Cert, Sig, armor, verify
from pysequoia.packet import PacketPile

BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----"
MIDDLE, END = "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----"
HASHES = {8: "SHA256", 9: "SHA384", 10: "SHA512"}
VERSION = 4


class Altered(ValueError):
    """Content or signature is not what was signed, or was signed by another key."""


def _parts(text: str) -> tuple[str, str]:
    """The text as it stands between its header and its signature, and the signature's block."""
    head, found, rest = text.partition("\n\n")
    body, signed, block = rest.rpartition(f"\n{MIDDLE}\n")
    if not (found and signed and head.startswith(BEGIN) and block.endswith(f"{END}\n")):
        raise Altered("it is no text signed as a whole")
    return body, f"{MIDDLE}\n{block}"


def _hint(signature: bytes, body: str) -> bool:
    """Whether the two bytes of the hash within a version 4 signature are those of the text."""
    (packet,) = PacketPile.from_bytes(signature)
    made = packet.body
    size = int.from_bytes(made[4:6], "big")
    hashed, rest = made[: 6 + size], made[6 + size :]
    hint = rest[2 + int.from_bytes(rest[:2], "big") :][:2]
    lines = [line.removeprefix("- ").rstrip(" \t") for line in body.split("\n")]
    digest = hashlib.new(HASHES[made[3]], "\r\n".join(lines).encode(), usedforsecurity=True)
    digest.update(hashed + bytes([VERSION, 0xFF]) + len(hashed).to_bytes(4, "big"))
    return bool(digest.digest()[:2] == hint)


def verified(text: str, certificates: Sequence[Cert]) -> tuple[bytes, str]:
    """The signed content and the fingerprint of the certificate that signed it; Altered in every other case."""
    text = text.replace("\r\n", "\n").rstrip("\n") + "\n"  # as mail programs leave it
    body, block = _parts(text)
    try:
        found = verify(bytes=text.encode(), store=lambda ids: list(certificates))
        signature = Sig.from_bytes(block.encode())
        algorithm = next(
            n for n in HASHES.values() if f"{BEGIN}\nHash: {n}\n" == text[: len(BEGIN) + len(n) + 8]
        )
        whole = f"{BEGIN}\nHash: {algorithm}\n\n{body}\n{armor(bytes(signature), ArmorKind.Signature)}"
        same = whole.rstrip("\n") == text.rstrip("\n")
        if not same or (signature.version == VERSION and not _hint(bytes(signature), body)):
            raise Altered("what stands around the signed text was altered")
    except (RuntimeError, StopIteration, KeyError, ValueError) as e:  # pysequoia's own text holds a trace
        raise Altered("content or signature was altered, or another key signed it") from e
    if found.bytes is None or len(found.valid_sigs) != 1:
        raise Altered("it has no one signature")
    return found.bytes, str(found.valid_sigs[0].certificate).upper()
