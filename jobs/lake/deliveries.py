"""Where deliveries lie: a local folder, any fsspec URL, or PostgreSQL; which files a night has to take; their rows."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import fsspec
import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem

from jobs.errors import AssentError, UnreachedError
from jobs.lake.csv_reader import csv_batches
from jobs.lake.json_reader import json_batches
from jobs.lake.parquet_reader import parquet_batches
from jobs.lake.readers import Stopped, Valid
from schemas.contract import Contract

SUFFIXES = ("csv", "csv.gz", "csv.zst", "jsonl", "jsonl.gz", "parquet")
COMPRESSIONS = {"gz": "gzip", "zst": "zstd"}
READ_BYTES = 4 << 20
SIDECARS = (".sha256", ".sig")
MOST_SIGNATURE = 1 << 20  # of a detached signature's bytes; one has a few hundred


@dataclass(frozen=True)
class Delivered:
    """One delivered file: ``file`` is its path relative to the deliveries, ``path`` its place in the source."""

    feed: str
    file: str
    delivered_on: dt.date
    path: str
    suffix: str
    regular: bool = True


class Source(Protocol):
    """A place of deliveries. Each file is read twice: measured, then as batches; faults of a file are Stopped."""

    def files(self, night: dt.date, feeds: Sequence[str]) -> tuple[list[Delivered], list[str]]:
        """Files of some feeds dated on or before a night, oldest first, and what belongs to no feed."""

    def measure(self, delivered: Delivered, contract: Contract) -> tuple[int, str]:
        """Bytes and SHA-256 as delivered."""

    def checksum(self, delivered: Delivered) -> str | None:
        """The SHA-256 that was delivered beside the file; None where there is none."""

    def signature(self, delivered: Delivered) -> bytes | None:
        """The detached signature that was delivered beside the file; None where there is none."""

    def as_file(self, delivered: Delivered) -> AbstractContextManager[Path]:
        """The file as delivered under a local path, readable by its owner alone, until it is left."""

    def batches(
        self, delivered: Delivered, contract: Contract, told: list[str], valid_id: Valid
    ) -> Iterator[pa.RecordBatch]:
        """The rows as verbatim text; names of columns left out are added to ``told``."""


def shown(url: str) -> str:
    """An address for a message: without user, password or query."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def open_source(url: str) -> Source:
    """The source of a folder or URL; AssentError when it cannot be reached."""
    if url.startswith(("postgresql://", "postgres://")):
        from jobs.lake.postgres import PostgresSource

        return PostgresSource(url)
    return FolderSource(url)


def feed_of(name: str, feeds: Sequence[str]) -> tuple[str, str] | None:
    """Feed and suffix of a file's name, ``<feed>*.<suffix>``, the longest feed first; None for any other name."""
    suffix = next((s for s in SUFFIXES if name.endswith(f".{s}")), None)
    if suffix is None:
        return None
    stem = name[: -len(suffix) - 1]
    for feed in sorted(feeds, key=len, reverse=True):
        if stem.startswith(feed):
            return feed, suffix
    return None


def day_of(name: str) -> dt.date | None:
    """The date that a folder is named by; None for any other name."""
    try:
        day = dt.date.fromisoformat(name)
    except ValueError:
        return None
    return day if day.isoformat() == name else None


