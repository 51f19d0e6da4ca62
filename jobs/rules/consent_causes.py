"""Why a source is live for an application on one of two nights and not on the other (RULES, "Consents")."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from jobs.rules.causes import Cause, Known, Row, cause_of, said_by
from jobs.rules.dates import anniversary
from jobs.rules.floor import ADULT_AGE

Pair = tuple[str, str, str]  # purpose, source, recipient
STOPPING_KINDS = ("withdrawal", "erasure", "death")


def _cause(code: str, row: Row) -> Cause:
    return cause_of(code, "consents", row.get("consent_id") or row.get("record_key"), row)


def _withdrawn(consent: str, pair: Pair, granted_on: dt.date, known: Known) -> Iterator[Row]:
    """The rows that end a consent by the night: its own with the earliest day, and declarations that cover it."""
    own = [
        d
        for d in known.declared
        if d["consent_id"] == consent and d["kind"] == "consent" and d["withdrawn_on"] is not None
    ]
    first = min(own, key=lambda d: (d["withdrawn_on"], d["night"]), default=None)
    if first is not None and first["withdrawn_on"] <= known.night:
        yield first
    for d in known.declared:
        covers = all(d[c] in (None, p) for c, p in zip(("purpose", "source", "recipient"), pair, strict=True))
        if d["kind"] == "withdrawal" and covers and granted_on <= d["granted_on"] <= known.night:
            yield d


def _bars(known: Known) -> Iterator[tuple[str, Row]]:
    """What bars the person from every score on the night: the code of its coming, and the row that says so."""
    for d in known.declared:
        if d["kind"] == "death":
            yield "deceased", d
    for r in known.refused:
        if r["contested"]:
            yield "contested", r
        elif r["feed"] == "consents" and r["kind"] in STOPPING_KINDS and not _mended(r, known):
            yield "declaration_unread", r


def _mended(refused: Row, known: Known) -> bool:
    """A row of that key is accepted since; where the key cannot be read, a later declaration of that kind."""
    said = [d for d in known.declared if d["kind"] in STOPPING_KINDS]
    if refused["record_key"] is None:
        return any(d["kind"] == refused["kind"] and d["night"] > refused["night"] for d in said)
    return any(d["consent_id"] == refused["record_key"] and d["night"] >= refused["night"] for d in said)


def _ended(consent: str, pair: Pair, before: Known, after: Known) -> Iterator[Cause]:
    """Why a consent that was live on the night before is not live after."""
    row = after.consents.get(consent)
    for d in after.declared:
        if d["kind"] == "erasure" and before.night < d["night"]:
            yield _cause("erased", d)
    if row is not None:
        if row["disputed"] or row["upheld"]:
            said = said_by("record_disputed", "consents", consent, row, before, after)
            yield cause_of("consent_disputed", "consents", consent, said)
        if row["in_doubt"]:
            said = said_by("record_in_doubt", "consents", consent, row, before, after)
            yield cause_of("consent_in_doubt", "consents", consent, said)
        if row["expires_on"] < after.night:
            yield _cause("consent_lapsed", row)
        for d in _withdrawn(consent, pair, row["granted_on"], after):
            yield _cause("consent_withdrawn", d)
        if pair not in after.pairs or row["granted_on"] < after.pairs[pair]:
            yield Cause("policy_changed")
    stood = {_cause(*bar) for bar in _bars(before)}  # and yet the consent was live: an operator had decided
    yield from (c for bar in _bars(after) if (c := _cause(*bar)) not in stood)


def _began(consent: str, pair: Pair, before: Known, after: Known) -> Iterator[Cause]:
    """Why a consent that is live now was not live on the night before."""
    row, old = after.consents[consent], before.consents.get(consent)
    if old is None or row["granted_on"] > before.night:
        yield _cause("consent_granted", row)
        return
    if old["disputed"] or old["upheld"] or old["in_doubt"]:
        code = "doubt_ended" if old["in_doubt"] else "dispute_ended"
        said = said_by(code, "consents", consent, row, before, after)
        yield cause_of("consent_restored", "consents", consent, said)
    if after.born is not None and anniversary(after.born, ADULT_AGE) > before.night:
        yield Cause("came_of_age")
    if pair not in before.pairs or row["granted_on"] < before.pairs[pair]:
        yield Cause("policy_changed")
    for code, bar in _bars(before):
        if code == "declaration_unread":
            yield _cause("declaration_mended", bar)
        elif code == "contested":
            yield _cause("contest_ended", bar)


def of_source(pair: Pair, old: str | None, new: str | None, before: Known, after: Known) -> Iterator[Cause]:
    """Causes of a source's consent; ``old`` and ``new`` are the id of the one live on each night, None where none."""
    if old == new:
        return
    if (old is None) != (new is None) and before.own_fresh["consents"] != after.own_fresh["consents"]:
        yield Cause("feed_back" if new else "feed_late", feed="consents")
    if old is not None:
        yield from _ended(old, pair, before, after)
    if new is not None:
        yield from _began(new, pair, before, after)
