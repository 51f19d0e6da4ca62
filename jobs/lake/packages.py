"""Packages: what one recipient is sent on one night, signed, encrypted to its keys, and remembered.

A package is generic: a register (``judgment_debts``) and a recipient's scores (``scores-consumer_credit``) go the same
way. The caller decides what is sent; here it is written down, sealed and put under ``exports/<recipient>/``.

    prepare(night)                                                  # keys; once, before the first package
    previous = read_previous(night, name, recipient, key, fields)   # what the recipient's last package held
    made = changes(previous.snapshot, tonight, …)                   # the caller's decision
    package = Package(…, snapshot=applied(previous.snapshot, made), changes=made, people=…, previous=previous)
    sent = send_package(night, package, record)                     # None: tonight's package stands already
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError
from jobs.lake.descriptor import CHANGES, fill
from jobs.lake.exported import State, add_package, packages_of, read_state, table_of, write_state
from jobs.lake.lake import Lake
from jobs.lake.night import Night
from jobs.lake.out import out_folder
from jobs.lake.recipients import RecipientStopped, keys_of, make_demo_recipients, open_operator
from jobs.lake.sealing import SUFFIX, Box, Sealed, part_of, sha256_of
from jobs.rules.floor import floor_hash

if TYPE_CHECKING:
    from jobs.lake.keys import Keys

__all__ = [
    "Field", "Package", "Previous", "RecipientStopped", "Sent", "due", "facts", "people_of", "prepare",
    "read_previous", "schema_of", "send_files", "send_package",
]  # fmt: skip

TYPES = {"string": pa.string(), "integer": pa.int64(), "date": pa.date32(), "boolean": pa.bool_()}
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
NOT_SENT = frozenset({"person_id", "night", "manifest", "change", "cause", "changed"})
Record = Callable[[str], None]


@dataclass(frozen=True)
class Field:
    """One column that is sent. ``type`` is a Frictionless type of TYPES; identities are those of ``vault.VALUES``.

    ``required`` of each row added or changed: one that waits for approval may lack a column that is new since.
    A ``pattern`` holds in the CSV too, so its texts must not begin with what is escaped there.
    """

    name: str
    type: str
    description: str
    required: bool = False
    enum: tuple[str, ...] = ()
    pattern: str | None = None


@dataclass(frozen=True)
class Previous:
    """What the recipient's last package before tonight held; empty when there was none.

    ``name`` is that package's, with its night; ``sha256`` is of its SHA256SUMS.
    """

    state: State
    night: dt.date | None = None
    name: str | None = None
    sha256: str | None = None

    @property
    def snapshot(self) -> pa.Table:
        """Its rows, sorted by key."""
        return self.state.rows

    @property
    def people(self) -> pa.ChunkedArray:
        """The person_id of each row of ``snapshot``."""
        return self.state.people


@dataclass(frozen=True)
class Package:
    """What is sent to one recipient under one name on one night.

    ``snapshot`` has the columns of ``fields``, sorted by ``key``, which is unique; ``changes`` has those columns and
    ``change`` (ADD, CHANGE, REMOVE), ``cause`` (one of ``causes``, of a REMOVE) and ``changed`` (the columns of a
    CHANGE, parted by commas), and turns ``previous.snapshot`` into ``snapshot``. ``people``: the person_id
    of each row of ``snapshot``; it stays in the lake. ``facts`` stand in the descriptor as they are (see
    :func:`facts`).
    """

    name: str
    title: str
    recipient: str
    night: dt.date
    key: str
    fields: tuple[Field, ...]
    snapshot: pa.Table
    changes: pa.Table
    people: pa.ChunkedArray
    previous: Previous
    approved: bool
    causes: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The package's name with its night, as its file is called."""
        return f"{self.name}-{self.night.isoformat()}"

    def changed_fields(self) -> tuple[Field, ...]:
        """The columns of ``changes``."""
        change = Field("change", "string", "what to do with the row", required=True, enum=CHANGES)
        cause = Field("cause", "string", "why the row is removed; null of other rows", enum=self.causes)
        changed = Field("changed", "string", "columns of a CHANGE, parted by commas; null of other rows")
        return (*self.fields, change, cause, changed)


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
    assert night.published is not None
    return {
        "publication": {"run_id": night.published["run_id"], "row_hash": night.published["row_hash"]},
        "floor_hash": floor_hash(),
        "policy_hash": night.published["policy_hash"],
        "valid_until": None if valid_until is None else valid_until.isoformat(),
        **more,
    }


