"""Delivered files, written row group by row group and reproducible byte for byte."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import zstandard

from schemas.contract import ARROW_TYPES, Contract

# A mix, so that every reader is used each night; a JSON Lines file cannot say "no rows" and becomes a CSV then.
FORMATS = {
    "tax": ("parquet", "csv.zst"),
    "court": ("jsonl.gz", "csv"),
    "traffic": ("csv", "jsonl"),
    "education": ("csv.zst", "csv.gz"),
    "transactions": ("parquet", "csv.gz"),
    "consents": ("csv.gz", "csv"),
    "disputes": ("csv", "parquet"),
}
SIDECARS = frozenset({"tax", "transactions", "consents"})


def text_of(column: pa.Array) -> pa.Array:
    """A column as a delivery's text: ISO dates, UTC timestamps with a Z."""
    if pa.types.is_timestamp(column.type):
        import pyarrow.compute as pc

        return pc.strftime(column.cast(pa.timestamp("s", tz="UTC")), format="%Y-%m-%dT%H:%M:%SZ")
    return column.cast(pa.string())


class File:
    """One file of one feed and night, open while the chunks of people pass by."""

    def __init__(self, folder: Path, contract: Contract, suffix: str) -> None:
        self.contract, self.suffix = contract, suffix
        self.path = folder / f"{contract.feed}.{suffix}"
        self.rows = 0
        folder.mkdir(parents=True, exist_ok=True)
        self.raw = self.path.open("wb")
        self.stream: Any = self.raw
        if suffix.endswith(".gz"):
            self.stream = gzip.GzipFile(filename="", fileobj=self.raw, mode="wb", mtime=0, compresslevel=3)
        elif suffix.endswith(".zst"):
            self.stream = zstandard.ZstdCompressor(level=3).stream_writer(self.raw, closefd=False)
        self.parquet: pq.ParquetWriter | None = None
        if suffix.startswith("csv"):
            self.stream.write(self._header())

    def _header(self) -> bytes:
        head = ",".join(self.contract.names)
        # one agency writes a byte order mark and Windows line ends
        return ("\ufeff" + head + "\r\n" if self.bom else head + "\n").encode()

    @property
    def bom(self) -> bool:
        """Whether this file is of the agency that writes a BOM and CRLF."""
        return self.contract.feed == "traffic" and self.suffix == "csv"

    def write(self, columns: dict[str, pa.Array]) -> None:
        """Appends rows; columns that are not given are null."""
        rows = len(next(iter(columns.values())))
        if rows == 0:
            return
        self.rows += rows
        types = {c.name: ARROW_TYPES[c.type] for c in self.contract.columns}
        table = pa.table(
            {n: columns[n].cast(t) if n in columns else pa.nulls(rows, t) for n, t in types.items()}
        )
        if self.suffix == "parquet":
            if self.parquet is None:
                self.parquet = pq.ParquetWriter(
                    self.stream, table.schema, compression="zstd", store_schema=False
                )
            self.parquet.write_table(table)
            return
        text = pa.table({n: text_of(table.column(n)) for n in table.column_names})
        if self.suffix.startswith("json"):
            lines = [
                json.dumps({k: v for k, v in r.items() if v is not None}, ensure_ascii=False)
                for r in text.to_pylist()
            ]
            self.stream.write(("\n".join(lines) + "\n").encode())
            return
        sink = io.BytesIO()
        pacsv.write_csv(text, sink, pacsv.WriteOptions(include_header=False, quoting_style="none"))
        block = sink.getvalue()
        self.stream.write(block.replace(b"\n", b"\r\n") if self.bom else block)

    def close(self) -> None:
        """Ends the file; writes its checksum where the agency sends one."""
        if self.suffix == "parquet":
            if self.parquet is None:
                types = [(c.name, ARROW_TYPES[c.type]) for c in self.contract.columns]
                empty = pa.schema(types).empty_table()
                self.parquet = pq.ParquetWriter(
                    self.stream, empty.schema, compression="zstd", store_schema=False
                )
                self.parquet.write_table(empty)
            self.parquet.close()
        elif self.stream is not self.raw:
            self.stream.close()
        self.raw.close()
        if self.suffix.startswith("json") and self.rows == 0:
            self.path.unlink()
            self.path = self.path.with_name(f"{self.contract.feed}.csv")
            self.path.write_text(",".join(self.contract.names) + "\n", encoding="utf-8")
        if self.contract.feed in SIDECARS:
            with self.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            Path(f"{self.path}.sha256").write_text(f"{digest}  {self.path.name}\n", encoding="utf-8")
