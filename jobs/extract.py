"""extract: lands each delivered file verbatim, with a manifest a feed (DESIGN 3; RULES, "Files")."""

from __future__ import annotations

import json
from typing import Any

from jobs.errors import UsageError
from jobs.lake.deliveries import FEED_CODES, Delivered, Source, land
from jobs.lake.macs import Macs
from jobs.lake.night import Night
from schemas.contract import contracts
from schemas.tables import DELIVERIES


def _source(night: Night) -> Source:
    if night.deliveries is None:
        raise UsageError("name the folder or URL of the deliveries with --deliveries")
    return Source(night.deliveries)


def _taken(night: Night) -> set[str]:
    """Files that an earlier night took."""
    before = night.pinned_before("deliveries")
    if before is None:
        return set()
    rows = night.lake.dataset("deliveries", before).to_table(columns=["file", "stopped"]).to_pylist()
    assert set(rows[0] if rows else DELIVERIES.names) <= set(DELIVERIES.names)
    return {r["file"] for r in rows if r["stopped"] is None}


def _files(night: Night, source: Source) -> tuple[list[Delivered], list[str]]:
    files, strange = source.files(night.date, list(contracts()))
    taken = _taken(night)
    return [f for f in files if f.file not in taken], strange


def inputs(night: Night) -> list[dict[str, Any]]:
    """What the night would take: ``file`` and ``sha256`` (null where it cannot be read), oldest first."""
    source = _source(night)
    return [{"file": f.file, "sha256": source.sha256(f.path)} for f in _files(night, source)[0]]


def stop_whole_days(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A column fault stops every file of the feed for that delivery day; the others are named with its code."""
    faults = {e["delivered_on"]: e for e in entries if e["stopped"] in FEED_CODES}
    out = []
    for entry in entries:
        fault = faults.get(entry["delivered_on"])
        if fault is not None and entry["stopped"] is None:
            message = f"another file of that day has a fault of its columns: {fault['message']}"
            entry = {**entry, "rows": None, "landing": [], "stopped": fault["stopped"], "message": message}
        out.append(entry)
    return out


def run(night: Night, feeds: list[str] | None = None) -> dict[str, int]:
    """Lands tonight's files of some feeds (default all) and returns rows a feed, and files stopped."""
    source = _source(night)
    files, strange = _files(night, source)
    if strange and (feeds is None or feeds[:1] == list(contracts())[:1]):
        night.say(f"deliveries: {len(strange)} file(s) of other names ignored, first {strange[0]!r}")
    macs = Macs(night.keys, night.policy.national_id)
    counts: dict[str, int] = {}
    for feed, contract in contracts().items():
        if feeds is not None and feed not in feeds:
            continue
        entries = stop_whole_days(
            [land(source, f, contract, night.lake, macs) for f in files if f.feed == feed]
        )
        night.lake.write_text(
            f"landing/_manifests/{night.date.isoformat()}/{feed}.json", json.dumps(entries, indent=1)
        )
        for entry in entries:
            if entry["stopped"]:
                counts["stopped"] = counts.get("stopped", 0) + 1
                night.say(f"{feed}: {entry['file']} stopped, {entry['stopped']}: {entry['message']}")
            elif entry["ignored_columns"]:
                night.say(f"{feed}: {entry['file']}: {entry['ignored_columns']} unknown column(s) left out")
        counts[feed] = sum(e["rows"] or 0 for e in entries)
    return counts