def prepare(night: Night) -> None:
    """Makes the operator's key where there is none, and the demo's recipients before anything was ever sent."""
    open_operator(night.keys.folder, night.say)
    if night.lake.version("packages") is None:
        make_demo_recipients(night.keys.folder, night.policy, night.say)


def read_previous(night: Night, name: str, recipient: str, key: str, fields: tuple[Field, ...]) -> Previous:
    """The newest package before tonight of this name that went to this recipient, in tonight's columns.

    A column that was not sent then is null. AssentError when a value does not decrypt.
    """
    schema = schema_of(fields)
    before = [r for r in packages_of(night.lake, recipient, name) if r["night"] < night.date]
    if not before:
        return Previous(State.nothing(schema))
    last = before[-1]
    state = read_state(
        night.lake, night.keys, table_of(recipient, name), last["manifest_sha256"], key, schema
    )
    if (held := state.rows.num_rows) != last["rows"]:
        raise AssentError(
            f"export {name}: {held} of {last['rows']} entries of the package of {last['night']} are held; "
            "restore the lake from its backup"
        )
    return Previous(state, last["night"], f"{name}-{last['night'].isoformat()}", last["manifest_sha256"])


def people_of(
    key: str, snapshot: pa.Table, changes: pa.Table, previous: Previous, tonight: pa.Table
) -> pa.ChunkedArray:
    """The person_id of each row of a snapshot: that of ``tonight`` where the row was added or changed.

    ``tonight``: ``key`` and ``person_id`` of those rows at least.
    """
    fresh = changes.filter(pc.field("change") != "REMOVE")[key]
    before, now = previous.snapshot[key], snapshot[key]
    old = previous.people.take(pc.index_in(now, value_set=before))
    new = tonight["person_id"].take(pc.index_in(now, value_set=tonight[key]))
    return pc.if_else(pc.is_in(now, value_set=fresh), new, old)


def send_package(night: Night, package: Package, record: Record) -> Sent | None:
    """Seals a package, calls ``record`` with its path (to disclose it), and puts it under its final name.

    None when tonight's package stands already; what an approval adds later the same night takes the place of a
    package of removals alone. RecipientStopped, and nothing written or recorded, without a usable key.
    """
    _check(package)
    tonight = _tonight(night.lake, package)
    standing = tonight[-1] if tonight else None
    if not _due(package, standing):
        settle(night.lake, package.recipient)
        return None
    held = {package.previous.sha256, standing["manifest_sha256"] if standing else None} - {None}

    def remember(sealed: Sealed) -> None:
        write_state(
            night.lake,
            night.keys,
            table_of(package.recipient, package.name),
            package.night,
            sealed.manifest_sha256,
            package.key,
            package.snapshot,
            package.people,
            package.previous.state,
            {str(h) for h in held},
        )

    replaces = standing["manifest_sha256"] if standing else None
    return _send(
        night.lake,
        night.keys,
        night.say,
        {
            "night": package.night,
            "recipient": package.recipient,
            "name": package.name,
            "sequence": len(tonight),
            "rows": package.snapshot.num_rows,
            "approved": package.approved,
        },
        lambda box: fill(box, package, package.changed_fields(), replaces),
        remember,
        record,
    )


def _tonight(lake: Lake, package: Package) -> list[dict[str, Any]]:
    rows = packages_of(lake, package.recipient, package.name)
    return [r for r in rows if r["night"] == package.night]


def _due(package: Package, standing: Mapping[str, Any] | None) -> bool:
    return standing is None or (package.approved and not standing["approved"])


def due(lake: Lake, package: Package) -> bool:
    """Whether a package is still to be sent: none stands, or one of removals alone and this one holds the rest."""
    tonight = _tonight(lake, package)
    return _due(package, tonight[-1] if tonight else None)