class _Raw:
    """A delivered file as a stream of bytes. Storage faults of any kind are Stopped: other files go on."""

    def __init__(self, fs: Any, delivered: Delivered) -> None:
        self.taken, self.closed, self.mode = 0, False, "rb"
        if not delivered.regular:
            raise Stopped("unreadable", "not a regular file; deliver it again as one")
        # SFTP has its own idea of a block; elsewhere the default is made for random access
        options = {} if type(fs).__name__ == "SSHFileSystem" else {"block_size": READ_BYTES}
        self.file = self._tried(lambda: fs.open(delivered.path, "rb", **options))

    @staticmethod
    def _tried(call: Any) -> Any:
        try:
            return call()
        except Exception as e:  # each storage has its own; none may stop the others
            raise Stopped(
                "unreadable", f"it cannot be read ({type(e).__name__}); check its rights or deliver it again"
            ) from None

    def read(self, size: int = -1, /) -> bytes:
        """Exactly ``size`` bytes, fewer only at the end."""
        parts: list[bytes] = []
        left = size
        while left:
            part = self._tried(partial(self.file.read, left))
            if not part:
                break
            parts.append(bytes(part))
            left = left - len(part) if size > 0 else -1
        found = b"".join(parts)
        self.taken += len(found)
        return found

    def seek(self, place: int, whence: int = 0) -> int:
        """Moves; returns the place."""
        return int(self._tried(lambda: (self.file.seek(place, whence), self.file.tell())[1]))

    def tell(self) -> int:
        """The place."""
        return int(self._tried(lambda: self.file.tell()))

    def readable(self) -> bool:
        """True."""
        return True

    seekable = readable

    def close(self) -> None:
        """Closes it."""
        self.closed = True
        self.file.close()

    def __enter__(self) -> _Raw:
        return self

    def __exit__(self, *fault: Any) -> None:
        self.close()


class _Unpacked:
    """A compressed file's content. A cut end is ``truncated``, other damage ``unreadable``."""

    def __init__(self, raw: _Raw, compression: str) -> None:
        self.stream = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), compression)

    def read(self, size: int = -1, /) -> bytes:
        parts, left = [], size
        while left:
            try:
                part = self.stream.read(left)
            except OSError as e:
                if "runcated" in str(e):
                    raise Stopped("truncated", "the compressed file is cut; deliver it again") from None
                raise Stopped(
                    "unreadable", "the compressed file is damaged or of another kind; deliver it again"
                ) from None
            if not part:
                break
            parts.append(part)
            left -= len(part)
        return b"".join(parts)


