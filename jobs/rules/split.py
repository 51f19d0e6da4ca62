"""Tonight's rows of a feed told apart, as SQL (DuckDB): which are accepted, which refused, as what, and of which that
is not clear from themselves.

``landed`` are the rows as they were delivered; ``failed`` those that a check refuses, as :mod:`jobs.arrival` has found
them; ``fates`` what became of keys that came twice and ``refused`` what is refused beside others
(:mod:`jobs.rules.matching`). A row is known by ``file, row_number``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set

from jobs.rules.checks import FIRST_YEAR, FORMS, not_needed
from schemas.contract import ACCEPTED_COLUMNS, DUCKDB_TYPES, Column, Contract
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

    ``known`` are the tables there are, of which one is ``failed``; ``reasons`` are sorted, and empty of a copy.
    """
    parts = f"SELECT {PLACE}, reasons, false AS contested FROM failed"
    parts += _FATES if "fates" in known else ""
    parts += _REFUSED if "refused" in known else ""
    parts += _COPIES if {"fates", "refused"} <= known else ""
    return (
        f"SELECT {PLACE}, list_sort(list_distinct(flatten(list(reasons)))) AS reasons, bool_or(contested) AS contested "
        f"FROM ({parts}) GROUP BY {PLACE}"
    )


def typed(column: Column, any_text: bool = False) -> str:
    """A column's typed value: of a text for which ``checks.typed`` has one, the same.

    Of other texts there may be one too, unless ``any_text`` may stand there: the checks take no such row.
    """
    if column.type == "string":
        return column.name
    value = f"TRY_CAST({column.name} AS {DUCKDB_TYPES[column.type]})"
    if not any_text:
        return value
    fits = f"regexp_matches({column.name}, '{FORMS[column.type]}')"
    if column.type in ("date", "timestamp"):
        fits += f" AND {column.name} >= '{FIRST_YEAR}'"
    return f"CASE WHEN {fits} THEN {value} END"


def kept(contract: Contract, landed: str, left_out: Collection[str]) -> str:
    """FROM clause of the rows of a ``landed`` table that are in none of the tables ``left_out``.

    Their columns are the contract's, typed, then ``person_id, identity, file, row_number``.
    """
    loose = not_needed(contract)  # what is not needed in every row is not checked in every row
    values = ", ".join(f"{typed(c, c.name in loose)} AS {c.name}" for c in contract.columns)
    without = "".join(f" ANTI JOIN {t} USING ({PLACE})" for t in left_out)
    return f"(SELECT {values}, person_id, identity, {PLACE} FROM {landed}{without})"


def identities(rows: Mapping[str, str], own: Set[str]) -> str:
    """``feed``, ``own`` and MET_COLUMNS of every identity that a feed's rows name, one row a feed and identity.

    ``rows`` are FROM clauses as :func:`kept` makes them, a feed; beside them stand ``met_<feed>``, what extract kept.
    ``own`` are the feeds of a person's own channel.
    """
    return " UNION ALL ".join(
        f"SELECT '{feed}' AS feed, {feed in own} AS own, * FROM met_{feed} "
        f"SEMI JOIN (SELECT DISTINCT identity FROM {source} s) USING (identity)"
        for feed, source in rows.items()
    )


def accepted_identities(refusing: Collection[str]) -> str:
    """FROM clause of ``identities`` but those that no accepted row has.

    ``refusing`` are the feeds of which more is left out than checks refuse; beside it stand their ``landed_<feed>``,
    ``outcomes_<feed>`` and ``met_<feed>``.
    """
    if not refusing:
        return "identities"
    doubtful = " UNION ".join(
        f"SELECT '{f}' AS feed, identity FROM landed_{f} SEMI JOIN outcomes_{f} USING ({PLACE})"
        for f in refusing
    )
    again = identities(
        {
            f: f"(FROM landed_{f} ANTI JOIN outcomes_{f} USING ({PLACE}) "
            f"SEMI JOIN (FROM doubtful WHERE feed = '{f}') USING (identity))"
            for f in refusing
        },
        own=frozenset(),
    )
    return (
        f"(WITH doubtful AS MATERIALIZED ({doubtful}) FROM identities ANTI JOIN doubtful USING (feed, identity) "
        f"UNION ALL BY NAME {again})"
    )


def conflicting(feed: str, rows: str) -> str:
    """``file, row_number, contested`` of a feed's ``rows`` (a FROM clause) whose identity is refused.

    ``found`` are :func:`identities`, ``conflicts`` those of them that :func:`matching.conflicting` has.
    """
    return (
        f"SELECT {PLACE}, contested FROM {rows} r JOIN (SELECT DISTINCT identity, contested FROM found "
        f"JOIN conflicts USING (person_id, birth_mac, name_macs, own) WHERE feed = '{feed}') USING (identity)"
    )