def let_out(lake: Lake, package: Package) -> bool:
    """Whether this night's package stands already with additions and changes in it: then none of them waits."""
    tonight = _tonight(lake, package)
    return bool(tonight) and bool(tonight[-1]["approved"])


def _check(package: Package) -> None:
    """ValueError for columns that cannot be sent; AssentError when a row added or changed lacks a required value."""
    clash = NOT_SENT & {f.name for f in package.fields}
    if clash:
        raise ValueError(f"package {package.name}: {', '.join(sorted(clash))} cannot be sent under that name")
    fresh = package.changes.filter(pc.field("change") != "REMOVE")
    for f in package.fields:
        lacking = fresh.column(f.name).null_count if f.required else 0
        if lacking:
            raise AssentError(
                f"export {package.name}: {lacking} entries have no {f.name}; nothing is exported, look at the step "
                "that made them"
            )


def send_files(
    lake: Lake,
    keys: Keys,
    day: dt.date,
    recipient: str,
    name: str,
    files: Mapping[str, str],
    record: Record,
    say: Callable[[str], None],
) -> Sent | None:
    """Sends small text files that are no snapshot (a notice of recall) the same way: checksums, signature, encryption.

    None when there is such a package of that name and day already. RecipientStopped as :func:`send_package`.
    """
    if any(r["night"] == day for r in packages_of(lake, recipient, name)):
        settle(lake, recipient)
        return None

    def put(box: Box) -> None:
        for file, text in sorted(files.items()):
            box.add_text(file, text)

    row = {"night": day, "recipient": recipient, "name": name, "sequence": 0, "rows": None, "approved": True}
    return _send(lake, keys, say, row, put, lambda sealed: None, record)


def _send(
    lake: Lake,
    keys: Keys,
    say: Callable[[str], None],
    row: dict[str, Any],
    put: Callable[[Box], None],
    remember: Callable[[Sealed], None],
    record: Record,
) -> Sent:
    """Seal, remember, record, commit, release: killed between any two, the same call again ends the same."""
    recipient, name = row["recipient"], row["name"]
    if not NAME.fullmatch(name):
        raise ValueError(f"package {name!r}: use lower-case letters, digits, `.`, `_`, `-`")
    to = keys_of(keys.folder, recipient)
    operator = open_operator(keys.folder, say)
    settle(lake, recipient)
    out = out_folder(lake.root)
    target = out / "exports" / recipient / f"{name}-{row['night'].isoformat()}{SUFFIX}"
    path = f"{recipient}/{target.name}"
    try:
        with Box(out) as box:
            put(box)
            sealed = box.seal(operator, to, target, row["night"])
    except (OSError, RuntimeError) as e:  # pysequoia raises RuntimeError with a trace, also for a full disk
        first = (str(e).splitlines() or [""])[0][:120]
        raise AssentError(
            f"package {path} cannot be written ({first}); make room, then run the night again"
        ) from None
    try:
        remember(sealed)
        record(path)
    except BaseException:
        sealed.part.unlink(missing_ok=True)
        raise
    made = {
        "package": path,
        "manifest_sha256": sealed.manifest_sha256,
        "sha256": sealed.sha256,
        "bytes": sealed.bytes,
    }
    add_package(lake, {**row, **made})
    sealed.release()
    return Sent(path, sealed.sha256, sealed.bytes, sealed.manifest_sha256)


def settle(lake: Lake, recipient: str) -> None:
    """Ends what a killed run began: a file that was committed gets its name, any other half-made one goes."""
    folder = out_folder(lake.root) / "exports" / recipient
    rows = {Path(r["package"]).name: r["sha256"] for r in packages_of(lake, recipient)}
    for part in folder.glob(f".*{SUFFIX}.part") if folder.is_dir() else ():
        target = folder / part.name[1 : -len(".part")]
        assert part_of(target) == part
        with part.open("rb") as file:
            committed = rows.get(target.name) == sha256_of(file)
        if committed:
            part.replace(target)
        else:
            part.unlink()
