"""The operator's keys: one folder beside the lake, never inside it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from jobs.errors import AssentError

SIZES = {"vault.key": 32, "identity.key": 64, "tombstone.key": 32}


def keys_folder(lake: str) -> Path:
    """``ASSENT_KEYS``, or ``<lake>.keys`` beside a local lake; AssentError for a remote lake without it.

    Never inside the lake: who may read its tables could read the identities too.
    """
    if given := os.environ.get("ASSENT_KEYS"):
        if "://" not in lake and Path(given).resolve().is_relative_to(Path(lake).resolve()):
            raise AssentError(f"keys {given} are inside the lake; name a folder elsewhere in ASSENT_KEYS")
        return Path(given)
    if "://" in lake:
        raise AssentError(f"lake {lake} is remote: name the folder of its keys in ASSENT_KEYS")
    return Path(lake.rstrip("/") + ".keys")


class Keys:
    """The vault's HMAC key, the identities' AES-SIV key, the tombstones' HMAC key and the Ed25519 signing key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vault = self._read("vault.key")
        self.identity = self._read("identity.key")
        self.tombstone = self._read("tombstone.key")
        key = serialization.load_pem_private_key(self._bytes("signing.pem"), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise AssentError(
                f"{folder / 'signing.pem'} is not an Ed25519 private key; restore it from your backup"
            )
        self.signing = key

    def _bytes(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as e:
            raise AssentError(
                f"key {self.folder / name} cannot be read ({e.strerror}); restore it from your backup"
            ) from None

    def _read(self, name: str) -> bytes:
        value = self._bytes(name)
        if len(value) != SIZES[name]:
            raise AssentError(
                f"key {self.folder / name} must have {SIZES[name]} bytes; restore it from your backup"
            )
        return value

    @property
    def public_pem(self) -> bytes:
        """The public half of the signing key."""
        return self.signing.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def has_keys(folder: Path) -> bool:
    """Whether a folder holds every key of a lake."""
    return all((folder / name).exists() for name in (*SIZES, "signing.pem"))


def make_keys(folder: Path) -> None:
    """Makes a folder of new keys with mode 0700; nothing is overwritten."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for name, value in [(n, secrets.token_bytes(size)) for n, size in SIZES.items()] + [("signing.pem", pem)]:
        path = folder / name
        if not path.exists():
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
                f.write(value)