SUSPECTED = """
SELECT DISTINCT person_id, birth_mac, name_macs, own FROM found SEMI JOIN (
    SELECT person_id FROM (
        SELECT person_id, birth_mac, name_macs FROM found UNION SELECT person_id, birth_mac, name_macs FROM vault
    )
    GROUP BY person_id HAVING count(*) > 1 OR bool_or(len(name_macs) = 0)
) USING (person_id)
"""  # of ``found`` whose people have more than one identity in it and ``vault``: no others are in matching.conflicting
OTHER_GIVEN_NAMES = """
SELECT count(*) AS people FROM (
    SELECT person_id FROM (SELECT DISTINCT person_id, given_macs FROM found WHERE len(given_macs) > 0)
    GROUP BY person_id
    HAVING count(*) > 1 AND len(list_reduce(list(given_macs), lambda shared, one: list_intersect(shared, one))) = 0
)
"""  # people who are called by given names that do not compare equal: a warning, never a reason


def _receipt(column: str) -> str:
    """Equal wherever :mod:`matching` holds two receipts to be equal: compared by what is ASCII of them, as Spark folds
    more of the other letters (the final sigma, the dotted I, those of younger Unicode).
    """
    low = f"lower(trim({column}))"  # a receipt should be hexadecimal, and the expression is dear
    return f"CASE WHEN strlen({low}) = length({low}) THEN {low} ELSE regexp_replace({low}, '[^[:ascii:]]', '', 'g') END"


def consents_again(rows: str) -> str:
    """``consent_id`` of ``rows`` (a FROM clause) that came twice, or before (``before``): no others are in
    :func:`matching.rewritten`.
    """
    twice = f"SELECT consent_id FROM {rows} r GROUP BY ALL HAVING count(*) > 1"
    return f"{twice} UNION SELECT consent_id FROM before"


def receipts_again(rows: str) -> str:
    """``receipt_sha256`` as ``rows`` have it, of receipts that came for two people, or before (``before``): no others
    are in :func:`matching.receipts_reused`.
    """
    return (
        f"SELECT DISTINCT receipt_sha256 FROM {rows} r WHERE kind = 'consent' "
        f"AND receipt_sha256 IS NOT NULL WINDOW same AS (PARTITION BY {_receipt('receipt_sha256')}) "
        f"QUALIFY min(person_id) OVER same <> max(person_id) OVER same "
        f"OR {_receipt('receipt_sha256')} IN (SELECT {_receipt('receipt_sha256')} FROM before)"
    )


# of ``accepted/consents`` as Night.among_before asks it, ``keys`` being tonight's rows
SAME_RECEIPT = (
    f"kind = 'consent' AND {_receipt('receipt_sha256')} IN (SELECT {_receipt('receipt_sha256')} FROM keys)"
)


def twice(contract: Contract, rows: str, before: bool) -> str:
    """The versions of records that ``rows`` (a FROM clause) have twice, or that are known ``before`` (a table)."""
    version = ", ".join(contract.version)
    found = f"SELECT {version} FROM {rows} r GROUP BY ALL HAVING count(*) > 1"
    return f"{found} UNION SELECT {version} FROM before" if before else found


def accepted(contract: Contract, some_not: bool, in_order: bool) -> str:
    """``accepted/<feed>`` without ``night``; with ``some_not`` the rows that ``outcomes`` names are left out.

    ``in_order`` of the person, whose identity is then written once and not in each row.
    """
    names = ", ".join([*contract.names, *(n for n in ACCEPTED_COLUMNS if n != "night")])
    rows = kept(contract, "landed", ["outcomes"] if some_not else [])
    return f"SELECT {names} FROM {rows} r" + (" ORDER BY person_id" if in_order else "")


def _object(names: list[str]) -> str:
    """A row's cells as a JSON object, those that are not null."""
    cells = ", ".join(f"""CASE WHEN "{n}" IS NOT NULL THEN '"{n}":' || to_json("{n}") END""" for n in names)
    return f"'{{' || concat_ws(',', {cells}) || '}}'"


def refused(contract: Contract) -> str:
    """QUARANTINE without ``night``: the rows that ``outcomes`` has a reason of, as they were ``landed``."""
    # what could be read of the row says which person and which kind of declaration it may be (RULES, "Doubt")
    whole, unreadable = _object([*contract.names]), _object([*contract.names, "raw"])
    verbatim = f"CASE WHEN row_error IS NULL THEN {whole} ELSE {unreadable} END"
    # of an erased person nothing is kept again
    kept = "NOT list_contains(reasons, 'erased')"
    values = {
        "feed": f"'{contract.feed}'",
        "record_key": f'CASE WHEN {kept} THEN "{contract.key}" END',
        "verbatim": f"CASE WHEN {kept} THEN {verbatim} END",
    }
    columns = ", ".join(f"{values.get(n, n)} AS {n}" for n in QUARANTINE.names if n != "night")
    return f"SELECT {columns} FROM landed JOIN outcomes USING ({PLACE}) WHERE NOT ({IS_COPY})"
