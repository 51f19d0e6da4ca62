"""What the scenes of a history share: people with a past, newer revisions of a row, the end of a dispute."""

from __future__ import annotations

import datetime as dt
from typing import Any

from jobs.generate.cast import CREDIT, Cast, Person

Row = dict[str, Any]
# The last day of their consents, counted from the first night: before the bookings leave the window of the features.
CONSENTED_DAYS = 240


def years_before(on: Cast, night: int, years: int) -> str:
    """The day whose n-th anniversary is the night's; of 29 February, which few years have, the day before's."""
    day = dt.date.fromisoformat(on.day(night))
    if (day.month, day.day) == (2, 29):
        day -= dt.timedelta(days=1)
    return day.replace(year=day.year - years).isoformat()


def after(day: str, days: int) -> str:
    """A day so many days later."""
    return (dt.date.fromisoformat(day) + dt.timedelta(days=days)).isoformat()


def consents(
    on: Cast, who: Person, application: tuple[str, str], *sources: str, **cells: Any
) -> dict[str, Row]:
    """Consents of the first night for one application, by source."""
    purpose, recipient = application
    made = {"purpose": purpose, "recipient": recipient, "expires_on": on.day(1, CONSENTED_DAYS), **cells}
    return {s: on.consent(who, source=s, **made) for s in sources}


def borrower(on: Cast) -> tuple[Person, dict[str, Row]]:
    """Somebody with six months of bookings, all three consents for consumer credit, and them."""
    who = on.person()
    for month in range(1, 7):
        on.booking(who, booked_on=on.day(1, -30 * month), amount_minor=180_000)
        statement(on, who, 1, on.day(1, -30 * month + 4))
        on.booking(who, booked_on=on.day(1, -30 * month + 9), category="card_repayment", amount_minor=-55_000)
    return who, consents(on, who, CREDIT, "transactions", "court", "tax")


def statement(on: Cast, who: Person, night: int, day: str, late: int = 0) -> Row:
    """A card statement, 60 % of the limit used; ``late`` days past due."""
    return on.booking(
        who,
        night,
        booked_on=day,
        category="card_statement",
        amount_minor=-60_000,
        credit_limit_minor=100_000,
        days_past_due=late,
    )


def again(on: Cast, night: int, row: Row, **changed: Any) -> Row:
    """A newer revision of a row, dated the night."""
    return {**row, "revised_at": f"{on.day(night)}T04:00:00Z", **changed}


def resolved(on: Cast, who: Person, night: int, dispute: Row, outcome: str, **more: Any) -> None:
    """The dispute's revision that says how it ended."""
    row = again(on, night, dispute, resolved_on=on.day(night), outcome=outcome, **more)
    on.dispute(who, row.pop("record_id"), row.pop("opened_on"), night, **row)
