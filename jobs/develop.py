"""develop: a scorecard from published features and outcomes, and a report of how good it is (DESIGN 7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jobs.development import card as cards
from jobs.development import measures
from jobs.development.card import Grid
from jobs.development.design import Design, compile_design
from jobs.development.page import page
from jobs.development.tables import Effort, Table, tables
from jobs.errors import AssentError
from jobs.lake.config import load_policy
from jobs.lake.outcomes import Developed, developed_on, put, read_design
from jobs.rules import floor
from jobs.rules.compiler import compile_scorecard
from jobs.rules.policy import Policy
from jobs.rules.scorecard import Scorecard

FOLDS = 5
LEAST_OF_EACH = 20  # good and bad outcomes: of fewer nothing can be learned
LEAST_SHARE, LEAST_PEOPLE = (
    0.02,
    30,
)  # of the people in a bin: fewer would be a chance, and could be recognised


@dataclass(frozen=True)
class Result:
    """The card and its text; everyone's score by a card made without them; ``slope``; what was left out, and why."""

    card: Scorecard
    text: str
    unseen: np.ndarray
    slope: float
    left_out: tuple[tuple[str, str], ...]


def _tables(
    design: Design, columns: Mapping[str, np.ndarray], bad: np.ndarray, effort: Effort
) -> dict[int, Table]:
    """The table of each characteristic to be developed, by its place in the design."""
    open_places = [i for i, p in enumerate(design.parts) if p.expert is None]
    shapes = [design.parts[i].shape for i in open_places]
    least = max(LEAST_PEOPLE, round(LEAST_SHARE * len(bad)))
    return dict(zip(open_places, tables(columns, bad, shapes, least, effort), strict=True))


def _card(
    design: Design,
    made: Mapping[int, Table],
    columns: Mapping[str, np.ndarray],
    bad: np.ndarray,
    facts: Mapping[str, Any],
    policy: Policy,
    slope: float = 1.0,
) -> tuple[Scorecard, dict[int, Grid]]:
    """The card of tables made from these people, compiled as any other is; ``slope`` draws its points together."""
    found = {i: cards.grid(t, columns, design.scaling[2] * slope) for i, t in made.items()}
    grids = {i: g for i, g in found.items() if g is not None}
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
    fold = np.arange(len(bad)) % FOLDS  # person-wise: a person has one row
    parts = []
    for number in range(FOLDS):
        held = {f: v[fold != number] for f, v in columns.items()}
        parts.append((held, bad[fold != number], _tables(design, held, bad[fold != number], effort)))

    def unseen(slope: float) -> np.ndarray:
        """Everyone's score by a card that was made without them."""
        out = np.zeros(len(bad))
        for number, (held, outcome, made) in enumerate(parts):
            card, _ = _card(design, made, held, outcome, facts, policy, slope)
            mine = {f: v[fold == number] for f, v in columns.items()}
            out[fold == number] = cards.scores(card, mine, floor.SCORE_MIN, floor.SCORE_MAX)
        return out

    # what was learned from people says a little too much of others: the points are drawn together by as much
    slope = measures.slope(unseen(1.0), bad, design.scaling)
    made = _tables(design, columns, bad, effort)
    card, grids = _card(design, made, columns, bad, facts, policy, slope)
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
    return Result(card, card.text, unseen(slope), slope, tuple(left))


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
