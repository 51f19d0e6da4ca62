"""A reason as a sentence: the scorecard's text with the person's own value in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobs.rules.scorecard import Characteristic, Scorecard

SHARES = ("_share", "_to_income", "utilisation", "utilisation_trend")


def shown(feature: str, value: float | None, currency: str) -> str:
    """A value as a person reads it: money with its currency, shares in percent, counts plain."""
    if value is None:
        return "unknown"
    if feature.endswith("_minor") and not feature.startswith("penalty"):
        return f"{value / 100:,.2f} {currency}"
    if feature.endswith(SHARES):
        return f"{100 * value:.0f}%"
    return f"{value:g}"


def sentence(characteristic: Characteristic, row: Mapping[str, Any], currency: str) -> str:
    """The characteristic's reason with the row's values."""
    values = " and ".join(shown(f, row.get(f), currency) for f in characteristic.features)
    return characteristic.text.replace("{value}", values)


def explained(
    card: Scorecard, codes: Sequence[str], points: Sequence[int], row: Mapping[str, Any], currency: str
) -> list[dict[str, Any]]:
    """Each reason of a score: ``code``, ``text`` and ``points`` (what it costs against neutral, negative)."""
    places = {c.code: i for i, c in enumerate(card.characteristics)}
    return [
        {
            "code": code,
            "text": sentence(card.characteristics[places[code]], row, currency),
            "points": points[places[code]] - card.characteristics[places[code]].neutral,
        }
        for code in codes
    ]
