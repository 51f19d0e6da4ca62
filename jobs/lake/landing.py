"""Landing: one delivered file as Parquet of its verbatim text, and its entry in the manifest.

What an identity is compared by stands once for a feed and night, in ``landing/_identities``, and not in each row.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from jobs.errors import AssentError
from jobs.lake import parquet_files
from jobs.lake.ahead import ahead
from jobs.lake.deliveries import Delivered, Source
from jobs.lake.lake import Lake
from jobs.lake.macs import Macs
from jobs.lake.readers import Stopped, gathered
from jobs.lake.runs import IDENTITIES
from schemas.contract import MET_COLUMNS, Contract

# A landing file has at most about so many rows, so that Spark reads a large delivery with every core.
PART_ROWS = 2_000_000
# Of what extract adds, the columns in which a value stands often.
REPEATED = ("file", "row_error", "raw")
ALIKE = ["birth_date", "family_name", "given_name"]  # the same of identities
UNFINISHED = ".part"


def repeated(contract: Contract) -> list[str]:
    """Columns worth a dictionary: not numbers, identifiers and codes, in which hardly a value stands twice."""
    own = [c.name for c in contract.columns if c.type != "integer" and not c.name.endswith("_id")]
    return [n for n in own if n != "receipt_sha256"] + [*REPEATED]


def land(
    source: Source, delivered: Delivered, contract: Contract, lake: Lake, macs: Macs
) -> tuple[dict[str, Any], list[str]]:
    """Lands one file; its manifest entry, and the names of the columns left out. A stopped file leaves nothing behind.

    Measured first and read afterwards, so that a damaged file cannot stop its feed with a damaged header.
    """
    entry: dict[str, Any] = {
        "feed": delivered.feed,
        "file": delivered.file,
        "delivered_on": delivered.delivered_on.isoformat(),
        "rows": None,
        "bytes": None,
        "sha256": None,
        "landing": [],
        "attested_by": None,
        "stopped": None,
        "message": None,
    }
    told: list[str] = []
    paths: list[str] = []
    try:
        entry["bytes"], entry["sha256"] = source.measure(delivered, contract)
        if entry["bytes"] == 0:
            raise Stopped("empty_file", "the file has no bytes; deliver it again, with a header at least")
        said = source.checksum(delivered)
        if said is not None and said != entry["sha256"]:
            raise Stopped(
                "checksum_mismatch", "the file is not the one its .sha256 was made of; deliver both again"
            )
        batches = gathered(source.batches(delivered, contract, told, macs.valid))
        entry["rows"] = _write(batches, delivered, contract, lake, macs, entry["sha256"], paths)
        entry["landing"] = paths
    except Stopped as e:
        entry |= {"stopped": e.code, "message": e.message}
        remove(lake, paths)
    return entry, told


def _met(night: dt.date, feed: str) -> str:
    return f"{IDENTITIES}/{night.isoformat()}/{feed}.parquet"


@contextmanager
def naming(lake: Lake, night: dt.date, feed: str, macs: Macs) -> Iterator[None]:
    """Within it rows of a feed are landed; what they named, MET_COLUMNS, is kept at its end, and not before.

    So there is something kept only where the feed's last landing came to its end.
    """
    forget_identities(lake, night, feed)
    path = _met(night, feed)
    with _writing(lake):
        lake.fs.makedirs(f"{lake.path}/{path}".rsplit("/", 1)[0], exist_ok=True)
    with _part(lake, f"{path}{UNFINISHED}", pa.schema(MET_COLUMNS.items()), ALIKE) as writer:

        def keep(named: pa.Table) -> None:
            with _writing(lake):
                writer.write_table(named.cast(writer.schema))

        with macs.naming(keep):
            yield
    with _writing(lake):
        lake.fs.mv(f"{lake.path}/{path}{UNFINISHED}", f"{lake.path}/{path}")


def leave_identities_out(lake: Lake, night: dt.date, feed: str, files: list[str]) -> None:
    """Leaves out of what is kept of a feed the identities that its landing files do not name."""
    met = _met(night, feed)
    if not files:
        return forget_identities(lake, night, feed)
    sql = "FROM met SEMI JOIN (SELECT DISTINCT identity FROM landed) USING (identity)"
    tables = {"met": identities(lake, night, feed), "landed": parquet_files.landed(lake, files)}
    with _writing(lake):
        lake.store(sql, tables, f"{lake.path}/{met}{UNFINISHED}")
        lake.fs.mv(f"{lake.path}/{met}{UNFINISHED}", f"{lake.path}/{met}")


def forget_identities(lake: Lake, night: dt.date, feed: str) -> None:
    """Removes what :func:`naming` has kept."""
    path = _met(night, feed)
    remove(lake, [path, f"{path}{UNFINISHED}"])


def identities(lake: Lake, night: dt.date, feed: str) -> pads.Dataset:
    """What :func:`naming` has kept; AssentError where there is nothing."""
    path = _met(night, feed)
    if not lake.fs.exists(f"{lake.path}/{path}"):
        raise AssentError(
            f"{feed}: landing of {night} is not whole; run `assent extract --date {night}` again"
        )
    return lake.landed([path])


def remove(lake: Lake, paths: list[str]) -> None:
    """Removes landing files."""
    for path in paths:
        if lake.fs.exists(f"{lake.path}/{path}"):
            lake.fs.rm(f"{lake.path}/{path}")


@contextmanager
def _writing(lake: Lake) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise AssentError(
            f"lake {lake.root} cannot be written ({e.strerror or type(e).__name__}); check rights and space"
        ) from None


def _landed(batch: pa.RecordBatch, schema: pa.Schema, file: str, first: int, macs: Macs) -> pa.RecordBatch:
    rows = batch.num_rows
    more = {
        "file": pa.repeat(pa.scalar(file, pa.string()), rows),
        "row_number": pa.array(np.arange(first, first + rows, dtype=np.int64)),
        **macs.columns(batch),
    }
    columns = [more[n] if n in more else batch.column(n) for n in schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _write(
    batches: Iterator[pa.RecordBatch],
    delivered: Delivered,
    contract: Contract,
    lake: Lake,
    macs: Macs,
    sha256: str,
    paths: list[str],
) -> int:
    """Writes the parts, names them in ``paths`` as they begin, and returns the rows."""
    schema, alike, rows = contract.landing_schema(), repeated(contract), 0
    # of path and content: two files of one content are two files
    name = hashlib.sha256(f"{delivered.file}:{sha256}".encode()).hexdigest()[:12]
    folder = f"landing/{delivered.feed}/delivery={delivered.delivered_on.isoformat()}"
    # reading, coding and writing side by side
    with closing(ahead(_made(batches, schema, delivered.file, macs))) as made:
        batch = next(made, None)
        with _writing(lake):
            lake.fs.makedirs(f"{lake.path}/{folder}", exist_ok=True)
        while not paths or batch is not None:
            paths.append(f"{folder}/{name}-{len(paths)}.parquet")
            with _part(lake, paths[-1], schema, alike) as writer:
                part = 0
                while batch is not None and part < PART_ROWS:
                    with _writing(lake):
                        writer.write_batch(batch)
                    part, rows = part + batch.num_rows, rows + batch.num_rows
                    batch = next(made, None)
    return rows


def _made(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, file: str, macs: Macs
) -> Iterator[pa.RecordBatch]:
    rows = 0
    with closing(ahead(batches)) as read:
        for batch in read:
            yield _landed(batch, schema, file, rows + 1, macs)
            rows += batch.num_rows


@contextmanager
def _part(lake: Lake, path: str, schema: pa.Schema, alike: list[str]) -> Iterator[pq.ParquetWriter]:
    with _writing(lake):
        out = lake.fs.open(f"{lake.path}/{path}", "wb")
    try:
        writer = pq.ParquetWriter(
            out, schema, compression="zstd", write_statistics=False, use_dictionary=alike
        )
        yield writer
        with _writing(lake):
            writer.close()
    finally:
        with _writing(lake):
            out.close()
