"""report: a published night as one page, for the operator: what came, what moved, what to look at. No person in it."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from jinja2 import Environment

from jobs import charts
from jobs.disparity import disparity, read_counts
from jobs.errors import AssentError
from jobs.lake.lake import Lake
from jobs.lake.out import out_folder
from jobs.lake.outbox import template as page_text
from jobs.lake.outbox import write_whole
from jobs.lake.query import Published, run_query
from jobs.rules import stability
from schemas.reasons import NO_SCORE_REASONS, REMOVAL_CAUSES

SELECTED = ("A", "B", "C")
DELIVERIES = (
    "SELECT * FROM deliveries WHERE night = (SELECT max(night) FROM publications) ORDER BY feed, file"
)
REFUSED = """
SELECT feed, reason, count(*) AS rows FROM (SELECT feed, unnest(reasons) AS reason FROM quarantine
WHERE night = (SELECT max(night) FROM publications)) GROUP BY ALL ORDER BY ALL
"""
REGISTERS = """
SELECT register, count(*) AS orders, count(*) FILTER (listed) AS listed, count(*) FILTER (listed AND
since = getvariable('night')) AS added, count(*) FILTER (NOT listed AND cause IS NOT NULL AND
since = getvariable('night')) AS left FROM registers GROUP BY ALL ORDER BY ALL
"""
LEFT = """
SELECT register, cause, count(*) AS entries FROM registers WHERE NOT listed AND cause IS NOT NULL
AND since = DATE '{night}' GROUP BY ALL ORDER BY ALL
"""
SENT = """
SELECT recipient, change, count(*) AS entries FROM disclosures WHERE night = DATE '{night}' GROUP BY ALL ORDER BY ALL
"""
# What agencies answered, by the night that took the answer; what operators recalled, released or kept back.
ANSWERED = """
SELECT register, recipient, package_on, outcome, reason, count(*) AS entries FROM returns
WHERE night = DATE '{night}' GROUP BY ALL ORDER BY ALL
"""
HELD = """
SELECT register, event, count(*) AS entries FROM holds WHERE night = DATE '{night}' GROUP BY ALL ORDER BY ALL
"""


def shown(value: Any) -> str:
    """A cell: shares and measures to three places, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> dict[str, Any]:
    """What the page's tables take."""
    numeric = [c for c in columns if any(isinstance(r.get(c), int | float) for r in rows)]
    return {"rows": [{"severity": None} | r for r in rows], "columns": list(columns), "numeric": numeric}


def _spread(
    rows: list[dict[str, Any]], before: list[dict[str, Any]], item: str, title: str
) -> dict[str, Any]:
    """Tonight's buckets of an item beside those of the reference night: picture and table."""
    now = {r["bucket"]: r for r in rows if r["item"] == item and r["measure"] == "distribution"}
    then = {r["bucket"]: r for r in before if r["item"] == item and r["measure"] == "distribution"}
    buckets = sorted(now.keys() | then.keys())

    def share(known: dict[str, dict[str, Any]], bucket: str) -> float:
        return float(known[bucket]["value"] or 0) if bucket in known else 0.0

    shares = {
        "tonight": [100 * share(now, b) for b in buckets],
        "reference": [100 * share(then, b) for b in buckets],
    }
    lines = [
        {
            "bucket": b,
            "applications": now[b]["people"] if b in now else 0,
            "share": share(now, b),
            "reference share": share(then, b),
        }
        for b in buckets
    ]
    columns = ("bucket", "applications", "share", "reference share")
    return {"svg": charts.bars(buckets, shares, title), "table": table(lines, columns)}


def _drift(rows: list[dict[str, Any]]) -> dict[str, Any]:
    held = [r for r in rows if r["measure"] != "distribution"]
    moved = [r for r in held if r["measure"] in ("psi", "csi")]
    svg = charts.bars(
        [r["item"] for r in moved],
        {"index": [r["value"] for r in moved]},
        "Stability index",
        "index",
        (stability.MOVED, stability.MOVED_FAR),
    )
    return {"svg": svg, "table": table(held, ("measure", "item", "value", "people", "severity"))}


def purposes(monitoring: list[dict[str, Any]], night: dt.date) -> list[dict[str, Any]]:
    """What the page shows of each purpose, from MONITORING through the night."""
    by_night: dict[tuple[str, dt.date], list[dict[str, Any]]] = defaultdict(list)
    for row in monitoring:
        by_night[(row["purpose"], row["night"])].append(row)
    found = []
    for purpose in sorted({r["purpose"] for r in monitoring if r["night"] == night}):
        rows = by_night[(purpose, night)]
        reference = next((r["reference_night"] for r in rows if r["reference_night"]), night)
        before = by_night[(purpose, reference)]
        status = {
            r["bucket"]: r["people"] for r in rows if r["item"] == "status" and r["measure"] == "distribution"
        }
        titles = {
            "score": "Scores, lowest of 25",
            "band": "Bands",
            "reason": "Scored people with the reason",
            "status": "Status",
        }
        found.append(
            {
                "purpose": purpose,
                "scorecard": rows[0]["scorecard"],
                "reference": reference,
                "applications": sum(status.values()),
                "scored": status.get("scored", 0),
                "drift": _drift(rows),
                **{item: _spread(rows, before, item, title) for item, title in titles.items()},
            }
        )
    return found


