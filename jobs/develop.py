"""develop: a scorecard from published features and outcomes, and a report of how good it is (DESIGN 7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jobs.development import card as cards
from jobs.development.card import Grid
from jobs.development.design import Design, compile_design
from jobs.development.page import page
from jobs.development.tables import Effort, tables
from jobs.errors import AssentError
from jobs.lake.config import load_policy
from jobs.lake.outcomes import Developed, developed_on, put, read_design
from jobs.rules import floor
from jobs.rules.policy import Policy
from jobs.rules.scorecard import Scorecard, compile_scorecard

FOLDS = 5
LEAST_OF_EACH = 20  # good and bad outcomes: of fewer nothing can be learned
LEAST_SHARE, LEAST_PEOPLE = (
    0.02,
    30,
)  # of the people in a bin: fewer would be a chance, and could be recognised


@dataclass(frozen=True)
class Result:
    """The card and its text; everyone's score by a card made without them; what was left out, and why."""

    card: Scorecard
    text: str
    unseen: np.ndarray
    left_out: tuple[tuple[str, str], ...]


def _grids(
    design: Design, columns: Mapping[str, np.ndarray], bad: np.ndarray, effort: Effort
) -> dict[int, Grid]:
    """The points of each characteristic to be developed, by its place in the design."""
    open_places = [i for i, p in enumerate(design.parts) if p.expert is None]
    shapes = [design.parts[i].shape for i in open_places]
    least = max(LEAST_PEOPLE, round(LEAST_SHARE * len(bad)))
    made = tables(columns, bad, shapes, least, effort)
    found = {i: cards.grid(t, columns, design.scaling[2]) for i, t in zip(open_places, made, strict=True)}
    return {i: g for i, g in found.items() if g is not None}


def _card(
    design: Design,
    columns: Mapping[str, np.ndarray],
    bad: np.ndarray,
    facts: Mapping[str, Any],
    policy: Policy,
    effort: Effort,
) -> tuple[Scorecard, dict[int, Grid]]:
    """The card made from these people, compiled as any other is."""
    grids = _grids(design, columns, bad, effort)
    if not grids:
        raise AssentError(
            "develop: no characteristic of the design tells good from bad outcomes; nothing is written"
        )
    name = f"{design.purpose} (developed)"

    def compiled(base: int) -> Scorecard:
        return compile_scorecard(cards.written(design, grids, base, facts), name, policy)

    # the base is known when everyone's points are, an expert's among them
    rough = compiled(round(design.scaling[0]) + 1000)
    points = cards.added(rough.characteristics, columns).sum(axis=1)
    base = cards.base(points, bad, design.scaling)
    silent, least = base + sum(c.neutral for c in rough.characteristics), dict(rough.bands)["C"]
    if silent < least:
        raise AssentError(
            f"develop: who has no value would score {silent}, below band C ({least}); lower the bands, or the odds of "
            f"scaling, in designs/{design.purpose}.yaml"
        )
    return compiled(base), grids


def developed(
    design: Design, people: Developed, facts: Mapping[str, Any], policy: Policy, effort: Effort | None = None
) -> Result:
    """A scorecard from people in a fixed order: the same people give the same text."""
    effort = effort or Effort()
    columns, bad = people.columns, people.bad
    card, grids = _card(design, columns, bad, facts, policy, effort)
    fold = np.arange(len(bad)) % FOLDS  # person-wise: a person has one row
    unseen = np.zeros(len(bad))
    for number in range(FOLDS):
        others, mine = fold != number, fold == number
        without, _ = _card(
            design, {f: v[others] for f, v in columns.items()}, bad[others], facts, policy, effort
        )
        held = {f: v[mine] for f, v in columns.items()}
        unseen[mine] = cards.scores(without, held, floor.SCORE_MIN, floor.SCORE_MAX)
    left = [
        (" and ".join(p.shape.features), "its bins differ by fewer points than are worth a line")
        for i, p in enumerate(design.parts)
        if p.expert is None and i not in grids
    ]
    tried = {f for p in design.parts for f in p.shape.features}
    left += [
        (f, design.left_out.get(f, "not in the design"))
        for f in floor.features_of(design.purpose)
        if f not in tried
    ]
    return Result(card, card.text, unseen, tuple(left))


def _enough(bad: np.ndarray) -> None:
    goods, bads = int((bad == 0).sum()), int((bad == 1).sum())
    if not goods or not bads:
        raise AssentError("outcomes: one class only; give people with bad 0 and people with bad 1")
    if min(goods, bads) < LEAST_OF_EACH:
        raise AssentError(
            f"outcomes: {goods} good and {bads} bad, but {LEAST_OF_EACH} of each are needed; wait for more outcomes"
        )


def develop(purpose: str, outcomes: Path, lake: str, night: dt.date, out: Path) -> dict[str, Any]:
    """Writes the scorecard and, beside it, its report; returns what the command says."""
    policy = load_policy()
    if purpose not in policy.purposes:
        raise AssentError(f"the policy does not allow {purpose}; name one of {', '.join(policy.purposes)}")
    text, path = read_design(purpose)
    design = compile_design(text, path, policy)
    report = out.with_suffix(".html")
    minimum = {str(k): float(v) for k, v in (design.head.get("minimum") or {}).items()}
    people = developed_on(lake, night, purpose, outcomes, policy, minimum)
    _enough(people.bad)
    score, odds, double = design.scaling
    facts = {
        "purpose": purpose,
        "night": night,
        "people": len(people.bad),
        "bad": int(people.bad.sum()),
        "report": report.name,
        "design": f"designs/{purpose}.yaml",
        "score": score,
        "odds": odds,
        "double": double,
    }
    result = developed(design, people, facts, policy)
    html, told = page(design, people, result, facts)
    put(out, result.text)
    put(report, html)
    return {"card": str(out), "report": str(report), **told}
