"""Scenes of a history: orders, assessments and offences, and what disputes, stays, appeals and time do to them."""

from __future__ import annotations

from jobs.generate.cast import CREDIT, MOTOR, Cast
from jobs.generate.scenes import after, again, borrower, consents, resolved, years_before


def new_judgment(on: Cast, n: int) -> None:
    """A judgment arrives and is paid some nights later."""
    who, _ = borrower(on)
    n = on.horizon.open(n, "court")
    order = on.judgment(who, n)
    paid = on.horizon.open(n + 6, "court")
    on.judgment(who, paid, **again(on, paid, order, satisfied_on=on.day(paid)))
    on.scored(who, 1, ..., of=CREDIT)
    on.listed(who, order, *range(n, paid))


def dispute_rejected(on: Cast, n: int) -> None:
    """A dispute is rejected; a further one of the same version suspends nothing."""
    who, _ = borrower(on)
    order = on.judgment(who)
    n = on.horizon.open(n, "disputes")
    one = on.dispute(who, order["order_id"], on.day(n), n)
    end = on.horizon.open(n + 5, "disputes")
    resolved(on, who, end, one, "rejected")
    more = on.horizon.open(end + 2, "disputes")
    two = on.dispute(who, order["order_id"], on.day(more), more)
    resolved(on, who, on.horizon.open(more + 3, "disputes"), two, "rejected")
    on.scored(who, 1, ..., of=CREDIT)
    on.listed(who, order, *range(1, n), end, ...)


def dispute_upheld(on: Cast, n: int) -> None:
    """An upheld dispute takes the order out, until it comes back certified."""
    who, _ = borrower(on)
    order = on.judgment(who)
    n = on.horizon.open(n, "disputes")
    one = on.dispute(who, order["order_id"], on.day(n), n)
    end = on.horizon.open(n + 4, "disputes")
    resolved(on, who, end, one, "upheld")
    back = on.horizon.open(end + 3, "disputes", "court")
    row = again(on, back, one, resolved_on=on.day(end), outcome="upheld", certified_by="Demo Court")
    on.dispute(who, row.pop("record_id"), row.pop("opened_on"), back, **row)
    on.judgment(who, back, **again(on, back, order))
    on.scored(who, 1, ..., of=CREDIT)
    on.listed(who, order, *range(1, n), back, ...)


def dispute_corrected(on: Cast, n: int) -> None:
    """A corrected dispute keeps the order out until the court's correction arrives."""
    who, _ = borrower(on)
    order = on.judgment(who)
    n = on.horizon.open(n, "disputes")
    one = on.dispute(who, order["order_id"], on.day(n), n)
    end = on.horizon.open(n + 3, "disputes")
    resolved(on, who, end, one, "corrected")
    mended = on.horizon.open(end + 2, "court")
    on.judgment(who, mended, **again(on, mended, order, debt_minor=77_000))
    on.scored(who, 1, ..., of=CREDIT)
    on.listed(who, order, *range(1, n), mended, ...)


def dispute_runs_out(on: Cast, n: int) -> None:
    """Thirty days without an outcome end a dispute in the person's favour."""
    who, _ = borrower(on)
    order = on.judgment(who)
    n = on.horizon.open(n, "disputes")
    on.dispute(who, order["order_id"], on.day(n), n)
    on.scored(who, 1, ..., of=CREDIT)
    on.listed(who, order, *range(1, n))


def obsolete(on: Cast, n: int) -> None:
    """A judgment turns seven years old, an insolvency ten."""
    who, _ = borrower(on)
    for kind, years in (("money_judgment", 7), ("insolvency", 10)):
        ordered = years_before(on, n, years)
        served, final = after(ordered, 20), after(ordered, 50)
        row = on.judgment(who, kind=kind, ordered_on=ordered, served_on=served, objection_until=final)
    last = n - 1 if on.day(n)[5:] != "02-29" else n - 2
    on.scored(who, 1, ..., of=CREDIT)
    on.listed(who, row, *range(1, last + 1), register="insolvencies")


