"""How bands and errors differ between groups, from counts that somebody outside Assent made.

Protected traits never enter the lake and are never joined to a person here: the file holds counts of people by group
and band (``purpose, trait, group, band, people`` and, where outcomes are known, ``bad``), made for instance by an
equality body from the packages that a recipient holds. Metrics by fairlearn; selection ratio: 29 CFR 1607.4(D), the
four-fifths rule; intervals: Wilson (1927).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

from fairlearn.metrics import MetricFrame, false_negative_rate, false_positive_rate, selection_rate
from scipy.stats import binomtest

from jobs.errors import AssentError
from jobs.rules.floor import PURPOSES
from jobs.rules.scorecard import BANDS
from schemas.contract import IDENTITY_NAMES

COLUMNS = ("purpose", "trait", "group", "band", "people")
# A cell of fewer people could point at one of them.
LEAST_CELL = 10
FOUR_FIFTHS = 0.8


def read_counts(path: Path) -> list[dict[str, Any]]:
    """The rows of a counts file; AssentError in one line where it is none, or holds rows of persons."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = reader.fieldnames or []
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise AssentError(f"{path.name}: cannot be read ({type(e).__name__}); give a CSV of counts") from None
    personal = [n for n in names if n in (*IDENTITY_NAMES, "person_id")]
    if personal:
        raise AssentError(
            f"{path.name}: column {personal[0]} is of persons; give counts of people by group and band, "
            "protected traits are never joined to a person"
        )
    missing = [n for n in COLUMNS if n not in names]
    if missing:
        raise AssentError(f"{path.name}: column {missing[0]} is missing; give {', '.join(COLUMNS)} and bad")
    return [_row(path.name, number, row) for number, row in enumerate(rows, 1)]


def _row(name: str, number: int, row: dict[str, Any]) -> dict[str, Any]:
    try:
        people = int(row["people"])
        bad = int(row["bad"]) if row.get("bad") else None
    except (TypeError, ValueError):
        raise AssentError(f"{name}: row {number} has no whole number of people; mend it") from None
    if (
        row["purpose"] not in PURPOSES
        or row["band"] not in BANDS
        or people < 0
        or not 0 <= (bad or 0) <= people
    ):
        raise AssentError(
            f"{name}: row {number} has an unknown purpose or band, or a count that cannot be; mend it"
        )
    return {**{k: row[k] for k in COLUMNS[:4]}, "people": people, "bad": bad}


def _interval(hits: int, people: int) -> tuple[float | None, float | None]:
    if not people:
        return None, None
    found = binomtest(hits, people).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def disparity(
    rows: list[dict[str, Any]], selected: tuple[str, ...] = ("A", "B", "C")
) -> list[dict[str, Any]]:
    """One object a purpose, trait and group; ``selected`` are the bands that count as a yes.

    ``people, selected, selection_rate, selection_low, selection_high, selection_ratio`` (to the group most often
    selected), ``false_negative_rate`` (good, not selected) and ``false_positive_rate`` (bad, selected) with their
    intervals, null without outcomes; ``severity`` by the four-fifths rule, ``few`` of a group of fewer than 10.
    """
    by_trait: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_trait[(row["purpose"], row["trait"])].append(row)
    found = []
    for (purpose, trait), mine in sorted(by_trait.items()):
        found += [{"purpose": purpose, "trait": trait, **g} for g in _of_trait(mine, selected)]
    return found


def _of_trait(rows: list[dict[str, Any]], selected: tuple[str, ...]) -> list[dict[str, Any]]:
    known = all(r["bad"] is not None for r in rows)
    truth, said, groups, weights = [], [], [], []
    for r in rows:
        bad = r["bad"] or 0
        # 1: good, and selected; rows without outcomes count as good, and only their selection is reported
        for good, people in ((1, r["people"] - bad), (0, bad)):
            if people:
                truth.append(good)
                said.append(int(r["band"] in selected))
                groups.append(r["group"])
                weights.append(people)
    totals: dict[str, int] = defaultdict(int)
    for g, w in zip(groups, weights, strict=True):
        totals[g] += w
    if not totals:
        return []
    metrics = {"selection": selection_rate, "fnr": false_negative_rate, "fpr": false_positive_rate}
    frame = MetricFrame(
        metrics=metrics,
        y_true=truth,
        y_pred=said,
        sensitive_features=groups,
        sample_params={name: {"sample_weight": weights} for name in metrics},
    )
    enough = [g for g, n in totals.items() if n >= LEAST_CELL]
    best = max((float(frame.by_group["selection"][g]) for g in enough), default=0.0)
    out = []
    for group in sorted(totals):
        here = [(t, s, w) for t, s, g, w in zip(truth, said, groups, weights, strict=True) if g == group]
        rate = float(frame.by_group["selection"][group])
        goods, bads = (sum(w for t, _, w in here if t == v) for v in (1, 0))
        chosen = sum(w for _, s, w in here if s)
        row: dict[str, Any] = {"group": group, "people": totals[group], "severity": "few"}
        if totals[group] < LEAST_CELL:
            out.append(row)
            continue
        low, high = _interval(chosen, totals[group])
        ratio = rate / best if best else None
        row |= {
            "selected": chosen,
            "selection_rate": rate,
            "selection_low": low,
            "selection_high": high,
            "selection_ratio": ratio,
            # the interval decides: a small group's bad luck is no finding
            "severity": "warning"
            if ratio is not None and best and (high or 0) / best < FOUR_FIFTHS
            else "ok",
        }
        if known:
            for name, key, of, wrong in (
                ("false_negative", "fnr", goods, sum(w for t, s, w in here if t and not s)),
                ("false_positive", "fpr", bads, sum(w for t, s, w in here if not t and s)),
            ):
                low, high = _interval(wrong, of)
                value = float(frame.by_group[key][group]) if of else None
                row |= {f"{name}_rate": value, f"{name}_low": low, f"{name}_high": high}
        out.append(row)
    return out
