"""The documents that follow from the contracts: the data dictionary and an ODCS document a feed.

``python -m schemas.render`` rewrites them; a test holds them current.
"""

from __future__ import annotations

import io
import sys
from typing import Any

from ruamel.yaml import YAML

from jobs.rules.floor import FEATURES_BY_SOURCE, PURPOSES
from schemas import reasons
from schemas.contract import (
    ACCEPTED_COLUMNS,
    LANDING_COLUMNS,
    MET_COLUMNS,
    SPARK_TYPES,
    Column,
    Contract,
    contracts,
)
from schemas.features import FEATURES, MEANINGS
from schemas.tables import ORDER_FLAGS, RECORD_FLAGS, TABLES, Table

VERSION = "1.0.0"  # of the contracts; a column more or less is a new one
LOGICAL = {
    "string": "string",
    "integer": "integer",
    "date": "date",
    "timestamp": "date",  # ODCS 3.0 has no logical type of its own for a time
    "boolean": "boolean",
    "double": "number",
}
# What ODCS may add besides range and words, by type.
OPTIONS: dict[str, dict[str, Any]] = {
    "date": {"format": "yyyy-MM-dd"},
    "timestamp": {"format": "yyyy-MM-dd'T'HH:mm:ss'Z'"},
    "integer": {"format": "i64"},
}
NOTE = "<!-- Made by `python -m schemas.render` from schemas/; edit those. -->"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *(_row(r) for r in rows), ""]


def allowed(column: Column) -> str:
    """What a value may be, in words."""
    if column.values:
        return ", ".join(f"`{v}`" for v in column.values)
    low, high = column.minimum, column.maximum
    parts = []
    if low is not None and high is not None:
        parts.append(f"{low} to {high}")
    elif low is not None:
        parts.append(f"{low} or more")
    elif high is not None:
        parts.append(f"{high} or less")
    if column.type in ("date", "timestamp"):
        parts.append("may be after the night" if column.may_be_future else "not after the night")
    return ", ".join(parts)


def _feed_section(contract: Contract) -> list[str]:
    mode = (
        "append: a row never changes, a correction is a new row"
        if contract.mode == "append"
        else "upsert: the greatest `revised_at` of a key wins"
    )
    facts = [
        f"### `{contract.feed}`: {contract.title}",
        "",
        f"Key `{contract.key}`; {mode}. Usable for {contract.freshness_days} day(s) after its last good delivery. "
        f"Rows of a delivery day: {contract.volume[0]} to {contract.volume[1]}, outside it warns "
        f"({contract.volume_reason}). An unknown column "
        + ("is left out with a warning." if contract.ignores_unknown else "stops the feed.")
        + (
            f" An order that the source no longer has stays {contract.grace_days} night(s) before it leaves "
            "its register."
            if contract.orders
            else ""
        ),
        "",
    ]
    rows = [
        [f"`{c.name}`", c.type, c.unit, "yes" if c.required else "", allowed(c), c.meaning]
        for c in contract.columns
    ]
    return facts + _table(["column", "type", "unit", "required", "allowed", "meaning"], rows)


def _owned(table: Table) -> list[str]:
    rows = [[f"`{n}`", t, m] for n, t, m in table.columns]
    return [
        f"### `{table.name}`",
        "",
        f"{table.grain[0].upper()}{table.grain[1:]}.",
        "",
        *_table(["column", "type", "meaning"], rows),
    ]


def _codes(title: str, codes: dict[str, str]) -> list[str]:
    return [f"### {title}", "", *_table(["code", "meaning"], [[f"`{c}`", m] for c, m in codes.items()])]


def data_dictionary() -> str:
    """The data dictionary page."""
    lines = [
        "# Data dictionary",
        "",
        NOTE,
        "",
        "## Feeds",
        "",
        "What is delivered. Dates are ISO 8601, timestamps UTC, money is an integer of minor units, empty is null.",
        "",
    ]
    for contract in contracts().values():
        lines += _feed_section(contract)
    lines += [
        "### What landing adds to each row",
        "",
        *_table(["column", "type"], [[f"`{n}`", str(t)] for n, t in LANDING_COLUMNS.items()]),
        "### What `landing/_identities` holds of each identity that a feed names on a night",
        "",
        *_table(["column", "type"], [[f"`{n}`", str(t)] for n, t in MET_COLUMNS.items()]),
        "### What `accepted/<feed>` adds to the feed's columns",
        "",
        *_table(["column", "type"], [[f"`{n}`", t] for n, t in ACCEPTED_COLUMNS.items()]),
        "### What `conformed/<feed>` adds to the feed's columns, without the identity",
        "",
        *_table(
            ["column", "type", "meaning"],
            [[f"`{n}`", t, m] for n, t, m in RECORD_FLAGS]
            + [[f"`{n}`", t, f"orders: {m}"] for n, t, m in ORDER_FLAGS],
        ),
        "## Our tables",
        "",
    ]
    for table in TABLES.values():
        lines += _owned(table)
    lines += [f"### `{FEATURES.name}`", "", f"{FEATURES.grain[0].upper()}{FEATURES.grain[1:]}.", ""]
    purposes = {
        f: [p for p, limits in PURPOSES.items() if source in limits["sources"]]
        for source, features in FEATURES_BY_SOURCE.items()
        for f in features
    }
    sources = {f: s for s, features in FEATURES_BY_SOURCE.items() for f in features}
    rows = []
    for name, kind, meaning in FEATURES.columns:
        rows.append([f"`{name}`", kind, sources.get(name, ""), ", ".join(purposes.get(name, [])), meaning])
    lines += _table(["column", "type", "source", "may serve", "meaning"], rows)
    lines += ["## Codes", ""]
    lines += _codes("Why a row is in quarantine", reasons.ROW_REASONS)
    lines += _codes("Why a file was stopped", reasons.FILE_CODES)
    lines += _codes("Why there is no score", reasons.NO_SCORE_REASONS)
    lines += _codes("States of an order, first match", reasons.ORDER_STATES)
    lines += _codes("Why an entry left a register", reasons.REMOVAL_CAUSES)
    lines += _codes("What changed a score between two nights", reasons.CHANGE_CAUSES)
    return "\n".join(lines).rstrip() + "\n"


