"""Tonight's rows of a feed told apart, as SQL (DuckDB): which are accepted, which refused, and as what.

``checked`` are the rows as :mod:`jobs.arrival` has checked them; ``fates`` what became of keys that came twice and
``refused`` what is refused beside others (:mod:`jobs.rules.matching`); ``landed`` the rows as they were delivered.
A row is known by ``file, row_number``.
"""

from __future__ import annotations

from collections.abc import Set

from schemas.contract import ACCEPTED_COLUMNS, Contract
from schemas.tables import QUARANTINE

PLACE = "file, row_number"
IS_COPY = "len(reasons) = 0"  # of an outcome: a duplicate, which is kept nowhere

_FATES = f"""
UNION ALL SELECT {PLACE}, CASE fate WHEN 'duplicate' THEN [] ELSE [fate] END, false FROM fates"""
_REFUSED = f"""
UNION ALL SELECT {PLACE}, reasons, contested FROM refused"""
# a copy of a row that is refused ends as that row
_COPIES = """
UNION ALL SELECT f.file, f.row_number, r.reasons, r.contested
FROM fates f JOIN refused r ON r.file = f.first_file AND r.row_number = f.first_row WHERE f.fate = 'duplicate'"""


def outcomes(known: Set[str]) -> str:
    """``file, row_number, reasons, contested`` of every row that is not accepted, one row each.

    ``known`` are the tables there are; ``reasons`` are sorted, and empty of a copy.
    """
    parts = f"SELECT {PLACE}, reasons, false AS contested FROM checked WHERE len(reasons) > 0"
    parts += _FATES if "fates" in known else ""
    parts += _REFUSED if "refused" in known else ""
    parts += _COPIES if {"fates", "refused"} <= known else ""
    return (
        f"SELECT {PLACE}, list_sort(list_distinct(flatten(list(reasons)))) AS reasons, bool_or(contested) AS contested "
        f"FROM ({parts}) GROUP BY {PLACE}"
    )


def accepted(contract: Contract, some_not: bool) -> str:
    """``accepted/<feed>`` without ``night``; with ``some_not`` the rows that ``outcomes`` names are left out."""
    typed = [f"t_{n} AS {n}" for n in contract.names]
    names = ", ".join([*typed, *(n for n in ACCEPTED_COLUMNS if n != "night")])
    return f"SELECT {names} FROM checked" + (f" ANTI JOIN outcomes USING ({PLACE})" if some_not else "")


def _object(names: list[str]) -> str:
    """A row's cells as a JSON object, those that are not null."""
    cells = ", ".join(f"""CASE WHEN "{n}" IS NOT NULL THEN '"{n}":' || to_json("{n}") END""" for n in names)
    return f"'{{' || concat_ws(',', {cells}) || '}}'"


def refused(contract: Contract) -> str:
    """QUARANTINE without ``night``: the rows that ``outcomes`` has a reason of, as they were ``landed``."""
    # what could be read of the row says which person and which kind of declaration it may be (RULES, "Doubt")
    verbatim = (
        f"CASE WHEN row_error IS NULL THEN {_object([*contract.names])} ELSE {_object([*contract.names, 'raw'])} END"
    )
    # of an erased person nothing is kept again
    kept = "NOT list_contains(reasons, 'erased')"
    values = {
        "feed": f"'{contract.feed}'",
        "record_key": f'CASE WHEN {kept} THEN "{contract.key}" END',
        "verbatim": f"CASE WHEN {kept} THEN {verbatim} END",
    }
    columns = ", ".join(f"{values.get(n, n)} AS {n}" for n in QUARANTINE.names if n != "night")
    return f"SELECT {columns} FROM landed JOIN outcomes USING ({PLACE}) WHERE NOT ({IS_COPY})"