def objection_over(on: Cast, n: int) -> None:
    """The time to object passes."""
    who, _ = borrower(on)
    n = on.horizon.open(n, "court")
    row = on.judgment(who, ordered_on=on.day(1, -40), served_on=on.day(1, -20), objection_until=on.day(n, -1))
    on.scored(who, 1, ..., of=CREDIT)
    on.listed(who, row, n, ...)


def stayed(on: Cast, n: int) -> None:
    """An order is stayed for four nights, as the court has said from the first."""
    who, _ = borrower(on)
    order = on.judgment(who, stayed_from=on.day(n), stayed_until=on.day(n, 3))
    on.scored(who, 1, ..., of=CREDIT)
    on.listed(who, order, *range(1, n), n + 4, ...)


def appealed(on: Cast, n: int) -> None:
    """An appeal is lodged and dismissed."""
    who, _ = borrower(on)
    order = on.judgment(who)
    n = on.horizon.open(n, "court")
    lodged = again(on, n, order, appeal_lodged_on=on.day(n))
    on.judgment(who, n, **lodged)
    end = on.horizon.open(n + 4, "court")
    dismissed = {"appeal_decided_on": on.day(end), "appeal_outcome": "dismissed"}
    on.judgment(who, end, **again(on, end, lodged, **dismissed))
    on.scored(who, 1, ..., of=CREDIT)
    on.listed(who, order, *range(1, n), end, ...)


def in_doubt(on: Cast, n: int) -> None:
    """A refused row says that an order is paid; three nights later the court says that it is not."""
    who, _ = borrower(on)
    order = on.judgment(who)
    n = on.horizon.open(n, "court")
    unclear = again(on, n, order, satisfied_on=on.day(n), debt_minor="nil")
    on.judgment(who, n, fault="bad_type", **unclear)
    mended = on.horizon.open(n + 3, "court")
    on.judgment(who, mended, **again(on, mended, order))
    on.scored(who, 1, ..., of=CREDIT)
    on.listed(who, order, *range(1, n), mended, ...)


def arrears_paid(on: Cast, n: int) -> None:
    """Arrears are paid."""
    who, _ = borrower(on)
    row = on.assessment(who, status="arrears")
    n = on.horizon.open(n, "tax")
    on.assessment(who, n, **again(on, n, row, status="paid", tax_paid_minor=row["tax_due_minor"]))
    on.scored(who, 1, ..., of=CREDIT)


def determined(on: Cast, n: int) -> None:
    """A tax debt is finally determined, and paid some nights later."""
    who, _ = borrower(on)
    n = on.horizon.open(n, "tax")
    final = on.determination(who, n)
    paid = on.horizon.open(n + 6, "tax")
    on.assessment(who, paid, **again(on, paid, final, status="paid"))
    on.scored(who, 1, ..., of=CREDIT)
    on.listed(who, final, *range(n, paid), register="tax_debts")


def tax_disputed(on: Cast, n: int) -> None:
    """An assessment in arrears is disputed; the dispute is rejected."""
    who, _ = borrower(on)
    row = on.assessment(who, status="arrears")
    n = on.horizon.open(n, "disputes")
    one = on.dispute(who, row["assessment_id"], on.day(n), n, feed="tax")
    resolved(on, who, on.horizon.open(n + 3, "disputes"), one, "rejected")
    on.scored(who, 1, ..., of=CREDIT)


def offences(on: Cast, n: int) -> None:
    """One offence arrives on the night, another stops counting on its third anniversary."""
    who = on.person()
    consents(on, who, MOTOR, "traffic")
    ordered = years_before(on, n, 3)
    on.offence(who, ordered_on=ordered, served_on=after(ordered, 10), objection_until=after(ordered, 40))
    arrives = on.horizon.open(n, "traffic")
    on.offence(who, arrives, severity="serious", penalty_points=6)
    on.scored(who, 1, ...)


def ban_ends(on: Cast, n: int) -> None:
    """A driving disqualification has its last day."""
    who = on.person()
    consents(on, who, MOTOR, "traffic")
    ban = on.offence(
        who, kind="driving_disqualification", severity="serious", penalty_points=0, expires_on=on.day(n, -1)
    )
    on.scored(who, 1, ...)
    on.listed(who, ban, *range(1, n), register="driving_disqualifications")
