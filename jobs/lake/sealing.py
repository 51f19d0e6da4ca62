"""The files of a package from their making to one encrypted file: checksums, signature, zip, message.

Plain files are made without a name on disk (O_TMPFILE): they are gone when the process ends, also when it is killed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from jobs.lake.outbox import private_folder
from jobs.lake.verify_package import pack

if TYPE_CHECKING:
    from pysequoia import Cert

    from jobs.lake.openpgp import Operator

SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.asc"
SUFFIX = ".zip.pgp"


@dataclass(frozen=True)
class Member:
    """A file of a package: size and SHA-256."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Sealed:
    """An encrypted file that does not stand under its final name yet."""

    part: Path
    target: Path
    bytes: int
    sha256: str
    manifest_sha256: str

    def release(self) -> None:
        """Puts it under its final name at once, whole."""
        self.part.replace(self.target)
        _sync(self.target.parent)


def part_of(target: Path) -> Path:
    """Where a file is written before it gets its name; a killed run's is written over."""
    return target.with_name(f".{target.name}.part")


def sha256_of(file: BinaryIO) -> str:
    """SHA-256 of a whole file."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Box:
    """A package in the making. ``scratch`` is a folder on the disk that holds it; nothing appears in it."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = private_folder(scratch)
        self._files: dict[str, BinaryIO] = {}
        self.members: dict[str, Member] = {}

    def __enter__(self) -> Box:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def _nameless(self) -> BinaryIO:
        return tempfile.TemporaryFile(dir=self.scratch)

    def add(self, name: str, write: Callable[[BinaryIO], object]) -> Member:
        """Makes a file by ``write`` and returns its size and checksum."""
        file = self._files[name] = self._nameless()
        write(file)
        size = file.seek(0, os.SEEK_END)
        self.members[name] = Member(size, sha256_of(file))
        return self.members[name]

    def add_text(self, name: str, text: str) -> Member:
        """A small text file."""
        return self.add(name, lambda file: file.write(text.encode()))

    def seal(self, operator: Operator, to: list[Cert], target: Path, day: dt.date) -> Sealed:
        """Adds checksums and their signature, zips, signs and encrypts beside ``target``.

        But for the signature, whose time is the clock's, the zip follows from the files and the day alone.
        """
        sums = "".join(f"{m.sha256}  {name}\n" for name, m in sorted(self.members.items()))
        manifest = self.add_text(SUMS, sums)
        self.add_text(SIGNATURE, operator.sign(sums.encode()))
        private_folder(target.parent)
        part = part_of(target)
        try:
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            with self._nameless() as packed:
                pack(packed, self._files, (day.year, day.month, day.day))
                operator.seal(packed, part, to)
            with part.open("rb") as file:
                os.fsync(file.fileno())
                return Sealed(part, target, part.stat().st_size, sha256_of(file), manifest.sha256)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
