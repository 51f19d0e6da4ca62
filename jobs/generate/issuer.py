"""The demo's consent issuer: an OpenPGP key that is no secret, and signatures that are the same byte for byte.

A real issuer signs with ``gpg --detach-sign consents.csv``. The generator cannot, because such a signature holds the
time of signing, and the same seed must give the same files. So the packets are written here: version 4, EdDSA over
Ed25519, SHA-512 (RFC 4880 sections 4.2, 5.2.3, 5.5.2; EdDSA as in RFC 9580 section 5.2.4), with one fixed time.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pysequoia
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NAME = "Assent demo consent issuer (its key is public, for invented people only)"
MADE = 1_577_836_800  # 2020-01-01T00:00:00Z: the key and every signature
READ_BYTES = 4 << 20
# everybody can derive it: a lake of real people must not trust it
_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(NAME.encode()).digest())
_CURVE = bytes.fromhex("092b06010401da470f01")  # Ed25519's object identifier with its length
_EDDSA, _SHA512 = b"\x16", b"\x0a"
_PUBLIC_KEY, _USER_ID, _SIGNATURE = 6, 13, 2
_OF_A_FILE, _OF_A_USER_ID = b"\x00", b"\x13"
_MAY_SIGN_AND_CERTIFY = b"\x03"


def _four(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _two(number: int) -> bytes:
    return number.to_bytes(2, "big")


def _whole_number(value: bytes) -> bytes:
    """A multiprecision integer: its bits, then its bytes without leading zeros."""
    value = value.lstrip(b"\x00")
    return _two(int.from_bytes(value, "big").bit_length()) + value


def _packet(kind: int, body: bytes) -> bytes:
    size = len(body)
    length = bytes([size]) if size < 192 else bytes([(size - 192 >> 8) + 192, size - 192 & 255])
    return bytes([0xC0 | kind]) + length + body


def _about(kind: int, value: bytes) -> bytes:
    """A subpacket of a signature."""
    return bytes([len(value) + 1, kind]) + value


_PUBLIC = b"\x40" + _KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
_BODY = b"\x04" + _four(MADE) + _EDDSA + _CURVE + _whole_number(_PUBLIC)
_HASHED_KEY = b"\x99" + _two(len(_BODY)) + _BODY
_FINGERPRINT = hashlib.sha1(_HASHED_KEY, usedforsecurity=False).digest()  # as version 4 defines it


def _signature(kind: bytes, signed: hashlib._Hash, more: bytes = b"") -> bytes:
    """A signature packet over what ``signed`` (SHA-512) has taken in."""
    said = _about(2, _four(MADE)) + _about(33, b"\x04" + _FINGERPRINT) + more
    head = b"\x04" + kind + _EDDSA + _SHA512 + _two(len(said)) + said
    signed.update(head + b"\x04\xff" + _four(len(head)))
    digest = signed.digest()
    made = _KEY.sign(digest)
    unsigned = _about(16, _FINGERPRINT[-8:])
    numbers = _whole_number(made[:32]) + _whole_number(made[32:])
    return _packet(_SIGNATURE, head + _two(len(unsigned)) + unsigned + digest[:2] + numbers)


def certificate() -> str:
    """The issuer's public key, ASCII-armoured."""
    name = NAME.encode()
    bound = hashlib.sha512(_HASHED_KEY + b"\xb4" + _four(len(name)) + name)
    packets = _packet(_PUBLIC_KEY, _BODY) + _packet(_USER_ID, name)
    packets += _signature(_OF_A_USER_ID, bound, _about(27, _MAY_SIGN_AND_CERTIFY))
    return pysequoia.armor(packets, pysequoia.ArmorKind.PublicKey)


def sign(path: Path) -> None:
    """Writes ``<path>.sig``: the detached signature of a file."""
    signed = hashlib.sha512()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            signed.update(block)
    Path(f"{path}.sig").write_bytes(_signature(_OF_A_FILE, signed))
