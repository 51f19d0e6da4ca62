"""Whose rows may read otherwise than on the night before although nothing came: what falls due by the calendar alone.

Conditions in DuckDB's SQL on the tables as the last publication holds them; variables ``before`` (its night) and
``night``. They may name somebody too many, who is computed again for nothing; they must name everybody. The rules are
those of RULES.md, "Dates". What falls due for all at once (a month, a policy, a feed's freshness) is not here.
"""

from __future__ import annotations

from collections.abc import Iterable

from jobs.rules.floor import ADULT_AGE, LONGEST

SCORE_YEARS = sorted(
    {
        LONGEST[name]
        for name in (
            "judgment_score_years",
            "insolvency_score_years",
            "tax_score_years",
            "traffic_minor_score_years",
            "traffic_serious_score_years",
        )
    }
)
EDUCATION_YEARS = range(81)  # years_since_award grows once a year


def reached(column: str) -> str:
    """A day from which or through which something holds lies between the nights, either counted."""
    return f"{column} BETWEEN getvariable('before') AND getvariable('night')"


def anniversary(column: str, years: Iterable[int]) -> str:
    """An n-th anniversary lies between the nights or a day beside them (29 February)."""
    each = (
        f"({column} + to_years({n}))::DATE BETWEEN getvariable('before') - 1 AND getvariable('night') + 1"
        for n in years
    )
    return f"({' OR '.join(each)})"


def month_of(column: str) -> str:
    """A whole month since a day may end between the nights: on its day of the month, or at a month's end."""
    nights = "generate_series(getvariable('before'), getvariable('night'), INTERVAL 1 DAY)"
    days = f"list_transform({nights}, lambda d: day(d))"
    ends = f"list_transform({nights}, lambda d: day(d + INTERVAL 1 DAY) = 1)"
    return f"(list_contains({days}, day({column})) OR (day({column}) > 28 AND list_contains({ends}, true)))"


def _any(conditions: Iterable[str]) -> str:
    return " OR ".join(f"coalesce({c}, false)" for c in conditions)


ORDER_DAYS = tuple(
    reached(c)
    for c in (
        "ordered_on",
        "served_on",
        "objection_until",
        "appeal_lodged_on",
        "appeal_decided_on",
        "stayed_from",
        "stayed_until",
        "satisfied_on",
        "set_aside_on",
        "expires_on",
    )
)
# table -> condition on its rows, each of which names a person
DUE = {
    # all revisions: the earliest end and the earliest withdrawal ever accepted count
    "accepted/consents": _any(
        (
            reached("granted_on"),
            reached("expires_on"),
            reached("withdrawn_on"),
            anniversary("birth_date", (ADULT_AGE,)),
        )
    ),
    "conformed/court": _any((*ORDER_DAYS, anniversary("ordered_on", SCORE_YEARS), month_of("ordered_on"))),
    "conformed/tax": _any(
        (*ORDER_DAYS, anniversary("ordered_on", SCORE_YEARS), anniversary("assessed_on", SCORE_YEARS))
    ),
    "conformed/traffic": _any((*ORDER_DAYS, anniversary("ordered_on", SCORE_YEARS))),
    "conformed/education": _any((reached("revoked_on"), anniversary("awarded_on", EDUCATION_YEARS))),
    # with bookings before the window alone: the last of them may become too old
    "features": "list_contains(sources_used, 'transactions') AND months_active IS NULL",
}
