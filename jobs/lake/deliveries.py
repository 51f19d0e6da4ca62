"""Where deliveries lie, which files a night has to take, and how one is landed."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from jobs.errors import AssentError
from jobs.lake import readers
from jobs.lake.lake import Lake
from jobs.lake.macs import Macs
from jobs.rules.floor import denied_word
from schemas.contract import Contract

NAME = re.compile(r"^([a-z_]+?)(?:[^a-z].*)?\.(csv|csv\.gz|csv\.zst|jsonl|jsonl\.gz|parquet)$")
FEED_CODES = frozenset({"unknown_column", "denied_column", "missing_column", "duplicate_column"})


@dataclass(frozen=True)
class Delivered:
    """One delivered file: ``file`` is its path relative to the deliveries, ``path`` its place on ``fs``."""

    feed: str
    file: str
    delivered_on: dt.date
    path: str
    suffix: str


class Source:
    """A deliveries folder: local, or any fsspec URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        options: dict[str, Any] = {}
        if url.startswith(("sftp://", "ssh://")):
            # fsspec's own SFTP accepts any host key; sshfs checks it against known_hosts
            url = "ssh://" + url.partition("://")[2]
        try:
            self.fs, self.path = fsspec.core.url_to_fs(url, **options)
            self.fs.invalidate_cache()
            there = self.fs.exists(self.path)
        except Exception as e:
            raise AssentError(
                f"deliveries cannot be reached ({type(e).__name__}); check address, credentials and host key"
            ) from None
        if not there:
            raise AssentError(f"deliveries: no such folder; mend --deliveries ({type(self.fs).__name__})")
        self.path = self.path.rstrip("/")

    def files(self, night: dt.date, feeds: list[str]) -> tuple[list[Delivered], list[str]]:
        """Files of some feeds dated on or before a night, oldest first, and the names that belong to no feed."""
        found, strange = [], []
        for folder in sorted(self.fs.ls(self.path, detail=False)):
            name = folder.rstrip("/").rsplit("/", 1)[-1]
            try:
                day = dt.date.fromisoformat(name) if len(name) == 10 else None
            except ValueError:
                day = None
            if day is None or day > night:
                continue
            for path in sorted(self.fs.ls(folder, detail=False)):
                file = path.rsplit("/", 1)[-1]
                if file.endswith(".sha256"):
                    continue
                feed, suffix = self._feed(file, feeds)
                if feed is None:
                    strange.append(f"{name}/{file}")
                else:
                    found.append(Delivered(feed, f"{name}/{file}", day, path, suffix))
        return found, strange

    @staticmethod
    def _feed(file: str, feeds: list[str]) -> tuple[str | None, str]:
        for suffix in ("csv", "csv.gz", "csv.zst", "jsonl", "jsonl.gz", "parquet"):
            if file.endswith(f".{suffix}"):
                stem = file[: -len(suffix) - 1]
                for feed in sorted(feeds, key=len, reverse=True):
                    if stem == feed or (stem.startswith(feed) and not stem[len(feed)].isalpha()):
                        return feed, suffix
        return None, ""

    def sha256(self, path: str) -> str | None:
        """SHA-256 of a file as delivered; None when it cannot be read."""
        digest = hashlib.sha256()
        try:
            with self.fs.open(path, "rb") as file:
                while block := file.read(readers.BLOCK_BYTES):
                    digest.update(block)
        except OSError:
            return None
        return digest.hexdigest()

    def sidecar(self, path: str) -> str | None:
        """The checksum beside a file, as sha256sum prints it; None where there is none."""
        if not self.fs.exists(f"{path}.sha256"):
            return None
        words = self.fs.cat_file(f"{path}.sha256").decode("utf-8", "replace").split()
        return str(words[0]).lstrip("\\").lower() if words else ""


class _Zst(io.RawIOBase):
    """A Zstandard stream whose cut end is an error, as gzip's is."""

    def __init__(self, raw: IO[bytes]) -> None:
        self.raw, self.rest = raw, b""
        self.decoder: Any = None
        self.seen = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.rest:
            block = self.raw.read(1 << 20)
            if not block:
                if self.decoder is not None and not self.decoder.eof:
                    raise EOFError
                return 0
            while block:
                if self.decoder is None or self.decoder.eof:
                    self.decoder = zstandard.ZstdDecompressor().decompressobj()
                self.rest += self.decoder.decompress(block)
                block = self.decoder.unused_data if self.decoder.eof else b""
        count = min(len(buffer), len(self.rest))
        buffer[:count], self.rest = self.rest[:count], self.rest[count:]
        return count


