"""Scenes of a history: consents, declarations, bookings and awards."""

from __future__ import annotations

import datetime as dt

from jobs.generate.cast import CREDIT, STUDY, Cast, birthday_after
from jobs.generate.scenes import again, borrower, consents, resolved, statement


def late_payment(on: Cast, n: int) -> None:
    """A statement is reported sixty days past due."""
    who, _ = borrower(on)
    n = on.horizon.open(n, "transactions")
    statement(on, who, n, on.day(n, -2), late=60)
    on.scored(who, 1, ..., of=CREDIT)


def booking_disputed(on: Cast, n: int) -> None:
    """A late statement is disputed; the dispute is rejected."""
    who, _ = borrower(on)
    row = statement(on, who, 1, on.day(1, -15), late=45)
    n = on.horizon.open(n, "disputes")
    one = on.dispute(who, row["transaction_id"], on.day(n), n, feed="transactions")
    resolved(on, who, on.horizon.open(n + 4, "disputes"), one, "rejected")
    on.scored(who, 1, ..., of=CREDIT)


def booking_struck(on: Cast, n: int) -> None:
    """A late statement is disputed; the dispute is upheld."""
    who, _ = borrower(on)
    row = statement(on, who, 1, on.day(1, -15), late=45)
    n = on.horizon.open(n, "disputes")
    one = on.dispute(who, row["transaction_id"], on.day(n), n, feed="transactions")
    resolved(on, who, on.horizon.open(n + 4, "disputes"), one, "upheld")
    on.scored(who, 1, ..., of=CREDIT)


def awarded(on: Cast, n: int) -> None:
    """An award arrives, and is revoked some nights later."""
    who = on.person()
    consents(on, who, STUDY, "education")
    n = on.horizon.open(n, "education")
    row = on.award(who, n)
    revoked = on.horizon.open(n + 4, "education")
    on.award(who, revoked, **again(on, revoked, row, revoked_on=on.day(revoked)))
    on.scored(who, *range(1, n), of=STUDY, no_score="source_absent")
    on.scored(who, *range(n, revoked), of=STUDY)
    on.scored(who, revoked, ..., of=STUDY, no_score="source_absent")


def consent_disputed(on: Cast, n: int) -> None:
    """A consent is disputed; the dispute is rejected."""
    who, consents = borrower(on)
    n = on.horizon.open(n, "disputes")
    one = on.dispute(who, consents["transactions"]["consent_id"], on.day(n), n, feed="consents")
    end = on.horizon.open(n + 3, "disputes")
    resolved(on, who, end, one, "rejected")
    on.scored(who, *range(1, n), end, ..., of=CREDIT)


def consent_in_doubt(on: Cast, n: int) -> None:
    """A refused row may say that one consent is withdrawn; the next revision says that it is not."""
    who, consents = borrower(on)
    n = on.horizon.open(n, "consents")
    on.consent(who, n, fault="bad_type", **again(on, n, consents["court"], withdrawn_on="today"))
    mended = on.horizon.open(n + 2, "consents")
    on.consent(who, mended, **again(on, mended, consents["court"]))
    on.scored(who, 1, ..., of=CREDIT)


def withdrawn_ahead(on: Cast, n: int) -> None:
    """A consent is withdrawn from a day to come."""
    who, consents = borrower(on)
    n = on.horizon.open(n, "consents")
    on.consent(who, n, **again(on, n, consents["transactions"], withdrawn_on=on.day(n, 2)))
    on.scored(who, *range(1, n + 2), of=CREDIT)


def narrowed(on: Cast, n: int) -> None:
    """A withdrawal names one source; the rest goes on."""
    who, _ = borrower(on)
    on.assessment(who, status="arrears")
    n = on.horizon.open(n, "consents")
    on.declare(who, n, "withdrawal", source="tax")
    on.scored(who, 1, ..., of=CREDIT)


def consented_anew(on: Cast, n: int) -> None:
    """A consent to a further source is given, and another's last day passes."""
    who = on.person()
    for month in range(1, 7):
        statement(on, who, 1, on.day(1, -30 * month))
    on.judgment(who, debt_minor=0)  # paid: in no register
    on.assessment(who, status="arrears")
    consents(on, who, CREDIT, "transactions")
    consents(on, who, CREDIT, "court", expires_on=on.day(n, -1))
    arrives = on.horizon.open(n, "consents")
    on.consent(
        who,
        arrives,
        purpose=CREDIT[0],
        recipient=CREDIT[1],
        source="tax",
        granted_on=on.day(arrives),
        revised_at=f"{on.day(arrives)}T01:00:00Z",
    )
    on.scored(who, 1, ..., of=CREDIT)


def erased_and_back(on: Cast, n: int) -> None:
    """An erasure; the person consents anew, and nothing of before is known."""
    who, _ = borrower(on)
    order = on.judgment(who)
    n = on.horizon.open(n, "consents")
    on.declare(who, n, "erasure")
    on.scored(who, *range(1, n), of=CREDIT)
    on.listed(who, order, *range(1, n))
    back = on.horizon.open(n + 2, "consents")
    day = {"granted_on": on.day(back), "revised_at": f"{on.day(back)}T01:00:00Z"}
    on.consent(who, back, purpose=CREDIT[0], recipient=CREDIT[1], source="transactions", **day)
    on.scored(who, back, ..., of=CREDIT, no_score="source_absent")


def died(on: Cast, n: int) -> None:
    """A death."""
    who, _ = borrower(on)
    order = on.judgment(who)
    n = on.horizon.open(n, "consents")
    on.declare(who, n, "death")
    on.scored(who, *range(1, n), of=CREDIT)
    on.listed(who, order, *range(1, n))


def contested(on: Cast, n: int) -> None:
    """The person's own channel brings the id with another birth date."""
    who, _ = borrower(on)
    order = on.judgment(who)
    n = on.horizon.open(n, "consents")
    on.declare(who, n, "access", fault="identity_conflict", birth_date="1899-12-31")
    on.scored(who, *range(1, n), of=CREDIT)
    on.listed(who, order, *range(1, n))


def withdrawal_unread(on: Cast, n: int) -> None:
    """A withdrawal for another purpose cannot be read: all scores stop until it is mended."""
    who, _ = borrower(on)
    n = on.horizon.open(n, "consents")
    said = on.declare(who, n, "withdrawal", fault="bad_type", granted_on="today", purpose="study_finance")
    mended = on.horizon.open(n + 2, "consents")
    on.declare(who, mended, "withdrawal", **again(on, mended, said, granted_on=on.day(mended)))
    on.scored(who, *range(1, n), mended, ..., of=CREDIT)


def of_age(on: Cast, n: int) -> None:
    """Eighteen years are over."""
    who = on.person()
    day = dt.date.fromisoformat(on.day(n))
    if (day.month, day.day) == (2, 29):
        n, day = n + 1, day + dt.timedelta(days=1)
    birthday_after(who, 18, day)
    on.consent(who)
    on.scored(who, n, ...)
