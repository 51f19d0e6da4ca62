"""extract: lands each delivered file verbatim, with a manifest a feed (DESIGN 3; RULES, "Files")."""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc

from jobs.errors import UsageError
from jobs.lake import issuers
from jobs.lake.deliveries import Delivered, Source, open_source
from jobs.lake.landing import forget_identities, land, leave_identities_out, naming, remove
from jobs.lake.night import Night
from jobs.lake.readers import FEED_CODES, Stopped
from jobs.lake.recipients import is_shipped
from schemas.contract import Contract, contracts


def _source(night: Night) -> Source:
    if night.deliveries is None:
        raise UsageError("name the folder or URL of the deliveries with --deliveries")
    return open_source(night.deliveries)


def _taken(night: Night) -> set[str]:
    """Files that an earlier night took."""
    before = night.pinned_before("deliveries")
    if before is None:
        return set()
    rows = night.lake.dataset("deliveries", before).to_table(
        columns=["file"], filter=pc.field("stopped").is_null()
    )
    return set(rows.column("file").to_pylist())


def _files(night: Night, source: Source) -> tuple[list[Delivered], list[str]]:
    files, strange = source.files(night.date, list(contracts()))
    taken = _taken(night)
    return [f for f in files if f.file not in taken], strange


def inputs(night: Night) -> list[dict[str, Any]]:
    """What the night would take: ``file`` and ``sha256`` (null where it cannot be read), oldest first."""
    source = _source(night)
    found = []
    for delivered in _files(night, source)[0]:
        try:
            _, sha256 = source.measure(delivered, contracts()[delivered.feed])
        except Stopped:
            sha256 = None
        found.append({"file": delivered.file, "sha256": sha256})
    return found


def stop_whole_days(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A column fault stops every file of the feed for that delivery day; the others are named with its code."""
    faults: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry["stopped"] in FEED_CODES:
            faults.setdefault(entry["delivered_on"], entry)
    out = []
    for entry in entries:
        fault = faults.get(entry["delivered_on"])
        if fault is not None and entry["stopped"] is None:
            message = f"{fault['file']} of the same day stops it: {fault['message']}"
            entry = {**entry, "rows": None, "landing": [], "stopped": fault["stopped"], "message": message}
        out.append(entry)
    return out


def attest(night: Night, source: Source, files: list[Delivered], entries: list[dict[str, Any]]) -> None:
    """Notes in the entries of consents files who attests each, and says what no issuer attests.

    On a first night under the shipped policy, with no issuer given, the demo's issuer is trusted.
    """
    if night.previous is None and is_shipped(night.policy):
        from jobs.generate.issuer import certificate

        if issuers.trust_demo(night.keys, certificate()):
            night.say(
                f"consents: no issuer given, the demo's issuer is trusted ({issuers.FOLDER}/{issuers.DEMO}); "
                "for real people put the issuers' own certificates there instead"
            )
    known = issuers.issuers(night.keys, night.say)
    without: dict[str, int] = {}
    for delivered, entry in zip(files, entries, strict=True):
        if entry["stopped"] is None:
            found = issuers.attestation(source, delivered, known)
            entry["attested_by"] = found.by
            if found.why:
                without[found.why] = without.get(found.why, 0) + 1
    for why, count in sorted(without.items()):
        night.say(
            f"consents: {count} file(s) unattested ({why}): scored, but no score leaves for their consents"
        )


def _extract_feed(
    night: Night, contract: Contract, source: Source, files: list[Delivered]
) -> tuple[int, int]:
    """Lands the files of one feed and writes its manifest; returns rows landed and files stopped."""
    feed = contract.feed
    if files:
        with naming(night.lake, night.date, feed, night.macs):
            found = [land(source, f, contract, night.lake, night.macs) for f in files]
    else:
        found = []
        forget_identities(night.lake, night.date, feed)
    entries = stop_whole_days([entry for entry, _ in found])
    if feed == issuers.FEED and files:
        attest(night, source, files, entries)
    # nothing stays behind of a stopped day, nor of an earlier run of this night from other files
    kept = {path for e in entries for path in e["landing"]}
    former = [entry for entry, _ in found] + night.lake.manifest(night.date, feed)
    remove(night.lake, sorted({path for e in former for path in e["landing"]} - kept))
    if any(entry["stopped"] for entry in entries):
        leave_identities_out(night.lake, night.date, feed, sorted(kept))
    night.lake.write_manifest(night.date, feed, entries)
    for entry, (_, left_out) in zip(entries, found, strict=True):
        if entry["stopped"]:
            night.say(f"{feed}: {entry['file']} stopped, {entry['stopped']}: {entry['message']}")
        elif left_out:
            night.say(f"{feed}: {entry['file']}: unknown_column, {len(left_out)} left out; tell the sender")
    return sum(e["rows"] or 0 for e in entries), sum(1 for e in entries if e["stopped"])


def run(night: Night, feeds: list[str] | None = None) -> dict[str, int]:
    """Lands tonight's files of some feeds (default all) and returns rows a feed, and files ``stopped``."""
    source = _source(night)
    files, strange = _files(night, source)
    # Airflow extracts feed by feed: said once
    if strange and (feeds is None or next(iter(contracts())) in feeds):
        night.say(f"deliveries: {len(strange)} of other names ignored, first {strange[0]!r}")
    counts: dict[str, int] = {}
    for feed, contract in contracts().items():
        if feeds is None or feed in feeds:
            rows, stopped = _extract_feed(night, contract, source, [f for f in files if f.feed == feed])
            counts[feed] = rows
            if stopped:
                counts["stopped"] = counts.get("stopped", 0) + stopped
    if list(contracts())[-1] in counts:
        night.forget_macs()
    return counts