def _batches(
    raw: IO[bytes], delivered: Delivered, contract: Contract, told: list[str]
) -> Iterator[pa.RecordBatch]:
    if delivered.suffix == "parquet":
        yield from readers.parquet_batches(raw, contract, denied_word, told)
        return
    stream: Any = raw
    if delivered.suffix.endswith(".gz"):
        stream = gzip.GzipFile(fileobj=raw)
    elif delivered.suffix.endswith(".zst"):
        stream = io.BufferedReader(_Zst(raw), readers.BLOCK_BYTES)
    read = readers.csv_batches if delivered.suffix.startswith("csv") else readers.json_batches
    try:
        yield from read(stream, contract, denied_word, told)
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError):
        raise readers.Stopped(
            "truncated", "the compressed file is cut or damaged; deliver it again"
        ) from None


def _landed(batch: pa.RecordBatch, schema: pa.Schema, file: str, first: int, macs: Macs) -> pa.RecordBatch:
    rows = batch.num_rows
    more = {
        "file": pa.array([file] * rows, pa.string()),
        "row_number": pa.array(range(first, first + rows), pa.int64()),
        **macs.columns(batch),
    }
    columns = [more[n] if n in more else batch.column(n) for n in schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def land(source: Source, delivered: Delivered, contract: Contract, lake: Lake, macs: Macs) -> dict[str, Any]:
    """Lands one file verbatim and returns its manifest entry; a file that cannot be taken leaves nothing behind."""
    entry: dict[str, Any] = {
        "feed": delivered.feed,
        "file": delivered.file,
        "delivered_on": delivered.delivered_on.isoformat(),
        "rows": None,
        "bytes": None,
        "sha256": None,
        "landing": [],
        "stopped": None,
        "message": None,
        "ignored_columns": 0,
    }
    target = None
    try:
        entry["sha256"] = source.sha256(delivered.path)
        if entry["sha256"] is None:
            raise readers.Stopped(
                "unreadable", "the file cannot be read; check its rights or deliver it again"
            )
        entry["bytes"] = int(source.fs.size(delivered.path) or 0)
        if entry["bytes"] == 0:
            raise readers.Stopped("empty_file", "the file is empty; deliver it again, with a header at least")
        said = source.sidecar(delivered.path)
        if said is not None and said != entry["sha256"]:
            raise readers.Stopped(
                "checksum_mismatch", "the file differs from its .sha256; deliver both again"
            )
        name = hashlib.sha256(f"{delivered.file}:{entry['sha256']}".encode()).hexdigest()[:12]
        target = f"landing/{delivered.feed}/delivery={entry['delivered_on']}/{name}-0.parquet"
        told: list[str] = []
        entry["rows"] = _write(source, delivered, contract, lake, macs, target, told)
        entry["landing"] = [target]
        entry["ignored_columns"] = len(told)
    except readers.Stopped as e:
        entry |= {"rows": None, "stopped": e.code, "message": e.message}
        if target is not None and lake.fs.exists(f"{lake.path}/{target}"):
            lake.fs.rm(f"{lake.path}/{target}")
    return entry


def _write(
    source: Source,
    delivered: Delivered,
    contract: Contract,
    lake: Lake,
    macs: Macs,
    target: str,
    told: list[str],
) -> int:
    schema, rows = contract.landing_schema(), 0
    path = f"{lake.path}/{target}"
    lake.fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
    with (
        source.fs.open(delivered.path, "rb") as raw,
        lake.fs.open(path, "wb") as out,
        pq.ParquetWriter(out, schema, compression="zstd", write_statistics=False) as writer,
    ):
        for batch in _batches(raw, delivered, contract, told):
            writer.write_batch(_landed(batch, schema, delivered.file, rows + 1, macs))
            rows += batch.num_rows
    return rows
