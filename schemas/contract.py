"""The contract of a feed: each delivered column once, and everything that follows from it.

A feed is one module ``schemas/<feed>.py`` with a ``CONTRACT``. The Arrow schema of landing, the Spark
schema of accepted rows, the row checks, the data dictionary and the ODCS document are derived here, so
that none of them can disagree with another.
"""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache

import pyarrow as pa

from schemas.table import ARROW

ARROW_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "boolean": pa.bool_(),
    "double": pa.float64(),
}
DUCKDB_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "boolean": "BOOLEAN",
    "double": "DOUBLE",
}
SPARK_TYPES = {
    "string": "STRING",
    "integer": "BIGINT",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
    "double": "DOUBLE",
}


@dataclass(frozen=True)
class Column:
    """One delivered column: name (with its unit), type, meaning, nullability and range."""

    name: str
    type: str
    meaning: str
    required: bool = False
    unit: str = ""
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    may_be_future: bool = False

    def __post_init__(self) -> None:
        if self.type not in ARROW_TYPES:
            raise ValueError(f"column {self.name}: unknown type {self.type}")


@dataclass(frozen=True)
class Contract:
    """What one feed delivers.

    ``mode`` is ``append`` (rows never change) or ``upsert`` (the greatest ``revised_at`` of a key wins).
    ``freshness_days`` is the age in days of the oldest delivery still usable. ``volume`` bounds the rows of one night's
    files, absolute; outside it warns, or stops the feed where ``volume_severity`` is ``critical``. ``ignores_unknown``
    is set for the two feeds that must not fail a person for a column more. ``grace_days`` is for how many nights an
    order that the source no longer has stays as it was: a record left out is no statement about it (rules/grace.py).
    """

    feed: str
    title: str
    mode: str
    key: str
    columns: tuple[Column, ...]
    freshness_days: int
    volume: tuple[int, int] = (0, 1_000_000_000)
    volume_severity: str = "warning"
    volume_reason: str = "no more than a national population's rows in one delivery"
    ignores_unknown: bool = False
    orders: bool = False
    grace_days: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Every delivered column name, in contract order."""
        return tuple(c.name for c in self.columns)

    @property
    def version(self) -> tuple[str, ...]:
        """The columns that tell a version of a record from every other: two rows of one are copies, or disagree."""
        return (self.key,) if self.mode == "append" else (self.key, "revised_at")

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that must be present in a file, and not null in a row."""
        return tuple(c.name for c in self.columns if c.required)

    def is_fresh(self, last_good: dt.date | None, night: dt.date) -> bool:
        """Whether the last good delivery is still usable on a night."""
        return last_good is not None and last_good >= night - dt.timedelta(days=self.freshness_days)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when the feed has none."""
        for c in self.columns:
            if c.name == name:
                return c
        raise KeyError(f"{self.feed}.{name}")

    def landing_schema(self) -> pa.Schema:
        """Landing: each column as verbatim text, then :data:`LANDING_COLUMNS`."""
        verbatim = [pa.field(c.name, pa.string()) for c in self.columns]
        return pa.schema(verbatim + [pa.field(n, t) for n, t in LANDING_COLUMNS.items()])

    def accepted_ddl(self) -> str:
        """Spark DDL of ``accepted/<feed>``: typed columns, then :data:`ACCEPTED_COLUMNS`."""
        own = [f"{c.name} {SPARK_TYPES[c.type]}" for c in self.columns]
        return ", ".join(own + [f"{n} {t}" for n, t in ACCEPTED_COLUMNS.items()])

    def accepted_schema(self) -> pa.Schema:
        """The same as an Arrow schema."""
        own = [pa.field(c.name, ARROW_TYPES[c.type]) for c in self.columns]
        return pa.schema(own + [pa.field(n, ARROW[t]) for n, t in ACCEPTED_COLUMNS.items()])

    def conformed_ddl(self) -> str:
        """Spark DDL of the current version of each record without its identity."""
        own = [f"{c.name} {SPARK_TYPES[c.type]}" for c in self.columns if c.name not in IDENTITY_NAMES]
        return ", ".join(["person_id BIGINT", *own, "file STRING", "row_number BIGINT", "night DATE"])


# What extract adds to each landed row.
LANDING_COLUMNS: dict[str, pa.DataType] = {
    "file": pa.string(),  # path relative to the deliveries folder
    "row_number": pa.int64(),  # data rows counted from 1
    "row_error": pa.string(),  # null, 'encoding' or 'malformed_row': the row could not be read as columns
    "raw": pa.string(),  # the row's text when row_error is set (undecodable bytes escaped), else null
    "id_valid": pa.bool_(),  # national_id passes the policy's stdnum module; null when there is none
    "person_id": pa.int64(),  # surrogate from HMAC of the compacted national id; null unless id_valid
    "identity": pa.int64(),  # the row's identity among those that its feed named that night, MET_COLUMNS
    "birth_comparable": pa.bool_(),  # there is a birth_mac; null unless id_valid
    "name_comparable": pa.bool_(),  # there are name_macs; null unless id_valid or when there is no family name
}
# What validate adds to each accepted row (restricted zone).
ACCEPTED_COLUMNS = {
    "person_id": "BIGINT",
    "file": "STRING",
    "row_number": "BIGINT",
    "night": "DATE",  # the night that took the row
}

IDENTITY_NAMES = ("national_id", "family_name", "given_name", "birth_date")
# What extract keeps of each identity that a feed named on a night, one row as it is spelled (seldom two). Its message
# authentication codes are keyed by the vault's key, so that a plan compares identities without one standing in it.
MET_COLUMNS: dict[str, pa.DataType] = {
    "identity": pa.int64(),  # as the landed rows name it
    **dict.fromkeys(IDENTITY_NAMES, pa.large_string()),  # verbatim, however long
    "person_id": pa.int64(),  # as in the landed rows
    "id_mac": pa.binary(),  # 16 bytes of the same HMAC; detects a collision of person_id
    "birth_mac": pa.binary(),  # 16-byte HMAC of person and birth date; null when unreadable
    "name_macs": pa.list_(pa.binary()),  # HMACs of the family name's comparison keys (ä as a, and as ae)
    "given_macs": pa.list_(pa.binary()),  # the same of the given name; only ever counted as a warning
}
IDENTITY = (
    Column("national_id", "string", "identifier under the policy's stdnum module", required=True),
    Column("family_name", "string", "family name, any spelling that compares equal", required=True),
    Column("given_name", "string", "given name; takes no part in the join", required=True),
    Column("birth_date", "date", "date of birth", required=True),
)
REVISION = (
    Column(
        "revised_at", "timestamp", "the source's time (UTC) of this version; the greatest wins", required=True
    ),
)
ORDER = (
    Column("authority", "string", "the court or authority that decided"),
    Column("legal_basis", "string", "the law under which it decided"),
    Column("ordered_on", "date", "day of the decision"),
    Column("served_on", "date", "day on which service is proved"),
    Column("objection_until", "date", "last day to object", may_be_future=True),
    Column("appeal_lodged_on", "date", "an appeal is pending from this day"),
    Column("appeal_decided_on", "date", "day of the appeal's decision"),
    Column("appeal_outcome", "string", "outcome of the appeal", values=("dismissed", "allowed", "varied")),
    Column("stayed_from", "date", "first day on which it is not enforceable", may_be_future=True),
    Column("stayed_until", "date", "last day on which it is not enforceable", may_be_future=True),
    Column("satisfied_on", "date", "paid or done"),
    Column("set_aside_on", "date", "annulled"),
    Column("expires_on", "date", "last day of force", may_be_future=True),
)


@cache
def contracts() -> dict[str, Contract]:
    """Every feed's contract by name, found as modules of this package that define ``CONTRACT``."""
    import schemas

    found = {}
    for info in pkgutil.iter_modules(schemas.__path__):
        module = importlib.import_module(f"schemas.{info.name}")
        contract = getattr(module, "CONTRACT", None)
        if isinstance(contract, Contract):
            if contract.feed != info.name:
                raise ValueError(f"schemas/{info.name}.py declares feed {contract.feed!r}")
            found[contract.feed] = contract
    return dict(sorted(found.items()))