class FolderSource:
    """Deliveries in ``<folder>/<YYYY-MM-DD>/``, local or under any fsspec URL."""

    def __init__(self, url: str) -> None:
        self.place = shown(url)
        try:
            self.fs, path = opened(url)
            self.fs.invalidate_cache()
        except AssentError:
            raise
        except Exception as e:
            raise self._unreached(e) from None
        self.path = path.rstrip("/") or "/"
        self.folders = self._list(self.path)

    def _unreached(self, fault: Exception) -> AssentError:
        if isinstance(fault, FileNotFoundError):
            return AssentError(f"deliveries {self.place}: no such folder; mend --deliveries")
        return UnreachedError(
            f"deliveries {self.place}: cannot be reached ({type(fault).__name__}); "
            "check the address, the credentials and, for SFTP, the host key"
        )

    def _list(self, path: str) -> list[tuple[str, dict[str, Any]]]:
        """Name and details of each entry of a folder, sorted by name."""
        try:
            found = [(e["name"].rstrip("/").rsplit("/", 1)[-1], e) for e in self.fs.ls(path, detail=True)]
            if len(found) == 1 and found[0][1]["name"].rstrip("/") == path and not self.fs.isdir(path):
                raise FileNotFoundError
        except Exception as e:
            raise self._unreached(e) from None
        return sorted(((n, e) for n, e in found if n), key=lambda pair: pair[0])

    def _is_folder(self, entry: dict[str, Any]) -> bool:
        kind = entry["type"]
        return kind == "directory" or (kind != "file" and bool(self.fs.isdir(entry["name"])))

    def files(self, night: dt.date, feeds: Sequence[str]) -> tuple[list[Delivered], list[str]]:
        """See :class:`Source`."""
        found, strange = [], []
        for name, entry in self.folders:
            day = day_of(name)
            if not self._is_folder(entry):
                if not name.endswith(".sha256"):
                    strange.append(name)  # a delivery lies in the folder of its day
                continue
            if day is None and name[:1].isdigit():
                strange.append(f"{name}/")
            if day is None or day > night:
                continue
            for file, inner in self._list(entry["name"].rstrip("/")):
                if file.endswith(SIDECARS):
                    continue
                named = feed_of(file, feeds)
                if named is None or self._is_folder(inner):
                    strange.append(f"{name}/{file}")
                    continue
                regular = inner["type"] == "file" or bool(self.fs.isfile(inner["name"]))
                found.append(Delivered(named[0], f"{name}/{file}", day, inner["name"], named[1], regular))
        return found, strange

    def measure(self, delivered: Delivered, contract: Contract) -> tuple[int, str]:
        """See :class:`Source`."""
        digest = hashlib.sha256()
        with _Raw(self.fs, delivered) as raw:
            while block := raw.read(READ_BYTES):
                digest.update(block)
        return raw.taken, digest.hexdigest()

    def checksum(self, delivered: Delivered) -> str | None:
        """See :class:`Source`. The first word of the sidecar, as sha256sum prints it."""
        path = f"{delivered.path}.sha256"
        if not self.fs.exists(path):
            return None
        with _Raw(self.fs, Delivered("", "", delivered.delivered_on, path, "")) as raw:
            words = raw.read(1 << 16).decode("utf-8", "replace").split()
        return words[0].lstrip("\\").lower() if words else ""

    def signature(self, delivered: Delivered) -> bytes | None:
        """See :class:`Source`."""
        path = f"{delivered.path}.sig"
        if not self.fs.isfile(path):
            return None
        with _Raw(self.fs, Delivered("", "", delivered.delivered_on, path, "")) as raw:
            return raw.read(MOST_SIGNATURE)

    @contextmanager
    def as_file(self, delivered: Delivered) -> Iterator[Path]:
        """See :class:`Source`. A remote file is copied for as long as it is needed."""
        if isinstance(self.fs, LocalFileSystem):
            yield Path(delivered.path)
            return
        with tempfile.NamedTemporaryFile(prefix="assent-") as copy:  # mode 0600
            with _Raw(self.fs, delivered) as raw:
                shutil.copyfileobj(raw, copy, READ_BYTES)
            copy.flush()
            yield Path(copy.name)

    def batches(
        self, delivered: Delivered, contract: Contract, told: list[str], valid_id: Valid
    ) -> Iterator[pa.RecordBatch]:
        """See :class:`Source`."""
        with _Raw(self.fs, delivered) as raw:
            if delivered.suffix == "parquet":
                yield from parquet_batches(pa.PythonFile(raw, mode="r"), contract, told, valid_id)
                return
            form, _, packed = delivered.suffix.partition(".")
            stream = _Unpacked(raw, COMPRESSIONS[packed]) if packed else raw
            read = csv_batches if form == "csv" else json_batches
            yield from read(stream, contract, told, valid_id)


def opened(url: str, what: str = "deliveries") -> tuple[Any, str]:
    """The file system of a URL, and the path in it. Over SFTP only to a host whose key is known (AssentError)."""
    if not url.startswith(("sftp://", "ssh://")):
        fs, path = fsspec.core.url_to_fs(url)
        return fs, str(path)
    from sshfs import SSHFileSystem

    # sshfs trusts any host unless it is told whom to know
    known = Path(os.environ.get("ASSENT_KNOWN_HOSTS") or "~/.ssh/known_hosts").expanduser()
    if not known.is_file():
        raise AssentError(
            f"{what} {shown(url)}: the server's host key is not known; "
            "put it in ~/.ssh/known_hosts, or in the file that ASSENT_KNOWN_HOSTS names"
        )
    options: dict[str, Any] = {"known_hosts": str(known)}
    if key := os.environ.get("ASSENT_SFTP_KEY"):
        options["client_keys"] = [key]
    given = SSHFileSystem._get_kwargs_from_urls(url)
    # a connection of its own: a kept one may be dead by the next night
    fs = SSHFileSystem(**given, **options, skip_instance_cache=True)
    return fs, str(SSHFileSystem._strip_protocol(url))
