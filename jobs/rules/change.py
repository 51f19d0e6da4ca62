"""A changed score and its causes: what differs between an application's rows of two nights, and what explains it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jobs.rules import causes, consent_causes
from jobs.rules.causes import Cause, Known
from jobs.rules.floor import FEATURES_BY_SOURCE, ORDER_FEEDS, PURPOSES

FACTS = (
    "status",
    "score",
    "band",
    "points",
    "reasons",
    "no_score_reason",
    "scorecard_version",
    "sources_used",
)


@dataclass(frozen=True)
class Application:
    """An application as a night published it; both rows None where the night has none.

    ``score`` and ``features`` are its rows, ``consents`` source -> id of the live consent, ``scorecard`` and ``policy``
    the SHA-256 in force, ``code`` floor and code version.
    """

    purpose: str
    recipient: str
    score: Mapping[str, Any] | None
    features: Mapping[str, Any] | None
    consents: Mapping[str, str] = field(default_factory=dict)
    scorecard: tuple[str, str] = ("", "")  # version, SHA-256
    policy: str = ""
    code: str = ""


def changed_features(old: Application, new: Application) -> tuple[str, ...]:
    """Features whose value differs, or which are suspended on one night alone."""
    if old.features is None or new.features is None:
        return ()
    suspended = set(old.features["suspended"] or ()) ^ set(new.features["suspended"] or ())
    return tuple(
        f
        for source in PURPOSES[new.purpose]["sources"]
        for f in FEATURES_BY_SOURCE[source]
        if old.features.get(f) != new.features.get(f) or f in suspended
    )


def changed_facts(old: Application, new: Application) -> tuple[str, ...]:
    """Columns of ``scores`` that differ; every one where the application is on one night alone."""
    if old.score is None or new.score is None:
        return FACTS if old.score is not new.score else ()
    return tuple(f for f in FACTS if old.score[f] != new.score[f])


def _moved_sources(old: Application, new: Application) -> set[str]:
    if old.score is None or new.score is None:
        return set()
    return set(old.score["sources_used"] or ()) ^ set(new.score["sources_used"] or ())


def _moved_consents(old: Application, new: Application) -> set[str]:
    """Sources whose live consent is another one, also where the score does not show it."""
    if old.score is None or new.score is None:
        return set()
    return {s for s in PURPOSES[new.purpose]["sources"] if old.consents.get(s) != new.consents.get(s)}


def _of_source(
    source: str, old: Application, new: Application, before: Known, after: Known
) -> Iterator[Cause]:
    """Causes within a source that both nights have consent for; ``features`` is all that each may enter."""
    if old.consents.get(source) is None or new.consents.get(source) is None:
        return
    yield from causes.of_feed(source, before, after)
    if not (before.fresh[source] and after.fresh[source]):
        return
    if source == "transactions":
        yield from causes.of_bookings(before, after)
    else:
        yield from causes.of_records(source, before, after)
        yield from causes.of_time(source, before, after, old.features or {}, new.features or {})


def _versions(old: Application, new: Application) -> Iterator[Cause]:
    if old.scorecard[1] != new.scorecard[1]:
        yield Cause("scorecard_changed", before=old.scorecard[0], after=new.scorecard[0])
    if old.policy != new.policy:
        yield Cause("policy_changed", before=old.policy[:12], after=new.policy[:12])
    if old.code != new.code:
        yield Cause("rules_changed", before=old.code, after=new.code)


def of_application(old: Application, new: Application, before: Known, after: Known) -> tuple[Cause, ...]:
    """Every cause of an application's changed score, without repetition; none where nothing changed.

    A cause within a source is kept where it may have moved a feature that changed, or whether the source is used; one
    of a consent always, also where the score does not show it.
    """
    moved, consents = changed_features(old, new), _moved_consents(old, new)
    if not changed_facts(old, new) and not moved and not consents:
        return ()
    found: list[Cause] = []
    whole = old.score is not None and new.score is not None
    used = _moved_sources(old, new)
    for source in PURPOSES[new.purpose]["sources" if whole else "required"]:
        pair = (new.purpose, source, new.recipient)
        live = (old.consents.get(source), new.consents.get(source))
        mine = tuple(f for f in FEATURES_BY_SOURCE[source] if f in moved)
        for cause in consent_causes.of_source(pair, *live, before, after):
            found.append(replace(cause, source=source, features=mine))
        for cause in _of_source(source, old, new, before, after) if whole else ():
            features = tuple(f for f in cause.features if f in mine)
            if features or source in used:
                found.append(replace(cause, source=source, features=features))
    versions = (old.policy[:12], new.policy[:12])
    found = [
        replace(c, before=versions[0], after=versions[1]) if c.cause == "policy_changed" else c for c in found
    ]
    told = {c.cause for c in found}
    return tuple(dict.fromkeys((*found, *(c for c in _versions(old, new) if c.cause not in told))))


def unexplained(old: Application, new: Application, found: Iterable[Cause]) -> tuple[str, ...]:
    """What changed and no cause explains: features, sources, or facts of the score; empty, or something is wrong."""
    told = tuple(found)
    facts, moved, sources = changed_facts(old, new), changed_features(old, new), _moved_sources(old, new)
    consents = _moved_consents(old, new)
    codes = {c.cause for c in told}
    if "rules_changed" in codes or not (facts or moved or consents):
        return ()
    if old.score is None or new.score is None:
        return () if any(c.source for c in told) else ("application",)
    explained = {f for c in told for f in c.features}
    if "policy_changed" in codes:  # another authority, or another extension of a dispute
        explained |= {f for feed in ORDER_FEEDS for f in FEATURES_BY_SOURCE[feed]}
    missing = [f for f in moved if f not in explained]
    missing += sorted((sources | consents) - {c.source for c in told})
    if not moved and not sources and "scorecard_changed" not in codes:
        missing += list(facts)
    return tuple(missing)