def alarms(
    monitoring: list[dict[str, Any]],
    night: dt.date,
    stopped: list[dict[str, Any]],
    performed: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """What is out of its bounds, as lines with a severity."""
    lines = [
        {
            "severity": r["severity"],
            "text": f"{r['purpose']}: {r['measure']} of {r['item']} is {r['value']:.3f}, {r['severity']}",
        }
        for r in monitoring
        if r["night"] == night and r["severity"] in ("warning", "critical")
    ]
    told = [
        {
            "severity": r["severity"],
            "text": f"{r['purpose']}: Gini is {r['gini']:.3f} over {r['people']} people, {r['severity']}",
        }
        for r in performed
        if r["severity"] in ("warning", "critical")
    ]
    return [
        *({"severity": "critical", "text": f"{s['feed']}: {s['file']} was stopped"} for s in stopped),
        *told,
        *lines,
    ]


def _disparity(path: Path | None) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in disparity(read_counts(path), SELECTED) if path else []:
        found[(row["purpose"], row["trait"])].append(row)
    columns = [
        "group",
        "people",
        "selected",
        "selection_rate",
        "selection_low",
        "selection_high",
        "selection_ratio",
    ]
    for name in ("false_negative", "false_positive"):
        columns += [f"{name}_rate", f"{name}_low", f"{name}_high"]
    out = []
    for (purpose, trait), rows in found.items():
        told = [r for r in rows if "selection_rate" in r]
        svg = charts.intervals(
            [r["group"] for r in told],
            [(r["selection_rate"], r["selection_low"], r["selection_high"]) for r in told],
            "Selection rate with its 95 % interval",
            "share selected",
        )
        known = [c for c in columns if any(r.get(c) is not None for r in rows)]
        out.append(
            {
                "title": f"{purpose} by {trait}",
                "picture": {
                    "svg": svg,
                    "table": table([{c: None for c in columns} | r for r in rows], [*known, "severity"]),
                },
            }
        )
    return out


def _performance(published: Published) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    data = published.newest("performance")
    if data is not None:
        rows = data.to_table(filter=pc.field("night") <= pa.scalar(published.night)).to_pylist()
        for row in sorted(rows, key=lambda r: (r["purpose"], r["night"], r["outcomes_sha256"])):
            found[row["purpose"]].append(row)
    return found


def page(lake: str, date: dt.date, counts: Path | None = None) -> str:
    """The page of a published night; AssentError when that night is not published."""
    published = Published(Lake(lake), date)
    if published.night != date:
        raise AssentError(f"report: night {date} is not published; run `assent night` first, or name another")
    data = published.pinned("monitoring")
    monitoring = (
        [] if data is None else data.to_table(filter=pc.field("night") <= pa.scalar(date)).to_pylist()
    )

    def asked(sql: str) -> list[dict[str, Any]]:
        text = sql.replace("getvariable('night')", f"DATE '{date}'").replace("{night}", date.isoformat())
        rows: list[dict[str, Any]] = run_query(lake, text, date).to_pylist()
        return rows

    delivered = asked(DELIVERIES)
    registers = asked(REGISTERS)
    shown_purposes = purposes(monitoring, date)
    performed = _performance(published)
    for one in shown_purposes:
        rows = performed.get(one["purpose"], [])
        columns = ("night", "people", "bad", "gini", "gini_low", "gini_high", "ks", "severity")
        svg = charts.intervals(
            [str(r["night"]) for r in rows],
            [(r["gini"], r["gini_low"], r["gini_high"]) for r in rows],
            "Gini with its 95 % interval",
            "Gini",
        )
        one["performance"] = {"svg": svg, "table": table(rows, columns)} if rows else None
    causes = [r | {"why": REMOVAL_CAUSES.get(r["cause"], "")} for r in asked(LEFT)]
    template = Environment(autoescape=True, trim_blocks=True).from_string(page_text("report.html.j2"))
    return template.render(
        night=date,
        facts=published.publication,
        changed=json.loads(published.publication.get("changed") or "[]"),
        alarms=alarms(
            monitoring,
            date,
            [r for r in delivered if r["rows"] is None],
            [r for rows in performed.values() for r in rows if r["night"] == date],
        ),
        deliveries=table(delivered, ("feed", "file", "rows", "accepted", "quarantined", "duplicates")),
        refused=table(asked(REFUSED), ("feed", "reason", "rows")),
        purposes=shown_purposes,
        registers={
            "svg": charts.bars(
                [r["register"] for r in registers],
                {"listed": [r["listed"] for r in registers]},
                "Entries listed",
                "entries",
            ),
            "table": table(registers, ("register", "orders", "listed", "added", "left")),
        },
        left=table(causes, ("register", "cause", "entries", "why")),
        sent=table(asked(SENT), ("recipient", "change", "entries")),
        answered=table(
            asked(ANSWERED), ("register", "recipient", "package_on", "outcome", "reason", "entries")
        ),
        held=table(asked(HELD), ("register", "event", "entries")),
        disparity=_disparity(counts),
        selected=SELECTED,
        limits=(stability.MOVED, stability.MOVED_FAR),
        no_score=NO_SCORE_REASONS,
        shown=shown,
    )


def write(lake: str, date: dt.date, counts: Path | None = None) -> Path:
    """Writes the page of a night under what leaves, and returns its path."""
    path = out_folder(lake) / "report" / f"{date.isoformat()}.html"
    write_whole(path, [page(lake, date, counts)])
    return path
