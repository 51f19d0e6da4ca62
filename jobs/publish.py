"""publish: every invariant of the night, then one signed row in ``publications``."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pyarrow as pa

from jobs import monitoring, retention
from jobs.errors import AssentError
from jobs.lake.invariants import violations
from jobs.lake.night import Night
from jobs.lake.scorecards import store, stored_policy, stored_scorecard
from jobs.rules.amendments import amendments
from jobs.rules.canonical import canonical
from jobs.rules.floor import floor_hash
from jobs.rules.policy import Policy, parse
from jobs.rules.scorecard import scorecard_versions
from schemas.contract import contracts
from schemas.tables import PUBLICATIONS

UNSIGNED = ("row_hash", "signature")


def sha256(text: str) -> str:
    """SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def inputs_hash(inputs: list[dict[str, Any]], policy: Policy, scorecards: dict[str, Any]) -> str:
    """SHA-256 of what a night is made from: each file's name and SHA-256, policy, scorecards and floor."""
    files = sorted((i["file"], i["sha256"] or "") for i in inputs)
    return sha256(
        canonical(
            {
                "files": files,
                "policy": policy.sha256,
                "scorecards": scorecard_versions(scorecards),
                "floor": floor_hash(),
            }
        )
    )


def row_hash(row: dict[str, Any]) -> str:
    """SHA-256 of a publication's canonical JSON without its own hash and signature.

    ``changed`` stands in the rows written since it exists; of an older one it is null and no part of the hash.
    """
    content = {k: v for k, v in row.items() if k not in UNSIGNED and (k != "changed" or v is not None)}
    return sha256(canonical({**content, "night": row["night"].isoformat()}))


def versions(row: dict[str, Any]) -> dict[str, str]:
    """What a publication was made by: the hash or version of policy, floor, code and each scorecard."""
    cards: dict[str, dict[str, str]] = json.loads(row["scorecards"])
    found = {"policy": row["policy_hash"], "floor": row["floor_hash"], "code": row["code_version"]}
    return found | {f"scorecard {p}": c["sha256"] for p, c in cards.items()}


def changed_rules(night: Night, row: dict[str, Any]) -> list[dict[str, Any]]:
    """What of policy, scorecards, floor and code is other than in the publication before, line by line."""
    if night.previous is None:
        return []
    before, now = versions(night.previous), versions(row)
    documents = {}
    for name in before.keys() & now.keys():
        if before[name] != now[name] and name not in ("floor", "code"):
            read = stored_policy if name == "policy" else stored_scorecard
            pair = [parse(read(night.lake, sha), name).node for sha in (before[name], now[name])]
            documents[name] = (pair[0], pair[1])
    return amendments(before, now, documents)


def publication(
    night: Night, tables: dict[str, dict[str, Any]], inputs: list[dict[str, Any]], counts: dict[str, int]
) -> dict[str, Any]:
    """The row of ``publications`` for a night, signed."""
    made_of = inputs_hash(inputs, night.policy, night.scorecards)
    row: dict[str, Any] = {
        "night": night.date,
        "run_id": sha256(f"{night.date.isoformat()}:{made_of}")[:16],
        "tables": canonical(tables),
        "counts": canonical(counts),
        "inputs": canonical(inputs),
        "inputs_hash": made_of,
        **night.made_by(),
        "previous_hash": night.previous["row_hash"] if night.previous else None,
    }
    row["changed"] = canonical(changed_rules(night, row))
    row["row_hash"] = row_hash(row)
    row["signature"] = base64.b64encode(night.keys.signing.sign(row["row_hash"].encode())).decode()
    return row


def clean(night: Night) -> None:
    """Removes what a published night needs no more: its own work, and the files of what was purged."""
    night.lake.clear_runs(night.date)
    retention.sweep(night)


def run(night: Night) -> dict[str, int]:
    """Publishes the night; AssentError, and nothing published, when an invariant does not hold."""
    monitoring.write(night)
    before = (night.previous or {"tables": {}})["tables"]
    tables = {t: p for t, p in before.items() if t not in retention.RETIRED} | night.lake.pins(night.date)
    failed = violations(night, tables)
    if failed:
        first = "; ".join(f"{name}: {count}" for name, count in failed)
        raise AssentError(
            f"publish: night {night.date} breaks {len(failed)} invariant(s) ({first}); nothing is published, "
            "the last night stays; look at the step that wrote the table, then run the night again"
        )
    inputs = sorted(
        (
            {k: e[k] for k in ("feed", "file", "sha256", "rows", "bytes", "stopped")}
            for feed in contracts()
            for e in night.lake.manifest(night.date, feed)
        ),
        key=lambda e: str(e["file"]),
    )
    counts = {t: int(p["rows"]) for t, p in sorted(tables.items())}
    store(night.lake, night.policy, night.scorecards)
    row = publication(night, tables, inputs, counts)
    for change in json.loads(row["changed"]):
        night.say(f"{change['what']}: changed since night {night.after}, {len(change['lines'])} line(s)")
    night.lake.append_arrow("publications", pa.Table.from_pylist([row], schema=PUBLICATIONS.arrow()))
    clean(night)
    return {t: counts[t] for t in ("scores", "registers") if t in counts} | {"files": len(inputs)}
