"""Row checks: each a SQL predicate with its coded reason and severity beside it.

Most follow from the contract (type, nullability, range, words, dates); ``jobs/feeds/<feed>.py`` adds what is
particular to a feed. The same predicates are counted by Great Expectations and split the rows. A predicate reads the
landed text as ``<column>`` and the typed value as ``t_<column>``.
"""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType

from jobs.rules.policy import Policy
from schemas.contract import IDENTITY_NAMES, Column, Contract

# `\z` and not `$`, before which Java lets a line end stand: "1980-01-01\n" would be a birth date here and none for
# the codes that identities are compared by.
INTEGER = r"^[+-]?[0-9]{1,18}\z"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z"
TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+]00:00)\z"
DOUBLE = r"^[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?\z"
BOOLEAN = r"^(?i:true|false)\z"
FORMS = {"integer": INTEGER, "date": DATE, "timestamp": TIMESTAMP, "double": DOUBLE, "boolean": BOOLEAN}
FIRST_YEAR = "0001"  # ISO 8601 has a year 0000; the proleptic calendar that Arrow and Python share has none


@dataclass(frozen=True)
class Check:
    """One predicate of a row.

    ``ok`` is a SQL boolean that is true of a good row; ``reason`` the code of a row of which it is not. A row that
    fails a ``warning`` is quarantined and reported; one that fails a ``critical`` check stops its feed for the night.
    """

    name: str
    reason: str
    column: str
    ok: str
    severity: str = (
        "warning"  # one bad row is the row's fault, not the feed's: it is held back, the feed goes on
    )


def words(values: Iterable[str]) -> str:
    """A SQL list of words."""
    return ", ".join("'" + v.replace("'", "''") + "'" for v in values)


def typed(column: Column) -> str:
    """SQL of a column's typed value: null where the text is not of the contract's form."""
    name = column.name
    if column.type == "integer":
        return f"CASE WHEN {name} RLIKE r'{INTEGER}' THEN try_cast({name} AS BIGINT) END"
    if column.type in ("date", "timestamp"):
        form, kind = (DATE, "DATE") if column.type == "date" else (TIMESTAMP, "TIMESTAMP")
        fits = f"{name} RLIKE r'{form}' AND {name} >= '{FIRST_YEAR}'"
        return f"CASE WHEN {fits} THEN try_cast({name} AS {kind}) END"
    if column.type == "double":
        return f"CASE WHEN {name} RLIKE r'{DOUBLE}' THEN try_cast({name} AS DOUBLE) END"
    if column.type == "boolean":
        return f"CASE lower({name}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    return name


def _of_column(column: Column, night: dt.date) -> list[Check]:
    name, value = column.name, f"t_{column.name}"
    found = []
    if column.required:
        found.append(Check(f"{name}_given", "missing_required", name, f"{name} IS NOT NULL"))
    if column.type != "string":
        found.append(Check(f"{name}_typed", "bad_type", name, f"{name} IS NULL OR {value} IS NOT NULL"))
    if column.values:
        found.append(
            Check(
                f"{name}_known",
                "unknown_value",
                name,
                f"{name} IS NULL OR {name} IN ({words(column.values)})",
            )
        )
    if column.minimum is not None or column.maximum is not None:
        low = "true" if column.minimum is None else f"{value} >= {column.minimum}"
        high = "true" if column.maximum is None else f"{value} <= {column.maximum}"
        found.append(
            Check(f"{name}_in_range", "out_of_range", name, f"{value} IS NULL OR ({low} AND {high})")
        )
    if column.type in ("date", "timestamp") and not column.may_be_future:
        found.append(
            Check(
                f"{name}_not_future",
                "impossible_date",
                name,
                f"{value} IS NULL OR to_date({value}) <= DATE'{night.isoformat()}'",
            )
        )
    if column.type == "date" and name != "birth_date":
        found.append(
            Check(
                f"{name}_after_birth",
                "impossible_date",
                name,
                f"{value} IS NULL OR t_birth_date IS NULL OR {value} >= t_birth_date",
            )
        )
    return found


ORDER_OF_DATES = (
    ("served_after_ordered", "served_on", "t_served_on >= t_ordered_on"),
    ("expires_after_ordered", "expires_on", "t_expires_on >= t_ordered_on"),
    ("objection_after_served", "objection_until", "t_objection_until >= t_served_on"),
    ("stay_ends_after_start", "stayed_until", "t_stayed_until >= t_stayed_from"),
)


def feed_module(feed: str) -> ModuleType | None:
    """``jobs/feeds/<feed>.py``, found by its name; None where a feed has nothing particular."""
    name = f"jobs.feeds.{feed}"
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


def contract_checks(contract: Contract, night: dt.date, policy: Policy) -> tuple[Check, ...]:
    """Every check of a feed on a night: those of the contract, then those of its feed module."""
    found = [
        Check("row_in_utf8", "encoding", "row_error", "row_error IS NULL OR row_error <> 'encoding'"),
        Check(
            "row_well_formed",
            "malformed_row",
            "row_error",
            "row_error IS NULL OR row_error <> 'malformed_row'",
        ),
        Check("national_id_valid", "bad_check_digit", "national_id", "id_valid IS NULL OR id_valid"),
        Check(
            "family_name_comparable",
            "bad_type",
            "family_name",
            "family_name IS NULL OR coalesce(name_comparable, true)",
        ),
        # without its code a birth date would be compared with nothing, and the row joined by id and name alone
        Check(
            "birth_date_comparable",
            "bad_type",
            "birth_date",
            "birth_date IS NULL OR coalesce(birth_comparable, true)",
        ),
    ]
    for column in contract.columns:
        found.extend(_of_column(column, night))
    if contract.orders:
        found.extend(
            Check(name, "date_order", column, f"coalesce({order}, true)")
            for name, column, order in ORDER_OF_DATES
        )
    if "currency" in contract.names:
        money = f"currency IS NULL OR currency = {words([policy.currency])}"
        found.append(Check("currency_supported", "currency_not_supported", "currency", money))
    module = feed_module(contract.feed)
    if module is not None:
        found = [_scoped(c, module) for c in found]
        found.extend(module.checks(policy, night))
    # what a row that cannot be read as columns holds is not known: only its own code is reported
    return tuple(
        c
        if c.column == "row_error"
        else Check(c.name, c.reason, c.column, f"row_error IS NOT NULL OR ({c.ok})", c.severity)
        for c in found
    )


def not_needed(contract: Contract) -> frozenset[str]:
    """The columns that not every row of a feed needs: in the others anything may stand."""
    return frozenset(getattr(feed_module(contract.feed), "NEEDED", {}))


def _scoped(check: Check, module: ModuleType) -> Check:
    """A contract check limited to the rows that need the column (``NEEDED``: column -> SQL), where a feed says so."""
    needed = getattr(module, "NEEDED", {}).get(check.column)
    if needed is None:
        return check
    return Check(
        check.name,
        check.reason,
        check.column,
        f"NOT coalesce({needed}, false) OR ({check.ok})",
        check.severity,
    )


__all__ = ["IDENTITY_NAMES", "Check", "contract_checks", "feed_module", "typed", "words"]
