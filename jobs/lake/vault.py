"""The vault: surrogate person ids and their identities, encrypted value by value with AES-SIV (RFC 5297).

AES-SIV is deterministic, so two lakes made from the same inputs and keys hold equal vaults; the associated
data binds each value to its person and column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from jobs.errors import AssentError
from jobs.lake import parquet_files
from jobs.lake.ask import ask
from jobs.lake.lake import Lake
from schemas.tables import VAULT

if TYPE_CHECKING:
    from jobs.lake.keys import Keys
    from jobs.lake.night import Night

VALUES = ("national_id", "family_name", "given_name", "birth_date")
IDENTITIES = pa.schema([("person_id", pa.int64()), *[(v, pa.string()) for v in VALUES]])


def _bound(person_id: int, column: str) -> list[bytes]:
    return [column.encode(), person_id.to_bytes(8, "big")]


def sealed_values(values: list[str | None], people: list[int], column: str, keys: Keys) -> list[bytes | None]:
    """Texts of one identity column, each encrypted and bound to its person and column."""
    cipher = AESSIV(keys.identity)
    return [
        None if v is None else cipher.encrypt(v.encode(), _bound(p, column))
        for p, v in zip(people, values, strict=True)
    ]


def unsealed_values(
    values: list[bytes | None], people: list[int], column: str, keys: Keys
) -> list[str | None]:
    """The texts of :func:`sealed_values`; AssentError when one is of another key, person or column."""
    cipher = AESSIV(keys.identity)
    try:
        return [
            None if v is None else cipher.decrypt(v, _bound(p, column)).decode()
            for p, v in zip(people, values, strict=True)
        ]
    except InvalidTag:
        raise AssentError("vault: a value does not decrypt; set ASSENT_KEYS to the lake's own keys") from None


def encrypted(batches: Iterator[pa.RecordBatch], keys: Keys) -> Iterator[pa.RecordBatch]:
    """Batches of VAULT's columns with the four identity columns as text, encrypted."""
    for batch in batches:
        people = batch.column("person_id").to_pylist()
        columns = []
        for name in VAULT.names:
            column = batch.column(name)
            if name in VALUES:
                column = pa.array(sealed_values(column.to_pylist(), people, name, keys), pa.binary())
            columns.append(column)
        yield pa.RecordBatch.from_arrays(columns, names=VAULT.names).cast(VAULT.arrow())


def decrypted(rows: pa.Table, keys: Keys, values: Sequence[str] = VALUES) -> pa.Table:
    """Identities in a slice of the vault as text, one row a vault row."""
    people = rows.column("person_id").to_pylist()
    out: dict[str, list[Any]] = {"person_id": people}
    for name in values:
        out[name] = unsealed_values(rows.column(name).to_pylist(), people, name, keys)
    return pa.Table.from_pydict(out, schema=pa.schema([IDENTITIES.field(n) for n in out]))


def read_identities(
    night: Night, person_ids: pa.Array | pa.ChunkedArray, values: Sequence[str] = VALUES
) -> pa.Table:
    """Identities of some people: ``person_id`` and ``values`` (of VALUES) as text.

    One row a person: the newest accepted family name. Read only for an entry's export, a notice or explain.
    """
    version = night.pinned("vault")
    if version is None or len(person_ids) == 0:
        return IDENTITIES.empty_table().select(["person_id", *values])
    return identities_at(night.lake, night.keys, version, person_ids, values)


def identities_at(
    lake: Lake,
    keys: Keys,
    version: int,
    person_ids: pa.Array | pa.ChunkedArray,
    values: Sequence[str] = VALUES,
) -> pa.Table:
    """As :func:`read_identities` at a pinned version of the vault."""
    rows = ask(
        f"SELECT person_id, night, event, {', '.join(values)} FROM vault SEMI JOIN wanted USING (person_id)",
        {
            "vault": parquet_files.rows(lake, "vault", version),
            "wanted": pa.table({"person_id": pc.unique(person_ids)}),
        },
    )
    # "name" sorts after "first": the person's own newest statement of the name
    rows = rows.sort_by([("person_id", "ascending"), ("night", "descending"), ("event", "descending")])
    people = rows.column("person_id").to_pylist()
    first = [i for i, p in enumerate(people) if i == 0 or people[i - 1] != p]
    return decrypted(rows.take(pa.array(first, pa.int64())), keys, values)


def person_ids(lake: str, national_ids: list[str]) -> list[int | None]:
    """Surrogates of national ids under a lake's own key; null where an id is not valid."""
    from jobs.lake.config import load_policy
    from jobs.lake.macs import person_ids as from_keys

    found: list[int | None] = from_keys(Lake(lake).open(), national_ids, load_policy().national_id)
    return found
