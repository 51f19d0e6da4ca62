"""What changed for a person between two published nights: scores part by part with their causes, inputs, entries."""

from __future__ import annotations

import dataclasses
from typing import Any

from jobs.lake.evidence import application, known
from jobs.lake.history import Past
from jobs.rules.causes import Known
from jobs.rules.change import of_application, unexplained
from schemas.reasons import CHANGE_CAUSES

SCORE_FACTS = (
    "status",
    "score",
    "band",
    "no_score_reason",
    "scorecard_version",
    "base",
    "sources_used",
    "consents",
    "currency",
)
ENTRY_FACTS = ("state", "listed", "recipient", "since", "until", "cause", "order", "held")


def _facts(found: dict[str, Any] | None, names: tuple[str, ...]) -> dict[str, Any] | None:
    return None if found is None else {n: found[n] for n in names}


def _only_in(one: dict[str, Any] | None, other: dict[str, Any] | None) -> list[dict[str, Any]]:
    told = (other or {"inputs": []})["inputs"]
    return [i for i in (one or {"inputs": []})["inputs"] if i not in told]


def _characteristics(new: dict[str, Any] | None, old: dict[str, Any] | None) -> list[dict[str, Any]]:
    after = {tuple(c["features"]): c for c in (new or {}).get("characteristics", [])}
    before = {tuple(c["features"]): c for c in (old or {}).get("characteristics", [])}
    return [
        {"features": list(f), "before": before.get(f), "after": after.get(f)}
        for f in dict.fromkeys([*after, *before])
        if after.get(f) != before.get(f)
    ]


class Between:
    """Two nights of some people, the earlier first."""

    def __init__(self, before: Past, after: Past) -> None:
        self.before, self.after = before, after
        self._known: dict[int, tuple[Known, Known]] = {}

    def _of(self, person: int) -> tuple[Known, Known]:
        if person not in self._known:
            self._known = {person: (known(self.before, person), known(self.after, person))}
        return self._known[person]

    def causes(self, person: int, purpose: str, recipient: str) -> dict[str, Any]:
        """``causes`` of a change, and ``unexplained``: what no cause explains (nothing, or it is a fault)."""
        old, new = (application(p, person, purpose, recipient) for p in (self.before, self.after))
        found = of_application(old, new, *self._of(person))
        return {
            "causes": [{"text": CHANGE_CAUSES[c.cause], **dataclasses.asdict(c)} for c in found],
            "unexplained": list(unexplained(old, new, found)),
        }

    def changes(self, person: int, now: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
        """What differs between a person's objects of the two nights."""
        found: dict[str, Any] = {"changes": [], "registers": []}
        for kind, listed, keys, facts in (
            ("scores", "changes", ("purpose", "recipient"), SCORE_FACTS),
            ("registers", "registers", ("register", "record_id"), ENTRY_FACTS),
        ):
            new = {tuple(o[k] for k in keys): o for o in now[kind]}
            old = {tuple(o[k] for k in keys): o for o in then[kind]}
            for key in sorted({*new, *old}):
                n, o = new.get(key), old.get(key)
                row = {
                    **dict(zip(keys, key, strict=True)),
                    "before": _facts(o, facts),
                    "after": _facts(n, facts),
                    "inputs_added": _only_in(n, o),
                    "inputs_gone": _only_in(o, n),
                }
                if kind == "scores":
                    row["characteristics"] = _characteristics(n, o)
                same = row["before"] == row["after"] and not row.get("characteristics")
                if not same or row["inputs_added"] or row["inputs_gone"]:
                    if kind == "scores":
                        row |= self.causes(person, *key)
                    found[listed].append(row)
        return found
