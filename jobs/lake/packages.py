"""Packages for agencies on disk: snapshot and changes as Parquet and CSV, a descriptor, and checksums.

The descriptor is a Frictionless Data Package (datapackage.org, version 1). The same content gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from jobs.errors import AssentError
from jobs.lake.outbox import private_folder

FRICTIONLESS = {pa.string(): "string", pa.int64(): "integer", pa.date32(): "date"}
SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Package:
    """What one register sends on one night."""

    register: str
    recipient: str
    night: dt.date
    snapshot: pa.Table
    changes: pa.Table
    approved: bool
    facts: dict[str, Any]
    previous: Path | None

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.register}-{self.night.isoformat()}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sums(folder: Path) -> None:
    """AssentError unless every file of a package is as its checksums say."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
        damaged = [
            name for sha, _, name in (line.partition("  ") for line in lines) if _sha256(folder / name) != sha
        ]
    except OSError as e:
        raise AssentError(
            f"package {folder.name}: cannot be read ({e.strerror}); restore it from your backup"
        ) from None
    if damaged or not lines:
        raise AssentError(
            f"package {folder.name}: {len(damaged)} file(s) damaged; restore it from your backup"
        )


def newest_before(folder: Path, register: str, night: dt.date) -> Path | None:
    """The package of a register's last night before this one."""
    found = []
    if folder.is_dir():
        for path in folder.iterdir():
            stem, day = path.name[:-11], path.name[-10:]
            if path.is_dir() and stem == register and day < night.isoformat():
                found.append((day, path))
    return max(found)[1] if found else None


def read_snapshot(folder: Path, schema: pa.Schema) -> pa.Table:
    """The snapshot of a package, after its checksums; AssentError when its columns are other than the policy's now."""
    check_sums(folder)
    table = pq.read_table(folder / "snapshot.parquet")
    missing = set(schema.names) - set(table.column_names)
    for name in missing:  # a column that the policy names since: unknown then, so each entry is a CHANGE
        table = table.append_column(name, pa.nulls(table.num_rows, schema.field(name).type))
    return table.select(schema.names).cast(schema)


def _write_table(folder: Path, name: str, table: pa.Table) -> list[dict[str, Any]]:
    pq.write_table(
        table, folder / f"{name}.parquet", compression="zstd", write_statistics=False, store_schema=False
    )
    pacsv.write_csv(table, folder / f"{name}.csv", pacsv.WriteOptions(quoting_style="needed"))
    fields = [{"name": f.name, "type": FRICTIONLESS[f.type]} for f in table.schema]
    return [
        {
            "name": f"{name}-{kind}",
            "path": f"{name}.{kind}",
            "format": kind,
            "encoding": "utf-8",
            "bytes": (folder / f"{name}.{kind}").stat().st_size,
            "hash": f"sha256:{_sha256(folder / f'{name}.{kind}')}",
            "schema": {"fields": fields, "primaryKey": "record_id"},
        }
        for kind in ("csv", "parquet")
    ]


def _fill(folder: Path, package: Package) -> None:
    resources = _write_table(folder, "snapshot", package.snapshot) + _write_table(
        folder, "changes", package.changes
    )
    made = package.changes.column("change").to_pylist()
    descriptor = {
        "profile": "data-package",
        "name": f"{package.register.replace('_', '-')}-{package.night.isoformat()}",
        "title": f"Register {package.register} for {package.recipient}",
        "night": package.night.isoformat(),
        "approved": package.approved,
        "counts": {
            "snapshot": package.snapshot.num_rows,
            **{c: made.count(c) for c in ("ADD", "CHANGE", "REMOVE")},
        },
        "previous": None
        if package.previous is None
        else {"name": package.previous.name, "sha256": _sha256(package.previous / SUMS)},
        **package.facts,
        "resources": resources,
    }
    (folder / "datapackage.json").write_text(
        json.dumps(descriptor, indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )
    names = sorted(p.name for p in folder.iterdir())
    (folder / SUMS).write_text("".join(f"{_sha256(folder / n)}  {n}\n" for n in names), encoding="utf-8")


def due(folder: Path, package: Package) -> bool:
    """Whether a package is still to be written: none stands, or one of removals alone and this one holds the rest."""
    target = folder / package.name
    if not target.exists():
        return True
    check_sums(target)
    standing = json.loads((target / "datapackage.json").read_text(encoding="utf-8"))
    return package.approved and not standing["approved"]


def write_package(folder: Path, package: Package) -> Path | None:
    """Writes a package under a temporary name and renames it; None when the night's package stands already.

    One package a register and night: what an approval adds later the same night takes the place of removals alone.
    """
    private_folder(folder)
    target = folder / package.name
    if not due(folder, package):
        return None
    scratch = folder / f".{target.name}.{os.getpid()}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    try:
        _fill(scratch, package)
        if target.exists():
            old = folder / f".{target.name}.replaced"
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
            scratch.rename(target)
            shutil.rmtree(old)
        else:
            scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target