def _property(column: Column, contract: Contract) -> dict[str, Any]:
    out: dict[str, Any] = {
        "name": column.name,
        "logicalType": LOGICAL[column.type],
        "physicalType": SPARK_TYPES[column.type],
        "required": column.required,
        "primaryKey": column.name == contract.key,
        "description": column.meaning + (f" ({column.unit})" if column.unit else ""),
    }
    if column.name == contract.key:
        out["primaryKeyPosition"] = 1
    options = dict(OPTIONS.get(column.type, {}))
    for name, value in (("minimum", column.minimum), ("maximum", column.maximum)):
        if value is not None:
            options[name] = value
    if options:
        out["logicalTypeOptions"] = options
    rules = []
    if column.values:
        rules.append(
            {
                "type": "library",
                "rule": "validValues",
                "name": f"{column.name}_known",
                "description": "unknown_value: the row is quarantined",
                "dimension": "conformity",
                "severity": "warning",
                "validValues": list(column.values),
                "mustBe": 0,
                "unit": "rows",
            }
        )
    if column.type in ("date", "timestamp") and not column.may_be_future:
        rules.append(
            {
                "type": "text",
                "name": f"{column.name}_not_future",
                "description": "impossible_date: not after the night that takes it",
                "dimension": "accuracy",
                "severity": "warning",
            }
        )
    if rules:
        out["quality"] = rules
    return out


def odcs(contract: Contract) -> dict[str, Any]:
    """The Open Data Contract Standard document of a feed, for the agency or bank that delivers it."""
    version = "" if contract.mode == "append" else " and `revised_at`"
    conflict = "conflicting_duplicate" if contract.mode == "append" else "ambiguous_revision"
    unknown = "is left out with a warning" if contract.ignores_unknown else "stops the feed for that day"
    return {
        "apiVersion": "v3.0.1",
        "kind": "DataContract",
        "id": f"assent-{contract.feed}",
        "name": contract.title,
        "version": VERSION,
        "status": "active",
        "domain": "assent",
        "description": {
            "purpose": f"Deliveries of `{contract.feed}` to Assent, one or more files a day.",
            "usage": "Read for a person only while a live consent, or an order's legal basis, covers it.",
            "limitations": f"A column that is not named here {unknown}; a column on the deny list stops it always.",
        },
        "schema": [
            {
                "name": contract.feed,
                "physicalName": f"<YYYY-MM-DD>/{contract.feed}*.csv|csv.gz|csv.zst|jsonl|jsonl.gz|parquet",
                "logicalType": "object",
                "physicalType": "file",
                "description": contract.title,
                "dataGranularityDescription": f"one row a `{contract.key}`{version}",
                "properties": [_property(c, contract) for c in contract.columns],
                "quality": [
                    {
                        "type": "library",
                        "rule": "rowCount",
                        "name": "volume",
                        "description": f"rows of one delivery day: {contract.volume_reason}",
                        "dimension": "completeness",
                        "severity": "warning",
                        "mustBeBetween": list(contract.volume),
                        "unit": "rows",
                    },
                    {
                        "type": "text",
                        "name": "one_content",
                        "description": f"{conflict}: one content under one `{contract.key}`{version}",
                        "dimension": "uniqueness",
                        "severity": "warning",
                    },
                ],
            }
        ],
        "slaDefaultElement": contract.feed,
        "slaProperties": [
            {
                "property": "freshness",
                "value": contract.freshness_days,
                "unit": "d",
                "element": contract.feed,
                "driver": "operational",
            },
            {"property": "frequency", "value": 1, "unit": "d", "element": contract.feed},
        ],
    }


def documents() -> dict[str, str]:
    """Every derived document by its path in the repository."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 120
    found = {"docs/data-dictionary.md": data_dictionary()}
    for feed, contract in contracts().items():
        out = io.StringIO()
        yaml.dump(odcs(contract), out)
        head = "# Made by `python -m schemas.render` from schemas/; edit those.\n"
        found[f"docs/odcs/{feed}.yaml"] = head + out.getvalue()
    return found


def undescribed() -> list[str]:
    """Features of the floor without a meaning."""
    return sorted({f for features in FEATURES_BY_SOURCE.values() for f in features} - set(MEANINGS))


def main() -> int:
    """Rewrites the documents in the repository, and removes those of feeds that are gone."""
    from pathlib import Path

    root = Path(__file__).resolve().parents[1]
    made = documents()
    for name, text in made.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in (root / "docs" / "odcs").glob("*.yaml"):
        if f"docs/odcs/{path.name}" not in made:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
