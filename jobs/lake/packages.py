"""Packages: what one recipient is sent on one night, signed, encrypted to its keys, and remembered.

A package is generic: a register (``judgment_debts``) and a recipient's scores (``scores-consumer_credit``) go the same
way. The caller decides what is sent; here it is written down, sealed and put under ``exports/<recipient>/``.

    previous = read_previous(night, name, recipient, key, fields)   # what the recipient's last package held
    made = changes(previous.snapshot, tonight, …)                   # the caller's decision
    package = Package(…, snapshot=applied(previous.snapshot, made), changes=made, persons=…, previous=previous)
    sent = send_package(night, package, record)                     # None: tonight's package stands already
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from jobs.errors import AssentError
from jobs.lake.night import Night

TYPES = {"string": pa.string(), "integer": pa.int64(), "date": pa.date32(), "boolean": pa.bool_()}


class RecipientStopped(AssentError):
    """A recipient without a usable key: nothing was written for it, the others go on. One line, names what to do."""


@dataclass(frozen=True)
class Field:
    """One column that is sent. ``type`` is a Frictionless type of TYPES.

    ``identity``: kept in the lake as ciphertext alone; its name is one of ``vault.VALUES``.
    """

    name: str
    type: str
    description: str
    required: bool = False
    identity: bool = False
    enum: tuple[str, ...] = ()
    pattern: str | None = None


@dataclass(frozen=True)
class Previous:
    """What the recipient's last package before tonight held; empty when there was none.

    ``sha256`` is of that package's SHA256SUMS. ``persons``: key -> person_id of each row of ``snapshot``.
    """

    snapshot: pa.Table
    persons: Mapping[str, int]
    night: dt.date | None = None
    name: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Package:
    """What is sent to one recipient under one name on one night.

    ``snapshot`` has the columns of ``fields``, sorted by ``key``, which is unique; ``changes`` has those columns and
    ``change`` (ADD, CHANGE, REMOVE) and ``cause`` (one of ``causes``, of a REMOVE), and turns
    ``previous.snapshot`` into ``snapshot``. ``facts`` stand in the descriptor as they are (see :func:`facts`).
    """

    name: str
    title: str
    recipient: str
    night: dt.date
    key: str
    fields: tuple[Field, ...]
    snapshot: pa.Table
    changes: pa.Table
    persons: Mapping[str, int]
    previous: Previous
    approved: bool
    causes: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The package's name with its night, as its file is called."""
        return f"{self.name}-{self.night.isoformat()}"


@dataclass(frozen=True)
class Sent:
    """A package as it stands: its path under the exports folder, SHA-256 and size of the encrypted file."""

    path: str
    sha256: str
    bytes: int
    manifest_sha256: str


def schema_of(fields: tuple[Field, ...]) -> pa.Schema:
    """The Arrow schema of a snapshot."""
    return pa.schema([(f.name, TYPES[f.type]) for f in fields])


def facts(night: Night, valid_until: dt.date | None, **more: Any) -> dict[str, Any]:
    """What every descriptor says: publication, hashes of floor and policy, until when the recipient may act."""
    raise NotImplementedError


def read_previous(night: Night, name: str, recipient: str, key: str, fields: tuple[Field, ...]) -> Previous:
    """The newest package before tonight of this name that went to this recipient, in tonight's columns.

    A column that was not sent then is null. AssentError when a value does not decrypt.
    """
    raise NotImplementedError


def persons_of(
    package_keys: pa.ChunkedArray, previous: Previous, changes: pa.Table, tonight: Mapping[str, int]
) -> dict[str, int]:
    """key -> person_id of each row of a snapshot: tonight's person where the row was added or changed."""
    raise NotImplementedError


def send_package(night: Night, package: Package, record: Callable[[str], None]) -> Sent | None:
    """Seals a package, calls ``record`` with its path (to disclose it), and puts it under its final name.

    None when tonight's package stands already; what an approval adds later the same night takes the place of a
    package of removals alone. RecipientStopped, and nothing written or recorded, without a usable key.
    """
    raise NotImplementedError
