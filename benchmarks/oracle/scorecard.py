"""A scorecard's YAML as one SELECT: points, score, band and reasons of each application."""

from __future__ import annotations

from typing import Any

MOST_REASONS = 4


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _points(characteristic: dict[str, Any]) -> str:
    """Neutral where a value is missing, else the first bin that matches; of a pair each value is below its limit."""
    names = characteristic.get("features") or [characteristic["feature"]]
    cases = [f"WHEN {' OR '.join(f'{n} IS NULL' for n in names)} THEN {int(characteristic['neutral'])}"]
    *limited, rest = characteristic["bins"]
    for one in limited:
        limits = one["below"] if isinstance(one["below"], list) else [one["below"]]
        match = " AND ".join(f"{n} < '{float(v)!r}'::DOUBLE" for n, v in zip(names, limits, strict=True))
        cases.append(f"WHEN {match} THEN {int(one['points'])}")
    return f"CASE {' '.join(cases)} ELSE {int(rest['points'])} END"


def scored(card: dict[str, Any]) -> str:
    """SQL of the card's scores, from a table ``features``; columns as the table ``scores``."""
    parts = card["characteristics"]
    points = ", ".join(_points(c) for c in parts)
    # the largest shortfall first, ties in scorecard order
    short = ", ".join(
        f"{{'below': points[{i}] - {int(c['neutral'])}, 'place': {i}, 'code': {_text(c['reason']['code'])}}}"
        for i, c in enumerate(parts, 1)
    )
    bands = " ".join(
        f"WHEN score >= {int(low)} THEN {_text(band)}"
        for band, low in sorted(card["bands"].items(), key=lambda b: -b[1])
    )
    thin = " OR ".join(
        f"coalesce({name} < {float(least)!r}::DOUBLE, true)"
        for name, least in card.get("minimum", {}).items()
    )
    absent = " OR ".join(f"NOT list_contains(sources_used, {_text(s)})" for s in card["required"])
    return f"""
    SELECT person_id, purpose, recipient, night() AS score_date,
           CASE WHEN no_score_reason IS NULL THEN 'scored' ELSE 'no_score' END AS status,
           CASE WHEN no_score_reason IS NULL THEN score END AS score,
           CASE WHEN no_score_reason IS NULL THEN CASE {bands} END END AS band,
           {_text(str(card["version"]))} AS scorecard_version,
           CASE WHEN no_score_reason IS NULL THEN points END AS points,
           CASE WHEN no_score_reason IS NULL THEN list_transform(
               list_sort(list_filter([{short}], lambda r: r.below < 0))[:{MOST_REASONS}], lambda r: r.code) END
               AS reasons,
           no_score_reason, sources_used
    FROM (
        SELECT *, least(950, greatest(350, {int(card["base"])} + list_sum(points))) AS score
        FROM (
            SELECT *, [{points}] AS points,
                   CASE WHEN {absent} THEN 'source_absent' WHEN {thin or "false"} THEN 'thin_file' END
                       AS no_score_reason
            FROM features WHERE purpose = {_text(card["purpose"])}
        )
    )"""
