"""The current version of each record, as SQL: of an upsert feed the newest revision of its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.contract import Contract


def current(
    contract: Contract, columns: Sequence[str], rows: str, more: Mapping[str, tuple[str, str]]
) -> str:
    """``columns`` of ``rows`` (a FROM clause), one row a record, all of them of an append feed.

    ``more`` are further columns: type, and an aggregate over every revision of the record.
    """
    names = ", ".join(columns)
    if contract.mode == "append":
        return f"SELECT {names} FROM {rows} r"
    said = "".join(f", {sql} OVER same AS {name}" for name, (_, sql) in more.items())
    return (
        f"SELECT {names}{said} FROM {rows} r WINDOW same AS (PARTITION BY {contract.key}) "
        f"QUALIFY row_number() OVER (PARTITION BY {contract.key} ORDER BY revised_at DESC) = 1"
    )
